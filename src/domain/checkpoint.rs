//! Signed checkpoints (*kontrollpunkt*): what the log was at one moment, in words that other
//! people's programs read.
//!
//! The text is a checkpoint of C2SP's `tlog-checkpoint`, the signature one of its `signed-note`
//! (c2sp.org, both read 2026-11): the log's name, its size, its head in base64, then a line with the
//! time, a blank line, and a line for each signature.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::ids::ContentHash;

/// Of all notes, what the signature type Ed25519 is called.
const ED25519: u8 = 0x01;

/// A note is shorter; nobody makes us read more.
const MOST_NOTE_BYTES: usize = 64 * 1024;

/// Where a key's SubjectPublicKeyInfo has its 32 bytes: all before them is the same for Ed25519
/// (RFC 8410 section 4).
const SPKI_HEAD: [u8; 12] =
    [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00];

/// The name of a log, which is also the name of its keys: `uppsikt/` and the installation's number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// The name for an installation. What may not stand in a name is left out.
    pub fn of(installation: &str) -> Self {
        let kept = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        Self(format!("uppsikt/{}", installation.chars().filter(kept).collect::<String>()))
    }

    /// As it stands in notes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a log was: the first `size` entries have this head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many entries.
    pub size: u64,
    /// The tree's head over them.
    pub root: ContentHash,
    /// When it was signed, by our own clock.
    pub at: Timestamp,
}

impl Checkpoint {
    /// The text that is signed, with its last line's end.
    pub fn text(&self, origin: &Origin) -> String {
        let root = STANDARD.encode(self.root.bytes());
        format!("{}\n{}\n{root}\ntime {}\n", origin.as_str(), self.size, self.at)
    }
}

/// A public key by which checkpoints are held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
    id: KeyId,
}

/// Four bytes that tell keys of one name apart: the beginning of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ key).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 4]);

impl KeyId {
    fn of(origin: &Origin, key: &VerifyingKey) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(origin.as_str().as_bytes());
        hasher.update([b'\n', ED25519]);
        hasher.update(key.as_bytes());
        let digest: [u8; 32] = hasher.finalize().into();
        Self([digest[0], digest[1], digest[2], digest[3]])
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::str::FromStr for KeyId {
    type Err = NotAKey;
    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let mut id = [0; 4];
        hex::decode_to_slice(text, &mut id).map_err(|_| NotAKey)?;
        Ok(Self(id))
    }
}

/// The bytes or text are no Ed25519 public key.
#[derive(Debug, thiserror::Error)]
#[error("not an ed25519 public key")]
pub struct NotAKey;

impl PublicKey {
    /// The key of a log with these 32 bytes.
    ///
    /// # Errors
    /// [`NotAKey`].
    pub fn new(origin: &Origin, bytes: &[u8]) -> Result<Self, NotAKey> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| NotAKey)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| NotAKey)?;
        // A key of small order verifies signatures of more than one text.
        if key.is_weak() {
            return Err(NotAKey);
        }
        Ok(Self { id: KeyId::of(origin, &key), key })
    }

    /// The key of a log from its SubjectPublicKeyInfo as PEM.
    ///
    /// # Errors
    /// [`NotAKey`].
    pub fn from_pem(origin: &Origin, pem: &str) -> Result<Self, NotAKey> {
        let body = pem
            .trim()
            .strip_prefix("-----BEGIN PUBLIC KEY-----")
            .and_then(|rest| rest.strip_suffix("-----END PUBLIC KEY-----"))
            .ok_or(NotAKey)?;
        let body: String = body.split_whitespace().collect();
        let der = STANDARD.decode(body).map_err(|_| NotAKey)?;
        Self::new(origin, der.strip_prefix(&SPKI_HEAD).ok_or(NotAKey)?)
    }

    /// Its short name.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Its 32 bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// As `openssl` reads it.
    pub fn pem(&self) -> String {
        let der = [SPKI_HEAD.as_slice(), self.bytes()].concat();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
    }

    /// As programs that read signed notes want it: name, short name and key.
    pub fn note_key(&self, origin: &Origin) -> String {
        let key = [&[ED25519], self.bytes().as_slice()].concat();
        format!("{}+{}+{}", origin.as_str(), self.id, STANDARD.encode(key))
    }

    /// SHA-256 over the SubjectPublicKeyInfo, in groups of four digits: what is read out over the
    /// telephone, and what `openssl pkey -pubin -outform DER | sha256sum` gives.
    pub fn fingerprint(&self) -> String {
        let der = [SPKI_HEAD.as_slice(), self.bytes()].concat();
        let hex = ContentHash::of(&der).to_hex();
        let groups: Vec<_> = (0..hex.len()).step_by(4).map(|at| &hex[at..at + 4]).collect();
        groups.join(" ")
    }

    /// Whether this key signed `text`.
    pub fn signed(&self, text: &[u8], signature: &[u8; 64]) -> bool {
        self.key.verify_strict(text, &Signature::from_bytes(signature)).is_ok()
    }
}

/// Signs what a log is. Its own bytes are wiped when it is dropped and never shown.
#[derive(Clone)]
pub struct Signer {
    origin: Origin,
    key: SigningKey,
    public: PublicKey,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("key", &self.public.id).finish_non_exhaustive()
    }
}

