//! The end of the year: the committee's report counted three times, everything verified, and that enough has happened.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::civil::date;

use super::{ON_FACEBOOK, Place, Year, at, days_on};
use crate::domain::ids::ContentHash;
use crate::domain::item::ItemKind;
use crate::domain::report::Span;
use crate::evidence::verify;
use crate::services::tests::reports::{ours, recounted};

impl Year {
    /// A hash of what came of the year: the same seed gives the same.
    pub(super) fn told(&self) -> ContentHash {
        let mut all = String::new();
        for sql in [
            "select id || ' ' || item_id || ' ' || state || ' ' || opened_at || ' ' || due_at from cases order by id",
            "select id || ' ' || case_id || ' ' || at || ' ' || choices from decisions order by id",
            "select id || ' ' || kind || ' ' || state from actions order by id",
            "select id || ' ' || platform_id || ' ' || account_id from items order by id",
            "select id || ' ' || kind || ' ' || made_at || ' ' || state from notices order by id",
        ] {
            let mut read = self.raw.prepare(sql).unwrap();
            let rows = read.query_map([], |row| row.get::<_, String>(0)).unwrap();
            all.extend(rows.map(|row| row.unwrap() + "\n"));
        }
        ContentHash::of(all.as_bytes())
    }

    /// Counts and compares on the first morning of the next year.
    pub(super) async fn ends(&mut self) {
        self.today = date(2028, 1, 1);
        self.go_to(at(self.today, 9, 0));
        let viewer = self.person("ada");
        let span = Span::Year(2027);
        let report = self.services.committee_report(&viewer, span).await.unwrap();
        let lines = self.services.report_lines(&viewer, span).await.unwrap();
        let program = ours(&report.counts);
        let others = recounted(&lines, report.at);
        if program != others {
            self.wrong(format!("the report says {program}, its lines {others}"));
        }
        let truth = self.counted(report.at);
        if program != truth {
            self.wrong(format!("the report says {program}\nthe table of truth {truth}"));
        }
        self.gaps_in_the_report(&report.sections);
        self.everything_on_facebook_is_there();
        self.runs_are_as_policies_want();
        self.letters_have_come();
        let (store, evidence) = (self.store().clone(), self.services.inner.evidence.clone());
        evidence.checkpoint_if_due().await.unwrap();
        let report = verify::verify(&evidence, &store, &Default::default()).await.unwrap();
        report
            .faults
            .iter()
            .for_each(|fault| self.wrong(format!("{}: {}", fault.place, fault.what)));
        if report.n_disposed != self.truth.tally.disposed {
            let by_protocols = self.truth.tally.disposed;
            self.wrong(format!("{} disposed of, {by_protocols} by protocols", report.n_disposed));
        }
    }

    /// The report's figures from what the platforms handed out and what people did.
    fn counted(&self, now: jiff::Timestamp) -> serde_json::Value {
        let mut inflow = BTreeMap::<&str, (u64, u64)>::new();
        for held in &self.accounts {
            let of = match &held.place {
                Place::Square(square) => {
                    let world = square.world();
                    let theirs = world.first.iter().filter_map(|number| world.comments.get(number));
                    let theirs: Vec<_> = theirs.filter(|comment| !comment.by_us).collect();
                    let private =
                        theirs.iter().filter(|c| c.kind == ItemKind::DirectMessage).count();
                    (theirs.len() as u64, private as u64)
                }
                Place::Facebook(_) => (self.truth.on_facebook.len() as u64, 0),
            };
            if of.0 > 0 {
                inflow.insert(&held.key, of);
            }
        }
        let mut categories = BTreeMap::<String, u64>::new();
        let mut deadlines = BTreeMap::from(
            [
                "kept",
                "late",
                "overdue",
                "open",
                "at_once",
                "within_an_hour",
                "hour_open",
                "outside",
            ]
            .map(|word| (word, 0_u64)),
        );
        // In time, and all whose time is over or who are decided.
        let (mut in_time, mut all) = (0_u64, 0_u64);
        for (case, opened) in &self.truth.cases {
            let id = opened.category.map_or("", |category| category.id());
            *categories.entry(id.to_owned()).or_default() += 1;
            let first = self.first_decision(*case);
            let due = first.map_or_else(|| self.due_of(*case), |(due, _)| due);
            let decided = first.map(|(_, at)| at);
            let mut count = |word| *deadlines.entry(word).or_default() += 1;
            if due <= opened.opened {
                count("at_once");
                let soon = |at: jiff::Timestamp| {
                    at.duration_since(opened.opened) <= SignedDuration::from_hours(1)
                };
                match decided {
                    Some(at) if soon(at) => count("within_an_hour"),
                    None if soon(now) => count("hour_open"),
                    Some(_) | None => {}
                }
                in_time += u64::from(decided.is_some_and(soon));
                all += u64::from(decided.is_some() || !soon(now));
                continue;
            }
            let word = match decided {
                Some(at) if at > due => "late",
                Some(_) => "kept",
                None if due < now => "overdue",
                None => "open",
            };
            count(word);
            in_time += u64::from(word == "kept");
            all += u64::from(word != "open");
        }
        let removals = self.removed_by_ground();
        let packages = std::fs::read_dir(self.dir.path().join("export")).map_or(0, Iterator::count);
        serde_json::json!({
            "inflow": inflow, "categories": categories, "removals": removals, "deadlines": deadlines,
            "kept_percent": (all > 0).then(|| in_time * 100 / all),
            "registered": (packages, self.truth.tally.numbers), "disposed": self.truth.tally.disposed,
        })
    }

