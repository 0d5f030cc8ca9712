//! Many streams at one edge: their signs of life travel in batches.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use streamgate_tests::{App, Edge, Settings, Valkey};

use super::sharing;

/// Workers of an edge under test.
const WORKERS: u64 = 2;

/// One call a worker each 100 ms.
fn calls_allowed(time: Duration) -> u64 {
    WORKERS * u64::try_from(time.as_millis() / 100).expect("a time") + WORKERS
}

/// Lets each of so many accounts ask for a segment of its stream, over sixteen
/// connections, evenly over a time.
fn all_play(edge: &Edge, accounts: u32, over: Duration) {
    const CONNECTIONS: u32 = 16;
    let each = accounts.div_ceil(CONNECTIONS);
    thread::scope(|scope| {
        for number in 0..CONNECTIONS {
            let first = number * each;
            let some = first..accounts.min(first + each);
            scope.spawn(move || play(edge.port, some, over));
        }
    });
}

/// The same for some of them, one after the other over one connection, by hand: this is
/// meant to take little of the machine.
fn play(port: u16, accounts: Range<u32>, over: Duration) {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    connection.set_nodelay(true).expect("no delay");
    let mut answers = BufReader::new(connection.try_clone().expect("a connection"));
    let (started, all) = (Instant::now(), accounts.len());
    for (at, number) in accounts.enumerate() {
        let ask = format!(
            "GET /carried/film/segment-1.m4s HTTP/1.1\r\nhost: edge\r\n\
             x-account-id: household-{number}\r\nx-stream-id: stream\r\n\r\n"
        );
        connection.write_all(ask.as_bytes()).expect("to ask");
        expect_success(&mut answers);
        let due = over.mul_f64((at + 1) as f64 / all as f64);
        sleep(due.saturating_sub(started.elapsed()));
    }
}

/// Reads an answer, which has to be 200.
fn expect_success(answers: &mut impl BufRead) {
    let mut line = String::new();
    let mut length = 0;
    answers.read_line(&mut line).expect("an answer");
    assert!(line.starts_with("HTTP/1.1 200 "), "{line}");
    while line != "\r\n" {
        line.clear();
        answers.read_line(&mut line).expect("a header");
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().expect("a length");
        }
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body).expect("a body");
}

#[test]
fn signs_of_life_travel_in_batches() {
    const STREAMS: u32 = 2000;
    let valkey = Valkey::start();
    // Few shards, because a short timeout takes each of them as often as it is short.
    let settings = sharing(&[valkey.port])
        .with("/fleet/shards", 4)
        .with("/fleet/evictions_within", "10s");
    let edge = Edge::start(settings.lapsing_after(6).answering_itself());
    all_play(&edge, STREAMS, Duration::ZERO);
    assert_eq!(edge.metric("starts"), u64::from(STREAMS));
    let (before, started) = (edge.metric("fleet.calls"), Instant::now());
    for _ in 0..2 {
        // A third of the timeout: each renewal is due.
        all_play(&edge, STREAMS, Duration::from_secs(3));
    }
    let took = started.elapsed();
    let calls = edge.metric("fleet.calls") - before;
    println!("{} renewals, {calls} calls in {took:?}", 2 * STREAMS);
    assert!(calls <= calls_allowed(took), "{calls} calls in {took:?}");
    assert_eq!(edge.metric("live_streams"), u64::from(STREAMS));
    assert_eq!(valkey.records(), STREAMS as usize);
    assert_eq!(edge.metric("fleet.calls_failed"), 0);
}

/// What one round of renewals cost.
#[derive(Debug, Clone, Copy)]
struct Round {
    took: Duration,
    cpu: Duration,
}

impl Round {
    fn of(edge: &Edge, accounts: u32, over: Duration) -> Self {
        let (started, before) = (Instant::now(), edge.cpu_time());
        all_play(edge, accounts, over);
        Self {
            took: started.elapsed(),
            cpu: edge.cpu_time() - before,
        }
    }

    /// Which part of a core it took.
    fn share(&self) -> f64 {
        self.cpu.as_secs_f64() / self.took.as_secs_f64()
    }
}

