//! The mailbox for reports from the public: a folder that the authority's mail server, or `uppsikt intake mail`, puts
//! whole messages into, and a mailbox on a mail server ([`super::imap`]). Each message becomes a report as those of the
//! form do, and is then moved beside; what cannot be taken now stays until it can. Whatever happens between taking and
//! moving, a message is known again by its bytes, so it is one report however often it is met. What was moved beside
//! goes by the authority's plan, when its report has gone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use crate::domain::calendar::local;
use crate::domain::ids::ContentHash;
use crate::formats::report_mail::{self, Mail};
use crate::runtime::private;
use crate::store::sqlite::public_reports::{Became, NewMail};

use super::imap::{self, ImapSettings, MailboxAway};
use super::public_reports::Answer;
use super::{ServiceError, Services};

/// The largest mail that is read: pictures hang on it, and none of them is taken in.
const MOST_BYTES: u64 = 25 * 1024 * 1024;
/// So many in one round: other work waits for it.
const AT_ONCE: usize = 20;
/// So much of a mail server in one round.
const ROUND_BYTES: u64 = 64 * 1024 * 1024;
/// So long it rests where no more are taken.
const FULL_REST_MIN: i64 = 15;
/// So long a server may fail before a person is told.
const FAILING_MIN: i64 = 15;
/// Heads that are asked for in one call.
const HEADS_AT_ONCE: usize = 100;
/// Mails that are looked at in one day's disposal, of each folder: a day brings fewer. The next day goes on behind them.
const SWEPT_AT_ONCE: usize = 20_000;
/// So often a mail on the server is asked for that cannot be had, before those behind it go first.
const TRIES: u32 = 2;
/// So long it is passed over then.
const PASSED_OVER_H: i64 = 24;
/// Where mails go that became reports.
const READ: &str = "lästa";
/// Where answers of machines go.
const AUTOMATIC: &str = "automatiska";
/// Where those go that a person has to look at.
const FAULTY: &str = "fel";

/// Messages that lie there whole, by name: whoever writes one names it so only when it is whole, as maildirs do.
fn waiting(folder: &Path) -> io::Result<Vec<PathBuf>> {
    private::folder(folder)?;
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().to_lowercase();
        let is_whole =
            !name.starts_with('.') && !name.ends_with(".tmp") && !name.ends_with(".part");
        // Of the entry itself: a link leads to what somebody else chose.
        if is_whole && entry.metadata()?.is_file() {
            found.push(entry.path());
        }
    }
    found.sort();
    found.truncate(AT_ONCE);
    Ok(found)
}

fn read_bounded(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= MOST_BYTES).then_some(bytes))
}

/// Moves a message beside, under a name that nothing has yet.
fn put_away(path: &Path, folder: &str, now: Timestamp) -> io::Result<()> {
    let missing = || io::Error::from(io::ErrorKind::NotFound);
    let name = path.file_name().ok_or_else(missing)?.to_string_lossy().into_owned();
    let folder = path.parent().ok_or_else(missing)?.join(folder);
    private::folder(&folder)?;
    let mut target = folder.join(&name);
    if target.exists() {
        target = folder.join(format!("{}-{name}", now.as_millisecond()));
    }
    fs::rename(path, target)
}

/// Puts a message into the folder, whole or not at all, under the name that its content gives: the same twice is one.
///
/// # Errors
/// What the disk says; whoever sends is to try again.
pub fn drop_in(folder: &Path, message: &[u8]) -> io::Result<PathBuf> {
    private::folder(folder)?;
    let name = ContentHash::of(message).to_hex();
    let (aside, path) = (folder.join(format!(".{name}.part")), folder.join(format!("{name}.eml")));
    let mut file = private::options().write(true).create(true).truncate(true).open(&aside)?;
    io::Write::write_all(&mut file, message)?;
    file.sync_all()?;
    fs::rename(&aside, &path)?;
    fs::File::open(folder)?.sync_all()?;
    Ok(path)
}

/// What became of one round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Became reports, or were there already.
    pub reports: usize,
    /// Written by machines.
    pub automatic: usize,
    /// A person has to look at them.
    pub faulty: usize,
    /// Stay until there is room.
    pub left: usize,
}

