//! Versions without verdict → classify → case opened, brought back or left alone.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use metrics::{counter, histogram};
use tokio::sync::OnceCell;

use crate::classify::context::{self, Assessed, Surroundings};
use crate::classify::{Classifier, Context};
use crate::domain::account::PlatformKind;
use crate::domain::category::{Category, Severity};
use crate::domain::ids::{ItemId, LexiconVersion};
use crate::domain::item::{Author, ItemKind};
use crate::domain::likeness::{EarlierPrint, Print, Traces};
use crate::domain::person::Act;
use crate::domain::rule_watch::{RuleAlarm, SetAside};
use crate::domain::verdict::Verdict;
use crate::store::rows::{AssessedVersion, CaseOpening, Unassessed, UnderAssessment};
use crate::telemetry::metrics as names;

use super::{ServiceError, Services, Viewer};

/// How many versions are assessed in one transaction.
const BATCH: u32 = 200;

/// How many deaths one text may be part of before a person reads it instead. The first may be any
/// text's of its batch; from then on each is assessed alone, so it is its own twice.
const MOST_DEATHS: u32 = 3;

/// What an earlier life of the program left under assessment, read once.
#[derive(Debug, Default)]
pub(super) struct Assessing {
    left: OnceCell<Option<UnderAssessment>>,
}

/// Place in the queue: see `cases.rank` in the schema.
const RANK_LIFE: u8 = 0;
const RANK_THREAT: u8 = 2;
pub(super) const RANK_REST: u8 = 3;

impl Services {
    /// Assesses what waits. Says whether there is more.
    ///
    /// # Errors
    /// [`ServiceError`] where the store does not answer; nothing is lost, it waits.
    pub async fn assess_waiting(&self) -> Result<bool, ServiceError> {
        let mut waiting = self.inner.store.unassessed(BATCH).await?;
        let n = waiting.len();
        let Some(note) = self.begin_assessment(&mut waiting).await? else { return Ok(false) };
        let more = waiting.len() < n || n == BATCH as usize;
        let deadly = note.deaths >= MOST_DEATHS;
        let fetched: Vec<_> = waiting.iter().map(|version| version.fetched_at).collect();
        let mut known = self.known_around(&waiting).await?;
        let classifier = self.classifier();
        let services = self.clone();
        let assess = move || -> Vec<AssessedVersion> {
            waiting
                .iter()
                .enumerate()
                .map(|(n, version)| {
                    let policy = services.policy_of(version.account);
                    if deadly {
                        tracing::error!(version.id = %version.version, "assessing killed the program");
                        return unassessable(&policy, version, classifier.version().clone());
                    }
                    let classified = catch_unwind(AssertUnwindSafe(|| {
                        assess_one(&classifier, version, &known, n)
                    }));
                    match classified {
                        Ok(Assessed { verdict, held, traces }) => {
                            // What comes later in this very round sees it, too.
                            known.add(version, &traces);
                            let opening = opening(&policy, version, &verdict, held.as_deref());
                            AssessedVersion { version: version.version, verdict, opening, traces, unread: false }
                        }
                        Err(_panic) => {
                            // One text that breaks the classifier must not keep all others from
                            // being seen, nor slip through unseen itself.
                            tracing::error!(version.id = %version.version, "assessing panicked");
                            unassessable(&policy, version, classifier.version().clone())
                        }
                    }
                })
                .collect()
        };
        // Classifying is pure computing; it must not hold up the reactor.
        let assessed = tokio::task::spawn_blocking(assess)
            .await
            .map_err(|e| ServiceError::broken("assessment", e))?;
        let now = self.inner.clock.now();
        let found: Vec<_> = assessed
            .iter()
            .flat_map(|assessed| &assessed.verdict.findings)
            .map(|finding| (finding.category.id(), finding.severity.id()))
            .collect();
        let opens: Vec<_> = assessed.iter().map(|assessed| assessed.opening.is_some()).collect();
        let quota = self.rule_quota();
        let recorded = self.inner.store.record_assessments(assessed, quota, now).await?;
        let touched = recorded.touched;
        self.raise(&recorded.alarms);
        // Counted once they are stored: what was not comes again.
        for (category, severity) in found {
            counter!(names::FINDINGS, "category" => category, "severity" => severity).increment(1);
        }
        if !touched.is_empty() {
            self.inner.wakes.capture.notify_one();
            self.tell_cases(&touched);
            // From the answer to the moment when an open page is told.
            let told = self.inner.clock.now();
            for (at, _) in fetched.iter().zip(opens).filter(|(_, opens)| *opens) {
                let waited = told.duration_since(*at).as_secs_f64();
                histogram!(names::FETCH_TO_CASE).record(waited.max(0.0));
            }
        }
        Ok(more)
    }

