//! What a call says, and how much.

use super::*;
use crate::WriteId;
use crate::fleet::call::SUBJECTS_A_CALL;
use crate::fleet::feed;
use crate::ports::Store;
use crate::testing::test;

/// The call's commands by name.
fn names(call: &StoreCall) -> Vec<Vec<u8>> {
    let commands = commands(call).into_iter();
    commands.map(|mut command| command.remove(0)).collect()
}

fn loads(call: &StoreCall) -> bool {
    names(call)[0] == b"SCRIPT"
}

/// What is to be said to other edges of the first subject of a call.
fn told_to_others(call: &StoreCall) -> Vec<u8> {
    swaps(call)[0][9].clone()
}

impl Worker {
    fn is_dirty(&self, of: &SubjectKey) -> bool {
        copy::read(&self.host, &self.records, of, self.host.now()).is_dirty()
    }

    fn looks(&mut self, of: SubjectKey) {
        let now = self.host.now();
        self.fleet.ask(of, Some(Ticket(5)), Question::Look, now);
    }
}

#[test]
fn a_look_brings_along_what_the_store_has_not_been_told() {
    let mut worker = Worker::acquainted();
    let alice = subject(1, 1);
    worker.plays(alice);
    assert!(!worker.is_dirty(&alice));
    worker.looks(alice);
    let call = worker.call();
    assert!(swaps(&call)[0][7].is_empty(), "nothing to write");
    let said = answer(&call, &[done()]);
    worker.hears(&call, Ok(&said));
    worker.lives_on(alice);
    assert!(worker.is_dirty(&alice));
    worker.looks(alice);
    let call = worker.call();
    assert!(!swaps(&call)[0][7].is_empty());
    assert!(told_to_others(&call).is_empty(), "nobody was ended");
    worker.hears(&call, Err(CallFailure));
    let again = worker.call();
    assert!(!swaps(&again)[0][7].is_empty());
    assert!(told_to_others(&again).is_empty());
}

#[test]
fn a_copy_of_which_the_store_is_told_is_dirty_no_longer() {
    let mut worker = Worker::acquainted();
    let alice = subject(1, 1);
    worker.plays(alice);
    worker.lives_on(alice);
    let told = (0..SHARDS).any(|_| worker.tick().iter().any(|call| !swaps(call).is_empty()));
    assert!(told);
    assert!(!worker.is_dirty(&alice));
}

#[test]
fn after_each_call_that_comes_to_nothing_the_next_is_about_half_as_many() {
    let mut worker = Worker::acquainted();
    for n in 0..100 {
        let now = worker.host.now();
        worker.fleet.ask(subject(1, n), None, Question::Look, now);
    }
    let mut call = worker.call();
    let all = swaps(&call).len();
    assert!(all > SUBJECTS_A_CALL >> 4, "{all}");
    // One that may have been too much for the proxy.
    worker.hears(&call, Err(CallFailure));
    call = worker.call();
    assert_eq!(swaps(&call).len(), all);
    // Answers that are cut.
    for _ in 0..3 {
        let said = answer(&call, &[]);
        let cut = said.len() - b"+OK\r\n".len();
        worker.hears(&call, Ok(&said[..cut]));
        let calls = worker.tick();
        let next = calls.into_iter().find(|call| call.shard == "shard-1");
        call = next.unwrap();
    }
    assert_eq!(swaps(&call).len(), SUBJECTS_A_CALL >> 4);
}

#[test]
fn a_store_that_knows_nobody_is_told_of_who_plays_and_nobody_has_to_look() {
    let mut worker = Worker::acquainted();
    let alice = subject(1, 1);
    worker.plays(alice);
    worker.lives_on(alice);
    let mut told = Vec::new();
    for _ in 0..2 * SHARDS {
        for call in worker.tick() {
            let swaps = swaps(&call);
            let nobody = vec![bulk(b""); swaps.len()];
            told.extend(swaps.into_iter().map(|swap| swap[9].clone()));
            let said = answer(&call, &nobody);
            worker.hears(&call, Ok(&said));
        }
    }
    assert!(told.len() > 1, "{told:?}");
    assert!(told.iter().all(Vec::is_empty), "{told:?}");
}

