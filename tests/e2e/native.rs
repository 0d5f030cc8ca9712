//! The filter as a native module: what the Wasm filter does, and what is only here.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use streamgate_tests::{Edge, Fleet, Settings, Valkey, envoy, eventually, native, project};

const FILM: &str = "/vod/film/master.m3u8";

/// A film of which an account may play one stream, the latest.
const LATEST: &str = "/latest/film/master.m3u8";

fn edge() -> Edge {
    Edge::start(Settings::default().native())
}

#[test]
fn three_play_and_the_fourth_is_refused() {
    let edge = edge();
    let players: Vec<_> = (0..3).map(|_| edge.player("alice").playing(FILM)).collect();
    let fourth = edge.player("alice").open(FILM);
    let _ = fourth.expect_refusal(403, "limit-reached");
    for player in &players {
        player.plays();
    }
    assert_eq!(edge.metric("starts"), 3);
    assert_eq!(edge.metric("live_streams"), 3);
    assert_eq!(edge.metric("refusals.limit"), 1);
    let logged = edge.decisions(4);
    assert_eq!(logged[0]["event"], "start");
    assert_eq!(logged[3]["event"], "refusal");
    assert_eq!(logged[3]["reason"], "limit-reached");
    eventually("passes by a lease are counted, too", || {
        edge.metric("fast_path_passes") > 0
    });
}

#[test]
fn sessions_are_created_kept_and_stopped() {
    let edge = edge();
    let app = edge.app("demo-tv");
    let session = app.start("alice");
    let _ = session.heartbeat().expect(202);
    let _ = app.create("bob").form("channel=News").send().expect(202);
    assert_eq!(app.running("alice").len(), 1);
    let _ = app.start("alice");
    let _ = app.start("alice");
    let _ = app.create("alice").send().expect(409);
    let _ = session.stop().expect(202);
    let _ = app.create("alice").send().expect(202);
    let _ = session.heartbeat().expect(410);
}

/// What one worker evicts another refuses at its next segment.
#[test]
fn an_eviction_is_obeyed_by_another_worker() {
    let edge = edge();
    let [one, other] = <[_; 2]>::try_from(edge.one_client_per_worker()).expect("two workers");
    let first = edge.player("carol").on(&one).playing(LATEST);
    first.plays();
    let second = edge.player("carol").on(&other).playing(LATEST);
    let _ = first.refused("evicted");
    second.plays();
    assert_eq!(edge.metric("evictions"), 1);
}

#[test]
fn an_update_keeps_the_streams_and_a_wrong_one_changes_nothing() {
    let mut edge = Edge::start(Settings::default().native().by_lds());
    let player = edge.player("alice").playing(FILM);
    let wrong = edge.settings().with("/policies/0/rules/0/max", "many");
    let log = edge.update(wrong).expect_err("to be refused");
    assert!(log.contains("policies[0].rules[0].max"), "{log}");
    player.plays();
    let one = edge.settings().with("/policies/0/rules/0/max", 1);
    edge.update(one).expect("to be taken over");
    player.plays();
    let fourth = edge.player("alice").open(FILM);
    let _ = fourth.expect_refusal(403, "limit-reached");
}

/// Edges of either kind read what others have written, and find it at the same node.
#[test]
fn of_96_starts_over_edges_of_both_kinds_exactly_three_are_admitted() {
    exactly_three_are_admitted(|settings| {
        [
            settings.clone().native(),
            settings.clone().wasm(),
            settings.native(),
        ]
    });
}

/// As `envoy/fleet.yaml` has it for those with the Wasm module.
#[test]
fn of_96_starts_over_edges_of_both_kinds_that_share_nodes_by_maglev_exactly_three_are_admitted() {
    exactly_three_are_admitted(|settings| {
        let settings = settings.store_by_maglev();
        [
            settings.clone().native(),
            settings.clone().wasm(),
            settings.native(),
        ]
    });
}

