//! The table of truth, and what is held against it each evening: past the program's own code, by the database's rows
//! and by what the platforms know.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::square::Square;
use super::{CaseSet, Cases, Place, Year, at, days_on, is_free};
use crate::domain::category::Category;
use crate::domain::duties::{OnRemoval, Watch};
use crate::domain::ground::Ground;
use crate::domain::ids::{CaseId, ContentHash, DisposalId};
use crate::domain::release::ReleaseId;
use crate::evidence::verify;
use crate::store::sqlite::disposals::DISPOSED_TEXT;

/// What happened, so that a year cannot pass by nothing happening.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub cases: u64,
    pub decisions: u64,
    pub undone: u64,
    pub rested: u64,
    pub refused: BTreeMap<String, u64>,
    pub numbers: u64,
    pub edited: u64,
    pub author_deleted: u64,
    pub exempt: u64,
    pub swept: u64,
    pub disposed: u64,
    pub protocols: u64,
    pub gaps: u64,
    pub claims_returned: u64,
    pub letters: u64,
    pub runs: u64,
    pub tasks: u64,
    pub special: Vec<&'static str>,
}

/// A decision as the person made it.
#[derive(Clone, Debug)]
pub struct Made {
    pub at: Timestamp,
    /// The deadline that the person saw.
    pub due: Timestamp,
    pub ground: Option<Ground>,
    pub removes: bool,
    /// Rest alone decides nothing.
    pub rests: bool,
    pub undone: bool,
}

/// A case as it was found on the evening of the day on which it was opened.
#[derive(Clone, Debug)]
pub struct Opened {
    pub account: usize,
    pub opened: Timestamp,
    pub category: Option<Category>,
}

#[derive(Default)]
pub struct Truth {
    pub wrong: Vec<String>,
    pub tally: Tally,
    /// What was written for a person to look at: by account and number, and as what it is to be found; none for a
    /// private message.
    pub flagged: BTreeMap<(usize, u64), Option<Category>>,
    pub on_facebook: Vec<u64>,
    pub cases: Cases<Opened>,
    pub by_item: BTreeMap<(usize, u64), CaseId>,
    pub made: Cases<Vec<Made>>,
    /// Looks of people, at one account or at all.
    pub looks: Vec<(Timestamp, Option<usize>)>,
    /// Cases that are exempt by what people did, and not let go.
    pub held: CaseSet,
    pub barred: CaseSet,
    pub proposal: Option<DisposalId>,
    pub release: Option<ReleaseId>,
    /// From when to when the crisis stood.
    pub crisis: Option<(Timestamp, Timestamp)>,
    /// How far each account's handed items, the log and the decisions were held against it.
    checked: BTreeMap<usize, usize>,
    last_case: i64,
    last_decision: i64,
    log: Option<(i64, ContentHash)>,
}

