//! How often each rule fires, which are set aside, and which fire far above their past.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, params};

use super::audit;
use super::value::{at, maybe_row, ms, rows};
use crate::domain::category::Severity;
use crate::domain::rule_watch::{PAST_DAYS, RuleAlarm, RuleFigures, SetAside, Share, Watch, watch};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::{AssessedVersion, AuditLine};

/// The row that counts all texts.
const ALL: &str = "*";

/// The day's number, in UTC: what is compared are days of one length.
fn day(now: Timestamp) -> i64 {
    now.as_second().div_euclid(86_400)
}

/// What was counted of one rule in a round.
struct Tally {
    n: u64,
    n_shadow: u64,
    severity: Severity,
}

/// Counts a round of versions by others that were never assessed before, and raises what alarms follow.
pub(super) fn count(
    tx: &Transaction<'_>,
    assessed: &[&AssessedVersion],
    quota: u64,
    now: Timestamp,
) -> Result<Vec<RuleAlarm>, StoreError> {
    let mut tallies: BTreeMap<Arc<str>, Tally> = BTreeMap::new();
    for fired in assessed.iter().flat_map(|a| &a.traces.rules) {
        let tally = tallies.entry(Arc::clone(&fired.rule)).or_insert(Tally {
            n: 0,
            n_shadow: 0,
            severity: Severity::Low,
        });
        tally.n += 1;
        tally.n_shadow += u64::from(fired.in_shadow);
        tally.severity = tally.severity.max(fired.severity);
    }
    let today = day(now);
    // Nobody asks for what is further back.
    tx.prepare_cached("delete from rule_days where day < ?1")?.execute([today - PAST_DAYS])?;
    let add = |rule: &str, n: u64, n_shadow: u64| -> Result<(), StoreError> {
        tx.prepare_cached(
            "insert into rule_days (day, rule, n, n_shadow) values (?1, ?2, ?3, ?4)
             on conflict (rule, day) do update set n = n + excluded.n, n_shadow = n_shadow + excluded.n_shadow",
        )?
        .execute(params![today, rule, n, n_shadow])?;
        Ok(())
    };
    add(ALL, assessed.len() as u64, 0)?;
    for (rule, tally) in &tallies {
        add(rule, tally.n, tally.n_shadow)?;
    }
    let mut alarms = Vec::new();
    for (rule, tally) in tallies {
        // What is not shown floods nobody.
        if tally.n_shadow == tally.n {
            continue;
        }
        let (of_today, past) = shares(tx, &rule, today)?;
        let (expected, shadowed) = match watch(of_today, past, tally.severity, quota) {
            Watch::Calm => continue,
            Watch::Alarm { expected } => (expected, false),
            Watch::Shadow { expected } => (expected, true),
        };
        let alarm = RuleAlarm { rule, at: now, fired: of_today.fired, expected, shadowed };
        if raise(tx, &alarm, today)? {
            alarms.push(alarm);
        }
    }
    Ok(alarms)
}

fn n_between(c: &Connection, rule: &str, from: i64, before: i64) -> Result<u64, StoreError> {
    Ok(c.prepare_cached(
        "select coalesce(sum(n), 0) from rule_days where rule = ?1 and day >= ?2 and day < ?3",
    )?
    .query_row(params![rule, from, before], |row| row.get(0))?)
}

/// What the rule has done today, and in the days before: those since it was first met, for a rule that is new
/// was not silent before.
fn shares(c: &Connection, rule: &str, today: i64) -> Result<(Share, Share), StoreError> {
    let share = |from, before| -> Result<Share, StoreError> {
        let fired = n_between(c, rule, from, before)?;
        Ok(Share { fired, of: n_between(c, ALL, from, before)? })
    };
    let first: Option<i64> = c
        .prepare_cached("select min(day) from rule_days where rule = ?1")?
        .query_row([rule], |row| row.get(0))?;
    let from = (today - PAST_DAYS).max(first.unwrap_or(today));
    Ok((share(today, today + 1)?, share(from, today)?))
}

/// Says whether it is news: a rule alarms once a day, and once more when it is set aside.
fn raise(tx: &Transaction<'_>, alarm: &RuleAlarm, today: i64) -> Result<bool, StoreError> {
    let n = tx
        .prepare_cached(
            "insert into rule_alarms (rule, day, at, fired, expected, shadowed)
             values (?1, ?2, ?3, ?4, ?5, ?6)
             on conflict (rule, day) do update set at = excluded.at, fired = excluded.fired, shadowed = 1
               where excluded.shadowed = 1 and shadowed = 0",
        )?
        .execute(params![
            &*alarm.rule,
            today,
            ms(alarm.at),
            alarm.fired,
            alarm.expected,
            alarm.shadowed
        ])?;
    if n > 0 && alarm.shadowed {
        tx.prepare_cached(
            "insert into shadowed_rules (rule, at, why) values (?1, ?2, ?3) on conflict do nothing",
        )?
        .execute(params![&*alarm.rule, ms(alarm.at), alarm.words()])?;
    }
    Ok(n > 0)
}

