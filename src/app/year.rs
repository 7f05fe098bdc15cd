//! A year in the life of a municipality under three of the ready policies. What happens in it and what is held against
//! it each day stands in `services::tests::year`; it is begun here, where policies are read.

use crate::config::policy::ready::Ready;
use crate::services::tests::year;

#[test]
fn a_year_in_the_life_keeps_every_promise_each_day_and_its_report_is_what_others_count() {
    let read = |ready: Ready| ready.read().expect("it is built in");
    year::live([Ready::Jonkoping, Ready::Kungalv, Ready::Finspang].map(read));
}

#[test]
fn the_suite_goes_the_whole_way_under_every_ready_policy_and_nothing_leaves_without_seal_and_diary()
{
    let read = |ready: &Ready| ready.read().expect("it is built in");
    year::suite::runs(Ready::ALL.iter().map(read).collect());
}

#[test]
fn the_same_seed_lives_the_same_days_again_and_another_one_does_not() {
    let read = |ready: Ready| ready.read().expect("it is built in");
    year::live_again(&[Ready::Jonkoping, Ready::Kungalv, Ready::Finspang].map(read));
}
