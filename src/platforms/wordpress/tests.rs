//! The connector against a small fake, and with `real-servers` against a real WordPress.

#[cfg(feature = "real-servers")]
mod real;
