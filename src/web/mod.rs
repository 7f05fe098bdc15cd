//! People in, people out: pages, guards, static files.
//!
//! A handler is: extract → one service call → display values ([`view`]) → page. Templates only
//! place what the display values hold; escaping, marks for hidden characters, masking and Swedish
//! times are done before a template sees anything.

pub mod assets;
pub mod cookie;
pub mod forms;
pub mod guard;
pub mod live;
pub mod throttle;
pub mod view;
