//! The authority's own rules (*egna regler*), laid over those that are built in: tried, changed on the page version by
//! version as [policies](super::policies) are, and in force without a restart.
//!
//! **Which ones rule.** The version that was published last and that this program accepts. One that a later program
//! refuses stops nothing: the one before it rules on, and administrators are told until somebody mends it.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use crate::classify::compare::Sample;
use crate::classify::findings::Lowered;
use crate::classify::lexicon::Source;
use crate::classify::lexicon::overlay::{OWN, with_own};
use crate::classify::lexicon::trial::Failed;
use crate::classify::rules::Stopped;
use crate::classify::{Classifier, Scratch, explain, language};
use crate::domain::category::{Category, Severity};
use crate::domain::decision::warning_mark;
use crate::domain::ids::{CaseId, ContentHash, PolicyVersionId};
use crate::domain::language::Language;
use crate::domain::person::Act;
use crate::domain::policy_version::{Governs, PolicyVersion};
use crate::domain::verdict::{Finding, Span};
use crate::store::Store;
use crate::store::rows::AuditLine;
use crate::store::sqlite::policies::NewPolicyVersion;

use super::corrections::reason;
use super::lexicons::Loader;
use super::past::Recent;
use super::policies::{Line, compared, hidden_faults};
use super::rule_desk::{Bench, Job, Report, Told, Weakened};
use super::{ServiceError, Services, Viewer, lexicons};

/// The name of the file that own rules would be, where a fault in them is told.
pub const OWN_FILE: &str = OWN;
/// What own rules are called in the versions.
const NAME: &str = "Egna regler";
/// Rules that came near which are told of.
const NEAR: usize = 15;
/// How long own rules may be, in bytes.
pub const LONGEST: usize = 80_000;
/// How long a text may be that is tried, in bytes.
pub const LONGEST_TRIED: usize = 20_000;
/// How many stored texts are compared, the newest.
const COMPARED: u32 = 10_000;
/// How many versions back one is looked for that this program accepts.
const BACK: usize = 5;

/// What changing rules takes.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Where candidates are compiled and tried.
    pub bench: Bench,
    /// Where the compiled form of the rules in force is kept.
    pub kept: Option<PathBuf>,
    /// Where lexicons are read.
    pub loader: Loader,
}

/// Which own rules are in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InForce {
    /// The version; none: only what is built in.
    pub version: Option<PolicyVersionId>,
    /// Its text.
    pub text: String,
    /// A version published later that this program refuses.
    pub refused: Option<PolicyVersionId>,
    /// A version that was published and could not be taken into use while the program ran.
    pub late: Option<PolicyVersionId>,
}

/// The classifier that rules, and which own rules are in it.
///
/// # Errors
/// [`ServiceError`] where the store cannot be read.
pub async fn begin(store: &Store, desk: &Desk) -> Result<(Classifier, InForce), ServiceError> {
    let mut versions = store.policy_versions(Governs::Rules).await?;
    versions.retain(|version| version.seq.is_some());
    versions.sort_by_key(|version| std::cmp::Reverse(version.seq));
    let newest = versions.first().map(|version| version.id);
    for version in versions.into_iter().take(BACK) {
        let classifier = match compiled(desk, &version.text).await {
            Ok(classifier) => Some(classifier).filter(|c| c.lexicon().complaints.is_empty()),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, policy_version = %version.id, "own rules could not be read");
                None
            }
        };
        if let Some(classifier) = classifier {
            let refused = newest.filter(|newest| *newest != version.id);
            let in_force =
                InForce { version: Some(version.id), text: version.text, refused, late: None };
            return Ok((classifier, in_force));
        }
        tracing::error!(
            policy_version = %version.id,
            "own rules are refused by this program; those before them rule"
        );
    }
    let in_force = InForce { refused: newest, ..InForce::default() };
    Ok((compiled(desk, "").await?, in_force))
}

