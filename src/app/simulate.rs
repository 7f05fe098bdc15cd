//! Labelled simulators by themselves, for trying out settings and for drills.

use std::net::SocketAddr;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;
use url::Url;

use crate::app::AppError;
use crate::app::demo::{DEMO_COMMENTS, DEMO_POSTS};
use crate::domain::account::PlatformKind;
use crate::platforms::conformance::World;
use crate::platforms::simulate::faults::{Fault, Faults};
use crate::platforms::simulate::replay::Recording;
use crate::platforms::simulate::script::Script;
use crate::platforms::simulate::server::Front;
use crate::platforms::simulate::{
    bluesky, facebook, flickr, instagram, linkedin, reddit, tiktok, x, youtube,
};
use crate::runtime::clock::Clock;

/// Platforms that there is a simulator of.
pub const SIMULATED: &[PlatformKind] = &[
    PlatformKind::Facebook,
    PlatformKind::Instagram,
    PlatformKind::YouTube,
    PlatformKind::LinkedIn,
    PlatformKind::X,
    PlatformKind::TikTok,
    PlatformKind::Reddit,
    PlatformKind::Bluesky,
    PlatformKind::Flickr,
];

/// What can go wrong at one, by the names that the command line takes.
pub fn fault_names() -> impl Iterator<Item = &'static str> {
    Fault::MENU.iter().map(|(name, _)| *name)
}

/// How one is begun.
#[derive(Clone, Debug)]
pub struct Drill {
    /// Which platform.
    pub platform: PlatformKind,
    /// Where to listen; port 0 takes a free one. Loopback only.
    pub listen: SocketAddr,
    /// What goes wrong, by name.
    pub faults: Vec<String>,
    /// Of a thousand calls, how many go wrong.
    pub per_thousand: u16,
    /// The same seed and calls give the same faults.
    pub seed: u64,
    /// Which of many accounts it is. Nothing is written on those but what is asked for, and each has a token, an app
    /// and units of its own.
    pub number: Option<u32>,
}

impl Drill {
    /// What tells its credentials from those of other accounts, also on other platforms.
    fn mark(&self) -> String {
        self.number.map_or_else(String::new, |number| format!(".{}-{number}", self.platform.id()))
    }

    /// What its account is called in addresses.
    fn key(&self) -> String {
        let platform = self.platform.id();
        let simulated = || format!("{platform}-simulerad");
        self.number.map_or_else(simulated, |number| format!("{platform}-{number}"))
    }

    /// A variable of its account's.
    fn variable(&self, what: &str) -> String {
        let platform = self.platform.id().to_uppercase();
        let simulated = || format!("SIM_{what}");
        self.number.map_or_else(simulated, |number| format!("SIM_{platform}_{number}_{what}"))
    }
}

/// A running simulator; ends when dropped.
#[derive(Debug)]
pub struct Simulated {
    /// Where it answers.
    pub base: Url,
    /// The account in `config.toml` that uses it.
    pub account: String,
    /// What the account's secrets are, by the names of the variables that it reads them from. They
    /// open nothing but the simulator.
    pub variables: Vec<(String, String)>,
    /// When it began.
    pub since: Timestamp,
    running: Running,
}

/// How it went for an account.
#[derive(Clone, Debug, Serialize)]
pub struct Standing {
    /// What is there, by the platform's ids.
    pub items: Vec<String>,
    /// How many calls came in.
    pub calls: usize,
    /// How many of them while the platform had asked for silence.
    pub disobeyed: usize,
}

impl Simulated {
    /// Somebody writes.
    pub async fn write(&self, text: &str) {
        self.running.parts().0.write(text, None).await;
    }

    /// Nothing goes wrong any more.
    pub fn calm(&self) {
        self.running.parts().1.calm();
    }

    /// How it went.
    pub async fn standing(&self) -> Standing {
        let (world, front) = self.running.parts();
        let items = world.truth().await.into_keys().map(|id| id.as_str().to_owned()).collect();
        Standing { items, calls: front.calls().len(), disobeyed: front.disobeyed() }
    }
}

/// One of each.
#[derive(Debug)]
enum Running {
    Facebook(facebook::Simulator),
    Instagram(instagram::Simulator),
    YouTube(youtube::Simulator),
    LinkedIn(linkedin::Simulator),
    X(x::Simulator),
    TikTok(tiktok::Simulator),
    Reddit(reddit::Simulator),
    Bluesky(bluesky::Simulator),
    Flickr(flickr::Simulator),
}

