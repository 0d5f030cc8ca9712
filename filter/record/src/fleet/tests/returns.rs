//! A store that is back, or has lost its memory, is told soon of what plays.

use super::*;
use crate::testing::test;

const SINCE_NOW: Moment = NOW.plus_ms(60_000);

/// The answer of a store that began to remember only at `since`.
fn answer_since(since: Moment, call: &StoreCall, told: &[Vec<u8>]) -> Vec<u8> {
    let mut said = answer(call, told);
    let at = said.windows(6).position(|bytes| bytes == SINCE.to_bytes());
    let at = at.unwrap();
    said[at..at + 6].copy_from_slice(&since.to_bytes());
    said
}

/// The shards that calls are about.
fn shards(calls: &[StoreCall]) -> Vec<&str> {
    calls.iter().map(|call| call.shard.as_str()).collect()
}

fn refusing(on_outage: OnOutage) -> Worker {
    let settings = Settings {
        on_outage,
        ..settings()
    };
    let mut worker = Worker::with(settings, 3, OnConflict::DenyNew);
    worker.gets_acquainted();
    worker
}

/// The shard's calls fail until it is out, and then one is answered.
fn goes_out_and_comes_back(worker: &mut Worker, of: SubjectKey, failures: usize) {
    worker.asks(of, 1);
    let call = worker.call();
    worker.hears(&call, Err(CallFailure));
    let again = worker.call();
    worker.hears(&again, Err(CallFailure));
    assert!(!worker.fleet.is_up(&of));
    let _ = worker.verdicts();
    let mut probes = worker.tick();
    for _ in 0..=failures {
        for probe in &probes {
            worker.hears(probe, Err(CallFailure));
        }
        probes.clear();
        while probes.is_empty() {
            probes = worker.tick();
        }
    }
    let told = vec![done(); swaps(&probes[0]).len()];
    let said = answer(&probes[0], &told);
    worker.hears(&probes[0], Ok(&said));
}

#[test]
fn where_starts_are_refused_in_an_outage_they_are_until_all_edges_have_heard_of_the_return() {
    let alice = subject(1, 1);
    for (on_outage, waits) in [(OnOutage::Refuse, true), (OnOutage::Admit, false)] {
        let mut worker = refusing(on_outage);
        goes_out_and_comes_back(&mut worker, alice, 0);
        assert_eq!(worker.fleet.is_up(&alice), !waits);
        assert!(worker.fleet.is_up(&subject(2, 1)));
        assert_eq!(worker.fleet.shards_down(), 0, "it answers");
        for _ in 0..10 {
            for call in worker.tick() {
                let said = answer(&call, &[]);
                worker.hears(&call, Ok(&said));
            }
        }
        assert!(worker.fleet.is_up(&alice));
    }
}

/// After an outage an answer brings along few at first.
#[test]
fn what_waits_in_line_goes_out_with_each_tick_once_the_store_is_back() {
    let mut worker = Worker::acquainted();
    let all: Vec<_> = (1..=20).map(|n| subject(1, n)).collect();
    for of in &all {
        worker.plays(*of);
    }
    for of in &all {
        worker.lives_on(*of);
    }
    goes_out_and_comes_back(&mut worker, subject(1, 99), 12);
    let mut told = 0;
    for _ in 0..6 {
        for call in worker.tick() {
            if call.shard == "shard-1" {
                let count = swaps(&call).len();
                let said = answer(&call, &vec![done(); count]);
                worker.hears(&call, Ok(&said));
                told += count;
            }
        }
    }
    // The probe told of one.
    assert_eq!(told, 19);
}

