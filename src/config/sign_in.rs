//! `[login]`: second factors, the authority's own provider, a proxy that vouches for people, and what groups mean.

use std::net::IpAddr;
use std::path::PathBuf;

use url::{Host, Url};

use super::reader::{At, Table};
use super::root_certificate;
use super::secret::{Places, resolve};
use crate::domain::ids::AccountKey;
use crate::domain::notice::Part;
use crate::domain::person::Role;
use crate::domain::sign_in::{Demanded, GroupRule};
use crate::runtime::secret::Secret;

/// `[login]`.
#[derive(Clone, Debug)]
pub struct LoginConfig {
    /// Who has to show a second factor.
    pub demanded: Demanded,
    /// The file of the key that second factors are sealed with.
    pub key_file: PathBuf,
    /// `[login.oidc]`, where there is one.
    pub oidc: Option<OidcConfig>,
    /// `[login.proxy]`, where there is one.
    pub proxy: Option<ProxyConfig>,
    /// `[[login.group]]`, in the order of the file.
    pub groups: Vec<GroupRule>,
}

/// `[login.oidc]`.
#[derive(Clone, Debug)]
pub struct OidcConfig {
    /// Who it is.
    pub issuer: String,
    /// What we are called there.
    pub client: String,
    /// Our secret there, where it gave us one.
    pub secret: Option<Secret>,
    /// What people know it as.
    pub name: String,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// The claim that groups stand in.
    pub groups_claim: String,
    /// It may lie on a private network.
    pub allow_private_addresses: bool,
    /// A root certificate (PEM) beside the machine's.
    pub ca_pem: Option<String>,
}

/// `[login.proxy]`.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// From where it calls.
    pub addresses: Vec<IpAddr>,
    /// The header with what the person is called for good.
    pub user_header: String,
    /// The header with their name.
    pub name_header: Option<String>,
    /// The header with their groups.
    pub groups_header: String,
    /// What stands between groups.
    pub separator: char,
}

/// Reads `[login]`.
pub(super) fn login(table: &mut Table<'_, '_>, places: &Places<'_>) -> Option<LoginConfig> {
    let demanded = demanded(table);
    let key_file = super::path(table, "key_file", "uppsikt.inloggning.nyckel", places.folder);
    let mut groups = Vec::new();
    let mut whole = true;
    for mut rule in table.tables("group") {
        let read = group(&mut rule);
        rule.done();
        match read {
            Some(read) => groups.push(read),
            None => whole = false,
        }
    }
    let oidc = part(table, "oidc", |table| oidc(table, places));
    let proxy = part(table, "proxy", proxy);
    let (oidc, proxy) = (oidc?, proxy?);
    if (oidc.is_some() || proxy.is_some()) && groups.is_empty() && whole {
        table.missing(
            "group",
            "[[login.group]] med group = \"uppsikt-redaktor\" och role = \"redaktor\"",
        );
        return None;
    }
    let (demanded, key_file) = (demanded?, key_file?);
    whole.then_some(LoginConfig { demanded, key_file, oidc, proxy, groups })
}

/// A table within the section, where there is one.
#[expect(clippy::option_option, reason = "left out and faulty are told apart")]
fn part<'s, 't, T>(
    table: &mut Table<'s, 't>,
    key: &'static str,
    read: impl FnOnce(&mut Table<'s, 't>) -> Option<T>,
) -> Option<Option<T>> {
    if !table.has(key) {
        drop(table.absent(key));
        return Some(None);
    }
    let mut inner = table.table(key)?;
    let value = read(&mut inner);
    inner.done();
    value.map(Some)
}

fn demanded(table: &mut Table<'_, '_>) -> Option<Demanded> {
    let texts = table.texts("two_factor")?.value;
    let mut words: Vec<(&'static str, Option<Role>)> =
        Role::ALL.iter().map(|role| (role.id(), Some(*role))).collect();
    words.push(("alla", None));
    let mut roles = Vec::new();
    let mut whole = true;
    for at in &texts {
        match table.one_of("two_factor", at, &words) {
            Some(Some(role)) => roles.push(role),
            Some(None) => roles.extend(Role::ALL),
            None => whole = false,
        }
    }
    whole.then(|| Demanded::of(roles))
}

fn group(table: &mut Table<'_, '_>) -> Option<GroupRule> {
    let group = table.demanded_text("group", "group = \"uppsikt-redaktor\"");
    let role = table.demanded_text("role", "role = \"redaktor\"");
    let roles: Vec<_> = Role::ALL.iter().map(|role| (role.id(), *role)).collect();
    let role = role.and_then(|at| table.one_of("role", &at, &roles).map(|role| (role, at)));
    let accounts = table.texts("accounts");
    let written = table.has("unit");
    let unit = match table.text("unit") {
        Some(at) => Some(Some(at.value)),
        None => (!written).then_some(None),
    };
    let part = table.word(
        "part",
        Part::Editor,
        &[("redaktor", Part::Editor), ("ersattare", Part::Substitute)],
    );
    let (group, (role, at), accounts, unit, part) = (group?, role?, accounts?.value, unit?, part?);
    let decides = role.may(crate::domain::person::Act::Decide);
    if !decides && (!accounts.is_empty() || unit.is_some()) {
        table.complain(&at, "`accounts` och `unit` gäller den som beslutar: `role` ska vara `redaktor` eller `kontoansvarig`");
        return None;
    }
    let accounts = accounts.into_iter().map(|at| AccountKey::new(at.value)).collect();
    Some(GroupRule { group: group.value, role, accounts, unit, part: part.value })
}

/// The issuer as it stands in tokens: an https address without query; http on this machine alone, for tests.
fn issuer(table: &Table<'_, '_>, at: &At<String>) -> Option<String> {
    let own = |url: &Url| match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    };
    let good = Url::parse(&at.value).is_ok_and(|url| {
        (url.scheme() == "https" || url.scheme() == "http" && own(&url))
            && url.host().is_some()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    });
    if good {
        return Some(at.value.clone());
    }
    table.complain(at, "`issuer` ska vara inloggningstjänstens https-adress, precis som den kallar sig själv: skriv till exempel `https://login.microsoftonline.com/KATALOG/v2.0`");
    None
}

