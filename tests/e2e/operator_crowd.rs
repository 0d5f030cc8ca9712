//! The operator's door of an edge where a million streams play under five thousand policies, after a
//! hundred thousand refusals in a row: how long its answers take, what they weigh, and for how long they, and
//! a page that is left open, hold up a worker. How much a worker does at once is counted in `tests/vm`,
//! too, by instructions.

use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use streamgate_tests::{Busy, Edge, Settings, Wire, eventually_within};

const KEY: &str = "the key of the tests' operators";
const POLICIES: usize = 5_000;
const STREAMS: usize = 1_000_000;
const REFUSALS: usize = 100_000;

/// Streams beside which the page is left open.
const BESIDE_THE_PAGE: usize = 100_000;

/// For how many seconds it is.
const PAGE_OPEN_S: u32 = 60;

/// Connections that each send their share of the creates, spread over the workers.
const CONNECTIONS: usize = 32;

fn settings() -> Settings {
    let mut applications = vec![json!({"id": "web", "tenant": "demo", "policies": ["many"]})];
    let rule = |max: u32| json!([{"name": "streams", "max": max, "on_conflict": "deny_new"}]);
    let mut policies = vec![json!({"name": "many", "rules": rule(1_000)})];
    for n in 0..POLICIES {
        let name = format!("a-policy-with-a-name-of-usual-length-{n:04}");
        policies.push(json!({"name": name, "rules": rule(0)}));
        applications.push(json!({"id": format!("app-{n}"), "tenant": "demo", "policies": [name]}));
    }
    Settings::default()
        .alone()
        .with("/applications", json!(applications))
        .with("/policies", json!(policies))
        .with("/playback", json!([]))
        .with("/sessions/timeout", "6h")
        .with("/sessions/heartbeat", "3h")
        .with("/sessions/creates_per_minute", 1_000_000)
        .with_door(KEY)
}

/// Creates in the session API, as fast as they are answered: the application and the account of each.
fn create(edge: &Edge, count: usize, status: u16, ask: impl Fn(usize) -> (String, String) + Sync) {
    let (port, ask) = (edge.port, &ask);
    thread::scope(|scope| {
        for first in 0..CONNECTIONS {
            scope.spawn(move || {
                let mut wire = Wire::to(port);
                for number in (first..count).step_by(CONNECTIONS) {
                    let (application, account) = ask(number);
                    let credentials = STANDARD.encode(format!("{application}:"));
                    let call = format!(
                        "POST /v2/sessions/demo/{account} HTTP/1.1\r\nHost: edge\r\n\
                         Authorization: Basic {credentials}\r\nContent-Length: 0\r\n\r\n"
                    );
                    let answer = wire.ask(call.as_bytes());
                    assert_eq!(answer.map(|(status, _)| status), Some(status), "{number}");
                }
            });
        }
    });
}

/// What a call took that was made again and again.
struct Calls {
    median: Duration,
    /// All but one in a hundred came within this.
    most: Duration,
    /// All but one in a hundred of the calls in between, to where nothing is: what the machine itself takes.
    of_nothing: Duration,
    /// CPU time of Envoy for each.
    cpu: Duration,
    /// The largest answer.
    bytes: usize,
}

fn timed(edge: &Edge, path: &str) -> Calls {
    let door = edge.door();
    let authorization = format!("Bearer {KEY}");
    let [mut took, mut nothing] = [Vec::new(), Vec::new()];
    let mut bytes = 0;
    let before = edge.cpu_time();
    for _ in 0..300 {
        let asked = Instant::now();
        let call = door.get(path).header("authorization", &authorization);
        let answer = call.send().expect(200);
        took.push(asked.elapsed());
        bytes = bytes.max(answer.body.len());
        let asked = Instant::now();
        let _ = door.get("/nothing").send().expect(404);
        nothing.push(asked.elapsed());
    }
    for took in [&mut took, &mut nothing] {
        took.sort();
    }
    Calls {
        median: took[took.len() / 2],
        most: took[took.len() * 99 / 100],
        of_nothing: nothing[nothing.len() * 99 / 100],
        cpu: (edge.cpu_time() - before) / 300,
        bytes,
    }
}

fn says(edge: &Edge, path: &str) -> Value {
    let call = edge.door().get(path);
    let call = call.header("authorization", &format!("Bearer {KEY}"));
    call.send().expect(200).json()
}

