//! Starting and ending Chromium.

use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chromiumoxide::error::CdpError;
use chromiumoxide::handler::HandlerConfig;
use chromiumoxide::handler::viewport::Viewport;
use futures_util::StreamExt as _;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::gate::Gate;
use super::{BrowserSettings, CaptureError, Sandbox, USUAL_PLACES};

/// Starts Chromium in its own process group and waits for its standard input to end, which it
/// does when we let go of it *or die in any way*. Then nothing of the group or the profile stays:
/// the browser goes at once, its helpers are told, the profile is removed as soon as nobody writes
/// to it any more, and whatever is left goes with the watcher itself.
/// `$1` is the profile, the rest the command.
const WATCHER: &str = r#"
profile=$1; shift
"$@" &
browser=$!
read -r _
trap '' TERM
kill -KILL "$browser" 2>/dev/null
kill -TERM 0
tries=0
until rm -rf -- "$profile" 2>/dev/null || [ "$tries" -ge 30 ]; do
  tries=$((tries + 1))
  sleep 0.1
done
kill -KILL 0
"#;

/// How long the group may take to go once it is told.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// How long Chromium may take to close by itself.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);
/// What Chromium writes when it can be spoken to.
const LISTENING: &str = "DevTools listening on ";

/// How a profile's folder is called, before its own number.
const PROFILE: &str = "uppsikt-webb-";
/// A folder younger than this may be somebody's who is about to start a browser in it.
const LEFT_BEHIND: Duration = Duration::from_secs(60);

/// The user without rights of its own that every Linux has, and its group.
const NOBODY: u32 = 65_534;

/// How Chromium is started.
#[derive(Clone, Copy, Debug)]
struct How {
    /// As [`NOBODY`], since we are root: what breaks out of a page must not be root too.
    as_nobody: bool,
    /// With Chromium's own sandbox.
    sandboxed: bool,
}

/// Chromium, running.
pub struct Running {
    /// What it is spoken to through.
    pub cdp: chromiumoxide::Browser,
    /// Its only way out.
    pub gate: Gate,
    /// How many pages it has shown.
    pub pages: u32,
    watcher: Child,
    profile: PathBuf,
    talk: JoinHandle<()>,
    stderr: JoinHandle<()>,
    /// It has ended, or cannot be spoken to.
    lost: CancellationToken,
    /// It is not to be used again.
    given_up: AtomicBool,
}

/// Chromium's program file.
pub fn find(configured: Option<&Path>) -> Result<PathBuf, CaptureError> {
    let places: Vec<PathBuf> = match configured {
        Some(path) => vec![path.to_owned()],
        None => USUAL_PLACES.iter().map(PathBuf::from).collect(),
    };
    match places.iter().find(|path| path.is_file()) {
        Some(path) => Ok(path.clone()),
        None => Err(CaptureError::NoBrowser { looked_at: places }),
    }
}

/// Whether the process runs as root; `/proc/self` belongs to its effective user.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

impl Running {
    /// Starts Chromium: with its sandbox, and as [`NOBODY`] where we run as root. Where the machine lets nobody
    /// make a sandbox it is started once more without, if the settings allow that of root's service; its
    /// user may still do nothing.
    pub async fn start(settings: &BrowserSettings) -> Result<Self, CaptureError> {
        let program = find(settings.executable.as_deref())?;
        let mut how = How { as_nobody: is_root(), sandboxed: true };
        match (Self::attempt(&program, settings, how).await, settings.sandbox) {
            (Err(CaptureError::Start(why)), Sandbox::UnlessRoot) if how.as_nobody => {
                tracing::warn!(why, "Chromium did not start with its sandbox; it is tried without");
                how.sandboxed = false;
                Self::attempt(&program, settings, how).await
            }
            (Err(CaptureError::Start(why)), Sandbox::Always) if how.as_nobody => {
                tracing::warn!(why, "Chromium did not start with its sandbox");
                Err(CaptureError::NoSandbox)
            }
            (started, Sandbox::UnlessRoot | Sandbox::Always) => started,
        }
    }