impl Round {
    fn told(self) {
        if self != Self::default() {
            tracing::info!(
                reports = self.reports,
                automatic = self.automatic,
                faulty = self.faulty,
                left = self.left,
                "the mailbox for reports was read"
            );
        }
    }
}

/// What waits between two rounds at a mail server, and what is known of its failing.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// Not before then.
    until: Option<Timestamp>,
    /// Since when it has failed, and how often.
    failing: Option<(Timestamp, u32)>,
    /// Mails that could not be had: how often, and when last.
    stuck: BTreeMap<OnServer, (u32, Timestamp)>,
    /// Mails that were copied beside and could not be taken out: they are not copied again.
    copied: BTreeSet<OnServer>,
}

/// A mail on the server: under which numbering, and its number.
type OnServer = (u32, u32);

impl Rest {
    fn passes_over(&self, mail: OnServer, now: Timestamp) -> bool {
        let lasts =
            |at: Timestamp| now.duration_since(at) < SignedDuration::from_hours(PASSED_OVER_H);
        self.stuck.get(&mail).is_some_and(|(n, at)| *n >= TRIES && lasts(*at))
    }

    /// Counts a try that came to nothing. Says whether it is to be told now.
    fn could_not_be_had(&mut self, mail: OnServer, now: Timestamp) -> bool {
        let (n, at) = self.stuck.entry(mail).or_insert((0, now));
        (*n, *at) = (n.saturating_add(1), now);
        *n == TRIES
    }
}

/// How far disposal has come among the mails that were moved beside: behind all of them it begins anew.
#[derive(Debug, Default)]
pub(super) struct SweptUpTo {
    folder: Option<PathBuf>,
    on_server: BTreeMap<&'static str, OnServer>,
}

/// The folder that a message is moved to; none where it stays.
type Beside = Option<&'static str>;

/// A message's marks: of all of it, and of its head.
fn marks(bytes: &[u8]) -> (ContentHash, ContentHash) {
    let ends =
        |end: &[u8]| bytes.windows(end.len()).position(|w| w == end).map(|at| at + end.len());
    let head = ends(b"\r\n\r\n").into_iter().chain(ends(b"\n\n")).min().unwrap_or(bytes.len());
    (ContentHash::of(bytes), ContentHash::of(&bytes[..head]))
}

impl Services {
    /// Reads what lies in the mailbox's folder, and in the mailbox on the mail server.
    ///
    /// # Errors
    /// [`ServiceError::Broken`] where the folder cannot be read, which is a task too; what is left goes the next time.
    pub async fn read_mailbox(&self) -> Result<Round, ServiceError> {
        let bounds = self.public_reporting().and_then(|bounds| bounds.mailbox.clone());
        let Some(folder) = bounds else { return Ok(Round::default()) };
        let shown = folder.display().to_string();
        let read = self.read_folder(folder).await;
        if let Err(ServiceError::Broken { .. }) = &read {
            let problem = format!(
                "Mappen {shown} kan inte läsas, så brev till adressen för anmälningar blir liggande. Kontrollera att mappen finns och att Uppsikt får läsa och flytta filer i den: `uppsikt doctor` säger mer."
            );
            self.tell_mailbox_away("mapp", problem).await?;
        }
        read
    }

    /// One task for a day, however often it is tried.
    async fn tell_mailbox_away(&self, which: &str, problem: String) -> Result<(), ServiceError> {
        let now = self.inner.clock.now();
        let key = format!("report mailbox {which} {}", local(now).date());
        let subject = "Brevlådan för anmälningar kan inte läsas".to_owned();
        Ok(self.inner.store.tell_unread_mail(key, subject, problem, now).await?)
    }

