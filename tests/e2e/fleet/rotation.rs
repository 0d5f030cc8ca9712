//! Signing keys are rotated, at one edge after the other, while viewers go from edge to edge:
//! in the order of `docs/fleet.md` nobody notices.

use serde_json::{Value, json};
use streamgate_tests::{Answer, Fleet, Session, Settings, Valkey};

use super::{FILM, sharing};

/// These keys, the first of which signs.
fn keys(settings: &Settings, ids: &[&str]) -> Settings {
    let key = |id: &&str| json!({"id": id, "secret": format!("the secret of signing key {id}")});
    let keys: Vec<Value> = ids.iter().map(key).collect();
    settings.clone().with("/sessions/signing_keys", keys)
}

/// What was begun at one edge, to be asked for at all.
struct Begun {
    session: Session,
    segment: String,
}

impl Begun {
    fn at(fleet: &Fleet, edge: usize, account: &str) -> Self {
        let session = fleet[edge].app("demo-tv").start(account);
        let player = fleet[edge].player(account).playing(FILM);
        Self {
            session,
            segment: player.path("segment-1.m4s"),
        }
    }

    /// What each edge says to it: session, its own prefix, and a redirected player.
    fn asked(&self, fleet: &Fleet) -> Vec<[Answer; 3]> {
        let ask = |edge: &streamgate_tests::Edge| {
            let client = edge.client();
            let by_session = format!("{}/vod/film/segment-2.m4s", self.session.playback_prefix);
            [
                self.session.on(&client).heartbeat(),
                client.get(&by_session).send(),
                client.get(&self.segment).send(),
            ]
        };
        fleet.edges().map(ask).collect()
    }

    #[track_caller]
    fn is_served_everywhere(&self, fleet: &Fleet) {
        for [heartbeat, prefix, segment] in self.asked(fleet) {
            let _ = (
                heartbeat.expect(202),
                prefix.expect(200),
                segment.expect(200),
            );
        }
    }
}

#[test]
fn keys_that_are_added_then_promoted_then_removed_refuse_nobody_at_any_moment() {
    let valkey = Valkey::start();
    let base = sharing(&[valkey.port]).by_lds();
    let [old, added, promoted, new] = [&["k1"][..], &["k1", "k2"], &["k2", "k1"], &["k2"]];
    let mut fleet = Fleet::start(&keys(&base, old), 2);
    let mut begun = vec![Begun::at(&fleet, 0, "0"), Begun::at(&fleet, 1, "1")];
    for (step, ids) in [added, promoted].into_iter().enumerate() {
        for edge in 0..2 {
            let update = fleet[edge].update(keys(&base, ids));
            update.expect("to be taken over");
            // The other edge has not been told yet, or has.
            for of in 0..2 {
                begun.push(Begun::at(&fleet, of, &format!("{step}{edge}{of}")));
            }
            for one in &begun {
                one.is_served_everywhere(&fleet);
            }
        }
    }
    // What the old key signed is over at last; what was begun since both were promoted is not.
    let since = begun.split_off(begun.len() - 2);
    for edge in 0..2 {
        fleet[edge]
            .update(keys(&base, new))
            .expect("to be taken over");
        for one in &since {
            one.is_served_everywhere(&fleet);
        }
    }
    for one in &begun[..2] {
        for [heartbeat, prefix, segment] in one.asked(&fleet) {
            let _ = heartbeat.expect(404);
            let _ = prefix.expect_refusal(403, "token-invalid");
            let _ = segment.expect_refusal(403, "token-invalid");
        }
    }
    assert_eq!(fleet.metric("fleet.calls_failed"), 0);
}

#[test]
fn a_key_that_signs_before_all_edges_know_it_is_refused_where_it_is_not_known_until_it_is() {
    let valkey = Valkey::start();
    let base = sharing(&[valkey.port]).by_lds();
    let mut fleet = Fleet::start(&keys(&base, &["k1"]), 2);
    let update = fleet[1].update(keys(&base, &["k2", "k1"]));
    update.expect("to be taken over");
    let (early, late) = (Begun::at(&fleet, 0, "a"), Begun::at(&fleet, 1, "b"));
    early.is_served_everywhere(&fleet);
    let [there, here] = <[_; 2]>::try_from(late.asked(&fleet)).expect("two edges");
    let [heartbeat, prefix, segment] = there;
    let _ = heartbeat.expect(404);
    let _ = prefix.expect_refusal(403, "token-invalid");
    let _ = segment.expect_refusal(403, "token-invalid");
    let [heartbeat, prefix, segment] = here;
    let _ = (
        heartbeat.expect(202),
        prefix.expect(200),
        segment.expect(200),
    );
    // Told at last, it serves them, and nothing was lost.
    let update = fleet[0].update(keys(&base, &["k1", "k2"]));
    update.expect("to be taken over");
    late.is_served_everywhere(&fleet);
    early.is_served_everywhere(&fleet);
}