async fn compiled(desk: &Desk, own: &str) -> Result<Classifier, ServiceError> {
    let sources = with_own(desk.bench.base(), own);
    let kept = desk.kept.clone();
    desk.loader
        .run(move || lexicons::classifier(&sources, kept.as_deref()))
        .await
        .map_err(|e| ServiceError::broken("compiling the rules", e))
}

/// The own rules as the page shows them.
#[derive(Clone, Debug)]
pub struct OwnRules {
    /// Those in force.
    pub in_force: InForce,
    /// Every version, the newest first.
    pub versions: Vec<PolicyVersion>,
    /// Whether a second person has to approve a change.
    pub four_eyes: bool,
}

impl OwnRules {
    /// The version that was published last, whether or not this program accepts it.
    pub fn ruling(&self) -> Option<&PolicyVersion> {
        self.versions.iter().filter(|version| version.seq.is_some()).max_by_key(|v| v.seq)
    }

    /// The one that waits for a second person.
    pub fn waiting(&self) -> Option<&PolicyVersion> {
        self.versions.iter().find(|version| version.waits())
    }
}

/// A text that somebody wants to publish.
#[derive(Clone, Debug, Default)]
pub struct RuleDraft {
    /// The text.
    pub text: String,
    /// Why.
    pub why: String,
    /// The version that ruled when it was begun; 0 where there was none.
    pub base: i64,
    /// The mark of the warning in spite of which it is published ([`RulesPreview::mark`]); empty where there was none.
    pub accepts: String,
}

/// A change in what is found, with samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What is found.
    pub category: Category,
    /// What becomes of it, in words.
    pub what: String,
    /// How often.
    pub n: u64,
    /// Samples: the text, masked; the rules; the case, where there is one.
    pub samples: Vec<(String, String, Option<CaseId>)>,
}

/// What would come of rules.
#[derive(Clone, Debug)]
pub struct RulesPreview {
    /// The texts compared.
    pub text: Vec<Line>,
    /// What is understood, but cannot be meant.
    pub warnings: Vec<Told>,
    /// How many examples were tried.
    pub n_examples: usize,
    /// Examples of built-in rules that come out otherwise from now on.
    pub otherwise: Vec<String>,
    /// How many stored texts were compared, the newest.
    pub texts: u64,
    /// How many of them come before a person, before and after.
    pub queued: (u64, u64),
    /// What changes.
    pub changes: Vec<Found>,
    /// Whether a second person has to approve.
    pub four_eyes: bool,
    /// Built-in rules about somebody's life that would find less.
    pub weakened: Vec<Weakened>,
}

impl RulesPreview {
    /// What says that just this warning was read; nothing where there is none.
    pub fn mark(&self) -> Option<String> {
        let all = self.weakened.iter().map(|one| format!("{} {}", one.rule, one.what));
        let all: Vec<_> = all.collect();
        (!all.is_empty()).then(|| warning_mark(&all.join("\n")))
    }
}

/// What a text comes to.
#[derive(Clone, Debug)]
pub enum CheckedRules {
    /// It has faults, all that were found.
    Faulty(Vec<Told>),
    /// It is the one that rules.
    Same,
    /// It can be published.
    Fits(Box<RulesPreview>),
}

/// What the rules say of a text that somebody tries.
#[derive(Debug)]
pub struct Tried {
    /// What was found.
    pub findings: Vec<Finding>,
    /// Rules that came near: name, the word where they began, and what stopped them.
    pub near: Vec<(String, Span, String)>,
    /// What was not believed, or is counted in shadow, in sentences.
    pub notes: Vec<String>,
    /// The text as rules read it.
    pub folded: String,
    /// Its language, where it can be told.
    pub language: Option<Language>,
    /// All of it in the words of `uppsikt explain`.
    pub whole: String,
}

fn refused<T>(why: impl Into<String>) -> Result<T, ServiceError> {
    Err(ServiceError::Refused { why: why.into() })
}