#[test]
fn of_96_starts_over_three_native_edges_exactly_three_are_admitted() {
    exactly_three_are_admitted(|settings| [(); 3].map(|()| settings.clone().native()));
}

fn exactly_three_are_admitted(forms: impl FnOnce(Settings) -> [Settings; 3]) {
    const ACCOUNTS: usize = 12;
    let nodes = [Valkey::start(), Valkey::start()];
    // No stream lapses, however slow the machine is.
    let settings = Settings::default()
        .fleet(&nodes.each_ref().map(|node| node.port))
        .with("/sessions/timeout", "900s");
    let fleet = Fleet::of(forms(settings).into_iter());
    let crowd = fleet.crowd(96);
    let app = fleet[0].app("demo-tv");
    for account in (0..ACCOUNTS).map(|number| format!("household-{number}")) {
        let answers = crowd.at_once(|_, client| app.on(client).create(&account).send());
        let admitted = answers.iter().filter(|answer| answer.status == 202).count();
        assert_eq!(admitted, 3, "{account}");
        let refused = answers.iter().filter(|answer| answer.status == 409).count();
        assert_eq!(refused, 93, "{account}");
        for edge in fleet.edges() {
            assert_eq!(edge.app("demo-tv").count_running(&account), 3);
        }
    }
    let records = nodes.each_ref().map(Valkey::records);
    assert!(records.iter().all(|count| *count > 0), "{records:?}");
    assert_eq!(records.iter().sum::<usize>(), ACCOUNTS, "each at one node");
}

/// What one edge evicts the other refuses, whichever of them is native.
#[test]
fn an_eviction_is_heard_by_an_edge_of_the_other_kind() {
    let valkey = Valkey::start();
    let settings = Settings::default().fleet(&[valkey.port]);
    let both = [settings.clone().native(), settings.wasm()];
    let fleet = Fleet::of(both.into_iter());
    for (one, other) in [(0, 1), (1, 0)] {
        let account = format!("household-{one}");
        let evicted = fleet[one].player(&account).playing(LATEST);
        let playing = fleet[other].player(&account).playing(LATEST);
        eventually("it is told", || evicted.segment().status == 403);
        let _ = evicted.refused("evicted");
        playing.plays();
    }
}

/// What every route says of the native module.
fn routes_saying(name: &str) -> Value {
    let of_routes = json!({"envoy.filters.http.dynamic_modules": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilterPerRoute",
        "dynamic_module_config": {
            "module": {"local": {"filename": native()}},
            "do_not_close": true,
        },
        "per_route_config_name": name,
    }});
    json!({"virtual_hosts": [{
        "name": "all", "domains": ["*"], "typed_per_filter_config": of_routes,
    }]})
}

/// Without that it is the route of the path without its token
/// (`playback::the_route_is_that_of_the_path_without_its_token`).
#[test]
fn a_route_that_says_so_is_kept_when_a_token_is_taken_off() {
    let settings = Settings::default().native().by_lds().answering_itself();
    let mut edge = Edge::start(settings.clone());
    let player = edge.player("alice").playing(FILM);
    let kept = settings
        .clone()
        .with_manager("route_config", routes_saying("keep_route"));
    edge.update(kept).expect("to be taken over");
    // The route for paths with a token; without one there is but one.
    eventually("the route is kept", || player.segment().status == 421);
    let _ = edge.get("/elsewhere").send().expect(200);
    edge.update(settings.clone()).expect("to be taken over");
    player.plays();
    let wrong = settings.with_manager("route_config", routes_saying("keep_routes"));
    let log = edge.update(wrong).expect_err("to be refused");
    assert!(
        log.contains("per_route_config_name is not keep_route"),
        "{log}"
    );
    player.plays();
}

