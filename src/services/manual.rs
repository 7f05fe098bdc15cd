//! Recording by hand: what an editor has seen anywhere, with the link, the text, and the pictures.
//!
//! From there on it is an item like any other: stored before anything else, assessed, sealed, a case.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use unicode_normalization::UnicodeNormalization as _;
use url::Url;
use uuid::Uuid;

use crate::domain::account::{Account, PlatformKind};
use crate::domain::ids::{AccountKey, CaseId, ContentHash, ItemId, PlatformItemId};
use crate::domain::item::{
    Attachment, Author, FetchedItem, ItemKind, Permalink, PermalinkSource, Presence,
};
use crate::domain::person::Act;
use crate::domain::text::hidden_at;
use crate::platforms::manual::Manual;
use crate::store::error::StoreError;
use crate::store::sqlite::manual::Upload;

use super::picture;
use super::{Served, ServiceError, Services, Viewer};

/// How many pictures one item may have.
pub const MOST_PICTURES: usize = 5;
/// The longest text, in characters.
const LONGEST_TEXT: usize = 100_000;
/// The longest name, handle or place, in characters.
const LONGEST_NAME: usize = 120;
/// The longest link, in bytes.
const LONGEST_LINK: usize = 2_000;
/// What the keys of such accounts begin with.
const KEY_HEAD: &str = "manuell-";
/// Nothing is fetched from there; the value only fills the place.
const NEVER_POLLED: Duration = Duration::from_secs(86_400);
/// What is said where a form comes again with something else in it.
const RECORDED_ALREADY: &str = "Ett annat inlägg, eller samma med andra uppgifter, är redan inlagt från samma formulär. Inget nytt är sparat. Se efter i kön; är det här ett inlägg till, lägg in det från ett nytt formulär.";

/// How long whoever records waits for the case before they go on without it.
const CASE_WITHIN: Duration = Duration::from_secs(5);

/// What was typed into the form or sent to the interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// Where it was seen.
    pub place: String,
    /// Identifier of an [`ItemKind`].
    pub kind: String,
    /// The text as it stands there.
    pub text: String,
    /// Link, where there is one.
    pub link: String,
    /// Who wrote it, as shown.
    pub author: String,
    /// Their handle, as shown.
    pub handle: String,
    /// When it was written as shown, `2026-11-22T14:30`, Swedish time.
    pub written: String,
    /// The same for every try at the same item.
    pub key: String,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The item.
    pub item: ItemId,
    /// Its case; not there yet where the assessing is far behind.
    pub case: Option<CaseId>,
}

fn refused<T>(why: impl Into<String>) -> Result<T, ServiceError> {
    Err(ServiceError::Refused { why: why.into() })
}

/// One line that can be read, or what is wrong with it.
fn one_line(what: &str, typed: &str) -> Result<Option<String>, ServiceError> {
    let line = typed.trim();
    if line.is_empty() {
        return Ok(None);
    }
    if line.chars().count() > LONGEST_NAME {
        return refused(format!("{what} är för lång: högst {LONGEST_NAME} tecken får plats."));
    }
    if line.chars().any(char::is_control) {
        return refused(format!(
            "{what} innehåller tecken som inte går att visa. Skriv om för hand."
        ));
    }
    Ok(Some(line.to_owned()))
}

/// A name that stands in lists and headings is ours: nothing hidden in it.
fn place(typed: &str) -> Result<String, ServiceError> {
    let Some(place) = one_line("Platsen", typed)? else {
        return refused("Skriv var det stod, till exempel Snapchat eller en grupps namn.");
    };
    if !hidden_at(&place).is_empty() {
        return refused("Platsen innehåller dolda tecken. Skriv om den för hand.");
    }
    Ok(place)
}

fn link(typed: &str) -> Result<Option<Permalink>, ServiceError> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let url = Url::parse(typed).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some()
            && url.username().is_empty()
            && url.password().is_none()
    });
    match url {
        Some(url) if typed.len() <= LONGEST_LINK => {
            Ok(Some(Permalink { url: url.to_string(), source: PermalinkSource::Given }))
        }
        Some(_) => refused("Länken är för lång: högst 2 000 tecken får plats."),
        None => refused(
            "Länken ska börja med https:// eller http://. Lämna fältet tomt om det inte finns någon.",
        ),
    }
}

