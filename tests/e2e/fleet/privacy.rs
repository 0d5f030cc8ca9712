//! What a store is told, and what it never is.

use streamgate_tests::{FaultyLink, Fleet, Valkey};

use super::{FILM, LATEST, sharing};

const ACCOUNT: &str = "alice-whose-name-is-nobodys-business";

/// Whether bytes hold a text.
fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

#[test]
fn a_store_neither_holds_nor_hears_an_account_a_session_id_or_a_token() {
    let valkey = Valkey::start();
    let link = FaultyLink::to(valkey.port);
    let fleet = Fleet::start(&sharing(&[link.port]), 2);
    let app = fleet[0].app("demo-tv");
    let session = app.create(ACCOUNT).query("channel=News").start();
    let stopped = app.start(ACCOUNT);
    let player = fleet[1].player(ACCOUNT).playing(FILM);
    let latest = [0, 1].map(|edge| fleet[edge].player(ACCOUNT).playing(LATEST));
    let carried = fleet[0]
        .get("/carried/film/segment-1.m4s")
        .account("bob-the-other");
    let carried = carried.header("x-stream-id", "the-players-own-id");
    let _ = carried.send().expect(200);
    let _ = session.heartbeat().expect(202);
    let _ = stopped.stop().expect(202);
    let _ = app.list(ACCOUNT).expect(200);
    let _ = fleet[1]
        .app("demo-tv")
        .heartbeat(ACCOUNT, &session.id)
        .expect(202);

    let token = |session: &streamgate_tests::Session| {
        session.playback_prefix.trim_start_matches("/~").to_owned()
    };
    let secrets = [
        ACCOUNT.to_owned(),
        "bob-the-other".to_owned(),
        "the-players-own-id".to_owned(),
        session.id.clone(),
        stopped.id.clone(),
        token(&session),
        token(&stopped),
        player.token().to_owned(),
        latest[0].token().to_owned(),
        latest[1].token().to_owned(),
        "demo-only-signing-key".to_owned(),
        "demo-only-subject-key".to_owned(),
    ];
    let contents = valkey.contents();
    assert_eq!(valkey.records(), 2, "a record for each account");
    let written = contents.into_iter().flat_map(|(key, value)| [key, value]);
    for bytes in written.chain([link.heard()]) {
        assert!(!bytes.is_empty());
        for secret in &secrets {
            let text = String::from_utf8_lossy(&bytes);
            assert!(!holds(&bytes, secret), "{secret} is in {text}");
        }
    }
    // So that what was searched is known to be the right thing.
    assert!(holds(&link.heard(), "EVALSHA") || holds(&link.heard(), "EVAL"));
}
