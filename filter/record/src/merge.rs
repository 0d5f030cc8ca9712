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

use streamgate_policy::Exception;
use streamgate_policy::activity::{Activity, Liveness, Stream, Tombstone};
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
    merged.exception = Exception::later(merged.exception, copy.exception.as_ref());
    merged
}

fn take_over_end(merged: &mut Activity, ended: &Tombstone) {
    if let Some(live) = merged.stream(&ended.key) {
        if live.started_at > ended.at {
            return;
        }
        let _ = merged.take(&ended.key);
    }
    if let Some(faded) = merged.faded_end_of(&ended.key) {
        // A pause does not undo an end, unless the stream had started again.
        if let Some(stream) = ended.released()
            && stream.started_at <= faded.at
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
    if let Some((key, started_at)) = live.map(|live| (live.key, live.started_at)) {
        if started_at > faded.at {
            return;
        }
        let _ = merged.take(&key);
    }
    let known = merged.ended.iter().find(|ended| is_it(&ended.key)).cloned();
    match known {
        Some(known)
            if known
                .released()
                .is_some_and(|stream| stream.started_at > faded.at) => {}
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
        (Some(stream), None) => stream.started_at > known.at,
        (None, Some(stream)) => stream.started_at <= ended.at,
        _ => ended.at > known.at,
    }
}

fn take_over_stream(merged: &mut Activity, stream: &Stream) {
    if let Some(end) = merged.end_of(&stream.key) {
        if end.at >= stream.started_at {
            return;
        }
        merged.forgive(&stream.key);
    }
    if let Some(faded) = merged.faded_end_of(&stream.key) {
        if faded.at >= stream.started_at {
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

/// What is known of a stream goes by its latest sign of life.
fn renew(known: &mut Stream, other: &Stream) {
    let calls = later(&known.calls, &other.calls);
    let clients = known.clients.merged(&other.clients);
    let lives_by_media = known.liveness == Liveness::Media || other.liveness == Liveness::Media;
    // An edge that has lost its memory takes a stream's issue for its start.
    let lapses_at = known.lapses_at.max(other.lapses_at);
    if (other.started_at, other.lapses_at) > (known.started_at, known.lapses_at) {
        known.clone_from(other);
    }
    known.lapses_at = lapses_at;
    known.calls = calls;
    known.clients = clients;
    if lives_by_media {
        known.liveness = Liveness::Media;
    }
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
        revived.lapses_at = NOW.plus_ms(2 * TIMEOUT_MS);
        let [record, copy] = [record, revived.clone()].map(|stream| Activity {
            streams: vec![stream],
            ..Activity::default()
        });
        for both in [merged(record.clone(), &copy), merged(copy, &record)] {
            assert_eq!(both.streams[0].lapses_at, revived.lapses_at);
        }
    }
}