#[test]
fn a_store_that_lost_its_memory_is_told_again_of_all_that_plays_here() {
    let mut worker = Worker::acquainted();
    let here = [subject(1, 1), subject(2, 2)];
    for of in here {
        worker.plays(of);
    }
    // Whoever asks hears of it first; shards that nobody asks about are asked, too.
    worker.asks(subject(1, 3), 7);
    let call = worker.call();
    let said = answer_since(SINCE_NOW, &call, &[done()]);
    worker.hears(&call, Ok(&said));
    let mut told = Vec::new();
    for _ in 0..40 {
        let calls = worker.tick();
        for call in &calls {
            told.extend(swaps(call).into_iter().map(|swap| swap[3].clone()));
            let count = swaps(call).len();
            let said = answer_since(SINCE_NOW, call, &vec![done(); count]);
            worker.hears(call, Ok(&said));
        }
        assert!(shards(&calls).len() <= SHARDS as usize);
    }
    for of in here {
        let is_it = |key: &&Vec<u8>| key.ends_with(of.as_bytes());
        // Again where the round through the copies began again meanwhile.
        let times = told.iter().filter(is_it).count();
        assert!((1..=2).contains(&times), "{of}: {times}");
    }
}

/// One that is told, too, where it had never been asked.
#[test]
fn a_store_that_is_met_has_lost_nothing() {
    let mut worker = Worker::acquainted();
    worker.plays(subject(1, 1));
    for _ in 0..30 {
        for call in worker.tick() {
            assert!(swaps(&call).is_empty(), "{call:?}");
            let said = answer(&call, &[]);
            worker.hears(&call, Ok(&said));
        }
    }
}

/// A start elsewhere that the store admitted without knowing of what plays here.
fn newcomer_elsewhere() -> Activity {
    Activity {
        streams: vec![stream(9, NOW)],
        ..Activity::default()
    }
}

#[test]
fn who_tells_the_store_of_streams_beside_those_it_knows_has_the_other_edges_look() {
    let mut worker = Worker::acquainted();
    let alice = subject(1, 1);
    worker.plays(alice);
    worker.lives_on(alice);
    let mut feeds = Vec::new();
    for (n, told) in [another(&newcomer_elsewhere()), done()].iter().enumerate() {
        let mut calls = worker.calls();
        while calls.is_empty() {
            calls = worker.tick();
        }
        let call = &calls[0];
        feeds.extend(swaps(call).into_iter().map(|swap| !swap[9].is_empty()));
        let said = answer(call, std::slice::from_ref(told));
        worker.hears(call, Ok(&said));
        assert_eq!(worker.live(&alice), 1 + usize::from(n < 2));
    }
    assert_eq!(feeds, [false, true]);
}

/// They are looked at again, whatever was allowed by a lease.
#[test]
fn streams_that_turn_up_beside_those_that_play_here_bump_the_generation() {
    let mut worker = Worker::acquainted();
    let alice = subject(1, 1);
    worker.plays(alice);
    let group = worker.records.group_of(&alice);
    let take_over = |record: &Activity| {
        use crate::ports::Store;
        let before = worker.host.generation(group);
        let write = Some(crate::WriteId(*b"elsewher"));
        let now = worker.host.now();
        let taken = copy::take_over(&worker.host, &worker.records, &alice, record, write, now);
        let _ = taken.unwrap();
        worker.host.generation(group) != before
    };
    assert!(take_over(&newcomer_elsewhere()));
    // Which is known by now.
    assert!(!take_over(&newcomer_elsewhere()));
}

/// Two workers of one edge; one has nothing to say to a shard for a while.
#[test]
fn a_loss_of_memory_that_another_worker_heard_of_long_ago_is_no_reason_to_hurry() {
    let told_ms = TIMEOUT_MS / 9;
    for (later_ms, hurries) in [(1_000, true), (told_ms, false), (30_000, false)] {
        let mut worker = Worker::acquainted();
        let mut other = Fleet::new(settings());
        core::mem::swap(&mut worker.fleet, &mut other);
        worker.gets_acquainted();
        worker
            .host
            .advance_ms(60_000 - worker.host.now().ms_since(NOW));
        // One of them hears of it with the feed, which it reads.
        let reads = |worker: &mut Worker| {
            let of_first = |call: &StoreCall| call.shard == "shard-1" && reads_feed(call);
            let mut calls = worker.tick();
            calls.extend((0..20).flat_map(|_| worker.tick()));
            for call in &calls {
                let since = if call.shard == "shard-1" {
                    SINCE_NOW
                } else {
                    SINCE
                };
                let told = vec![done(); swaps(call).len()];
                let said = answer_since(since, call, &told);
                worker.hears(call, Ok(&said));
            }
            calls.iter().any(of_first)
        };
        assert!(reads(&mut worker));
        core::mem::swap(&mut worker.fleet, &mut other);
        worker.host.advance_ms(later_ms);
        worker.asks(subject(1, 1), 1);
        let call = worker.call();
        let said = answer_since(SINCE_NOW, &call, &[done()]);
        worker.hears(&call, Ok(&said));
        let shards_called = worker.tick().len();
        assert_eq!(shards_called > 3, hurries, "{later_ms}: {shards_called}");
    }
}