/// Wherever it panics: that request fails, Envoy lives, and whoever plays goes on.
#[test]
fn a_panic_costs_one_request() {
    let edge = Edge::start(Settings::default().panicking());
    let player = edge.player("alice").playing(FILM);
    let path = "/vod/film/segment-1.ts";
    for hook in ["request_headers", "desk"] {
        let answer = edge
            .get(path)
            .header("x-account-id", "bob")
            .header("x-streamgate-panic", hook)
            .send();
        assert_eq!(answer.status, 503, "{hook}");
        player.plays();
    }
    let app = edge.app("demo-tv");
    let posted = app
        .call("POST", "/v2/sessions/demo/bob")
        .header("x-streamgate-panic", "request_body")
        .form("channel=News")
        .send();
    assert_eq!(posted.status, 503);
    let mut bob = edge.player("bob");
    bob.opens(FILM);
    let answer = edge
        .get(&bob.path("segment-1.m4s"))
        .account("bob")
        .header("x-streamgate-panic", "response_headers")
        .send();
    assert_eq!(answer.status, 503);
    let answer = edge
        .get(&bob.path("master.m3u8"))
        .header("x-streamgate-panic", "response_body")
        .send();
    assert_eq!(answer.status, 503);
    player.plays();
    for _ in 0..2 {
        let _ = edge.player("alice").playing(FILM);
    }
    let fourth = edge.player("alice").open(FILM);
    let _ = fourth.expect_refusal(403, "limit-reached");
    assert_eq!(
        edge.log()
            .matches("panicked at filter/native/src/panics.rs")
            .count(),
        5
    );
}

/// `make up BODY=native` shows the demo's edge, and nothing else that is different.
#[test]
fn the_native_edge_is_the_demos_edge_with_another_filter() {
    let read = |name| {
        let text = fs::read_to_string(project().join(name)).expect("text");
        serde_saphyr::from_str::<Value>(&text).expect("YAML")
    };
    let [mut edge, mut native] = [read("envoy/edge.yaml"), read("envoy/native.yaml")];
    // The viewers' listener has Envoy's CORS filter in front; the operator's has nothing.
    for (listener, filter) in [(0, 1), (1, 0)] {
        let taken = |bootstrap: &mut Value| {
            let listener = &mut bootstrap["static_resources"]["listeners"][listener];
            let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
            manager["http_filters"][filter].take()
        };
        let wasm = &taken(&mut edge)["typed_config"]["config"];
        let library = &taken(&mut native)["typed_config"];
        assert!(wasm["configuration"].is_object());
        assert_eq!(wasm["configuration"], library["filter_config"]);
        assert_eq!(wasm["vm_config"]["vm_id"], library["filter_name"]);
    }
    let fields = native.as_object_mut().expect("fields");
    let _ = fields.remove("layered_runtime").expect("a runtime");
    assert_eq!(edge, native);
}

/// Each name that Envoy looks up in a module with an HTTP filter is there.
#[test]
fn all_hooks_that_envoy_asks_for_are_exported() {
    const PREFIX: &[u8] = b"envoy_dynamic_module_on_";
    let program = fs::read(envoy().canonicalize().expect("a path")).expect("Envoy");
    let mut asked = BTreeSet::new();
    let mut rest = program.as_slice();
    while let Some(at) = rest.windows(PREFIX.len()).position(|bytes| bytes == PREFIX) {
        rest = &rest[at + PREFIX.len()..];
        let is_part = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'_';
        let length = rest.iter().position(|byte| !is_part(byte)).unwrap_or(0);
        let name = String::from_utf8_lossy(&rest[..length]).into_owned();
        // Some stand in the program one after the other as well, without an end.
        let is_whole = rest.get(length) == Some(&0);
        if is_whole && (name.starts_with("http_filter_") || name == "program_init") {
            asked.insert(name);
        }
    }
    assert!(asked.len() >= 21, "{asked:?}");
    let module = fs::read(native()).expect("the module");
    let is_exported = |name: &String| {
        let name = [b"\0", PREFIX, name.as_bytes(), b"\0"].concat();
        memmem(&module, &name)
    };
    asked.retain(|name| !is_exported(name));
    assert!(asked.is_empty(), "not exported: {asked:?}");
}

fn memmem(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len()).any(|bytes| bytes == part)
}
