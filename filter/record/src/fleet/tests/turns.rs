//! When signs of life are told, and the feed read.

use super::*;
use crate::testing::test;

#[test]
fn signs_of_life_of_all_shards_take_one_call_in_a_tick() {
    let mut worker = Worker::acquainted();
    let all: Vec<_> = (0..8)
        .flat_map(|shard| (0..20).map(move |n| subject(shard, n)))
        .collect();
    all.iter().for_each(|of| worker.plays(*of));
    all.iter().for_each(|of| worker.lives_on(*of));
    assert!(worker.calls().is_empty(), "nobody waits");
    for _ in 0..8 {
        let calls = worker.tick();
        assert_eq!(calls.len(), 1);
        assert_eq!(swaps(&calls[0]).len(), 20);
        let said = answer(&calls[0], &vec![done(); 20]);
        worker.hears(&calls[0], Ok(&said));
    }
    assert!(worker.tick().is_empty());
    assert_eq!(worker.host.count(Metric::FleetRefreshes), 160);
}

/// With a timeout of 90 s, all 8 shards have their turn in 10 s. The feed is due every 5 s.
#[test]
fn feed_are_read_with_the_signs_of_life_and_alone_only_where_there_are_none() {
    let mut worker = Worker::acquainted();
    let all: Vec<_> = (0..8).map(|shard| subject(shard, 1)).collect();
    all.iter().for_each(|of| worker.plays(*of));
    let calls_in_512_ticks = |worker: &mut Worker, plays: bool| {
        let mut made = 0;
        for tick in 0..512 {
            // One shard after the other, each of them every 6.4 s.
            if plays && tick % 8 == 0 {
                worker.lives_on(all[tick / 8 % 8]);
            }
            for call in worker.tick() {
                made += 1;
                let told = vec![done(); swaps(&call).len()];
                let said = answer(&call, &told);
                worker.hears(&call, Ok(&said));
            }
        }
        made
    };
    // Turns and the feed fall into step first.
    let _ = calls_in_512_ticks(&mut worker, true);
    let made = calls_in_512_ticks(&mut worker, true);
    assert_eq!(made, 64, "one for each sign of life");
    let alone = calls_in_512_ticks(&mut worker, false);
    assert!((8 * 6..=8 * 7).contains(&alone), "{alone}: every 7.5 s");
}

#[test]
fn what_another_worker_has_read_just_now_makes_no_call_of_its_own() {
    let mut worker = Worker::acquainted();
    let all: Vec<_> = (0..8).map(|shard| subject(shard, 1)).collect();
    all.iter().for_each(|of| worker.plays(*of));
    worker.host.advance_ms(5_000);
    for shard in 0..SHARDS {
        let turn = super::super::feed::claim(&worker.host, shard, 5_000, worker.host.now());
        assert!(turn.cursor.is_some());
    }
    // What this worker knows itself is older than three quarters of the time.
    worker.host.advance_ms(2_500);
    all.iter().for_each(|of| worker.lives_on(*of));
    worker.fleet.next_patient = 4;
    for _ in 0..8 {
        let calls = worker.tick();
        assert_eq!(calls.len(), 1, "a shard has its turn");
        let said = answer(&calls[0], &[done()]);
        worker.hears(&calls[0], Ok(&said));
    }
}

#[test]
fn what_one_worker_has_heard_of_a_shard_the_others_know() {
    let mut worker = Worker::acquainted();
    for ticks in [0, 1] {
        worker.fleet = Fleet::new(settings());
        for _ in 0..ticks {
            assert!(worker.tick().is_empty(), "nothing is asked twice");
        }
        worker.asks(subject(1, 1), 7);
        assert_eq!(swaps(&worker.call())[0][6], SINCE.to_bytes());
    }
}

#[test]
fn a_shard_of_which_more_is_to_be_told_than_fits_into_a_call_has_its_turn_more_often() {
    let settings = Settings {
        shortest_timeout_ms: 900,
        shards: NonZeroU32::MIN.saturating_add(1),
        ..settings()
    };
    // Within a ninth of the timeout, which is one tick, all that waits has to be told.
    let fleet = |subjects: u16| {
        let mut fleet = Fleet::new(settings.clone());
        for n in 0..subjects {
            let mut bytes = [0; 16];
            bytes[14..].copy_from_slice(&n.to_be_bytes());
            fleet.flush(SubjectKey::from_bytes(bytes), false);
        }
        fleet
    };
    for (subjects, calls) in [(0, 1), (1, 1), (512, 1), (513, 2), (1025, 3)] {
        assert_eq!(
            {
                let fleet = fleet(subjects);
                fleet.patient_a_tick()
            },
            calls,
            "{subjects}"
        );
    }
}