#[test]
fn leases_stay_where_the_store_has_nothing_new() {
    let mut worker = Worker::acquainted();
    let alice = subject(1, 1);
    worker.plays(alice);
    let (host, records) = (&worker.host, &worker.records);
    let group = records.group_of(&alice);
    let (before, now) = (host.generation(group), host.now());
    let known = copy::read(host, records, &alice, now).activity;
    let write = Some(WriteId(*b"elsewher"));
    copy::take_over(host, records, &alice, &known, write, now).unwrap();
    assert_eq!(host.generation(group), before);
    let mut more = known.clone();
    more.streams.push(stream(9, now));
    copy::take_over(host, records, &alice, &more, write, now).unwrap();
    assert_ne!(host.generation(group), before);
}

#[test]
fn scripts_are_brought_until_the_store_has_them() {
    let mut worker = Worker::acquainted();
    let lacks = [
        &b"-NOSCRIPT No matching script.\r\n".repeat(2)[..],
        b"+OK\r\n",
    ]
    .concat();
    worker.asks(subject(1, 1), 7);
    let call = worker.call();
    assert!(!loads(&call));
    worker.hears(&call, Ok(&lacks));
    // One that has not arrived brings nothing.
    let call = worker.call();
    assert!(loads(&call));
    worker.hears(&call, Err(CallFailure));
    let call = worker.call();
    assert!(loads(&call));
}

#[test]
fn a_store_that_was_brought_its_scripts_and_lacks_them_has_failed() {
    let mut worker = Worker::acquainted();
    let lacks = b"-NOSCRIPT No matching script.\r\n";
    worker.asks(subject(1, 1), 7);
    let call = worker.call();
    worker.hears(&call, Ok(lacks));
    assert_eq!(worker.host.count(Metric::FleetCallsFailed), 0);
    let call = worker.call();
    let loaded = [GREET, SWAP].map(|script| bulk(script.hash.as_bytes()));
    worker.hears(&call, Ok(&[&loaded.concat()[..], lacks].concat()));
    assert_eq!(worker.host.count(Metric::FleetCallsFailed), 1);
}

#[test]
fn a_script_that_is_lacking_only_for_a_subject_is_brought_with_the_next_call() {
    for (error, expected) in [("NOSCRIPT No matching script.", true), ("OOM", false)] {
        let mut worker = Worker::acquainted();
        worker.asks(subject(1, 1), 7);
        let call = worker.call();
        let said = answer(&call, &[format!("-{error}\r\n").into_bytes()]);
        worker.hears(&call, Ok(&said));
        worker.host.advance_ms(TICK_MS);
        worker.asks(subject(1, 1), 8);
        assert_eq!(loads(&worker.call()), expected, "{error}");
    }
}

#[test]
fn where_this_edge_has_no_room_nobody_starts_but_in_the_place_of_another() {
    let mut worker = Worker::with(settings(), 1, OnConflict::StopOldest);
    worker.records.max_streams = 1;
    worker.gets_acquainted();
    worker.plays(subject(1, 1));
    worker.plays(subject(1, 1));
    worker.asks(subject(1, 2), 3);
    let call = worker.call();
    let said = answer(&call, &[done()]);
    worker.hears(&call, Ok(&said));
    assert_eq!(worker.verdicts(), [(3, Err(Unavailable::Full))]);
}

#[test]
fn the_feed_of_a_shard_is_read_by_one_worker_and_again_after_a_while_or_when_time_is_set_back() {
    let host = MemoryHost::new();
    let claims = |at: Moment| feed::claim(&host, 1, 5_000, at).cursor.is_some();
    assert!(claims(NOW));
    assert!(!claims(NOW));
    assert!(!claims(NOW.plus_ms(4_999)));
    assert!(claims(NOW.plus_ms(5_000)));
    assert!(claims(NOW));
}

#[test]
fn after_time_was_set_back_the_feed_is_read_all_the_same() {
    let mut worker = Worker::acquainted();
    let earlier = Moment::from_ms(worker.host.now().as_ms() - 3_600_000);
    worker.host.set_now(earlier);
    let read = (0..SHARDS).any(|_| worker.tick().iter().any(reads_feed));
    assert!(read);
}

