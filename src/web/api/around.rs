//! What stands around the cases: the key itself, search, statistics, accounts.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use super::cases::{AccountName, account};
use super::problem::Problem;
use super::shape::one_of;
use super::{Ask, Operation, Told};
use crate::domain::api_key::Scope;
use crate::domain::report::Span;
use crate::services::offers::Offered;
use crate::services::queue::{Filter, Watch};
use crate::services::search::{Asked, Found as Hit, LAST_PAGE, Stretch};

shape! {
    "Nyckeln som anropet visade"
    Key {
        "Vad den heter" name: String,
        "Den del som visas" prefix: String,
        "Vem den handlar för" acts_for: String,
        "Rollen" role: String,
        "Vad den får användas till" scopes: Vec<String>,
        "Konton som den gäller; null för alla" accounts: Option<Vec<String>>,
        "Anrop i minuten" per_minute: u32,
        "När den går ut" expires_at: Timestamp,
    }
}

shape! {
    "En sökning: ord, diarienummer eller bevis, ett i taget"
    SearchIn {
        "Ord" words: Option<String> = json!({ "minLength": 1, "maxLength": 500 }),
        "Ett diarienummer" diary_number: Option<String> = json!({ "minLength": 1, "maxLength": 60 }),
        "Ett bevis nummer" evidence: Option<i64> = json!({ "minimum": 1 }),
        "Bara det här kontot" account: Option<String> = json!({ "pattern": "^[a-z0-9][a-z0-9-]{0,99}$" }),
        "Bara ärenden som står så" state: Option<String> = one_of(Filter::ALL.iter().map(|f| f.id())),
        "Hämtat den dagen eller senare" from: Option<Date>,
        "Hämtat senast den dagen" to: Option<Date>,
        "Sidan, från 0" page: Option<u32> = json!({ "maximum": LAST_PAGE }),
    }
}

shape! {
    "En träff. Texten är maskerad, och ingen sägs ha skrivit den"
    SearchResult {
        "Ärendets nummer" case: Option<i64>,
        "Var det står" state: Option<String>,
        "Kontot" account: AccountName,
        "Vad inlägget är" kind: String,
        "Texten kring första träffen, maskerad" text: String,
        "Ord som söktes" hits: Vec<String>,
        "När det skrevs eller hämtades" at: Timestamp,
        "Om inlägget säger det nu" current: bool,
    }
}

shape! {
    "Träffar, nyast först"
    Results {
        "Träffarna" results: Vec<SearchResult>,
        "Om det finns fler på nästa sida" more: bool,
    }
}

shape! {
    "En rad"
    Row {
        "Vad den gäller" label: String,
        "Siffrorna, som de visas" figures: Vec<String>,
    }
}

shape! {
    "En del av statistiken"
    StatisticsPart {
        "Delens namn" id: String,
        "Rubrik" title: String,
        "Vad som räknas" note: String,
        "Kolumnernas namn, den första för radernas" columns: Vec<String>,
        "Raderna" rows: Vec<Row>,
    }
}

shape! {
    "Statistik för ett år eller en månad, utan personuppgifter"
    Statistics {
        "Året eller månaden" span: String,
        "Första dagen" from: Date,
        "Sista dagen" to: Date,
        "Om tiden pågår" under_way: bool,
        "Delarna" parts: Vec<StatisticsPart>,
    }
}

shape! {
    "Vad som går att göra på en plattform"
    Capability {
        "Vad" what: String,
        "yes, conditional, by_hand eller no" offered: String,
        "Villkoret eller varför inte" why: Option<String>,
    }
}

shape! {
    "Ett konto och hur det läses"
    Account {
        "Nyckel i inställningarna" key: String,
        "Namn" name: String,
        "Plattform" platform: String,
        "Om plattformen är simulerad" simulated: bool,
        "När det senast lästes" last_read_at: Option<Timestamp>,
        "När det läses nästa gång" next_read_at: Timestamp,
        "Vad som är fel" problem: Option<String>,
        "Om en människa måste göra något" stopped: bool,
        "Så många inlägg är kända" items: u64,
        "Vad som går att göra" capabilities: Vec<Capability>,
    }
}

shape! {
    "Konton"
    AccountList { "Kontona" accounts: Vec<Account> }
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/key", "readKey", "Nyckeln själv: vad den får och när den går ut").reads(key),
        Operation::post("/search", "search", "Sök i det som har skrivits")
            .about("Sökningen skrivs i granskningsloggen. Den görs med POST för att orden inte ska hamna i adresser.")
            .scope(Scope::QueueRead)
            .takes(search),
        Operation::get("/statistics/{span}", "readStatistics", "Statistik för ett år eller en månad")
            .scope(Scope::StatisticsRead)
            .reads(statistics),
        Operation::get("/accounts", "listAccounts", "Konton, hur de läses och vad de klarar")
            .scope(Scope::AccountsRead)
            .reads(accounts),
        Operation::get("/accounts/{account}", "readAccount", "Ett konto")
            .scope(Scope::AccountsRead)
            .reads(one_account),
    ]
}

