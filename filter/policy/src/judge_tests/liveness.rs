//! Streams that live by media requests alone.

use streamgate_values::stream_key::StreamKey;

use super::{Account, account_under, over, plays, streams};
use crate::activity::Liveness;
use crate::testing::{TIMEOUT_MS, test};
use crate::{OnConflict, Unknown, Verdict};

fn account() -> Account {
    account_under(vec![streams(1, OnConflict::DenyNew)])
}

/// A media request on a path that says `liveness: media`.
fn media(account: &mut Account, stream: StreamKey) -> Verdict {
    account.wants_to_play(stream, Unknown::Starts, |play| {
        play.liveness = Liveness::Media;
    })
}

#[test]
fn until_its_first_such_request_a_stream_lives_by_heartbeats() {
    let mut account = account();
    let stream = account.starts("app");
    for _ in 0..3 {
        account.later(TIMEOUT_MS - 1);
        plays(account.heartbeat(stream));
    }
    assert_eq!(account.live(), [stream]);
}

#[test]
fn from_then_on_heartbeats_are_answered_and_keep_nothing_alive() {
    let mut account = account();
    let stream = account.starts("app");
    let lapses_at = plays(media(&mut account, stream)).lapses_at;
    for _ in 0..2 {
        account.later(TIMEOUT_MS / 2 - 1);
        assert_eq!(plays(account.heartbeat(stream)).lapses_at, lapses_at);
    }
    account.later(2);
    assert_eq!(account.now, lapses_at);
    over(account.heartbeat(stream));
    assert_eq!(account.live(), []);
}

#[test]
fn media_keeps_it_alive_wherever_it_is_requested() {
    let mut account = account();
    let stream = account.mint("app");
    plays(media(&mut account, stream));
    for request in [media, Account::media, media] {
        account.later(TIMEOUT_MS - 1);
        let lapses_at = plays(request(&mut account, stream)).lapses_at;
        assert_eq!(lapses_at, account.now.plus_ms(TIMEOUT_MS));
    }
    // A request on an ordinary path makes it live by heartbeats no more than before.
    account.later(TIMEOUT_MS - 1);
    plays(account.heartbeat(stream));
    account.later(1);
    assert_eq!(account.live(), []);
}

#[test]
fn that_a_stream_lives_by_media_now_is_worth_a_write() {
    let mut account = account();
    let stream = account.starts("app");
    for expected in [true, false] {
        let judgement = account.judgement(|book| {
            let mut play = crate::testing::play(book, "app", stream, Unknown::Starts);
            play.renew_below_ms = 0;
            play.liveness = Liveness::Media;
            crate::Event::Play(play)
        });
        assert_eq!(judgement.changed, expected);
    }
}

#[test]
fn what_a_heartbeat_says_of_it_is_recorded_all_the_same() {
    let mut account = account();
    let stream = account.starts("app");
    plays(media(&mut account, stream));
    plays(account.heartbeat_with(stream, &[("channel", "News 1")]));
    let recorded = account.activity.stream(&stream).unwrap();
    assert_eq!(recorded.attributes.value("channel"), Some("News 1"));
    assert_eq!(recorded.liveness, Liveness::Media);
}
