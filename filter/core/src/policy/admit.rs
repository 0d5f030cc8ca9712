//! A stream that may play is recorded, and those that go for it are ended.

use super::event::{Judgement, Play, Plays, Verdict};
use super::hearing::Found;
use crate::activity::{Activity, EndReason, SUPERSEDED_MAX, Stream, Terminator};
use crate::moment::Moment;
use crate::stream_key::StreamKey;

pub(super) fn admit(
    activity: &mut Activity,
    play: &Play<'_>,
    started_at: Moment,
    found: &Found,
    now: Moment,
) -> Judgement {
    let silenced = found.leaving() > 0;
    let mut plays = Plays {
        started: false,
        lapses_at: now.plus_ms(play.timeout_ms),
        evicted: found.evicted.len(),
        killed: found.killed.len(),
        replaced: found.replaced.len(),
        monitored: found.monitored,
    };
    let mut changed = true;
    match activity.stream_mut(&play.stream) {
        Some(stream) => {
            let due = stream.lapses_at.ms_since(now) < play.renew_below_ms;
            let learned = stream.attributes.merge(&play.attributes);
            changed = due || silenced || learned;
            if changed {
                stream.lapses_at = stream.lapses_at.max(plays.lapses_at);
            }
            plays.lapses_at = stream.lapses_at;
        }
        None => {
            plays.started = true;
            activity.streams.push(Stream {
                key: play.stream,
                application: play.application.id.clone(),
                started_at,
                lapses_at: plays.lapses_at,
                attributes: play.attributes.clone(),
                superseded: Vec::new(),
                calls: Default::default(),
            });
        }
    }
    if silenced {
        make_room(activity, &play.stream, found, now);
    }
    Judgement {
        verdict: Verdict::Plays(plays),
        changed,
        silenced,
        evicted: found.evicted.len(),
    }
}

/// Ends the streams that go for `winner`, which is live.
fn make_room(activity: &mut Activity, winner: &StreamKey, found: &Found, now: Moment) {
    let Some(stream) = activity.stream_mut(winner) else {
        return;
    };
    let by = Terminator {
        application: stream.application.clone(),
        started_at: stream.started_at,
        channel: stream.attributes.value("channel").map(str::to_owned),
        device_name: stream.attributes.value("deviceName").map(str::to_owned),
    };
    let killed = found.killed.iter().chain(&found.replaced).map(|key| {
        let why = EndReason::Killed { by: by.clone() };
        (*key, why)
    });
    let leaving: Vec<_> = killed.chain(found.evicted.iter().cloned()).collect();
    let codes = leaving.iter().map(|(key, _)| key.termination_code());
    stream.superseded.extend(codes);
    let surplus = stream.superseded.len().saturating_sub(SUPERSEDED_MAX);
    stream.superseded.drain(..surplus);
    for (key, why) in leaving {
        activity.end(&key, why, now);
    }
}
