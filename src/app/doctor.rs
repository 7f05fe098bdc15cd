//! `uppsikt doctor`: looks at everything the program needs, and changes nothing.

use std::collections::BTreeMap;
use std::path::Path;

use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};

use crate::config::{Browser as Chosen, Config};
use crate::domain::account::PlatformKind;
use crate::domain::calendar::local;
use crate::domain::connection::mend;
use crate::platforms::capability::{Capabilities, Offer};
use crate::platforms::error::PlatformError;
use crate::runtime::clock::Clock;
use crate::runtime::supervise::chain;
use crate::services;
use crate::services::ServiceError;
use crate::services::connections::Rest;
use crate::services::stamps::Stamping;
use crate::store::{Condition, Store};

use super::accounts::{self, Shared, connector};
use super::{AppError, notices, open_browser, open_stores, stamping};

/// One check of `uppsikt doctor`.
#[derive(Clone, Debug)]
pub struct Check {
    /// What was looked at.
    pub what: String,
    /// What was found; where it is bad, with the mend. In Swedish.
    pub found: Result<String, String>,
}

/// Whether callers can be told apart behind a proxy.
fn proxy_in_order(config: &Config) -> Result<String, String> {
    let server = &config.server;
    if server.proxy_is_untold() {
        return Err("`public_url` är https men `trusted_proxies` är tom: alla som kommer genom proxyn räknas som en, så att vem som helst kan hindra andra från att logga in. Skriv proxyns adress, till exempel trusted_proxies = [\"127.0.0.1\"]".into());
    }
    let proxies: Vec<_> = server.trusted_proxies.iter().map(ToString::to_string).collect();
    Ok(if proxies.is_empty() { "ingen, sidan nås direkt".into() } else { proxies.join(", ") })
}

/// Less free disk than this is told: evidence of a busy month fits.
const FREE_DISK_BYTES: u64 = 2 << 30;

/// How many accounts' platforms are asked at once.
const ASKED_AT_ONCE: usize = 32;

/// Whether anything stands in the log. Of a database that is up to date.
async fn has_entries(config: &Config) -> bool {
    match Store::open(&crate::store::Settings { path: config.store_path.clone() }) {
        Ok(store) => store.log_head().await.is_ok_and(|(n, _)| n > 0),
        // Told by what is looked at beside.
        Err(_) => false,
    }
}

/// Whether the authority for time stamps stamps what it is asked for.
async fn stamps_in_order(stamping: Result<Stamping, AppError>) -> Result<String, String> {
    let checked = stamping.map_err(|error| chain(&error))?.check().await;
    match checked.map_err(|error| chain(&error))? {
        Ok(at) => Ok(format!("svarar; dess klocka är {}", local(at).strftime("%Y-%m-%d %H:%M:%S"))),
        Err(problem) => Err(format!(
            "{problem}. Kontrollpunkterna väntar och stämplas när tjänsten svarar igen"
        )),
    }
}

