//! How long an event takes from the record as loaded to the one that is stored:
//! `cargo bench -p streamgate-record --features testing --bench record`.

// It may fail loudly, as tests may.
#![allow(clippy::panic, clippy::unwrap_used)]

use core::num::NonZeroU32;

use criterion::{BatchSize, Criterion};
use streamgate_policy::activity::Liveness;
use streamgate_policy::{
    Count, Event, Message, Mode, OnConflict, Play, Policy, PolicyBook, Rule, Target, Unknown,
    Verdict,
};
use streamgate_record::testing::{MemoryHost, NOW};
use streamgate_record::{Records, transact};
use streamgate_values::attributes::Attributes;
use streamgate_values::limits::Limits;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

const TIMEOUT_MS: u64 = 90_000;
/// Accounts in the one slot there is, as where a million streams fill 65,536 slots.
const ACCOUNTS: u8 = 8;
const STREAMS: u8 = 2;

fn main() {
    let records = records();
    let host = MemoryHost::new();
    for account in 0..ACCOUNTS {
        for stream in 0..STREAMS {
            decided(&host, &records, account, &play(&records, stream));
        }
    }
    let stop = Event::Stop {
        stream: key(0),
        application: records.book.application("web").unwrap().clone(),
    };
    let events = [
        ("a sign of life", play(&records, 0)),
        ("a start", play(&records, STREAMS)),
        ("a stop", stop),
    ];
    let mut criterion = Criterion::default().configure_from_args();
    for (name, event) in &events {
        criterion.bench_function(name, |bench| {
            bench.iter_batched_ref(
                || host.clone(),
                |host| decided(host, &records, 0, event),
                BatchSize::SmallInput,
            );
        });
    }
    criterion.final_summary();
}

fn decided(host: &MemoryHost, records: &Records, account: u8, event: &Event) -> Verdict {
    let subject = SubjectKey::from_bytes([account; 16]);
    let recorded = transact(host, records, &subject, event, Moment::EARLIEST, NOW).unwrap();
    match recorded.decided.verdict {
        Verdict::Refused(refused) => panic!("{refused:?}"),
        verdict => verdict,
    }
}

/// At most three streams to an account.
fn records() -> Records {
    let mut book = PolicyBook::new(64);
    book.add_policy(Policy {
        name: "household".to_owned(),
        mode: Mode::Enforce,
        rules: vec![Rule {
            name: "three-streams".to_owned(),
            max: 3,
            max_claim: None,
            action: None,
            count: Count::Streams,
            per: Vec::new(),
            target: Target::default(),
            on_conflict: OnConflict::DenyNew,
            same_device_replaces: true,
            message: Message::plain("Too many streams on this account"),
        }],
    });
    let policies = ["household".to_owned()];
    book.add_application("web", "web", "tenant", &policies)
        .unwrap();
    Records {
        slots: NonZeroU32::MIN,
        max_streams: 1_000,
        book,
        has_fleet: false,
    }
}

fn key(n: u8) -> StreamKey {
    StreamKey::mint(NOW, [n; StreamKey::RANDOM_LEN])
}

/// A stream plays, on a device of its own.
fn play(records: &Records, n: u8) -> Event {
    let mut attributes = Attributes::default();
    attributes.set("deviceId", format!("0f5c2a6e-device-{n}"));
    attributes.set("channel", "News");
    Event::Play(Play {
        stream: key(n),
        application: records.book.application("web").unwrap().clone(),
        attributes,
        terminate: Vec::new(),
        timeout_ms: TIMEOUT_MS,
        buffer_ms: 0,
        renew_below_ms: u64::MAX,
        unknown: Unknown::Starts,
        limits: Limits::default(),
        liveness: Liveness::Any,
        recurring: false,
        is_call: false,
        sharing: None,
    })
}
