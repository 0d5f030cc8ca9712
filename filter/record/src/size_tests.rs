//! How much shared data a stream takes.

use core::num::NonZeroU32;

use streamgate_policy::{Event, Unknown};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::test_edge::TestEdge;
use super::transact;
use crate::ports::{Clock, Store, StoreKey};
use crate::testing::{book, play, test};

/// The most bytes a stream may take.
const PER_STREAM_MAX: usize = 120;

/// What Envoy needs for a slot besides its value, in bytes: the key, the entry, and what the
/// allocator rounds up. Of 65,536 slots with values of a kilobyte each, 181 were measured.
const PER_SLOT: usize = 181;

/// As many as there are to a slot with a million streams in 65,536 slots.
const STREAMS_PER_SLOT: u32 = 15;

#[test]
fn a_stream_with_device_and_channel_takes_at_most_120_bytes() {
    let slots = 64;
    let book = book(Vec::new(), &[("web", &[])]);
    let mut edge = TestEdge::new(slots, book);
    edge.records.max_streams = u64::MAX;
    edge.records.slots = NonZeroU32::new(slots).unwrap();
    let streams = slots * STREAMS_PER_SLOT;
    for n in 0..streams {
        let mut subject = [7; 16];
        subject[..4].copy_from_slice(&n.to_be_bytes());
        let subject = SubjectKey::from_bytes(subject);
        let mut play = play(&edge.records.book, "web", edge.mint(), Unknown::Starts);
        play.attributes
            .set("deviceId", format!("6e2fb550c457{n:04x}"));
        play.attributes.set("channel", format!("news-{}", n % 100));
        let (host, now) = (&edge.host, edge.host.now());
        let event = Event::Play(play);
        let _ = transact(host, &edge.records, &subject, &event, Moment::EARLIEST, now).unwrap();
    }
    let stored = |slot| {
        let value = edge.host.load(StoreKey::Slot(slot));
        value.map_or(0, |(bytes, _)| bytes.len())
    };
    let values: usize = (0..slots).map(stored).sum();
    let per_stream = (values + PER_SLOT * slots as usize).div_ceil(streams as usize);
    assert!(values > 0 && per_stream <= PER_STREAM_MAX, "{per_stream}");
}