const NOT_ACCEPTED: &str = "Ändringen gör att rop på hjälp eller hot mot någons liv kan missas. Läs vilka regler det gäller och kryssa för att det är meningen. Inget är publicerat.";
const FAULTY: &str = "Reglerna har fel som måste rättas först. Inget är publicerat.";

impl Services {
    /// The classifier in force. Whoever has begun with one ends with it.
    pub(super) fn classifier(&self) -> Arc<Classifier> {
        self.inner.classifier.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Says how rules are changed, and which ones are in force. To be called at the start.
    pub fn open_rules(&self, desk: Desk, in_force: InForce) {
        *self.inner.own_rules.write().unwrap_or_else(PoisonError::into_inner) = in_force;
        drop(self.inner.rule_desk.set(desk));
    }

    /// Makes a task of own rules that this program refuses: those before them rule, and somebody has to mend them.
    ///
    /// # Errors
    /// [`ServiceError`] where the store fails.
    pub async fn tell_refused_rules(&self) -> Result<(), ServiceError> {
        let Some((version, words)) = self.own_in_force().refused.zip(self.refused_rules()) else {
            return Ok(());
        };
        Ok(self.inner.store.tell_refused_rules(version, words, self.inner.clock.now()).await?)
    }

    fn rule_desk(&self) -> Result<&Desk, ServiceError> {
        match self.inner.rule_desk.get() {
            Some(desk) => Ok(desk),
            None => refused("Regler kan inte ändras här: Uppsikt startades utan dem."),
        }
    }

    fn own_in_force(&self) -> InForce {
        self.inner.own_rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What administrators are told of own rules that this program refuses.
    pub(super) fn refused_rules(&self) -> Option<String> {
        let InForce { version, refused, late, .. } = self.own_in_force();
        if let Some(late) = late {
            return Some(late_words(late));
        }
        let rules = match version {
            Some(version) => format!("Version {version} gäller i stället"),
            None => "Bara de inbyggda reglerna gäller".to_owned(),
        };
        let refused = refused?;
        Some(format!(
            "Version {refused} av de egna reglerna godtas inte av den här versionen av Uppsikt. {rules}. En administratör rättar dem på sidan Regler."
        ))
    }

    /// The authority's own rules.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn own_rules(&self, viewer: &Viewer) -> Result<OwnRules, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        Ok(OwnRules {
            in_force: self.own_in_force(),
            versions: self.inner.store.policy_versions(Governs::Rules).await?,
            four_eyes: self.inner.policies.authority().duties.changed_by_two,
        })
    }

    /// What the rules in force say of a text. Nothing of it is kept.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`]; [`ServiceError::Refused`] where it is too long.
    pub async fn try_text(&self, viewer: &Viewer, text: String) -> Result<Tried, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        if text.len() > LONGEST_TRIED {
            return refused("Texten är för lång att prova här. Prova ett stycke av den.");
        }
        let classifier = self.classifier();
        tokio::task::spawn_blocking(move || {
            let mut scratch = Scratch::default();
            let traced = classifier.trace(&mut scratch, &text);
            let shadows = classifier.shadow_hits(&scratch);
            let folded = String::from_utf8_lossy(scratch.folded.bytes()).into_owned();
            let findings = traced.verdict.findings;
            let mut near: Vec<(String, Span, String)> = Vec::new();
            for one in traced.near {
                let row = (one.rule.to_string(), one.at, explain::why_not(&one.stopped));
                // That a word of a pattern stands somewhere says nothing.
                let says = one.stopped != Stopped::Incomplete;
                let found = findings.iter().any(|finding| finding.rule == one.rule);
                if says && !found && near.len() < NEAR && !near.contains(&row) {
                    near.push(row);
                }
            }
            let lowered = traced.lowered.iter().map(unbelieved);
            let in_shadow =
                |rule: &Arc<str>| format!("{rule} träffar, men räknas bara: den är i skugga.");
            Tried {
                notes: lowered.chain(shadows.iter().map(in_shadow)).collect(),
                findings,
                near,
                folded,
                language: language::of(&text),
                whole: explain::explain(&classifier, &text),
            }
        })
        .await
        .map_err(|e| ServiceError::broken("trying a text", e))
    }

    /// What is in a rule or a class of words, as it stands in its file: file, line, text. The own rules come first.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub fn rule_source(
        &self,
        viewer: &Viewer,
        key: &str,
        name: &str,
    ) -> Result<Vec<(String, usize, String)>, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let own = Source { name: OWN.to_owned(), text: self.own_in_force().text };
        let base = self.rule_desk()?.bench.base();
        let found: Vec<_> =
            [own].iter().chain(&base).filter_map(|source| block(source, key, name)).collect();
        if found.is_empty() { Err(ServiceError::NotFound { what: "rule" }) } else { Ok(found) }
    }

    /// What would come of a text: its faults, or how it differs and what would be found otherwise.
    ///
    /// # Errors
    /// [`ServiceError::NotPermitted`].
    pub async fn check_rules(
        &self,
        viewer: &Viewer,
        text: &str,
    ) -> Result<CheckedRules, ServiceError> {
        let recent = Recent::new(self.inner.store.clone(), COMPARED);
        self.checked(viewer, text, recent).await
    }

    /// The same, on these stored texts.
    async fn checked(
        &self,
        viewer: &Viewer,
        text: &str,
        mut recent: Recent,
    ) -> Result<CheckedRules, ServiceError> {
        viewer.demand(Act::ManageRules)?;
        let in_force = self.own_in_force();
        if let Some(faults) = unreadable(text) {
            return Ok(CheckedRules::Faulty(faults));
        }
        if in_force.text == text && in_force.refused.is_none() {
            return Ok(CheckedRules::Same);
        }
        let desk = self.rule_desk()?;
        // One at a time: each is a process with lexicons of its own.
        let _turn = self.inner.rule_turn.lock().await;
        let job = Job::Look {
            before: in_force.text.clone(),
            after: text.to_owned(),
            kept: desk.kept.clone(),
        };
        let report = desk.bench.run(job, Some(&mut recent)).await?;
        let Report { faults, warnings, n_examples, failed, compared: found, weakened, kept: _ } =
            report;
        let mut faults = faults;
        let (own, others): (Vec<_>, Vec<_>) = failed.into_iter().partition(|f| f.file == OWN);
        faults.extend(own.into_iter().map(|f| Told {
            what: failure(&f),
            file: f.file,
            line: f.line,
        }));
        if !faults.is_empty() {
            return Ok(CheckedRules::Faulty(faults));
        }
        let with_case = |sample: Sample| {
            let case = recent.case_of(&sample.id);
            (sample.text, sample.rules.join(", "), case)
        };
        let changes = found.changes.into_iter().map(|(category, change, n, samples)| Found {
            category,
            what: change.label(),
            n,
            samples: samples.into_iter().map(with_case).collect(),
        });
        Ok(CheckedRules::Fits(Box::new(RulesPreview {
            text: compared(&in_force.text, text),
            warnings,
            n_examples,
            otherwise: others.iter().map(failure).collect(),
            texts: found.texts,
            queued: found.queued,
            changes: changes.collect(),
            four_eyes: self.inner.policies.authority().duties.changed_by_two,
            weakened,
        })))
    }

    /// Publishes rules, or proposes them where the policy that rules asks for a second person. Says whether they rule.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person; nothing has changed then.
    pub async fn publish_rules(
        &self,
        viewer: &Viewer,
        draft: &RuleDraft,
    ) -> Result<bool, ServiceError> {
        viewer.demand(Act::ManageRules)?;
        let why = reason(&draft.why)?;
        // What it would change was looked at before; whether it holds is asked once more.
        let none = Recent::new(self.inner.store.clone(), 0);
        let (four_eyes, weakened) = match self.checked(viewer, &draft.text, none).await? {
            CheckedRules::Fits(preview) => {
                if preview.mark().is_some_and(|mark| mark != draft.accepts) {
                    return refused(NOT_ACCEPTED);
                }
                let names: Vec<_> = preview.weakened.into_iter().map(|one| one.rule).collect();
                (preview.four_eyes, names)
            }
            CheckedRules::Same => {
                return refused("Reglerna är de som gäller. Inget är publicerat.");
            }
            CheckedRules::Faulty(_) => return refused(FAULTY),
        };
        let hash = ContentHash::of(draft.text.as_bytes());
        let act = if four_eyes { "rules.propose" } else { "rules.publish" };
        let weaker = match weakened.is_empty() {
            true => String::new(),
            false => format!(", försvagar {}", weakened.join(", ")),
        };
        let detail = Some(format!("{hash}: {why}{weaker}"));
        let line = AuditLine { detail, ..viewer.line(act, "rules") };
        let new = NewPolicyVersion {
            of: Governs::Rules,
            name: NAME.to_owned(),
            text: draft.text.clone(),
            hash,
            why,
            four_eyes,
            recounts: false,
            base: PolicyVersionId(draft.base),
        };
        let now = self.inner.clock.now();
        let version =
            self.inner.store.publish_policy(new, viewer.user, Vec::new(), line, now).await?;
        if !four_eyes {
            self.rules_changed(version, &draft.text).await;
        }
        Ok(!four_eyes)
    }

    /// Approves rules that wait, so that they rule.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person; nothing has changed then.
    pub async fn approve_rules(&self, viewer: &Viewer, version: i64) -> Result<(), ServiceError> {
        viewer.demand(Act::ManageRules)?;
        let own = self.own_rules(viewer).await?;
        let waiting = own.waiting().filter(|waiting| waiting.id.0 == version);
        let Some(waiting) = waiting else { return refused("Förslaget väntar inte längre.") };
        let none = Recent::new(self.inner.store.clone(), 0);
        if let CheckedRules::Faulty(_) = self.checked(viewer, &waiting.text, none).await? {
            return refused(
                "Den här versionen av Uppsikt godtar inte reglerna. Dra tillbaka förslaget och skriv ett nytt.",
            );
        }
        let line = AuditLine {
            detail: Some(format!("version {version}, {}", waiting.hash)),
            ..viewer.line("rules.approve", "rules")
        };
        let base = own.ruling().map_or(PolicyVersionId(0), |ruling| ruling.id);
        let now = self.inner.clock.now();
        let store = &self.inner.store;
        store.approve_policy(waiting.id, (base, viewer.user), Vec::new(), line, now).await?;
        self.rules_changed(waiting.id, &waiting.text).await;
        Ok(())
    }

    /// Takes back rules that wait.
    ///
    /// # Errors
    /// [`ServiceError::Refused`] with words for the person; nothing has changed then.
    pub async fn withdraw_rules(&self, viewer: &Viewer, version: i64) -> Result<(), ServiceError> {
        viewer.demand(Act::ManageRules)?;
        let own = self.own_rules(viewer).await?;
        if own.waiting().is_none_or(|waiting| waiting.id.0 != version) {
            return refused("Förslaget väntar inte längre.");
        }
        let line = AuditLine {
            detail: Some(format!("version {version}")),
            ..viewer.line("rules.withdraw", "rules")
        };
        let (version, now) = (PolicyVersionId(version), self.inner.clock.now());
        Ok(self.inner.store.withdraw_policy(version, viewer.user, line, now).await?)
    }

    /// Takes the rules that were published into use: compiled beside, then put in the old ones' place.
    async fn rules_changed(&self, version: PolicyVersionId, own: &str) {
        self.note_log().await;
        if let Err(error) = self.take_rules(version, own).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, policy_version = %version, "published rules are not in use yet");
            // They are published and will be taken in at the next start; until then administrators are told.
            let mut own = self.inner.own_rules.write().unwrap_or_else(PoisonError::into_inner);
            own.late = Some(version);
        }
    }

    async fn take_rules(&self, version: PolicyVersionId, own: &str) -> Result<(), ServiceError> {
        let desk = self.rule_desk()?;
        let _turn = self.inner.rule_turn.lock().await;
        if let Some(kept) = desk.kept.clone() {
            let report = desk.bench.run(Job::Keep { own: own.to_owned(), kept }, None).await?;
            if !report.kept {
                tracing::warn!("the compiled rules could not be kept: they are compiled here");
            }
        }
        let sources = with_own(desk.bench.base(), own);
        let kept = desk.kept.clone();
        let broken = |e: io::Error| ServiceError::broken("taking rules into use", e);
        // Read beside the one that rules, which everybody goes on with; a fault leaves it where it is.
        let read = move || Arc::new(lexicons::classifier(&sources, kept.as_deref()));
        let new = desk.loader.run(read).await.map_err(broken)?;
        let old = {
            let mut slot = self.inner.classifier.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *slot, new)
        };
        // Freed on the thread that it was read on, by whoever ends with it last.
        desk.loader.run(move || drop(old)).await.map_err(broken)?;
        let in_force =
            InForce { version: Some(version), text: own.to_owned(), ..InForce::default() };
        *self.inner.own_rules.write().unwrap_or_else(PoisonError::into_inner) = in_force;
        tracing::info!(policy_version = %version, "own rules rule from now on");
        Ok(())
    }
}

