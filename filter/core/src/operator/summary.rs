//! The edge at one look.

use serde::Serialize;
use streamgate_record::fleet::Fleet;
use streamgate_record::live::live;
use streamgate_record::ports::Host;
use streamgate_values::moment::Moment;

use super::rates::LastMinute;
use super::{OperatorState, workers};
use crate::config::Config;
use crate::exchange::Answer;

/// The most shards of the store that are listed one by one.
const SHARDS_MAX: usize = 64;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary<'a> {
    version: &'static str,
    /// A keyed hash of the door's configuration.
    configuration: &'a str,
    since: String,
    now: String,
    streams: StreamsShown,
    /// As they were counted last; `null` before that.
    accounts: Option<AccountsCounted>,
    workers: usize,
    last_minute: LastMinute,
    decisions: KeptShown,
    /// `null` for an edge alone.
    store: Option<StoreShown<'a>>,
}

#[derive(Serialize)]
struct StreamsShown {
    live: u64,
    max: u64,
    slots: u32,
}

#[derive(Serialize)]
struct AccountsCounted {
    count: u64,
    at: String,
}

#[derive(Serialize)]
struct KeptShown {
    kept: u32,
    latest: u64,
}

#[derive(Serialize)]
struct StoreShown<'a> {
    cluster: &'a str,
    shards: usize,
    down: usize,
    each: Vec<ShardShown>,
}

#[derive(Serialize)]
struct ShardShown {
    shard: usize,
    up: bool,
    /// Since when it remembers, as far as is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
}

/// The answer about the edge.
pub(super) fn summary(
    config: &Config,
    host: &impl Host,
    state: &mut OperatorState,
    fleet: Option<&Fleet>,
    memory_since: Moment,
    now: Moment,
) -> Answer {
    let records = &config.records;
    let accounts = state.accounts.how_many(host, now);
    let summary = Summary {
        version: env!("CARGO_PKG_VERSION"),
        configuration: &config.fingerprint,
        since: memory_since.to_rfc3339_seconds(),
        now: now.to_rfc3339_millis(),
        streams: StreamsShown {
            live: live(host),
            max: records.max_streams,
            slots: records.slots.get(),
        },
        accounts: accounts.map(|(count, at)| AccountsCounted {
            count,
            at: at.to_rfc3339_seconds(),
        }),
        workers: workers::count(host, now),
        last_minute: state.rates.last_minute(host, &state.decisions, now),
        decisions: KeptShown {
            kept: config.operator.as_ref().map_or(0, |operator| operator.decisions),
            latest: state.decisions.latest(host),
        },
        store: fleet.map(|fleet| StoreShown {
            cluster: &fleet.settings().cluster,
            shards: fleet.shards().count(),
            down: fleet.shards_down(),
            each: fleet
                .shards()
                .enumerate()
                .take(SHARDS_MAX)
                .map(|(shard, (up, since))| ShardShown {
                    shard,
                    up,
                    since: since.map(Moment::to_rfc3339_seconds),
                })
                .collect(),
        }),
    };
    Answer::json(200, "application/json", &summary)
}
