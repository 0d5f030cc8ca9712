//! How Envoy names the filter's statistics.

use streamgate_record::metric::{CLOCK_DIFFERENCE_MS, LIVE_STREAMS, Metric, SHARDS_DOWN, WAITING};

/// The whole name in Envoy's statistics of one of the filter's counters or gauges. Tests leave
/// out what all of them have: `starts` is `wasmcustom.streamgate.starts_total`, and
/// `refusals.limit` is `wasmcustom.streamgate.refusals_total.reason.limit`.
///
/// # Panics
///
/// If the filter has none of that name.
#[must_use]
pub fn statistic(short: &str) -> String {
    let names = Metric::ALL.map(Metric::name);
    let mut names =
        names
            .into_iter()
            .chain([LIVE_STREAMS, SHARDS_DOWN, WAITING, CLOCK_DIFFERENCE_MS]);
    let name = names.find(|name| in_short(name) == short);
    let name = name.unwrap_or_else(|| panic!("the filter counts no {short}"));
    format!("wasmcustom.{name}")
}

fn in_short(name: &str) -> String {
    let name = name.strip_prefix("streamgate.").unwrap_or(name);
    let Some((family, label)) = name.split_once("_total") else {
        return name.to_owned();
    };
    match label.rsplit_once('.') {
        Some((_, value)) => format!("{family}.{value}"),
        None => family.to_owned(),
    }
}
