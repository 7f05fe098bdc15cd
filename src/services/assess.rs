//! Versions without verdict → classify → case opened, brought back or left alone.

use std::panic::{AssertUnwindSafe, catch_unwind};

use metrics::{counter, histogram};
use tokio::sync::OnceCell;

use crate::classify::{Classifier, Context};
use crate::domain::category::{Category, Severity};
use crate::domain::ids::{LexiconVersion, VersionId};
use crate::domain::item::ItemKind;
use crate::domain::verdict::Verdict;
use crate::store::rows::{CaseOpening, Unassessed, UnderAssessment};
use crate::telemetry::metrics as names;

use super::{ServiceError, Services};

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
const RANK_THREAT: u8 = 1;
const RANK_REST: u8 = 2;

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
        let classifier = self.inner.classifier.clone();
        let policy = self.inner.policy.clone();
        let assess = move || -> Vec<(VersionId, Verdict, Option<CaseOpening>)> {
            waiting
                .iter()
                .map(|version| {
                    if deadly {
                        tracing::error!(version.id = %version.version, "assessing killed the program");
                        let (verdict, opening) =
                            unassessable(&policy, version, classifier.version().clone());
                        return (version.version, verdict, opening);
                    }
                    let classified =
                        catch_unwind(AssertUnwindSafe(|| classify(&classifier, version)));
                    let (verdict, opening) = match classified {
                        Ok(verdict) => {
                            let opening = opening(&policy, version, &verdict);
                            (verdict, opening)
                        }
                        Err(_panic) => {
                            // One text that breaks the classifier must not keep all others from
                            // being seen, nor slip through unseen itself.
                            tracing::error!(version.id = %version.version, "assessing panicked");
                            unassessable(&policy, version, classifier.version().clone())
                        }
                    };
                    (version.version, verdict, opening)
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
            .flat_map(|(_, verdict, _)| &verdict.findings)
            .map(|finding| (finding.category.id(), finding.severity.id()))
            .collect();
        let opens: Vec<_> = assessed.iter().map(|(_, _, opening)| opening.is_some()).collect();
        let touched = self.inner.store.record_assessments(assessed, now).await?;
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

fn classify(classifier: &Classifier, version: &Unassessed) -> Verdict {
    let context =
        Context { post: version.post_text.as_deref(), parent: version.parent_text.as_deref() };
    classifier.classify(&version.text, &context)
}

/// What follows from a text that the machine could not read: a person does.
fn unassessable(
    policy: &crate::domain::policy::Policy,
    version: &Unassessed,
    lexicon: LexiconVersion,
) -> (Verdict, Option<CaseOpening>) {
    let verdict = Verdict { lexicon, findings: Vec::new() };
    let opening = (!version.by_us).then(|| CaseOpening {
        rank: RANK_REST,
        severity: None,
        category: None,
        due_at: policy.due(&verdict, version.kind, version.received_at),
        why: "Texten kunde inte bedömas av Uppsikt. Läs den själv.".into(),
    });
    (verdict, opening)
}

fn opening(
    policy: &crate::domain::policy::Policy,
    version: &Unassessed,
    verdict: &Verdict,
) -> Option<CaseOpening> {
    if version.by_us || !verdict.opens_case(version.kind) {
        return None;
    }
    let against_a_person = verdict.findings.iter().any(|finding| {
        matches!(finding.category, Category::Threat | Category::Incitement)
            && finding.severity == Severity::High
    });
    let why = match verdict.primary() {
        Some(finding) if finding.opens_case() => finding.why.to_string(),
        Some(_) | None if version.kind == ItemKind::DirectMessage => {
            "Privata meddelanden ska alltid ses av en person.".into()
        }
        Some(finding) => finding.why.to_string(),
        None => "Ska ses av en person.".into(),
    };
    Some(CaseOpening {
        rank: if against_a_person { RANK_THREAT } else { RANK_REST },
        severity: verdict.severity(),
        category: verdict.primary().map(|finding| finding.category),
        due_at: policy.due(verdict, version.kind, version.received_at),
        why,
    })
}
