//! Bringing an edge's copy of a record and the fleet's record together.
//!
//! Each may know what the other does not: the store what happened at other edges, the
//! copy the signs of life, ends and (while there was no store) starts of this one. What
//! comes out holds to three rules:
//!
//! - What ended, ended, unless it started again after that.
//! - A stream that one of them knows to be live is live, unless the record could have
//!   forgotten its end. So a store that lost its memory evicts nobody.
//! - Nothing is judged here. If there are more streams than a rule allows, exactly the
//!   surplus loses its place, each at its own next sign of life (`policy::rule`).

use streamgate_policy::activity::{Activity, EndReason, Liveness, Stream, Tombstone};
use streamgate_policy::faded::{Faded, key_prefix_of};
use streamgate_policy::throttle::Calls;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

/// The activity that follows from the fleet's record and this edge's copy, both pruned.
/// It equals `record` if the copy adds nothing.
#[must_use]
pub fn merged(record: Activity, copy: &Activity) -> Activity {
    let mut merged = record;
    for ended in &copy.ended {
        take_over_end(&mut merged, ended);
    }
    for faded in &copy.faded {
        take_over_faded(&mut merged, *faded);
    }
    for stream in &copy.streams {
        take_over_stream(&mut merged, stream);
    }
    merged.creates = later(&merged.creates, &copy.creates);
    merged.watermark = merged.watermark.max(copy.watermark);
    merged
}

fn take_over_end(merged: &mut Activity, ended: &Tombstone) {
    if let Some(live) = merged.stream(&ended.key) {
        if live.began_at > ended.at {
            return;
        }
        let _ = merged.take(&ended.key);
    }
    if let Some(faded) = merged.faded_end_of(&ended.key) {
        // A pause does not undo an end, unless the stream had started again.
        if let Some(stream) = ended.released()
            && stream.began_at <= faded.at
        {
            return;
        }
        let at = ended.at.max(faded.at);
        let ended = ended.clone();
        return merged.remember(Tombstone { at, ..ended });
    }
    match merged.end_of(&ended.key) {
        Some(known) if !outlasts(ended, known) => {}
        _ => merged.remember(ended.clone()),
    }
}

/// An end without its reason. Where the other side knows the reason, that stays, with the later
/// time.
fn take_over_faded(merged: &mut Activity, faded: Faded) {
    let is_it = |key: &StreamKey| key_prefix_of(key) == Some(faded.key_prefix);
    let live = merged.streams.iter().find(|stream| is_it(&stream.key));
    if let Some((key, began_at)) = live.map(|live| (live.key, live.began_at)) {
        if began_at > faded.at {
            return;
        }
        let _ = merged.take(&key);
    }
    let known = merged.ended.iter().find(|ended| is_it(&ended.key)).cloned();
    match known {
        Some(known)
            if known
                .released()
                .is_some_and(|stream| stream.began_at > faded.at) => {}
        Some(known) if known.released().is_some() => {
            merged.forgive(&known.key);
            merged.fade(faded);
        }
        Some(known) if known.at < faded.at => merged.remember(Tombstone {
            at: faded.at,
            ..known
        }),
        Some(_) => {}
        None => {
            let others = merged.faded.iter();
            let known = others.filter(|other| other.key_prefix == faded.key_prefix);
            let at = known.map(|known| known.at).fold(faded.at, Moment::max);
            merged.fade(Faded { at, ..faded });
        }
    }
}

/// Which of two ends of a stream holds? The later one; but whoever paused a stream may not
/// have heard that it had been ended, and that holds unless it had started again.
fn outlasts(ended: &Tombstone, known: &Tombstone) -> bool {
    match (ended.released(), known.released()) {
        (Some(stream), None) => stream.began_at > known.at,
        (None, Some(stream)) => stream.began_at <= ended.at,
        _ => (ended.at, reason(&ended.why)) > (known.at, reason(&known.why)),
    }
}

