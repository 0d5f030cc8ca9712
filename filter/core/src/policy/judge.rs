//! The one decision: may this stream play, and who loses its place for it?
//!
//! Each rule speaks for itself ([`Rule::says`]); here they are brought together. The
//! order is fixed: first every rule of every policy is asked, then, only if all
//! allow, streams are killed, replaced and evicted.

use std::borrow::Cow;

use super::book::{Application, Mode, Policy, PolicyBook};
use super::event::{Breach, Event, Judgement, Play, Plays, Recall, Refused, Unknown, Verdict};
use super::rule::{Contender, Count, DEVICE_ID, OnConflict, Rule, Says, Standing};
use crate::activity::{
    ATTRIBUTES_MAX, Activity, Attributes, EndReason, IMMUTABLE, SUPERSEDED_MAX, Stream, Terminator,
};
use crate::moment::Moment;
use crate::stream_key::StreamKey;
use crate::throttle::Calls;

/// Decides `event` and changes `activity` accordingly.
///
/// `activity` must have been pruned at `now`: what has lapsed does not count.
pub fn judge(
    activity: &mut Activity,
    event: &Event<'_>,
    book: &PolicyBook,
    recall: &Recall,
    now: Moment,
) -> Judgement {
    match event {
        Event::Play(play) => judge_play(activity, play, book, recall, now),
        Event::Stop {
            stream,
            application,
        } => judge_stop(activity, stream, application, book, now),
    }
}

fn judge_stop(
    activity: &mut Activity,
    stream: &StreamKey,
    application: &Application,
    book: &PolicyBook,
    now: Moment,
) -> Judgement {
    if is_foreign(activity, stream, application) {
        return unchanged(Refused::Foreign);
    }
    if let Some(known) = activity.stream(stream)
        && let Err(until) = known.calls.clone().count(book.calls_per_minute, now)
    {
        return unchanged(Refused::Throttled { until });
    }
    if activity.end(stream, EndReason::Stopped, now) {
        return Judgement {
            verdict: Verdict::Stopped,
            changed: true,
            silenced: true,
        };
    }
    match activity.end_of(stream) {
        Some(EndReason::Killed { by }) => unchanged(Refused::Killed(by.clone())),
        _ => unchanged(Refused::Over),
    }
}

fn judge_play(
    activity: &mut Activity,
    play: &Play<'_>,
    book: &PolicyBook,
    recall: &Recall,
    now: Moment,
) -> Judgement {
    if let Some(why) = activity.end_of(&play.stream) {
        return unchanged(refusal_of_ended(why, activity, book));
    }
    if is_foreign(activity, &play.stream, play.application) {
        return unchanged(Refused::Foreign);
    }
    let known = activity.stream(&play.stream);
    if let Some(stream) = known
        && let Some(name) = changes_immutable(&stream.attributes, &play.attributes)
    {
        return unchanged(Refused::Immutable(name));
    }
    let attributes = match known {
        Some(stream) => stream.attributes.with(&play.attributes),
        None => Cow::Borrowed(&play.attributes),
    };
    if attributes.len() > ATTRIBUTES_MAX {
        return unchanged(Refused::TooManyAttributes);
    }
    let Some(standing) = standing(play, known, recall, now) else {
        return unchanged(Refused::Over);
    };
    if play.is_call {
        let missing = book.missing(play.application, &attributes);
        if !missing.is_empty() {
            return unchanged(Refused::MissingAttributes(missing));
        }
    }
    let calls = match calls_with(activity, play, book, now) {
        Ok(calls) => calls,
        Err(until) => return unchanged(Refused::Throttled { until }),
    };

    let contender = Contender {
        key: &play.stream,
        attributes: &attributes,
        standing,
    };
    let found = ask_every_rule(activity, play, book, &contender);
    let (is_known, started_at) = match standing {
        Standing::New => (false, now),
        Standing::Known { started_at, .. } => (true, started_at),
        Standing::Revived { started_at } => (false, started_at),
    };

    // Nothing has changed so far. A call counts whatever its answer.
    match activity.stream_mut(&play.stream) {
        Some(stream) => stream.calls = calls,
        None => activity.creates = calls,
    }
    if let Some(first) = found.breaches.first() {
        // A live stream that may not go on frees its place.
        let why = EndReason::Evicted {
            policy: first.policy.clone(),
            rule: first.rule.clone(),
        };
        let silenced = activity.end(&play.stream, why, now);
        if silenced {
            for (key, why) in found.forfeited {
                activity.end(&key, why, now);
            }
        }
        return Judgement {
            verdict: Verdict::Refused(Refused::Conflict(found.breaches)),
            // A refused create has been counted.
            changed: silenced || (play.is_call && !activity.streams.is_empty()),
            silenced,
        };
    }
    let staying = activity.streams.len().saturating_sub(found.leaving());
    if !is_known && staying >= book.max_streams_per_subject {
        return Judgement {
            changed: play.is_call,
            ..unchanged(Refused::SubjectFull)
        };
    }
    admit(activity, play, started_at, &found, now)
}

