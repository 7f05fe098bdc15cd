//! Time stamps by an authority (RFC 3161 with RFC 5816): the question, and whether an answer may be
//! kept as proof.
//!
//! The chain of certificates and all signatures are checked by `webpki`, the shapes here. What is
//! not done: asking whether a certificate was revoked.

mod der;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, UnixTime};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq as _;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert, aws_lc_rs};

use crate::domain::ids::ContentHash;
use der::{
    BOOLEAN, BadDer, Element, INTEGER, NULL, OCTETS, OID, Reader, SEQUENCE, SET, TIME, UTF8,
    context, write,
};

/// The media type of a question (RFC 3161 section 3.4).
pub const QUERY_TYPE: &str = "application/timestamp-query";

/// An answer with its certificates is some 5 kB.
pub const MOST_ANSWER_BYTES: usize = 256 * 1024;

/// So far may an authority's clock and ours differ when an answer comes in.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

// Object identifiers, without tag and length.
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
const SHA384: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02];
const SHA512: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03];
const SIGNED_DATA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x02];
const TST_INFO: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x01, 0x04];
const CONTENT_TYPE: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x03];
const MESSAGE_DIGEST: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x04];
const SIGNING_CERTIFICATE: &[u8] =
    &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x02, 0x0C];
const SIGNING_CERTIFICATE_V2: &[u8] =
    &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x10, 0x02, 0x2F];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x25];
const TIME_STAMPING: &[u8] = &[0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];
const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
const RSA_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0B];
const RSA_SHA384: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0C];
const RSA_SHA512: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0D];
const ECDSA_SHA256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];
const ECDSA_SHA384: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x03];
const ECDSA_SHA512: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x04];

/// Why an answer may not be kept. The text for people is [`StampError::swedish`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StampError {
    /// The certificate we were told to trust cannot be read.
    #[error("the trusted certificate cannot be read")]
    BadRoot,
    /// Not an answer at all, or one of a shape that we do not know.
    #[error("the answer is not a time stamp response: {0}")]
    Shape(&'static str),
    /// The authority says no.
    #[error("the authority refused: status {status}")]
    Refused {
        /// RFC 3161 section 2.4.2.
        status: u8,
        /// What it says about it.
        why: String,
    },
    /// It stamps something else than what was asked.
    #[error("the stamp is of something else")]
    OtherImprint,
    /// It answers another question.
    #[error("the answer is to another question")]
    OtherNonce,
    /// The time it states cannot be right.
    #[error("the stated time {0} is not now")]
    WrongTime(Timestamp),
    /// Signed by nobody that we trust, or not at all.
    #[error("the signature does not hold: {0}")]
    Signature(&'static str),
}

impl StampError {
    /// For people.
    pub fn swedish(&self) -> String {
        match self {
            Self::BadRoot => "certifikatet som stämplar ska prövas mot går inte att läsa".into(),
            Self::Shape(what) => format!("svaret är inte en tidsstämpel ({what})"),
            Self::Refused { status, why } if why.is_empty() => {
                format!("stämpeltjänsten avböjde (status {status})")
            }
            Self::Refused { status, why } => {
                format!("stämpeltjänsten avböjde (status {status}: {why})")
            }
            Self::OtherImprint => "stämpeln gäller något annat än kontrollpunkten".into(),
            Self::OtherNonce => "svaret hör till en annan fråga".into(),
            Self::WrongTime(at) => {
                format!("stämpelns tid {at} stämmer inte med klockan: kontrollera klockan")
            }
            Self::Signature(what) => format!("stämpelns underskrift håller inte ({what})"),
        }
    }
}

impl From<BadDer> for StampError {
    fn from(_: BadDer) -> Self {
        Self::Shape("asn.1")
    }
}

/// What an answer that holds says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The time it states.
    pub at: Timestamp,
    /// Whether the answer carries the nonce of a question; given back to compare.
    pub nonce: Option<Vec<u8>>,
}