fn take_over_stream(merged: &mut Activity, stream: &Stream) {
    let full = merged.end_of(&stream.key).map(|end| end.at);
    let faded = merged.faded_end_of(&stream.key).map(|faded| faded.at);
    let end = full.max(faded);
    if let Some(at) = end {
        if at >= stream.began_at {
            return;
        }
        merged.forgive(&stream.key);
    }
    let watermark = merged.watermark;
    match merged.stream_mut(&stream.key) {
        Some(known) => renew(known, stream),
        None if is_below(&stream.key, watermark) => {}
        None => merged.streams.push(stream.clone()),
    }
}

/// Whether a stream may have ended and be remembered by nothing but the watermark.
fn is_below(key: &StreamKey, watermark: Moment) -> bool {
    key.issued_at()
        .is_some_and(|issued_at| issued_at <= watermark)
}

/// What is known of a stream goes by its latest sign of life, its age by its first start: one
/// that went on at another edge, where nobody could ask since when it plays, is as old as before.
fn renew(known: &mut Stream, other: &Stream) {
    let started_at = known.started_at.min(other.started_at);
    let began_at = known.began_at.max(other.began_at);
    let calls = later(&known.calls, &other.calls);
    let clients = known.clients.merged(&other.clients);
    let lives_by_media = known.liveness == Liveness::Media || other.liveness == Liveness::Media;
    if (other.lapses_at, said_of(other)) > (known.lapses_at, said_of(known)) {
        known.clone_from(other);
    }
    (known.started_at, known.began_at, known.calls) = (started_at, began_at, calls);
    known.clients = clients;
    if lives_by_media {
        known.liveness = Liveness::Media;
    }
}

/// What tells two descriptions of a stream apart that lapse at the same moment, so that the
/// same one holds whichever side it comes from.
fn said_of(stream: &Stream) -> impl Ord + use<'_> {
    let attributes: Vec<_> = stream.attributes.iter().collect();
    let limits: Vec<_> = stream.limits.iter().collect();
    (&stream.application, attributes, &stream.superseded, limits)
}

/// The same of two ends at the same moment: whoever was ended on purpose is told so.
fn reason(why: &EndReason) -> impl Ord + use<'_> {
    let (rank, texts, at) = match why {
        EndReason::Released(stream) => (0, vec![stream.application.as_str()], stream.began_at),
        EndReason::Stopped => (1, Vec::new(), Moment::EARLIEST),
        EndReason::Evicted { policy, rule } => {
            (2, vec![policy.as_str(), rule.as_str()], Moment::EARLIEST)
        }
        EndReason::Killed { by } => {
            let names = [&by.channel, &by.device_name].map(|name| name.as_deref());
            let names = names.map(Option::unwrap_or_default);
            let [channel, device] = names;
            (
                if by.same_device { 4 } else { 3 },
                vec![by.application.as_str(), channel, device],
                by.started_at,
            )
        }
    };
    let stream = match why {
        EndReason::Released(stream) => Some((stream.lapses_at, stream.started_at, said_of(stream))),
        _ => None,
    };
    (rank, texts, at, stream)
}

fn later(one: &Calls, other: &Calls) -> Calls {
    match (one.minute, one.count) >= (other.minute, other.count) {
        true => one.clone(),
        false => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, TIMEOUT_MS, stream, test};

    /// An edge that restarted while the store was away believes that it started earlier.
    #[test]
    fn the_latest_sign_of_life_counts_whenever_a_stream_is_believed_to_have_started() {
        let record = stream(1, NOW.plus_ms(1_000));
        let mut revived = stream(1, NOW);
        revived.key = record.key;
        let started_at = revived.started_at;
        revived.lapses_at = NOW.plus_ms(2 * TIMEOUT_MS);
        let [record, copy] = [record, revived.clone()].map(|stream| Activity {
            streams: vec![stream],
            ..Activity::default()
        });
        for both in [merged(record.clone(), &copy), merged(copy, &record)] {
            assert_eq!(both.streams[0].lapses_at, revived.lapses_at);
            assert_eq!(both.streams[0].started_at, started_at);
        }
    }
}
