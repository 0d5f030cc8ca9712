//! The edge at one look.

use streamgate_record::fleet::Fleet;
use streamgate_record::live::live;
use streamgate_record::ports::Host;
use streamgate_values::moment::Moment;

use super::json::Json;
use super::{OperatorState, workers};
use crate::authority::Authority;
use crate::config::Config;
use crate::exchange::Answer;

/// The most shards of the store that are listed one by one.
const SHARDS_MAX: usize = 64;

/// The answer about the edge.
pub(super) fn summary(
    config: &Config,
    host: &impl Host,
    state: &mut OperatorState,
    authority: &mut Authority,
    now: Moment,
) -> Answer {
    let records = &config.records;
    let memory_since = authority.memory_since(host, now);
    let accounts = state.accounts.how_many(host, now);
    let operator = config.operator.as_ref();
    let last_minute = state.rates.last_minute(host, &state.decisions, now);
    Json::answer(200, |json| {
        json.text("version", env!("CARGO_PKG_VERSION"));
        json.text("configuration", &config.fingerprint);
        json.text("since", &memory_since.to_rfc3339_seconds());
        json.text("now", &now.to_rfc3339_millis());
        json.object("streams", |json| {
            json.number("live", live(host));
            json.number("max", records.max_streams);
            json.number("slots", records.slots.get().into());
        });
        match accounts {
            Some((count, at)) => json.object("accounts", |json| {
                json.number("count", count);
                json.text("at", &at.to_rfc3339_seconds());
            }),
            None => json.null("accounts"),
        }
        json.count("workers", workers::count(host, now));
        json.object("lastMinute", |json| last_minute.show(json));
        json.object("decisions", |json| {
            json.number(
                "kept",
                operator.map_or(0, |operator| operator.decisions.into()),
            );
            json.number("latest", state.decisions.latest(host));
        });
        match authority.fleet() {
            Some(fleet) => json.object("store", |json| show_store(json, fleet)),
            None => json.null("store"),
        }
    })
}

fn show_store(json: &mut Json, fleet: &Fleet) {
    json.text("cluster", &fleet.settings().cluster);
    json.count("shards", fleet.shards().count());
    json.count("down", fleet.shards_down());
    let shards = fleet.shards().enumerate().take(SHARDS_MAX);
    json.list("each", shards, |json, (shard, (is_up, since))| {
        json.object("", |json| {
            json.count("shard", shard);
            json.truth("up", is_up);
            // Since when it remembers, as far as is known.
            if let Some(since) = since {
                json.text("since", &since.to_rfc3339_seconds());
            }
        });
    });
}
