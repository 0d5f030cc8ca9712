//! Time that is set back while streams play: the clock of a fleet's store was.

use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use super::{Account, account_under, conflict, from_outside, over, plays, streams};
use crate::activity::{ENDED_KEPT_MS, EndReason};
use crate::sharing::{Clients, SeenClient};
use crate::testing::{TIMEOUT_MS, play, test};
use crate::{Event, OnConflict, Unknown, Verdict};

const JUMPS_MS: [u64; 5] = [5_000, 30_000, 120_000, 3_600_000, 3 * 86_400_000];

fn one_at_a_time() -> Account {
    let mut account = account_under(vec![streams(1, OnConflict::DenyNew)]);
    account.book.longest_timeout_ms = TIMEOUT_MS;
    account
}

impl Account {
    fn is_set_back(&mut self, ms: u64) {
        self.now = Moment::from_ms(self.now.as_ms() - ms);
    }
}

#[test]
fn no_silent_stream_outlives_two_timeouts_and_none_goes_at_once() {
    for jump in JUMPS_MS {
        let mut account = one_at_a_time();
        account.starts("app");
        account.is_set_back(jump);
        let set = account.now;
        let newcomer = account.mint("app");
        while account.now.ms_since(set) < TIMEOUT_MS - 2_000 {
            conflict(account.wants_to_play(newcomer, Unknown::IsNew, |_| {}));
            account.later(1_000);
        }
        account.now = set.plus_ms(2 * TIMEOUT_MS);
        account.starts("app");
    }
}

#[test]
fn who_plays_goes_on() {
    for jump in JUMPS_MS {
        let mut account = one_at_a_time();
        let stream = account.starts("app");
        account.is_set_back(jump);
        for _ in 0..5 {
            account.later(TIMEOUT_MS / 3);
            assert!(!plays(account.heartbeat(stream)).started);
        }
        let lapses_at = account.activity.streams[0].lapses_at;
        assert!(lapses_at <= account.now.plus_ms(2 * TIMEOUT_MS));
    }
}

#[test]
fn who_started_before_is_older_than_who_starts_now() {
    for jump in JUMPS_MS {
        let mut account = account_under(vec![streams(2, OnConflict::StopOldest)]);
        account.book.longest_timeout_ms = TIMEOUT_MS;
        let mut started = Vec::new();
        for n in 0..5 {
            if n == 2 {
                account.is_set_back(jump);
            }
            started.push(account.starts("app"));
            // Whoever plays goes on, and the oldest have gone.
            let plays = |stream: &&StreamKey| account.activity.stream(stream).is_some();
            let playing: Vec<_> = started.iter().filter(plays).copied().collect();
            assert_eq!(
                playing,
                started[started.len().saturating_sub(2)..],
                "{jump} {n}"
            );
            account.later(100);
        }
    }
}

#[test]
fn what_lives_by_its_players_buffer_keeps_it() {
    let mut account = one_at_a_time();
    let stream = account.mint("app");
    plays(account.wants_to_play(stream, Unknown::IsNew, |play| play.buffer_ms = 300_000));
    account.is_set_back(60_000);
    account.later(60_000 + TIMEOUT_MS + 290_000);
    conflict(account.start("app").1);
}

/// What others may buffer, or it had buffered itself at an earlier request, holds nobody's place.
#[test]
fn only_what_its_player_said_last_stretches_the_bound() {
    for jump in JUMPS_MS {
        for said_last_ms in [0, 999, 20_001] {
            let mut account = one_at_a_time();
            let stream = account.mint("app");
            for buffer_ms in [300_000, said_last_ms] {
                account.later(300_000 + TIMEOUT_MS / 2);
                plays(account.wants_to_play(stream, Unknown::IsNew, |play| {
                    play.buffer_ms = buffer_ms;
                }));
            }
            account.is_set_back(jump);
            let set = account.now;
            let newcomer = account.mint("app");
            let mut waits_ms = 0;
            while matches!(
                account.wants_to_play(newcomer, Unknown::IsNew, |_| {}),
                Verdict::Refused(_)
            ) {
                account.later(1_000);
                waits_ms = account.now.ms_since(set);
            }
            assert!(
                waits_ms >= said_last_ms,
                "{jump} {said_last_ms}: {waits_ms}"
            );
            let most_ms = 2 * TIMEOUT_MS + said_last_ms + 2_000;
            assert!(waits_ms <= most_ms, "{jump} {said_last_ms}: {waits_ms}");
        }
    }
}

#[test]
fn an_end_forgotten_before_does_not_end_what_is_issued_now() {
    for jump in JUMPS_MS {
        let mut account = one_at_a_time();
        account.activity.watermark = account.now;
        account.is_set_back(jump);
        let stream = account.mint("app");
        assert!(plays(account.media(stream)).started, "{jump}");
        // What is too old to be remembered otherwise stays over.
        account.stop(stream);
        let old = StreamKey::mint(
            Moment::from_ms(account.now.as_ms() - ENDED_KEPT_MS - 2_000),
            [9; StreamKey::RANDOM_LEN],
        );
        account.minted.insert(old, "app".to_owned());
        over(account.media(old));
    }
}

#[test]
fn an_id_that_names_a_device_is_held_for_two_timeouts_at_most() {
    for jump in JUMPS_MS {
        let mut account = one_at_a_time();
        let device = from_outside(&mut account, 7);
        let media = |account: &mut Account| {
            account.wants_to_play(device, Unknown::Starts, |play| play.recurring = true)
        };
        plays(media(&mut account));
        account
            .activity
            .end(&device, EndReason::Stopped, account.now);
        account.is_set_back(jump);
        let set = account.now;
        while matches!(media(&mut account), Verdict::Refused(_)) {
            account.later(1_000);
        }
        assert!(account.now <= set.plus_ms(2 * TIMEOUT_MS), "{jump}");
    }
}

#[test]
fn a_network_of_before_is_not_in_the_way_for_longer() {
    let mut account = one_at_a_time();
    let stream = account.starts("app");
    let seen = SeenClient {
        mark: [1; 8],
        since: account.now,
        until: account.now.plus_ms(TIMEOUT_MS),
    };
    account.activity.streams[0].clients = Clients::new(vec![seen], vec![]);
    account.is_set_back(3_600_000);
    plays(account.heartbeat(stream));
    assert!(account.activity.streams[0].clients.is_empty());
}

#[test]
fn an_id_from_the_future_comes_back_after_a_restart_and_ends_nothing_but_itself() {
    for jump in JUMPS_MS {
        let mut account = one_at_a_time();
        let early = account.starts("app");
        account.is_set_back(jump);
        account.restart();
        let judgement =
            account.judgement(|book| Event::Play(play(book, "app", early, Unknown::IsOver)));
        plays(judgement.verdict);
        assert!(account.activity.streams[0].started_at <= account.now);
        assert_eq!(account.stop(early), Verdict::Stopped);
        account.later(ENDED_KEPT_MS);
        account.activity.prune(account.now);
        let next = account.mint("app");
        plays(account.media(next));
    }
}
