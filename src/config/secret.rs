//! Secrets by reference (invariant 9): `env:NAME`, `file:PATH` or `sealed:NAME`, never written in the file.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::runtime::secret::Secret;
use crate::runtime::vault::{Key, Shelf};

/// Longest secret that is read: a token or a key, not a database somebody named by mistake.
const MOST_BYTES: u64 = 64 * 1024;

/// Where secrets come from.
pub(super) struct Places<'a> {
    /// The environment.
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
    /// What relative paths are counted from.
    pub(super) folder: &'a Path,
    /// Where sealed tokens lie, where the settings say so.
    pub(super) tokens: Option<Tokens>,
}

/// `[tokens]`: where tokens lie sealed.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The file of the key that they are sealed with.
    pub key_file: PathBuf,
    /// The folder of the sealed files.
    pub folder: PathBuf,
    /// The key, where the file was there to be read.
    pub key: Option<Key>,
}

impl Tokens {
    /// Where the token of this name lies.
    pub fn shelf(&self, name: &str) -> Shelf {
        let path = self.folder.join(format!("{name}.sealed"));
        Shelf::new(path, format!("token {name}"), self.key.clone())
    }
}

/// A token as it lies sealed.
#[derive(Deserialize, Serialize)]
pub struct SealedToken {
    /// The token itself: the consent where it can be renewed, else what is shown at each call.
    pub token: String,
    /// When it ends, where the platform told.
    #[serde(default)]
    pub ends: Option<Timestamp>,
    /// What it may do, in the platform's words.
    #[serde(default)]
    pub scope: Option<String>,
    /// When the account was connected.
    pub since: Timestamp,
    /// The app that it was given to.
    #[serde(default)]
    pub client_id: Option<String>,
    /// The app's secret.
    #[serde(default)]
    pub client_secret: Option<String>,
}

/// Under which name lies what is secret beside the token of this name.
pub fn second_name(name: &str) -> String {
    format!("{name}-hemlighet")
}

/// Whether this can be the name of a sealed token: it becomes that of a file.
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 60
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// The sealed token that `reference` points at.
///
/// # Errors
/// A Swedish sentence with the mend.
pub(super) fn sealed(key: &str, name: &str, places: &Places<'_>) -> Result<SealedToken, String> {
    if !is_name(name) {
        // Not repeated: somebody may have put the token itself behind `sealed:`.
        return Err(format!(
            "`{key}`: efter `sealed:` ska namnet stå som kontot anslöts med, till exempel `sealed:youtube` (a–z, 0–9 och bindestreck)"
        ));
    }
    let Some(tokens) = &places.tokens else {
        return Err(format!(
            "`{key}`: förseglade nycklar kräver avsnittet [tokens]: lägg till det, med `key_file = \"uppsikt.nyckel\"`"
        ));
    };
    let mend = format!("kör `uppsikt accounts connect PLATTFORM --name {name}`");
    if tokens.key.is_none() {
        return Err(format!(
            "`{key}`: nyckelfilen {} finns inte: lägg tillbaka den från en säkerhetskopia, eller {mend}",
            tokens.key_file.display()
        ));
    }
    match tokens.shelf(name).read() {
        Ok(Some(text)) => serde_json::from_str(text.expose())
            .map_err(|_| format!("`{key}`: den förseglade nyckeln `{name}` är skadad: {mend}")),
        Ok(None) => Err(format!("`{key}`: det finns ingen förseglad nyckel `{name}`: {mend}")),
        Err(error) => Err(format!("`{key}`: {error}")),
    }
}

/// Fetches what `reference` points at.
///
/// # Errors
/// A Swedish sentence with the mend. It never repeats a text that may itself be the secret.
pub(super) fn resolve(key: &str, reference: &str, places: &Places<'_>) -> Result<Secret, String> {
    let secret = if let Some(name) = reference.strip_prefix("env:") {
        from_environment(key, name, places)?
    } else if let Some(path) = reference.strip_prefix("file:") {
        from_file(key, path, places)?
    } else if let Some(name) = reference.strip_prefix("sealed:") {
        Secret::new(sealed(key, name, places)?.token)
    } else {
        return Err(format!(
            "`{key}` är en hemlighet och får inte stå i filen: skriv `{key} = \"env:NAMN\"` \
             (miljövariabel) eller `{key} = \"file:SÖKVÄG\"` (fil som bara tjänsten får läsa)"
        ));
    };
    let text = secret.expose();
    if text.trim().is_empty() {
        return Err(format!("hemligheten som `{key}` pekar på är tom: skriv in den"));
    }
    if text.chars().any(|c| c.is_control()) {
        return Err(format!(
            "hemligheten som `{key}` pekar på innehåller radbrytning eller styrtecken: den ska stå på en enda rad"
        ));
    }
    Ok(secret)
}

fn from_environment(key: &str, name: &str, places: &Places<'_>) -> Result<Secret, String> {
    let well_formed = name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    if !well_formed {
        // Not repeated: somebody may have put the secret itself behind `env:`.
        return Err(format!(
            "`{key}`: efter `env:` ska namnet på en miljövariabel stå, med versaler, siffror och `_`, till exempel `env:UPPSIKT_LOSEN`"
        ));
    }
    (places.env)(name).map(Secret::new).ok_or_else(|| {
        format!("`{key}`: miljövariabeln `{name}` finns inte: sätt den innan Uppsikt startas")
    })
}

fn from_file(key: &str, path: &str, places: &Places<'_>) -> Result<Secret, String> {
    if path.is_empty() {
        return Err(format!("`{key}`: efter `file:` ska en sökväg stå"));
    }
    let path = places.folder.join(path);
    let shown = path.display();
    let unreadable = |_| {
        format!(
            "`{key}`: kan inte läsa {shown}: kontrollera att filen finns och att tjänsten får läsa den"
        )
    };
    let file = fs::File::open(&path).map_err(unreadable)?;
    // Asked of the opened file, so that nobody can swap it in between.
    let about = file.metadata().map_err(unreadable)?;
    if !about.is_file() {
        return Err(format!("`{key}`: {shown} är ingen vanlig fil"));
    }
    let mode = about.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!(
            "`{key}`: {shown} får läsas av andra än tjänsten (rättigheter {mode:03o}): kör `chmod 600 {shown}`"
        ));
    }
    if about.len() > MOST_BYTES {
        return Err(format!("`{key}`: {shown} är för stor för en hemlighet (högst 64 kB)"));
    }
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    file.take(MOST_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| format!("`{key}`: {shown} är inte text i UTF-8"))?;
    // Editors end files with a line break that is no part of the secret.
    let text = text.strip_suffix('\n').unwrap_or(text);
    Ok(Secret::new(text.strip_suffix('\r').unwrap_or(text).to_owned()))
}

#[cfg(test)]
mod tests;
