//! What ends a film in one response, besides an eviction and its own app: its credential's end, an
//! operator, another configuration.

use std::collections::BTreeSet;
use std::time::SystemTime;

use serde_json::{Value, json};
use streamgate_tests::{
    AccessToken, Edge, Fetch, Given, Jwt, Settings, Version, eventually, eventually_within,
};

const FILM: &str = "/vod/film.mp4";
const CARRIED: &str = "/carried/film.mp4";
const MEGABYTE: usize = 1 << 20;
const KEY: &str = "the key of the tests' operators";

/// So slow that a film of 400 MB runs for longer than any test.
const PACE: u64 = 4 << 20;

fn edge(settings: Settings) -> Edge {
    edge_lapsing_after(2, settings)
}

fn edge_lapsing_after(seconds: u32, settings: Settings) -> Edge {
    let edge = Edge::start(
        settings
            .lapsing_after(seconds)
            .with("/state", json!({"slots": 4})),
    );
    for path in [FILM, CARRIED, "/redirected/film.mp4"] {
        let film = Given::body(vec![0x47; 400 * MEGABYTE]);
        edge.origin.gives(path, film);
    }
    edge
}

fn fetch(edge: &Edge, path: &str, headers: &[(&str, &str)]) -> Fetch {
    let began = edge.origin.paths().len();
    let fetch = Fetch::begin(edge, Version::One, path, headers, PACE, &[]);
    eventually("it runs", || edge.origin.paths().len() > began);
    fetch
}

fn cuts(edge: &Edge) -> Vec<Value> {
    let decisions = edge.decisions(0).into_iter();
    decisions.filter(|line| line["event"] == "cut").collect()
}

/// Waits until so many responses are cut, each with its line, and all for this reason.
#[track_caller]
fn are_cut(edge: &Edge, number: usize, reason: &str) {
    eventually_within(20, "they are cut", || {
        edge.metric("cuts") == number as u64 && cuts(edge).len() == number
    });
    let reasons: BTreeSet<String> = cuts(edge)
        .iter()
        .map(|line| line["reason"].as_str().expect("a reason").to_owned())
        .collect();
    assert_eq!(reasons, BTreeSet::from([reason.to_owned()]));
}

#[track_caller]
fn was_cut(fetch: Fetch) {
    let ended = fetch.ended();
    assert_eq!(ended.status, 200, "{ended:?}");
    assert!(!ended.is_whole, "{ended:?}");
}

/// Seconds since 1970.
fn now_s() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.expect("after 1970").as_secs()
}

#[test]
#[ignore = "takes long: make trials"]
fn a_film_ends_with_the_common_access_token_it_was_let_through_for() {
    let mut cat = AccessToken::configuration();
    cat["leeway"] = "0s".into();
    let path = json!({"token": "path"});
    let mut edge = edge(
        Settings::default()
            .with("/cat", cat)
            .with("/playback/0/subject", json!([{"cat": "sub"}]))
            .with("/playback/0/stream", json!([{"cat": "cti"}]))
            .with(
                "/playback/new",
                json!({
                    "match": {"prefix": "/redirected/"},
                    "application": "demo-web",
                    "idp": "demo",
                    "start": "implicit",
                    "subject": [path, {"cat": "sub"}],
                    "stream": [path, {"redirect": true}],
                }),
            ),
    );
    let [long, short, led] = AccessToken::mint([
        AccessToken::of("alice", "0a"),
        AccessToken::of("alice", "0b").expiring_in(4),
        AccessToken::of("alice", "0c").expiring_in(4),
    ]);
    const NAME: &str = "cta-common-access-token";
    let mut stays = fetch(&edge, FILM, &[(NAME, &long)]);
    let goes = fetch(&edge, FILM, &[(NAME, &short)]);
    // What was minted for a token ends with it, and so does what plays by that.
    let manifest = edge
        .get("/redirected/master.m3u8")
        .header(NAME, &led)
        .send();
    let location = manifest
        .expect(307)
        .header("location")
        .expect("one")
        .to_owned();
    let led = fetch(&edge, &location.replace("master.m3u8", "film.mp4"), &[]);
    assert_eq!(edge.metric("starts"), 3);
    are_cut(&edge, 2, "token-expired");
    was_cut(goes);
    was_cut(led);
    // They asked for nothing: their places are free when they lapse.
    eventually("two places are free", || edge.metric("live_streams") == 1);
    assert!(stays.runs());
    stays.stop();
    let again = edge.get(FILM).header(NAME, &short).send();
    assert_eq!(again.expect(403).reason(), "token-expired");
    edge.assert_sound();
}