/// A question that was not answered yet.
#[derive(Clone, Debug)]
pub struct Query {
    der: Vec<u8>,
    nonce: Vec<u8>,
}

impl Query {
    /// Asks for a stamp on `data`; `random` becomes the number by which the answer is known.
    pub fn new(data: &[u8], random: [u8; 8]) -> Self {
        // Positive and in shortest form: 01 to 7F first.
        let mut nonce = random.to_vec();
        nonce[0] = nonce[0] & 0x7F | 0x01;
        let algorithm = write(SEQUENCE, &[write(OID, SHA256), write(NULL, &[])].concat());
        let digest = ContentHash::of(data);
        let imprint = write(SEQUENCE, &[algorithm, write(OCTETS, digest.bytes())].concat());
        let der = [
            write(INTEGER, &[1]),
            imprint,
            write(INTEGER, &nonce),
            // With its certificates, or nobody could check it later.
            write(BOOLEAN, &[0xFF]),
        ];
        Self { der: write(SEQUENCE, &der.concat()), nonce }
    }

    /// The bytes to send.
    pub fn bytes(&self) -> &[u8] {
        &self.der
    }

    /// Whether an answer that came in at `now` is one to this question about `data`, and holds.
    ///
    /// # Errors
    /// [`StampError`].
    pub fn check(
        &self,
        answer: &[u8],
        data: &[u8],
        ca_pem: &str,
        now: Timestamp,
    ) -> Result<Stamp, StampError> {
        let stamp = check(answer, data, ca_pem)?;
        if stamp.nonce.as_deref() != Some(&self.nonce) {
            return Err(StampError::OtherNonce);
        }
        if now.duration_since(stamp.at).abs() > CLOCKS_DIFFER {
            return Err(StampError::WrongTime(stamp.at));
        }
        Ok(stamp)
    }
}

/// SHA-256 over the first certificate of a PEM file, in groups of four digits; nothing where there is
/// none. `openssl x509 -outform DER | sha256sum` gives the same.
pub fn fingerprint(ca_pem: &str) -> Option<String> {
    let first = CertificateDer::pem_slice_iter(ca_pem.as_bytes()).next()?.ok()?;
    let hex = ContentHash::of(&first).to_hex();
    let groups: Vec<_> = (0..hex.len()).step_by(4).map(|at| &hex[at..at + 4]).collect();
    Some(groups.join(" "))
}

/// Whether an answer is a stamp on `data` by somebody that `ca_pem` (one or more root certificates)
/// vouches for, as it stood at the time it states.
///
/// # Errors
/// [`StampError`].
pub fn check(answer: &[u8], data: &[u8], ca_pem: &str) -> Result<Stamp, StampError> {
    let token = granted(answer)?;
    let signed = signed_data(token)?;
    let info = info(signed.content)?;
    let imprint = digest(info.algorithm, data).ok_or(StampError::Shape("kontrollsummans slag"))?;
    if imprint.ct_ne(info.imprint).into() {
        return Err(StampError::OtherImprint);
    }
    signed.check(ca_pem, info.at)?;
    Ok(Stamp { at: info.at, nonce: info.nonce.map(<[u8]>::to_vec) })
}

/// The token of an answer that grants one.
fn granted(answer: &[u8]) -> Result<Element<'_>, StampError> {
    let mut response = Reader::only(answer, SEQUENCE)?.inside();
    let mut status = response.expect(SEQUENCE)?.inside();
    let code = match status.expect(INTEGER)?.content {
        [code] => *code,
        _ => return Err(StampError::Shape("status")),
    };
    // Granted, or granted with changes.
    if code > 1 {
        let why = match status.maybe(SEQUENCE)? {
            Some(texts) => texts.inside().maybe(UTF8)?.map(|text| text.content).unwrap_or(&[]),
            None => &[],
        };
        let why = String::from_utf8_lossy(why);
        let why = why.chars().filter(|c| !c.is_control()).take(200).collect();
        return Err(StampError::Refused { status: code, why });
    }
    let token = response.expect(SEQUENCE)?;
    response.done()?;
    Ok(token)
}