fn oidc(table: &mut Table<'_, '_>, places: &Places<'_>) -> Option<OidcConfig> {
    let issuer_at = table
        .demanded_text("issuer", "issuer = \"https://login.microsoftonline.com/KATALOG/v2.0\"");
    let issuer = issuer_at.and_then(|at| issuer(table, &at));
    let client =
        table.demanded_text("client_id", "client_id = \"00000000-0000-0000-0000-000000000000\"");
    let written = table.has("client_secret");
    let secret = match table.text("client_secret") {
        Some(at) => match resolve("client_secret", &at.value, places) {
            Ok(secret) => Some(Some(secret)),
            Err(what) => {
                table.complain(&at, what);
                None
            }
        },
        None => (!written).then_some(None),
    };
    let name = word(table, "name", "organisationens konto");
    let scopes = table.texts("scopes");
    let scopes = scopes.map(|at| match at.value.is_empty() {
        true => vec!["profile".to_owned()],
        false => at.value.into_iter().map(|at| at.value).filter(|s| s != "openid").collect(),
    });
    let groups_claim = word(table, "groups_claim", "groups");
    let private = table.yes("allow_private_addresses", false);
    let written = table.has("ca");
    let ca_pem = match table.text("ca") {
        Some(at) => root_certificate(table, &at, places.folder, "`ca` i [login.oidc]").map(Some),
        None => (!written).then_some(None),
    };
    Some(OidcConfig {
        issuer: issuer?,
        client: client?.value,
        secret: secret?,
        name: name?,
        scopes: scopes?,
        groups_claim: groups_claim?,
        allow_private_addresses: private?.value,
        ca_pem: ca_pem?,
    })
}

/// A text, or what stands for it.
fn word(table: &mut Table<'_, '_>, key: &'static str, default: &str) -> Option<String> {
    let written = table.has(key);
    match table.text(key) {
        Some(at) => Some(at.value),
        None => (!written).then(|| default.to_owned()),
    }
}

/// The name of a header, in small letters as they are compared.
fn header(table: &Table<'_, '_>, key: &str, at: &At<String>) -> Option<String> {
    let name = at.value.to_ascii_lowercase();
    let plain = name.len() <= 60
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    // Those mean something already, and any browser sends them.
    let taken = ["cookie", "host", "origin", "authorization", "user-agent", "referer"];
    if plain && !taken.contains(&name.as_str()) {
        return Some(name);
    }
    table.complain(at, format!("`{key}` ska vara namnet på en egen rubrik, med bokstäver, siffror och bindestreck: skriv till exempel `X-Uppsikt-Anvandare`"));
    None
}

