//! The one decision: may this stream play, and who loses its place for it?
//!
//! The order is fixed: first every rule of every policy is heard (`evaluate`),
//! then, only if all allow, streams are killed, replaced and evicted (`admit`).

use std::borrow::Cow;

use streamgate_values::moment::Moment;
use streamgate_values::sorted::sorted_by_key;

use super::admit::admit;
use super::book::PolicyBook;
use super::contender_standing::standing;
use super::effect::Effects;
use super::evaluate::{Findings, breach, evaluate};
use super::event::{Event, Judgement, Play, Recall, Refused, Unknown, Verdict};
use super::given::{are_too_many, changes_immutable};
use super::operate::{blocked, operate};
use super::rule::{Contender, ContenderStanding};
use super::set_back::bring_back;
use super::shared;
use super::stops::{is_foreign, release, stop};
use super::taken_up::{TakenUp, is_made_anew};
use crate::activity::{Activity, EndReason, Tombstone};
use crate::exception::Allowance;
use crate::faded::Faded;
use crate::throttle::Calls;

/// Decides `event` and changes `activity` accordingly.
///
/// `activity` must have been pruned at `now`: what has lapsed does not count.
pub fn judge(
    activity: &mut Activity,
    event: &Event,
    book: &PolicyBook,
    recall: &Recall,
    now: Moment,
) -> Judgement {
    #[cfg(any(test, feature = "testing"))]
    crate::testing::count_judged();
    let is_back = bring_back(activity, book.longest_timeout_ms, now);
    let mut judgement = judge_event(activity, event, book, recall, now);
    judgement.changed |= is_back;
    judgement
}

fn judge_event(
    activity: &mut Activity,
    event: &Event,
    book: &PolicyBook,
    recall: &Recall,
    now: Moment,
) -> Judgement {
    match event {
        Event::Play(play) => {
            let taken_up = TakenUp::of(activity, play, book, recall);
            let judgement = judge_play(activity, &taken_up.play, book, recall, now);
            taken_up.settle(activity, book, judgement)
        }
        Event::Stop {
            stream,
            application,
        } => stop(activity, stream, application, book, now),
        Event::Release {
            stream,
            application,
        } => release(activity, stream, application, now),
        Event::Operate(operation) => operate(activity, operation, now),
    }
}

fn judge_play(
    activity: &mut Activity,
    play: &Play,
    book: &PolicyBook,
    recall: &Recall,
    now: Moment,
) -> Judgement {
    if activity.allowance() == Some(Allowance::Blocked) {
        return blocked(activity, &play.stream, now);
    }
    if let Some(mut judgement) = held_against(activity, play, book, now) {
        judgement.changed = asks_on(activity, play, now);
        return judgement;
    }
    let end = activity.end_of(&play.stream);
    let faded_at = activity.faded_end_of(&play.stream).map(|faded| faded.at);
    let ended_at = end.map(|end| end.at).max(faded_at);
    if is_foreign(activity, &play.stream, &play.application) {
        return Judgement::unchanged(Refused::Foreign);
    }
    let live = activity.stream(&play.stream);
    if let Some(refused) = live.and_then(|live| shared::refused(&live.clients, play)) {
        return Judgement::unchanged(refused);
    }
    let released = end.and_then(Tombstone::released);
    let known = live.or(released);
    // What its player was asked for is no word of the app's that creates the session.
    let is_create = play.unknown == Unknown::IsNew;
    if play.is_call
        && !is_create
        && let Some(stream) = known
        && let Some(name) = changes_immutable(&stream.attributes, &play.attributes)
    {
        return Judgement::unchanged(Refused::Immutable(name));
    }
    let (attributes, limits) = match known {
        Some(stream) => (
            stream.attributes.with(&play.attributes),
            stream.limits.with(&play.limits),
        ),
        None => (Cow::Borrowed(&play.attributes), Cow::Borrowed(&play.limits)),
    };
    if are_too_many(&attributes, known, book) {
        return Judgement::unchanged(Refused::TooManyAttributes);
    }
    let standing = standing(play, live, released, recall, now);
    let Some(standing) = standing.filter(|standing| !is_made_anew(activity, play, book, standing))
    else {
        return Judgement::unchanged(Refused::Over);
    };
    if play.is_call {
        let missing = book.missing(&play.application, &attributes);
        if !missing.is_empty() {
            return Judgement::unchanged(Refused::MissingAttributes(missing));
        }
    }
    let calls = match calls_with(activity, play, book, now) {
        Ok(calls) => calls,
        Err(until) => return Judgement::unchanged(Refused::Throttled { until }),
    };

    let contender = Contender {
        key: &play.stream,
        attributes: &attributes,
        limits: &limits,
        allowance: activity.allowance(),
        standing,
    };
    let findings = evaluate(activity, play, book, &contender);
    let strayed = !findings.breaches.is_empty() && has_strayed(activity, play, book, &contender);
    let (is_known, started_at) = match standing {
        // After its end, whichever clock that was read from: it has started again.
        ContenderStanding::New => (false, ended_at.map_or(now, |at| now.max(at.plus_ms(1)))),
        ContenderStanding::Known { started_at, .. } => (true, started_at),
        ContenderStanding::Revived { started_at } => (false, started_at),
    };

    // Nothing has changed so far. A call counts whatever its answer.
    match activity.stream_mut(&play.stream) {
        Some(stream) if !is_create => stream.calls = calls,
        _ => activity.creates = calls,
    }
    if !findings.breaches.is_empty() {
        return turn_away(activity, play, findings, strayed, now);
    }
    let staying = activity.streams.len().saturating_sub(findings.leaving());
    if !is_known && staying >= book.max_streams_per_subject {
        return Judgement {
            changed: play.is_call,
            ..Judgement::unchanged(Refused::SubjectFull)
        };
    }
    admit(activity, play, started_at, &findings, now)
}