/// What a CMS SignedData (RFC 5652 section 5) holds, as far as a time stamp has it.
struct Signed<'d> {
    /// The TSTInfo, as signed.
    content: &'d [u8],
    certificates: Vec<Element<'d>>,
    /// The signed attributes as they are signed: a SET.
    attributes: Vec<u8>,
    /// Of the one signer.
    digest: &'d [u8],
    algorithm: &'d [u8],
    signature: &'d [u8],
}

fn signed_data(token: Element<'_>) -> Result<Signed<'_>, StampError> {
    let mut token = token.inside();
    if token.expect(OID)?.content != SIGNED_DATA {
        return Err(StampError::Shape("inte undertecknat"));
    }
    let explicit = token.expect(context(0))?;
    token.done()?;
    let mut data = Reader::only(explicit.content, SEQUENCE)?.inside();
    data.expect(INTEGER)?;
    data.expect(SET)?;
    let mut content = data.expect(SEQUENCE)?.inside();
    if content.expect(OID)?.content != TST_INFO {
        return Err(StampError::Shape("inte en stämpel"));
    }
    let explicit = content.expect(context(0))?;
    let content = Reader::only(explicit.content, OCTETS)?.content;
    let certificates = match data.maybe(context(0))? {
        Some(set) => set.inside().all()?,
        None => Vec::new(),
    };
    data.maybe(context(1))?;
    let signers = data.expect(SET)?.inside().all()?;
    data.done()?;
    // RFC 3161 section 2.4.2: the one signature is the authority's.
    let [signer] = signers.as_slice() else { return Err(StampError::Shape("flera underskrifter")) };
    if signer.tag != SEQUENCE {
        return Err(StampError::Shape("underskrift"));
    }
    let mut signer = signer.inside();
    signer.expect(INTEGER)?;
    // Whose: told by name or number. The signed attributes tell it by hash, which is held.
    signer.next()?.ok_or(BadDer)?;
    let digest = oid_of(signer.expect(SEQUENCE)?)?;
    let attributes = signer.expect(context(0))?;
    let algorithm = oid_of(signer.expect(SEQUENCE)?)?;
    let signature = signer.expect(OCTETS)?.content;
    signer.maybe(context(1))?;
    signer.done()?;
    let attributes = write(SET, attributes.content);
    Ok(Signed { content, certificates, attributes, digest, algorithm, signature })
}

/// The identifier of an AlgorithmIdentifier. None of those that are taken has parameters that matter.
fn oid_of(algorithm: Element<'_>) -> Result<&[u8], BadDer> {
    Ok(algorithm.inside().expect(OID)?.content)
}

/// What a TSTInfo says, as far as it is held.
struct Info<'d> {
    algorithm: &'d [u8],
    imprint: &'d [u8],
    at: Timestamp,
    nonce: Option<&'d [u8]>,
}

fn info(content: &[u8]) -> Result<Info<'_>, StampError> {
    let mut info = Reader::only(content, SEQUENCE)?.inside();
    if info.expect(INTEGER)?.content != [1] {
        return Err(StampError::Shape("version"));
    }
    info.expect(OID)?;
    let mut imprint = info.expect(SEQUENCE)?.inside();
    let algorithm = oid_of(imprint.expect(SEQUENCE)?)?;
    let imprint = imprint.expect(OCTETS)?.content;
    info.expect(INTEGER)?;
    let at = time(info.expect(TIME)?.content).ok_or(StampError::Shape("tid"))?;
    info.maybe(SEQUENCE)?;
    info.maybe(BOOLEAN)?;
    let nonce = info.maybe(INTEGER)?.map(|nonce| nonce.content);
    info.maybe(context(0))?;
    if info.maybe(context(1))?.is_some() {
        // Extensions may say that the stamp is not what it looks like.
        return Err(StampError::Shape("tillägg"));
    }
    info.done()?;
    Ok(Info { algorithm, imprint, at, nonce })
}

