//! The one decision: may this stream play, and who loses its place for it?
//!
//! **Who is refused, who is evicted** is [`Rule::says`]; all else here collects what
//! it needs and carries out what it says. The order is fixed: first every rule of
//! every policy is asked, then, only if all allow, streams are killed and evicted.

use crate::activity::{Activity, EndReason, Stream, Terminator};
use crate::moment::Moment;
use crate::policy::book::{Application, OnConflict, Policy, PolicyBook, Rule};
use crate::policy::event::{
    Breach, Event, Judgement, Play, Plays, Recall, Refused, Unknown, Verdict,
};
use crate::stream_key::StreamKey;

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
        } => judge_stop(activity, stream, application, now),
    }
}

fn judge_stop(
    activity: &mut Activity,
    stream: &StreamKey,
    application: &Application,
    now: Moment,
) -> Judgement {
    if is_foreign(activity, stream, application) {
        return unchanged(Refused::Foreign);
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
    let Some(standing) = Standing::of(play, activity, recall, now) else {
        return unchanged(Refused::Over);
    };

    let killed = chosen_to_stop(play, activity);
    let found = ask_every_rule(activity, play, book, standing, &killed);
    let known = matches!(standing, Standing::Known { .. });

    if let Some(first) = found.breaches.first() {
        // A live stream that may not go on frees its place.
        let silenced = known
            && activity.end(
                &play.stream,
                EndReason::Evicted {
                    policy: first.policy.clone(),
                    rule: first.rule.clone(),
                },
                now,
            );
        return Judgement {
            verdict: Verdict::Refused(Refused::Conflict(found.breaches)),
            changed: silenced,
            silenced,
        };
    }
    let leaving = killed.len().saturating_add(found.evicted.len());
    let staying = activity.streams.len().saturating_sub(leaving);
    if !known && staying >= book.max_streams_per_subject {
        return unchanged(Refused::SubjectFull);
    }
    admit(activity, play, standing, &killed, &found.evicted, now)
}

/// Whether the stream is live and was started by another application.
fn is_foreign(activity: &Activity, stream: &StreamKey, application: &Application) -> bool {
    activity
        .stream(stream)
        .is_some_and(|known| known.application != application.id)
}

/// Where the stream that wants to play stands.
#[derive(Clone, Copy)]
enum Standing {
    /// It is live.
    Known { started_at: Moment },
    /// It starts now.
    New,
    /// It started earlier, and this edge lost its record.
    Revived { started_at: Moment },
}

impl Standing {
    /// `None` if the stream is over.
    fn of(play: &Play<'_>, activity: &Activity, recall: &Recall, now: Moment) -> Option<Self> {
        if let Some(stream) = activity.stream(&play.stream) {
            return Some(Self::Known {
                started_at: stream.started_at,
            });
        }
        if play.unknown == Unknown::IsNew {
            return Some(Self::New);
        }
        let may_start = play.unknown == Unknown::Starts;
        let Some(issued_at) = play.stream.issued_at() else {
            return may_start.then_some(Self::New);
        };
        if issued_at <= recall.horizon {
            return None;
        }
        if issued_at >= recall.epoch {
            return may_start.then_some(Self::New);
        }
        // From before this store began: lost with the last one, if it lived at all.
        (now <= recall.epoch.plus_ms(play.timeout_ms)).then_some(Self::Revived {
            started_at: issued_at,
        })
    }
}

/// What a rule says to a stream that wants to play.
enum Says {
    Fine,
    /// It may not.
    Deny,
    /// It may, if this many of the oldest rivals go.
    Evict(usize),
}

impl Rule {
    /// The rule's answer, given its `rivals` (the other streams it counts) oldest first.
    ///
    /// Over the limit, `deny_new` refuses the newest and `stop_oldest` the oldest.
    /// A stream that is already live is measured by its place among the others, so
    /// after a limit was lowered exactly the surplus loses its place.
    fn says(&self, rivals: &[&Stream], stream: &StreamKey, standing: Standing) -> Says {
        let max = usize::try_from(self.max).unwrap_or(usize::MAX);
        let surplus = rivals.len().saturating_add(1).saturating_sub(max);
        if surplus == 0 {
            return Says::Fine;
        }
        let older = |started_at: Moment| {
            rivals
                .iter()
                .filter(|rival| (rival.started_at, &rival.key) < (started_at, stream))
                .count()
        };
        match (self.on_conflict, standing) {
            (OnConflict::DenyNew, Standing::New | Standing::Revived { .. }) => Says::Deny,
            (OnConflict::DenyNew, Standing::Known { started_at }) => {
                if older(started_at) >= max {
                    Says::Deny
                } else {
                    Says::Fine
                }
            }
            (OnConflict::StopOldest, Standing::New) => {
                if rivals.len() < surplus {
                    Says::Deny
                } else {
                    Says::Evict(surplus)
                }
            }
            (OnConflict::StopOldest, Standing::Revived { started_at }) => {
                if older(started_at) < surplus {
                    Says::Deny
                } else {
                    Says::Evict(surplus)
                }
            }
            (OnConflict::StopOldest, Standing::Known { started_at }) => {
                if older(started_at) < surplus {
                    Says::Deny
                } else {
                    Says::Fine
                }
            }
        }
    }
}

/// What the rules say together.
#[derive(Default)]
struct Found {
    breaches: Vec<Breach>,
    evicted: Vec<(StreamKey, EndReason)>,
}

fn ask_every_rule(
    activity: &Activity,
    play: &Play<'_>,
    book: &PolicyBook,
    standing: Standing,
    killed: &[StreamKey],
) -> Found {
    let mut found = Found::default();
    for policy in book.policies_of(play.application) {
        let mut rivals = counted(activity, policy, book);
        rivals.retain(|rival| rival.key != play.stream && !killed.contains(&rival.key));
        for rule in &policy.rules {
            // Denials look at the streams as they are: one policy's evictions do not
            // make room in another (worked case 4). Evictions count each other, so
            // that no rule evicts a second stream where the first one is enough.
            let mut rivals = rivals.clone();
            if rule.on_conflict == OnConflict::StopOldest {
                rivals.retain(|rival| !found.evicted.iter().any(|(key, _)| *key == rival.key));
            }
            match rule.says(&rivals, &play.stream, standing) {
                Says::Fine => {}
                Says::Deny => found.breaches.push(breach(policy, rule, &rivals)),
                Says::Evict(surplus) => {
                    found
                        .evicted
                        .extend(rivals.iter().take(surplus).map(|rival| {
                            let why = EndReason::Evicted {
                                policy: policy.name.clone(),
                                rule: rule.name.clone(),
                            };
                            (rival.key, why)
                        }));
                }
            }
        }
    }
    found
}

/// The live streams that a policy sees, oldest first: those started by applications
/// that list it, whoever their tenant is.
fn counted<'a>(activity: &'a Activity, policy: &Policy, book: &PolicyBook) -> Vec<&'a Stream> {
    let mut seen: Vec<&Stream> = activity
        .streams
        .iter()
        .filter(|stream| book.lists(&stream.application, policy))
        .collect();
    seen.sort_unstable_by_key(|stream| (stream.started_at, stream.key));
    seen
}