#[test]
fn a_film_ends_with_the_jwt_it_was_let_through_for() {
    let settings = Settings::shipped("jwt.yaml").with_filter(
        "envoy.filters.http.jwt_authn",
        "/providers/accounts/local_jwks/inline_string",
        Jwt::key_set(),
    );
    let mut edge = edge(settings.with("/jwt", json!({"leeway": "0s"})));
    let led = |exp: u64| {
        let jwt = Jwt::of("alice").claim("exp", exp).sign();
        let manifest = edge.get("/vod/film/master.m3u8");
        let answer = manifest.header("x-account-token", &jwt).send();
        let location = answer
            .expect(307)
            .header("location")
            .expect("one")
            .to_owned();
        location.replace("/vod/film/master.m3u8", FILM)
    };
    let (stays, goes) = (led(now_s() + 3_600), led(now_s() + 3));
    let mut stays = fetch(&edge, &stays, &[]);
    let goes = fetch(&edge, &goes, &[]);
    are_cut(&edge, 1, "token-expired");
    was_cut(goes);
    assert!(stays.runs());
    stays.stop();
    edge.assert_sound();
}

fn by_id(edge: &Edge, account: &str, id: &str) -> Fetch {
    fetch(
        edge,
        CARRIED,
        &[("x-account-id", account), ("x-stream-id", id)],
    )
}

fn operate(edge: &Edge, what: &Value) {
    let door = edge.door();
    let path = "/streamgate/v1/accounts/demo/alice/exception";
    let request = door.request("PUT", path);
    let request = request.header("authorization", &format!("Bearer {KEY}"));
    let _ = request.body(what.to_string().as_bytes()).send().expect(200);
}

#[test]
fn films_of_an_account_that_an_operator_blocks_are_cut_and_nobody_elses() {
    let mut edge = edge(Settings::default().with_door(KEY));
    let films = ["one", "two"].map(|id| by_id(&edge, "alice", id));
    let mut other = by_id(&edge, "bob", "one");
    eventually("three streams live", || edge.metric("live_streams") == 3);
    operate(
        &edge,
        &json!({"blocked": true, "reason": "fraud", "for": "1h"}),
    );
    are_cut(&edge, 2, "blocked");
    films.into_iter().for_each(was_cut);
    assert_eq!(edge.metric("live_streams"), 1);
    assert!(other.runs());
    other.stop();
    edge.assert_sound();
}

#[test]
fn the_newest_film_is_cut_where_an_operator_lowers_the_limit() {
    let mut edge = edge(Settings::default().with_door(KEY));
    let mut first = by_id(&edge, "alice", "one");
    eventually("it has started", || edge.metric("starts") == 1);
    let newest = by_id(&edge, "alice", "two");
    eventually("both live", || edge.metric("live_streams") == 2);
    operate(&edge, &json!({"max": 1, "reason": "a trial", "for": "1h"}));
    are_cut(&edge, 1, "limit-reached");
    was_cut(newest);
    assert!(first.runs());
    first.stop();
    edge.assert_sound();
}

/// What plays by an old listener goes by its configuration until Envoy closes the connection, and from
/// then on by the new one: nobody stays over the limit for longer than a listener drains.
#[test]
fn a_configuration_that_lowers_the_limit_leaves_no_film_beyond_it() {
    let mut edge = edge_lapsing_after(60, Settings::default().by_lds());
    let films = [("one", 1), ("two", 2), ("three", 3)].map(|(id, starts)| {
        let film = by_id(&edge, "alice", id);
        eventually("it has started", || edge.metric("starts") == starts);
        film
    });
    eventually("three streams live", || edge.metric("live_streams") == 3);
    let two = edge.settings().with("/policies/0/rules/0/max", 2);
    edge.update(two).expect("to be taken over");
    films.into_iter().for_each(was_cut);
    // Players ask for the rest.
    let mut again = ["one", "two"].map(|id| by_id(&edge, "alice", id));
    let third = Fetch::begin(
        &edge,
        Version::One,
        CARRIED,
        &[("x-account-id", "alice"), ("x-stream-id", "three")],
        PACE,
        &[],
    );
    assert_eq!(third.ended().status, 403);
    assert!(again.iter_mut().all(Fetch::runs));
    again.into_iter().for_each(Fetch::stop);
    assert_eq!(edge.metric("starts"), 3, "nobody had to start anew");
    edge.assert_sound();
}

/// While an old listener drains, its responses are as much the account's as those of the new one.
#[test]
fn a_film_of_a_draining_listener_is_cut_when_the_new_one_evicts_it() {
    let rule = json!({"name": "one", "max": 1, "on_conflict": "stop_oldest"});
    let settings = Settings::default().with("/policies/0/rules/0", rule);
    let mut edge = edge(settings.by_lds().draining_for(120));
    let victim = by_id(&edge, "alice", "old");
    eventually("it lives", || edge.metric("live_streams") == 1);
    let other = edge.settings().with("/state/max_streams", 12_345);
    edge.hand_over(other).expect("to be taken over");
    // It lives on, by its bytes alone, for longer than it would without.
    eventually("it is renewed", || edge.metric("lease_renewals") > 2);
    assert_eq!(edge.metric("live_streams"), 1);
    let mut winner = by_id(&edge, "alice", "new");
    are_cut(&edge, 1, "evicted");
    was_cut(victim);
    assert!(winner.runs());
    winner.stop();
    edge.assert_sound();
}