    /// Tells of rules that fire far above their past: once in the log and the metrics; the queue's
    /// page says it as long as it holds.
    fn raise(&self, alarms: &[RuleAlarm]) {
        for alarm in alarms {
            let (rule, fired, expected) = (&*alarm.rule, alarm.fired, alarm.expected);
            tracing::warn!(
                rule,
                fired,
                expected,
                shadowed = alarm.shadowed,
                "a rule fires far above its past"
            );
            let outcome = if alarm.shadowed { "shadow" } else { "alarm" };
            counter!(names::RULE_ALARMS, "outcome" => outcome).increment(1);
        }
    }

    /// What is known of earlier items around those that wait.
    async fn known_around(&self, waiting: &[Unassessed]) -> Result<Known, ServiceError> {
        let now = self.inner.clock.now();
        let texts: Vec<_> = waiting
            .iter()
            .enumerate()
            .filter(|(_, version)| !version.by_us)
            .map(|(n, version)| (n, version.item, version.text.clone()))
            .collect();
        // Fingerprints of many long texts are computing, too.
        let printed = move || -> Vec<_> {
            let print =
                |text: &str| catch_unwind(AssertUnwindSafe(|| context::print(text))).ok().flatten();
            texts.into_iter().filter_map(|(n, item, text)| Some((n, item, print(&text)?))).collect()
        };
        let printed = tokio::task::spawn_blocking(printed)
            .await
            .map_err(|e| ServiceError::broken("assessment", e))?;
        let wanted = printed.iter().map(|(_, item, print)| (*item, print.clone())).collect();
        let found = self.inner.store.maybe_alike(wanted, now).await?;
        let shadowed = self.inner.store.shadowed_rules().await?;
        let mut known = Known {
            around: vec![Default::default(); waiting.len()],
            fresh: Vec::new(),
            attacks: Vec::new(),
            anew: BTreeSet::new(),
            shadowed,
        };
        for ((n, _, print), earlier) in printed.into_iter().zip(found) {
            known.around[n].earlier = earlier;
            known.around[n].print = Some(print);
        }
        for (n, version) in waiting.iter().enumerate() {
            known.around[n].author = number_of(&version.platform, &version.author);
            known.around[n].answers =
                version.answers.as_ref().and_then(|author| number_of(&version.platform, author));
        }
        let mut places = Vec::new();
        let mut asked = Vec::new();
        for (n, version) in waiting.iter().enumerate().filter(|(_, version)| !version.by_us) {
            let author = known.around[n].author.filter(|author| context::is_certain(*author));
            if let Some(author) = author {
                places.push(n);
                asked.push((author, version.item));
            }
        }
        let attacks = self.inner.store.attacks_by(asked, now).await?;
        for (n, attacks) in places.into_iter().zip(attacks) {
            known.around[n].attacks = attacks;
        }
        Ok(known)
    }