impl Running {
    /// The people behind it, and what stands around its calls.
    fn parts(&self) -> (&dyn World, &Front) {
        match self {
            Self::Facebook(one) => (one, one.front()),
            Self::Instagram(one) => (one, one.front()),
            Self::YouTube(one) => (one, one.front()),
            Self::LinkedIn(one) => (one, one.front()),
            Self::X(one) => (one, one.front()),
            Self::TikTok(one) => (one, one.front()),
            Self::Reddit(one) => (one, one.front()),
            Self::Bluesky(one) => (one, one.front()),
            Self::Flickr(one) => (one, one.front()),
        }
    }
}

/// Units that a project has in a day where each of many accounts has its own.
const UNITS_OF_MANY: u32 = 10_000_000;

/// Reads a recording of calls, to be played back.
///
/// # Errors
/// [`AppError::System`], with where it is wrong.
pub fn read_recording(file: &Path) -> Result<Recording, AppError> {
    let doing = "inspelningen";
    // A recording is a person's work of an hour, not a disk.
    let size =
        std::fs::metadata(file).map_err(|e| AppError::System { doing, source: Box::new(e) })?;
    if size.len() > RECORDING_MOST_BYTES {
        let source = std::io::Error::other("the file is larger than 256 MB");
        return Err(AppError::System { doing, source: Box::new(source) });
    }
    let text = std::fs::read_to_string(file)
        .map_err(|e| AppError::System { doing, source: Box::new(e) })?;
    Recording::read(&text).map_err(|e| AppError::System { doing, source: Box::new(e) })
}

/// Largest recording that is read.
const RECORDING_MOST_BYTES: u64 = 256 << 20;

fn system(source: impl std::error::Error + Send + Sync + 'static) -> AppError {
    AppError::System { doing: "simulatorn", source: Box::new(source) }
}