/// The times that half of so many stay below, of things that are done by turns.
fn medians<const N: usize>(acts: [&dyn Fn(usize); N]) -> [Duration; N] {
    const TURNS: usize = 1001;
    let mut times = [const { Vec::new() }; N];
    for number in 0..TURNS {
        for (times, act) in times.iter_mut().zip(acts) {
            let started = Instant::now();
            act(number);
            times.push(started.elapsed());
        }
    }
    times.map(|mut times| {
        times.sort();
        times[TURNS / 2]
    })
}

/// The long proof: an edge with the streams of 100,000 accounts, each renewed once in a
/// third of its timeout or later, against one that is alone, by turns.
#[test]
#[ignore = "takes minutes: cargo test -p streamgate-tests --test e2e -- --ignored --nocapture hundred_thousand"]
fn a_hundred_thousand_streams_take_a_call_a_worker_in_100_ms_and_a_twentieth_of_a_core() {
    const STREAMS: u32 = 100_000;
    const ROUNDS: usize = 5;
    /// The default.
    const SHARDS: u64 = 64;
    // The third of 90 s, in which everybody is renewed.
    const ROUND: Duration = Duration::from_secs(30);
    let valkey = Valkey::start();
    let settings = Settings::default().answering_itself().alone();
    let shared = Edge::start(settings.clone().fleet(&[valkey.port]));
    let alone = Edge::start(settings.store(&[valkey.port]));
    for edge in [&shared, &alone] {
        all_play(edge, STREAMS, Duration::from_secs(20));
        assert_eq!(edge.metric("starts"), u64::from(STREAMS));
    }
    let bytes = valkey.used_memory() / u64::from(STREAMS);
    println!("the store takes {bytes} bytes for each stream");
    let mut added = Vec::new();
    for number in 0..ROUNDS {
        let calls = shared.metric("fleet.calls");
        let received = valkey.info("total_connections_received");
        let busy = Round::of(&shared, STREAMS, ROUND);
        let calls = shared.metric("fleet.calls") - calls;
        let received = valkey.info("total_connections_received") - received;
        let idle = Round::of(&alone, STREAMS, ROUND);
        println!(
            "round {number}: {calls} calls and {received} connections in {:?}; \
             {:.1} % of a core, {:.1} % alone",
            busy.took,
            100.0 * busy.share(),
            100.0 * idle.share(),
        );
        // Until news come along with signs of life, a shard may have one for them alone.
        let allowed = calls_allowed(busy.took) + SHARDS;
        assert!(calls <= allowed, "{calls} calls, {allowed} are allowed");
        added.push(busy.share() - idle.share());
    }
    assert_eq!(shared.metric("live_streams"), u64::from(STREAMS));
    assert_eq!(shared.metric("starts"), u64::from(STREAMS));
    assert_eq!(shared.metric("fleet.calls_failed"), 0);
    added.sort_by(f64::total_cmp);
    let added = added[added.len() / 2];
    println!("the fleet adds {:.2} % of a core", 100.0 * added);
    assert!(added < 0.05, "{added}");

    let apps = [shared.app("demo-tv"), alone.app("demo-tv")];
    let start = |app: &App, number: usize| {
        let _ = app.start(&format!("newcomer-{number}"));
    };
    let client = alone.client();
    let [there, here, ping, nothing] = medians([
        &|number| start(&apps[0], number),
        &|number| start(&apps[1], number),
        &|_| {
            let answer = client.ask_store("shard", &["PING"]);
            let _ = answer.expect("an answer").expect(200);
        },
        &|_| {
            let _ = client.get("/elsewhere/").send().expect(200);
        },
    ]);
    println!("a start takes {there:?}, {here:?} alone; a PING {ping:?}, anything {nothing:?}");
    // What a call adds, for a start and for a PING that this client asks for.
    let ratio =
        (there.as_secs_f64() - here.as_secs_f64()) / (ping.as_secs_f64() - nothing.as_secs_f64());
    println!("a start waits for {ratio:.2} times as long as a PING takes");
    assert!(ratio < 2.0, "{ratio}");
}
