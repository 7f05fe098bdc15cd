//! What comes once or now and then: cards, absences, the inventory, departures, the crisis, a request for public
//! records, secrecy, the police, exemptions, disposal by two persons.

use jiff::civil::date;

use super::{Year, at, days_on, is_free};
use crate::domain::card::{Card, Care, Flag, Said};
use crate::domain::ids::CaseId;
use crate::domain::notice::Part;
use crate::domain::release::ReleaseOutcome;
use crate::domain::retention::DisposalState;
use crate::services::cards::Typed;
use crate::services::claims::Look;
use crate::services::police::PoliceChoice;
use crate::services::{ServiceError, crisis, people, users};

/// Whose accounts are not confirmed in February: every fourth of those that are asked for.
fn is_forgotten(n: usize) -> bool {
    n.is_multiple_of(12)
}

impl Year {
    /// Cards, people and addresses, and the holidays that are known.
    pub(super) async fn settles_in(&mut self) {
        let (ada, store) = (self.person("ada"), self.store().clone());
        let clock = self.clock.clock();
        for person in &self.staff {
            let mail = format!("{}@exempelstad.example", person.login);
            people::set_mail(&store, &clock, person.login, Some(&mail)).await.unwrap();
            for (first, last) in person.holidays {
                let days = (date(2027, first.0, first.1), date(2027, last.0, last.1));
                self.services.set_absence(&person.viewer, person.login, days).await.unwrap();
            }
        }
        for (n, held) in self.accounts.iter().enumerate() {
            let people = super::PEOPLE[held.group];
            for (login, part) in people.iter().zip([Part::Owner, Part::Editor, Part::Substitute]) {
                let set = self.services.set_account_part(&ada, &held.key, login, Some(part));
                set.await.unwrap();
            }
            let care = if n == 5 { Care::School } else { Care::Ordinary };
            let card = Card {
                purpose: "Dialog med invånarna".into(),
                audience: "Invånare".into(),
                unit: "Kommunikationsavdelningen".into(),
                address: format!("https://konto{n}.example/exempelstad"),
                rules_link: "https://exempelstad.example/regler".into(),
                owner_is_manager: true,
                care,
                listed: true,
            };
            let typed = Typed { card, said: Said::ALL.to_vec(), reviewed: true };
            self.services.save_card(&ada, &held.key, typed).await.unwrap();
        }
    }

    /// What lies on this day, at its hour.
    pub(super) async fn special_acts(&mut self, hour: i8) {
        let day = (self.today.month(), self.today.day());
        match (day, hour) {
            ((2, 18), 8) => self.confirms_accounts().await,
            ((3, 1), 8) => self.who_has_not_confirmed().await,
            ((3 | 4 | 10, 15), 8) => self.archived_by_hand().await,
            ((4, 28), 8) => self.much_comes_in(1),
            ((9, 13), 8) => self.much_comes_in(2),
            ((4, 30), 13) => self.leaves("nils", "kim", 1).await,
            ((9, 15), 13) => self.leaves("per", "tove", 2).await,
            ((5, 17), 8) => self.crisis_begins().await,
            ((5, 21), 13) => self.crisis_ends().await,
            ((6, 1), 13) => self.records_are_asked_for().await,
            ((6, 15), 13) => self.records_are_handed_out().await,
            ((7, 12), 8) => self.clock_is_in_doubt().await,
            ((8, 16), 13) => self.marks_secret().await,
            ((9, 1), 13) => self.reports_to_the_police().await,
            ((10, 4), 13) => self.suspects().await,
            ((3, 15) | (6, 16) | (9, 16) | (11, 15), 13) => self.exempts().await,
            ((10, 1), 13) => self.lets_go().await,
            _ => {}
        }
        if hour == 13 && self.today.month() % 3 == 0 && !is_free(self.today) {
            self.disposes().await;
        }
    }

    fn did(&mut self, what: &'static str) {
        self.truth.tally.special.push(what);
    }

    async fn confirms_accounts(&mut self) {
        let owner = self.person("olle");
        for n in 0..self.accounts.len() {
            let (key, group) = (self.accounts[n].key.clone(), self.accounts[n].group);
            let asked = self.policies[group].duties.accounts.inventory_month == Some(2);
            if !asked || is_forgotten(n) {
                continue;
            }
            if let Err(error) = self.services.confirm_account(&owner, &key, true, "").await {
                self.wrong(format!("{key} cannot be confirmed in February: {error:?}"));
            }
        }
        self.did("inventory");
    }