/// The time as seen, in Sweden, where it can be true.
fn written(typed: &str, now: Timestamp) -> Result<Option<Timestamp>, ServiceError> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    // Without it every time would be an hour or two off.
    let zone = TimeZone::get("Europe/Stockholm")
        .map_err(|e| ServiceError::broken("the time zone of Sweden", e))?;
    let at = typed
        .parse::<DateTime>()
        .ok()
        .and_then(|civil| civil.to_zoned(zone).ok())
        .map(|zoned| zoned.timestamp());
    match at {
        None => refused("Tiden går inte att läsa. Skriv den som 2026-11-22 14:30."),
        Some(at) if at > now.saturating_add(SignedDuration::from_hours(1)).unwrap_or(now) => {
            refused("Tiden ligger framåt. Skriv när inlägget skrevs, eller lämna fältet tomt.")
        }
        Some(at) if at < EARLIEST => refused("Tiden ligger för långt tillbaka för att stämma."),
        Some(at) => Ok(Some(at)),
    }
}

/// 1 January 2000.
const EARLIEST: Timestamp = Timestamp::constant(946_684_800, 0);

/// The identity of an item: of its form, so that sending that twice gives one item.
fn identity(key: &str) -> Result<PlatformItemId, ServiceError> {
    if key.is_empty() {
        return Ok(PlatformItemId::new(Uuid::new_v4().simple().to_string()));
    }
    match Uuid::parse_str(key) {
        Ok(key) => Ok(PlatformItemId::new(key.simple().to_string())),
        Err(_) => refused("Nyckeln ska vara ett UUID. Utelämna den, eller ladda om sidan."),
    }
}

/// A name as it looks: without case, width, blanks and signs, and with letters of other alphabets read as what they look like.
fn likeness(name: &str) -> String {
    let plain = |c: char| match c {
        'а' | 'α' => 'a',
        'с' => 'c',
        'е' | 'ε' => 'e',
        'һ' => 'h',
        'і' | 'ι' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'м' => 'm',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'у' => 'y',
        'х' | 'χ' => 'x',
        'в' => 'b',
        'н' => 'h',
        other => other,
    };
    let letters = name.nfkc().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric());
    letters.map(plain).collect()
}

/// A key for the form of one item.
pub fn new_key() -> String {
    Uuid::new_v4().simple().to_string()
}