/// `20261122140000Z`, with fractions or without.
fn time(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (digits, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits.len() != 14 || !all_digits(digits) || !all_digits(fraction) {
        return None;
    }
    let (date, clock) = digits.split_at(8);
    format!(
        "{}-{}-{}T{}:{}:{}.{fraction:.9}Z",
        &date[..4],
        &date[4..6],
        &date[6..],
        &clock[..2],
        &clock[2..4],
        &clock[4..]
    )
    .parse()
    .ok()
}

fn digest(algorithm: &[u8], data: &[u8]) -> Option<Vec<u8>> {
    match algorithm {
        SHA256 => Some(Sha256::digest(data).to_vec()),
        SHA384 => Some(Sha384::digest(data).to_vec()),
        SHA512 => Some(Sha512::digest(data).to_vec()),
        _ => None,
    }
}

impl Signed<'_> {
    /// That the signature is that of a certificate which may sign time stamps and which a trusted
    /// root vouched for at that time.
    fn check(&self, ca_pem: &str, at: Timestamp) -> Result<(), StampError> {
        use StampError::Signature;
        let certificate = self.signers_certificate()?;
        let der = CertificateDer::from(certificate.whole);
        let end = EndEntityCert::try_from(&der).map_err(|_| Signature("certifikatet"))?;
        let is_signed = algorithms(self.algorithm, self.digest)
            .into_iter()
            .any(|known| end.verify_signature(known, &self.attributes, self.signature).is_ok());
        if !is_signed {
            return Err(Signature("den är inte certifikatets"));
        }
        if !stamps_alone(certificate)? {
            return Err(Signature("certifikatet är inte för tidsstämplar"));
        }
        let roots = CertificateDer::pem_slice_iter(ca_pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| StampError::BadRoot)?;
        let anchors = roots
            .iter()
            .map(anchor_from_trusted_cert)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| StampError::BadRoot)?;
        if anchors.is_empty() {
            return Err(StampError::BadRoot);
        }
        let others: Vec<_> =
            self.certificates.iter().map(|other| CertificateDer::from(other.whole)).collect();
        let seconds = u64::try_from(at.as_second()).map_err(|_| StampError::WrongTime(at))?;
        end.verify_for_usage(
            ALL_VERIFICATION_ALGS,
            &anchors,
            &others,
            UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
            // Of the signer's own certificate more is asked above.
            KeyUsage::required_if_present(TIME_STAMPING),
            None,
            None,
        )
        .map_err(|_| Signature("ingen vi litar på har utfärdat certifikatet"))?;
        Ok(())
    }

    /// The certificate that the signed attributes name by its hash, once they are found to be about
    /// this very content.
    fn signers_certificate(&self) -> Result<Element<'_>, StampError> {
        let (mut kind, mut said, mut hash) = (false, false, None);
        for attribute in Reader::only(&self.attributes, SET)?.inside().all()? {
            let mut attribute = attribute.inside();
            let name = attribute.expect(OID)?.content;
            let values = attribute.expect(SET)?;
            match name {
                CONTENT_TYPE => kind = Reader::only(values.content, OID)?.content == TST_INFO,
                MESSAGE_DIGEST => {
                    let own = digest(self.digest, self.content)
                        .ok_or(StampError::Shape("kontrollsummans slag"))?;
                    said = Reader::only(values.content, OCTETS)?.content == own;
                }
                SIGNING_CERTIFICATE_V2 => {
                    let mut first = first_certificate(values)?;
                    let algorithm = match first.maybe(SEQUENCE)? {
                        Some(algorithm) => oid_of(algorithm)?,
                        None => SHA256,
                    };
                    hash = Some((Some(algorithm.to_vec()), first.expect(OCTETS)?.content.to_vec()));
                }
                SIGNING_CERTIFICATE if hash.is_none() => {
                    let mut first = first_certificate(values)?;
                    hash = Some((None, first.expect(OCTETS)?.content.to_vec()));
                }
                _ => {}
            }
        }
        if !kind || !said {
            return Err(StampError::Signature("den gäller ett annat innehåll"));
        }
        let (algorithm, hash) =
            hash.ok_or(StampError::Signature("den namnger inget certifikat"))?;
        let named = |certificate: &&Element<'_>| match &algorithm {
            Some(algorithm) => digest(algorithm, certificate.whole).is_some_and(|own| own == hash),
            // The older attribute has SHA-1 (RFC 2634), here but a name among the few that came.
            None => sha1(certificate.whole) == hash,
        };
        let found = self.certificates.iter().find(named).copied();
        found.ok_or(StampError::Signature("certifikatet följer inte med"))
    }
}