/// What is said of rules that were published and are not in use.
pub fn late_words(version: PolicyVersionId) -> String {
    format!(
        "Version {version} av de egna reglerna är publicerad men har inte kunnat tas i bruk än: de som gällde förut gäller tills Uppsikt startas om. Kontakta den som sköter servern."
    )
}

fn failure(failed: &Failed) -> String {
    let Failed { rule, text, should_hit, .. } = failed;
    match should_hit {
        true => format!("Exemplet ”{text}” ger ingen träff av {rule}, men borde göra det."),
        false => format!("Motexemplet ”{text}” ger träff av {rule}, men ska inte göra det."),
    }
}

fn unbelieved(lowered: &Lowered) -> String {
    let Lowered { rule, from, to, sum, belief } = lowered;
    let left = to.map_or("ingenting", Severity::label);
    format!(
        "{rule} säger {} men blir {left}: de samlade tecknen väger {sum}, och regeln tros först från {belief}.",
        from.label()
    )
}

fn unreadable(text: &str) -> Option<Vec<Told>> {
    let told = |line, what: String| vec![Told { file: OWN.to_owned(), line, what }];
    if text.len() > LONGEST {
        let most = LONGEST / 1_000;
        return Some(told(1, format!("Reglerna är längre än {most} kB. Korta dem.")));
    }
    let hidden = hidden_faults(text).into_iter();
    let hidden: Vec<_> =
        hidden.map(|f| Told { file: OWN.to_owned(), line: f.line, what: f.what }).collect();
    (!hidden.is_empty()).then_some(hidden)
}

/// The table of a source that says `key = "name"`, with the line that it begins on.
fn block(source: &Source, key: &str, name: &str) -> Option<(String, usize, String)> {
    let says = |line: &str| {
        let value = line.trim().strip_prefix(key).map(str::trim_start);
        let value = value.and_then(|rest| rest.strip_prefix('=')).map(str::trim);
        value.and_then(|v| v.strip_prefix('"')).and_then(|v| v.split('"').next()) == Some(name)
    };
    let lines: Vec<&str> = source.text.lines().collect();
    let at = lines.iter().position(|line| says(line))?;
    let from = lines[..=at].iter().rposition(|line| line.starts_with("[["))?;
    let rest = lines[at..].iter().position(|line| line.starts_with("[[")).map(|n| at + n);
    let block = lines[from..rest.unwrap_or(lines.len())].join("\n");
    Some((source.name.clone(), from + 1, block.trim_end().to_owned()))
}