impl Services {
    /// Makes the places known at which items have been recorded before. To be called at the start.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn open_places(&self) -> Result<(), ServiceError> {
        for known in self.inner.store.account_overview().await? {
            if known.account.platform == PlatformKind::Manual {
                self.serve_place(known.account);
            }
        }
        Ok(())
    }

    fn serve_place(&self, account: Account) {
        let served = Served {
            policy: None,
            token_expires: None,
            account,
            platform: Arc::new(Manual::new()),
            interval: NEVER_POLLED,
            push: None,
            private_at: None,
        };
        let mut places = self.inner.places.write().unwrap_or_else(PoisonError::into_inner);
        places.entry(served.account.id).or_insert_with(|| Arc::new(served));
    }

    /// The names of the places at which items have been recorded before.
    pub fn places(&self) -> Vec<String> {
        let places = self.inner.places.read().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<_> = places.values().map(|s| s.account.name.clone()).collect();
        names.sort_unstable();
        names
    }

    /// Records an item by hand. It always becomes a case: a person has picked it up.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person; nothing is stored then.
    pub async fn record_by_hand(
        &self,
        viewer: &Viewer,
        typed: &Typed,
        pictures: Vec<Vec<u8>>,
    ) -> Result<Recorded, ServiceError> {
        viewer.demand(Act::Decide)?;
        let now = self.inner.clock.now();
        let place = place(&typed.place)?;
        self.check_place(&place)?;
        let Some(kind) = ItemKind::from_id(&typed.kind) else {
            return refused(
                "Välj vad det är: kommentar, inlägg, meddelande eller något annat i listan.",
            );
        };
        let text = typed.text.replace("\r\n", "\n");
        if text.chars().count() > LONGEST_TEXT {
            return refused("Texten är för lång: högst 100 000 tecken får plats.");
        }
        if text.trim().is_empty() && pictures.is_empty() {
            return refused("Klistra in texten eller lägg till en skärmbild.");
        }
        if pictures.len() > MOST_PICTURES {
            return refused(format!("Högst {MOST_PICTURES} bilder får plats."));
        }
        let permalink = link(&typed.link)?;
        let told_link = permalink.as_ref().map(|permalink| permalink.url.clone());
        let created_at = written(&typed.written, now)?;
        let author = Author {
            name: one_line("Namnet", &typed.author)?,
            handle: one_line("Användarnamnet", &typed.handle)?,
            ..Author::default()
        };
        let platform_id = identity(&typed.key)?;
        let uploads = checked(pictures).await?;
        let attachments: Vec<Attachment> = uploads
            .iter()
            .map(|upload| Attachment {
                kind: "picture".into(),
                url: None,
                media_type: Some(upload.media_type.clone()),
                // Its content tells one version from another, and the name is what counts there.
                name: Some(format!("{} {}", upload.name, upload.sha256)),
            })
            .collect();
        let payload = serde_json::json!({
            "recorded_by": viewer.name,
            "recorded_at": now,
            "place": place,
            "kind": kind.id(),
            "link": permalink.as_ref().map(|p| &p.url),
            "author": author,
            "written": typed.written,
            "text": text,
            "pictures": attachments,
        });
        let raw = serde_json::to_vec(&payload).map_err(|e| ServiceError::broken("record", e))?;
        let item = FetchedItem {
            author,
            created_at,
            created_raw: Some(typed.written.trim().to_owned()).filter(|raw| !raw.is_empty()),
            permalink,
            attachments,
            // Somebody saw it somewhere; nobody has looked since.
            presence: Presence::Unknown,
            ..FetchedItem::new(platform_id, kind, text, raw)
        };
        let account = self.place_account(place, now).await?;
        let line = viewer.line("item.record", format!("account {}", account.id));
        let store = &self.inner.store;
        let recorded =
            store.record_by_hand(account.id, item, uploads, viewer.user, line, now).await;
        let id = match recorded {
            Ok(id) => id,
            Err(StoreError::Conflict { .. }) => {
                return Err(ServiceError::Conflict { why: RECORDED_ALREADY.into() });
            }
            Err(error) => return Err(error.into()),
        };
        tracing::info!(item.id = %id, user.id = %viewer.user, "recorded by hand");
        self.inner.wakes.assess.notify_one();
        let case = tokio::time::timeout(CASE_WITHIN, self.case_when_there(id)).await;
        let case = case.ok().transpose()?;
        if let (Some(case), Some(link)) = (case, told_link) {
            self.join_waiting(viewer, case, &link).await?;
        }
        Ok(Recorded { item: id, case })
    }

    /// Refuses a place that is called like an account that is fetched: what somebody typed in would stand there as if
    /// the platform had said it.
    fn check_place(&self, place: &str) -> Result<(), ServiceError> {
        let looks = likeness(place);
        let same = |name: &str| likeness(name) == looks;
        match self.inner.accounts.values().find(|served| same(&served.account.name)) {
            Some(served) => refused(format!(
                "Kontot {} hämtar Uppsikt själv. Står inlägget där och saknas i kön: se efter under Konton varför. Stod det någon annanstans, skriv den platsen med ett annat namn.",
                served.account.name
            )),
            None => Ok(()),
        }
    }

    async fn case_when_there(&self, item: ItemId) -> Result<CaseId, ServiceError> {
        loop {
            if let Some(case) = self.inner.store.case_of(item).await? {
                return Ok(case.id);
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// The account of a place; made where there is none.
    async fn place_account(&self, place: String, now: Timestamp) -> Result<Account, ServiceError> {
        let hash = ContentHash::of(place.to_lowercase().as_bytes()).to_hex();
        let key = AccountKey::new(format!("{KEY_HEAD}{}", &hash[..12]));
        let known = self.served_by_key(&key);
        if let Some(known) = known {
            return Ok(known.account.clone());
        }
        let store = &self.inner.store;
        let account = store.ensure_account(key, PlatformKind::Manual, place, false, now).await?;
        self.serve_place(account.clone());
        Ok(account)
    }
}

/// Pictures by their content. Decoding takes a core and memory, so never on the reactor.
async fn checked(pictures: Vec<Vec<u8>>) -> Result<Vec<Upload>, ServiceError> {
    let check = move || {
        let mut uploads = Vec::with_capacity(pictures.len());
        for (n, bytes) in pictures.into_iter().enumerate() {
            let kind = picture::check(&bytes).map_err(|why| format!("Bild {}: {why}", n + 1))?;
            uploads.push(Upload {
                name: format!("bild-{}.{}", n + 1, kind.ending()),
                media_type: kind.media_type().to_owned(),
                sha256: ContentHash::of(&bytes),
                bytes: Some(bytes),
            });
        }
        Ok(uploads)
    };
    let uploads: Result<_, String> = tokio::task::spawn_blocking(check)
        .await
        .map_err(|e| ServiceError::broken("checking of pictures", e))?;
    uploads.or_else(refused)
}