/// What may never be: each gives how many there are. `?1` is now.
const NEVER: &[(&str, &str)] = &[
    (
        "a removal without a seal of its very version",
        "select count(*) from actions a where a.kind in ('hide', 'delete') and a.state = 'done'
         and not exists (select 1 from evidence e where e.id = a.evidence_id and e.version_id = a.version_id
           and e.state in ('sealed', 'disposed')) and ?1 > 0",
    ),
    (
        "a deadline before its start",
        "select count(*) from cases k join items i on i.id = k.item_id
         where k.due_at < min(coalesce(i.created_at, i.first_fetched_at), i.first_fetched_at) and ?1 > 0",
    ),
    (
        "a claim of somebody who has left",
        "select count(*) from cases k join users u on u.id = k.claimed_by where u.active = 0 and ?1 > 0",
    ),
    (
        "a session of somebody who has left",
        "select count(*) from sessions s join users u on u.id = s.user_id where u.active = 0 and ?1 > 0",
    ),
    ("a lease that ran out and stands", "select count(*) from cases where claimed_until < ?1"),
    (
        "a decided case with nothing left to do",
        "select count(*) from cases k where k.state = 'decided' and ?1 > 0
         and not exists (select 1 from actions a where a.case_id = k.id and a.due_at is not null)",
    ),
    (
        "a closed case with something left to do",
        "select count(*) from cases k where k.state = 'closed' and ?1 > 0
         and exists (select 1 from actions a where a.case_id = k.id and a.due_at is not null)",
    ),
    (
        "a case that waits for a number that has come",
        "select count(*) from cases k where k.state = 'awaiting_diary' and ?1 > 0
         and not exists (select 1 from registrations r where r.case_id = k.id and r.diary_number is null)",
    ),
    (
        "a case that ended as registered and is in no diary",
        "select count(*) from cases k where k.state = 'closed' and k.state_json ->> '$.outcome' = 'registered'
         and not exists (select 1 from registrations r where r.case_id = k.id and r.diary_number is not null)
         and ?1 > 0",
    ),
    (
        "a record disposed of while its case was exempt",
        "select count(*) from evidence e join cases k on k.item_id = e.item_id
           join holds h on h.case_id = k.id
           join disposal_lines l on l.evidence_id = e.id
           join disposals d on d.id = l.disposal_id and d.state = 'done'
         where e.state = 'disposed' and h.set_at <= d.ended_at
           and (h.lifted_at is null or h.lifted_at > d.ended_at) and ?1 > 0",
    ),
    (
        "something disposed of that may not be touched",
        "select count(*) from evidence e join items i on i.id = e.item_id
         where e.state = 'disposed' and i.no_copy = 1 and ?1 > 0",
    ),
    (
        "a record disposed of without two persons",
        "select count(*) from disposals d where d.state = 'done' and d.proposed_by = d.ended_by and ?1 > 0",
    ),
    (
        "an escalation of which nobody was told",
        "select count(*) from escalations s where ?1 > 0 and not exists (
           select 1 from notices n where n.case_id = s.case_id and n.kind = 'escalation' and n.made_at = s.at)",
    ),
    (
        "a deadline long gone that did not go on to anybody",
        "select count(*) from cases k where k.state in ('waiting', 'returned')
         and max(k.due_at, k.waits_since + 900000) < ?1 - 30 * 3600000
         and not exists (select 1 from escalations s where s.case_id = k.id and s.due_at = k.due_at)",
    ),
    (
        "something fetched and not assessed",
        "select count(*) from versions where assessed_by is null and ?1 > 0",
    ),
    ("evidence that waits", "select count(*) from evidence where state = 'wanted' and next_at < ?1"),
    (
        "an action that is overdue",
        "select count(*) from actions where by_hand = 0 and due_at < ?1 - 43200000",
    ),
];

impl Year {
    fn count(&self, sql: &str) -> i64 {
        let now = self.now().as_millisecond();
        self.raw.prepare_cached(sql).unwrap().query_row([now], |row| row.get(0)).unwrap()
    }

    /// What holds each evening.
    pub(super) async fn check_day(&mut self) {
        self.nothing_is_lost();
        self.new_cases();
        for (what, sql) in NEVER {
            match self.count(sql) {
                0 => {}
                n => self.wrong(format!("{what}: {n}")),
            }
        }
        self.decisions_as_policies_allow();
        self.log_goes_on();
        for n in 0..self.accounts.len() {
            let Place::Square(square) = &self.accounts[n].place else { continue };
            let said = std::mem::take(&mut square.world().wrong);
            said.into_iter().for_each(|what| self.wrong(what));
        }
        if self.today.day() == 1 && self.today.month() > 1 {
            self.check_month().await;
        }
    }

    /// Each item that was handed out is there, by number and hash, and no other.
    fn nothing_is_lost(&mut self) {
        let mut wrong = Vec::new();
        let known = "select 1 from items i join versions v on v.item_id = i.id
                     where i.account_id = ?1 and i.platform_id = ?2 and v.content_hash = ?3";
        let all = "select count(*) from items where account_id = ?1";
        for (n, held) in self.accounts.iter().enumerate() {
            let Place::Square(square) = &held.place else { continue };
            let world = square.world();
            let from = self.truth.checked.insert(n, world.handed.len()).unwrap_or(0);
            let mut known = self.raw.prepare_cached(known).unwrap();
            for (number, hash) in &world.handed[from..] {
                let params = rusqlite::params![held.id.0, number.to_string(), hash.bytes()];
                if !known.exists(params).unwrap() {
                    wrong.push(format!("{} {number} was handed out and is lost", held.key));
                }
            }
            if world.handed.len() > from {
                let there: usize = self
                    .raw
                    .prepare_cached(all)
                    .unwrap()
                    .query_row([held.id.0], |row| row.get(0))
                    .unwrap();
                if there != world.first.len() {
                    wrong.push(format!(
                        "{}: {there} items, {} handed out",
                        held.key,
                        world.first.len()
                    ));
                }
            }
        }
        wrong.into_iter().for_each(|what| self.wrong(what));
    }