    /// Takes one message in; none where it is too large to be read (then it is known by `name`). Says where it is to be
    /// moved, and counts it.
    async fn take_mail(
        &self,
        bytes: Option<&[u8]>,
        name: &str,
        round: &mut Round,
    ) -> Result<Beside, ServiceError> {
        let now = self.inner.clock.now();
        let store = &self.inner.store;
        let known = bytes.map(|bytes| (marks(bytes), report_mail::read(bytes)));
        let hash =
            known.as_ref().map_or_else(|| ContentHash::of(name.as_bytes()), |((h, _), _)| *h);
        let became = match &known {
            Some((marks, mail)) => match (store.taken_mail(marks.0).await?, mail) {
                (Some(became), _) => Some((became, Some(*marks))),
                (None, Mail::Report(told)) => {
                    let mail = NewMail { sha256: marks.0, head_sha256: marks.1 };
                    let told = told.clone();
                    let kept = self.keep_report(told.link, told.reason, told.contact, Some(mail));
                    match kept.await? {
                        Answer::Taken(_) => {
                            round.reports += 1;
                            return Ok(Some(READ));
                        }
                        Answer::Full => {
                            round.left += 1;
                            return Ok(None);
                        }
                        Answer::Faulty(_) => Some((Became::Faulty, Some(*marks))),
                    }
                }
                (None, Mail::Automatic) => Some((Became::Automatic, Some(*marks))),
                (None, Mail::Unreadable) => Some((Became::Faulty, Some(*marks))),
            },
            None => None,
        };
        let (became, marks) = became.unwrap_or((Became::Faulty, None));
        match became {
            Became::Report => {
                round.reports += 1;
                return Ok(Some(READ));
            }
            Became::Automatic => round.automatic += 1,
            Became::Faulty => {
                round.faulty += 1;
                let problem = format!(
                    "Brevet är för stort (över 25 MB) eller saknar läsbar text. Det ligger i mappen {FAULTY} och är en inkommen handling: läs det och lägg in anmälan för hand."
                );
                // Before it goes: whoever finds it again after a crash tells the same, once.
                let key = unread_key(hash);
                let subject = "Ett brev till anmälningarnas brevlåda kunde inte läsas".to_owned();
                store.tell_unread_mail(key, subject, problem, now).await?;
            }
        }
        if let Some((sha256, head_sha256)) = marks {
            store.note_mail(NewMail { sha256, head_sha256 }, became, now).await?;
        }
        Ok(Some(if became == Became::Automatic { AUTOMATIC } else { FAULTY }))
    }

