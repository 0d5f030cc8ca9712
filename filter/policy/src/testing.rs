//! Streams, policies and events to test with, here and in the crates above.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::new_without_default,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may fail loudly"
)]

/// Runs as an ordinary test natively and under wasm-bindgen-test on wasm32.
#[cfg(all(test, not(target_arch = "wasm32")))]
pub(crate) use core::prelude::v1::test;
pub use streamgate_values::testing::{Headers, NOW};
#[cfg(all(test, target_arch = "wasm32"))]
pub(crate) use wasm_bindgen_test::wasm_bindgen_test as test;

use core::cell::Cell;

use streamgate_values::attributes::Attributes;
use streamgate_values::limits::Limits;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use crate::activity::Liveness;
use crate::activity::Stream;
use crate::{Count, Message, Mode, OnConflict, Play, Policy, PolicyBook, Rule, Target, Unknown};

thread_local! {
    static JUDGED: Cell<u32> = const { Cell::new(0) };
}

/// How often this thread has judged an event so far.
pub fn judged() -> u32 {
    JUDGED.get()
}

/// An event is judged.
pub(crate) fn count_judged() {
    JUDGED.set(JUDGED.get().wrapping_add(1));
}

/// A stream's timeout in tests, in milliseconds.
pub const TIMEOUT_MS: u64 = 90_000;

/// The key of test stream `n`, issued at `at`.
pub fn key(n: u8, at: Moment) -> StreamKey {
    StreamKey::mint(at, [n; StreamKey::RANDOM_LEN])
}

/// Test stream `n` of application `app1`, started at `at`.
pub fn stream(n: u8, at: Moment) -> Stream {
    Stream {
        application: "app1".to_owned(),
        started_at: at,
        lapses_at: at.plus_ms(TIMEOUT_MS),
        ..Stream::unplayed(key(n, at))
    }
}

/// The most live streams per subject in a [`book`].
pub const MAX_STREAMS_PER_SUBJECT: usize = 20;

/// A policy with one rule, named `limit`: at most `max` streams.
pub fn limit(name: &str, max: u32, on_conflict: OnConflict) -> Policy {
    Policy {
        name: name.to_owned(),
        mode: Mode::Enforce,
        rules: vec![Rule {
            name: "limit".to_owned(),
            max,
            max_claim: None,
            count: Count::Streams,
            per: Vec::new(),
            target: Target::default(),
            on_conflict,
            same_device_replaces: true,
            message: Message::plain(format!("{name} allows {max}")),
            action: None,
        }],
    }
}

/// A book of these policies and of applications that list some of them by name.
pub fn book(policies: Vec<Policy>, applications: &[(&str, &[&str])]) -> PolicyBook {
    let mut book = PolicyBook::new(MAX_STREAMS_PER_SUBJECT);
    for policy in policies {
        book.add_policy(policy);
    }
    for (id, listed) in applications {
        let listed: Vec<String> = listed.iter().map(|&name| name.to_owned()).collect();
        let tenant = format!("tenant of {id}");
        book.add_application(id, id, &tenant, &listed).unwrap();
    }
    book
}

/// `stream` of `application` wants to play: a start, or a sign of life that is
/// always worth a write.
pub fn play(book: &PolicyBook, application: &str, stream: StreamKey, unknown: Unknown) -> Play {
    Play {
        stream,
        application: book.application(application).unwrap().clone(),
        attributes: Attributes::default(),
        terminate: Vec::new(),
        timeout_ms: TIMEOUT_MS,
        buffer_ms: 0,
        renew_below_ms: u64::MAX,
        unknown,
        limits: Limits::default(),
        liveness: Liveness::Any,
        recurring: false,
        is_call: false,
        sharing: None,
    }
}
