//! Archive runs (*arkivkörningar*): an account's whole page, layout and content, captured on the days of the
//! policy, when a person asks for it, and when the account closes.
//!
//! A run is wanted first. One is made at a time: content from the store, older content from the platform where
//! that lists it, the page by the browser, a document of both; then its files, its manifest, and in one
//! transaction the row that rests on them with its leaf in the log. Whatever breaks off before that leaves
//! nothing that counts, and the run is begun anew. What could not be captured is told with its reason.

mod make;

use std::path::Path;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use crate::domain::account::{Account, PlatformKind};
use crate::domain::archive_run::{FileKind, Occasion, RunId, RunManifest, due, may_begin};
use crate::domain::calendar::local;
use crate::domain::ids::{AccountKey, ContentHash};
use crate::domain::person::Act;
use crate::evidence::EvidenceStore;
use crate::evidence::package::run::{self, RunPackage};
use crate::formats::eark::{Described, Subject};
use crate::store::Store;
use crate::store::error::StoreError;
use crate::store::rows::AuditLine;
use crate::store::sqlite::archive_runs::{NewRun, RunRow};

use super::archive::{broken, line};
use super::cards::Entry;
use super::corrections::words;
use super::deliveries::PackageForm;
use super::intake::growing_wait;
use super::secrecy::demand_reason_for;
use super::{ServiceError, Services, Viewer};

/// So many runs are listed.
const LISTED: u32 = 200;
/// So often a run is tried before it ends without what could not be had.
const MOST_TRIES: u32 = 4;
/// So often it is asked which runs are due: a day has many nights' hours.
const ASKED_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// The manifest's name among the files of a run.
pub const MANIFEST: &str = "forteckning.json";
/// Why nothing of a run is shown.
const CUT_OFF: &str = "Det som fångades visas och exporteras inte: något som stod på kontot misstänks sedan dess vara barnpornografibrott (brottsbalken 16:10 a).";

/// A run as pages and the command line show it.
#[derive(Clone, Debug)]
pub struct Run {
    /// The row.
    pub row: RunRow,
    /// The account.
    pub account: Account,
    /// What it captured and what not; none before it has ended, or where it cannot be read.
    pub manifest: Option<RunManifest>,
    /// Why nothing of it may be fetched.
    pub cut_off: Option<&'static str>,
    /// Whether whoever asks may note that it was handed to the archive.
    pub may_edit: bool,
}

/// Runs, and for which accounts another may be asked for.
#[derive(Clone, Debug)]
pub struct Runs {
    /// The newest first.
    pub runs: Vec<Run>,
    /// Accounts of which whoever asks may want a run, with the next day of the policy.
    pub accounts: Vec<(Account, Option<Date>)>,
}

/// A file to hand out. Always as a file: the page that it holds is somebody else's.
pub struct Handed {
    /// Its name.
    pub name: String,
    /// Media type.
    pub media_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

fn system(act: &'static str, account: &Account) -> AuditLine {
    AuditLine { user_name: "Uppsikt".into(), ..line(act, format!("account {}", account.key)) }
}

async fn manifest_of(
    store: &Store,
    evidence: &EvidenceStore,
    row: &RunRow,
) -> Result<(Option<RunManifest>, Option<&'static str>), ServiceError> {
    let Some(end) = row.ended else { return Ok((None, None)) };
    let cut_off = store.run_is_cut_off(row.id).await?.then_some(CUT_OFF);
    match evidence.run_manifest(end.manifest).await {
        Ok(manifest) => Ok((Some(manifest), cut_off)),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, run.id = %row.id, "the manifest of an archive run cannot be read");
            Ok((None, cut_off))
        }
    }
}

/// The accounts of a list of runs.
async fn with_accounts(
    store: &Store,
    evidence: &EvidenceStore,
    rows: Vec<RunRow>,
) -> Result<Vec<Run>, ServiceError> {
    let accounts = store.accounts().await?;
    let mut runs = Vec::with_capacity(rows.len());
    for row in rows {
        let account = accounts.iter().find(|account| account.id == row.account).cloned();
        let account = account.ok_or(ServiceError::NotFound { what: "account" })?;
        let (manifest, cut_off) = manifest_of(store, evidence, &row).await?;
        runs.push(Run { row, account, manifest, cut_off, may_edit: false });
    }
    Ok(runs)
}