    async fn who_has_not_confirmed(&mut self) {
        let ada = self.person("ada");
        for entry in self.services.register(&ada).await.unwrap() {
            let n = self.accounts.iter().position(|held| held.id == entry.account.id).unwrap();
            let asked =
                self.policies[self.accounts[n].group].duties.accounts.inventory_month == Some(2);
            let late =
                entry.flags.iter().any(|f| matches!(f, Flag::Unconfirmed { late: true, .. }));
            if late != (asked && is_forgotten(n)) {
                self.wrong(format!("{}: not confirmed: {late}", self.accounts[n].key));
            }
        }
    }

    /// In a small year most accounts are taken to the archive by people on the policy's day, which counts for a run:
    /// rendering the sheets of all would take longer than everything else.
    async fn archived_by_hand(&mut self) {
        let ada = self.person("ada");
        for n in 0..self.accounts.len() {
            let days = &self.policies[self.accounts[n].group].duties.archive.days;
            if self.is_run_for(n) || !days.contains(&(self.today.month(), self.today.day())) {
                continue;
            }
            let (key, words) =
                (self.accounts[n].key.clone(), ("Skärmbilder av kontot", "KA 2027/5"));
            let noted = self.services.note_archiving(&ada, &key, self.today, words).await;
            if let Err(error) = noted {
                self.wrong(format!("{key} cannot be noted as archived: {error:?}"));
            }
        }
    }

    /// Whether an account is archived by the program, and not by people.
    pub(super) fn is_run_for(&self, n: usize) -> bool {
        self.comments > super::COMMENTS || n < 6
    }

    /// Two days before somebody leaves, so that there is something to leave.
    fn much_comes_in(&mut self, group: usize) {
        for n in 0..6 {
            let (text, category) = super::texts::flagged(&mut self.writers);
            let (account, now) = (group + 3 * n, self.now());
            self.somebody_writes_at(
                account,
                now,
                (n as u64 + 1, "Noa Provrum"),
                text,
                Some(Some(category)),
                false,
            );
        }
    }

    /// Somebody leaves in the midst of work: one act ends the access and gives the cases back.
    async fn leaves(&mut self, login: &'static str, successor: &str, group: usize) {
        let viewer = self.person(login);
        let open = "select k.id from cases k join items i on i.id = k.item_id
                    where k.state in ('waiting', 'returned') and k.claimed_by is null limit 3";
        let cases: Vec<CaseId> = {
            let mut read = self.raw.prepare_cached(open).unwrap();
            read.query_map([], |row| Ok(CaseId(row.get(0)?))).unwrap().map(Result::unwrap).collect()
        };
        let mut taken = 0;
        for case in cases {
            if self.services.case_opened(&viewer, case, Look::Opens).await.is_ok() {
                let account = self.truth.cases.get(&case).map(|opened| opened.account);
                let account = account.or_else(|| self.account_of(case));
                self.truth.looks.push((self.now(), account));
                taken += u64::from(self.services.claim(&viewer, case).await.is_ok());
            }
        }
        let claims = |year: &Self| -> u64 {
            let sql = "select count(*) from cases where claimed_by = ?1";
            year.raw.query_row(sql, [viewer.user.0], |row| row.get(0)).unwrap()
        };
        if claims(self) < taken {
            self.wrong(format!("{login} took {taken} cases and holds {}", claims(self)));
        }
        let (store, clock) = (self.store().clone(), self.clock.clock());
        users::set_active(&store, &clock, login, false).await.unwrap();
        if claims(self) > 0 {
            self.wrong(format!("{login} has left and holds {} cases", claims(self)));
        }
        self.truth.tally.claims_returned += taken;
        for person in &mut self.staff {
            person.left |= person.login == login;
        }
        let ada = self.person("ada");
        for n in 0..self.accounts.len() {
            if self.accounts[n].group == group {
                let key = self.accounts[n].key.clone();
                let s = &self.services;
                s.set_account_part(&ada, &key, login, None).await.unwrap();
                s.set_account_part(&ada, &key, successor, Some(Part::Editor)).await.unwrap();
            }
        }
        self.did("left");
    }

    fn account_of(&self, case: CaseId) -> Option<usize> {
        let sql =
            "select i.account_id from cases k join items i on i.id = k.item_id where k.id = ?1";
        let id: i64 = self.raw.query_row(sql, [case.0], |row| row.get(0)).ok()?;
        self.accounts.iter().position(|held| held.id.0 == id)
    }