impl Worker {
    /// These shards have begun anew, the others have not: which subjects are told again of.
    fn told_again_after_a_loss(&mut self, lost: &[&str], ticks: usize) -> Vec<Vec<u8>> {
        let mut told = Vec::new();
        for _ in 0..ticks {
            for call in self.tick() {
                let swaps = swaps(&call);
                told.extend(
                    swaps
                        .iter()
                        .map(|swap| swap[3][swap[3].len() - 16..].to_vec()),
                );
                let done = vec![done(); swaps.len()];
                let said = match lost.contains(&call.shard.as_str()) {
                    true => answer_since(SINCE_NOW, &call, &done),
                    false => answer(&call, &done),
                };
                self.hears(&call, Ok(&said));
            }
        }
        told
    }
}

#[test]
fn a_shard_that_has_lost_nothing_is_told_nothing_again() {
    let mut worker = Worker::acquainted();
    let [here, there] = [subject(1, 1), subject(2, 2)];
    worker.plays(here);
    worker.plays(there);
    let is_told = |told: &[Vec<u8>], of: SubjectKey| told.iter().any(|it| it == of.as_bytes());
    let told = worker.told_again_after_a_loss(&["shard-1"], 200);
    assert!(is_told(&told, here) && !is_told(&told, there));
    // Nor is one that was told already.
    let told = worker.told_again_after_a_loss(&["shard-1", "shard-2"], 200);
    assert!(is_told(&told, there) && !is_told(&told, here));
}

/// In an eighteenth of the timeout, and not all at once.
#[test]
fn copies_are_told_again_soon_and_little_by_little() {
    let mut worker = Worker::acquainted();
    worker.records.slots = NonZeroU32::new(1_000).unwrap();
    let all: Vec<_> = (1..=40).map(|n| subject(1, n)).collect();
    for of in &all {
        worker.plays(*of);
    }
    let mut told = Vec::new();
    let mut most = 0;
    let mut ticks = 0;
    while told.len() < all.len() && ticks < 200 {
        let now = worker.told_again_after_a_loss(&["shard-1"], 1);
        ticks += usize::from(!told.is_empty());
        most = most.max(now.len());
        told.extend(now);
    }
    assert!(ticks <= 60, "{ticks}");
    assert!(most < all.len(), "{most}");
}

/// After an outage an answer brings along few at first: the probe one, the next two, and so on.
#[test]
fn a_store_that_is_back_is_told_with_each_tick_though_others_wait_for_their_turn() {
    let mut worker = Worker::acquainted();
    let here: Vec<_> = (1..=8).map(|n| subject(1, n)).collect();
    let elsewhere: Vec<_> = (2..8).map(|shard| subject(shard, 1)).collect();
    for of in here.iter().chain(&elsewhere) {
        worker.plays(*of);
    }
    for of in &here {
        worker.lives_on(*of);
    }
    goes_out_and_comes_back(&mut worker, subject(1, 99), 12);
    let mut told = 0;
    for _ in 0..3 {
        elsewhere.iter().for_each(|of| worker.lives_on(*of));
        for call in worker.tick() {
            let count = swaps(&call).len();
            let said = answer(&call, &vec![done(); count]);
            worker.hears(&call, Ok(&said));
            told += if call.shard == "shard-1" { count } else { 0 };
        }
    }
    assert_eq!(told, 7);
}