    async fn read_folder(&self, folder: PathBuf) -> Result<Round, ServiceError> {
        let mut round = Round::default();
        let broken = |e: io::Error| ServiceError::broken("reading of the mailbox", e);
        let joined = |e| ServiceError::broken("reading of the mailbox", e);
        let found = tokio::task::spawn_blocking(move || waiting(&folder)).await.map_err(joined)?;
        for path in found.map_err(broken)? {
            let from = path.clone();
            let read = tokio::task::spawn_blocking(move || read_bounded(&from));
            let read = match read.await.map_err(joined)? {
                Ok(read) => read,
                // Taken away since it was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => {
                    // It keeps none of those after it from being read.
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "a message in the mailbox cannot be read"
                    );
                    round.left += 1;
                    continue;
                }
            };
            let name = path.to_string_lossy();
            let Some(to) = self.take_mail(read.as_deref(), &name, &mut round).await? else {
                continue;
            };
            let now = self.inner.clock.now();
            tokio::task::spawn_blocking(move || put_away(&path, to, now))
                .await
                .map_err(joined)?
                .map_err(broken)?;
        }
        round.told();
        Ok(round)
    }

    /// Reads what lies in the mailbox on the mail server. Where that fails it rests for a while, longer each time; a
    /// login that is refused, or a quarter of an hour of failing, is a task.
    ///
    /// # Errors
    /// [`ServiceError`] where the database fails.
    pub async fn read_imap(&self) -> Result<Round, ServiceError> {
        let settings = self.public_reporting().and_then(|bounds| bounds.imap.clone());
        let Some(settings) = settings else { return Ok(Round::default()) };
        let mut rest = self.inner.mailbox_rest.lock().await;
        let now = self.inner.clock.now();
        if rest.until.is_some_and(|until| now < until) {
            return Ok(Round::default());
        }
        let mut round = Round::default();
        let read = self.imap_round(&settings, &mut round, &mut rest).await;
        round.told();
        let after = |minutes: i64| now.checked_add(SignedDuration::from_mins(minutes)).ok();
        match read {
            Ok(()) => {
                // What stays there is not fetched again and again.
                rest.until = (round.left > 0).then(|| after(FULL_REST_MIN)).flatten();
                rest.failing = None;
                Ok(round)
            }
            Err(Stopped::Own(error)) => Err(error),
            Err(Stopped::Away(error)) => {
                // Its own words alone: what lies below may quote what the server sent.
                tracing::warn!(%error, "the mailbox for reports cannot be read");
                let (since, n) = rest.failing.unwrap_or((now, 0));
                rest.failing = Some((since, n.saturating_add(1)));
                // A server that refuses a login may shut out whoever tries too often.
                let pause = 1_i64 << n.min(6);
                rest.until = after(pause);
                let lasts = now.duration_since(since) >= SignedDuration::from_mins(FAILING_MIN);
                let is_ours = matches!(
                    error,
                    MailboxAway::Login
                        | MailboxAway::Folder(_)
                        | MailboxAway::Beside(_)
                        | MailboxAway::Kept(_)
                );
                if lasts || is_ours {
                    let problem = format!(
                        "{error}. Brev till adressen för anmälningar blir liggande på servern tills den går att läsa; inget är borta. `uppsikt doctor` säger om det är i ordning igen."
                    );
                    self.tell_mailbox_away("server", problem).await?;
                }
                Ok(round)
            }
        }
    }

    async fn imap_round(
        &self,
        settings: &ImapSettings,
        round: &mut Round,
        rest: &mut Rest,
    ) -> Result<(), Stopped> {
        let mut mailbox = imap::Mailbox::open(settings).await?;
        let read = self.imap_messages(&mut mailbox, settings, round, rest).await;
        mailbox.close().await;
        read
    }

    async fn imap_messages(
        &self,
        mailbox: &mut imap::Mailbox,
        settings: &ImapSettings,
        round: &mut Round,
        rest: &mut Rest,
    ) -> Result<(), Stopped> {
        let now = self.inner.clock.now();
        let mut taken = 0;
        let waiting =
            mailbox.waiting(AT_ONCE, |validity, uid| rest.passes_over((validity, uid), now));
        let waiting = waiting.await?;
        // Of an earlier numbering nothing holds.
        rest.stuck.retain(|(validity, _), _| *validity == mailbox.validity);
        rest.copied.retain(|(validity, _)| *validity == mailbox.validity);
        for waiting in waiting {
            let mail = (mailbox.validity, waiting.uid);
            let (host, folder) = (&settings.host, &settings.folder);
            let name = format!("{host}:{folder} {} {}", mail.0, mail.1);
            let mut bytes = None;
            if waiting.bytes <= MOST_BYTES {
                taken += waiting.bytes;
                if taken > ROUND_BYTES {
                    break;
                }
                bytes = match mailbox.message(waiting.uid).await {
                    // What the server said of its size is no promise.
                    Ok(Some(bytes)) => Some(bytes).filter(|bytes| bytes.len() as u64 <= MOST_BYTES),
                    Ok(None) => continue,
                    Err(error) => {
                        if rest.could_not_be_had(mail, now) {
                            self.tell_stuck(&name).await.map_err(Stopped::Own)?;
                        }
                        // A refusal is of this one alone; else nobody knows where the answers stand.
                        match imap::is_refusal(&error) {
                            true => continue,
                            false => return Err(error.into()),
                        }
                    }
                };
            }
            // What cannot be taken now holds for those behind it too.
            let to = self.take_mail(bytes.as_deref(), &name, round).await.map_err(Stopped::Own)?;
            let Some(to) = to else { break };
            let gone = match rest.copied.contains(&mail) {
                true => mailbox.take_out(waiting.uid).await,
                false => mailbox.put_away(waiting.uid, to).await,
            };
            if let Err(error) = gone {
                if let MailboxAway::Kept(_) = error {
                    rest.copied.insert(mail);
                }
                return Err(error.into());
            }
            rest.stuck.remove(&mail);
            rest.copied.remove(&mail);
        }
        Ok(())
    }

    async fn tell_stuck(&self, name: &str) -> Result<(), ServiceError> {
        let key = unread_key(ContentHash::of(name.as_bytes()));
        let subject = "Ett brev till anmälningarnas brevlåda kan inte hämtas".to_owned();
        let problem = format!(
            "Servern lämnar inte ut brevet ({name}), eller bryter medan det hämtas. De andra breven läses ändå, och det prövas igen varje dygn. Läs det i ett e-postprogram och lägg in anmälan för hand: det är en inkommen handling."
        );
        let now = self.inner.clock.now();
        Ok(self.inner.store.tell_unread_mail(key, subject, problem, now).await?)
    }

    /// Makes mails go that were moved beside before then and whose reports have gone: from the folder, and from the
    /// mail server. What went is in the audit log before it goes. Says how many.
    pub(super) async fn sweep_mails(
        &self,
        before: Timestamp,
        decision: &str,
    ) -> Result<u64, ServiceError> {
        let Some(bounds) = self.public_reporting().cloned() else { return Ok(0) };
        let mut upto = self.inner.mails_swept.lock().await;
        let now = self.inner.clock.now();
        let store = &self.inner.store;
        let mut n = 0;
        let joined = |e| ServiceError::broken("disposal of mails", e);
        if let Some(folder) = bounds.mailbox {
            let after = upto.folder.take();
            let listed = tokio::task::spawn_blocking(move || {
                put_aside(&folder, before, after.as_deref(), SWEPT_AT_ONCE)
            });
            let (listed, is_all) = listed
                .await
                .map_err(joined)?
                .map_err(|e| ServiceError::broken("disposal of mails", e))?;
            upto.folder = listed.last().filter(|_| !is_all).cloned();
            for path in listed {
                let from = path.clone();
                let read = tokio::task::spawn_blocking(move || read_bounded(&from));
                let Ok(read) = read.await.map_err(joined)? else { continue };
                let hash = match &read {
                    Some(bytes) => ContentHash::of(bytes),
                    // As it was told of: by the name that it had before it was moved.
                    None => ContentHash::of(name_before(&path).as_bytes()),
                };
                let gone =
                    store.dispose_mail(hash, unread_key(hash), before, decision.to_owned(), now);
                if gone.await? {
                    let removed = tokio::task::spawn_blocking(move || fs::remove_file(path));
                    if let Err(error) = removed.await.map_err(joined)? {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "a mail that is disposed of cannot be removed; it is tried again"
                        );
                        continue;
                    }
                    n += 1;
                }
            }
        }
        if let Some(settings) = bounds.imap {
            match self.sweep_imap(&settings, before, decision, &mut upto, &mut n).await {
                Ok(()) => {}
                Err(Stopped::Own(error)) => return Err(error),
                Err(Stopped::Away(error)) => tracing::warn!(
                    %error,
                    "mails on the server cannot be disposed of now; it is tried again tomorrow"
                ),
            }
        }
        Ok(n)
    }

    async fn sweep_imap(
        &self,
        settings: &ImapSettings,
        before: Timestamp,
        decision: &str,
        upto: &mut SweptUpTo,
        n: &mut u64,
    ) -> Result<(), Stopped> {
        let mut mailbox = imap::Mailbox::open(settings).await?;
        let mut left = 0;
        for folder in [READ, AUTOMATIC, FAULTY] {
            match mailbox.select(Some(folder), true).await {
                Ok(_) => {}
                // Nothing was ever put there.
                Err(MailboxAway::Folder(_)) => continue,
                Err(error) => return Err(error.into()),
            }
            let (gone, stayed) =
                self.sweep_imap_folder(&mut mailbox, folder, before, decision, upto).await?;
            *n += gone;
            left += stayed;
        }
        mailbox.close().await;
        match left {
            0 => Ok(()),
            left => self.tell_still_there(left).await.map_err(Stopped::Own),
        }
    }

    /// Says how many have gone, and how many are to go and still lie there.
    async fn sweep_imap_folder(
        &self,
        mailbox: &mut imap::Mailbox,
        folder: &'static str,
        before: Timestamp,
        decision: &str,
        upto: &mut SweptUpTo,
    ) -> Result<(u64, u64), Stopped> {
        let now = self.inner.clock.now();
        let store = &self.inner.store;
        // The server's days are its own; a day more is on the safe side, and our own time is asked below.
        let day = local(before).date().saturating_add(jiff::Span::new().days(2));
        let query = format!("{} BEFORE {}", mailbox.still_there(), day.strftime("%-d-%b-%Y"));
        let validity = mailbox.validity;
        let after = upto.on_server.remove(folder);
        let after = after.filter(|(of, _)| *of == validity).map_or(0, |(_, uid)| uid);
        let uids = mailbox.numbers(&query, SWEPT_AT_ONCE, |uid| uid > after).await?;
        let (mut gone, mut stayed) = (0, 0);
        for some in uids.chunks(HEADS_AT_ONCE) {
            let heads = mailbox.heads(some).await?;
            for (uid, head) in heads {
                let of_head = store.mail_by_head(ContentHash::of(&head)).await;
                // Put there by a person: theirs to dispose of.
                let Some(hash) = of_head.map_err(Stopped::own)? else { continue };
                let goes =
                    store.dispose_mail(hash, unread_key(hash), before, decision.to_owned(), now);
                if !goes.await.map_err(Stopped::own)? {
                    continue;
                }
                match mailbox.remove(uid).await {
                    Ok(true) => gone += 1,
                    Ok(false) => stayed += 1,
                    // It keeps none of those after it.
                    Err(error) if imap::is_refusal(&error) => stayed += 1,
                    Err(error) => return Err(error.into()),
                }
            }
            // Whatever breaks off goes on from here; behind the last it begins anew.
            if let Some(last) = some.last() {
                upto.on_server.insert(folder, (validity, *last));
            }
        }
        if uids.len() < SWEPT_AT_ONCE {
            upto.on_server.remove(folder);
        }
        Ok((gone, stayed))
    }

    /// One task for a month: what is disposed of by the plan lies on the server all the same.
    async fn tell_still_there(&self, left: u64) -> Result<(), ServiceError> {
        let now = self.inner.clock.now();
        let month = local(now).date().first_of_month();
        let key = format!("report mails still there {month}");
        let subject = "Gallrade brev ligger kvar på e-postservern".to_owned();
        let problem = format!(
            "{left} brev som är gallrade enligt planen gick inte att ta bort från servern. De kan vara markerade som raderade. Töm dem i ett e-postprogram, eller ge kontot rätt att ta bort brev i mapparna {READ}, {AUTOMATIC} och {FAULTY}."
        );
        Ok(self.inner.store.tell_unread_mail(key, subject, problem, now).await?)
    }
}

