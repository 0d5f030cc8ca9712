//! One worker and a store that answers what a test has it answer.

use core::num::NonZeroU32;

use redis_protocol::resp2::decode::decode;
use redis_protocol::resp2::types::OwnedFrame;

use super::script::{GREET, SWAP};
use super::{Call, CallFailure, Credentials, Fleet, OnOutage, Question, Settings, TICK_MS, Ticket};
use crate::activity::Activity;
use crate::ledger::{Ledger, Outage, activity, copy};
use crate::metric::Metric;
use crate::moment::Moment;
use crate::policy::{Event, OnConflict, Refused, Unknown, Verdict};
use crate::ports::{Clock, Entropy};
use crate::stream_key::StreamKey;
use crate::subject::SubjectKey;
use crate::testing::{MemoryHost, NOW, TIMEOUT_MS, book, limit, play, stream, test};

/// Since when the store of these tests remembers.
const SINCE: Moment = Moment::from_ms(NOW.as_ms() - 60_000);

const SHARDS: u32 = 8;

struct Worker {
    host: MemoryHost,
    ledger: Ledger,
    fleet: Fleet,
}

/// A command, as the store hears it.
type Command = Vec<Vec<u8>>;

fn settings() -> Settings {
    Settings {
        cluster: "valkey".to_owned(),
        shards: NonZeroU32::new(SHARDS).unwrap(),
        wait_ms: 500,
        evictions_within_ms: 10_000,
        shortest_timeout_ms: TIMEOUT_MS,
        on_outage: OnOutage::Admit,
        credentials: None,
    }
}

/// A subject on this shard.
fn subject(shard: u8, n: u8) -> SubjectKey {
    let mut bytes = [n; 16];
    bytes[4..8].copy_from_slice(&[0, 0, 0, shard]);
    SubjectKey::from_bytes(bytes)
}

/// The commands of a call.
fn commands(call: &Call) -> Vec<Command> {
    let mut rest = call.payload.as_slice();
    let mut commands = Vec::new();
    while let Some((frame, length)) = decode(rest).unwrap() {
        let OwnedFrame::Array(parts) = frame else {
            panic!("no command: {frame:?}");
        };
        let parts = parts.into_iter().map(|part| match part {
            OwnedFrame::BulkString(bytes) => bytes,
            other => panic!("no bytes: {other:?}"),
        });
        commands.push(parts.collect());
        rest = &rest[length..];
    }
    commands
}

/// The calls of the second script in a call.
fn swaps(call: &Call) -> Vec<Command> {
    let of_swap =
        |command: &Command| command[0] == b"EVALSHA" && command[1] == SWAP.hash.as_bytes();
    commands(call).into_iter().filter(of_swap).collect()
}

fn reads_news(call: &Call) -> bool {
    let greeting = commands(call)
        .into_iter()
        .find(|command| command[0] == b"EVALSHA" && command[1] == GREET.hash.as_bytes());
    !greeting.expect("each call greets")[7].is_empty()
}