/// Begins one.
///
/// # Errors
/// [`AppError::NoSimulator`], [`AppError::NoFault`], [`AppError::System`].
pub async fn simulate(drill: Drill, clock: Clock) -> Result<Simulated, AppError> {
    let mut kinds = Vec::new();
    for name in &drill.faults {
        let known = Fault::MENU.iter().find(|(known, _)| known == name);
        let known = known.ok_or_else(|| AppError::NoFault {
            name: name.clone(),
            known: fault_names().collect::<Vec<_>>().join(", "),
        })?;
        kinds.push(known.1);
    }
    let faults = Faults { seed: drill.seed, per_thousand: drill.per_thousand, kinds };
    let mut script = Script::read(DEMO_POSTS, DEMO_COMMENTS).map_err(system)?;
    let is_one_of_many = drill.number.is_some();
    if is_one_of_many {
        script.comments.clear();
    }
    let mark = drill.mark();
    let [token, client, app, second, password] =
        ["TOKEN", "KLIENT", "APP", "HEMLIGHET", "LOSEN"].map(|what| drill.variable(what));
    let (listen, since) = (drill.listen, clock.now());
    let (running, base, keys, variables) = match drill.platform {
        PlatformKind::Facebook => {
            let options = facebook::Options { faults, listen, ..facebook::Options::new(script) };
            let simulator = facebook::Simulator::start(options, clock).await.map_err(system)?;
            let (base, settings) = (simulator.base().clone(), simulator.settings());
            let keys = format!(
                "page_id = \"{}\"\ntoken = \"env:{token}\"\napi_url = \"{base}\"",
                settings.page_id
            );
            let variables = vec![(token, format!("{}{mark}", settings.token.expose()))];
            (Running::Facebook(simulator), base, keys, variables)
        }
        PlatformKind::Instagram => {
            let options = instagram::Options { faults, listen, ..instagram::Options::new(script) };
            let simulator = instagram::Simulator::start(options, clock).await.map_err(system)?;
            if !is_one_of_many {
                simulator.message(77, "Hej! Får man ta med hund till badet?");
            }
            let (base, settings) = (simulator.base().clone(), simulator.settings());
            let keys = format!(
                "ig_id = \"{}\"\npage_id = \"100000000000009\"\ntoken = \"env:{token}\"\napi_url = \"{base}\"",
                settings.ig_id
            );
            let variables = vec![(token, format!("{}{mark}", settings.token.expose()))];
            (Running::Instagram(simulator), base, keys, variables)
        }
        PlatformKind::YouTube => {
            let mut options = youtube::Options { faults, listen, ..youtube::Options::new(script) };
            if is_one_of_many {
                options.own.units_per_day = UNITS_OF_MANY;
            }
            let simulator = youtube::Simulator::start(options, clock).await.map_err(system)?;
            let (base, settings) = (simulator.base().clone(), simulator.settings());
            let keys = format!(
                "channel_id = \"{}\"\nclient_id = \"{}{mark}\"\nclient_secret = \"env:{client}\"\nrefresh_token = \"env:{token}\"\nunits_per_day = {}\napi_url = \"{base}\"",
                settings.channel_id, settings.client_id, settings.units_per_day
            );
            let variables = vec![
                (client, settings.client_secret.expose().to_owned()),
                (token, format!("{}{mark}", settings.refresh_token.expose())),
            ];
            (Running::YouTube(simulator), base, keys, variables)
        }
        PlatformKind::LinkedIn => {
            let options = linkedin::Options { faults, listen, ..linkedin::Options::new(script) };
            let simulator = linkedin::Simulator::start(options, clock).await.map_err(system)?;
            let (base, settings) = (simulator.base().clone(), simulator.settings());
            let keys = format!(
                "organization_id = \"{}\"\ntoken = \"env:{token}\"\ncalls_per_day = {}\napi_url = \"{base}\"",
                settings.organization_id, settings.calls_per_day
            );
            let variables = vec![(token, format!("{}{mark}", settings.token.expose()))];
            (Running::LinkedIn(simulator), base, keys, variables)
        }
        PlatformKind::Bluesky => {
            let options = bluesky::Options { faults, listen, ..bluesky::Options::default() };
            let simulator = bluesky::Simulator::start(options, clock).await.map_err(system)?;
            simulator.fill(if is_one_of_many { 0 } else { 3 });
            let (base, settings) = (simulator.base().clone(), simulator.settings());
            let keys = format!(
                "handle = \"{}\"\npassword = \"env:{password}\"\nurl = \"{base}\"",
                settings.handle
            );
            let variables = vec![(password, settings.password.expose().to_owned())];
            (Running::Bluesky(simulator), base, keys, variables)
        }
        PlatformKind::Reddit => {
            let options = reddit::Options { faults, listen, ..reddit::Options::new(script) };
            let simulator = reddit::Simulator::start(options, clock).await.map_err(system)?;
            if !is_one_of_many {
                simulator.message("kim_exempel", "Hej! Får man ta med hund till badet?");
                simulator.mail("robin_exempel", "Varför är mitt inlägg borta?");
            }
            let (base, settings) = (simulator.base().clone(), simulator.settings());
            let keys = format!(
                "account = \"{}\"\nsubreddit = \"{}\"\nclient_id = \"{}{mark}\"\nclient_secret = \"env:{client}\"\nrefresh_token = \"env:{token}\"\napi_url = \"{base}\"",
                settings.name,
                settings.subreddit.unwrap_or_default(),
                settings.client_id
            );
            let variables = vec![
                (client, settings.client_secret.expose().to_owned()),
                (token, format!("{}{mark}", settings.refresh_token.expose())),
            ];
            (Running::Reddit(simulator), base, keys, variables)
        }
        PlatformKind::X => {
            let options = x::Options { faults, listen, ..x::Options::new(script) };
            let simulator = x::Simulator::start(options, clock).await.map_err(system)?;
            if !is_one_of_many {
                simulator.message("77", "Hej! Får man ta med hund till badet?");
            }
            let (base, settings) = (simulator.base().clone(), simulator.settings());
            let keys = format!(
                "user_id = \"{}\"\nclient_id = \"{}{mark}\"\nclient_secret = \"env:{client}\"\nrefresh_token = \"env:{token}\"\napi_url = \"{base}\"",
                settings.user_id, settings.client_id
            );
            let shown = settings.client_secret.as_ref().map_or("", |secret| secret.expose());
            let variables = vec![
                (client, shown.to_owned()),
                (token, format!("{}{mark}", settings.refresh_token.expose())),
            ];
            (Running::X(simulator), base, keys, variables)
        }
        PlatformKind::TikTok => {
            let options = tiktok::Options { faults, listen, ..tiktok::Options::new(script) };
            let simulator = tiktok::Simulator::start(options, clock).await.map_err(system)?;
            let (base, settings) = (simulator.base().clone(), simulator.settings());
            let keys = format!(
                "business_id = \"{}\"\nclient_id = \"{}{mark}\"\nclient_secret = \"env:{client}\"\nrefresh_token = \"env:{token}\"\napi_url = \"{base}\"",
                settings.business_id, settings.client_id
            );
            let variables = vec![
                (client, settings.client_secret.expose().to_owned()),
                (token, format!("{}{mark}", settings.refresh_token.expose())),
            ];
            (Running::TikTok(simulator), base, keys, variables)
        }
        PlatformKind::Flickr => {
            let options = flickr::Options { faults, listen, ..flickr::Options::new(script) };
            let simulator = flickr::Simulator::start(options, clock).await.map_err(system)?;
            let (base, settings) = (simulator.base().clone(), simulator.settings());
            let keys = format!(
                "user_id = \"{}\"\napi_key = \"{}{mark}\"\napi_secret = \"env:{app}\"\ntoken = \"env:{token}\"\ntoken_secret = \"env:{second}\"\napi_url = \"{base}\"",
                settings.user_id, settings.api_key
            );
            let variables = vec![
                (app, settings.api_secret.expose().to_owned()),
                (token, format!("{}{mark}", settings.token.expose())),
                (second, settings.token_secret.expose().to_owned()),
            ];
            (Running::Flickr(simulator), base, keys, variables)
        }
        PlatformKind::WordPress
        | PlatformKind::Mastodon
        | PlatformKind::Snapchat
        | PlatformKind::OwnSite
        | PlatformKind::Manual => {
            let known: Vec<_> = SIMULATED.iter().map(|kind| kind.id()).collect();
            return Err(AppError::NoSimulator {
                platform: drill.platform,
                known: known.join(", "),
            });
        }
    };
    let account = format!(
        "[[account]]\nkey = \"{key}\"\nplatform = \"{id}\"\nname = \"{label} (simulerad)\"\nsimulated = true\n{keys}\n",
        key = drill.key(),
        id = drill.platform.id(),
        label = drill.platform.label(),
    );
    Ok(Simulated { base, account, variables, since, running })
}