    async fn crisis_begins(&mut self) {
        let typed = crisis::Typed {
            why: "Vattnet är otjänligt.".into(),
            people: vec!["rut".into()],
            until: "2027-05-24T09:00".into(),
            ..Default::default()
        };
        let ada = self.person("ada");
        self.services.begin_crisis(&ada, &typed).await.unwrap();
        self.crisis = Some((self.now(), at(date(2027, 5, 24), 9, 0)));
        self.truth.crisis = self.crisis;
        self.did("crisis");
    }

    async fn crisis_ends(&mut self) {
        let ada = self.person("ada");
        self.services.end_crisis(&ada).await.unwrap();
        let began = self.crisis.take().expect("one stands").0;
        self.truth.crisis = Some((began, self.now()));
        if self.services.crisis().is_some() {
            self.wrong("the crisis stands after it was ended");
        }
    }

    pub(super) fn truth_of_crisis(&self) -> Option<(jiff::Timestamp, jiff::Timestamp)> {
        self.truth.crisis
    }

    /// Closed cases whose records are there, and which nothing special has happened to.
    fn closed_cases(&self, most: u32) -> Vec<CaseId> {
        let sql = "select k.id from cases k join items i on i.id = k.item_id
                   where k.state = 'closed' and i.no_copy = 0 and k.exempt = 0
                     and exists (select 1 from evidence e where e.item_id = i.id and e.state = 'sealed')
                     and not exists (select 1 from evidence e where e.item_id = i.id and e.state = 'disposed')
                   order by k.id desc limit ?1";
        let mut read = self.raw.prepare_cached(sql).unwrap();
        read.query_map([most], |row| Ok(CaseId(row.get(0)?))).unwrap().map(Result::unwrap).collect()
    }

    async fn records_are_asked_for(&mut self) {
        let olle = self.person("olle");
        let id =
            self.services.open_release(&olle, "Det som rör badet under våren", "").await.unwrap();
        let cases = self.closed_cases(3);
        match self.services.add_to_release(&olle, id, &[], &cases).await {
            Ok(()) => self.truth.held.extend(cases),
            Err(error) => self.wrong(format!("nothing can be added to a request: {error:?}")),
        }
        self.truth.release = Some(id);
        self.did("request");
    }

    async fn records_are_handed_out(&mut self) {
        let (olle, Some(id)) = (self.person("olle"), self.truth.release) else { return };
        let how = "Lämnades ut per e-post.";
        let mut done = self.services.end_release(&olle, id, ReleaseOutcome::Released, how).await;
        if let Err(ServiceError::Refused { .. }) = done {
            // Something in it has to be masked first: nobody has time today.
            done = self.services.end_release(&olle, id, ReleaseOutcome::Withdrawn, how).await;
        }
        if let Err(error) = done {
            self.wrong(format!("the request cannot be ended: {error:?}"));
        }
        // Its own exemptions end with it.
        self.truth.held.clear();
        let sql = "select case_id from holds where lifted_at is null";
        let still: Vec<CaseId> = {
            let mut read = self.raw.prepare_cached(sql).unwrap();
            read.query_map([], |row| Ok(CaseId(row.get(0)?))).unwrap().map(Result::unwrap).collect()
        };
        self.truth.held.extend(still);
    }

    /// The server was down for two days: nothing is disposed of before somebody says that the clock is right.
    async fn clock_is_in_doubt(&mut self) {
        let berit = self.person("berit");
        match self.services.propose_disposal(&berit, None).await {
            Err(ServiceError::Refused { why }) if why.contains("klocka") => {}
            other => self.wrong(format!("disposal goes on over a gap of two days: {other:?}")),
        }
        if let Err(error) = self.services.confirm_clock(&berit).await {
            self.wrong(format!("the clock cannot be confirmed: {error:?}"));
        }
        self.did("gap");
    }

    async fn marks_secret(&mut self) {
        let Some(case) = self.closed_cases(1).pop() else { return };
        let (rut, nobody) = (self.person("rut"), self.person("ada"));
        let why = "Uppgifter om hälsa.";
        if let Err(error) = self.services.mark_secret(&rut, case, "OSL 25 kap. 1 §", why).await {
            self.wrong(format!("case {case} cannot be marked: {error:?}"));
        }
        if self.services.case_file(&nobody, case).await.is_ok() {
            self.wrong(format!("case {case} is marked and opens for everybody"));
        }
        self.did("secrecy");
    }

