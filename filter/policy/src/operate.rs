//! What an operator does to an account: its streams are stopped, or an exception is set or
//! taken back.

use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use crate::activity::{Activity, EndReason, Terminator};
use crate::effect::Effects;
use crate::event::{Judgement, Operation, Refused, Verdict};
use crate::exception::{Allowance, Exception};

/// Carries an operator's wish out.
pub(super) fn operate(activity: &mut Activity, operation: &Operation, now: Moment) -> Judgement {
    match operation {
        Operation::StopAll => {
            let stopped = stop(activity, |_| true, now);
            let is_any = stopped.0 > 0;
            operated(stopped, is_any)
        }
        Operation::Stop(code) => {
            let is_it = |key: &StreamKey| key.termination_code().eq_ignore_ascii_case(code);
            match stop(activity, is_it, now) {
                (0, _) => nothing_there(),
                stopped => operated(stopped, true),
            }
        }
        Operation::Except(exception) => {
            let latest = activity.exception.as_ref().map(|known| known.set_at);
            let set_at = latest.map_or(now, |latest| now.max(latest.plus_ms(1)));
            activity.exception = Some(Exception {
                set_at,
                ..exception.clone()
            });
            let stopped = match exception.allowance {
                Allowance::Blocked => stop(activity, |_| true, now),
                _ => (0, Effects::default()),
            };
            operated(stopped, true)
        }
        Operation::Lift => match &mut activity.exception {
            Some(exception) if exception.is_in_force() => {
                exception.set_at = now.max(exception.set_at.plus_ms(1));
                exception.allowance = Allowance::Lifted;
                exception.reason = String::new();
                operated((0, Effects::default()), true)
            }
            _ => nothing_there(),
        },
    }
}

/// Ends streams as a viewer at another device would; says how many.
fn stop(
    activity: &mut Activity,
    is_meant: impl Fn(&StreamKey) -> bool,
    now: Moment,
) -> (usize, Effects) {
    let live = activity.streams.iter().map(|stream| stream.key);
    let meant: Vec<StreamKey> = live.filter(is_meant).collect();
    let mut effects = Effects::default();
    for key in &meant {
        let by = Terminator::operator(now);
        let why = EndReason::Killed { by };
        effects.ends_by(activity, key, &why, None, now);
        activity.end(key, why, now);
    }
    (meant.len(), effects)
}

/// Leases go, too, and other edges hear of it: what may play has changed.
fn operated((stopped, effects): (usize, Effects), changed: bool) -> Judgement {
    Judgement {
        verdict: Verdict::Operated { stopped },
        changed,
        silenced: changed,
        evicted: 0,
        effects,
        retry_at: None,
    }
}

fn nothing_there() -> Judgement {
    refused(Refused::Over, false, Effects::default())
}

/// The refusal of whatever wants to play on an account that an operator has blocked. What plays
/// all the same is stopped: it may have begun where nobody had heard of the block.
pub(super) fn blocked(activity: &mut Activity, stream: &StreamKey, now: Moment) -> Judgement {
    let by = Terminator::operator(now);
    let mut effects = Effects::default();
    let why = EndReason::Killed { by };
    effects.ends_by(activity, stream, &why, None, now);
    let stopped = activity.end(stream, why, now);
    refused(Refused::Blocked, stopped, effects)
}

fn refused(refused: Refused, stopped: bool, effects: Effects) -> Judgement {
    Judgement {
        verdict: Verdict::Refused(refused),
        changed: stopped,
        silenced: stopped,
        evicted: 0,
        effects,
        retry_at: None,
    }
}