/// The refusal of a stream that was ended, for as long as that is held against it.
fn held_against(
    activity: &Activity,
    play: &Play,
    book: &PolicyBook,
    now: Moment,
) -> Option<Judgement> {
    let held_until = |at: Moment| play.recurring.then(|| at.plus_ms(play.timeout_ms));
    // An end that far in the future is of a time that was set back since.
    let is_of_now = |at: Moment| at < now.plus_ms(play.timeout_ms);
    let is_held = |at: Moment| held_until(at).is_none_or(|until| now < until && is_of_now(at));
    let Some(end) = activity.end_of(&play.stream) else {
        let faded = activity.faded_end_of(&play.stream)?;
        let is_over = is_held(faded.at) && activity.stream(&play.stream).is_none();
        return is_over.then(|| Judgement {
            retry_at: held_until(faded.at),
            ..Judgement::unchanged(Refused::Over)
        });
    };
    if !is_held(end.at) {
        return None;
    }
    let until = held_until(end.at);
    let refused = match &end.why {
        EndReason::Stopped => Refused::Over,
        EndReason::Killed { by } => Refused::Killed(by.clone()),
        EndReason::Evicted { policy, rule } => match book.rule(policy, rule) {
            Some((index, policy, rule)) => {
                let seen = activity
                    .streams
                    .iter()
                    .filter(|stream| book.sees(index, &stream.application))
                    .filter(|stream| rule.target.matches(&stream.attributes));
                let seen = sorted_by_key(seen, |stream| (stream.started_at, stream.key));
                let by = (&play.limits, activity.allowance());
                Refused::Evicted(Box::new(breach(policy, rule, by, &seen)))
            }
            // The rule is gone from the configuration, so there is nothing left to tell.
            None => Refused::Over,
        },
        EndReason::Released(_) => return None,
    };
    Some(Judgement {
        retry_at: until,
        ..Judgement::unchanged(refused)
    })
}

/// Keeps it in memory that a stream was ended whose player goes on to ask, so that it is not the
/// first to be forgotten. Says whether there was anything to write: no more often than a live
/// stream is renewed. An id that names a device is let in after a while, and a watermark
/// forgets nobody.
fn asks_on(activity: &mut Activity, play: &Play, now: Moment) -> bool {
    let waits_ms = play.timeout_ms / 3;
    let is_due = |at: Moment| now.ms_since(at) >= waits_ms;
    if play.recurring || play.stream.issued_at().is_some() {
        return false;
    }
    if let Some(end) = activity.end_of(&play.stream) {
        let is_due = is_due(end.at);
        if is_due {
            let at = now;
            let end = Tombstone { at, ..end.clone() };
            activity.remember(end);
        }
        return is_due;
    }
    match activity.faded_end_of(&play.stream) {
        Some(faded) if is_due(faded.at) => {
            activity.fade(Faded { at: now, ..faded });
            true
        }
        _ => false,
    }
}

/// Whether a live stream is refused only because of what it asks for now: it zapped to
/// a channel that is full, and could have stayed where it was.
fn has_strayed(
    activity: &Activity,
    play: &Play,
    book: &PolicyBook,
    contender: &Contender<'_>,
) -> bool {
    let ContenderStanding::Known { before, .. } = contender.standing else {
        return false;
    };
    if play.is_call || before == contender.attributes {
        return false;
    }
    let stays = Contender {
        attributes: before,
        ..*contender
    };
    evaluate(activity, play, book, &stays).breaches.is_empty()
}

/// Refuses a stream that breaks rules. A live one frees its place: it is gone for good,
/// or, if it merely `strayed`, free to start again elsewhere.
fn turn_away(
    activity: &mut Activity,
    play: &Play,
    findings: Findings,
    strayed: bool,
    now: Moment,
) -> Judgement {
    let end = findings.breaches.first().map(|first| EndReason::Evicted {
        policy: first.policy.clone(),
        rule: first.rule.clone(),
    });
    let mut effects = Effects::default();
    if let Some(why) = &end {
        effects.ends_by(activity, &play.stream, why, None, now);
    }
    let silenced = match end {
        Some(why) if !strayed => activity.end(&play.stream, why, now),
        _ => activity.release(&play.stream, now),
    };
    let mut evicted = usize::from(silenced);
    if silenced {
        for (key, why) in findings.forfeited {
            effects.ends_by(activity, &key, &why, None, now);
            let ended = activity.end(&key, why, now);
            evicted = evicted.saturating_add(usize::from(ended));
        }
    }
    let refused = Refused::Conflict(findings.breaches);
    let mut retry_at = refused.retry_at();
    if silenced && play.recurring && !strayed {
        let held_until = now.plus_ms(play.timeout_ms);
        retry_at = retry_at.map(|at| at.max(held_until));
    }
    Judgement {
        verdict: Verdict::Refused(refused),
        // A refused create has been counted.
        changed: silenced || (play.is_call && !activity.streams.is_empty()),
        silenced,
        evicted,
        effects,
        retry_at,
    }
}

/// The calls so far, this one included: creates of the subject, or heartbeats of the
/// session.
fn calls_with(
    activity: &Activity,
    play: &Play,
    book: &PolicyBook,
    now: Moment,
) -> Result<Calls, Moment> {
    let (so_far, per_minute) = match activity.stream(&play.stream) {
        Some(stream) if play.unknown != Unknown::IsNew => (&stream.calls, book.calls_per_minute),
        _ => (&activity.creates, book.creates_per_minute),
    };
    let mut calls = so_far.clone();
    if play.is_call {
        calls.count(per_minute, now)?;
    }
    Ok(calls)
}
