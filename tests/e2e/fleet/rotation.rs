//! Signing keys rotate in a fleet, one edge after the other, and nobody who plays notices.

use serde_json::{Value, json};
use streamgate_tests::{App, Edge, Valkey};

use super::sharing;

const ACCOUNT: &str = "alice";

/// A session and its token of one edge are good at another.
#[track_caller]
fn assert_good_at(one: &App, other: &Edge) {
    let session = one.start(ACCOUNT);
    let app = other.app("demo-tv");
    let _ = app.heartbeat(ACCOUNT, &session.id).expect(202);
    let segment = format!("{}/vod/film/segment-1.m4s", session.playback_prefix);
    let _ = other.get(&segment).send().expect(200);
    let _ = app.call("DELETE", &session.url).send().expect(202);
}

fn signs_with(edge: &mut Edge, keys: &[&Value]) {
    let settings = edge.settings().with("/sessions/signing_keys", json!(keys));
    edge.update(settings).expect("to be taken over");
}

#[test]
fn keys_are_added_then_promoted_then_removed_and_every_edge_verifies_all_along() {
    let valkey = Valkey::start();
    let settings = sharing(&[valkey.port]).by_lds();
    let [mut first, mut second] = [(); 2].map(|()| Edge::start(settings.clone()));
    let old = json!({"id": "demo-1", "secret": {"env": "STREAMGATE_SIGNING_KEY"}});
    let new = json!({"id": "demo-2", "secret": "a secret of the second year"});
    let both_ways = |first: &Edge, second: &Edge| {
        assert_good_at(&first.app("demo-tv"), second);
        assert_good_at(&second.app("demo-tv"), first);
    };
    let before = first.app("demo-tv").start("bob");
    both_ways(&first, &second);
    for keys in [[&old, &new], [&new, &old]] {
        signs_with(&mut first, &keys);
        both_ways(&first, &second);
        signs_with(&mut second, &keys);
        both_ways(&first, &second);
        let _ = second
            .app("demo-tv")
            .heartbeat("bob", &before.id)
            .expect(202);
    }
    for edge in [&mut first, &mut second] {
        signs_with(edge, &[&new]);
    }
    both_ways(&first, &second);
    let _ = second
        .app("demo-tv")
        .heartbeat("bob", &before.id)
        .expect(404);
}

/// What the order is for.
#[test]
fn a_key_that_signs_before_all_know_it_is_refused_at_those_who_do_not() {
    let valkey = Valkey::start();
    let settings = sharing(&[valkey.port]).by_lds();
    let [mut first, second] = [(); 2].map(|()| Edge::start(settings.clone()));
    let old = json!({"id": "demo-1", "secret": {"env": "STREAMGATE_SIGNING_KEY"}});
    let new = json!({"id": "demo-2", "secret": "a secret of the second year"});
    signs_with(&mut first, &[&new, &old]);
    let session = first.app("demo-tv").start(ACCOUNT);
    let _ = second
        .app("demo-tv")
        .heartbeat(ACCOUNT, &session.id)
        .expect(404);
}