impl Store {
    /// Rules that are counted and not shown although the lexicon says nothing of the kind.
    pub async fn shadowed_rules(&self) -> Result<BTreeMap<Arc<str>, SetAside>, StoreError> {
        self.read(|c| {
            let mut statement = c.prepare_cached("select rule, by is null from shadowed_rules")?;
            let found = rows(&mut statement, [], |row| {
                let by = if row.get(1)? { SetAside::ByProgram } else { SetAside::ByPerson };
                Ok((Arc::from(row.get::<_, String>(0)?), by))
            })?;
            Ok(found.into_iter().collect())
        })
        .await
    }

    /// Alarms of today and yesterday, and those that set a rule aside for as long as it is; newest
    /// first.
    pub async fn rule_alarms(&self, now: Timestamp) -> Result<Vec<RuleAlarm>, StoreError> {
        self.read(move |c| {
            rows(
                &mut c.prepare_cached(
                    "select rule, at, fired, expected, shadowed from rule_alarms r
                     where day >= ?1 and (shadowed = 0 or exists
                         (select 1 from shadowed_rules s where s.rule = r.rule))
                        or shadowed = 1 and exists
                         (select 1 from shadowed_rules s where s.rule = r.rule and s.at = r.at)
                     order by at desc limit 20",
                )?,
                [day(now) - 1],
                |row| {
                    Ok(RuleAlarm {
                        rule: Arc::from(row.get::<_, String>(0)?),
                        at: at(row.get(1)?)?,
                        fired: row.get(2)?,
                        expected: row.get(3)?,
                        shadowed: row.get(4)?,
                    })
                },
            )
        })
        .await
    }

    /// What every rule has done lately, the busiest first.
    pub async fn rule_figures(&self, now: Timestamp) -> Result<Vec<RuleFigures>, StoreError> {
        self.read(move |c| {
            let today = day(now);
            let names = rows(
                &mut c.prepare_cached(
                    "select rule, sum(n_shadow) from rule_days
                     where rule <> ?1 and day >= ?2 group by rule
                     union select rule, 0 from shadowed_rules
                       where rule not in (select rule from rule_days where day >= ?2)",
                )?,
                params![ALL, today - PAST_DAYS],
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?)),
            )?;
            let mut figures = Vec::with_capacity(names.len());
            for (rule, in_shadow) in names {
                let (of_today, past) = shares(c, &rule, today)?;
                let shadow = maybe_row(
                    &mut c.prepare_cached("select at, why from shadowed_rules where rule = ?1")?,
                    [&rule],
                    |row| Ok((at(row.get(0)?)?, row.get(1)?)),
                )?;
                figures.push(RuleFigures { rule, shadow, today: of_today, past, in_shadow });
            }
            figures.sort_by(|a, b| {
                let n = |f: &RuleFigures| f.today.fired + f.past.fired;
                n(b).cmp(&n(a)).then_with(|| a.rule.cmp(&b.rule))
            });
            Ok(figures)
        })
        .await
    }

    /// Sets a rule aside, by a person; what the program has set aside is from now on set aside by them. Says
    /// whether that changed anything.
    pub async fn shadow_rule(
        &self,
        rule: String,
        why: String,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let n = tx
                .prepare_cached(
                    "insert into shadowed_rules (rule, at, why, by) values (?1, ?2, ?3, ?4)
                     on conflict (rule) do update
                       set at = excluded.at, why = excluded.why, by = excluded.by
                       where by is null",
                )?
                .execute(params![rule, ms(now), why, line.user_name])?;
            if n > 0 {
                audit::append(tx, &line, now)?;
            }
            Ok(n > 0)
        })
        .await
    }

    /// Puts a rule back in force, by a person. Says whether it was set aside.
    pub async fn promote_rule(
        &self,
        rule: String,
        line: AuditLine,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write(move |tx| {
            let n = tx
                .prepare_cached("delete from shadowed_rules where rule = ?1")?
                .execute([&rule])?;
            if n > 0 {
                audit::append(tx, &line, now)?;
            }
            Ok(n > 0)
        })
        .await
    }
}
