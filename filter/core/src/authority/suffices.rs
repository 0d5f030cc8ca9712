//! What an edge's copy of a record suffices for, in a fleet: what changes nothing that other
//! edges could object to.

use streamgate_policy::activity::Activity;
use streamgate_policy::{Event, Refused, Unknown, Verdict};
use streamgate_record::Seen;

/// Whether this edge's copy suffices to decide an event.
pub(super) fn decides(event: &Event, seen: &Seen<'_>) -> bool {
    match &seen.judgement.verdict {
        Verdict::Plays(plays) => {
            let others = plays.evicted.max(plays.killed).max(plays.replaced);
            !plays.started && others == 0 && !plays.learned
        }
        // Others may start as soon as it has: the app that stops a stream waits.
        Verdict::Stopped => matches!(event, Event::Release { .. }),
        // Nor is there a way to know that an account has nothing to stop anywhere.
        Verdict::Operated { .. } => false,
        Verdict::Refused(_) if matches!(event, Event::Operate(_)) => false,
        Verdict::Refused(Refused::MissingAttributes(_)) => is_known(event, seen.activity),
        Verdict::Refused(refused) => !seen.judgement.changed && is_final(refused),
    }
}

/// Whether this edge's copy need not be judged: the event starts a stream, which the store
/// decides.
pub(super) fn is_start(event: &Event, activity: impl FnOnce() -> Activity) -> bool {
    match event {
        Event::Play(play) => match play.unknown {
            Unknown::IsNew => true,
            Unknown::Starts => !is_known(event, &activity()),
            Unknown::IsOver => false,
        },
        Event::Stop { .. } | Event::Release { .. } | Event::Operate(_) => false,
    }
}

/// Whether all is known here that a stream has said about itself.
fn is_known(event: &Event, activity: &Activity) -> bool {
    let Event::Play(play) = event else {
        return false;
    };
    let is_live = activity.stream(&play.stream).is_some();
    is_live || activity.end_of(&play.stream).is_some()
}

/// Whether a refusal stands whatever happened at other edges.
pub(super) const fn is_final(refused: &Refused) -> bool {
    match refused {
        Refused::Evicted(_)
        | Refused::Killed(_)
        | Refused::Foreign
        | Refused::TooManyAttributes
        | Refused::Immutable(_)
        | Refused::Shared { .. }
        | Refused::Throttled { .. } => true,
        Refused::Conflict(_)
        | Refused::Blocked
        | Refused::Over
        | Refused::MissingAttributes(_)
        | Refused::SubjectFull => false,
    }
}
