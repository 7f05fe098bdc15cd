//! Who holds a case: opened, kept, left, run out, taken over, told.

use jiff::SignedDuration;

use super::{Bench, at, line};
use crate::domain::claim::{Granted, Wish};
use crate::domain::decision::Choice;
use crate::domain::ids::{CaseId, UserId};
use crate::store::error::StoreError;
use crate::store::sqlite::claims::{Asking, Opened};

const LEASE: SignedDuration = SignedDuration::from_secs(300);

pub(super) fn asking(case: CaseId, user: UserId, wish: Wish) -> Asking {
    Asking { case, user, wish, lease: LEASE }
}

async fn opens(bench: &Bench, case: CaseId, user: UserId, now: i64) -> Opened {
    let asking = Some(asking(case, user, Wish::Open));
    bench.store.open_case(case, asking, line("case.open"), at(now)).await.unwrap()
}

async fn holder(bench: &Bench, case: CaseId) -> Option<UserId> {
    bench.store.case(case).await.unwrap().claim.map(|(claim, _)| claim.by)
}

#[tokio::test]
async fn opening_takes_a_free_case_and_lets_go_of_the_one_before() {
    let bench = Bench::new().await;
    let (one, two) = (bench.open("1", 1, at(60)).await.case, bench.open("2", 1, at(61)).await.case);
    let (kim, sam) = (bench.user, bench.user_named("sam").await);
    let taken = |let_go| Opened { granted: Some(Granted::Taken), let_go };
    assert_eq!(opens(&bench, one, kim, 0).await, taken(Vec::new()));
    assert_eq!(opens(&bench, one, sam, 1).await, Opened::default(), "somebody else's");
    assert_eq!(opens(&bench, two, kim, 2).await, taken(vec![one]));
    assert_eq!((holder(&bench, one).await, holder(&bench, two).await), (None, Some(kim)));
    // What is written in stays when its holder looks at something else.
    bench.store.renew_claim(asking(two, kim, Wish::Keep), at(3)).await.unwrap();
    assert_eq!(opens(&bench, one, kim, 4).await, taken(Vec::new()));
    assert_eq!(holder(&bench, two).await, Some(kim));
    assert_eq!(bench.store.leave_cases(kim).await.unwrap(), [one]);
    assert!(!bench.store.leave_case(two, kim).await.unwrap());
    // A decision lets go of it, and what is decided is taken by nobody who looks.
    bench.decide(two, vec![Choice::Dismiss], at(5)).await.unwrap();
    assert_eq!(holder(&bench, two).await, None);
    assert_eq!(opens(&bench, two, sam, 6).await, Opened::default());
    let late = bench.store.renew_claim(asking(two, kim, Wish::Open), at(6)).await;
    assert!(matches!(late, Err(StoreError::Refused { .. })), "{late:?}");
    // Whoever only reads takes nothing, and what does not exist is not written down.
    bench.store.open_case(one, None, line("case.open"), at(7)).await.unwrap();
    assert_eq!(holder(&bench, one).await, None);
    let before = bench.store.audit_count("case.open").await.unwrap();
    let nothing = bench.store.open_case(CaseId(99), None, line("case.open"), at(8)).await;
    assert!(matches!(nothing, Err(StoreError::NotFound { .. })));
    assert_eq!(bench.store.audit_count("case.open").await.unwrap(), before);
    // Looking is no step of the history, and makes no decision stale.
    assert_eq!(bench.store.case(one).await.unwrap().revision, 1);
    assert_eq!(bench.store.case_history(one).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_lease_runs_out_by_itself_and_is_told_once() {
    let bench = Bench::new().await;
    let one = bench.open("1", 1, at(60)).await.case;
    opens(&bench, one, bench.user, 0).await;
    let granted = bench.store.renew_claim(asking(one, bench.user, Wish::Open), at(200)).await;
    assert_eq!(granted.unwrap(), Granted::Renewed);
    assert!(bench.store.end_claims(at(499)).await.unwrap().is_empty());
    assert_eq!(bench.store.end_claims(at(500)).await.unwrap(), [one]);
    assert!(bench.store.end_claims(at(501)).await.unwrap().is_empty());
    assert_eq!(holder(&bench, one).await, None);
}

#[tokio::test]
async fn a_case_that_is_taken_over_is_on_record_and_its_former_holder_is_told_once() {
    let bench = Bench::new().await;
    let one = bench.open("1", 1, at(60)).await.case;
    let (kim, sam) = (bench.user, bench.user_named("sam").await);
    opens(&bench, one, kim, 0).await;
    let claim =
        |wish, now| bench.store.claim_case(asking(one, sam, wish), line("case.take_over"), at(now));
    assert!(matches!(claim(Wish::Keep, 1).await, Err(StoreError::Conflict { what: "claim" })));
    assert!(bench.store.untold_handovers(kim).await.unwrap().is_empty());
    assert_eq!(claim(Wish::TakeOver, 2).await.unwrap(), Granted::TakenFrom(kim));
    let last = bench.store.case_history(one).await.unwrap().pop().unwrap();
    assert_eq!(last.what, "Tog över ärendet från kim Exempel");
    assert_eq!(bench.store.audit_count("case.take_over").await.unwrap(), 1);
    let refused = bench.decide(one, vec![Choice::Dismiss], at(3)).await;
    assert!(matches!(refused, Err(StoreError::Conflict { what: "claim" })), "{refused:?}");
    let told = bench.store.untold_handovers(kim).await.unwrap();
    assert_eq!((told.len(), told[0].case, told[0].by.as_str()), (1, one, "sam Exempel"));
    assert!(bench.store.untold_handovers(sam).await.unwrap().is_empty());
    bench.store.handovers_told(kim, told[0].id, at(4)).await.unwrap();
    assert!(bench.store.untold_handovers(kim).await.unwrap().is_empty());
    // Nobody takes a case over from themselves.
    let oneself = "insert into handovers (case_id, from_user, to_user, at) values (1, 1, 1, 0)";
    assert!(bench.raw().execute(oneself, []).is_err());
}
