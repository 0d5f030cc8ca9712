//! What was let through for a credential ends with it, in mid-response, too.

use serde_json::json;
use streamgate_record::fleet::Ticket;
use streamgate_record::metric::Metric;

use super::{Ask, TICKET, World, get, json};
use crate::playback::Cut;
use crate::testing::{Headers, NOW, TIMEOUT_MS, config_with, test};

const SECOND_MS: u64 = 1_000;

/// A second passes, in which bytes of these responses flow.
fn second(world: &mut World, tickets: &[Ticket]) -> Vec<Cut> {
    let flows = world.workers[0].flows();
    for ticket in tickets {
        flows.note(*ticket, 1 << 20);
    }
    world.host.advance_ms(SECOND_MS);
    world.tick();
    world.workers[0].cuts(&world.host, |_| Some(200))
}

/// The film runs, and is cut when the credential ends and not before: `lives_ms` from now.
fn is_cut_after(world: &mut World, account: &str, lives_ms: u64) {
    for _ in 0..lives_ms.div_ceil(SECOND_MS) - 1 {
        assert!(second(world, &[TICKET]).is_empty());
        assert_eq!(world.streams(account), 1);
    }
    // A renewal at the latest, were the time not looked at.
    let mut cuts = Vec::new();
    for _ in 0..2 {
        cuts.append(&mut second(world, &[TICKET]));
    }
    let [cut] = <[Cut; 1]>::try_from(cuts).unwrap();
    assert_eq!(cut.ticket, TICKET);
    let log_entry = cut.log_entry.unwrap();
    assert_eq!(
        (log_entry.event, log_entry.reason),
        ("cut", Some("token-expired"))
    );
    assert!(
        log_entry.subject.is_some()
            && log_entry.stream.is_some()
            && log_entry.application.is_some()
    );
    assert_eq!(world.host.count(Metric::Cuts), 1);
    // Nobody was evicted: the place is free when the stream lapses, and lapse it does.
    assert_eq!(world.host.count(Metric::Evictions), 0);
    for _ in 0..TIMEOUT_MS / SECOND_MS {
        assert!(second(world, &[TICKET]).is_empty(), "cut twice");
    }
    assert_eq!(world.streams(account), 0);
}

const LIVES_S: u64 = TIMEOUT_MS / SECOND_MS * 2 + 7;

fn film(ask: Ask, world: &mut World) {
    world.ask(ask).served();
}

#[test]
fn a_films_response_is_cut_when_its_playback_token_ends() {
    let mut world = World::with(|| {
        config_with(|json| json["sessions"]["token_lifetime"] = json!(format!("{LIVES_S}s")))
            .unwrap()
    });
    let create = get("/v2/sessions/acme/alice").method("POST");
    let session = json(&world.ask(create.application("web")).answer());
    let prefix = session["session"]["playbackPrefix"].as_str().unwrap();
    film(get(format!("{prefix}/vod/film.mp4")), &mut world);
    is_cut_after(&mut world, "alice", LIVES_S * SECOND_MS);
}

/// The second of its requests, as nearly all, passes by a lease.
#[test]
fn so_is_one_that_passed_by_a_lease() {
    let mut world = World::with(|| {
        config_with(|json| json["sessions"]["token_lifetime"] = json!(format!("{LIVES_S}s")))
            .unwrap()
    });
    let prefix = world.play("alice");
    world.tick();
    let other = Ticket(9);
    let path = format!("{prefix}/vod/a/film.mp4");
    let head = Headers::default().with(":method", b"GET");
    let _ = world.workers[0].on_request(&world.host, other, &head, path.as_bytes(), true);
    let mut cuts = Vec::new();
    for _ in 0..LIVES_S + 2 {
        cuts.append(&mut second(&mut world, &[other]));
    }
    assert_eq!(cuts.len(), 1);
    assert_eq!(cuts[0].ticket, other);
}

#[test]
fn a_films_response_is_cut_when_its_jwt_ends_and_the_leeway_has_passed() {
    let claims = || {
        config_with(|json| {
            json["jwt"] = json!({"leeway": "5s"});
            json["playback"][0]["subject"] = json!([{"jwt_claim": "sub"}]);
            json["playback"][0]["stream"] = json!([{"jwt_claim": "sid"}]);
        })
        .unwrap()
    };
    let exp = NOW.as_ms() / SECOND_MS + LIVES_S;
    #[expect(clippy::cast_precision_loss, reason = "a moment in seconds")]
    let exp = (exp as f64).to_le_bytes();
    let with_jwt = |path: &str| {
        get(path)
            .header("(jwt) sub", "alice")
            .header("(jwt) sid", "tv")
            .header("(jwt) exp", exp)
    };
    let mut world = World::with(claims);
    film(with_jwt("/vod/film.mp4"), &mut world);
    is_cut_after(&mut world, "alice", (LIVES_S + 5) * SECOND_MS);
}

/// What says no end has none.
#[test]
fn a_film_of_an_account_that_an_earlier_hop_vouches_for_runs_on() {
    let mut world = World::with(|| {
        config_with(|json| {
            json["playback"][0]["stream"] = json!([{"header": "x-stream-id"}]);
            json["sessions"]["token_lifetime"] = json!(format!("{LIVES_S}s"));
        })
        .unwrap()
    });
    let ask = get("/vod/film.mp4").account("alice");
    film(ask.header("x-stream-id", "tv"), &mut world);
    for _ in 0..LIVES_S * 2 {
        assert!(second(&mut world, &[TICKET]).is_empty());
    }
    assert_eq!(world.streams("alice"), 1);
}

/// A tab that is closed at its credential's end, and another of the same account under a later one.
#[test]
fn a_film_under_a_later_credential_runs_on_when_an_earlier_one_ends() {
    let mut world = World::with(|| {
        config_with(|json| json["sessions"]["token_lifetime"] = json!(format!("{LIVES_S}s")))
            .unwrap()
    });
    let begin = |world: &mut World, ticket: Ticket| {
        let create = get("/v2/sessions/acme/alice").method("POST");
        let session = json(&world.ask(create.application("web")).answer());
        let prefix = session["session"]["playbackPrefix"].as_str().unwrap();
        let path = format!("{prefix}/vod/film.mp4");
        let head = Headers::default().with(":method", b"GET");
        let step = world.workers[0].on_request(&world.host, ticket, &head, path.as_bytes(), true);
        let crate::step::Step::Forward(forward) = step else {
            panic!("{step:?}");
        };
        if let Some(watch) = forward.watch {
            let _ = world.workers[0].on_response(&world.host, ticket, &watch, 200, false);
        }
    };
    let [first, later] = [Ticket(11), Ticket(12)];
    begin(&mut world, first);
    for _ in 0..10 {
        assert!(second(&mut world, &[first]).is_empty());
    }
    begin(&mut world, later);
    let mut cuts = Vec::new();
    for _ in 0..LIVES_S - 5 {
        cuts.append(&mut second(&mut world, &[first, later]));
    }
    let cut: Vec<_> = cuts.iter().map(|cut| cut.ticket).collect();
    assert_eq!(cut, [first]);
}
