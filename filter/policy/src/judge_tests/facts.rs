//! What a playback request says of its stream is a fact, and changes as it does.

use streamgate_values::attributes::IMMUTABLE;
use streamgate_values::stream_key::StreamKey;

use super::{Account, account_under, conflict, distinct, evicted, keys, per, plays, streams};
use crate::testing::{play, test};
use crate::{Event, OnConflict, Rule, Unknown, Verdict};

const FEED: [(&str, &str); 1] = [("channel", "News")];
const SPORT: [(&str, &str); 1] = [("channel", "Sport")];
const FILM: [(&str, &str); 1] = [("channel", "Film")];

/// One stream per channel; the older one watches the news, the other one sports.
fn one_per_channel(on_conflict: OnConflict) -> (Account, [StreamKey; 2]) {
    let rule = per(&["channel"], streams(1, on_conflict));
    let mut account = account_under(vec![rule]);
    let [viewer, other] = [account.mint("app"), account.mint("app")];
    plays(account.media_with(viewer, &FEED));
    plays(account.media_with(other, &SPORT));
    (account, [viewer, other])
}

#[test]
fn also_what_an_application_may_not_change() {
    for name in IMMUTABLE {
        let mut account = account_under(vec![streams(5, OnConflict::DenyNew)]);
        let stream = account.starts_with("app", &[(name, "first")]);
        plays(account.media_with(stream, &[(name, "second")]));
        let recorded = account.activity.stream(&stream).unwrap();
        assert_eq!(recorded.attributes.value(name), Some("second"));
    }
}

#[test]
fn a_change_is_written_though_the_stream_has_long_to_live() {
    let (mut account, [viewer, _]) = one_per_channel(OnConflict::DenyNew);
    for (channel, expected) in [("News", false), ("Film", true), ("Film", false)] {
        let judgement = account.judgement(|book| {
            let mut play = play(book, "app", viewer, Unknown::Starts);
            play.renew_below_ms = 0;
            play.attributes.set("channel", channel);
            Event::Play(play)
        });
        assert_eq!(judgement.changed, expected, "{channel}");
    }
}

#[test]
fn a_player_that_zaps_leaves_its_place_to_others() {
    let (mut account, [viewer, other]) = one_per_channel(OnConflict::DenyNew);
    plays(account.media_with(viewer, &FILM));
    let third = account.mint("app");
    plays(account.media_with(third, &FEED));
    assert_eq!(account.live(), [viewer, other, third]);
}

#[test]
fn under_stop_oldest_it_is_the_newcomer_where_it_zaps_to() {
    let (mut account, [viewer, other]) = one_per_channel(OnConflict::StopOldest);
    assert_eq!(plays(account.media_with(viewer, &SPORT)).evicted, 1);
    evicted(account.media_with(other, &SPORT));
    assert_eq!(account.live(), [viewer]);
}

#[test]
fn who_zaps_to_a_full_channel_is_told_so_and_may_go_on_with_another() {
    for zap in [FILM, FEED] {
        let (mut account, [viewer, other]) = one_per_channel(OnConflict::DenyNew);
        for _ in 0..2 {
            let breaches = conflict(account.media_with(viewer, &SPORT));
            assert_eq!(keys(&breaches[0].conflicts), [other]);
            assert_eq!(account.live(), [other]);
        }
        account.later(1);
        assert!(plays(account.media_with(viewer, &zap)).started);
        let back = account.activity.stream(&viewer).unwrap();
        assert_eq!(back.started_at, account.now);
        assert_eq!(account.live(), [other, viewer]);
    }
}

#[test]
fn no_watermark_keeps_it_from_going_on() {
    let (mut account, [viewer, _]) = one_per_channel(OnConflict::DenyNew);
    conflict(account.media_with(viewer, &SPORT));
    account.watermark = account.now;
    plays(account.media_with(viewer, &FILM));
}

#[test]
fn its_old_place_is_free_and_whoever_takes_it_keeps_it() {
    let (mut account, [viewer, other]) = one_per_channel(OnConflict::DenyNew);
    conflict(account.media_with(viewer, &SPORT));
    let third = account.mint("app");
    plays(account.media_with(third, &FEED));
    let breaches = conflict(account.media_with(viewer, &FEED));
    assert_eq!(keys(&breaches[0].conflicts), [third]);
    assert_eq!(account.live(), [other, third]);
}

#[test]
fn the_place_it_lost_is_counted() {
    let (mut account, [viewer, _]) = one_per_channel(OnConflict::DenyNew);
    let judgement = account.judgement(|book| {
        let mut play = play(book, "app", viewer, Unknown::Starts);
        play.attributes.set("channel", "Sport");
        Event::Play(play)
    });
    conflict(judgement.verdict);
    assert!(judgement.changed && judgement.silenced);
    assert_eq!(judgement.evicted, 1);
}

#[test]
fn who_would_have_lost_its_place_anyway_is_evicted_zapping_or_not() {
    let (mut account, [viewer, other]) = one_per_channel(OnConflict::DenyNew);
    let rules = vec![
        per(&["channel"], streams(1, OnConflict::DenyNew)),
        Rule {
            name: "all".to_owned(),
            ..streams(1, OnConflict::DenyNew)
        },
    ];
    account.book = super::book_of(rules);
    conflict(account.media_with(other, &FEED));
    evicted(account.media_with(other, &FILM));
    assert_eq!(account.live(), [viewer]);
}

#[test]
fn a_heartbeat_that_says_so_is_no_zapping_but_a_breach() {
    let rule = per(&["deviceType"], streams(1, OnConflict::DenyNew));
    let mut account = account_under(vec![rule]);
    let mover = account.starts_with("app", &[("deviceType", "phone")]);
    account.starts_with("app", &[("deviceType", "tv")]);
    conflict(account.heartbeat_with(mover, &[("deviceType", "tv")]));
    evicted(account.heartbeat_with(mover, &[("deviceType", "phone")]));
}

#[test]
fn streams_that_count_as_one_do_not_go_with_the_one_that_zaps() {
    let mut account = account_under(vec![distinct("channel", 2, OnConflict::DenyNew)]);
    let all = [(); 3].map(|()| account.mint("app"));
    for (stream, channel) in all.into_iter().zip([FEED, FEED, SPORT]) {
        plays(account.media_with(stream, &channel));
    }
    conflict(account.media_with(all[0], &FILM));
    assert_eq!(account.live(), all[1..]);
    assert!(matches!(
        account.media_with(all[0], &SPORT),
        Verdict::Plays(_)
    ));
}