async fn key(ask: Ask) -> Result<Told<Key>, Problem> {
    let accounts = ask.site.services.accounts_of_key(&ask.caller).await?;
    let caller = ask.caller;
    Ok(Key {
        name: caller.name,
        prefix: caller.viewer.key.unwrap_or_default(),
        acts_for: caller.viewer.name,
        role: caller.viewer.role.id().to_owned(),
        scopes: caller.scopes.iter().map(|scope| scope.id().to_owned()).collect(),
        accounts,
        per_minute: caller.per_min,
        expires_at: caller.expires_at,
    }
    .into())
}

fn hit(found: Hit) -> SearchResult {
    let (case, state) = found.case.unzip();
    let mut hits = Vec::new();
    let mut text = String::new();
    for stretch in found.text {
        match stretch {
            Stretch::Plain(words) => text.push_str(&words),
            Stretch::Hit(words) => {
                text.push_str(&words);
                hits.push(words);
            }
        }
    }
    SearchResult {
        case: case.map(|case| case.0),
        state: state.map(|state| state.id().to_owned()),
        account: account(&found.account),
        kind: found.kind.id().to_owned(),
        text,
        hits,
        at: found.at,
        current: found.current,
    }
}

async fn search(ask: Ask, sent: SearchIn) -> Result<Told<Results>, Problem> {
    let services = &ask.site.services;
    let allowed = services.accounts_of_key(&ask.caller).await?;
    let only = match (&allowed, sent.account) {
        (None, account) => account,
        (Some(allowed), Some(account)) if allowed.contains(&account) => Some(account),
        (Some(_), Some(_)) => return Err(Problem::not_found()),
        (Some(allowed), None) => match allowed.as_slice() {
            [one] => Some(one.clone()),
            _ => {
                let why = format!(
                    "Nyckeln gäller kontona {}. Ange ett av dem i account.",
                    allowed.join(", ")
                );
                return Err(Problem::refused(why));
            }
        },
    };
    let asked = Asked {
        words: sent.words.unwrap_or_default(),
        diary: sent.diary_number.unwrap_or_default(),
        evidence: sent.evidence.map_or_else(String::new, |id| id.to_string()),
        account: only.unwrap_or_default(),
        state: sent.state.as_deref().and_then(Filter::from_id),
        from: sent.from,
        to: sent.to,
        reason: String::new(),
        page: sent.page.unwrap_or_default(),
    };
    let found = services.search(&ask.caller.viewer, &asked).await?;
    Ok(Results { results: found.found.into_iter().map(hit).collect(), more: found.more }.into())
}

async fn statistics(ask: Ask) -> Result<Told<Statistics>, Problem> {
    if !ask.caller.accounts.is_empty() {
        let why = "Nyckeln gäller bara vissa konton, och statistiken räknar alla.";
        return Err(Problem::beyond_key(why));
    }
    let span = ask.text("span").and_then(Span::parse).ok_or_else(Problem::not_found)?;
    let board = ask.site.services.statistics(&ask.caller.viewer, span).await?;
    let parts = board.parts.into_iter().map(|part| StatisticsPart {
        id: part.id.to_owned(),
        title: part.title.to_owned(),
        note: part.note,
        columns: part.columns.into_iter().map(str::to_owned).collect(),
        rows: part
            .rows
            .into_iter()
            .map(|row| Row { label: row.label, figures: row.figures })
            .collect(),
    });
    Ok(Statistics {
        span: span.id(),
        from: board.days.0,
        to: board.days.1,
        under_way: board.is_under_way,
        parts: parts.collect(),
    }
    .into())
}

fn watched(watch: Watch) -> Account {
    let offers = watch.offers.map_or_else(Vec::new, |offers| offers.rows);
    let capabilities = offers.into_iter().map(|(what, offered)| {
        let (offered, why) = match offered {
            Offered::Yes => ("yes", None),
            Offered::Conditional(why) => ("conditional", Some(why)),
            Offered::ByHand(why) => ("by_hand", Some(why)),
            Offered::No(why) => ("no", Some(why)),
        };
        Capability {
            what: what.to_owned(),
            offered: offered.to_owned(),
            why: why.map(str::to_owned),
        }
    });
    Account {
        key: watch.account.key.as_str().to_owned(),
        name: watch.account.name,
        platform: watch.account.platform.id().to_owned(),
        simulated: watch.account.simulated,
        last_read_at: watch.last_ok_at,
        next_read_at: watch.next_at,
        problem: watch.problem.or(watch.gap),
        stopped: watch.stopped,
        items: watch.n_items,
        capabilities: capabilities.collect(),
    }
}

async fn reached(ask: &Ask) -> Result<Vec<Account>, Problem> {
    let watches = ask.site.services.watches(&ask.caller.viewer).await?.into_iter();
    let watches = watches.filter(|watch| ask.caller.reaches(watch.account.id));
    Ok(watches.map(watched).collect())
}

async fn accounts(ask: Ask) -> Result<Told<AccountList>, Problem> {
    Ok(AccountList { accounts: reached(&ask).await? }.into())
}

async fn one_account(ask: Ask) -> Result<Told<Account>, Problem> {
    let all = reached(&ask).await?;
    let found = all.into_iter().find(|account| Some(account.key.as_str()) == ask.text("account"));
    found.map(Told::from).ok_or_else(Problem::not_found)
}