/// Looks at everything the program needs. The configuration has been read already.
pub async fn diagnose(config: &Config, clock: Clock) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut note = |what: String, found| checks.push(Check { what, found });
    note("inställningar".into(), Ok(format!("{} konton", config.accounts.len())));
    let now = clock.now();
    let condition = Store::condition(&config.store_path);
    note("klocka".into(), clock_in_order(now, condition.as_ref().ok()));
    note("databas".into(), database_in_order(&config.store_path, &condition));
    // Opening would make one, or bring an older one up to date: nobody has asked for that here.
    let usable = matches!(condition, Ok(Condition { pending: 0, exists: true, .. }));
    // Nor would it be right to make the evidence's folder where a disk is not mounted.
    let folder = &config.evidence.folder;
    let has_folder = folder.join("blobs").is_dir();
    if usable && !has_folder {
        let found = match has_entries(config).await {
            true => Err(format!(
                "mappen {} saknas, fast loggen har poster. Är disken monterad? Starta inte Uppsikt utan den",
                folder.display()
            )),
            false => Ok("inga än".to_owned()),
        };
        note("bevis".into(), found);
    }
    if let Some(found) = notices::mailbox_in_order(config).await {
        note("brevlåda för anmälningar".into(), found);
    }
    if usable && has_folder {
        match open_stores(config, clock.clone()) {
            Ok((store, evidence)) => {
                if let Some(found) = notices::mail_in_order(config, &store, &clock).await {
                    note("e-postserver".into(), found);
                }
                let users = services::users::all(&store).await.map(|users| users.len());
                note(
                    "användare".into(),
                    match users {
                        Ok(0) => {
                            Err("ingen kan logga in: lägg till någon med uppsikt users add".into())
                        }
                        Ok(n) => Ok(format!("{n} kan logga in")),
                        Err(error) => Err(chain(&error)),
                    },
                );
                note(
                    "nyckeln som undertecknar loggen".into(),
                    match services::archive::signing_key(&evidence).await {
                        Ok(Some(fingerprint)) => Ok(fingerprint),
                        Ok(None) => Ok("ingen än, den skapas när Uppsikt startar".to_owned()),
                        Err(ServiceError::Damaged { why }) => Err(why),
                        Err(error) => Err(chain(&error)),
                    },
                );
                if let Some(authority) = &config.evidence.timestamp {
                    let found = stamps_in_order(stamping(authority, &store, &clock)).await;
                    note("tidsstämplingstjänst".into(), found);
                }
                let verified = services::archive::verify(&store, &evidence, Vec::new(), None).await;
                note(
                    "bevis".into(),
                    match verified {
                        Ok(report) if report.is_whole() => Ok(report.words().replace('\n', " ")),
                        Ok(report) => Err(report.words()),
                        Err(error) => Err(chain(&error)),
                    },
                );
            }
            Err(error) => note("databas och bevis".into(), Err(chain(&error))),
        }
    }
    note("proxy".into(), proxy_in_order(config));
    if let Some(found) = super::sign_in::provider_in_order(config, &clock).await {
        note("organisationens inloggning".into(), found);
    }
    let beside = config.store_path.parent().map(Path::to_owned).unwrap_or_default();
    let witnesses = &config.evidence.checkpoint.witnesses;
    let ours = [beside, config.evidence.folder.clone(), config.export_folder.clone()];
    let mut looked: Vec<&Path> = Vec::new();
    for folder in ours.iter().chain(witnesses) {
        if !looked.contains(&folder.as_path()) {
            looked.push(folder);
            note(format!("mappen {}", folder.display()), folder_in_order(folder));
        }
    }
    note(
        "webbläsare".into(),
        match &config.evidence.browser {
            // On purpose, so that is how it should be.
            Chosen::Off => Ok("avstängd i inställningarna: bevis tas utan skärmbild".to_owned()),
            Chosen::Auto | Chosen::Path(_) => open_browser(config, clock.clone()).map(|browser| {
                browser.executable().map_or_else(|e| e.swedish(), |path| path.display().to_string())
            }),
        },
    );
    let read = match usable {
        true => readings(config, now).await,
        false => BTreeMap::new(),
    };
    let shared = Shared::beside(config);
    // Side by side: one that hangs is no reason to wait for the next.
    let asked = futures_util::stream::iter(&config.accounts).map(async |account| {
        let (found, can) = match connector(account, &shared, &clock) {
            Ok((platform, _)) => {
                let found = match platform.check().await {
                    Ok(report) => accounts::in_order(report, account, now),
                    Err(error) => Err(in_words(&error, account.kind())),
                };
                // Asked after the check, which may have learnt something.
                (found, may_do(&platform.capabilities()))
            }
            Err(error) => (Err(chain(&error)), String::new()),
        };
        (account, found, can)
    });
    let asked: Vec<_> = asked.buffered(ASKED_AT_ONCE).collect().await;
    for (account, found, can) in asked {
        let reading = read.get(account.key.as_str());
        let last = last_read(reading.and_then(|reading| reading.last));
        let found = found.map(|words| format!("{words}; {last}{can}"));
        note(format!("kontot {}", account.key), found.map_err(|words| format!("{words} ({last})")));
        // As the daemon has it: what answers now may have rested until a moment ago.
        if let Some(rest) = reading.and_then(|reading| reading.rest.clone()) {
            note(format!("läsningen av kontot {}", account.key), Err(rest));
        }
    }
    checks
}