#[test]
fn a_sign_of_life_that_was_told_and_got_lost_is_told_again() {
    let mut worker = Worker::acquainted();
    let alice = subject(1, 1);
    worker.plays(alice);
    worker.lives_on(alice);
    let call = worker.tick().remove(0);
    worker.hears(&call, Err(CallFailure));
    worker.host.advance_ms(1_000);
    let again = worker.tick().remove(0);
    let [first, second] = [&call, &again].map(|call| swaps(call)[0].clone());
    assert_eq!(
        second[6],
        first[7][..8],
        "it goes by what may have been written"
    );
    assert_eq!(second[7][8..], first[7][8..]);
}

#[test]
fn whoever_was_overtaken_comes_first_at_the_next_tick() {
    let mut worker = Worker::acquainted();
    let (alice, others) = (subject(1, 1), [subject(1, 2), subject(2, 3)]);
    for of in [alice, others[0], others[1]] {
        worker.plays(of);
    }
    worker.lives_on(alice);
    let call = worker.tick().remove(0);
    let now = worker.host.now();
    let mut elsewhere = activity(&worker.host, &worker.records, &alice, now);
    elsewhere.streams[0].lapses_at = NOW.plus_ms(TIMEOUT_MS);
    elsewhere.streams.push(stream(9, NOW));
    let said = answer(&call, &[another(&elsewhere)]);
    worker.hears(&call, Ok(&said));
    assert_eq!(worker.live(&alice), 2);
    others.iter().for_each(|of| worker.lives_on(*of));
    let again = worker.tick().remove(0);
    let swap = &swaps(&again)[..];
    assert_eq!(swap.len(), 1, "alone");
    assert_eq!(swap[0][6], b"elsewher");
}

#[test]
fn feed_of_a_stream_that_was_ended_elsewhere_are_looked_into_and_silence_it() {
    let mut worker = Worker::acquainted();
    let alice = subject(1, 1);
    worker.plays(alice);
    let group = worker.records.group_of(&alice);
    let before = crate::ports::Store::generation(&worker.host, group);
    worker.host.advance_ms(7_000);
    // One shard in a tick: each has its turn well within the time.
    let mut calls = (0..8)
        .flat_map(|_| worker.tick())
        .collect::<Vec<_>>()
        .into_iter();
    let call = &calls
        .find(|call| call.shard == "shard-1")
        .expect("news are due");
    // Of the other one nothing is known here.
    let said = answer_with_feed(call, &[alice, subject(1, 2)], &[]);
    worker.hears(call, Ok(&said));
    let look = worker.calls();
    let look = look.iter().find(|call| call.shard == "shard-1").unwrap();
    assert_eq!(swaps(look).len(), 1);
    let mut ended = copy::read(&worker.host, &worker.records, &alice, worker.host.now()).activity;
    let key = ended.streams[0].key;
    ended.end(
        &key,
        streamgate_policy::activity::EndReason::Stopped,
        worker.host.now(),
    );
    let said = answer(look, &[another(&ended)]);
    worker.hears(look, Ok(&said));
    assert_eq!(worker.live(&alice), 0);
    assert_ne!(crate::ports::Store::generation(&worker.host, group), before);
    assert_eq!(worker.host.count(Metric::FleetEvictionsRead), 2);
}

#[test]
fn an_end_is_told_to_the_other_edges_with_the_write() {
    let mut worker = Worker::with(settings(), 1, OnConflict::StopOldest);
    worker.gets_acquainted();
    let alice = subject(1, 1);
    worker.plays(alice);
    worker.asks(alice, 2);
    let call = worker.call();
    let swap = &swaps(&call)[0];
    assert_eq!(swap[9], alice.as_bytes());
    let said = answer(&call, &[done()]);
    worker.hears(&call, Ok(&said));
    assert_eq!(worker.live(&alice), 1);
    assert_eq!(worker.host.count(Metric::Evictions), 1);
}
