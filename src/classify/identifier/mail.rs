//! Mail addresses: a person's mailbox or one of an office.

use smallvec::SmallVec;

use crate::classify::address;

/// Whose mailbox it is, by its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mailbox {
    /// At a provider of private mail, or with a person's name.
    Private,
    /// `info@`, `registrator@`, or any at an authority.
    Office,
}

/// Hosts that give private persons mail, without top domain.
const PRIVATE_HOSTS: &[&[u8]] = &[
    b"gmail",
    b"googlemail",
    b"hotmail",
    b"outlook",
    b"live",
    b"msn",
    b"yahoo",
    b"icloud",
    b"me",
    b"mac",
    b"aol",
    b"proton",
    b"protonmail",
    b"tutanota",
    b"gmx",
    b"mail",
    b"telia",
    b"comhem",
    b"bredband",
    b"tele2",
    b"swipnet",
    b"spray",
    b"passagen",
    b"home",
    b"bahnhof",
    b"glocalnet",
    b"ownit",
    b"tuta",
    b"zoho",
    b"yandex",
    b"fastmail",
    b"hushmail",
    b"bredband2",
    b"brevet",
];

/// What names an office rather than a person, at the start of the local part.
const OFFICES: &[&str] = &[
    "info",
    "kontakt",
    "contact",
    "kundtjanst",
    "kundtjänst",
    "kundservice",
    "kundcenter",
    "kommun",
    "registrator",
    "diarium",
    "diariet",
    "arkiv",
    "kansli",
    "expedition",
    "reception",
    "vaxel",
    "växel",
    "support",
    "help",
    "hjalp",
    "service",
    "servicecenter",
    "order",
    "bestallning",
    "bestall",
    "bokning",
    "boka",
    "booking",
    "faktura",
    "invoice",
    "ekonomi",
    "lon",
    "personal",
    "jobb",
    "jobs",
    "rekrytering",
    "press",
    "media",
    "redaktion",
    "nyhet",
    "webb",
    "web",
    "webmaster",
    "admin",
    "post",
    "mail",
    "office",
    "sales",
    "salj",
    "marknad",
    "hej",
    "hello",
    "fraga",
    "fragor",
    "felanmal",
    "felanmalan",
    "anmal",
    "bibliotek",
    "biblioteket",
    "skola",
    "skolan",
    "forskola",
    "rektor",
    "fritid",
    "kultur",
    "museum",
    "museet",
    "simhall",
    "turist",
    "turism",
    "bygglov",
    "bygg",
    "miljo",
    "miljö",
    "plan",
    "stadsbyggnad",
    "samhallsbyggnad",
    "teknik",
    "tekniska",
    "gata",
    "gatakontoret",
    "park",
    "vatten",
    "va",
    "renhallning",
    "avfall",
    "atervinning",
    "social",
    "socialtjanst",
    "socialjour",
    "vard",
    "omsorg",
    "hemtjanst",
    "aldre",
    "utbildning",
    "barn",
    "overformyndare",
    "konsument",
    "budget",
    "naringsliv",
    "energi",
    "fjarrvarme",
    "bostad",
    "bostader",
    "uthyrning",
    "styrelse",
    "styrelsen",
    "ordforande",
    "forening",
    "kassor",
    "sekreterare",
    "medlem",
    "valberedning",
    "tavling",
    "lotteri",
    "noreply",
    "no-reply",
    "dataskydd",
    "dpo",
    "gdpr",
    "privacy",
    "abuse",
    "postmaster",
    "namnd",
    "namnden",
    "kommunstyrelsen",
    "ks",
    "bun",
    "trafik",
    "raddning",
    "raddningstjanst",
    "polis",
    "lan",
    "lansstyrelsen",
    "synpunkt",
    "synpunkter",
    "medborgare",
    "medborgarservice",
    "kontaktcenter",
    "event",
    "biljett",
    "biljetter",
    "shop",
    "butik",
    "webbshop",
    "prenumeration",
    "nyhetsbrev",
    "kyrka",
    "pastorsexp",
    "forsamling",
    "sommarjobb",
    "ungdom",
    "arbetsmarknad",
    "integration",
    "upphandling",
    "inkop",
    "lokal",
    "lokaler",
    "idrott",
    "sport",
    "hamn",
    "gymnasiet",
    "gymnasium",
    "vuxenutbildning",
    "sfi",
];

/// What names an authority in a label of a host.
const AUTHORITIES: &[&str] = &[
    "kommun",
    "region",
    "myndighet",
    "polisen",
    "skatteverket",
    "forsakringskassan",
    "lansstyrelsen",
    "regeringen",
    "riksdagen",
    "arbetsformedlingen",
    "trafikverket",
    "migrationsverket",
    "skolverket",
    "socialstyrelsen",
    "naturvardsverket",
    "domstol",
    "aklagare",
    "svenskakyrkan",
    "stadsmission",
    "kronofogden",
    "boverket",
    "lantmateriet",
    "transportstyrelsen",
    "livsmedelsverket",
    "folkhalsomyndigheten",
];

/// Whose mailbox `address` (folded) is.
pub fn mailbox(address: &[u8]) -> Mailbox {
    let plain = address::without_brackets(address);
    let address = plain.as_deref().unwrap_or(address);
    let address = address.strip_prefix(b"mailto:").unwrap_or(address);
    let Some(at) = memchr::memchr(b'@', address) else { return Mailbox::Office };
    of(&address[..at], &address[at + 1..])
}