#[test]
#[ignore = "takes long: make trials"]
fn the_door_answers_at_once_whatever_plays_and_was_refused() {
    let edge = Edge::start(settings());
    let _ = edge.one_client_per_worker();
    let before = edge.resident();
    create(&edge, STREAMS, 202, |n| {
        ("web".to_owned(), format!("household-{n}"))
    });
    assert_eq!(edge.metric("starts"), STREAMS as u64);
    let playing = edge.resident();
    create(&edge, REFUSALS, 409, |n| {
        (format!("app-{}", n % POLICIES), format!("refused-{n}"))
    });
    assert_eq!(edge.metric("refusals.limit"), REFUSALS as u64);
    let refused = edge.resident();
    println!(
        "trial: {STREAMS} streams took {} MB, {REFUSALS} refusals {} MB more",
        (playing - before) >> 20,
        refused.saturating_sub(playing) >> 20
    );
    // The ring of decisions, the rest is what Envoy's allocator keeps.
    assert!(refused - playing < 64 << 20);

    for (what, path) in [
        ("the page", "/streamgate/"),
        ("summary", "/streamgate/v1/summary"),
        ("decisions", "/streamgate/v1/decisions"),
        ("an account", "/streamgate/v1/accounts/demo/household-7"),
        (
            "an account refused",
            "/streamgate/v1/accounts/demo/refused-99999",
        ),
        ("accounts", "/streamgate/v1/accounts?order=streams"),
    ] {
        let Calls {
            median,
            most,
            of_nothing,
            cpu,
            bytes,
        } = timed(&edge, path);
        println!(
            "trial: {what}: median {median:.1?}, 99 of 100 within {most:.1?} (of nothing: {of_nothing:.1?}), \
             {cpu:.1?} of a core, {bytes} bytes"
        );
        assert!(
            most < of_nothing + Duration::from_millis(100),
            "{what}: {most:?}, of nothing {of_nothing:?}"
        );
        assert!(bytes < 256 << 10, "{what}: {bytes} bytes");
    }
    let asked = Instant::now();
    eventually_within(300, "all accounts are counted", || {
        let accounts = says(&edge, "/streamgate/v1/accounts?order=streams");
        accounts["complete"] == true && accounts["accounts"] == STREAMS
    });
    println!(
        "trial: all accounts were counted within {} s",
        asked.elapsed().as_secs()
    );
    // No page has shown these policies' levels yet.
    let busy = edge.busy(|| {
        for page in 1..=100 {
            let _ = says(&edge, &format!("/streamgate/v1/levels?page={page}"));
            thread::sleep(Duration::from_millis(20));
        }
    });
    shown("levels of 800 policies", busy);
    shown("no page open", edge.busy(|| each_second(|_| ())));
    let busy = edge.busy(|| each_second(|second| ask_as_page(&edge, second)));
    shown("the page open", busy);
    assert!(busy.stretches > 1_000, "too few turns were seen: {busy:?}");
    // On a machine that does nothing else, none; what takes a worker's caches takes time, too.
    assert!(busy.over_2_ms * 100 < busy.stretches, "{busy:?}");
}

fn shown(what: &str, busy: Busy) {
    let Busy {
        stretches,
        unseen,
        longest,
        over_2_ms,
    } = busy;
    println!(
        "trial: {what}: {stretches} turns of workers, {over_2_ms} of more than 2 ms of a core, the longest \
         {longest:.1?}; {unseen} were not told apart"
    );
}

/// What the page asks for second by second, as `filter/page/script.js` does.
fn page_asks(second: u32) -> &'static str {
    match second % 20 {
        1 => "levels",
        n if n % 5 == 0 => "summary",
        _ => "decisions",
    }
}

fn ask_as_page(edge: &Edge, second: u32) {
    let _ = says(edge, &format!("/streamgate/v1/{}", page_asks(second)));
}

fn each_second(act: impl Fn(u32)) {
    for second in 0..PAGE_OPEN_S {
        let began = Instant::now();
        act(second);
        thread::sleep(Duration::from_secs(1).saturating_sub(began.elapsed()));
    }
}

#[test]
#[ignore = "takes long: make trials"]
fn a_page_left_open_costs_a_worker_next_to_nothing() {
    let edge = Edge::start(settings());
    let _ = edge.one_client_per_worker();
    create(&edge, BESIDE_THE_PAGE, 202, |n| {
        ("web".to_owned(), format!("household-{n}"))
    });
    let mut cost = Vec::new();
    // Accounts are counted when a page is opened, and every ten minutes.
    let before = edge.cpu_time();
    eventually_within(300, "all accounts are counted", || {
        says(&edge, "/streamgate/v1/summary")["accounts"].is_object()
    });
    let counting = edge.cpu_time() - before;
    println!("trial: to count {BESIDE_THE_PAGE} accounts took {counting:.2?} of a core");
    for (what, is_open) in [("no page", false), ("the page open", true)] {
        let before = edge.cpu_time();
        each_second(|second| {
            if is_open {
                ask_as_page(&edge, second);
            }
        });
        let cpu = edge.cpu_time() - before;
        cost.push(cpu);
        println!(
            "trial: {what} for {PAGE_OPEN_S} s beside {BESIDE_THE_PAGE} streams: {cpu:.2?} of a core"
        );
    }
    let more = cost[1].saturating_sub(cost[0]);
    let share = more.as_secs_f64() / f64::from(PAGE_OPEN_S) * 100.0;
    println!("trial: the page costs {share:.3} % of a core");
    // A core's hundredth would be ten times what is promised, on any machine.
    assert!(share < 1.0, "{share} % of a core");
}
