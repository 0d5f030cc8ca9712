//! Everything that is counted.

/// A counter. `docs/metrics.md` says for each what it means to an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(
    missing_docs,
    reason = "each is described in docs/metrics.md, held complete by a test"
)]
pub enum Metric {
    Starts,
    Heartbeats,
    Stops,
    Releases,
    Lapses,
    Evictions,
    Kills,
    Replacements,
    MonitoredBreaches,
    FastPathPasses,
    LeaseRenewals,
    RedirectsMinted,
    RefusalsLimit,
    RefusalsEvicted,
    RefusalsTerminated,
    RefusalsOver,
    RefusalsCredential,
    RefusalsUnidentified,
    RefusalsSessionRequired,
    RefusalsSubjectFull,
    RefusalsBlocked,
    RefusalsTableFull,
    RefusalsContention,
    RefusalsStore,
    RefusalsMalformed,
    RefusalsMissingAttributes,
    RefusalsThrottled,
    CasRetries,
    CasGiveUps,
    StoreFailures,
    CorruptSlots,
    RecordWrites,
    GenerationBumps,
    FleetCalls,
    FleetCallsFailed,
    FleetQuestions,
    FleetRefreshes,
    FleetConflicts,
    FleetEvictionsRead,
    FleetLayoutMismatches,
    FleetOutageAdmits,
    FleetOutageRefusals,
    FleetErrorsUnreachable,
    FleetErrorsTimeout,
    FleetErrorsProtocol,
    FleetErrorsAuth,
    FleetErrorsFull,
    FleetErrorsOther,
    ManifestsRewritten,
    ManifestsTooLarge,
    ManifestsUnreadable,
    ManifestUrlsUnknown,
    Cuts,
    RefusalsShared,
    SharedMonitored,
}

impl Metric {
    /// Whether it may be counted in the worker, and be told at its next tick: what is counted at nearly each request
    /// that does not pass by a lease, and nobody waits for.
    #[must_use]
    pub const fn is_told_at_ticks(self) -> bool {
        matches!(
            self,
            Self::RecordWrites | Self::LeaseRenewals | Self::CasRetries
        )
    }

    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 55] = [
        Self::Starts,
        Self::Heartbeats,
        Self::Stops,
        Self::Releases,
        Self::Lapses,
        Self::Evictions,
        Self::Kills,
        Self::Replacements,
        Self::MonitoredBreaches,
        Self::FastPathPasses,
        Self::LeaseRenewals,
        Self::RedirectsMinted,
        Self::RefusalsLimit,
        Self::RefusalsEvicted,
        Self::RefusalsTerminated,
        Self::RefusalsOver,
        Self::RefusalsCredential,
        Self::RefusalsUnidentified,
        Self::RefusalsSessionRequired,
        Self::RefusalsSubjectFull,
        Self::RefusalsBlocked,
        Self::RefusalsTableFull,
        Self::RefusalsContention,
        Self::RefusalsStore,
        Self::RefusalsMalformed,
        Self::RefusalsMissingAttributes,
        Self::RefusalsThrottled,
        Self::CasRetries,
        Self::CasGiveUps,
        Self::StoreFailures,
        Self::CorruptSlots,
        Self::RecordWrites,
        Self::GenerationBumps,
        Self::FleetCalls,
        Self::FleetCallsFailed,
        Self::FleetQuestions,
        Self::FleetRefreshes,
        Self::FleetConflicts,
        Self::FleetEvictionsRead,
        Self::FleetLayoutMismatches,
        Self::FleetOutageAdmits,
        Self::FleetOutageRefusals,
        Self::FleetErrorsUnreachable,
        Self::FleetErrorsTimeout,
        Self::FleetErrorsProtocol,
        Self::FleetErrorsAuth,
        Self::FleetErrorsFull,
        Self::FleetErrorsOther,
        Self::ManifestsRewritten,
        Self::ManifestsTooLarge,
        Self::ManifestsUnreadable,
        Self::ManifestUrlsUnknown,
        Self::Cuts,
        Self::RefusalsShared,
        Self::SharedMonitored,
    ];

    /// Its name in Envoy's statistics. A counter's family ends in `_total`; a label and its value
    /// may follow, which `stats_tags` in Envoy's configuration makes a label of for Prometheus.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starts => "streamgate.starts_total",
            Self::Heartbeats => "streamgate.heartbeats_total",
            Self::Stops => "streamgate.stops_total",
            Self::Releases => "streamgate.releases_total",
            Self::Lapses => "streamgate.lapses_total",
            Self::Evictions => "streamgate.evictions_total",
            Self::Kills => "streamgate.kills_total",
            Self::Replacements => "streamgate.replacements_total",
            Self::MonitoredBreaches => "streamgate.monitored_breaches_total",
            Self::FastPathPasses => "streamgate.fast_path_passes_total",
            Self::LeaseRenewals => "streamgate.lease_renewals_total",
            Self::RedirectsMinted => "streamgate.redirects_minted_total",
            Self::RefusalsLimit => "streamgate.refusals_total.reason.limit",
            Self::RefusalsEvicted => "streamgate.refusals_total.reason.evicted",
            Self::RefusalsTerminated => "streamgate.refusals_total.reason.terminated",
            Self::RefusalsOver => "streamgate.refusals_total.reason.over",
            Self::RefusalsCredential => "streamgate.refusals_total.reason.credential",
            Self::RefusalsUnidentified => "streamgate.refusals_total.reason.unidentified",
            Self::RefusalsSessionRequired => "streamgate.refusals_total.reason.session_required",
            Self::RefusalsSubjectFull => "streamgate.refusals_total.reason.subject_full",
            Self::RefusalsBlocked => "streamgate.refusals_total.reason.blocked",
            Self::RefusalsTableFull => "streamgate.refusals_total.reason.table_full",
            Self::RefusalsContention => "streamgate.refusals_total.reason.contention",
            Self::RefusalsStore => "streamgate.refusals_total.reason.store",
            Self::RefusalsMalformed => "streamgate.refusals_total.reason.malformed",
            Self::RefusalsMissingAttributes => {
                "streamgate.refusals_total.reason.missing_attributes"
            }
            Self::RefusalsThrottled => "streamgate.refusals_total.reason.throttled",
            Self::CasRetries => "streamgate.cas_retries_total",
            Self::CasGiveUps => "streamgate.cas_give_ups_total",
            Self::StoreFailures => "streamgate.store_failures_total",
            Self::CorruptSlots => "streamgate.corrupt_slots_total",
            Self::RecordWrites => "streamgate.record_writes_total",
            Self::GenerationBumps => "streamgate.generation_bumps",
            Self::FleetCalls => "streamgate.fleet.calls_total",
            Self::FleetCallsFailed => "streamgate.fleet.calls_failed_total",
            Self::FleetQuestions => "streamgate.fleet.questions_total",
            Self::FleetRefreshes => "streamgate.fleet.refreshes_total",
            Self::FleetConflicts => "streamgate.fleet.conflicts_total",
            Self::FleetEvictionsRead => "streamgate.fleet.evictions_read_total",
            Self::FleetLayoutMismatches => "streamgate.fleet.layout_mismatches_total",
            Self::FleetOutageAdmits => "streamgate.fleet.outage_admits_total",
            Self::FleetOutageRefusals => "streamgate.fleet.outage_refusals_total",
            Self::FleetErrorsUnreachable => "streamgate.fleet.errors_total.reason.unreachable",
            Self::FleetErrorsTimeout => "streamgate.fleet.errors_total.reason.timeout",
            Self::FleetErrorsProtocol => "streamgate.fleet.errors_total.reason.protocol",
            Self::FleetErrorsAuth => "streamgate.fleet.errors_total.reason.auth",
            Self::FleetErrorsFull => "streamgate.fleet.errors_total.reason.full",
            Self::FleetErrorsOther => "streamgate.fleet.errors_total.reason.other",
            Self::ManifestsRewritten => "streamgate.manifests_total.outcome.rewritten",
            Self::ManifestsTooLarge => "streamgate.manifests_total.outcome.too_large",
            Self::ManifestsUnreadable => "streamgate.manifests_total.outcome.unreadable",
            Self::ManifestUrlsUnknown => "streamgate.manifests.urls_unknown_total",
            Self::Cuts => "streamgate.cuts_total",
            Self::RefusalsShared => "streamgate.refusals_total.reason.shared",
            Self::SharedMonitored => "streamgate.shared_monitored_total",
        }
    }

    /// Its place in [`Metric::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Name of the gauge of streams on record.