/// What went wrong, with the mend where a person has to do something.
fn in_words(error: &PlatformError, platform: PlatformKind) -> String {
    let mend = match error {
        PlatformError::ReauthNeeded { .. } | PlatformError::TokenExpired { .. } => mend(platform),
        _ => "",
    };
    format!("{} {mend} [{error}]", error.swedish()).replace("  ", " ")
}

/// When the daemon last read an account.
fn last_read(at: Option<Timestamp>) -> String {
    match at {
        Some(at) => format!("senast läst {}", local(at).strftime("%Y-%m-%d %H:%M")),
        None => "inte läst än".into(),
    }
}

/// What the account may do there, and what is left to people.
fn may_do(can: &Capabilities) -> String {
    let of = |wanted: fn(&Offer) -> bool| {
        let verbs: Vec<_> = can
            .rows()
            .into_iter()
            .filter(|(_, offer)| wanted(offer))
            .map(|(verb, _)| verb)
            .collect();
        verbs.join(", ")
    };
    let (native, by_hand) = (of(Offer::is_native), of(|o| matches!(o, Offer::ByHand { .. })));
    let told = |what: &str, verbs: String| match verbs.is_empty() {
        true => String::new(),
        false => format!("; {what}: {verbs}"),
    };
    told("kan", native) + &told("för hand", by_hand)
}

/// How the daemon reads an account.
struct Reading {
    /// When it last did.
    last: Option<Timestamp>,
    /// Why it does not now, in words.
    rest: Option<String>,
}

/// How the daemon reads each account, by key.
async fn readings(config: &Config, now: Timestamp) -> BTreeMap<String, Reading> {
    // What cannot be opened is told by what is looked at before.
    let Ok(store) = Store::open(&crate::store::Settings { path: config.store_path.clone() }) else {
        return BTreeMap::new();
    };
    let known = store.account_overview().await.unwrap_or_default().into_iter();
    let readings = known.map(|known| {
        let last = known.fetch.last_ok_at;
        let rest = Rest::of(&known.fetch, now).map(|rest| {
            let mend = match rest.why.is_of_login() {
                true => mend(known.account.platform),
                false => "Läsningen fortsätter av sig själv när felet är borta.",
            };
            format!(
                "vilar sedan {} efter {} fel i rad, eftersom {}. Nästa försök {}. {} {mend}",
                local(rest.since).strftime("%Y-%m-%d %H:%M"),
                rest.failures,
                rest.why.words(),
                local(rest.next_at).strftime("%Y-%m-%d %H:%M"),
                known.fetch.problem.unwrap_or_default(),
            )
        });
        (known.account.key.as_str().to_owned(), Reading { last, rest })
    });
    readings.collect()
}

/// So much after the last sign of life a clock is asked about.
const LONG_SILENCE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// So much a clock may go back without a word: machines are set right now and then.
const SET_RIGHT: SignedDuration = SignedDuration::from_mins(5);

/// The clock against when the program was built and what the database has seen of the time.
fn clock_in_order(now: Timestamp, known: Option<&Condition>) -> Result<String, String> {
    const MEND: &str = "Ställ klockan (till exempel timedatectl set-ntp true)";
    // The program was built after this moment, so a clock before it is wrong.
    let built = Timestamp::from_second(1_790_000_000).unwrap_or(now);
    if now < built {
        return Err(format!("{now} ligger före programmets tillkomst. {MEND}"));
    }
    let Some(last) = known.and_then(|known| known.last_seen) else { return Ok(now.to_string()) };
    if last.duration_since(now) > SET_RIGHT {
        return Err(format!(
            "{now} ligger före det senaste som står i databasen ({last}): klockan går efter, eller har gått före. {MEND}"
        ));
    }
    if now.duration_since(last) > LONG_SILENCE {
        return Err(format!(
            "{now} ligger långt efter det senaste som står i databasen ({last}): har Uppsikt stått still så länge? Annars går klockan före. {MEND}"
        ));
    }
    Ok(now.to_string())
}