fn proxy(table: &mut Table<'_, '_>) -> Option<ProxyConfig> {
    let mut addresses = Vec::new();
    let mut whole = true;
    if !table.has("addresses") {
        table.missing("addresses", "addresses = [\"127.0.0.1\"]");
        whole = false;
    }
    let texts = table.texts("addresses");
    for at in texts.iter().flat_map(|at| &at.value) {
        match at.value.parse::<IpAddr>() {
            Ok(ip) => addresses.push(ip),
            Err(_) => {
                table.complain(at, "`addresses` ska vara en lista av IP-adresser: skriv till exempel `[\"127.0.0.1\"]`");
                whole = false;
            }
        }
    }
    if let Some(at) = &texts
        && table.has("addresses")
        && at.value.is_empty()
    {
        table.complain(at, "`addresses` är tom: skriv adressen som proxyn anropar Uppsikt från");
        whole = false;
    }
    let user = table.demanded_text("user_header", "user_header = \"X-Uppsikt-Anvandare\"");
    let user = user.and_then(|at| header(table, "user_header", &at));
    let groups = table.demanded_text("groups_header", "groups_header = \"X-Uppsikt-Grupper\"");
    let groups = groups.and_then(|at| header(table, "groups_header", &at));
    let written = table.has("name_header");
    let name = match table.text("name_header") {
        Some(at) => header(table, "name_header", &at).map(Some),
        None => (!written).then_some(None),
    };
    let separator = table.word("separator", ';', &[(";", ';'), (",", ','), ("|", '|')]);
    let (user_header, groups_header, name_header) = (user?, groups?, name?);
    let separator = separator?.value;
    whole.then_some(ProxyConfig { addresses, user_header, name_header, groups_header, separator })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::{Config, parse};
    use crate::domain::ids::AccountKey;
    use crate::domain::person::Role;

    fn read(login: &str) -> Result<Config, String> {
        let env = |name: &str| (name == "KLIENT").then(|| "hemligt".to_owned());
        let text = format!("[authority]\nname = \"Exempelstads kommun\"\n{login}");
        parse("config.toml", &text, Path::new("/etc/uppsikt"), &env).map_err(|e| e.to_string())
    }

    const GROUP: &str = "[[login.group]]\ngroup = \"uppsikt\"\nrole = \"redaktor\"\n";

    #[test]
    fn nothing_is_demanded_and_nobody_else_is_trusted_unless_it_is_written() {
        let login = read("").unwrap().login;
        assert!(login.oidc.is_none() && login.proxy.is_none() && login.groups.is_empty());
        assert!(Role::ALL.iter().all(|role| !login.demanded.of_role(*role)));
        assert_eq!(login.key_file, Path::new("/etc/uppsikt/uppsikt.inloggning.nyckel"));
    }

    #[test]
    fn a_second_factor_is_demanded_by_role_or_of_all() {
        let of = |roles: &str| {
            let login = read(&format!("[login]\ntwo_factor = [{roles}]\n")).unwrap().login;
            Role::ALL.iter().filter(|r| login.demanded.of_role(**r)).count()
        };
        assert_eq!(
            (of("\"administrator\", \"registrator\""), of("\"alla\"")),
            (2, Role::ALL.len())
        );
        let wrong = read("[login]\ntwo_factor = [\"redaktr\"]\n").unwrap_err();
        assert!(wrong.contains("menade du `redaktor`?"), "{wrong}");
    }

    #[test]
    fn a_provider_is_read_with_its_groups() {
        let text = format!(
            "[login.oidc]\nissuer = \"https://id.exempelstad.example/v2.0\"\nclient_id = \"u\"\n\
             client_secret = \"env:KLIENT\"\n{GROUP}accounts = [\"facebook\"]\nunit = \"Kultur\"\n\
             part = \"ersattare\"\n"
        );
        let login = read(&text).unwrap().login;
        let oidc = login.oidc.unwrap();
        assert_eq!((oidc.groups_claim.as_str(), oidc.scopes.len()), ("groups", 1));
        assert_eq!(login.groups[0].accounts, [AccountKey::new("facebook")]);
    }

    #[test]
    fn what_would_open_a_door_is_refused_with_its_mend() {
        let oidc = |issuer: &str| {
            format!("[login.oidc]\nissuer = \"{issuer}\"\nclient_id = \"u\"\n{GROUP}")
        };
        let proxy = |lines: &str| {
            let heads = "user_header = \"X-U\"\ngroups_header = \"X-G\"\n";
            format!("[login.proxy]\n{heads}{lines}\n{GROUP}")
        };
        for (text, words) in [
            (oidc("http://id.exempelstad.example"), "`issuer` ska vara"),
            (oidc("https://u:p@id.exempelstad.example"), "`issuer` ska vara"),
            (oidc("https://id.exempelstad.example?x=1"), "`issuer` ska vara"),
            (
                "[login.oidc]\nissuer = \"https://id.example\"\nclient_id = \"u\"\n".into(),
                "nyckeln `group` saknas",
            ),
            (
                format!(
                    "[login.oidc]\nissuer = \"https://id.example\"\nclient_id = \"u\"\nclient_secret = \"hemligt\"\n{GROUP}"
                ),
                "är en hemlighet och får inte stå i filen",
            ),
            (proxy(""), "nyckeln `addresses` saknas"),
            (proxy("addresses = []"), "`addresses` är tom"),
            (proxy("addresses = [\"0.0.0.0/0\"]"), "en lista av IP-adresser"),
            (proxy("addresses = [\"127.0.0.1\"]\nname_header = \"Cookie\""), "en egen rubrik"),
            (
                "[[login.group]]\ngroup = \"g\"\nrole = \"granskare\"\nunit = \"Kultur\"\n".into(),
                "gäller den som beslutar",
            ),
        ] {
            let told = read(&text).expect_err(&text);
            assert!(told.contains(words), "{told}");
        }
    }
}