fn bulk(bytes: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// The answer to a call in which the store says this of each subject.
fn answer(call: &Call, told: &[Vec<u8>]) -> Vec<u8> {
    answer_with_news(call, &[], told)
}

fn answer_with_news(call: &Call, news: &[SubjectKey], told: &[Vec<u8>]) -> Vec<u8> {
    let mut greeting = SINCE.to_bytes().to_vec();
    if reads_news(call) {
        greeting.extend(b"\x035-5");
        for subject in news {
            greeting.extend(subject.as_bytes());
        }
    }
    [bulk(&greeting), told.concat(), b"+OK\r\n".to_vec()].concat()
}

fn done() -> Vec<u8> {
    b":1\r\n".to_vec()
}

/// There is this record, which another edge has written.
fn another(activity: &Activity) -> Vec<u8> {
    bulk(&[b"elsewhere"[..8].to_vec(), copy::content(activity)].concat())
}

impl Worker {
    fn new() -> Self {
        Self::with(settings(), 3, OnConflict::DenyNew)
    }

    fn with(settings: Settings, max: u32, on_conflict: OnConflict) -> Self {
        Self {
            host: MemoryHost::new(),
            ledger: Ledger {
                slots: NonZeroU32::new(16).unwrap(),
                max_streams: 1_000,
                book: book(vec![limit("P", max, on_conflict)], &[("app1", &["P"])]),
                has_fleet: true,
            },
            fleet: Fleet::new(settings),
        }
    }

    /// One that knows every shard.
    fn acquainted() -> Self {
        let mut worker = Self::new();
        worker.gets_acquainted();
        worker
    }

    fn gets_acquainted(&mut self) {
        for call in self.tick() {
            let said = answer(&call, &[]);
            self.hears(&call, Ok(&said));
        }
    }

    fn start(&self) -> Event {
        let stream = StreamKey::mint(self.host.now(), self.host.random());
        Event::Play(play(&self.ledger.book, "app1", stream, Unknown::IsNew))
    }

    fn asks(&mut self, of: SubjectKey, ticket: u32) {
        let question = Question::Decide(self.start());
        let now = self.host.now();
        self.fleet.ask(of, Some(Ticket(ticket)), question, now);
    }

    fn calls(&mut self) -> Vec<Call> {
        self.fleet.calls(&self.host, &self.ledger, self.host.now())
    }

    /// The one call that is to be made now.
    fn call(&mut self) -> Call {
        let mut calls = self.calls();
        assert_eq!(calls.len(), 1, "{calls:?}");
        calls.remove(0)
    }

    fn tick(&mut self) -> Vec<Call> {
        self.host.advance_ms(TICK_MS);
        self.fleet
            .on_tick(&self.host, &self.ledger, self.host.now())
    }

    fn hears(&mut self, call: &Call, reply: Result<&[u8], CallFailure>) {
        let now = self.host.now();
        self.fleet
            .on_reply(&self.host, &self.ledger, call.id, reply, now);
    }

    /// What those who asked were told since the last time.
    fn verdicts(&mut self) -> Vec<(u32, Result<Verdict, Outage>)> {
        let settled = self.fleet.settled().into_iter().map(|settled| {
            let verdict = settled.answer.map(|decided| decided.unwrap().verdict);
            (settled.ticket.0, verdict)
        });
        settled.collect()
    }

    fn live(&self, of: &SubjectKey) -> usize {
        activity(&self.host, &self.ledger, of, self.host.now())
            .streams
            .len()
    }

    /// A subject that plays here, as the store knows.
    fn plays(&mut self, of: SubjectKey) {
        self.asks(of, 99);
        let call = self.call();
        let said = answer(&call, &[done()]);
        self.hears(&call, Ok(&said));
        assert!(matches!(self.verdicts()[..], [(99, Ok(Verdict::Plays(_)))]));
    }

    /// Its stream gives a sign of life.
    fn lives_on(&mut self, of: SubjectKey) {
        let now = self.host.now();
        let key = activity(&self.host, &self.ledger, &of, now).streams[0].key;
        let event = Event::Play(play(&self.ledger.book, "app1", key, Unknown::IsOver));
        let decided = crate::ledger::transact(&self.host, &self.ledger, &of, &event, now, now);
        assert!(matches!(decided.unwrap().verdict, Verdict::Plays(_)));
        self.fleet.tell(of, false);
    }
}

#[test]
fn a_start_takes_one_call_where_the_shard_is_known() {
    let mut worker = Worker::acquainted();
    let alice = subject(1, 1);
    worker.asks(alice, 7);
    let call = worker.call();
    assert_eq!(call.shard, "shard-1");
    assert_eq!(call.timeout_ms, 500);
    let [swap] = &swaps(&call)[..] else {
        panic!("one subject: {call:?}");
    };
    assert_eq!(swap[3], [b"sg1:", alice.as_bytes().as_slice()].concat());
    assert_eq!(swap[6], SINCE.to_bytes(), "nothing is on record there");
    assert_eq!(worker.live(&alice), 0, "it is not decided yet");
    let said = answer(&call, &[done()]);
    worker.hears(&call, Ok(&said));
    assert!(matches!(
        worker.verdicts()[..],
        [(7, Ok(Verdict::Plays(_)))]
    ));
    assert_eq!(worker.live(&alice), 1);
    assert_eq!(worker.host.count(Metric::Starts), 1);
}

#[test]
fn a_start_at_a_shard_never_heard_of_is_judged_again_once_it_is_known_since_when_it_remembers() {
    let mut worker = Worker::new();
    worker.asks(subject(1, 1), 7);
    let first = worker.call();
    assert_eq!(swaps(&first)[0][6], b"");
    let said = answer(&first, &[bulk(b"")]);
    worker.hears(&first, Ok(&said));
    assert!(worker.verdicts().is_empty());
    let second = worker.call();
    assert_eq!(swaps(&second)[0][6], SINCE.to_bytes());
    let said = answer(&second, &[done()]);
    worker.hears(&second, Ok(&said));
    assert!(matches!(
        worker.verdicts()[..],
        [(7, Ok(Verdict::Plays(_)))]
    ));
}

#[test]
fn a_start_is_judged_by_what_another_edge_has_recorded() {
    let mut worker = Worker::acquainted();
    let alice = subject(1, 1);
    worker.asks(alice, 7);
    let call = worker.call();
    let full = Activity {
        streams: (1..4).map(|n| stream(n, NOW)).collect(),
        ..Activity::default()
    };
    let said = answer(&call, &[another(&full)]);
    worker.hears(&call, Ok(&said));
    assert_eq!(worker.live(&alice), 3, "this edge knows them now");
    // The refusal is true only if the record is still that one.
    let check = worker.call();
    let swap = &swaps(&check)[0];
    assert_eq!((&swap[6][..], &swap[7][..]), (&b"elsewher"[..], &b""[..]));
    let said = answer(&check, &[done()]);
    worker.hears(&check, Ok(&said));
    let verdicts = worker.verdicts();
    let [(7, Ok(Verdict::Refused(Refused::Conflict(breaches))))] = &verdicts[..] else {
        panic!("{verdicts:?}");
    };
    assert_eq!(breaches[0].conflicts.len(), 3);
}

/// Calls count on record where no stream is live or remembered: there is nothing to copy.
#[test]
fn a_record_without_streams_is_written_over_at_the_second_try() {
    let mut worker = Worker::acquainted();
    let alice = subject(1, 1);
    worker.asks(alice, 7);
    let call = worker.call();
    let nobody = Activity {
        forgotten: NOW,
        ..Activity::default()
    };
    let said = answer(&call, &[another(&nobody)]);
    worker.hears(&call, Ok(&said));
    let again = worker.call();
    let swap = &swaps(&again)[0];
    assert_eq!(swap[6], b"elsewher");
    let written = copy::activity_in(&swap[7][8..]).unwrap();
    assert_eq!((written.streams.len(), written.forgotten), (1, NOW));
    let said = answer(&again, &[done()]);
    worker.hears(&again, Ok(&said));
    assert!(matches!(
        worker.verdicts()[..],
        [(7, Ok(Verdict::Plays(_)))]
    ));
}

/// No bell rings for it: no worker has ever seen it live.
#[test]
fn a_stream_that_loses_its_place_in_the_write_it_starts_with_is_asked_about_again() {
    let mut worker = Worker::with(settings(), 1, OnConflict::StopOldest);
    worker.gets_acquainted();
    worker.asks(subject(1, 1), 1);
    worker.asks(subject(1, 1), 2);
    let call = worker.call();
    let said = answer(&call, &[done()]);
    worker.hears(&call, Ok(&said));
    let settled = worker.fleet.settled().into_iter();
    let pending = settled.map(|settled| settled.answer.unwrap().unwrap().pending);
    assert_eq!(pending.collect::<Vec<_>>(), [true, false]);
}

#[test]
fn starts_of_one_account_go_into_one_write_in_their_order() {
    let mut worker = Worker::acquainted();
    for ticket in 0..5 {
        worker.asks(subject(1, 1), ticket);
    }
    let call = worker.call();
    assert_eq!(swaps(&call).len(), 1);
    let said = answer(&call, &[done()]);
    worker.hears(&call, Ok(&said));
    let verdicts = worker.verdicts();
    let plays = |verdict: &Result<Verdict, _>| matches!(verdict, Ok(Verdict::Plays(_)));
    let told: Vec<_> = verdicts
        .iter()
        .map(|(n, verdict)| (*n, plays(verdict)))
        .collect();
    assert_eq!(
        told,
        [(0, true), (1, true), (2, true), (3, false), (4, false)]
    );
}

#[test]
fn what_comes_up_while_a_call_is_under_way_goes_with_the_next() {
    let mut worker = Worker::acquainted();
    worker.asks(subject(1, 1), 1);
    let first = worker.call();
    worker.asks(subject(1, 1), 2);
    worker.asks(subject(1, 2), 3);
    assert!(worker.calls().is_empty());
    // Another shard does not wait for this one.
    worker.asks(subject(2, 3), 4);
    assert_eq!(worker.call().shard, "shard-2");
    let said = answer(&first, &[done()]);
    worker.hears(&first, Ok(&said));
    assert_eq!(swaps(&worker.call()).len(), 2);
}

#[test]
fn a_store_that_lacks_the_scripts_is_brought_them() {
    let mut worker = Worker::acquainted();
    worker.asks(subject(1, 1), 7);
    let call = worker.call();
    let lacks = b"-NOSCRIPT No matching script.\r\n".repeat(2);
    worker.hears(&call, Ok(&[&lacks[..], b"+OK\r\n"].concat()));
    let again = worker.call();
    let names: Vec<_> = commands(&again)
        .into_iter()
        .map(|command| command[0].clone())
        .collect();
    let expected: [&[u8]; 5] = [b"SCRIPT", b"SCRIPT", b"EVALSHA", b"EVALSHA", b"QUIT"];
    assert_eq!(names, expected);
    let loaded = [GREET, SWAP]
        .map(|script| bulk(script.hash.as_bytes()))
        .concat();
    let said = [loaded, answer(&again, &[done()])].concat();
    worker.hears(&again, Ok(&said));
    assert!(matches!(
        worker.verdicts()[..],
        [(7, Ok(Verdict::Plays(_)))]
    ));
    assert!(worker.fleet.is_up(&subject(1, 1)));
}

#[test]
fn whoever_waits_for_a_call_that_fails_is_told_and_the_shard_is_left_alone_for_a_while() {
    let mut worker = Worker::acquainted();
    let alice = subject(1, 1);
    worker.asks(alice, 1);
    let call = worker.call();
    worker.asks(subject(1, 2), 2);
    worker.hears(&call, Err(CallFailure));
    let unanswered = [(1, Err(Outage::Fleet)), (2, Err(Outage::Fleet))];
    let mut told = worker.verdicts();
    told.sort_by_key(|(ticket, _)| *ticket);
    assert_eq!(told, unanswered);
    assert!(!worker.fleet.is_up(&alice));
    assert!(worker.fleet.is_up(&subject(2, 1)));
    assert_eq!(worker.host.count(Metric::FleetErrorsUnreachable), 1);
    let mut probes = Vec::new();
    for _ in 0..5 {
        assert!(probes.is_empty());
        probes = worker.tick();
    }
    let [probe] = &probes[..] else {
        panic!("one probe: {probes:?}");
    };
    let said = answer(probe, &[]);
    worker.hears(probe, Ok(&said));
    assert!(worker.fleet.is_up(&alice));
}

#[test]
fn nobody_waits_for_longer_than_starts_may() {
    let mut worker = Worker::acquainted();
    worker.asks(subject(1, 1), 1);
    let call = worker.call();
    for _ in 0..4 {
        let _ = worker.tick();
        assert!(worker.verdicts().is_empty());
    }
    let _ = worker.tick();
    let settled = worker.fleet.settled();
    assert_eq!(settled[0].answer, Err(Outage::Fleet));
    assert!(settled[0].may_be_recorded, "it was sent");
    // What comes of it is known all the same.
    let said = answer(&call, &[done()]);
    worker.hears(&call, Ok(&said));
    assert!(worker.verdicts().is_empty());
    assert_eq!(worker.live(&subject(1, 1)), 1);
}

#[test]
fn an_answer_that_is_cut_has_the_rest_said_again() {
    let mut worker = Worker::acquainted();
    worker.asks(subject(1, 1), 1);
    worker.asks(subject(1, 2), 2);
    let call = worker.call();
    let said = answer(&call, &[done(), done()]);
    worker.hears(&call, Ok(&said[..said.len() - 8]));
    assert!(matches!(
        worker.verdicts()[..],
        [(1, Ok(Verdict::Plays(_)))]
    ));
    assert_eq!(worker.host.count(Metric::FleetErrorsProtocol), 1);
    let again = &worker.tick()[0];
    assert_eq!(swaps(again).len(), 1);
    let said = answer(again, &[done()]);
    worker.hears(again, Ok(&said));
    assert!(matches!(
        worker.verdicts()[..],
        [(2, Ok(Verdict::Plays(_)))]
    ));
}

#[test]
fn no_answer_is_a_trap_whatever_it_is() {
    let whole = answer(
        &{
            let mut worker = Worker::acquainted();
            worker.asks(subject(1, 1), 1);
            worker.call()
        },
        &[another(&Activity::default())],
    );
    let mut answers: Vec<Vec<u8>> = (0..whole.len()).map(|len| whole[..len].to_vec()).collect();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0xff;
        answers.push(changed);
    }
    answers.push(b"*1\r\n".repeat(50_000));
    answers.push(b"-ERR unknown command\r\n".to_vec());
    for said in answers {
        let mut worker = Worker::acquainted();
        worker.asks(subject(1, 1), 1);
        let call = worker.call();
        worker.hears(&call, Ok(&said));
        let _ = worker.verdicts();
    }
}