fn breach(policy: &Policy, rule: &Rule, conflicts: &[&Stream]) -> Breach {
    Breach {
        policy: policy.name.clone(),
        rule: rule.name.clone(),
        message: rule.message.clone(),
        threshold: rule.max,
        conflicts: conflicts.iter().copied().cloned().collect(),
    }
}

/// The live streams that the viewer chose to stop; codes of streams no longer live are void.
fn chosen_to_stop(play: &Play<'_>, activity: &Activity) -> Vec<StreamKey> {
    let chosen = |stream: &&Stream| {
        let code = stream.key.termination_code();
        stream.key != play.stream
            && play
                .terminate
                .iter()
                .any(|wanted| wanted.eq_ignore_ascii_case(&code))
    };
    if play.terminate.is_empty() {
        return Vec::new();
    }
    let streams = activity.streams.iter();
    streams.filter(chosen).map(|stream| stream.key).collect()
}

fn admit(
    activity: &mut Activity,
    play: &Play<'_>,
    standing: Standing,
    killed: &[StreamKey],
    evicted: &[(StreamKey, EndReason)],
    now: Moment,
) -> Judgement {
    let lapses_at = now.plus_ms(play.timeout_ms);
    let started_at = match standing {
        Standing::New => now,
        Standing::Known { started_at } | Standing::Revived { started_at } => started_at,
    };
    let by = Terminator {
        application: play.application.id.clone(),
        started_at,
        channel: play.attributes.value("channel").map(str::to_owned),
        device_name: play.attributes.value("deviceName").map(str::to_owned),
    };
    let mut superseded = Vec::new();
    for key in killed {
        let why = EndReason::Killed { by: by.clone() };
        activity.end(key, why, now);
        superseded.push(key.termination_code());
    }
    for (key, why) in evicted {
        activity.end(key, why.clone(), now);
        superseded.push(key.termination_code());
    }

    let silenced = !superseded.is_empty();
    let mut plays = Plays {
        started: !matches!(standing, Standing::Known { .. }),
        lapses_at,
        evicted: evicted.len(),
        killed: killed.len(),
    };
    let known = activity
        .streams
        .iter_mut()
        .find(|stream| stream.key == play.stream);
    let changed = match known {
        Some(stream) => {
            let merged = stream.attributes.merge(&play.attributes);
            stream.superseded.extend(superseded);
            let due = stream.lapses_at.ms_since(now) < play.renew_below_ms;
            if due || merged || silenced {
                stream.lapses_at = stream.lapses_at.max(lapses_at);
            }
            plays.lapses_at = stream.lapses_at;
            due || merged || silenced
        }
        None => {
            activity.streams.push(Stream {
                key: play.stream,
                application: play.application.id.clone(),
                started_at,
                lapses_at,
                attributes: play.attributes.clone(),
                superseded,
            });
            true
        }
    };
    Judgement {
        verdict: Verdict::Plays(plays),
        changed,
        silenced,
    }
}

fn refusal_of_ended(why: &EndReason, activity: &Activity, book: &PolicyBook) -> Refused {
    match why {
        EndReason::Stopped => Refused::Over,
        EndReason::Killed { by } => Refused::Killed(by.clone()),
        EndReason::Evicted { policy, rule } => match book.rule(policy, rule) {
            Some((policy, rule)) => {
                let conflicts = counted(activity, policy, book);
                Refused::Evicted(breach(policy, rule, &conflicts))
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