fn sha1(bytes: &[u8]) -> Vec<u8> {
    use sha1::Digest as _;
    sha1::Sha1::digest(bytes).to_vec()
}

/// The first ESSCertID of a SigningCertificate, which is the signer's (RFC 5035).
fn first_certificate(values: Element<'_>) -> Result<Reader<'_>, BadDer> {
    let mut named = Reader::only(values.content, SEQUENCE)?.inside();
    Ok(named.expect(SEQUENCE)?.inside().expect(SEQUENCE)?.inside())
}

/// Whether a certificate says, critically, that it is for time stamps and nothing else (RFC 3161
/// section 2.3).
fn stamps_alone(certificate: Element<'_>) -> Result<bool, BadDer> {
    let mut tbs = certificate.inside().expect(SEQUENCE)?.inside();
    let extensions = loop {
        match tbs.next()? {
            Some(field) if field.tag == context(3) => break field,
            Some(_) => {}
            None => return Ok(false),
        }
    };
    for extension in Reader::only(extensions.content, SEQUENCE)?.inside().all()? {
        let mut extension = extension.inside();
        if extension.expect(OID)?.content != EXTENDED_KEY_USAGE {
            continue;
        }
        let critical = extension.maybe(BOOLEAN)?.is_some_and(|b| b.content == [0xFF]);
        let value = extension.expect(OCTETS)?;
        let uses = Reader::only(value.content, SEQUENCE)?.inside().all()?;
        return Ok(critical && matches!(uses.as_slice(), [one] if one.content == TIME_STAMPING));
    }
    Ok(false)
}

/// What a signature of this kind may be checked by.
fn algorithms(signature: &[u8], digest: &[u8]) -> Vec<&'static dyn SignatureVerificationAlgorithm> {
    match (signature, digest) {
        (RSA | RSA_SHA256, SHA256) => vec![aws_lc_rs::RSA_PKCS1_2048_8192_SHA256],
        (RSA | RSA_SHA384, SHA384) => vec![aws_lc_rs::RSA_PKCS1_2048_8192_SHA384],
        (RSA | RSA_SHA512, SHA512) => vec![aws_lc_rs::RSA_PKCS1_2048_8192_SHA512],
        (ECDSA_SHA256, SHA256) => vec![
            aws_lc_rs::ECDSA_P256_SHA256,
            aws_lc_rs::ECDSA_P384_SHA256,
            aws_lc_rs::ECDSA_P521_SHA256,
        ],
        (ECDSA_SHA384, SHA384) => vec![
            aws_lc_rs::ECDSA_P256_SHA384,
            aws_lc_rs::ECDSA_P384_SHA384,
            aws_lc_rs::ECDSA_P521_SHA384,
        ],
        (ECDSA_SHA512, SHA512) => vec![
            aws_lc_rs::ECDSA_P256_SHA512,
            aws_lc_rs::ECDSA_P384_SHA512,
            aws_lc_rs::ECDSA_P521_SHA512,
        ],
        _ => vec![],
    }
}

#[cfg(test)]
mod tests;
