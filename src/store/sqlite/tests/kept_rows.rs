//! What stays on record cannot be changed with a line of SQL.

use super::*;

#[tokio::test]
async fn what_a_crisis_was_for_and_what_was_done_to_close_stays_as_it_was_written() {
    let bench = Bench::new().await;
    let raw = bench.raw();
    let (account, user) = (bench.account.0, bench.user.0);
    raw.execute_batch(&format!(
        "insert into crises (id, why, began_at, began_by, until) values (1, 'Prov', 1, {user}, 9);
         insert into crisis_accounts (crisis_id, account_id) values (1, {account});
         insert into crisis_people (crisis_id, user_id) values (1, {user});
         update crises set ended_at = 5 where id = 1;
         insert into account_closings (id, account_id, announced, why, elsewhere, by_name, at)
         values (1, {account}, '2026-11-01', 'Prov', '', 'Kim', 1);
         insert into closing_steps (closing_id, step, at, by_name, note) values (1, 'arkiv', 1, 'Kim', '');
         insert into account_archivings (id, account_id, day, what, receipt, at, by_name)
         values (1, {account}, '2026-11-01', 'Prov', '', 1, 'Kim');"
    ))
    .unwrap();
    for (sql, told) in [
        ("update crisis_accounts set account_id = 99".to_owned(), "stays on record"),
        ("delete from crisis_accounts".to_owned(), "stays on record"),
        (format!("insert into crisis_people values (1, {})", user + 1), "is over"),
        ("delete from crisis_people".to_owned(), "stays on record"),
        ("update crisis_people set user_id = 99".to_owned(), "stays on record"),
        ("insert into crisis_accounts values (1, 99)".to_owned(), "is over"),
        ("update closing_steps set note = 'annat'".to_owned(), "stays as it was noted"),
        ("delete from closing_steps".to_owned(), "stays on record"),
        ("update account_archivings set receipt = 'annat'".to_owned(), "stays as it was noted"),
        ("delete from account_archivings".to_owned(), "stays on record"),
    ] {
        let refused = raw.execute_batch(&sql).unwrap_err().to_string();
        assert!(refused.contains(told), "{sql}: {refused}");
    }
}
