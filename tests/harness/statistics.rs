//! Envoy's statistics: how the filter's are named, and how they are read.

use streamgate_record::metric::{CLOCK_DIFFERENCE_MS, LIVE_STREAMS, Metric, SHARDS_DOWN, WAITING};

use crate::Client;

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

/// Names and values of the statistics that a regular expression picks.
pub(crate) fn stats(admin: &Client, filter: &str) -> Vec<(String, u64)> {
    let path = format!("/stats?format=json&filter={}", filter.replace('+', "%2B"));
    let mut stats = admin.get(&path).send().expect(200).json();
    let stats = stats["stats"].as_array_mut().expect("a list").split_off(0);
    stats
        .into_iter()
        .filter_map(|stat| Some((stat["name"].as_str()?.to_owned(), stat["value"].as_u64()?)))
        .collect()
}
