//! What must hold when all is calm again.

use std::collections::BTreeSet;

use streamgate_policy::activity::Activity;
use streamgate_record::{self as record, copy};
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

use super::viewer::{Standing, Viewer};
use super::world::{BEGIN_MS, World};

/// A player that goes on asks more often than this, in milliseconds.
pub(super) const SEGMENTS_WITHIN_MS: u64 = 3_000;

/// Those who were served lately.
fn playing(world: &World) -> Vec<&Viewer> {
    let plays = |viewer: &&Viewer| {
        viewer.standing != Standing::Idle && world.now_ms - viewer.served_ms < SEGMENTS_WITHIN_MS
    };
    world.viewers.iter().filter(plays).collect()
}

/// Accounts that play more than they may.
fn too_many(world: &World, playing: &[&Viewer]) -> Vec<String> {
    let after_s = (world.now_ms - BEGIN_MS) / 1_000;
    let mut wrongs = Vec::new();
    for (number, account) in world.accounts.iter().enumerate() {
        let theirs = playing.iter().filter(|viewer| viewer.account == number);
        let count = theirs.count();
        if count > world.options.limit as usize {
            wrongs.push(format!(
                "after {after_s} s {} plays {count} streams",
                account.name
            ));
        }
    }
    wrongs
}

/// Looks at a fleet in which all that was ended has to be heard of.
pub(super) fn when_settled(world: &mut World) {
    let wrongs = too_many(world, &playing(world));
    world.report.wrongs.extend(wrongs);
}

/// Looks at a fleet whose trouble is over.
pub(super) fn at_rest(world: &mut World) {
    let playing = playing(world);
    let mut wrongs = too_many(world, &playing);
    for (number, account) in world.accounts.iter().enumerate() {
        let theirs = playing.iter().filter(|viewer| viewer.account == number);
        let edges: BTreeSet<_> = theirs.clone().map(|viewer| viewer.edge).collect();
        let count = theirs.count();
        let record = record_of(world, &account.subject);
        if record.len() != count {
            wrongs.push(format!(
                "{} plays {count} streams, the store knows {record:?}",
                account.name
            ));
        }
        for edge in edges {
            let copy = copy_of(world, edge, &account.subject);
            if copy != record {
                wrongs.push(format!(
                    "of {} edge {edge} knows {copy:?}, the store {record:?}",
                    account.name
                ));
            }
        }
    }
    let waiting: usize = world.edges.iter().map(crate::edge::SimEdge::waiting).sum();
    if waiting > world.viewers.len() {
        wrongs.push(format!("{waiting} requests wait"));
    }
    // A shard has one call under way, and one in a tick is the rule.
    let most = u64::from(world.options.shards).max(3);
    let quiet = &world.quiet;
    if quiet.calls > quiet.ticks || quiet.most_calls_in_tick > most {
        wrongs.push(format!("too many calls where nothing happens: {quiet:?}"));
    }
    world.report.playing = playing.len();
    world.report.wrongs.extend(wrongs);
}

/// The live streams that the store knows of.
fn record_of(world: &World, subject: &SubjectKey) -> BTreeSet<StreamKey> {
    let nodes = world.nodes.iter();
    let records = nodes.flat_map(|node| node.records(*subject.as_bytes(), world.now_ms));
    // In front stands the write that left it.
    let activities = records.filter_map(|record| copy::activity_in(&record[8..]));
    activities
        .flat_map(|activity| live(activity, Moment::from_ms(world.now_ms)))
        .collect()
}

/// The live streams that an edge knows of.
fn copy_of(world: &World, edge: usize, subject: &SubjectKey) -> BTreeSet<StreamKey> {
    let now = world.edge_now(edge);
    let config = world.settings.config();
    let activity = record::activity(&world.edges[edge].host, &config.records, subject, now);
    live(activity, now)
}

fn live(mut activity: Activity, now: Moment) -> BTreeSet<StreamKey> {
    activity.prune(now);
    activity.streams.iter().map(|stream| stream.key).collect()
}