    async fn attempt(
        program: &Path,
        settings: &BrowserSettings,
        how: How,
    ) -> Result<Self, CaptureError> {
        let gate = Gate::start().await?;
        let folder = settings.profiles.clone().unwrap_or_else(std::env::temp_dir);
        sweep(&folder);
        let profile = folder.join(format!("{PROFILE}{}", uuid::Uuid::new_v4().simple()));
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&profile)?;
        let spawned = match how.as_nobody {
            true => std::os::unix::fs::chown(&profile, Some(NOBODY), Some(NOBODY)),
            false => Ok(()),
        };
        let spawned = spawned.and_then(|()| spawn(program, &profile, settings, &gate, how));
        let mut watcher = match spawned {
            Ok(watcher) => watcher,
            Err(error) => {
                remove(&profile);
                return Err(error.into());
            }
        };
        let stderr = watcher.stderr.take().ok_or_else(|| io::Error::other("no standard error"))?;
        let lost = CancellationToken::new();
        let connect = connect(stderr, settings, lost.clone());
        let connected = tokio::time::timeout(settings.start_limit, connect).await;
        let (cdp, handler, stderr) = match connected {
            Ok(Ok(connected)) => connected,
            Ok(Err(error)) => {
                end(watcher, &profile).await;
                return Err(error);
            }
            Err(_) => {
                end(watcher, &profile).await;
                let limit = settings.start_limit.as_secs();
                return Err(CaptureError::Start(format!("not ready within {limit} s")));
            }
        };
        let talk = tokio::spawn(talk(handler, lost.clone()));
        tracing::info!(program = %program.display(), how.as_nobody, how.sandboxed, "Chromium started");
        Ok(Self {
            cdp,
            gate,
            pages: 0,
            watcher,
            profile,
            talk,
            stderr,
            lost,
            given_up: AtomicBool::new(false),
        })
    }

    /// Whether the next page should get a new browser.
    pub fn is_worn(&mut self, settings: &BrowserSettings) -> bool {
        let gone = !matches!(self.watcher.try_wait(), Ok(None));
        let group = self.watcher.id();
        let memory = group.map_or(0, memory_bytes);
        gone || self.lost.is_cancelled()
            || self.given_up.load(Ordering::Relaxed)
            || self.pages >= settings.pages_per_process
            || memory > settings.memory_limit_bytes
    }

    /// No other page is to be opened here: the last one may still be there.
    pub fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    /// Ends when Chromium has: whoever waits for a word of it then waits in vain.
    pub fn lost(&self) -> CancellationToken {
        self.lost.clone()
    }

    /// Ends Chromium and waits until it is gone.
    pub async fn stop(mut self) {
        // Asked politely first: then Chromium itself waits for its children. What it leaves, or
        // all of it if it does not answer, the watcher takes.
        match tokio::time::timeout(CLOSE_LIMIT, self.cdp.close()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::debug!(%error, "Chromium did not close by itself"),
            Err(_) => tracing::debug!("Chromium did not close in time"),
        }
        self.watcher.stdin.take();
        wait(&mut self.watcher).await;
        remove(&self.profile);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.talk.abort();
        self.stderr.abort();
        // The watcher's input ends with the handle, and it does the rest.
        self.watcher.stdin.take();
    }
}

async fn end(mut watcher: Child, profile: &Path) {
    watcher.stdin.take();
    wait(&mut watcher).await;
    remove(profile);
}

async fn wait(watcher: &mut Child) {
    match tokio::time::timeout(STOP_LIMIT, watcher.wait()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::error!(%error, "cannot wait for Chromium's end"),
        Err(_) => tracing::error!("Chromium does not end; its process group is left"),
    }
}

/// Removes profiles of browsers that are no more: where the whole machine was killed no watcher was left to do it.
fn sweep(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let is_old = |entry: &std::fs::DirEntry| {
        let changed = entry.metadata().and_then(|known| known.modified());
        changed.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > LEFT_BEHIND))
    };
    let left: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(PROFILE.as_bytes()))
        .filter(is_old)
        .map(|entry| entry.path())
        .collect();
    if left.is_empty() {
        return;
    }
    let Ok(processes) = std::fs::read_dir("/proc") else { return };
    let running: Vec<String> = processes
        .filter_map(Result::ok)
        .filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .collect();
    for profile in left {
        let name = profile.to_string_lossy();
        if !running.iter().any(|line| line.contains(&*name)) {
            tracing::info!("a browser profile that was left behind is removed");
            remove(&profile);
        }
    }
}

/// The watcher has removed it already; this is for what Chromium's last breath wrote.
fn remove(profile: &Path) {
    match std::fs::remove_dir_all(profile) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(%error, "a browser profile could not be removed"),
    }
}

fn spawn(
    program: &Path,
    profile: &Path,
    settings: &BrowserSettings,
    gate: &Gate,
    how: How,
) -> io::Result<Child> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", WATCHER, "uppsikt-webb"]).arg(profile).arg(program);
    command.args(arguments(profile, settings, gate));
    if !how.sandboxed {
        command.arg("--no-sandbox");
    }
    if how.as_nobody {
        // Groups first; those we have beside go with the change of user.
        command.gid(NOBODY).uid(NOBODY);
    }
    command
        .arg("about:blank")
        // Nothing of ours: our environment holds secrets (invariant 9).
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LANG", "sv_SE.UTF-8")
        .env("TZ", "Europe/Stockholm")
        .env("HOME", profile)
        .env("TMPDIR", profile)
        .env("XDG_CONFIG_HOME", profile)
        .env("XDG_CACHE_HOME", profile)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
}

