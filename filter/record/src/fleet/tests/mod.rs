//! One worker and a store that answers what a test has it answer.

mod bounds;
mod clocks;
mod faults;
mod noise;
mod patience;
mod queue;
mod returns;
mod said;
mod starts;
mod told;
mod turns;

use core::num::NonZeroU32;

use redis_protocol::resp2::decode::decode;
use redis_protocol::resp2::types::OwnedFrame;
use streamgate_policy::activity::Activity;
use streamgate_policy::{Event, OnConflict, Refused, Unknown, Verdict};
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

use super::script::{GREET, SWAP};
use super::{
    CallFailure, Fleet, OnOutage, Question, Settings, StoreCall, StoreCredentials, TICK_MS, Ticket,
};
use crate::metric::Metric;
use crate::ports::{Clock, Entropy};
use crate::testing::{MemoryHost, NOW, TIMEOUT_MS, book, limit, play, stream};
use crate::{Records, Unavailable, activity, copy};

/// Since when the store of these tests remembers.
const SINCE: Moment = Moment::from_ms(NOW.as_ms() - 60_000);

const SHARDS: u32 = 8;

struct Worker {
    host: MemoryHost,
    records: Records,
    fleet: Fleet,
}

/// A command, as the store hears it.
type Command = Vec<Vec<u8>>;

fn settings() -> Settings {
    Settings {
        cluster: "valkey".to_owned(),
        shards: NonZeroU32::new(SHARDS).unwrap(),
        wait_ms: 500,
        start_within_ms: 2_000,
        evictions_within_ms: 10_000,
        shortest_timeout_ms: TIMEOUT_MS,
        on_outage: OnOutage::Admit,
        credentials: None,
        layout: None,
    }
}

/// A subject on this shard.
fn subject(shard: u8, n: u8) -> SubjectKey {
    let mut bytes = [n; 16];
    bytes[4..8].copy_from_slice(&[0, 0, 0, shard]);
    SubjectKey::from_bytes(bytes)
}

/// The commands of a call.
fn commands(call: &StoreCall) -> Vec<Command> {
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
fn swaps(call: &StoreCall) -> Vec<Command> {
    let of_swap =
        |command: &Command| command[0] == b"EVALSHA" && command[1] == SWAP.hash.as_bytes();
    commands(call).into_iter().filter(of_swap).collect()
}

fn reads_feed(call: &StoreCall) -> bool {
    let greeting = commands(call)
        .into_iter()
        .find(|command| command[0] == b"EVALSHA" && command[1] == GREET.hash.as_bytes());
    !greeting.expect("each call greets")[6].is_empty()
}

fn bulk(bytes: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// The answer to a call in which the store says this of each subject.
fn answer(call: &StoreCall, told: &[Vec<u8>]) -> Vec<u8> {
    answer_with_feed(call, &[], told)
}

fn answer_with_feed(call: &StoreCall, feed: &[SubjectKey], told: &[Vec<u8>]) -> Vec<u8> {
    // What time it is there is said when the answer is heard.
    let mut greeting = [Moment::EARLIEST, SINCE].map(Moment::to_bytes).concat();
    if reads_feed(call) {
        greeting.extend(b"\x035-5");
        for subject in feed {
            greeting.extend(subject.as_bytes());
        }
    }
    [bulk(&greeting), told.concat(), b"+OK\r\n".to_vec()].concat()
}

/// An answer that was given at this time, as its greeting says.
fn at(time: Moment, said: &[u8]) -> Vec<u8> {
    let mut said = said.to_vec();
    let unsaid = Moment::EARLIEST.to_bytes();
    if let Some(at) = said.windows(6).position(|bytes| bytes == unsaid) {
        said[at..at + 6].copy_from_slice(&time.to_bytes());
    }
    said
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
            records: Records {
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
        Event::Play(play(&self.records.book, "app1", stream, Unknown::IsNew))
    }

    fn asks(&mut self, of: SubjectKey, ticket: u32) {
        let question = Question::Decide(self.start());
        let now = self.host.now();
        self.fleet.ask(of, Some(Ticket(ticket)), question, now);
    }

    fn calls(&mut self) -> Vec<StoreCall> {
        self.fleet.calls(&self.host, &self.records, self.host.now())
    }

    /// The one call that is to be made now.
    fn call(&mut self) -> StoreCall {
        let mut calls = self.calls();
        assert_eq!(calls.len(), 1, "{calls:?}");
        calls.remove(0)
    }

    fn tick(&mut self) -> Vec<StoreCall> {
        self.host.advance_ms(TICK_MS);
        self.fleet
            .on_tick(&self.host, &self.records, self.host.now())
    }

    /// It hears a store whose clock agrees with its own.
    fn hears(&mut self, call: &StoreCall, reply: Result<&[u8], CallFailure>) {
        let now = self.host.now();
        self.hears_at(now, call, reply);
    }

    /// It hears a store at which it is this time.
    fn hears_at(&mut self, time: Moment, call: &StoreCall, reply: Result<&[u8], CallFailure>) {
        let now = self.host.now();
        let reply = reply.map(|said| at(time, said));
        let reply = reply.as_deref().map_err(|failure| *failure);
        self.fleet
            .on_reply(&self.host, &self.records, call.id, reply, now);
    }

    /// What those who asked were told since the last time.
    fn verdicts(&mut self) -> Vec<(u32, Result<Verdict, Unavailable>)> {
        let settled = self.fleet.settled().into_iter().map(|settled| {
            let verdict = settled.answer.map(|decided| decided.unwrap().verdict);
            (settled.ticket.0, verdict)
        });
        settled.collect()
    }

    /// Of those who were told that they play: who may go by that until a generation changes.
    fn may_hold_leases(&mut self) -> Vec<bool> {
        let settled = self.fleet.settled().into_iter();
        let bases = settled.map(|settled| settled.answer.unwrap().unwrap().basis);
        bases.map(|basis| basis.is_some()).collect()
    }

    fn live(&self, of: &SubjectKey) -> usize {
        activity(&self.host, &self.records, of, self.host.now())
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
        let key = activity(&self.host, &self.records, &of, now).streams[0].key;
        let event = Event::Play(play(&self.records.book, "app1", key, Unknown::IsOver));
        let recorded = crate::transact(&self.host, &self.records, &of, &event, now, now);
        assert!(matches!(
            recorded.unwrap().decided.verdict,
            Verdict::Plays(_)
        ));
        self.fleet.flush(of, false);
    }
}
