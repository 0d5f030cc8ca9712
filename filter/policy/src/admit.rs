//! A stream that may play is recorded, and those that go for it are ended.

use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use super::effect::Effects;
use super::evaluate::Findings;
use super::event::{Judgement, Play, Plays, Verdict};
use super::rule::device;
use super::shared::noted;
use crate::activity::{Activity, EndReason, Liveness, SUPERSEDED_MAX, Stream, Terminator};
use crate::reached::Reached;

pub(super) fn admit(
    activity: &mut Activity,
    play: &Play,
    started_at: Moment,
    findings: &Findings,
    now: Moment,
) -> Judgement {
    let silenced = findings.leaving() > 0;
    let lapses_at = now.plus_ms(play.timeout_ms).plus_ms(play.buffer_ms);
    // A stream that was released comes back as what it was.
    let end = activity.forgive(&play.stream);
    let mut plays = Plays {
        started: false,
        learned: false,
        taken: None,
        lapses_at,
        evicted: findings.evicted.len(),
        killed: findings.killed.len(),
        replaced: findings.replaced.len(),
        monitored: findings.monitored.len(),
        watched: findings.watched.clone(),
        ended: findings.gone().collect(),
        levels: findings.levels.clone(),
        shared: false,
        places: findings.places,
    };
    let mut changed = true;
    match activity.stream_mut(&play.stream) {
        Some(stream) => {
            let due_below_ms = play.renew_below_ms.saturating_add(play.buffer_ms);
            let due = stream.lapses_at.ms_since(now) < due_below_ms;
            let learned = learns(stream, play);
            let noted = noted(&mut stream.clients, play, now);
            changed = due || silenced || learned || noted.changed;
            plays.learned = learned;
            plays.shared = noted.beyond;
            if changed && is_kept_alive(stream, play) && lapses_at > stream.lapses_at {
                (stream.lapses_at, stream.buffer_s) = (lapses_at, buffer_s(play));
            }
            plays.lapses_at = stream.lapses_at;
        }
        None => {
            plays.started = true;
            let mut stream = match end.map(|end| end.why) {
                Some(EndReason::Released(stream)) => *stream,
                _ => Stream::unplayed(play.stream),
            };
            play.application.id.clone_into(&mut stream.application);
            stream.started_at = started_at;
            stream.began_at = started_at;
            (stream.lapses_at, stream.buffer_s) = (lapses_at, buffer_s(play));
            learns(&mut stream, play);
            noted(&mut stream.clients, play, now);
            activity.streams.push(stream);
            note_reached(activity, findings);
        }
    }
    let mut effects = Effects {
        watched: findings.monitored.clone(),
        ..Effects::default()
    };
    if silenced {
        make_room(activity, &play.stream, findings, &mut effects, now);
    }
    Judgement {
        verdict: Verdict::Plays(plays),
        changed,
        silenced,
        evicted: findings.evicted.len(),
        effects,
        retry_at: None,
    }
}

/// Each stream notes how many play at once, so that it is known for as long as one of them plays.
fn note_reached(activity: &mut Activity, findings: &Findings) {
    let mut reached = Reached::default();
    for stream in &activity.streams {
        reached.merge(stream.reached);
    }
    for level in &findings.levels {
        reached.raise(level.policy, level.at);
    }
    for stream in &mut activity.streams {
        stream.reached = reached;
    }
}

fn buffer_s(play: &Play) -> u16 {
    u16::try_from(play.buffer_ms.div_ceil(1_000)).unwrap_or(u16::MAX)
}

/// Takes over what an event says of a stream; says whether that is anything new.
fn learns(stream: &mut Stream, play: &Play) -> bool {
    let attributes = stream.attributes.merge(&play.attributes);
    let limits = stream.limits.merge(&play.limits);
    let lives_by_media = play.liveness == Liveness::Media && stream.liveness != play.liveness;
    if lives_by_media {
        stream.liveness = Liveness::Media;
    }
    attributes || limits || lives_by_media
}

/// Whether an event keeps a stream alive: each does, but where a stream lives by media
/// no call of the session API.
pub(super) fn is_kept_alive(stream: &Stream, play: &Play) -> bool {
    stream.liveness == Liveness::Any || !play.is_call
}

/// Ends the streams that go for `winner`, which is live.
fn make_room(
    activity: &mut Activity,
    winner: &StreamKey,
    findings: &Findings,
    effects: &mut Effects,
    now: Moment,
) {
    let Some(stream) = activity.stream_mut(winner) else {
        return;
    };
    let by = Terminator {
        application: stream.application.clone(),
        started_at: stream.started_at,
        channel: stream.attributes.value("channel").map(str::to_owned),
        device_name: stream.attributes.value("deviceName").map(str::to_owned),
        same_device: false,
    };
    let own = device(&stream.attributes).map(str::to_owned);
    let killed = findings.killed.iter().chain(&findings.replaced).map(|key| {
        let why = EndReason::Killed { by: by.clone() };
        (*key, why)
    });
    let leaving: Vec<_> = killed.chain(findings.evicted.iter().cloned()).collect();
    let codes = leaving.iter().map(|(key, _)| key.termination_code());
    stream.superseded.extend(codes);
    let surplus = stream.superseded.len().saturating_sub(SUPERSEDED_MAX);
    stream.superseded.drain(..surplus);
    for (key, mut why) in leaving {
        if let EndReason::Killed { by } = &mut why {
            let of = activity.stream(&key);
            let of = of.and_then(|stream| device(&stream.attributes));
            by.same_device = of.is_some() && of == own.as_deref();
        }
        effects.ends_by(activity, &key, &why, Some(*winner), now);
        activity.end(&key, why, now);
    }
}