    /// What a person should see on the queue's page, in Swedish: alarms of rules, own rules that are refused, and keys
    /// that were made for them.
    ///
    /// # Errors
    /// [`ServiceError`].
    pub async fn rule_notices(&self, viewer: &Viewer) -> Result<Vec<String>, ServiceError> {
        viewer.demand(Act::ReadCases)?;
        let alarms = self.inner.store.rule_alarms(self.inner.clock.now()).await?;
        let refused = self.refused_rules().filter(|_| viewer.may(Act::ManageRules));
        let keys = self.key_notices(viewer).await?;
        let alarms = alarms.iter().map(RuleAlarm::words);
        Ok(refused.into_iter().chain(keys).chain(alarms).collect())
    }

    /// Notes what is about to be assessed; nothing where nothing waits. What an earlier life of the
    /// program may have died of is left alone with itself.
    pub(super) async fn begin_assessment(
        &self,
        waiting: &mut Vec<Unassessed>,
    ) -> Result<Option<UnderAssessment>, ServiceError> {
        let (Some(first), Some(last)) = (waiting.first(), waiting.last()) else { return Ok(None) };
        let (first, last) = (first.version, last.version);
        let store = &self.inner.store;
        let left = self.inner.assessing.left.get_or_try_init(|| store.noted_assessment()).await?;
        let note = match left {
            Some(left) if first <= left.last => {
                waiting.truncate(1);
                let deaths = if first == left.first { left.deaths + 1 } else { 1 };
                UnderAssessment { first, last: left.last, deaths }
            }
            Some(_) | None => UnderAssessment { first, last, deaths: 0 },
        };
        store.note_assessment(note).await?;
        Ok(Some(note))
    }
}

/// What is known of earlier items, for every version that waits.
struct Known {
    around: Vec<KnownOfOne>,
    /// What was assessed earlier in this very round: the store does not know it yet.
    fresh: Vec<EarlierPrint>,
    /// Who went for whom in it, and where.
    attacks: Vec<(u64, u64, ItemId)>,
    /// What was assessed in it.
    anew: BTreeSet<ItemId>,
    shadowed: BTreeMap<Arc<str>, SetAside>,
}

#[derive(Clone, Default)]
struct KnownOfOne {
    author: Option<u64>,
    answers: Option<u64>,
    print: Option<Print>,
    earlier: Vec<EarlierPrint>,
    attacks: Vec<(u64, u32)>,
}

impl Known {
    fn add(&mut self, version: &Unassessed, traces: &Traces) {
        // Its text before is no longer there to be like.
        self.fresh.retain(|earlier| earlier.item != version.item);
        self.anew.insert(version.item);
        if let Some(print) = traces.print.clone().filter(|_| !version.by_us) {
            let (item, account) = (version.item, version.account);
            let print = EarlierPrint { item, account, author: traces.author, print };
            self.fresh.push(print);
        }
        let author = traces.author.filter(|author| context::is_certain(*author) && !version.by_us);
        if let Some(author) = author {
            let attacks = traces.targets.iter().map(|target| (author, *target, version.item));
            self.attacks.extend(attacks);
        }
    }

    /// Whom the author of one version has gone for in other items, with in how many.
    fn attacks(&self, n: usize, version: &Unassessed) -> Vec<(u64, u32)> {
        let KnownOfOne { author, attacks, .. } = &self.around[n];
        let mut all = attacks.clone();
        let mut seen = BTreeSet::new();
        for (by, target, item) in &self.attacks {
            if Some(*by) != *author || *item == version.item || !seen.insert((*target, *item)) {
                continue;
            }
            match all.iter_mut().find(|(known, _)| known == target) {
                Some((_, n)) => *n += 1,
                None => all.push((*target, 1)),
            }
        }
        all
    }