/// All runs, or those of one account, for the command line: the newest first.
///
/// # Errors
/// [`ServiceError`].
pub async fn list(
    store: &Store,
    evidence: &EvidenceStore,
    account: Option<&str>,
) -> Result<Vec<Run>, ServiceError> {
    let account = match account {
        Some(key) => Some(by_key(store, key).await?.id),
        None => None,
    };
    let rows = store.runs(account, u32::MAX).await?;
    with_accounts(store, evidence, rows).await
}

/// One run, for the command line.
///
/// # Errors
/// [`ServiceError::NotFound`].
pub async fn one(store: &Store, evidence: &EvidenceStore, id: RunId) -> Result<Run, ServiceError> {
    let row = store.run(id).await?;
    let mut found = with_accounts(store, evidence, vec![row]).await?.into_iter();
    found.next().ok_or(ServiceError::NotFound { what: "archive run" })
}

async fn by_key(store: &Store, key: &str) -> Result<Account, ServiceError> {
    let mut accounts = store.accounts().await?.into_iter();
    let key = AccountKey::new(key);
    accounts.find(|account| account.key == key).ok_or(ServiceError::NotFound { what: "account" })
}

/// Wants a run from the command line; the service makes it within a minute. Audited.
///
/// # Errors
/// [`ServiceError::Refused`] where one is under way.
pub async fn want(
    store: &Store,
    key: &str,
    occasion: Occasion,
    note: &str,
    now: Timestamp,
) -> Result<RunId, ServiceError> {
    let account = by_key(store, key).await?;
    let note = words(note, "Anteckningen")?;
    wanted(store, &account, occasion, note, line("archive.want", String::new()), now).await
}

async fn wanted(
    store: &Store,
    account: &Account,
    occasion: Occasion,
    note: String,
    by: AuditLine,
    now: Timestamp,
) -> Result<RunId, ServiceError> {
    if account.platform == PlatformKind::Manual {
        let why = "Platsen läses inte av Uppsikt. Arkivera den för hand och anteckna det på kontots sida.";
        return Err(ServiceError::Refused { why: why.into() });
    }
    let by = AuditLine {
        subject: format!("account {}", account.key),
        detail: Some(occasion.id().to_owned()),
        ..by
    };
    let new = NewRun { account: account.id, occasion, due: None, note };
    let id = store.want_run(new, by, now).await?;
    id.ok_or(ServiceError::Conflict { why: "En arkivkörning av kontot pågår redan.".into() })
}

/// The files of a run that may be handed out, by name: all of it, and its manifest.
///
/// # Errors
/// [`ServiceError::Refused`] where it has not ended or is cut off.
pub async fn files(
    store: &Store,
    evidence: &EvidenceStore,
    id: RunId,
) -> Result<(RunRow, RunManifest, Vec<(String, String, ContentHash)>), ServiceError> {
    let row = store.run(id).await?;
    let Some(end) = row.ended else {
        return Err(ServiceError::Refused { why: "Arkivkörningen är inte klar än.".into() });
    };
    if store.run_is_cut_off(id).await? {
        return Err(ServiceError::Refused { why: CUT_OFF.into() });
    }
    let manifest = evidence.run_manifest(end.manifest).await.map_err(broken)?;
    let mut files = vec![(MANIFEST.to_owned(), "application/json".to_owned(), end.manifest)];
    let of = |file: &crate::domain::archive_run::RunFile| {
        (file.name.clone(), file.media_type.clone(), file.sha256)
    };
    files.extend(manifest.files.iter().map(of));
    Ok((row, manifest, files))
}

