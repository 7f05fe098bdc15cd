//! Every number that is counted, named in one place, and how `/metrics` writes them.
//!
//! Labels are identifiers of ours (account key, action kind, loop name), never anything a person
//! wrote: each new label value costs memory for as long as the process lives.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// Polls of accounts, by `account` and `outcome`.
pub const POLLS: &str = "uppsikt_polls_total";
/// Items stored for the first time, by `account`.
pub const ITEMS_NEW: &str = "uppsikt_items_new_total";
/// Versions stored, first ones included, by `account`.
pub const VERSIONS_NEW: &str = "uppsikt_versions_new_total";
/// Elements of answers that could not be read, by `account`.
pub const UNREADABLE: &str = "uppsikt_unreadable_total";
/// Seconds from fetching to the case being visible.
pub const FETCH_TO_CASE: &str = "uppsikt_fetch_to_case_seconds";
/// Findings, by `category` and `severity`.
pub const FINDINGS: &str = "uppsikt_findings_total";
/// Rules that fire far above their past, by `outcome` (`alarm`, `shadow`).
pub const RULE_ALARMS: &str = "uppsikt_rule_alarms_total";
/// Cases that wait for a person.
pub const CASES_WAITING: &str = "uppsikt_cases_waiting";
/// Cases past their deadline.
pub const CASES_OVERDUE: &str = "uppsikt_cases_overdue";
/// Evidence records sealed.
pub const SEALS: &str = "uppsikt_seals_total";
/// Parts missing from sealed evidence, by `part`.
pub const PARTS_MISSING: &str = "uppsikt_evidence_parts_missing_total";
/// Decisions made by people.
pub const DECISIONS: &str = "uppsikt_decisions_total";
/// Seconds from the click to the durable decision.
pub const DECISION_SECONDS: &str = "uppsikt_decision_seconds";
/// Actions settled, by `kind` and `outcome`.
pub const ACTIONS: &str = "uppsikt_actions_total";
/// Rounds of supervised loops, by `loop` and `outcome` (`ok`, `error`, `panic`).
pub const LOOP_ROUNDS: &str = "uppsikt_loop_rounds_total";
/// Seconds that one round of a supervised loop took, by `loop`.
pub const LOOP_SECONDS: &str = "uppsikt_loop_round_seconds";
/// Answers of the web server, by `status`.
pub const REQUESTS: &str = "uppsikt_http_requests_total";
/// Refused logins.
pub const LOGINS_REFUSED: &str = "uppsikt_logins_refused_total";

/// Upper bounds of the buckets for seconds, around the budgets of 50 ms and 2 s.
const SECONDS_BUCKETS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0];

const COUNTERS: &[(&str, &str)] = &[
    (POLLS, "Polls of accounts"),
    (ITEMS_NEW, "Items stored for the first time"),
    (VERSIONS_NEW, "Versions stored"),
    (UNREADABLE, "Elements of platform answers that could not be read"),
    (FINDINGS, "Findings of the classifier"),
    (RULE_ALARMS, "Rules that fire far above their past"),
    (SEALS, "Evidence records sealed"),
    (PARTS_MISSING, "Parts missing from sealed evidence"),
    (DECISIONS, "Decisions made by people"),
    (ACTIONS, "Actions settled"),
    (LOOP_ROUNDS, "Rounds of supervised loops"),
    (REQUESTS, "Answers of the web server"),
    (LOGINS_REFUSED, "Refused logins"),
];
const GAUGES: &[(&str, &str)] = &[
    (CASES_WAITING, "Cases that wait for a person"),
    (CASES_OVERDUE, "Cases past their deadline"),
];
const HISTOGRAMS: &[(&str, &str)] = &[
    (FETCH_TO_CASE, "From fetching to the case being visible"),
    (DECISION_SECONDS, "From the click to the durable decision"),
    (LOOP_SECONDS, "One round of a supervised loop"),
];

/// Metrics could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The recorder was refused.
    #[error("the metrics recorder could not be built")]
    Build(#[source] BuildError),
    /// Somebody has set up metrics in this process already.
    #[error("metrics are set up already")]
    Twice,
}

/// What `/metrics` asks.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Sets up counting for the whole process. No port is opened: the page comes from
    /// [`Metrics::render`].
    ///
    /// # Errors
    /// [`MetricsError::Twice`] where that has been done before.
    pub fn install() -> Result<Self, MetricsError> {
        let recorder = builder().map_err(MetricsError::Build)?.build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).map_err(|_| MetricsError::Twice)?;
        describe();
        Ok(Self(handle))
    }

    /// The numbers in the text format of Prometheus.
    pub fn render(&self) -> String {
        // Nothing else drains the histograms' buffers, since no exporter runs.
        self.0.run_upkeep();
        self.0.render()
    }

    /// A recorder for one test, used through `metrics::with_local_recorder`.
    #[cfg(test)]
    pub(crate) fn for_test() -> (metrics_exporter_prometheus::PrometheusRecorder, Self) {
        let recorder = builder().expect("the bucket list is not empty").build_recorder();
        let handle = recorder.handle();
        (recorder, Self(handle))
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS_BUCKETS)
}

fn describe() {
    for &(name, what) in COUNTERS {
        describe_counter!(name, what);
    }
    for &(name, what) in GAUGES {
        describe_gauge!(name, what);
    }
    for &(name, what) in HISTOGRAMS {
        describe_histogram!(name, Unit::Seconds, what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_described_once_and_has_the_unit_in_it() {
        let mut names: Vec<_> =
            COUNTERS.iter().chain(GAUGES).chain(HISTOGRAMS).map(|(name, _)| *name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(names.iter().all(|n| n.starts_with("uppsikt_")));
        assert!(COUNTERS.iter().all(|(n, _)| n.ends_with("_total")));
        assert!(HISTOGRAMS.iter().all(|(n, _)| n.ends_with("_seconds")));
    }

    #[test]
    fn counted_numbers_are_rendered_with_labels_and_buckets() {
        let (recorder, metrics) = Metrics::for_test();
        metrics::with_local_recorder(&recorder, || {
            describe();
            metrics::counter!(POLLS, "account" => "blogg", "outcome" => "ok").increment(3);
            metrics::gauge!(CASES_WAITING).set(7.0);
            metrics::histogram!(DECISION_SECONDS).record(0.04);
        });
        let page = metrics.render();
        assert!(page.contains("uppsikt_polls_total{account=\"blogg\",outcome=\"ok\"} 3"), "{page}");
        assert!(page.contains("uppsikt_cases_waiting 7"), "{page}");
        assert!(page.contains("uppsikt_decision_seconds_bucket{le=\"0.05\"} 1"), "{page}");
        assert!(page.contains("uppsikt_decision_seconds_bucket{le=\"0.025\"} 0"), "{page}");
        assert!(page.contains("# HELP uppsikt_polls_total Polls of accounts"), "{page}");
    }
}
