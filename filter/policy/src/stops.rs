//! Ending a stream because its app or its player says so.

use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use super::book::{Application, PolicyBook};
use super::effect::{Effects, PAUSED, STOPPED};
use super::event::{Judgement, Refused, Verdict};
use crate::activity::{Activity, EndReason};

/// Ends a stream whose app says that it is over.
pub(super) fn stop(
    activity: &mut Activity,
    stream: &StreamKey,
    application: &Application,
    book: &PolicyBook,
    now: Moment,
) -> Judgement {
    if is_foreign(activity, stream, application) {
        return Judgement::unchanged(Refused::Foreign);
    }
    if let Some(known) = activity.stream(stream)
        && let Err(until) = known.calls.clone().count(book.calls_per_minute, now)
    {
        return Judgement::unchanged(Refused::Throttled { until });
    }
    // Its player may play on, for another session.
    let is_over = activity.end_of(stream).is_some();
    let mut effects = Effects::default();
    effects.ends(activity, stream, STOPPED, now);
    if !is_over && activity.end(stream, EndReason::Stopped, now) {
        return stopped(effects);
    }
    is_not_live(activity, stream)
}

/// Gives the place of a stream back that is paused, and may come back.
pub(super) fn release(
    activity: &mut Activity,
    stream: &StreamKey,
    application: &Application,
    now: Moment,
) -> Judgement {
    if is_foreign(activity, stream, application) {
        return Judgement::unchanged(Refused::Foreign);
    }
    let mut effects = Effects::default();
    effects.ends(activity, stream, PAUSED, now);
    if activity.release(stream, now) {
        return stopped(effects);
    }
    is_not_live(activity, stream)
}

fn stopped(effects: Effects) -> Judgement {
    Judgement {
        verdict: Verdict::Stopped,
        changed: true,
        silenced: true,
        evicted: 0,
        effects,
        retry_at: None,
    }
}

/// There is nothing to stop.
fn is_not_live(activity: &Activity, stream: &StreamKey) -> Judgement {
    match activity.end_of(stream).map(|end| &end.why) {
        Some(EndReason::Killed { by }) => Judgement::unchanged(Refused::Killed(by.clone())),
        _ => Judgement::unchanged(Refused::Over),
    }
}

/// Whether the stream is live and was started by another application.
pub(super) fn is_foreign(
    activity: &Activity,
    stream: &StreamKey,
    application: &Application,
) -> bool {
    activity
        .stream(stream)
        .is_some_and(|known| known.application != application.id)
}