/// Writes a run as a package, where nothing is yet. Audited, before anything leaves.
///
/// # Errors
/// [`ServiceError::Refused`] with words for the person; then nothing is there.
pub async fn export(
    store: &Store,
    evidence: &EvidenceStore,
    id: RunId,
    out: &Path,
    form: &PackageForm,
    secrecy: Option<&str>,
    now: Timestamp,
) -> Result<(), ServiceError> {
    if out.exists() {
        let why = format!("{} finns redan: välj ett annat namn.", out.display());
        return Err(ServiceError::Refused { why });
    }
    let (row, manifest, listed) = files(store, evidence, id).await?;
    let marked = store.secret_on_account(row.account).await?;
    demand_reason_for(store, marked.iter().copied(), secrecy, now).await?;
    let mut provision = None;
    for case in &marked {
        provision = provision.or(store.secrecy_of(*case).await?.mark.map(|mark| mark.provision));
    }
    let form = form.of(out, &manifest.authority, manifest.ended_at).await?;
    let name = out.file_name().map(|name| name.to_string_lossy().into_owned());
    let audit = AuditLine { detail: name, ..line("archive.export", format!("archive run {id}")) };
    store.record_audit(audit, now).await?;
    let log_seq = row.ended.map_or(0, |end| end.log_seq);
    let entry = store.log_entry(log_seq).await?.body;
    let mut held = Vec::with_capacity(listed.len());
    for (name, media_type, hash) in listed {
        held.push((name, media_type, evidence.run_file(hash).await.map_err(broken)?));
    }
    let described = Described {
        subject: Subject::ArchiveRun,
        evidence: id.0,
        case: None,
        kind: format!("arkivkörning {}", manifest.occasion.label()),
        platform: manifest.platform.clone(),
        account: manifest.account.to_string(),
        item: manifest.account.to_string(),
        version: 1,
        author: None,
        permalink: None,
        received: manifest.content_to,
        fetched: manifest.content_to,
        sealed: manifest.ended_at,
        log_seq,
        withheld: None,
        secrecy: provision,
        diary: Vec::new(),
        events: Vec::new(),
    };
    // What came to be suspected while it was read stays here.
    if store.run_is_cut_off(id).await? {
        return Err(ServiceError::Refused { why: CUT_OFF.into() });
    }
    let ended_at = manifest.ended_at;
    let package = RunPackage { files: held, entry, log_seq, ended_at, described };
    run::write(evidence, package, out, form).await.map_err(broken)
}