/// Endings of hosts under which names are registered a label further in.
const SECOND_LEVEL: &[&[u8]] = &[b"co", b"com", b"org", b"net", b"ac", b"gov"];

type Labels<'a> = SmallVec<[&'a [u8]; 8]>;

/// The labels of a host, also of one written out: *exempel punkt se*.
fn labels(host: &[u8]) -> Labels<'_> {
    let path = host.iter().position(|b| matches!(b, b'/' | b'?' | b':' | b'#'));
    let host = &host[..path.unwrap_or(host.len())];
    let written_out = host.iter().any(|b| matches!(b, b' ' | b'(' | b'[' | b'{' | b'<'));
    let is_stop = |label: &[u8]| matches!(label, b"dot" | b"punkt" | b"prick");
    host.split(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_') || *b >= 0x80))
        .filter(|label| !(label.is_empty() || written_out && is_stop(label)))
        .collect()
}

/// The name that is registered: `exempel` of *post.exempel.se* and of *exempel.co.uk*. A host
/// without top domain is a name alone: *kim snabel-a gmail*.
fn registered<'a>(labels: &[&'a [u8]]) -> &'a [u8] {
    match labels {
        [.., name, second, top] if top.len() == 2 && SECOND_LEVEL.contains(second) => name,
        [.., name, _] | [name] => name,
        [] => b"",
    }
}

/// Whether a label of a host names an authority: by any part of it, by its end, or all of it.
fn is_authority(label: &[u8]) -> bool {
    AUTHORITIES.iter().any(|a| memchr::memmem::find(label, a.as_bytes()).is_some())
        || label.ends_with(b"stad")
        || matches!(label, b"gov" | b"imy" | b"1177")
}

/// Whose mailbox it is, by local part and host. What is registered decides before the names of
/// servers under it, and an authority before a provider: *info@mail.exempelkommun.se*.
pub fn of(local: &[u8], host: &[u8]) -> Mailbox {
    let labels = labels(host);
    let name = registered(&labels);
    if is_authority(name) {
        return Mailbox::Office;
    }
    if PRIVATE_HOSTS.contains(&name) {
        return Mailbox::Private;
    }
    if labels.iter().any(|label| is_authority(label)) {
        return Mailbox::Office;
    }
    let mut words = local.split(|b| matches!(b, b'.' | b'_' | b'-' | b'+'));
    let office = |word: &[u8]| {
        let word: &[u8] = word.strip_suffix(b"en").or(word.strip_suffix(b"et")).unwrap_or(word);
        OFFICES.iter().any(|o| {
            o.as_bytes() == word
                || o.len() >= 4 && (word.starts_with(o.as_bytes()) || word.ends_with(o.as_bytes()))
        })
    };
    if words.any(office) { Mailbox::Office } else { Mailbox::Private }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_of_persons_and_offices_are_told_apart() {
        for (address, want) in [
            ("kim.exempel@hemma.example", Mailbox::Private),
            ("kimmen85@gmail.com", Mailbox::Private),
            ("info@gmail.com", Mailbox::Private),
            ("kim@exempelfirma.example", Mailbox::Private),
            ("k.exempel@telia.com", Mailbox::Private),
            ("info@exempelstad.example", Mailbox::Office),
            ("kontaktcenter@exempelstad.example", Mailbox::Office),
            ("registrator@exempelstad.example", Mailbox::Office),
            ("kommunen@exempelstad.example", Mailbox::Office),
            ("kim.exempel@exempelkommun.example", Mailbox::Office),
            ("bygg-miljo@exempelstad.example", Mailbox::Office),
            ("centralskolan@exempelstad.example", Mailbox::Office),
            ("kim(at)exempel(punkt)se", Mailbox::Private),
            ("info[at]exempel.se", Mailbox::Office),
            ("mailto:info@exempelstad.example", Mailbox::Office),
            ("info@mail.exempelkommun.example", Mailbox::Office),
            ("kim.exempel@home.exempelstad.example", Mailbox::Office),
            ("kim.exempel@kommun.exempelort.example", Mailbox::Office),
            ("kim.exempel@live.region.example", Mailbox::Office),
            ("info@mail.exempelort.example", Mailbox::Office),
            ("kim.exempel@me.exempelort.example", Mailbox::Private),
            ("info@post.gmail.com", Mailbox::Private),
            ("kimmen85@yahoo.co.uk", Mailbox::Private),
            ("kim.exempel@govbro.example", Mailbox::Private),
        ] {
            assert_eq!(mailbox(address.as_bytes()), want, "{address}");
        }
    }

    #[test]
    fn hosts_written_out_are_read_alike() {
        for (local, host, want) in [
            ("info", "gmail punkt com", Mailbox::Private),
            ("info", "gmail", Mailbox::Private),
            ("kim", "mail punkt exempelkommun punkt se", Mailbox::Office),
            ("info", "exempel (dot) se", Mailbox::Office),
            ("kim", "punkt.example", Mailbox::Private),
            ("kim", "exempelort.example/kommun", Mailbox::Private),
        ] {
            assert_eq!(of(local.as_bytes(), host.as_bytes()), want, "{local} {host}");
        }
    }
}
