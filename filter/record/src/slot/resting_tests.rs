//! Which records without a live stream are kept, and until when.

use streamgate_policy::activity::{Activity, ENDED_KEPT_MS, EndReason};
use streamgate_policy::{Allowance, Exception};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::Slot;
use super::record::{Change, RESTING_MAX};
use crate::copy_version::{CopyVersion, WriteId};
use crate::testing::{NOW, TIMEOUT_MS, key, stream, test};

fn subject(n: u8) -> SubjectKey {
    let mut bytes = [0; 16];
    bytes[0] = n;
    SubjectKey::from_bytes(bytes)
}

/// The activity of an account whose streams with these numbers ended then.
fn stopped(ends: &[(u8, u64)]) -> Activity {
    let mut activity = Activity::default();
    for (n, later_ms) in ends {
        activity.streams.push(stream(*n, NOW));
        activity.end(&key(*n, NOW), EndReason::Stopped, NOW.plus_ms(*later_ms));
    }
    activity
}

fn put(bytes: &[u8], n: u8, activity: &Activity, copy_version: Option<CopyVersion>) -> Vec<u8> {
    let slot = Slot::parse(bytes).unwrap_or_default();
    let subject = subject(n);
    let change = Change {
        subject: &subject,
        activity,
        copy_version,
    };
    slot.rewrite(Some(change), NOW).bytes
}

fn kept(bytes: &[u8]) -> Vec<SubjectKey> {
    Slot::parse(bytes).unwrap().subjects().collect()
}

#[test]
fn the_record_whose_latest_end_lies_furthest_back_goes_first_wherever_it_stands() {
    for surplus in 0..=RESTING_MAX {
        let mut bytes = Vec::new();
        for n in 0..=RESTING_MAX {
            // All but one have an end that is earlier than any of that one's, and a later one.
            let ends = match n == surplus {
                true => vec![(1, 500)],
                false => vec![(1, 100), (2, 600)],
            };
            bytes = put(&bytes, n as u8, &stopped(&ends), None);
        }
        let expected: Vec<_> = (0..=RESTING_MAX)
            .filter(|n| *n != surplus)
            .map(|n| subject(n as u8))
            .collect();
        assert_eq!(kept(&bytes), expected, "{surplus}");
        let slot = Slot::parse(&bytes).unwrap();
        let watermark = |n: usize| slot.activity(&subject(n as u8)).unwrap().watermark;
        for n in 0..=RESTING_MAX {
            let expected = if n == surplus { NOW } else { Moment::EARLIEST };
            assert_eq!(watermark(n), expected, "{n} of {surplus}");
        }
    }
}

#[test]
fn of_copies_the_oldest_that_the_store_knows_goes_first_wherever_it_stands() {
    let version = |n: u8, dirty| {
        Some(CopyVersion {
            write: Some(WriteId([n; 8])),
            dirty,
            kept_until: NOW,
        })
    };
    for known in 0..=RESTING_MAX {
        let mut bytes = Vec::new();
        for n in 0..=RESTING_MAX {
            // The one that the store knows ended last.
            let (later_ms, dirty) = if n == known { (900, false) } else { (1, true) };
            let activity = stopped(&[(1, later_ms)]);
            bytes = put(&bytes, n as u8, &activity, version(n as u8, dirty));
        }
        let is_kept = |n: &usize| *n != known;
        let expected = (0..=RESTING_MAX).filter(is_kept);
        let expected: Vec<_> = expected.map(|n| subject(n as u8)).collect();
        assert_eq!(kept(&bytes), expected, "{known}");
    }
}

#[test]
fn as_many_as_are_kept_are_all_kept_beside_those_that_play() {
    let mut bytes = Vec::new();
    let playing = Activity {
        streams: vec![stream(1, NOW)],
        ..Activity::default()
    };
    for n in 0..RESTING_MAX {
        bytes = put(&bytes, n as u8, &stopped(&[(1, 1)]), None);
        bytes = put(&bytes, 100 + n as u8, &playing, None);
    }
    assert_eq!(kept(&bytes).len(), 2 * RESTING_MAX);
}

#[test]
fn a_record_has_lapsed_from_the_moment_on_at_which_its_stream_has() {
    let playing = Activity {
        streams: vec![stream(1, NOW)],
        ..Activity::default()
    };
    let bytes = put(&[], 1, &playing, None);
    let slot = Slot::parse(&bytes).unwrap();
    for (later_ms, has_lapsed) in [(TIMEOUT_MS - 1, false), (TIMEOUT_MS, true)] {
        let now = NOW.plus_ms(later_ms);
        assert_eq!(slot.has_lapsed(now), has_lapsed, "{later_ms}");
        let rewritten = slot.rewrite(None, now);
        assert_eq!(
            rewritten.lapsed.len(),
            usize::from(has_lapsed),
            "{later_ms}"
        );
        assert_eq!(kept(&rewritten.bytes).is_empty(), has_lapsed, "{later_ms}");
    }
}

#[test]
fn a_resting_record_has_lapsed_from_the_moment_on_at_which_an_end_is_forgotten() {
    let bytes = put(&[], 1, &stopped(&[(1, 0), (2, 1_000)]), None);
    let slot = Slot::parse(&bytes).unwrap();
    let remembered = |later_ms| {
        let bytes = slot.rewrite(None, NOW.plus_ms(later_ms)).bytes;
        let activity = Slot::parse(&bytes).unwrap().activity(&subject(1));
        activity.unwrap().ended.len()
    };
    for (later_ms, has_lapsed, left) in [
        (0, false, 2),
        (ENDED_KEPT_MS - 1, false, 2),
        (ENDED_KEPT_MS, true, 1),
        (ENDED_KEPT_MS + 999, true, 1),
        (ENDED_KEPT_MS + 1_000, true, 0),
    ] {
        assert_eq!(
            slot.has_lapsed(NOW.plus_ms(later_ms)),
            has_lapsed,
            "{later_ms}"
        );
        assert_eq!(remembered(later_ms), left, "{later_ms}");
    }
}

#[test]
fn a_record_with_an_exception_stays_however_many_others_rest() {
    let mut excepted = stopped(&[(1, 100)]);
    excepted.exception = Some(Exception {
        allowance: Allowance::Unlimited,
        set_at: NOW,
        until: NOW.plus_ms(60_000),
        reason: String::new(),
    });
    let mut bytes = put(&[], 0, &excepted, None);
    for n in 1..=RESTING_MAX + 1 {
        bytes = put(&bytes, n as u8, &stopped(&[(1, 500)]), None);
    }
    let kept = kept(&bytes);
    assert!(kept.contains(&subject(0)));
    assert_eq!(kept.len(), RESTING_MAX + 1);
}
