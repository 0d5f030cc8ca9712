//! Slots: what is kept of whom, and for how long.

use streamgate_policy::activity::{ENDED_KEPT_MS, EndReason};

use super::record::RESTING_MAX;
use super::*;
use crate::codec;
use crate::copy_version::WriteId;
use crate::testing::{NOW, TIMEOUT_MS, key, stream, test};
use crate::watermarks::WATERMARK_KEPT_MS;

fn subject(n: u8) -> SubjectKey {
    SubjectKey::from_bytes([n, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
}

fn playing(n: u8) -> Activity {
    Activity {
        streams: vec![stream(n, NOW)],
        ..Activity::default()
    }
}

fn stopped(n: u8, at: Moment) -> Activity {
    let mut activity = playing(n);
    activity.end(&key(n, NOW), EndReason::Stopped, at);
    activity
}

fn put(bytes: &[u8], n: u8, activity: &Activity, now: Moment) -> RewrittenSlot {
    let slot = Slot::parse(bytes).unwrap_or_default();
    let change = Change {
        subject: &subject(n),
        activity,
        copy_version: None,
    };
    slot.rewrite(Some(change), now)
}

#[test]
fn subjects_share_a_slot_without_touching_each_other() {
    let bytes = put(&[], 1, &playing(1), NOW).bytes;
    let bytes = put(&bytes, 2, &playing(2), NOW).bytes;
    let slot = Slot::parse(&bytes).unwrap();
    assert_eq!(slot.activity(&subject(1)), Some(playing(1)));
    assert_eq!(slot.activity(&subject(2)), Some(playing(2)));
    assert_eq!(slot.activity(&subject(3)), Some(Activity::default()));
}

#[test]
fn a_neighbour_that_lapsed_leaves_nothing_behind() {
    let bytes = put(&[], 1, &playing(1), NOW).bytes;
    let later = NOW.plus_ms(TIMEOUT_MS);
    assert!(Slot::parse(&bytes).unwrap().has_lapsed(later));
    let rewritten = put(&bytes, 2, &Activity::default(), later);
    assert_eq!(rewritten.lapsed.len(), 1);
    assert_eq!(
        rewritten.bytes.len(),
        8,
        "version, horizon and no watermark"
    );
}

#[test]
fn forgetting_an_end_is_held_against_its_account_alone() {
    let bytes = put(&[], 1, &stopped(1, NOW), NOW).bytes;
    let watermark = |bytes: &[u8], n| {
        let slot = Slot::parse(bytes).unwrap();
        assert_eq!(slot.watermark, Moment::EARLIEST);
        slot.activity(&subject(n)).unwrap().watermark
    };
    assert_eq!(watermark(&bytes, 1), Moment::EARLIEST);
    let later = NOW.plus_ms(ENDED_KEPT_MS);
    let bytes = put(&bytes, 2, &playing(2), later).bytes;
    assert_eq!(watermark(&bytes, 1), NOW);
    assert_eq!(watermark(&bytes, 2), Moment::EARLIEST);
    // It starts again, and what it was forgotten for stays.
    let mut again = playing(1);
    again.watermark = NOW;
    let bytes = put(&bytes, 1, &again, later).bytes;
    let bytes = put(&bytes, 2, &Activity::default(), later).bytes;
    assert_eq!(watermark(&bytes, 1), NOW);
}

#[test]
fn what_nobody_holds_against_anybody_any_more_is_held_by_the_watermark() {
    let bytes = put(&[], 1, &stopped(1, NOW), NOW).bytes;
    let later = NOW.plus_ms(ENDED_KEPT_MS);
    let bytes = put(&bytes, 2, &playing(2), later).bytes;
    let later = NOW.plus_ms(WATERMARK_KEPT_MS);
    let slot = Slot::parse(&bytes).unwrap();
    assert!(slot.has_lapsed(later));
    let bytes = slot.rewrite(None, later).bytes;
    let slot = Slot::parse(&bytes).unwrap();
    assert_eq!(slot.watermark, NOW);
    assert_eq!(slot.watermarks, Watermarks::default());
}

#[test]
fn resting_records_are_bounded_and_the_oldest_go_first() {
    let mut bytes = Vec::new();
    for n in 0..50 {
        bytes = put(&bytes, n, &stopped(n, NOW.plus_ms(u64::from(n))), NOW).bytes;
    }
    let slot = Slot::parse(&bytes).unwrap();
    let kept: Vec<_> = slot.subjects().collect();
    assert_eq!(kept, (42..50).map(subject).collect::<Vec<_>>());
    assert_eq!(slot.watermark, Moment::EARLIEST);
    for n in 0..42 {
        assert_eq!(slot.activity(&subject(n)).unwrap().watermark, NOW);
    }
}

fn versioned(n: u8, dirty: bool) -> Option<CopyVersion> {
    Some(CopyVersion {
        write: (n > 0).then_some(WriteId([n; 8])),
        dirty,
        kept_until: NOW.plus_ms(u64::from(n)),
    })
}

fn put_copy(
    bytes: &[u8],
    n: u8,
    activity: &Activity,
    copy_version: Option<CopyVersion>,
) -> Vec<u8> {
    let slot = Slot::parse(bytes).unwrap_or_default();
    let change = Change {
        subject: &subject(n),
        activity,
        copy_version,
    };
    slot.rewrite(Some(change), NOW).bytes
}

#[test]
fn copies_carry_their_copy_version_and_a_watermark_of_their_own() {
    let mut with_watermark = playing(1);
    with_watermark.watermark = NOW.plus_ms(7);
    let bytes = put_copy(&[], 1, &with_watermark, versioned(5, true));
    let bytes = put_copy(&bytes, 2, &playing(2), versioned(0, false));
    let bytes = put_copy(&bytes, 3, &playing(3), None);
    let slot = Slot::parse(&bytes).unwrap();
    let (copy_version, content) = slot.copy(&subject(1)).unwrap();
    assert_eq!(Some(copy_version), versioned(5, true));
    assert_eq!(codec::decode_copy(content), Some(with_watermark.clone()));
    assert_eq!(slot.activity(&subject(1)), Some(with_watermark));
    assert_eq!(
        slot.copy(&subject(2)).map(|(copy_version, _)| copy_version),
        versioned(0, false)
    );
    assert_eq!(slot.activity(&subject(2)), Some(playing(2)));
    assert_eq!(slot.copy(&subject(3)), None);
    assert_eq!(slot.activity(&subject(3)), Some(playing(3)));
}

#[test]
fn a_copy_version_changes_without_anything_else() {
    let bytes = put_copy(&[], 1, &playing(1), versioned(5, true));
    let bytes = put_copy(&bytes, 2, &playing(2), versioned(6, true));
    let slot = Slot::parse(&bytes).unwrap();
    let fresh = versioned(9, false).unwrap();
    let with_version = slot.with_version(&bytes, &subject(1), &fresh).unwrap();
    assert_eq!(
        with_version,
        put_copy(
            &put_copy(&[], 1, &playing(1), Some(fresh)),
            2,
            &playing(2),
            versioned(6, true)
        )
    );
    assert_eq!(slot.with_version(&bytes, &subject(3), &fresh), None);
}

#[test]
fn copies_without_streams_that_the_store_has_yet_to_hear_of_go_last() {
    let dirty = stopped(1, NOW);
    let mut bytes = put_copy(&[], 1, &dirty, versioned(1, true));
    for n in 2..50 {
        let activity = stopped(n, NOW.plus_ms(u64::from(n)));
        bytes = put_copy(&bytes, n, &activity, versioned(n, false));
    }
    let slot = Slot::parse(&bytes).unwrap();
    assert_eq!(slot.subjects().count(), RESTING_MAX);
    assert_eq!(slot.activity(&subject(1)), Some(dirty));
}

#[test]
fn damaged_or_foreign_values_are_absent() {
    let bytes = put(&[], 1, &playing(1), NOW).bytes;
    for len in 1..bytes.len() {
        if len != 8 {
            assert_eq!(Slot::parse(&bytes[..len]), None, "cut to {len}");
        }
    }
    assert_eq!(Slot::parse(b""), None);
    assert_eq!(Slot::parse(&[VERSION + 1, 0, 0, 0, 0, 0, 0, 0]), None);
}

#[test]
fn who_plays_is_told_with_how_many_streams_and_who_does_not_is_not() {
    let mut two = playing(2);
    two.streams.push(stream(9, NOW));
    let bytes = put(&[], 1, &playing(1), NOW).bytes;
    let bytes = put(&bytes, 2, &two, NOW).bytes;
    let bytes = put(&bytes, 3, &stopped(3, NOW), NOW).bytes;
    let slot = Slot::parse(&bytes).unwrap();
    let live = |now: Moment| {
        let mut live: Vec<_> = slot.live_counts(now).collect();
        live.sort_unstable();
        live
    };
    let expected = [(subject(1), 1), (subject(2), 2)];
    assert_eq!(live(NOW), expected);
    assert_eq!(live(NOW.plus_ms(TIMEOUT_MS - 1)), expected);
    assert_eq!(live(NOW.plus_ms(TIMEOUT_MS)), []);
}