impl Services {
    /// Runs, the newest first.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn archive_runs(&self, viewer: &Viewer) -> Result<Runs, ServiceError> {
        let entries = self.register(viewer).await?;
        let (store, evidence) = (&self.inner.store, &self.inner.evidence);
        let rows = store.runs(None, LISTED).await?;
        let mut runs = with_accounts(store, evidence, rows).await?;
        for run in &mut runs {
            let entry = entries.iter().find(|entry| entry.account.id == run.row.account);
            run.may_edit = viewer.may(Act::Dispose) || entry.is_some_and(|entry| entry.may_edit);
        }
        let today = local(self.inner.clock.now()).date();
        let accounts = entries.into_iter().filter(|entry| {
            (entry.may_edit || viewer.may(Act::Dispose))
                && !entry.known.is_closed
                && entry.account.platform != PlatformKind::Manual
        });
        let accounts = accounts.map(|entry| {
            let next = self.policy_of(entry.account.id).duties.archive.next(today);
            (entry.account, next)
        });
        Ok(Runs { runs, accounts: accounts.collect() })
    }

    /// One run.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub async fn archive_run(&self, viewer: &Viewer, id: RunId) -> Result<Run, ServiceError> {
        let mut run = one(&self.inner.store, &self.inner.evidence, id).await?;
        let entries = self.register(viewer).await?;
        let entry = entries.iter().find(|entry| entry.account.id == run.row.account);
        run.may_edit = viewer.may(Act::Dispose) || entry.is_some_and(|entry| entry.may_edit);
        Ok(run)
    }

    /// Wants a run: whoever answers for the account, keeps the register, or is archivist.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] where one is under way.
    pub async fn want_archive_run(
        &self,
        viewer: &Viewer,
        key: &str,
        occasion: Occasion,
        note: &str,
    ) -> Result<RunId, ServiceError> {
        let entries = self.register(viewer).await?;
        let key = AccountKey::new(key);
        let entry = entries.into_iter().find(|entry| entry.account.key == key);
        let entry = entry.ok_or(ServiceError::NotFound { what: "account" })?;
        if !entry.may_edit {
            viewer.demand(Act::Dispose)?;
        }
        let note = words(note, "Anteckningen")?;
        let by = viewer.line("archive.want", String::new());
        let now = self.inner.clock.now();
        wanted(&self.inner.store, &entry.account, occasion, note, by, now).await
    }

    /// A file of a run. Audited, before it is handed out.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`], [`ServiceError::Refused`], [`ServiceError::NotFound`].
    pub async fn archive_run_file(
        &self,
        viewer: &Viewer,
        id: RunId,
        name: &str,
    ) -> Result<Handed, ServiceError> {
        viewer.demand(Act::ReadEvidence)?;
        let (store, evidence) = (&self.inner.store, &self.inner.evidence);
        let (row, _, listed) = files(store, evidence, id).await?;
        // The page shows what stands on it, and a mark may be younger than the run.
        for case in store.secret_on_account(row.account).await? {
            self.demand_open(viewer, case).await?;
        }
        let found = listed.into_iter().find(|(known, ..)| known == name);
        let (name, media_type, hash) = found.ok_or(ServiceError::NotFound { what: "file" })?;
        let audit = AuditLine {
            detail: Some(name.clone()),
            ..viewer.line("archive.fetch", format!("archive run {id}"))
        };
        store.record_audit(audit, self.inner.clock.now()).await?;
        let bytes = evidence.run_file(hash).await.map_err(broken)?;
        Ok(Handed { name, media_type, bytes })
    }

    /// Notes that a run was handed to the archive (T22), with its receipt.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person.
    pub async fn deliver_archive_run(
        &self,
        viewer: &Viewer,
        id: RunId,
        on: Date,
        receipt: &str,
    ) -> Result<(), ServiceError> {
        let run = self.archive_run(viewer, id).await?;
        if !run.may_edit {
            viewer.demand(Act::Dispose)?;
        }
        let now = self.inner.clock.now();
        if on > local(now).date() {
            let why = "Dagen ligger framåt. Skriv när det gjordes.";
            return Err(ServiceError::Refused { why: why.into() });
        }
        let receipt = words(receipt, "Kvittot")?;
        let by = viewer.line("archive.delivered", format!("archive run {id}"));
        Ok(self.inner.store.deliver_run(id, on, receipt, by, now).await?)
    }

    /// Wants the runs whose day has come, and makes the next one whose time it is. Says whether there is more.
    ///
    /// # Errors
    /// [`ServiceError`] where the store does not answer; a run that fails is put off.
    pub async fn archive_round(&self) -> Result<bool, ServiceError> {
        let now = self.inner.clock.now();
        let mut asked = self.inner.runs_asked.lock().await;
        // Also where the clock went back.
        if asked.is_none_or(|last| now.duration_since(last).abs() >= ASKED_EVERY) {
            self.want_due_runs(now).await?;
            *asked = Some(now);
        }
        drop(asked);
        let waiting = self.inner.store.waiting_runs(now).await?;
        let may = |run: &RunRow| run.due.is_none_or(|due| may_begin(due, local(now).datetime()));
        let mut ready = waiting.into_iter().filter(may);
        let Some(row) = ready.next() else { return Ok(false) };
        // What was cut off the last time: nothing rests on it, and the next one makes its own.
        self.inner.evidence.settle_runs().await.map_err(broken)?;
        let id = row.id;
        if let Err(hindered) = self.make_run(&row, row.tries + 1 >= MOST_TRIES).await {
            tracing::warn!(run.id = %id, problem = hindered.problem, "an archive run did not come to its end");
            let wait = growing_wait(row.tries).max(SignedDuration::from_mins(10));
            let next = now.saturating_add(wait).unwrap_or(Timestamp::MAX);
            self.inner.store.put_off_run(id, hindered.problem, next).await?;
            if let Some(error) = hindered.error {
                return Err(error);
            }
        }
        Ok(ready.next().is_some())
    }

    /// Wants a run of an account that closes, where the policy has it archived then. One that is under way
    /// serves as well: it ends after the closing was announced.
    pub(super) async fn want_closing_run(
        &self,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let archive = &self.policy_of(entry.account.id).duties.archive;
        if !archive.at_closing || entry.account.platform == PlatformKind::Manual {
            return Ok(());
        }
        let new = NewRun {
            account: entry.account.id,
            occasion: Occasion::Closing,
            due: None,
            note: String::new(),
        };
        match self.inner.store.want_run(new, system("archive.want", &entry.account), now).await {
            Ok(_) | Err(StoreError::Refused { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Wants a run of each account for which the policy's day has come.
    async fn want_due_runs(&self, now: Timestamp) -> Result<(), ServiceError> {
        let today = local(now).date();
        let last = self.inner.store.last_runs().await?;
        for entry in self.entries().await? {
            let account = &entry.account;
            let is_ours = self.served(account.id).is_some();
            if entry.known.is_closed || account.platform == PlatformKind::Manual || !is_ours {
                continue;
            }
            let known = last.iter().find(|(id, ..)| *id == account.id);
            // What a person took to the archive in another way counts for the days before.
            let done = known.and_then(|(_, _, due)| *due).max(entry.known.taken);
            let archive = &self.policy_of(account.id).duties.archive;
            let Some(day) = due(archive, entry.known.since, done, today) else { continue };
            let new = NewRun {
                account: account.id,
                occasion: Occasion::Scheduled,
                due: Some(day),
                note: String::new(),
            };
            self.inner.store.want_run(new, system("archive.want", account), now).await?;
        }
        Ok(())
    }
}

/// What hindered a run.
struct Hindered {
    /// In Swedish.
    problem: String,
    /// What makes the loop unwell.
    error: Option<ServiceError>,
}

impl From<ServiceError> for Hindered {
    fn from(error: ServiceError) -> Self {
        let problem = "Körningen kunde inte sparas. Uppsikt försöker igen.".to_owned();
        Self { problem, error: Some(error) }
    }
}

impl From<StoreError> for Hindered {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Refused { why } => Self { problem: why, error: None },
            other => ServiceError::from(other).into(),
        }
    }
}

impl Run {
    /// Where it stands, in Swedish.
    pub fn state(&self) -> &'static str {
        match (&self.row.ended, &self.row.delivered, self.row.tries) {
            (Some(_), Some(_), _) => "levererad",
            (Some(_), None, _) => "klar",
            (None, _, 0) => "väntar",
            (None, ..) => "försöks igen",
        }
    }

    /// For people: number, state, account, why, when, how much.
    pub fn line(&self) -> String {
        let Self { row, account, .. } = self;
        let when = row.ended.map_or(row.wanted.0, |end| end.at);
        let of = match &self.manifest {
            Some(said) => {
                format!("\t{} filer, {} utelämnat", said.files.len(), said.not_captured.len())
            }
            None => String::new(),
        };
        let label = row.occasion.label();
        format!("{}\t{}\t{}\t{label}\t{when}{of}", row.id, self.state(), account.key)
    }

    /// For programs.
    pub fn json(&self) -> String {
        let row = &self.row;
        serde_json::json!({
            "run": row.id.0, "state": self.state(), "account": self.account.key, "occasion": row.occasion.id(),
            "due": row.due, "wanted_at": row.wanted.0, "wanted_by": row.wanted.1, "tries": row.tries,
            "problem": row.problem, "ended_at": row.ended.map(|end| end.at),
            "log_seq": row.ended.map(|end| end.log_seq),
            "manifest_sha256": row.ended.map(|end| end.manifest),
            "files": self.manifest.as_ref().map(|said| said.files.iter().map(|file| &file.name).collect::<Vec<_>>()),
            "not_captured": self.manifest.as_ref().map(|said| &said.not_captured),
            "delivered": row.delivered.as_ref().map(|(day, _)| day),
            "cut_off": self.cut_off.is_some(),
        })
        .to_string()
    }

    /// For people, all of it.
    pub fn words(&self) -> String {
        let mut text = self.line();
        let mut add = |line: String| {
            text.push('\n');
            text.push_str(&line);
        };
        if let Some(problem) = &self.row.problem {
            add(format!("Problem: {problem}"));
        }
        if let Some(why) = self.cut_off {
            add(why.to_owned());
        }
        let Some(said) = &self.manifest else { return text };
        add(format!("Innehåll från {} till {}", said.content_from, said.content_to));
        for file in &said.files {
            add(format!("  {}\t{}\t{}", file.name, file.kind.label(), file.sha256));
        }
        for gap in &said.not_captured {
            add(format!("  Saknas: {}. {}", gap.what, gap.why));
        }
        if let Some((day, receipt)) = &self.row.delivered {
            add(format!("Levererad till arkivet {day}. {receipt}"));
        }
        text
    }

    /// Whether a picture of the page is among its files.
    pub fn has_picture(&self) -> bool {
        let is_picture =
            |file: &crate::domain::archive_run::RunFile| file.kind == FileKind::Picture;
        self.manifest.as_ref().is_some_and(|said| said.files.iter().any(is_picture))
    }
}