    /// The earlier ones of one version, those of this round included.
    fn earlier(&self, n: usize, version: &Unassessed) -> Vec<EarlierPrint> {
        let KnownOfOne { earlier, print: Some(print), .. } = &self.around[n] else {
            return Vec::new();
        };
        let mut earlier = earlier.clone();
        // What was written anew in this round is not what the store knows of it.
        earlier.retain(|e| !self.anew.contains(&e.item));
        for fresh in &self.fresh {
            let shares = fresh.print.bands.iter().zip(print.bands).any(|(a, b)| *a == b);
            if fresh.item != version.item && shares {
                earlier.retain(|e| e.item != fresh.item);
                earlier.push(fresh.clone());
            }
        }
        earlier
    }
}

/// A number for an author as the platform knows them.
fn number_of(platform: &str, author: &Author) -> Option<u64> {
    let identity = author.platform_id.as_deref().or(author.handle.as_deref());
    context::author(platform, identity, author.name.as_deref())
}

fn assess_one(classifier: &Classifier, version: &Unassessed, known: &Known, n: usize) -> Assessed {
    let earlier = known.earlier(n, version);
    let attacks = known.attacks(n, version);
    let one = &known.around[n];
    let around = Surroundings {
        account: version.account,
        author: one.author,
        answers: one.answers,
        earlier: &earlier,
        attacks: &attacks,
        shadowed: &known.shadowed,
    };
    let context = Context {
        post: version.post_text.as_deref(),
        parent: version.parent_text.as_deref(),
        around: (!version.by_us).then_some(around),
    };
    classifier.assess(&version.text, &context)
}

/// What follows from a text that the machine could not read: a person does.
fn unassessable(
    policy: &crate::domain::policy::Policy,
    version: &Unassessed,
    lexicon: LexiconVersion,
) -> AssessedVersion {
    let verdict = Verdict { lexicon, findings: Vec::new() };
    let opening = (!version.by_us).then(|| CaseOpening {
        rank: RANK_REST,
        severity: None,
        category: None,
        due_at: policy.due(&verdict, version.kind, version.received_at),
        why: "Texten kunde inte bedömas av Uppsikt. Läs den själv.".into(),
    });
    let traces = Traces::default();
    AssessedVersion { version: version.version, verdict, opening, traces, unread: true }
}

fn opening(
    policy: &crate::domain::policy::Policy,
    version: &Unassessed,
    verdict: &Verdict,
    held: Option<&str>,
) -> Option<CaseOpening> {
    // What a person has recorded by hand, a person has picked up.
    let by_hand = version.platform == PlatformKind::Manual.id();
    let opens = by_hand
        || verdict.opens_case(version.kind)
        || verdict.findings.iter().any(|finding| policy.opens(finding));
    if version.by_us || !(opens || held.is_some()) {
        return None;
    }
    let against_a_person = verdict.findings.iter().any(|finding| {
        matches!(finding.category, Category::Threat | Category::Incitement)
            && finding.severity == Severity::High
    });
    let held_words = held.filter(|_| !opens).map(|rule| {
        format!(
            "Regeln {rule} slår till ovanligt ofta i dag och visas inte, men den slog till här. Läs texten själv."
        )
    });
    let why = held_words.unwrap_or_else(|| match verdict.primary() {
        Some(finding) if policy.opens(finding) => finding.why.to_string(),
        Some(_) | None if version.kind == ItemKind::DirectMessage => {
            "Privata meddelanden ska alltid ses av en person.".into()
        }
        Some(_) | None if by_hand => "Inlagt för hand.".into(),
        Some(finding) => finding.why.to_string(),
        None => "Ska ses av en person.".into(),
    });
    Some(CaseOpening {
        rank: match (verdict.asks_for_help(), against_a_person || verdict.bars_copying()) {
            (true, _) => RANK_LIFE,
            (false, true) => RANK_THREAT,
            (false, false) => RANK_REST,
        },
        severity: verdict.severity(),
        category: verdict.primary().map(|finding| finding.category),
        due_at: policy.due(verdict, version.kind, version.received_at),
        why,
    })
}
