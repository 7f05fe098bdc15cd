//! Mail addresses: a person's mailbox or one of an office.

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

/// What names an authority in a host.
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
    "gov",
    "1177",
    "arbetsformedlingen",
    "trafikverket",
    "migrationsverket",
    "skolverket",
    "socialstyrelsen",
    "naturvardsverket",
    "domstol",
    "aklagare",
    "svenskakyrkan",
    "stad.",
    "stadsmission",
    "kronofogden",
    "boverket",
    "lantmateriet",
    "transportstyrelsen",
    "livsmedelsverket",
    "folkhalsomyndigheten",
    "imy",
];

/// Whose mailbox `address` (folded) is.
pub fn mailbox(address: &[u8]) -> Mailbox {
    let plain = address::without_brackets(address);
    let address = plain.as_deref().unwrap_or(address);
    let address = address.strip_prefix(b"mailto:").unwrap_or(address);
    let Some(at) = memchr::memchr(b'@', address) else { return Mailbox::Office };
    of(&address[..at], &address[at + 1..])
}

/// Whose mailbox it is, by local part and host.
pub fn of(local: &[u8], host: &[u8]) -> Mailbox {
    let first = host.split(|b| *b == b'.').next().unwrap_or(host);
    if PRIVATE_HOSTS.contains(&first) {
        return Mailbox::Private;
    }
    let named = AUTHORITIES.iter().any(|a| memchr::memmem::find(host, a.as_bytes()).is_some());
    let mut words = local.split(|b| matches!(b, b'.' | b'_' | b'-' | b'+'));
    let office = |word: &[u8]| {
        let word: &[u8] = word.strip_suffix(b"en").or(word.strip_suffix(b"et")).unwrap_or(word);
        OFFICES.iter().any(|o| {
            o.as_bytes() == word
                || o.len() >= 4 && (word.starts_with(o.as_bytes()) || word.ends_with(o.as_bytes()))
        })
    };
    if named || words.any(office) { Mailbox::Office } else { Mailbox::Private }
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
        ] {
            assert_eq!(mailbox(address.as_bytes()), want, "{address}");
        }
    }
}