#[test]
fn evictions_are_heard_of_in_time_however_many_shards_there_are() {
    let settings = Settings {
        evictions_within_ms: 400,
        ..settings()
    };
    let mut worker = Worker::with(settings, 3, OnConflict::DenyNew);
    worker.gets_acquainted();
    worker.gets_acquainted();
    let mut read = 0;
    for _ in 0..4 {
        for call in worker.tick() {
            read += usize::from(reads_feed(&call));
            let said = answer(&call, &[]);
            worker.hears(&call, Ok(&said));
        }
    }
    assert!(read >= SHARDS as usize, "{read}");
}

/// A store without a record knows that a stream is over if it remembers for longer than ends are
/// kept.
#[test]
fn an_old_stream_that_a_store_with_a_long_memory_does_not_know_is_over() {
    let hour = activity_kept_ms();
    for (remembers_ms, is_over) in [(2 * hour, true), (hour, true), (hour - 1_000, false)] {
        let mut worker = Worker::new();
        let now = worker.host.now();
        let since = Moment::from_ms(now.as_ms() + TICK_MS - remembers_ms).to_bytes();
        for call in worker.tick() {
            let mut said = answer(&call, &[]);
            let at = said.windows(6).position(|bytes| bytes == SINCE.to_bytes());
            said[at.unwrap()..][..6].copy_from_slice(&since);
            worker.hears(&call, Ok(&said));
        }
        let stream = StreamKey::mint(Moment::from_ms(now.as_ms() - hour - 500), [7; 10]);
        let mut event = play(&worker.records.book, "app1", stream, Unknown::Starts);
        event.timeout_ms = 2 * hour;
        let question = Question::Decide(Event::Play(event));
        let now = worker.host.now();
        worker
            .fleet
            .ask(subject(1, 1), Some(Ticket(1)), question, now);
        let call = worker.call();
        let mut said = answer(&call, &[done()]);
        if let Some(at) = said.windows(6).position(|bytes| bytes == SINCE.to_bytes()) {
            said[at..][..6].copy_from_slice(&since);
        }
        worker.hears(&call, Ok(&said));
        let [(_, verdict)] = &worker.verdicts()[..] else {
            panic!("one answer");
        };
        let over = Ok(Verdict::Refused(Refused::Over));
        assert_eq!(*verdict == over, is_over, "{remembers_ms}: {verdict:?}");
    }
}

const fn activity_kept_ms() -> u64 {
    streamgate_policy::activity::ENDED_KEPT_MS
}

impl Worker {
    /// The next call to shard 1.
    fn call_in_turn(&mut self) -> StoreCall {
        loop {
            let calls = self.tick();
            let mut calls = calls.into_iter();
            if let Some(call) =
                calls.find(|call| call.shard == "shard-1" && !swaps(call).is_empty())
            {
                return call;
            }
        }
    }
}

#[test]
fn who_was_overtaken_comes_first_and_holds_up_nobody_who_asks() {
    let mut worker = Worker::acquainted();
    let alice = subject(1, 1);
    worker.plays(alice);
    worker.lives_on(alice);
    let call = worker.call_in_turn();
    // Another edge has told the store of something else.
    let said = answer(&call, &[another(&Activity::default())]);
    worker.hears(&call, Ok(&said));
    for n in 2..7 {
        worker.asks(subject(1, n), u32::from(n));
    }
    assert_eq!(swaps(&worker.call()).len(), 6);
}

#[test]
fn who_has_nothing_left_to_tell_was_not_overtaken() {
    let mut worker = Worker::acquainted();
    let all: Vec<_> = (1..=6).map(|n| subject(1, n)).collect();
    all.iter().for_each(|of| worker.plays(*of));
    worker.lives_on(all[0]);
    let call = worker.call_in_turn();
    let known = copy::read(&worker.host, &worker.records, &all[0], worker.host.now());
    let said = answer(&call, &[another(&known.activity)]);
    worker.hears(&call, Ok(&said));
    all[1..].iter().for_each(|of| worker.lives_on(*of));
    assert_eq!(swaps(&worker.call_in_turn()).len(), 5);
}