    /// Each case is of something that was to be looked at, found as what it is; and each such thing has one.
    fn new_cases(&mut self) {
        let sql = "select k.id, i.account_id, i.platform_id, k.opened_at, k.category from cases k
                   join items i on i.id = k.item_id where k.id > ?1 order by k.id";
        let rows: Vec<(i64, i64, String, i64, Option<String>)> = {
            let mut read = self.raw.prepare_cached(sql).unwrap();
            let rows = read.query_map([self.truth.last_case], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
            });
            rows.unwrap().map(Result::unwrap).collect()
        };
        for (id, account, number, opened, category) in rows {
            self.truth.last_case = id;
            self.truth.tally.cases += 1;
            let account = self.accounts.iter().position(|held| held.id.0 == account).unwrap();
            let number: u64 = number.parse().unwrap();
            let category = category.map(|id| id.parse::<Category>().unwrap());
            let case = CaseId(id);
            let opened = Timestamp::from_millisecond(opened).unwrap();
            match self.truth.flagged.get(&(account, number)).copied() {
                None => self
                    .wrong(format!("case {id} is of {account}/{number}, where nothing is amiss")),
                Some(expected) if expected != category => {
                    self.wrong(format!("case {id}: {category:?} instead of {expected:?}"));
                }
                Some(_) => {}
            }
            self.truth.by_item.insert((account, number), case);
            self.truth.cases.insert(case, Opened { account, opened, category });
        }
        let without: Vec<_> = (self.truth.flagged.keys())
            .filter(|of| !self.truth.by_item.contains_key(of))
            .filter(|(account, number)| match &self.accounts[*account].place {
                Place::Square(square) => square.world().first.contains(number),
                Place::Facebook(_) => false,
            })
            .copied()
            .collect();
        without
            .into_iter()
            .for_each(|(a, n)| self.wrong(format!("{a}/{n} was handed out and opened no case")));
    }

    /// Each removal on a ground that the account's policy has, and with the diary where it wants that.
    fn decisions_as_policies_allow(&mut self) {
        let sql = "select d.id, i.account_id, d.choices, d.ground from decisions d join cases k on k.id = d.case_id
                   join items i on i.id = k.item_id where d.id > ?1 order by d.id";
        let rows: Vec<(i64, i64, String, Option<String>)> = {
            let mut read = self.raw.prepare_cached(sql).unwrap();
            let rows = read.query_map([self.truth.last_decision], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            });
            rows.unwrap().map(Result::unwrap).collect()
        };
        for (id, account, choices, ground) in rows {
            self.truth.last_decision = id;
            let group = self.accounts.iter().find(|held| held.id.0 == account).unwrap().group;
            let duties = &self.policies[group].duties;
            let has = |choice: &str| choices.contains(&format!("\"choice\":\"{choice}\""));
            if !(has("hide") || has("delete")) {
                continue;
            }
            let named = ground.as_deref().and_then(Ground::from_code);
            let allowed = named.is_some_and(|ground| duties.may_remove_for(ground));
            let forced = duties.register.on_removal == OnRemoval::Always && !has("register");
            if !allowed || forced {
                self.wrong(format!(
                    "decision {id} ({choices}, {ground:?}) is none of its policy's"
                ));
            }
        }
    }

    /// The chain of the log, link by link, by its definition.
    fn log_goes_on(&mut self) {
        let (mut last, mut chain) =
            self.truth.log.unwrap_or_else(|| (0, ContentHash::of(b"uppsikt log 1")));
        let sql = "select seq, body, leaf_hash, chain_hash from log where seq > ?1 order by seq";
        let rows: Vec<(i64, String, Vec<u8>, Vec<u8>)> = {
            let mut read = self.raw.prepare_cached(sql).unwrap();
            let rows = read
                .query_map([last], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
            rows.unwrap().map(Result::unwrap).collect()
        };
        for (seq, body, leaf, link) in rows {
            let of_body = ContentHash::of(&[&[0], body.as_bytes()].concat());
            let linked = ContentHash::of(&[&[2], &chain.bytes()[..], &leaf].concat());
            let is_whole = seq == last + 1
                && of_body.bytes()[..] == leaf[..]
                && linked.bytes()[..] == link[..];
            if !is_whole {
                self.wrong(format!("entry {seq} of the log does not follow from those before"));
            }
            last = seq;
            chain = ContentHash::new(link.try_into().unwrap());
        }
        self.truth.log = Some((last, chain));
    }

    /// What is dear, once a month.
    async fn check_month(&mut self) {
        let (store, evidence) = (self.store().clone(), self.services.inner.evidence.clone());
        let report = verify::verify(&evidence, &store, &Default::default()).await.unwrap();
        report
            .faults
            .iter()
            .for_each(|fault| self.wrong(format!("{}: {}", fault.place, fault.what)));
        self.texts_are_whole();
        self.supervision_is_as_people_looked().await;
    }

    /// Every text is what its hash says, or was disposed of in its time.
    fn texts_are_whole(&mut self) {
        let sql = "select i.account_id, i.platform_id, v.text, v.content_hash,
                     exists (select 1 from cases k where k.item_id = i.id)
                   from versions v join items i on i.id = v.item_id";
        let mut wrong = Vec::new();
        {
            let mut read = self.raw.prepare_cached(sql).unwrap();
            let mut rows = read.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let (account, id): (i64, String) = (row.get(0).unwrap(), row.get(1).unwrap());
                let text: String = row.get(2).unwrap();
                let hash: Vec<u8> = row.get(3).unwrap();
                let is_case: bool = row.get(4).unwrap();
                let n = self.accounts.iter().position(|held| held.id.0 == account).unwrap();
                if text != DISPOSED_TEXT {
                    if ContentHash::of(text.as_bytes()).bytes()[..] != hash[..] {
                        wrong.push(format!("{n}/{id} is not what was fetched"));
                    }
                    continue;
                }
                let Place::Square(square) = &self.accounts[n].place else { continue };
                let number = id.parse().unwrap_or(0);
                let hash = ContentHash::new(hash.try_into().unwrap());
                if !is_case && !self.may_be_swept(n, square, (number, hash)) {
                    wrong.push(format!("{n}/{id} was disposed of before its time"));
                }
            }
        }
        wrong.into_iter().for_each(|what| self.wrong(what));
    }

    fn may_be_swept(&self, n: usize, square: &Square, of: (u64, ContentHash)) -> bool {
        let last = square.world().last.get(&of).copied().unwrap_or(Timestamp::MAX);
        // Five months of at least thirty days.
        self.accounts[n].group == 1
            && self.now().duration_since(last) > SignedDuration::from_hours(150 * 24)
    }

    /// The supervision log of the month, gap by gap, as it follows from who looked when.
    async fn supervision_is_as_people_looked(&mut self) {
        let viewer = self.person("ada");
        let last = days_on(self.today, -1);
        let first = last.first_of_month();
        let logs = self.services.supervision(&viewer, first, last).await.unwrap();
        for log in logs {
            let n = self.accounts.iter().position(|held| held.key == log.key).unwrap();
            for day in &log.days {
                let expected = self.is_gap(n, day.day);
                if day.kept.is_gap() != expected {
                    let what = format!("{}, {}: {}", log.key, day.day, day.kept.words());
                    self.wrong(format!("{what}; by the looks a gap: {expected}"));
                }
                self.truth.tally.gaps += u64::from(expected);
            }
        }
    }

    /// Whether nobody looked at an account on a day as its policy wants it.
    pub(super) fn is_gap(&self, n: usize, day: Date) -> bool {
        let policy = &self.policies[self.accounts[n].group];
        let watching = &policy.duties.watching;
        let wanted = match watching.how {
            Watch::Daily => true,
            Watch::WorkingDays | Watch::Regularly => !is_free(day),
        };
        let (from, to) = (at(day, 0, 0), at(days_on(day, 1), 0, 0));
        let all = &self.truth.looks;
        let of_day =
            all.partition_point(|look| look.0 < from)..all.partition_point(|look| look.0 < to);
        let of_it = all[of_day].iter().filter(|(_, whom)| whom.is_none_or(|whom| whom == n));
        let looks: Vec<_> = of_it.map(|(at, _)| *at).collect();
        if !wanted || looks.is_empty() {
            return wanted;
        }
        let (opens, closes) = (policy.office.opens, policy.office.closes);
        let [opens, closes] = [opens, closes].map(|time| at(day, time.hour(), time.minute()));
        let longest = |from: Timestamp, to: Timestamp| {
            let mut points = vec![from];
            points.extend(looks.iter().copied().filter(|at| *at > from && *at < to));
            points.push(to);
            points.sort_unstable();
            points.windows(2).map(|two| two[1].duration_since(two[0]).as_mins()).max().unwrap_or(0)
        };
        let too_long = |most: u16, from, to| from < to && longest(from, to) > i64::from(most);
        if is_free(day) {
            return false;
        }
        let usual = watching.gap_min.is_some_and(|most| too_long(most, opens, closes));
        let in_crisis = self.truth_of_crisis().is_some_and(|(began, ended)| {
            too_long(watching.crisis_gap_min, opens.max(began), closes.min(ended))
        });
        usual || in_crisis
    }
}