#[cfg(test)]
mod tests {
    use crate::app::accounts::{Shared, connector};
    use crate::config;
    use crate::platforms::conformance::fetch_all;

    use super::*;

    fn drill(platform: PlatformKind) -> Drill {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Drill { platform, listen, faults: Vec::new(), per_thousand: 0, seed: 1, number: None }
    }

    /// The printed lines are a valid account, whose connector is answered.
    #[tokio::test]
    async fn what_is_printed_is_an_account_that_works() {
        let drills = [None, Some(7)].into_iter().flat_map(|number| {
            SIMULATED.iter().map(move |platform| Drill { number, ..drill(*platform) })
        });
        for drill in drills {
            let number = drill.number;
            let simulated = simulate(drill, Clock::system()).await.unwrap();
            let text = format!("[authority]\nname = \"A\"\n\n{}", simulated.account);
            let env = |name: &str| {
                let known = simulated.variables.iter().find(|(known, _)| known == name);
                known.map(|(_, value)| value.clone())
            };
            let config = config::parse("config.toml", &text, Path::new(""), &env).unwrap();
            let clock = Clock::system();
            let (platform, _) = connector(&config.accounts[0], &Shared::default(), &clock).unwrap();
            assert_eq!(platform.check().await.unwrap().missing, Vec::<String>::new());
            platform.fetch(None, None).await.unwrap();
            if number.is_some() {
                assert_eq!(simulated.standing().await.items, Vec::<String>::new());
                simulated.write("Nu är badet klart").await;
                let told = fetch_all(&*platform, None).await.unwrap();
                let ids: Vec<_> = told.items.keys().map(|id| id.as_str().to_owned()).collect();
                assert_eq!(simulated.standing().await.items, ids);
                assert_eq!(ids.len(), 1);
            }
        }
    }

    #[tokio::test]
    async fn what_there_is_not_is_told_with_what_there_is() {
        let error = simulate(drill(PlatformKind::Snapchat), Clock::system()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "det finns ingen simulator av snapchat: välj facebook, instagram, youtube, linkedin, x, tiktok, reddit, bluesky, flickr"
        );
        let faults = vec!["jordbävning".to_owned()];
        let drill = Drill { faults, ..drill(PlatformKind::YouTube) };
        let error = simulate(drill, Clock::system()).await.unwrap_err();
        assert!(error.to_string().contains("500"), "{error}");
    }
}