/// Why a round ended early.
enum Stopped {
    Away(MailboxAway),
    Own(ServiceError),
}

impl Stopped {
    fn own(error: impl Into<ServiceError>) -> Self {
        Self::Own(error.into())
    }
}

impl From<MailboxAway> for Stopped {
    fn from(error: MailboxAway) -> Self {
        Self::Away(error)
    }
}

/// Under which a mail that nobody can read is told of.
fn unread_key(hash: ContentHash) -> String {
    format!("report mail {}", hash.to_hex())
}

/// The path at which a mail lay before it was moved beside.
fn name_before(path: &Path) -> String {
    let folder = path.parent().and_then(Path::parent);
    let name = path.file_name().map(PathBuf::from).unwrap_or_default();
    folder.map(|folder| folder.join(&name)).unwrap_or(name).to_string_lossy().into_owned()
}

/// Mails that were moved beside before then, so many at a time, behind the one where the last time ended. Says too
/// whether there are no more.
fn put_aside(
    folder: &Path,
    before: Timestamp,
    after: Option<&Path>,
    most: usize,
) -> io::Result<(Vec<PathBuf>, bool)> {
    let mut found = Vec::new();
    for beside in [READ, AUTOMATIC, FAULTY] {
        let entries = match fs::read_dir(folder.join(beside)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let known = entry.metadata()?;
            let is_old = known.modified().is_ok_and(|at| at < std::time::SystemTime::from(before));
            let path = entry.path();
            if known.is_file() && is_old && after.is_none_or(|after| path.as_path() > after) {
                found.push(path);
            }
        }
    }
    found.sort();
    let is_all = found.len() <= most;
    found.truncate(most);
    Ok((found, is_all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_mails_that_stay_keep_none_behind_them_from_disposal() {
        let folder = tempfile::tempdir().unwrap();
        let beside = folder.path().join(READ);
        fs::create_dir(&beside).unwrap();
        for n in 0..5 {
            fs::write(beside.join(format!("{n}.eml")), "x").unwrap();
        }
        let (mut after, mut met) = (None, Vec::new());
        for _ in 0..4 {
            let listed = put_aside(folder.path(), Timestamp::MAX, after.as_deref(), 2);
            let (listed, is_all) = listed.unwrap();
            after = listed.last().filter(|_| !is_all).cloned();
            met.push(listed.len());
        }
        assert_eq!(met, [2, 2, 1, 2], "all are met, day by day, and then from the first again");
    }
}
