//! "What ended my stream?": a line of Envoy's log, one call and the page answer, once for each.

use serde_json::{Value, json};
use streamgate_tests::{Edge, Fleet, Settings, Valkey, awaited, eventually};

const KEY: &str = "the key of the tests' operators";
const FILM: &str = "/vod/film/master.m3u8";
const LATEST: &str = "/latest/film/master.m3u8";

/// Lets so much time pass that two things that happen have an order.
fn later() {
    std::thread::sleep(std::time::Duration::from_millis(5));
}

/// What Envoy's log says of streams that have ended.
fn ends(edge: &Edge) -> Vec<Value> {
    let log = edge.log();
    let told = log.lines().filter_map(|line| {
        let (_, json) = line.split_once("streamgate: {")?;
        let end: Value = serde_json::from_str(&format!("{{{json}")).expect("JSON");
        (end["event"] == "end").then_some(end)
    });
    told.collect()
}

/// The same, once there is one.
fn the_end(edge: &Edge) -> Value {
    let ended = || ends(edge).pop();
    let end = awaited("Envoy's log says what ended the stream", ended);
    assert_eq!(ends(edge).len(), 1, "once");
    end
}

/// Viewers' workers have seen that there is a door.
fn with_door(settings: Settings) -> Edge {
    let edge = Edge::start(settings.with_door(KEY));
    let _ = edge.one_client_per_worker();
    eventually("both workers have said that they serve", || {
        says(&edge, "GET", "summary")["workers"] == 2
    });
    edge
}

fn says(edge: &Edge, method: &str, path: &str) -> Value {
    let door = edge.door();
    let request = door.request(method, &format!("/streamgate/v1/{path}"));
    let request = request.header("authorization", &format!("Bearer {KEY}"));
    request.send().expect(200).json()
}

/// What the door says of the end of alice's stream.
fn kept(edge: &Edge) -> Value {
    awaited("the door knows of the end", || {
        let account = says(edge, "GET", "accounts/demo/alice");
        let mut decisions = account["decisions"].as_array()?.iter();
        decisions.find(|one| one["event"] == "end").cloned()
    })
}

#[test]
fn an_eviction_names_rule_and_winner_and_nobody_by_name() {
    let edge = with_door(Settings::default());
    let _loser = edge.player("alice").playing(LATEST);
    later();
    let _winner = edge.player("alice").playing(LATEST);
    let line = the_end(&edge);
    let starts = edge.decisions(2);
    assert_eq!(line["reason"], "evicted");
    assert_eq!(
        (&line["policy"], &line["rule"]),
        (&json!("latest-wins"), &json!("one-stream"))
    );
    assert_eq!(line["stream"], starts[0]["stream"]);
    assert_eq!(line["codes"], json!([starts[1]["stream"]]));
    assert_eq!(line["subject"], starts[0]["subject"]);
    assert_eq!(line["application"], starts[0]["application"]);
    assert!(line["lasted_ms"].is_u64(), "{line}");
    let end = kept(&edge);
    for name in ["reason", "policy", "rule", "stream", "application"] {
        assert_eq!(end[name], line[name], "{name}");
    }
    assert_eq!(end["codes"], line["codes"]);
    let log = edge.log();
    assert!(!log.contains("alice") && !log.contains(KEY), "{log}");
}

#[test]
fn a_kill_by_its_app_and_one_by_an_operator_are_told_apart() {
    let edge = with_door(Settings::default());
    let app = edge.app("demo-tv");
    let create = |device: &str| app.create("alice").form(&format!("deviceName={device}"));
    let _ = create("Kitchen").send().expect(202);
    let victim = app.running("alice")[0]["terminationCode"].clone();
    let code = victim.as_str().expect("a code");
    let _ = create("Bedroom").terminate(code).send().expect(202);
    let line = the_end(&edge);
    assert_eq!(line["reason"], "stopped-from-another-device");
    assert_eq!(
        (&line["stream"], &line["device"]),
        (&victim, &json!("Kitchen"))
    );
    let winner = app.running("alice")[0]["terminationCode"].clone();
    assert_eq!(line["codes"], json!([winner]));

    assert_eq!(says(&edge, "DELETE", "accounts/demo/alice")["stopped"], 1);
    let second = awaited("the operator's is told, too", || {
        ends(&edge).into_iter().nth(1)
    });
    assert_eq!(second["reason"], "stopped-by-operator");
    assert_eq!(
        (&second["stream"], &second["device"]),
        (&winner, &json!("Bedroom"))
    );
    let account = says(&edge, "GET", "accounts/demo/alice");
    let audit = edge.decisions(3);
    assert!(
        audit.iter().any(|line| line["event"] == "operator"),
        "{audit:?}"
    );
    assert_eq!(account["ended"][1]["why"], "stopped-by-operator");
}

