//! The policies in `envoy/` that operators start from: what each file's first lines
//! promise, played out.

use super::{Ask, World, get, json, refused};
use crate::exchange::Answer;
use crate::testing::shipped;

/// An edge with a shipped file's configuration.
fn world(file: &'static str) -> World {
    World::with(move || shipped::config(file))
}

fn create(world: &mut World, attributes: &str) -> Answer {
    world.host.advance_ms(1_000);
    let ask = get("/v2/sessions/me/alice").method("POST");
    let ask = ask.application("app").header("accept-language", "de-CH");
    world.ask(ask.body(attributes)).answer()
}

/// Starts a stream that may play; its URL and playback prefix.
fn plays(world: &mut World, attributes: &str) -> [String; 2] {
    let answer = create(world, attributes);
    assert_eq!(answer.status, 202, "{attributes}: {answer:?}");
    let session = &json(&answer)["session"];
    ["url", "playbackPrefix"].map(|field| session[field].as_str().unwrap().to_owned())
}

/// What the viewer of a stream that may not play is told.
fn told(answer: &Answer) -> String {
    assert_eq!(answer.status, 409, "{answer:?}");
    let advice = &json(answer)["associatedAdvice"][0];
    advice["message"].as_str().unwrap().to_owned()
}

fn heartbeat(world: &mut World, [url, _]: &[String; 2]) -> Answer {
    world
        .ask(get(url).method("POST").application("app"))
        .answer()
}

fn segment([_, prefix]: &[String; 2]) -> Ask {
    get(format!("{prefix}/film/1.m4s"))
}

#[test]
fn household() {
    let mut world = world("household.yaml");
    let tv = plays(&mut world, "deviceId=tv&deviceName=Wohnzimmer");
    let phone = plays(&mut world, "deviceId=phone");
    // A player that knows nothing of streamgate is a screen like any other.
    let manifest = || get("/film/master.m3u8").account("alice");
    let redirected = world.ask(manifest()).answer();
    let path = redirected.header("location").unwrap();
    let third = path.strip_suffix("/film/master.m3u8").unwrap();
    assert_eq!(world.ask(get(path)).served(), "/film/master.m3u8");
    let first = world.ask(get(format!("{third}/film/1.m4s")));
    assert_eq!(first.served(), "/film/1.m4s");

    assert_eq!(
        told(&create(&mut world, "deviceId=tablet")),
        "Es laufen schon 3 Bildschirme. Bitte einen davon beenden, zum Beispiel: Wohnzimmer"
    );
    let fourth = world.ask(manifest()).refusal();
    assert_eq!(fourth, refused(403, "limit-reached"));

    // The phone zaps: it takes its own place.
    let zapped = plays(&mut world, "deviceId=phone");
    assert_eq!(heartbeat(&mut world, &phone).status, 410);
    assert_eq!(heartbeat(&mut world, &zapped).status, 202);
    assert_eq!(world.ask(segment(&tv)).served(), "/film/1.m4s");
    assert_eq!(create(&mut world, "deviceId=tablet").status, 409);
}

#[test]
fn live_and_on_demand() {
    let mut world = world("live-and-on-demand.yaml");
    let film = plays(&mut world, "contentType=vod");
    let news = plays(&mut world, "contentType=live&channel=news");
    let sport = plays(&mut world, "contentType=live&channel=sport");

    // A third channel takes the place of the first, a channel's second viewer that of
    // its first.
    let music = plays(&mut world, "contentType=live&channel=music");
    assert_eq!(
        told(&heartbeat(&mut world, &news)),
        "Only 2 channels play at once, and another device has started one."
    );
    let sport_again = plays(&mut world, "contentType=live&channel=sport");
    assert_eq!(
        told(&heartbeat(&mut world, &sport)),
        "This channel plays on another device now."
    );

    // Films are held to the four in all, and so is everything then.
    let second_film = plays(&mut world, "contentType=vod");
    for attributes in ["contentType=vod", "contentType=live&channel=news"] {
        assert_eq!(
            told(&create(&mut world, attributes)),
            "Only 4 streams play at once. Please stop one of them."
        );
    }
    for playing in [&film, &music, &sport_again, &second_film] {
        assert_eq!(world.ask(segment(playing)).served(), "/film/1.m4s");
        assert_eq!(heartbeat(&mut world, playing).status, 202);
    }

    // A live stream without its channel cannot be judged, and without a session
    // nothing plays.
    assert_eq!(create(&mut world, "contentType=live").status, 400);
    let stranger = world.ask(get("/film/1.m4s").account("alice")).refusal();
    assert_eq!(stranger, refused(403, "no-subject"));
}

#[test]
fn device_classes() {
    let mut world = world("device-classes.yaml");
    let tv = plays(&mut world, "deviceType=tv&deviceId=1");
    let phone = plays(&mut world, "deviceType=phone&deviceId=2");
    let tablet = plays(&mut world, "deviceType=tablet&deviceId=3");

    let other_phone = plays(&mut world, "deviceType=phone&deviceId=4");
    assert_eq!(
        told(&heartbeat(&mut world, &phone)),
        "Another device of this kind plays now."
    );
    assert_eq!(
        heartbeat(&mut world, &tv).status,
        202,
        "it was not in the way"
    );

    let console = plays(&mut world, "deviceType=console&deviceId=5");
    assert_eq!(
        told(&heartbeat(&mut world, &tv)),
        "This account plays on 3 other devices now."
    );
    let lost = world.ask(segment(&tv)).refusal();
    assert_eq!(lost, refused(403, "evicted"));
    for playing in [&tablet, &other_phone, &console] {
        assert_eq!(world.ask(segment(playing)).served(), "/film/1.m4s");
    }
    assert_eq!(create(&mut world, "deviceType=tv").status, 400);
}