pub const LIVE_STREAMS: &str = "streamgate.live_streams";

/// Name of the gauge of shards of the fleet's store that do not answer.
pub const SHARDS_DOWN: &str = "streamgate.fleet.shards_down";

/// Name of the gauge of requests that wait for the fleet's store.
pub const WAITING: &str = "streamgate.fleet.waiting";

/// Name of the histogram of how long streams were on record, in seconds.
pub const STREAM_SECONDS: &str = "streamgate.stream_seconds";
/// Name of the gauge of how many milliseconds the machine's clock differs from the time that
/// the edge goes by.
pub const CLOCK_DIFFERENCE_MS: &str = "streamgate.clock_difference_ms";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    /// What Prometheus makes of a name, by the `stats_tags` of `docs/metrics.md`.
    fn as_scraped(name: &str) -> String {
        let family = |name: &str| name.replace('.', "_");
        let labelled = name.split_once("_total.");
        let labelled = labelled.and_then(|(name, label)| Some((name, label.split_once('.')?)));
        match labelled {
            Some((name, (label, value))) => {
                format!("{}_total{{{label}=\"{value}\"}}", family(name))
            }
            None => family(name),
        }
    }

    #[test]
    fn every_metric_is_explained() {
        let page = include_str!("../../../docs/metrics.md");
        let names = Metric::ALL.map(Metric::name);
        let others = [
            LIVE_STREAMS,
            SHARDS_DOWN,
            WAITING,
            STREAM_SECONDS,
            CLOCK_DIFFERENCE_MS,
        ];
        for name in names.into_iter().chain(others) {
            let scraped = as_scraped(name);
            assert!(page.contains(&format!("| `{scraped}` |")), "{scraped}");
        }
    }

    #[test]
    fn counters_end_in_total() {
        for metric in Metric::ALL {
            let family = as_scraped(metric.name());
            let family = family.split('{').next().expect("a family");
            let is_gauge = metric == Metric::GenerationBumps;
            assert_eq!(family.ends_with("_total"), !is_gauge, "{family}");
        }
    }

    #[test]
    fn numbers_names_and_order_agree() {
        let mut names = std::collections::BTreeSet::new();
        for (at, metric) in Metric::ALL.into_iter().enumerate() {
            assert_eq!(metric.index(), at);
            assert!(names.insert(metric.name()), "{}", metric.name());
        }
    }

    #[test]
    fn what_nobody_waits_for_is_told_at_ticks() {
        let at_ticks = Metric::ALL
            .into_iter()
            .filter(|metric| metric.is_told_at_ticks());
        let expected = [
            Metric::RecordWrites,
            Metric::CasRetries,
            Metric::LeaseRenewals,
        ];
        let mut told: Vec<_> = at_ticks.collect();
        told.retain(|metric| !expected.contains(metric));
        assert_eq!(told, []);
        assert!(expected.into_iter().all(Metric::is_told_at_ticks));
    }
}