fn arguments(profile: &Path, settings: &BrowserSettings, gate: &Gate) -> Vec<String> {
    let window = settings.window;
    let mut arguments = vec![
        format!("--user-data-dir={}", profile.display()),
        format!("--window-size={},{}", window.width_px, window.height_px),
        format!("--proxy-server=http://{}", gate.at),
        // Without this Chromium goes past the proxy for this machine's own addresses.
        "--proxy-bypass-list=<-loopback>".to_owned(),
    ];
    arguments.extend(
        [
            "--headless",
            "--remote-debugging-port=0",
            "--remote-debugging-address=127.0.0.1",
            // Nothing but the page: no updates, reports, look-ups, suggestions, push messages.
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-component-extensions-with-background-pages",
            "--disable-client-side-phishing-detection",
            "--disable-default-apps",
            "--disable-domain-reliability",
            "--disable-extensions",
            "--disable-sync",
            "--disable-breakpad",
            "--disable-crash-reporter",
            "--metrics-recording-only",
            "--no-pings",
            "--no-service-autorun",
            "--disable-features=Translate,MediaRouter,OptimizationHints,AutofillServerCommunication,InterestFeedContentSuggestions,HttpsUpgrades,OptimizationGuideModelDownloading,OptimizationGuideOnDeviceModel,OnDeviceModelService,IsolateOrigins,site-per-process",
            // No way round the gate.
            "--disable-quic",
            "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
            // Nothing to ask, hear, print or remember.
            "--deny-permission-prompts",
            "--disable-notifications",
            "--disable-print-preview",
            "--disable-prompt-on-repost",
            "--mute-audio",
            "--no-first-run",
            "--no-default-browser-check",
            "--password-store=basic",
            "--use-mock-keychain",
            // The same picture on every machine.
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--force-color-profile=srgb",
            "--force-device-scale-factor=1",
            "--hide-scrollbars",
            "--lang=sv-SE",
            "--accept-lang=sv-SE,sv",
            // Frames belong to their page, so what it may not load they may not either. There is nothing for sites to
            // steal from each other: no cookie, no login, and a context of its own for each page.
            "--disable-site-isolation-trials",
        ]
        .map(str::to_owned),
    );
    arguments
}

type Connected = (chromiumoxide::Browser, chromiumoxide::Handler, JoinHandle<()>);

/// Waits for the address that Chromium writes, and connects to it.
async fn connect(
    stderr: ChildStderr,
    settings: &BrowserSettings,
    lost: CancellationToken,
) -> Result<Connected, CaptureError> {
    let mut lines = BufReader::new(stderr).lines();
    let mut last = String::from("it ended without a word");
    let address = loop {
        match lines.next_line().await? {
            Some(line) => match line.trim().strip_prefix(LISTENING) {
                Some(address) => break address.to_owned(),
                None => last = line,
            },
            None => return Err(CaptureError::Start(last)),
        }
    };
    // The rest is read and thrown away, or Chromium would stop at a full pipe. It ends with the last process of the
    // group, whatever killed it.
    let drain = tokio::spawn(async move {
        while let Ok(Some(_)) = lines.next_line().await {}
        lost.cancel();
    });
    let config = HandlerConfig {
        ignore_https_errors: false,
        viewport: Some(Viewport {
            width: settings.window.width_px,
            height: settings.window.height_px,
            device_scale_factor: Some(1.0),
            ..Viewport::default()
        }),
        request_timeout: settings.capture_limit,
        cache_enabled: false,
        ..HandlerConfig::default()
    };
    match chromiumoxide::Browser::connect_with_config(address, config).await {
        Ok((browser, handler)) => Ok((browser, handler, drain)),
        Err(error) => {
            drain.abort();
            Err(CaptureError::Browser(error.into()))
        }
    }
}

/// Keeps the conversation going; without this every call would wait for ever.
async fn talk(mut handler: chromiumoxide::Handler, lost: CancellationToken) {
    while let Some(step) = handler.next().await {
        match step {
            Ok(()) => {}
            Err(CdpError::Ws(error)) => {
                tracing::debug!(%error, "Chromium cannot be spoken to any more");
                break;
            }
            Err(error) => tracing::debug!(%error, "a message from Chromium was not understood"),
        }
    }
    lost.cancel();
}

/// Resident memory of all processes of a group. Zero where `/proc` does not tell.
fn memory_bytes(group: u32) -> u64 {
    /// Bytes in a page of memory; what Linux on x86-64 and most ARM uses.
    const PAGE: u64 = 4096;
    let Ok(processes) = std::fs::read_dir("/proc") else { return 0 };
    processes
        .filter_map(Result::ok)
        .filter(|entry| {
            entry.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit)
        })
        .filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok())
        .filter_map(|stat| {
            // The name in brackets may hold blanks: count fields after its end (proc(5): the group
            // is the third after it, resident pages the twenty-second).
            let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
            let same = fields.get(2)?.parse() == Ok(group);
            same.then(|| fields.get(21)?.parse::<u64>().ok()).flatten()
        })
        .map(|pages| pages * PAGE)
        .sum()
}
