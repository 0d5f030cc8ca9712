//! What nothing counts, because it is prefetched or by its name no media, is no film.

use streamgate_record::fleet::Ticket;

use super::{World, get};
use crate::config::Config;
use crate::playback::Cut;
use crate::step::Step;
use crate::testing::{Headers, config_with, test};

const TICKET: Ticket = Ticket(9);
const MIB: usize = 1024 * 1024;

fn begins(world: &mut World, file: &str, said: Option<(&str, &str)>) {
    let mut head = Headers::default()
        .with(":method", b"GET")
        .with("x-account-id", b"alice")
        .with("x-stream-id", b"next");
    if let Some((name, value)) = said {
        head = head.with(name, value.as_bytes());
    }
    let path = format!("/vod/a/{file}");
    let step = world.workers[0].on_request(&world.host, TICKET, &head, path.as_bytes(), true);
    let Step::Forward(forward) = step else {
        panic!("{file}: {step:?}");
    };
    let watch = forward.watch;
    let counts = watch.is_some_and(|watch| watch.counts(200, |_| None));
    assert!(!counts, "{file}");
}

/// A tick, before which so many bytes of the response went to the viewer.
fn tick(world: &mut World, bytes: usize, status: u16) -> Vec<Cut> {
    world.workers[0].flows().note(TICKET, bytes);
    world.host.advance_ms(100);
    world.tick();
    world.workers[0].cuts(&world.host, |_| Some(status))
}

fn latest_wins() -> Config {
    config_with(|json| json["playback"][0]["application"] = "mobile".into()).unwrap()
}

const UNCOUNTED: [(&str, Option<(&str, &str)>); 6] = [
    ("film.mp4", Some(("sec-purpose", "prefetch"))),
    ("film.mp4", Some(("x-moz", "prefetch"))),
    ("film.mp4", Some(("cmcd-request", "sta=d"))),
    ("init.mp4", None),
    ("film.mp4/a.key", None),
    ("thumbnails.jpg", None),
];

#[test]
fn a_film_that_nothing_counts_is_cut() {
    for (file, said) in UNCOUNTED {
        // At whatever pace it flows.
        for pace in [MIB / 8, 5 * MIB, 64 * MIB] {
            let mut world = World::new();
            begins(&mut world, file, said);
            let mut sent = 0;
            let cuts = loop {
                sent += pace;
                assert!(sent <= 16 * MIB + pace, "{file} {said:?} goes on");
                let cuts = tick(&mut world, pace, 206);
                if !cuts.is_empty() {
                    break cuts;
                }
            };
            assert!(sent > 16 * MIB, "{file}: cut after {sent}");
            let [cut] = <[Cut; 1]>::try_from(cuts).unwrap();
            let log_entry = cut.log_entry.unwrap();
            assert_eq!(
                (log_entry.event, log_entry.reason),
                ("cut", Some("stream-over"))
            );
            assert!(tick(&mut world, pace, 206).is_empty(), "cut twice");
            assert_eq!(world.streams("alice"), 0);
        }
    }
}

#[test]
fn segments_and_what_fails_are_not_cut() {
    for (file, said) in UNCOUNTED {
        let mut world = World::new();
        begins(&mut world, file, said);
        for _ in 0..16 {
            assert!(tick(&mut world, MIB, 200).is_empty(), "{file} {said:?}");
        }
        world.workers[0].flows().end(TICKET);
        begins(&mut world, file, said);
        for _ in 0..32 {
            assert!(tick(&mut world, MIB, 404).is_empty(), "{file} {said:?}");
        }
    }
}

/// The ticket's entry may have been an uncounted one's before.
#[test]
fn a_film_that_plays_is_not_cut() {
    let mut world = World::new();
    begins(&mut world, "film.mp4", Some(("sec-purpose", "prefetch")));
    assert!(tick(&mut world, 10 * MIB, 200).is_empty());
    world.workers[0].flows().end(TICKET);
    let play = get("/vod/a/1.m4s")
        .account("alice")
        .header("x-stream-id", "next");
    world.ask(play).served();
    begins(&mut world, "film.mp4", Some(("sec-purpose", "prefetch")));
    for _ in 0..64 {
        assert!(tick(&mut world, MIB, 200).is_empty());
    }
    assert_eq!(world.streams("alice"), 1);
}

/// Whatever a response is named, from 16 MiB on it is one of its stream's: the stream lives by it, and it is cut
/// when the stream has lost its place.
#[test]
fn a_film_of_another_name_under_a_stream_that_plays_is_that_streams() {
    for file in ["a.key", "thumbnails.jpg", "film.mp4/a.m3u8", "init.mp4"] {
        // Its first request at the worker, one by a lease that is fresh, and one by a lease that is due.
        for (worker, waits_ms) in [(1, 0), (0, 0), (0, 40_000)] {
            let mut world = World::with(latest_wins);
            let ask = |file: &str, stream: &str| {
                get(format!("/vod/a/{file}"))
                    .account("alice")
                    .header("x-stream-id", stream)
            };
            world.ask(ask("1.m4s", "next")).served();
            world.host.advance_ms(waits_ms);
            world.tick();
            let path = format!("/vod/a/{file}");
            let head = Headers::default()
                .with(":method", b"GET")
                .with("x-account-id", b"alice")
                .with("x-stream-id", b"next");
            let Step::Forward(forward) =
                world.workers[worker].on_request(&world.host, TICKET, &head, path.as_bytes(), true)
            else {
                panic!("{file}");
            };
            assert!(
                forward
                    .watch
                    .is_none_or(|watch| !watch.counts(200, |_| None))
            );
            let flows = |world: &mut World, bytes| {
                world.workers[worker].flows().note(TICKET, bytes);
                world.host.advance_ms(1_000);
                world.tick();
                world.workers[worker].cuts(&world.host, |_| Some(200))
            };
            for _ in 0..300 {
                assert!(flows(&mut world, MIB).is_empty(), "{file}");
            }
            assert_eq!(world.running("mobile", "alice").len(), 1, "{file}");
            world.ask(ask("1.m4s", "other")).served();
            let cuts: Vec<Cut> = (0..2).flat_map(|_| flows(&mut world, MIB)).collect();
            let [cut] = <[Cut; 1]>::try_from(cuts).unwrap();
            assert_eq!(cut.log_entry.unwrap().reason, Some("evicted"), "{file}");
        }
    }
}