#[test]
fn a_lapse_is_told_once_over_all_workers() {
    let settings = Settings::default().lapsing_after(2);
    let edge = with_door(settings.with("/state/slots", 4));
    let _player = edge.player("alice").playing(FILM);
    let line = the_end(&edge);
    assert_eq!(line["reason"], "lapsed");
    assert_eq!(line["stream"], edge.decisions(1)[0]["stream"]);
    assert!(
        line["policy"].is_null() && line["codes"].is_null(),
        "{line}"
    );
    assert_eq!(kept(&edge)["reason"], "lapsed");
    assert_eq!(edge.metric("lapses"), 1);
}

/// The edge whose write ended it tells, and no other.
#[test]
fn in_a_fleet_an_eviction_is_told_by_one_edge() {
    let valkey = Valkey::start();
    let fleet = Fleet::start(&Settings::default().fleet(&[valkey.port]), 2);
    let loser = fleet[0].player("alice").playing(LATEST);
    later();
    let _winner = fleet[1].player("alice").playing(LATEST);
    eventually("the other edge obeys", || loser.segment().status == 403);
    let line = the_end(&fleet[1]);
    assert_eq!(line["reason"], "evicted");
    assert_eq!(line["stream"], fleet[0].decisions(1)[0]["stream"]);
    assert_eq!(ends(&fleet[0]), [json!(null); 0]);
}

#[test]
fn a_native_edge_tells_it_as_well() {
    let edge = Edge::start(Settings::default().native());
    let _loser = edge.player("alice").playing(LATEST);
    later();
    let _winner = edge.player("alice").playing(LATEST);
    let line = the_end(&edge);
    assert_eq!(line["reason"], "evicted");
    assert_eq!(line["codes"], json!([edge.decisions(2)[1]["stream"]]));
}

/// What a product owner asks before a limit is changed.
#[test]
fn how_many_were_wanted_at_once_is_read_at_the_door() {
    let edge = with_door(Settings::default());
    let app = edge.app("demo-tv");
    let _sessions = [(); 3].map(|()| app.start("alice"));
    let _ = app.create("alice").send().expect(409);
    let _ = app.start("bob");
    let _ = edge.player("alice").playing(LATEST);
    let _ = edge.player("alice").playing(LATEST);
    let of = |levels: &Value, policy: &str, name: &str| -> Vec<u64> {
        let mut policies = levels["policies"].as_array().expect("policies").iter();
        let policy = policies.find(|it| it["policy"] == policy).expect("it");
        let numbers = policy[name].as_array().expect("numbers").iter();
        numbers.take(4).filter_map(Value::as_u64).collect()
    };
    // Each worker tells at its ticks what it has counted.
    let levels = awaited("all is counted", || {
        let levels = says(&edge, "GET", "levels");
        let is_counted = of(&levels, "latest-wins", "admitted")[1] == 1
            && of(&levels, "household", "attempted").iter().sum::<u64>() == 5;
        is_counted.then_some(levels)
    });
    assert_eq!(
        of(&levels, "household", "attempted"),
        [2, 1, 1, 1],
        "{levels}"
    );
    assert_eq!(
        of(&levels, "household", "admitted"),
        [2, 1, 1, 0],
        "{levels}"
    );
    assert_eq!(
        of(&levels, "latest-wins", "admitted"),
        [1, 1, 0, 0],
        "{levels}"
    );
    assert_eq!((&levels["page"], &levels["pages"]), (&json!(1), &json!(1)));
}