/// Where the stream that wants to play stands; `None` if it is over.
fn standing<'a>(
    play: &Play<'_>,
    known: Option<&'a Stream>,
    recall: &Recall,
    now: Moment,
) -> Option<Standing<'a>> {
    if let Some(stream) = known {
        return Some(Standing::Known {
            started_at: stream.started_at,
            before: &stream.attributes,
        });
    }
    if play.unknown == Unknown::IsNew {
        return Some(Standing::New);
    }
    let may_start = play.unknown == Unknown::Starts;
    let Some(issued_at) = play.stream.issued_at() else {
        return may_start.then_some(Standing::New);
    };
    if issued_at <= recall.horizon {
        return None;
    }
    if issued_at >= recall.epoch {
        return may_start.then_some(Standing::New);
    }
    // From before this store began: lost with the last one, if it lived at all.
    (now <= recall.epoch.plus_ms(play.timeout_ms)).then_some(Standing::Revived {
        started_at: issued_at,
    })
}

/// Whether the stream is live and was started by another application.
fn is_foreign(activity: &Activity, stream: &StreamKey, application: &Application) -> bool {
    activity
        .stream(stream)
        .is_some_and(|known| known.application != application.id)
}

/// The first attribute that must stay as it is and would not.
fn changes_immutable(known: &Attributes, given: &Attributes) -> Option<String> {
    let changed = |name: &&str| match (known.value(name), given.value(name)) {
        (Some(known), Some(given)) => known != given,
        _ => false,
    };
    IMMUTABLE.iter().copied().find(changed).map(str::to_owned)
}

/// The calls so far, this one included: creates of the subject, or heartbeats of the
/// session.
fn calls_with(
    activity: &Activity,
    play: &Play<'_>,
    book: &PolicyBook,
    now: Moment,
) -> Result<Calls, Moment> {
    let (so_far, per_minute) = match activity.stream(&play.stream) {
        Some(stream) => (&stream.calls, book.calls_per_minute),
        None => (&activity.creates, book.creates_per_minute),
    };
    let mut calls = so_far.clone();
    if play.is_call {
        calls.count(per_minute, now)?;
    }
    Ok(calls)
}

/// What the rules say together.
#[derive(Default)]
struct Found {
    breaches: Vec<Breach>,
    /// Streams the viewer chose to stop.
    killed: Vec<StreamKey>,
    /// Earlier streams of the same device.
    replaced: Vec<StreamKey>,
    evicted: Vec<(StreamKey, EndReason)>,
    /// Streams that lose their place together with the contender, if it loses its own.
    forfeited: Vec<(StreamKey, EndReason)>,
    /// Rules that were broken where policies only watch.
    monitored: usize,
}

impl Found {
    fn evicts(&self, stream: &StreamKey) -> bool {
        self.evicted.iter().any(|(key, _)| key == stream)
    }

    /// How many streams go if the contender plays.
    fn leaving(&self) -> usize {
        let chosen = self.killed.len().saturating_add(self.replaced.len());
        chosen.saturating_add(self.evicted.len())
    }
}

fn ask_every_rule(
    activity: &Activity,
    play: &Play<'_>,
    book: &PolicyBook,
    contender: &Contender<'_>,
) -> Found {
    let mut others = others(activity, book, &play.stream);
    let killed = chosen_to_stop(play, &others);
    others.retain(|other| !killed.contains(&other.stream.key));
    let replaced = of_same_device(play, book, contender, &others);
    others.retain(|other| !replaced.contains(&other.stream.key));
    let mut found = Found {
        killed,
        replaced,
        ..Found::default()
    };

    let mut seen: Vec<&Stream> = Vec::with_capacity(others.len());
    for (place, policy) in book.policies_of(play.application) {
        seen.clear();
        let by_policy = others.iter().filter(|other| other.is_seen_by(place));
        seen.extend(by_policy.map(|other| other.stream));
        for rule in &policy.rules {
            // So it is with most rules, most of the time.
            if rule.holds_among(seen.len()) {
                continue;
            }
            // Denials look at the streams as they are: one policy's evictions do not
            // make room in another (worked case 4). Evictions count each other, so
            // that no rule evicts a second stream where the first one is enough.
            let rivals = seen.iter().copied().filter(|rival| {
                rule.on_conflict == OnConflict::DenyNew || !found.evicts(&rival.key)
            });
            let says = rule.says(rivals, contender);
            if policy.mode == Mode::Monitor {
                let broken = !matches!(says, Says::Fine);
                found.monitored = found.monitored.saturating_add(usize::from(broken));
                continue;
            }
            let end = |loser: &&Stream| {
                let why = EndReason::Evicted {
                    policy: policy.name.clone(),
                    rule: rule.name.clone(),
                };
                (loser.key, why)
            };
            match says {
                Says::Fine => {}
                Says::Deny { conflicts, alike } => {
                    found.breaches.push(breach(policy, rule, &conflicts));
                    found.forfeited.extend(alike.iter().map(end));
                }
                Says::Evict(losers) => found.evicted.extend(losers.iter().map(end)),
            }
        }
    }
    found
}

