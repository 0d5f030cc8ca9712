//! One slice: a peer answers as fast as it can for a second or two, or at a pace, and the
//! system says what that took.

use std::collections::BTreeMap;
use std::path::Path;

use crate::case::{Ask, Case, Size};
use crate::envoy::Admin;
use crate::load::{self, Latency};
use crate::peer::Peer;
use crate::surroundings::SEGMENT_LEN;

/// The filter's counters that tell what a slice was really about.
pub(crate) const COUNTERS: [&str; 5] = [
    "fast_path_passes",
    "lease_renewals",
    "record_writes",
    "starts",
    "cas_retries",
];

/// What one slice took.
#[derive(Debug, Clone)]
pub(crate) struct Slice {
    /// Whose.
    pub(crate) case: Case,
    /// Requests that were answered.
    pub(crate) requests: u64,
    /// Requests a second.
    pub(crate) per_second: f64,
    /// CPU time of the proxy for each of them, in microseconds.
    pub(crate) proxy_us: f64,
    /// CPU time of the services it asked, likewise.
    pub(crate) helpers_us: f64,
    /// How much the filter's counters rose for each request.
    pub(crate) counted: BTreeMap<&'static str, f64>,
}

/// What one slice at a pace took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PacedSlice {
    /// Whose.
    pub(crate) case: Case,
    /// Requests a second.
    pub(crate) per_second: u32,
    /// How long requests took.
    pub(crate) latency: Latency,
    /// CPU time of the proxy and the services it asked for each of them, in microseconds.
    pub(crate) cpu_us: f64,
}

impl PacedSlice {
    /// Measures a peer with so many requests a second of a file of URLs.
    ///
    /// # Panics
    ///
    /// If a request is not answered as the case has it.
    pub(crate) fn measure(
        case: Case,
        peer: &Peer,
        urls: &Path,
        per_second: u32,
        seconds: u64,
    ) -> Self {
        let load = || load::at_a_pace(urls, case.size.host(), per_second, seconds);
        let (latency, [proxy, helpers]) = peer.cpu_ns_of(load);
        Self {
            case,
            per_second,
            latency,
            cpu_us: (proxy + helpers) as f64 / 1000.0 / latency.requests as f64,
        }
    }
}

impl Slice {
    /// Measures a peer with the requests of a file.
    ///
    /// # Panics
    ///
    /// If a request is not answered as the case has it.
    pub(crate) fn measure(case: Case, peer: &Peer, requests: &Path, seconds: u64) -> Self {
        let admin = case.kind.counts().then(|| Admin::at(peer.admin_port));
        let counters = || COUNTERS.map(|name| admin.as_ref().map(|admin| admin.metric(name)));
        let counted_before = counters();
        let load = || load::as_fast_as_it_goes(peer.port, case.size.host(), requests, seconds);
        let (outcome, [proxy, helpers]) = peer.cpu_ns_of(load);
        let counted = counters();
        let failed = match case.ask {
            Ask::Refused | Ask::DeniedAgain | Ask::EvictedAgain => {
                outcome.requests - outcome.not_2xx
            }
            _ => outcome.not_2xx,
        };
        assert!(outcome.requests > 0, "{}: no answer", case.id);
        assert_eq!((failed, outcome.broken), (0, 0), "{}: {outcome:?}", case.id);
        let has_segments = outcome.bytes / outcome.requests >= SEGMENT_LEN as u64;
        assert_eq!(
            has_segments,
            case.size == Size::Segment,
            "{}: {outcome:?}",
            case.id
        );
        let each = |ns: u64| ns as f64 / 1000.0 / outcome.requests as f64;
        let rises = COUNTERS
            .into_iter()
            .zip(counted_before.into_iter().zip(counted));
        let counted = rises.filter_map(|(name, (before, after))| {
            Some((name, (after? - before?) as f64 / outcome.requests as f64))
        });
        Self {
            case,
            requests: outcome.requests,
            per_second: outcome.requests as f64 / outcome.duration_us as f64 * 1e6,
            proxy_us: each(proxy),
            helpers_us: each(helpers),
            counted: counted.collect(),
        }
    }

    /// CPU time for each request of the proxy and the services it asked, in microseconds.
    pub(crate) fn all_us(&self) -> f64 {
        self.proxy_us + self.helpers_us
    }
}
