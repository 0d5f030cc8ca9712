//! What two edges know of one pause.

use streamgate_policy::activity::{Activity, EndReason, Tombstone};

use crate::merged;
use crate::testing::{NOW, stream, test};

fn released(began_ms: u64, at_ms: u64, channel: &str) -> Tombstone {
    let mut stream = stream(1, NOW);
    stream.began_at = NOW.plus_ms(began_ms);
    stream.attributes.set("channel", channel);
    Tombstone {
        key: stream.key,
        at: NOW.plus_ms(at_ms),
        why: EndReason::Released(Box::new(stream)),
    }
}

fn of(end: &Tombstone) -> Activity {
    Activity {
        ended: vec![end.clone()],
        ..Activity::default()
    }
}

#[test]
fn of_two_pauses_that_of_the_later_life_holds_and_of_one_life_the_same_to_both_sides() {
    let early = released(0, 20, "News 1");
    let late = released(10, 15, "News 1");
    assert_eq!(merged(of(&early), &of(&late)), of(&late));
    assert_eq!(merged(of(&late), &of(&early)), of(&late));
    let [one, other] = ["News 1", "News 2"].map(|channel| released(0, 20, channel));
    let both = merged(of(&one), &of(&other));
    assert_eq!(merged(of(&other), &of(&one)), both);
}
