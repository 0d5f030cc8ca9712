//! Memory follows the streams that live, never the accounts ever seen.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use streamgate_tests::{Crowd, Edge, Settings, eventually_within};

const MIB: u64 = 1 << 20;

/// How long the long proof may take, in minutes.
const MINUTES_MAX: u64 = 30;

/// What an edge occupies.
#[derive(Debug, Clone, Copy)]
struct Usage {
    resident: u64,
    allocated: u64,
}

impl Usage {
    fn of(edge: &Edge) -> Self {
        Self {
            resident: edge.resident(),
            allocated: edge.allocated(),
        }
    }

    /// Whether it is more than the other one by at most so many MiB.
    #[track_caller]
    fn assert_within(self, mib: u64, before: Self) {
        let within = |now: u64, before: u64| now <= before + mib * MIB;
        assert!(
            within(self.resident, before.resident) && within(self.allocated, before.allocated),
            "more than {mib} MiB more: {before}, then {self}"
        );
    }
}

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [resident, allocated] = [self.resident, self.allocated].map(|bytes| bytes / MIB);
        write!(f, "{resident} MiB resident, {allocated} MiB allocated")
    }
}

/// One start for each of the accounts up to `until`, counted on in `next`: every
/// second one through the session API, the others by a player's first segment.
fn flood(edge: &Edge, crowd: &Crowd, next: &AtomicU64, until: u64) {
    let app = edge.app("demo-tv");
    crowd.at_once(|_, client| {
        let app = app.on(client);
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= until {
                return;
            }
            let account = format!("invented-{number}");
            if number.is_multiple_of(2) {
                let _ = app.create(&account).send().expect(202);
            } else {
                let segment = client.get("/carried/film/segment-1.m4s").account(&account);
                let _ = segment.header("x-stream-id", "s").send().expect(200);
            }
        }
    });
    next.store(until, Ordering::Relaxed);
    edge.origin.forget();
}

/// Waits until all streams have lapsed, with no traffic to help. A round of the sweep
/// takes a minute.
fn until_all_have_lapsed(edge: &Edge) {
    let gone = || edge.metric("live_streams") == 0;
    eventually_within(120, "no stream is on record", gone);
}

#[test]
fn a_flood_of_invented_accounts_leaves_nothing_behind() {
    // Few slots, so that the sweep comes round in seconds.
    let settings = Settings::default().lapsing_after(2);
    let edge = Edge::start(settings.with("/state/slots", 64).alone());
    let (crowd, next) = (edge.crowd(8), AtomicU64::new(0));
    flood(&edge, &crowd, &next, 5_000);
    until_all_have_lapsed(&edge);
    let before = Usage::of(&edge);
    flood(&edge, &crowd, &next, 20_000);
    until_all_have_lapsed(&edge);
    let after = Usage::of(&edge);
    println!("before: {before}; after: {after}");
    after.assert_within(8, before);
    assert_eq!(edge.metric("starts"), 20_000);
    assert_eq!(edge.metric("lapses"), 20_000);
    let _ = edge.app("demo-tv").start("alice");
}

/// The same at full size. All tables are full when the comparison begins: each of the
/// slots has been written, and each worker remembers as many streams as it may.
#[test]
#[ignore = "takes minutes: make soak"]
fn a_million_invented_accounts_leave_nothing_behind() {
    const ACCOUNTS: u64 = 1_000_000;
    const TABLES_FULL: u64 = 400_000;
    let edge = Edge::start(Settings::default().lapsing_after(5).alone());
    let (crowd, next) = (edge.crowd(16), AtomicU64::new(0));
    let started = Instant::now();
    println!("at the start: {}", Usage::of(&edge));
    let mut full = Usage::of(&edge);
    for until in (0..=ACCOUNTS).step_by(100_000).skip(1) {
        flood(&edge, &crowd, &next, until);
        println!(
            "{until} accounts after {} s, {} streams live: {}",
            started.elapsed().as_secs(),
            edge.metric("live_streams"),
            Usage::of(&edge)
        );
        assert!(started.elapsed().as_secs() < MINUTES_MAX * 60, "too slow");
        if until == TABLES_FULL {
            until_all_have_lapsed(&edge);
            full = Usage::of(&edge);
            println!("all tables full, nobody live: {full}");
        }
    }
    until_all_have_lapsed(&edge);
    let after = Usage::of(&edge);
    println!("{ACCOUNTS} accounts, nobody live: {after}");
    after.assert_within(20, full);
    assert_eq!(edge.metric("starts"), ACCOUNTS);
    assert_eq!(edge.metric("lapses"), ACCOUNTS);
    assert_eq!(edge.metric("cas_give_ups"), 0);
    let _ = edge.app("demo-tv").start("alice");
}