    async fn reports_to_the_police(&mut self) {
        let olle = self.person("olle");
        let cases = self.closed_cases(200);
        let threat = cases.into_iter().find(|case| {
            let of = self.truth.cases.get(case);
            of.is_some_and(|of| of.category == Some(crate::domain::category::Category::Threat))
        });
        let Some(case) = threat else { return };
        let file = match self.services.police_file(&olle, case).await {
            Ok(file) => file,
            Err(error) => return self.wrong(format!("no police file of case {case}: {error:?}")),
        };
        let choice = PoliceChoice {
            version: file.version,
            n_before: file.decisions.len(),
            reported: true,
            crime: file.crimes[0].code().to_owned(),
            injured: String::new(),
            reason: "Ett hot mot en namngiven person.".into(),
        };
        if let Err(error) = self.services.decide_police(&olle, case, &choice).await {
            self.wrong(format!("case {case} cannot be reported: {error:?}"));
        }
        self.truth.held.insert(case);
        if !self
            .services
            .police_bundle(&olle, case)
            .await
            .is_ok_and(|pdf| pdf.starts_with(b"%PDF-1."))
        {
            self.wrong(format!("no bundle for the police of case {case}"));
        }
        self.did("police");
    }

    async fn suspects(&mut self) {
        let kim = self.person("kim");
        let Some(case) = self.closed_cases(1).pop() else { return };
        if let Err(error) = self.services.suspect(&kim, case).await {
            self.wrong(format!("case {case} cannot be suspected: {error:?}"));
        }
        self.truth.barred.insert(case);
        self.did("suspicion");
    }

    async fn exempts(&mut self) {
        let owner = self.person("siv");
        let Some(case) = self.closed_cases(1).pop() else { return };
        match self.services.exempt(&owner, case, "Åtal väntar.").await {
            Ok(()) => {
                self.truth.tally.exempt += 1;
                self.truth.held.insert(case);
            }
            Err(error) => self.wrong(format!("case {case} cannot be exempted: {error:?}")),
        }
    }

    async fn lets_go(&mut self) {
        let owner = self.person("siv");
        let by_hand =
            "select case_id from holds where lifted_at is null and reason = 'Åtal väntar.' limit 1";
        let Ok(case) = self.raw.query_row(by_hand, [], |row| row.get(0).map(CaseId)) else {
            return;
        };
        if let Err(error) = self.services.end_exemption(&owner, case, "Domen vann laga kraft").await
        {
            self.wrong(format!("case {case} cannot be let go: {error:?}"));
        }
        self.truth.held.remove(&case);
        self.did("let go");
    }

    /// One archivist proposes what is due, the other approves on a later day.
    async fn disposes(&mut self) {
        let (arne, berit) = (self.person("arne"), self.person("berit"));
        let Some(id) = self.truth.proposal else {
            if self.today.day() > 12 || !self.is_at_work("arne") {
                return;
            }
            match self.services.propose_disposal(&arne, None).await {
                Ok(row) => self.truth.proposal = Some(row.id),
                Err(ServiceError::Refused { why }) if why.contains("Ingenting") => {}
                Err(error) => self.wrong(format!("nothing can be proposed: {error:?}")),
            }
            return;
        };
        if !self.is_at_work("berit") {
            return;
        }
        if self.services.approve_disposal(&arne, id).await.is_ok() {
            self.wrong(format!("disposal {id} was approved by who proposed it"));
        }
        let lines = self.store().disposal_lines(id).await.unwrap();
        self.truth.proposal = None;
        let row = match self.services.approve_disposal(&berit, id).await {
            Ok(row) => row,
            Err(ServiceError::Refused { .. }) => {
                // Something has changed since: nothing goes, and it is proposed anew.
                self.services.withdraw_disposal(&arne, id, "Något har ändrats").await.unwrap();
                return;
            }
            Err(error) => return self.wrong(format!("disposal {id}: {error:?}")),
        };
        if row.state != DisposalState::Done || row.n.1 != lines.len() as u64 {
            self.wrong(format!("disposal {id} is {:?} of {} lines", row, lines.len()));
        }
        self.truth.tally.protocols += 1;
        self.truth.tally.disposed += lines.len() as u64;
        for line in lines {
            let case = line.case;
            if self.truth.held.contains(&case) || self.truth.barred.contains(&case) {
                self.wrong(format!("case {case} was disposed of and is exempt or barred"));
            }
            // Two months at least, by days: the shortest that any of the three policies has.
            let closed = crate::domain::calendar::local(line.closed_at).date();
            if days_on(closed, 59) > self.today {
                self.wrong(format!("case {case} was closed on {closed} and is disposed of"));
            }
        }
    }
}