/// A live stream, and who started it.
struct Other<'a> {
    stream: &'a Stream,
    /// `None` if it is no longer configured: no policy sees its streams then.
    application: Option<&'a Application>,
}

impl Other<'_> {
    /// Whether a policy sees it: those do that its own application lists, whoever
    /// their tenants are.
    fn is_seen_by(&self, policy: usize) -> bool {
        self.application
            .is_some_and(|application| application.lists(policy))
    }
}

/// The live streams besides this one, oldest first.
fn others<'a>(activity: &'a Activity, book: &'a PolicyBook, but: &StreamKey) -> Vec<Other<'a>> {
    let mut others: Vec<Other<'_>> = activity
        .streams
        .iter()
        .filter(|stream| stream.key != *but)
        .map(|stream| Other {
            stream,
            application: book.application(&stream.application),
        })
        .collect();
    others.sort_unstable_by_key(|other| (other.stream.started_at, other.stream.key));
    others
}

/// The live streams that the viewer chose to stop; codes of streams no longer live are void.
fn chosen_to_stop(play: &Play<'_>, others: &[Other<'_>]) -> Vec<StreamKey> {
    if play.terminate.is_empty() {
        return Vec::new();
    }
    let chosen = |key: &StreamKey| {
        let code = key.termination_code();
        let mut wanted = play.terminate.iter();
        wanted.any(|wanted| wanted.eq_ignore_ascii_case(&code))
    };
    let keys = others.iter().map(|other| other.stream.key);
    keys.filter(chosen).collect()
}

/// Earlier streams of the device that starts again, where a rule says that it
/// replaces them.
fn of_same_device(
    play: &Play<'_>,
    book: &PolicyBook,
    contender: &Contender<'_>,
    others: &[Other<'_>],
) -> Vec<StreamKey> {
    let (Standing::New, Some(device)) = (contender.standing, contender.attributes.value(DEVICE_ID))
    else {
        return Vec::new();
    };
    let same = others
        .iter()
        .filter(|other| other.stream.attributes.value(DEVICE_ID) == Some(device));
    let replaced = same.filter(|other| {
        let replaces = |rule: &Rule| {
            rule.same_device_replaces
                && rule.target.matches(contender.attributes)
                && rule.target.matches(&other.stream.attributes)
        };
        let mut policies = book.policies_of(play.application);
        policies.any(|(place, policy)| {
            policy.mode == Mode::Enforce
                && other.is_seen_by(place)
                && policy.rules.iter().any(replaces)
        })
    });
    replaced.map(|other| other.stream.key).collect()
}

fn breach(policy: &Policy, rule: &Rule, conflicts: &[&Stream]) -> Breach {
    Breach {
        policy: policy.name.clone(),
        rule: rule.name.clone(),
        message: rule.message.clone(),
        attribute: match &rule.count {
            Count::Streams => None,
            Count::Distinct(attribute) => Some(attribute.clone()),
        },
        threshold: rule.max,
        scope: rule.per.clone(),
        conflicts: conflicts.iter().copied().cloned().collect(),
    }
}

fn admit(
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

fn refusal_of_ended(why: &EndReason, activity: &Activity, book: &PolicyBook) -> Refused {
    match why {
        EndReason::Stopped => Refused::Over,
        EndReason::Killed { by } => Refused::Killed(by.clone()),
        EndReason::Evicted { policy, rule } => match book.rule(policy, rule) {
            Some((place, policy, rule)) => {
                let mut seen: Vec<&Stream> = activity
                    .streams
                    .iter()
                    .filter(|stream| book.sees(place, &stream.application))
                    .filter(|stream| rule.target.matches(&stream.attributes))
                    .collect();
                seen.sort_unstable_by_key(|stream| (stream.started_at, stream.key));
                Refused::Evicted(breach(policy, rule, &seen))
            }
            // The rule is gone from the configuration, so there is nothing left to tell.
            None => Refused::Over,
        },
    }
}

fn unchanged(refused: Refused) -> Judgement {
    Judgement {
        verdict: Verdict::Refused(refused),
        changed: false,
        silenced: false,
    }
}
