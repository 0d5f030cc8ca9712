//! Envoy restarts and the record is lost: signed ids bring live streams back.

use streamgate_values::stream_key::StreamKey;

use super::{Account, conflict, evicted, over, plays};
use crate::testing::{TIMEOUT_MS, book, key, limit, test};
use crate::{OnConflict, Verdict};

const BOTH: [OnConflict; 2] = [OnConflict::DenyNew, OnConflict::StopOldest];

/// Two streams play, as many as may; then Envoy restarts.
fn restarted(on_conflict: OnConflict) -> (Account, [StreamKey; 2]) {
    let policies = vec![limit("P", 2, on_conflict)];
    let mut account = Account::new(book(policies, &[("app", &["P"])]));
    let streams = [account.starts("app"), account.starts("app")];
    account.later(10_000);
    account.restart();
    (account, streams)
}

#[test]
fn streams_come_back_within_one_timeout_with_the_age_they_had() {
    for on_conflict in BOTH {
        let (mut account, streams) = restarted(on_conflict);
        assert!(plays(account.heartbeat(streams[1])).started);
        account.later(TIMEOUT_MS);
        let restarted_at = account.memory_since;
        assert_eq!(account.now, restarted_at.plus_ms(TIMEOUT_MS));
        // The other one waits to the very last moment.
        plays(account.media(streams[0]));
        let back = account.activity.stream(&streams[0]).unwrap();
        assert_eq!(back.started_at, streams[0].issued_at().unwrap());
    }
}

#[test]
fn streams_do_not_come_back_later_than_that() {
    for on_conflict in BOTH {
        let (mut account, streams) = restarted(on_conflict);
        account.later(TIMEOUT_MS + 1);
        over(account.heartbeat(streams[0]));
        over(account.media(streams[1]));
        assert_eq!(account.live(), []);
    }
}

#[test]
fn all_that_played_play_on_in_whatever_order_they_come_back() {
    for on_conflict in BOTH {
        for order in [[0, 1], [1, 0]] {
            let (mut account, streams) = restarted(on_conflict);
            for n in order {
                plays(account.heartbeat(streams[n]));
            }
            assert_eq!(account.live(), streams, "{on_conflict:?} {order:?}");
        }
    }
}

#[test]
fn under_deny_new_who_comes_back_to_a_full_account_is_refused() {
    let (mut account, streams) = restarted(OnConflict::DenyNew);
    let newcomer = account.starts("app");
    plays(account.heartbeat(streams[1]));
    conflict(account.heartbeat(streams[0]));
    assert_eq!(account.live(), [streams[1], newcomer]);
    // Not ended, only refused: it was not on record. Once there is room it may play.
    assert_eq!(account.stop(newcomer), Verdict::Stopped);
    plays(account.heartbeat(streams[0]));
}

#[test]
fn under_stop_oldest_the_newest_play_in_whatever_order_they_come_back() {
    for newcomer_first in [false, true] {
        for order in [[0, 1], [1, 0]] {
            let (mut account, streams) = restarted(OnConflict::StopOldest);
            let mut newcomer = newcomer_first.then(|| account.starts("app"));
            for n in order {
                let _ = account.heartbeat(streams[n]);
            }
            let newest = *newcomer.get_or_insert_with(|| account.starts("app"));
            assert_eq!(account.live(), [streams[1], newest], "{order:?}");
        }
    }
}

#[test]
fn a_restart_does_not_let_a_victim_stay_beside_the_stream_that_took_its_place() {
    for victim_first in [false, true] {
        let policies = vec![limit("P", 1, OnConflict::StopOldest)];
        let mut account = Account::new(book(policies, &[("app", &["P"])]));
        let [victim, winner] = [account.starts("app"), account.starts("app")];
        account.later(10_000);
        account.restart();
        if victim_first {
            plays(account.heartbeat(victim));
            assert_eq!(plays(account.heartbeat(winner)).evicted, 1);
            evicted(account.heartbeat(victim));
        } else {
            plays(account.heartbeat(winner));
            conflict(account.heartbeat(victim));
        }
        assert_eq!(account.live(), [winner]);
    }
}

#[test]
fn what_is_ended_after_the_restart_stays_ended() {
    let (mut account, streams) = restarted(OnConflict::DenyNew);
    plays(account.heartbeat(streams[0]));
    assert_eq!(account.stop(streams[0]), Verdict::Stopped);
    over(account.heartbeat(streams[0]));
    over(account.media(streams[0]));
}

#[test]
fn who_lapses_after_the_restart_comes_back_only_while_it_may_have_been_lost() {
    let (mut account, streams) = restarted(OnConflict::DenyNew);
    plays(account.media(streams[0]));
    account.later(TIMEOUT_MS);
    plays(account.media(streams[0]));
    account.later(TIMEOUT_MS);
    over(account.media(streams[0]));
}

#[test]
fn an_id_from_outside_says_nothing_of_its_age_and_starts_anew() {
    let (mut account, _) = restarted(OnConflict::StopOldest);
    let external = StreamKey::external([7; 16]);
    account.minted.insert(external, "app".to_owned());
    account.later(100 * TIMEOUT_MS);
    assert!(plays(account.media(external)).started);
    account.later(TIMEOUT_MS);
    over(account.heartbeat(external));
}

#[test]
fn a_key_issued_the_moment_the_store_began_is_not_one_it_lost() {
    let (mut account, _) = restarted(OnConflict::DenyNew);
    let stream = key(1, account.memory_since);
    account.minted.insert(stream, "app".to_owned());
    over(account.heartbeat(stream));
    account.later(TIMEOUT_MS + 1);
    assert!(plays(account.media(stream)).started);
}
