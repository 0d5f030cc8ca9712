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
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 53] = [
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

    /// Its name in Envoy's statistics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starts => "streamgate.starts",
            Self::Heartbeats => "streamgate.heartbeats",
            Self::Stops => "streamgate.stops",
            Self::Releases => "streamgate.releases",
            Self::Lapses => "streamgate.lapses",
            Self::Evictions => "streamgate.evictions",
            Self::Kills => "streamgate.kills",
            Self::Replacements => "streamgate.replacements",
            Self::MonitoredBreaches => "streamgate.monitored_breaches",
            Self::FastPathPasses => "streamgate.fast_path_passes",
            Self::LeaseRenewals => "streamgate.lease_renewals",
            Self::RedirectsMinted => "streamgate.redirects_minted",
            Self::RefusalsLimit => "streamgate.refusals.limit",
            Self::RefusalsEvicted => "streamgate.refusals.evicted",
            Self::RefusalsTerminated => "streamgate.refusals.terminated",
            Self::RefusalsOver => "streamgate.refusals.over",
            Self::RefusalsCredential => "streamgate.refusals.credential",
            Self::RefusalsUnidentified => "streamgate.refusals.unidentified",
            Self::RefusalsSessionRequired => "streamgate.refusals.session_required",
            Self::RefusalsSubjectFull => "streamgate.refusals.subject_full",
            Self::RefusalsTableFull => "streamgate.refusals.table_full",
            Self::RefusalsContention => "streamgate.refusals.contention",
            Self::RefusalsStore => "streamgate.refusals.store",
            Self::RefusalsMalformed => "streamgate.refusals.malformed",
            Self::RefusalsMissingAttributes => "streamgate.refusals.missing_attributes",
            Self::RefusalsThrottled => "streamgate.refusals.throttled",
            Self::CasRetries => "streamgate.cas_retries",
            Self::CasGiveUps => "streamgate.cas_give_ups",
            Self::StoreFailures => "streamgate.store_failures",
            Self::CorruptSlots => "streamgate.corrupt_slots",
            Self::RecordWrites => "streamgate.record_writes",
            Self::GenerationBumps => "streamgate.generation_bumps",
            Self::FleetCalls => "streamgate.fleet.calls",
            Self::FleetCallsFailed => "streamgate.fleet.calls_failed",
            Self::FleetQuestions => "streamgate.fleet.questions",
            Self::FleetRefreshes => "streamgate.fleet.refreshes",
            Self::FleetConflicts => "streamgate.fleet.conflicts",
            Self::FleetEvictionsRead => "streamgate.fleet.evictions_read",
            Self::FleetOutageAdmits => "streamgate.fleet.outage_admits",
            Self::FleetOutageRefusals => "streamgate.fleet.outage_refusals",
            Self::FleetErrorsUnreachable => "streamgate.fleet.errors.unreachable",
            Self::FleetErrorsTimeout => "streamgate.fleet.errors.timeout",
            Self::FleetErrorsProtocol => "streamgate.fleet.errors.protocol",
            Self::FleetErrorsAuth => "streamgate.fleet.errors.auth",
            Self::FleetErrorsFull => "streamgate.fleet.errors.full",
            Self::FleetErrorsOther => "streamgate.fleet.errors.other",
            Self::ManifestsRewritten => "streamgate.manifests.rewritten",
            Self::ManifestsTooLarge => "streamgate.manifests.too_large",
            Self::ManifestsUnreadable => "streamgate.manifests.unreadable",
            Self::ManifestUrlsUnknown => "streamgate.manifests.urls_unknown",
            Self::Cuts => "streamgate.cuts",
            Self::RefusalsShared => "streamgate.refusals.shared",
            Self::SharedMonitored => "streamgate.shared_monitored",
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

/// Name of the gauge of how many milliseconds the machine's clock differs from the time that
/// the edge goes by.
pub const CLOCK_DIFFERENCE_MS: &str = "streamgate.clock_difference_ms";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn every_metric_is_explained() {
        let page = include_str!("../../../docs/metrics.md");
        for name in Metric::ALL
            .map(Metric::name)
            .into_iter()
            .chain([LIVE_STREAMS, CLOCK_DIFFERENCE_MS])
        {
            assert!(page.contains(&format!("| `{name}` |")), "{name}");
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
}