    /// The deadline that stands for a case that nobody has decided.
    fn due_of(&self, case: crate::domain::ids::CaseId) -> jiff::Timestamp {
        let sql = "select due_at from cases where id = ?1";
        let due: i64 = self.raw.query_row(sql, [case.0], |row| row.get(0)).unwrap();
        jiff::Timestamp::from_millisecond(due).unwrap()
    }

    fn gaps_in_the_report(&mut self, sections: &[crate::services::reports::Section]) {
        let section =
            sections.iter().find(|section| section.title == "Uppsikt").expect("there is one");
        let mut wrong = Vec::new();
        for (n, _) in self.accounts.iter().enumerate() {
            let mut day = date(2027, 1, 1);
            let mut gaps = 0;
            while day.year() == 2027 {
                gaps += u32::from(self.is_gap(n, day));
                day = days_on(day, 1);
            }
            let name = format!("Exempelstad {n} (simulerad)");
            let said = section.rows.iter().find(|(what, _)| *what == name);
            let said = said.map(|(_, figure)| figure.clone()).unwrap_or_default();
            if !said.starts_with(&format!("{gaps} luckor av ")) {
                wrong.push(format!("{name}: {said}; by the looks {gaps}"));
            }
        }
        wrong.into_iter().for_each(|what| self.wrong(what));
    }

    /// What was written on the whole simulated platform is here as it stands there.
    fn everything_on_facebook_is_there(&mut self) {
        let Place::Facebook(simulator) = &self.accounts[0].place else { return };
        let known = "select 1 from items i join versions v on v.item_id = i.id
                     where i.account_id = ?1 and i.platform_id = ?2 and v.content_hash = ?3";
        let mut wrong = Vec::new();
        {
            let mut known = self.raw.prepare_cached(known).unwrap();
            for comment in simulator.truth().iter().filter(|comment| !comment.by_page) {
                let hash = ContentHash::of(comment.text.as_bytes());
                let id = self.accounts[0].id.0;
                let params = rusqlite::params![id, comment.number.to_string(), hash.bytes()];
                if !known.exists(params).unwrap() {
                    wrong.push(format!(
                        "comment {} on the simulated Facebook is lost",
                        comment.number
                    ));
                }
            }
        }
        if self.truth.on_facebook.len() > ON_FACEBOOK as usize {
            wrong.push("more was written there than was meant".to_owned());
        }
        wrong.into_iter().for_each(|what| self.wrong(what));
    }

    /// One run a year or two, each come to its end.
    fn runs_are_as_policies_want(&mut self) {
        let sql = "select count(*), count(ended_at) from archive_runs where account_id = ?1";
        let mut wrong = Vec::new();
        for (n, held) in self.accounts.iter().enumerate() {
            let (all, ended): (u64, u64) =
                self.raw.query_row(sql, [held.id.0], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            let days = self.policies[held.group].duties.archive.days.len() as u64;
            let wanted = if self.is_run_for(n) { days } else { 0 };
            if (all, ended) != (wanted, wanted) {
                wrong.push(format!(
                    "{}: {wanted} runs wanted, {all} begun, {ended} ended",
                    held.key
                ));
            }
            self.truth.tally.runs += ended;
        }
        wrong.into_iter().for_each(|what| self.wrong(what));
    }

    /// What the program calls sent has come to the mail server, and nothing else.
    fn letters_have_come(&mut self) {
        let sql = "select count(*) from notices where state = 'sent'";
        let sent: u64 = self.raw.query_row(sql, [], |row| row.get(0)).unwrap();
        let come = self.letters.lock().unwrap().len() as u64;
        self.truth.tally.letters = come;
        if sent != come {
            self.wrong(format!("{sent} notices are called sent, {come} letters have come"));
        }
    }

    /// A year in which nothing happens proves nothing.
    pub(super) fn something_happened(&self) {
        let tally = &self.truth.tally;
        for (what, n, least) in [
            ("cases", tally.cases, 30),
            ("decisions", tally.decisions, 30),
            ("numbers", tally.numbers, 5),
            ("gaps", tally.gaps, 20),
            ("runs", tally.runs, 10),
            ("letters", tally.letters, 20),
            ("disposed", tally.disposed, 3),
            ("undone", tally.undone, 1),
            ("claims returned", tally.claims_returned, 1),
        ] {
            assert!(n >= least, "too little happened ({what}): {tally:?}");
        }
        for what in ["inventory", "left", "crisis", "request", "gap"] {
            assert!(tally.special.contains(&what), "{what}: {tally:?}");
        }
    }
}
