//! A year in the life of a municipality under three of the ready policies. What happens in it and what is held against
//! it each day stands in `services::tests::year`; it is begun here, where policies are read.

use crate::config::policy::ready::Ready;
use crate::services::tests::year;

#[test]
fn a_year_in_the_life_keeps_every_promise_each_day_and_its_report_is_what_others_count() {
    let read = |ready: Ready| ready.read().expect("it is built in");
    year::live([Ready::Jonkoping, Ready::Kungalv, Ready::Finspang].map(read));
}
