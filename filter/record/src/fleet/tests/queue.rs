//! What stands in line, and what is put back into it.

use super::*;
use crate::fleet::queue::{Queue, QueueItem};
use crate::fleet::sent::{Sent, SentKind};
use crate::testing::test;

fn of_flags(flushes: bool, again: bool, feed: bool) -> QueueItem {
    QueueItem {
        flushes,
        again,
        feed,
        ..QueueItem::default()
    }
}

/// Something has to be said meanwhile.
type Comes = fn(&mut Queue);

fn flags(item: &QueueItem) -> [bool; 3] {
    [item.flushes, item.again, item.feed]
}

#[test]
fn what_is_put_back_is_said_together_with_what_came_meanwhile() {
    let alice = subject(1, 1);
    let newer: [(Comes, [bool; 3]); 3] = [
        (
            |queue| queue.flush(subject(1, 1), false),
            [true, false, false],
        ),
        (
            |queue| queue.flush_again(subject(1, 1)),
            [true, true, false],
        ),
        (
            |queue| queue.flush(subject(1, 1), true),
            [true, false, true],
        ),
    ];
    for (come, came) in newer {
        for taken in [
            [false; 3],
            [true, false, false],
            [true, true, false],
            [true, false, true],
        ] {
            let mut queue = Queue::new(9);
            come(&mut queue);
            let [flushes, again, feed] = taken;
            queue.put_back(alice, of_flags(flushes, again, feed));
            assert_eq!((queue.len(), queue.in_line()), (1, 1));
            assert_eq!(queue.has_urgent(), taken[2] || came[2]);
            let (_, item) = queue.take().unwrap();
            assert_eq!(flags(&item), [0, 1, 2].map(|n| taken[n] || came[n]));
            assert!(queue.is_empty());
        }
    }
}

#[test]
fn what_is_for_the_feed_stays_for_it() {
    let mut queue = Queue::new(9);
    queue.flush(subject(1, 1), true);
    queue.flush(subject(1, 1), false);
    assert_eq!(flags(&queue.take().unwrap().1), [true, false, true]);
}

/// What was told and what was dirty is said again, and again what may have got lost.
#[test]
fn what_comes_back_of_a_call_is_what_the_store_has_to_learn_still() {
    for n in 0..32_u8 {
        let [tells, was_dirty, again, feed, was_lost] =
            [0, 1, 2, 3, 4].map(|bit| n >> bit & 1 == 1);
        let kind = match tells {
            true => SentKind::Tell,
            false => SentKind::Check { generation: None },
        };
        let sent = Sent {
            subject: subject(1, 1),
            kind,
            answered: Vec::new(),
            was_dirty,
            again,
            feed,
            expects: 0,
        };
        let flushes = [tells, was_dirty, again].contains(&true);
        let expected = [flushes, again || (tells && was_lost), feed && flushes];
        assert_eq!(flags(&sent.back(was_lost)), expected, "{n:05b}");
    }
}
