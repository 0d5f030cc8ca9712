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
    merged.exception = Exception::later(merged.exception, copy.exception.as_ref());
    merged
}

fn take_over_end(merged: &mut Activity, ended: &Tombstone) {
    if let Some(live) = merged.stream(&ended.key) {
        if live.began_at > reach(ended) {
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

/// Which of two ends of a stream holds? The later one, of two pauses that of the later life; but whoever paused a stream may not
/// have heard that it had been ended, and that holds unless it had started again.
fn outlasts(ended: &Tombstone, known: &Tombstone) -> bool {
    match (ended.released(), known.released()) {
        (Some(stream), None) => stream.began_at > known.at,
        (Some(stream), Some(other)) => {
            let one = (stream.began_at, ended.at, reason(&ended.why));
            one > (other.began_at, known.at, reason(&known.why))
        }
        (None, Some(stream)) => stream.began_at <= ended.at,
        _ => (ended.at, reason(&ended.why)) > (known.at, reason(&known.why)),
    }
}

/// Which lives of its stream an end is about: those that began up to this moment. A pause is about the
/// life that was paused: another one that began later plays, however late the pause came. Otherwise the
/// order in which three copies meet would decide.
fn reach(end: &Tombstone) -> Moment {
    end.released().map_or(end.at, |stream| stream.began_at)
}

fn take_over_stream(merged: &mut Activity, stream: &Stream) {
    let full = merged.end_of(&stream.key).map(reach);
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
    let player = known.player.max(other.player);
    let lives_by_media = known.liveness == Liveness::Media || other.liveness == Liveness::Media;
    let mut reached = known.reached;
    reached.merge(other.reached);
    if (other.lapses_at, said_of(other)) > (known.lapses_at, said_of(known)) {
        known.clone_from(other);
    }
    (known.started_at, known.began_at, known.calls) = (started_at, began_at, calls);
    (known.clients, known.player, known.reached) = (clients, player, reached);
    if lives_by_media {
        known.liveness = Liveness::Media;
    }
}

/// What tells two descriptions of a stream apart that lapse at the same moment, so that the
/// same one holds whichever side it comes from.
fn said_of(stream: &Stream) -> impl Ord + use<'_> {
    let attributes: Vec<_> = stream.attributes.iter().collect();
    let limits: Vec<_> = stream.limits.iter().collect();
    let told = (&stream.application, attributes, &stream.superseded, limits);
    (told, stream.buffer_s, stream.reached)
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
    use streamgate_policy::activity::EndReason;

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

    fn ended(at: u64, why: EndReason) -> Activity {
        let mut activity = Activity::default();
        activity.remember(Tombstone {
            key: stream(1, NOW).key,
            at: NOW.plus_ms(at),
            why,
        });
        activity
    }

    fn paused(started: u64, at: u64) -> Activity {
        let mut paused = stream(1, NOW);
        (paused.started_at, paused.began_at) = (NOW.plus_ms(started), NOW.plus_ms(started));
        ended(at, EndReason::Released(Box::new(paused)))
    }

    /// Whichever of the two is the record.
    #[track_caller]
    fn assert_holds(one: &Activity, other: &Activity, holds: &Activity) {
        assert_eq!(&merged(one.clone(), other).ended, &holds.ended);
        assert_eq!(&merged(other.clone(), one).ended, &holds.ended);
    }

    #[test]
    fn of_two_ends_the_later_one_holds_with_its_reason() {
        let evicted = EndReason::Evicted {
            policy: "P".to_owned(),
            rule: "limit".to_owned(),
        };
        let [early, late] = [(1, EndReason::Stopped), (2, evicted)].map(|(at, why)| ended(at, why));
        assert_holds(&early, &late, &late);
        assert_holds(&paused(0, 1), &paused(0, 2), &paused(0, 2));
        // Of two at once the one on purpose.
        assert_holds(&late, &ended(2, EndReason::Stopped), &late);
    }

    #[test]
    fn an_end_holds_over_a_pause_unless_the_stream_had_started_again() {
        let stopped = ended(5, EndReason::Stopped);
        for started in [0, 5] {
            assert_holds(&stopped, &paused(started, 9), &stopped);
        }
        assert_holds(&stopped, &paused(6, 9), &paused(6, 9));
    }

    /// Whoever goes on to ask is refused later at an edge that may know the reason no more.
    #[test]
    fn an_end_without_its_reason_has_the_one_with_it_last_as_long() {
        let key = StreamKey::external([1; 16]);
        let key_prefix = key_prefix_of(&key).unwrap();
        let at = |ms| NOW.plus_ms(ms);
        let why = EndReason::Stopped;
        let [mut full, mut bare, mut holds] = [(); 3].map(|()| Activity::default());
        for (of_full, of_bare) in [(1, 2), (4, 3)] {
            full.remember(Tombstone {
                key,
                at: at(of_full),
                why: why.clone(),
            });
            bare.fade(Faded {
                key_prefix,
                at: at(of_bare),
            });
            let at = at(of_full.max(of_bare));
            holds.remember(Tombstone {
                key,
                at,
                why: why.clone(),
            });
            assert_holds(&full, &bare, &holds);
        }
    }

    /// Two records of one stream, alike but for what is changed in the copy.
    fn both(change: impl FnOnce(&mut Stream)) -> [Activity; 2] {
        let known = stream(1, NOW);
        let mut other = known.clone();
        change(&mut other);
        [known, other].map(|stream| Activity {
            streams: vec![stream],
            ..Activity::default()
        })
    }

    #[test]
    fn calls_are_counted_by_the_later_minute_and_then_by_the_higher_count() {
        let calls = |minute, count| Calls { minute, count };
        for (less, more) in [
            (calls(7, 9), calls(8, 1)),
            (calls(8, 1), calls(8, 2)),
            (calls(0, 0), calls(1, 0)),
        ] {
            let [mut record, mut copy] = both(|other| other.calls = more.clone());
            record.streams[0].calls = less.clone();
            (record.creates, copy.creates) = (less, more.clone());
            for both in [merged(record.clone(), &copy), merged(copy, &record)] {
                assert_eq!(both.streams[0].calls, more);
                assert_eq!(both.creates, more);
            }
        }
    }

    #[test]
    fn what_lives_by_media_to_one_of_them_lives_by_media_whoever_saw_it_last() {
        for later_ms in [0, 1] {
            let [record, copy] = both(|other| {
                other.liveness = Liveness::Media;
                other.lapses_at = other.lapses_at.plus_ms(later_ms);
            });
            for both in [merged(record.clone(), &copy), merged(copy, &record)] {
                assert_eq!(both.streams[0].liveness, Liveness::Media);
            }
        }
        let [record, mut copy] = both(|_| {});
        copy.streams[0].lapses_at = NOW.plus_ms(2 * TIMEOUT_MS);
        assert_eq!(merged(record, &copy).streams[0].liveness, Liveness::Any);
    }
}
