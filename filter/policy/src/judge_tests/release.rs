//! A player pauses and gives its place up.

use super::{
    Account, account_under, conflict, distinct, evicted, from_outside, over, plays, streams,
};
use crate::activity::{ENDED_KEPT_MAX, Liveness};
use crate::testing::{TIMEOUT_MS, test};
use crate::{OnConflict, Refused, Unknown, Verdict};

fn account() -> Account {
    account_under(vec![streams(1, OnConflict::DenyNew)])
}

#[test]
fn the_place_is_free_at_once() {
    let mut account = account();
    let paused = account.starts("app");
    conflict(account.start("app").1);
    assert_eq!(account.release(paused), Verdict::Stopped);
    let other = account.starts("app");
    assert_eq!(account.live(), [other]);
}

#[test]
fn the_stream_may_start_again_under_its_id_and_is_judged_afresh() {
    let mut account = account();
    let outside = from_outside(&mut account, 7);
    for paused in [account.mint("app"), outside] {
        plays(account.media(paused));
        assert_eq!(account.release(paused), Verdict::Stopped);
        let other = account.starts("app");
        conflict(account.media(paused));
        assert_eq!(account.stop(other), Verdict::Stopped);
        account.later(1);
        let plays = plays(account.media(paused));
        assert!(plays.started);
        let resumed = account.activity.stream(&paused).unwrap();
        assert_eq!(resumed.started_at, account.now);
        assert_eq!(resumed.lapses_at, account.now.plus_ms(TIMEOUT_MS));
        assert_eq!(account.stop(paused), Verdict::Stopped);
    }
}

/// Where its pause and its start are compared, it has started again.
#[test]
fn it_starts_again_after_its_pause_even_at_an_edge_whose_clock_is_behind() {
    let mut account = account();
    let paused = account.starts("app");
    assert_eq!(account.release(paused), Verdict::Stopped);
    let pause = account.activity.end_of(&paused).unwrap().at;
    account.now = streamgate_values::moment::Moment::from_ms(pause.as_ms() - 1_500);
    assert!(plays(account.media(paused)).started);
    assert!(account.activity.stream(&paused).unwrap().started_at > pause);
}

#[test]
fn no_watermark_holds_it_back() {
    let mut account = account();
    let paused = account.starts("app");
    assert_eq!(account.release(paused), Verdict::Stopped);
    // Streams of neighbours that were issued later have been forgotten since.
    account.watermark = account.now.plus_ms(1);
    account.later(10 * TIMEOUT_MS);
    assert!(plays(account.media(paused)).started);
    // And nothing of its own moves it.
    for _ in 0..=ENDED_KEPT_MAX {
        assert_eq!(account.release(paused), Verdict::Stopped);
        plays(account.media(paused));
    }
    assert_eq!(account.activity.watermark.as_ms(), 0);
    assert_eq!(account.activity.ended, []);
}

#[test]
fn it_comes_back_with_what_was_known_of_it_also_where_a_session_is_required() {
    let mut account = account_under(vec![distinct("deviceId", 1, OnConflict::DenyNew)]);
    let paused = account.mint("app");
    plays(account.wants_to_play(paused, Unknown::IsNew, |play| {
        play.attributes.set("deviceId", "tv");
        play.limits.set("climit", 3);
    }));
    account.release(paused);
    let other = account.starts_with("app", &[("deviceId", "phone")]);
    let resumes = |account: &mut Account| {
        account.wants_to_play(paused, Unknown::IsOver, |play| {
            play.attributes.set("channel", "News 1");
        })
    };
    conflict(resumes(&mut account));
    account.release(other);
    plays(resumes(&mut account));
    let resumed = account.activity.stream(&paused).unwrap();
    assert_eq!(resumed.attributes.value("deviceId"), Some("tv"));
    assert_eq!(resumed.attributes.value("channel"), Some("News 1"));
    assert_eq!(resumed.limits.value("climit"), Some(3));
}

#[test]
fn a_heartbeat_resumes_it_unless_it_lives_by_media() {
    for liveness in [Liveness::Any, Liveness::Media] {
        let mut account = account();
        let paused = account.mint("app");
        plays(account.wants_to_play(paused, Unknown::Starts, |play| play.liveness = liveness));
        account.release(paused);
        let verdict = account.heartbeat(paused);
        if liveness == Liveness::Any {
            assert!(plays(verdict).started);
        } else {
            over(verdict);
            plays(account.media(paused));
        }
    }
}

#[test]
fn a_heartbeat_changes_no_immutable_attribute_by_way_of_a_pause() {
    let mut account = account();
    let paused = account.starts_with("app", &[("channel", "News 1")]);
    account.release(paused);
    let verdict = account.heartbeat_with(paused, &[("channel", "Sport")]);
    let immutable = Refused::Immutable("channel".to_owned());
    assert_eq!(verdict, Verdict::Refused(immutable));
}

#[test]
fn a_stream_of_another_application_is_not_released() {
    let mut account = account();
    let stream = account.starts("app");
    let foreign = Verdict::Refused(Refused::Foreign);
    assert_eq!(account.release_as("other", stream), foreign);
    assert_eq!(account.live(), [stream]);
}

#[test]
fn releasing_what_does_not_play_changes_nothing() {
    let mut account = account_under(vec![streams(1, OnConflict::StopOldest)]);
    let unknown = account.mint("app");
    over(account.release(unknown));
    let stopped = account.starts("app");
    account.stop(stopped);
    over(account.release(stopped));
    over(account.media(stopped));
    let victim = account.starts("app");
    account.starts("app");
    over(account.release(victim));
    evicted(account.media(victim));
}

#[test]
fn a_release_uses_up_no_calls() {
    let mut account = account();
    account.book.calls_per_minute = 0;
    let stream = account.starts("app");
    assert_eq!(account.release(stream), Verdict::Stopped);
}

#[test]
fn pausing_displaces_no_end_that_only_memory_holds() {
    let mut account = account_under(vec![streams(50, OnConflict::DenyNew)]);
    let stopped = from_outside(&mut account, 7);
    plays(account.media(stopped));
    account.stop(stopped);
    for n in 0..2 * u8::try_from(ENDED_KEPT_MAX).unwrap() {
        let paused = from_outside(&mut account, 100 + n);
        plays(account.media(paused));
        assert_eq!(account.release(paused), Verdict::Stopped);
    }
    assert_eq!(account.activity.ended.len(), ENDED_KEPT_MAX);
    over(account.media(stopped));
}