#[test]
fn a_full_store_is_an_outage_for_starts_and_no_reason_to_leave_it_alone() {
    let mut worker = Worker::acquainted();
    worker.asks(subject(1, 1), 1);
    let call = worker.call();
    let full = b"-OOM command not allowed when used memory > 'maxmemory'.\r\n";
    let said = answer(&call, &[full.to_vec()]);
    worker.hears(&call, Ok(&said));
    assert_eq!(worker.verdicts(), [(1, Err(Outage::Fleet))]);
    assert!(worker.fleet.is_up(&subject(1, 1)));
    assert_eq!(worker.host.count(Metric::FleetErrorsFull), 1);
}

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

/// With a timeout of 90 s, all 8 shards have their turn in 10 s. News are due every 5 s.
#[test]
fn news_are_read_with_the_signs_of_life_and_alone_only_where_there_are_none() {
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
    // Turns and news fall into step first.
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
        let turn = super::news::claim(&worker.host, shard, 5_000, worker.host.now());
        assert!(turn.place.is_some());
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
            fleet.tell(SubjectKey::from_bytes(bytes), false);
        }
        fleet
    };
    for (subjects, calls) in [(0, 1), (1, 1), (512, 1), (513, 2), (1025, 3)] {
        assert_eq!(fleet(subjects).patient_a_tick(), calls, "{subjects}");
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
    let elsewhere = Activity {
        streams: vec![stream(9, NOW)],
        ..Activity::default()
    };
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
fn news_of_a_stream_that_was_ended_elsewhere_are_looked_into_and_silence_it() {
    let mut worker = Worker::acquainted();
    let alice = subject(1, 1);
    worker.plays(alice);
    let bell = worker.ledger.bell_of(&alice);
    let before = crate::ports::Store::bell(&worker.host, bell);
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
    let said = answer_with_news(call, &[alice, subject(1, 2)], &[]);
    worker.hears(call, Ok(&said));
    let look = worker.calls();
    let look = look.iter().find(|call| call.shard == "shard-1").unwrap();
    assert_eq!(swaps(look).len(), 1);
    let mut ended = copy::read(&worker.host, &worker.ledger, &alice, worker.host.now()).activity;
    let key = ended.streams[0].key;
    ended.end(&key, crate::activity::EndReason::Stopped, worker.host.now());
    let said = answer(look, &[another(&ended)]);
    worker.hears(look, Ok(&said));
    assert_eq!(worker.live(&alice), 0);
    assert_ne!(crate::ports::Store::bell(&worker.host, bell), before);
    assert_eq!(worker.host.count(Metric::FleetNews), 2);
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

#[test]
fn whoever_is_gone_is_told_nothing_and_what_was_sent_stands() {
    let mut worker = Worker::acquainted();
    worker.asks(subject(1, 1), 1);
    let call = worker.call();
    worker.asks(subject(1, 2), 2);
    worker.fleet.forget(Ticket(1));
    worker.fleet.forget(Ticket(2));
    let said = answer(&call, &[done()]);
    worker.hears(&call, Ok(&said));
    assert!(worker.verdicts().is_empty());
    assert_eq!(worker.live(&subject(1, 1)), 1);
    assert!(worker.calls().is_empty(), "nobody asked for the other one");
}

#[test]
fn the_store_is_told_first_who_calls_and_nothing_shows_the_password() {
    let credentials = Credentials {
        user: Some("edge".to_owned()),
        password: "open sesame".to_owned(),
    };
    assert!(!format!("{credentials:?}").contains("sesame"));
    let settings = Settings {
        credentials: Some(credentials),
        ..settings()
    };
    let mut worker = Worker::with(settings, 3, OnConflict::DenyNew);
    worker.asks(subject(1, 1), 1);
    let call = worker.call();
    assert_eq!(commands(&call)[0], [&b"AUTH"[..], b"edge", b"open sesame"]);
    worker.hears(&call, Ok(b"-WRONGPASS invalid username-password pair\r\n"));
    assert_eq!(worker.verdicts(), [(1, Err(Outage::Fleet))]);
    assert_eq!(worker.host.count(Metric::FleetErrorsAuth), 1);
}