impl Signer {
    /// Signs for a log with this key.
    pub fn new(origin: Origin, key: SigningKey) -> Self {
        let verifying = key.verifying_key();
        let public = PublicKey { id: KeyId::of(&origin, &verifying), key: verifying };
        Self { origin, key, public }
    }

    /// The log's name.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What its signatures are held against.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The signature over any text of ours. No two kinds of text may be taken for each other:
    /// checkpoints begin with the log's name and a number, key changes with words, lists of sums
    /// with a sum.
    pub fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.key.sign(text).to_bytes()
    }

    /// The whole note of a checkpoint.
    pub fn note(&self, checkpoint: &Checkpoint) -> String {
        let text = checkpoint.text(&self.origin);
        let signature = self.sign(text.as_bytes());
        let signed = [self.public.id.0.as_slice(), &signature].concat();
        format!("{text}\n— {} {}\n", self.origin.as_str(), STANDARD.encode(signed))
    }
}

/// A note as it was read: nothing is known of its signatures yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Whose log.
    pub origin: Origin,
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The very text that was signed.
    pub text: String,
    /// Who says to have signed: those lines that bear the log's own name.
    pub signatures: Vec<(KeyId, [u8; 64])>,
}

/// The text is no signed checkpoint of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotANote {
    /// No blank line between text and signatures, or no line's end.
    #[error("no text and signatures are told apart")]
    NoParts,
    /// Name, size, head or time.
    #[error("line {0} cannot be read")]
    Line(usize),
    /// A line below the text.
    #[error("a signature line cannot be read")]
    Signature,
}

impl Note {
    /// Reads a note.
    ///
    /// # Errors
    /// [`NotANote`].
    pub fn parse(note: &str) -> Result<Self, NotANote> {
        if note.len() > MOST_NOTE_BYTES || !note.ends_with('\n') {
            return Err(NotANote::NoParts);
        }
        // The last blank line: the text itself may have some.
        let at = note.rfind("\n\n").ok_or(NotANote::NoParts)?;
        let (text, below) = (&note[..=at], &note[at + 2..]);
        let mut lines = text.lines();
        let origin = lines.next().filter(|l| is_name(l)).ok_or(NotANote::Line(1))?;
        let size = lines.next().and_then(decimal).ok_or(NotANote::Line(2))?;
        let root = lines
            .next()
            .and_then(|line| STANDARD.decode(line).ok())
            .and_then(|root| <[u8; 32]>::try_from(root).ok())
            .ok_or(NotANote::Line(3))?;
        let at = lines
            .next()
            .and_then(|line| line.strip_prefix("time ")?.parse().ok())
            .ok_or(NotANote::Line(4))?;
        let mut signatures = Vec::new();
        for line in below.lines() {
            let (name, signed) = line
                .strip_prefix("— ")
                .and_then(|line| line.split_once(' '))
                .ok_or(NotANote::Signature)?;
            let signed = STANDARD.decode(signed).map_err(|_| NotANote::Signature)?;
            // Of others, witnesses of all kinds, nothing is known or asked.
            if name != origin {
                continue;
            }
            if let Some((id, signature)) = signed.split_first_chunk::<4>()
                && let Ok(signature) = signature.try_into()
            {
                signatures.push((KeyId(*id), signature));
            }
        }
        if below.is_empty() {
            return Err(NotANote::Signature);
        }
        let checkpoint = Checkpoint { size, root: ContentHash::new(root), at };
        Ok(Self {
            origin: Origin(origin.to_owned()),
            checkpoint,
            text: text.to_owned(),
            signatures,
        })
    }

    /// The key of these that signed it, if one did.
    pub fn signer<'k>(&self, keys: &'k [PublicKey]) -> Option<&'k PublicKey> {
        self.signatures.iter().find_map(|(id, signature)| {
            keys.iter().find(|key| key.id == *id && key.signed(self.text.as_bytes(), signature))
        })
    }
}

fn is_name(line: &str) -> bool {
    !line.is_empty() && !line.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}

/// A number without sign and leading zeros, as the format demands.
fn decimal(line: &str) -> Option<u64> {
    let plain = line == "0" || !line.starts_with('0');
    (plain && line.bytes().all(|b| b.is_ascii_digit())).then(|| line.parse().ok())?
}

/// The notes of a file that holds several one after the other, each with the number of its first
/// line, from 1. What is between them and cannot be read is given as it stands.
pub fn notes(file: &str) -> Vec<(usize, Result<Note, NotANote>)> {
    let mut notes = Vec::new();
    let (mut one, mut began, mut below) = (String::new(), 1, false);
    for (n, line) in (1..).zip(file.split_inclusive('\n')) {
        let is_signature = line.starts_with("— ");
        // After the last signature of a note the next one begins.
        if below && !is_signature {
            notes.push((began, Note::parse(&one)));
            one.clear();
            (began, below) = (n, false);
        }
        // Blank lines between notes belong to nobody.
        if one.is_empty() && line.trim().is_empty() {
            began = n + 1;
            continue;
        }
        below = is_signature;
        one.push_str(line);
    }
    if !one.is_empty() {
        notes.push((began, Note::parse(&one)));
    }
    notes
}

/// The text by which an old key says which one follows it.
pub fn key_change(origin: &Origin, old: KeyId, new: &PublicKey) -> String {
    format!(
        "uppsikt key change\n{}\n{old}\n{}\n{}\n",
        origin.as_str(),
        new.id,
        hex::encode(new.bytes())
    )
}