/// The database as it lies there.
fn database_in_order<E: std::error::Error>(
    path: &Path,
    condition: &Result<Condition, E>,
) -> Result<String, String> {
    let place = path.display();
    match condition {
        Err(error) => Err(chain(error)),
        Ok(Condition { exists: false, .. }) => {
            Ok(format!("{place} finns inte än: skapas när tjänsten startas"))
        }
        Ok(Condition { pending: 0, .. }) => Ok(place.to_string()),
        Ok(Condition { pending, .. }) => Err(format!(
            "{place} är från en äldre version och görs om i {pending} steg när tjänsten startas. Den gamla versionen kan inte läsa den sedan: ta en kopia först. Bevis och användare kontrolleras här när det är gjort"
        )),
    }
}

/// Whether a folder can be written, and has room.
fn folder_in_order(folder: &Path) -> Result<String, String> {
    // Beside settings that are named without a folder everything is.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mend =
        "kontrollera att mappen finns, att tjänsten får skriva där och att disken inte är full";
    if !folder.exists() {
        // Made here it would belong to whoever runs this check, and the service could not write to it.
        let is_there = |above: &&Path| above.as_os_str().is_empty() || above.exists();
        return match folder.ancestors().find(is_there) {
            Some(_) => Ok("finns inte än: skapas när tjänsten startas".to_owned()),
            None => Err(format!("sökvägen finns inte: {mend}")),
        };
    }
    let trial = folder.join(".uppsikt-prov");
    std::fs::write(&trial, b"prov")
        .and_then(|()| std::fs::remove_file(&trial))
        .map_err(|e| format!("{e}: {mend}"))?;
    let disk = rustix::fs::statvfs(folder).map_err(|e| format!("{e}: {mend}"))?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let gigabytes = free / (1 << 30);
    if free < FREE_DISK_BYTES {
        return Err(format!(
            "bara {gigabytes} GB ledigt: frigör plats innan bevis inte längre kan sparas"
        ));
    }
    Ok(format!("skrivbar, {gigabytes} GB ledigt"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_held_against_what_the_database_has_seen() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-11-23T01:00:00Z");
        let seen = |text: &str| Condition { exists: true, pending: 0, last_seen: Some(at(text)) };
        assert!(clock_in_order(at("1970-01-02T00:00:00Z"), None).is_err());
        assert!(clock_in_order(now, None).is_ok());
        assert!(clock_in_order(now, Some(&seen("2026-11-23T01:04:00Z"))).is_ok());
        let back = clock_in_order(now, Some(&seen("2027-01-07T01:00:00Z"))).unwrap_err();
        assert!(back.contains("går efter, eller har gått före"), "{back}");
        let ahead = clock_in_order(now, Some(&seen("2026-10-01T00:00:00Z"))).unwrap_err();
        assert!(ahead.contains("långt efter"), "{ahead}");
    }

    #[test]
    fn an_account_is_told_with_what_it_may_do_when_it_was_read_and_how_to_mend_it() {
        let can = crate::platforms::capability::of(PlatformKind::LinkedIn);
        insta::assert_snapshot!(may_do(&can), @"; kan: läsa kommentarer, läsa tråden, ta bort, svara på kommentar, få besked direkt; för hand: läsa meddelanden, svara på meddelande, anmäla till plattformen");
        assert_eq!(last_read(None), "inte läst än");
        let read = last_read(Some("2026-11-23T01:00:00Z".parse().unwrap()));
        assert_eq!(read, "senast läst 2026-11-23 02:00");
        let revoked = PlatformError::ReauthNeeded { detail: "HTTP 401".into() };
        let words = in_words(&revoked, PlatformKind::Mastodon);
        assert!(words.contains("Skapa en ny åtkomstnyckel"), "{words}");
        let ill = PlatformError::Transient {
            detail: "HTTP 500".into(),
            may_have_acted: false,
            retry_at: None,
        };
        assert!(!in_words(&ill, PlatformKind::Mastodon).contains("nyckel"));
    }

    #[test]
    fn folders_beside_settings_that_are_named_without_one_are_found() {
        assert!(folder_in_order(Path::new("finns-inte-har")).unwrap().contains("finns inte än"));
    }

    #[test]
    fn what_is_not_there_is_not_made() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("bevis");
        assert!(folder_in_order(&folder).unwrap().contains("finns inte än"));
        let path = dir.path().join("uppsikt.db");
        let found = database_in_order(&path, &Store::condition(&path)).unwrap();
        assert!(found.contains("skapas när tjänsten startas"), "{found}");
        assert!(!folder.exists() && !path.exists());
    }
}
