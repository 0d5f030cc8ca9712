//! The model of the store answers as a real one does.

use std::thread::sleep;
use std::time::Duration;

use hashbrown::HashMap;
use streamgate_sim::real_store::call;
use streamgate_sim::store::{Node, SCRIPTS, commands, say};
use streamgate_sim::swarm::{Options, Trouble, run};
use streamgate_tests::Valkey;

/// Where in the news a call reads on, and up to where it then has read. Places are named by
/// the store's own clock, so they differ between the two.
type Places = HashMap<Vec<u8>, Vec<u8>>;

#[test]
fn a_real_store_answers_whatever_a_fleet_says_in_the_same_way() {
    let options = Options {
        seed: 7,
        edges: 3,
        workers: 2,
        nodes: 1,
        shards: 3,
        accounts: 12,
        limit: 2,
        // Nothing may expire in virtual time that does not in the time the test takes.
        timeout_s: 15,
        troubled_s: 1,
        trouble: Trouble {
            delay_ms: 10,
            ..Trouble::default()
        },
    };
    let exchanges = run(&options, true).exchanges;
    assert!(exchanges.len() > 500, "{}", exchanges.len());
    let real = Valkey::start();
    let mut places = Places::new();
    let mut news = 0;
    for (number, (asked, said)) in exchanges.iter().enumerate() {
        let asked = with_places(asked, &places);
        let really = call(&real, &asked).expect("an answer");
        let (said, place) = without_place(&asked, said);
        let (really, real_place) = without_place(&asked, &really);
        assert_eq!(
            shown(&really),
            shown(&said),
            "call {number}: {}",
            shown(&asked)
        );
        news += usize::from(place.is_some());
        if let (Some(place), Some(real_place)) = (place, real_place) {
            places.insert(place, real_place);
        }
    }
    assert!(news > 100, "{news}");
}

#[test]
fn what_has_expired_is_gone_from_both_and_so_are_scripts_and_passwords() {
    let mut model = Node::with_password("open sesame");
    let real = Valkey::with().password("open sesame").start();
    let mut now_ms = 1_000;
    let hashes = SCRIPTS.map(|text| {
        use sha1::{Digest, Sha1};
        let hash = Sha1::digest(text.as_bytes());
        hash.iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    });
    let [greet, swap] = hashes.each_ref().map(|hash| hash.as_bytes());
    let login: &[&[u8]] = &[b"AUTH", b"open sesame"];
    let greets: &[&[u8]] = &[
        b"EVALSHA", greet, b"2", b"sg1:e:0", b"sg1:n:0", b"moment", b"80", b"",
    ];
    let swaps = |expected: &'static [u8], record: &'static [u8], kept_ms: &'static [u8]| {
        let key = b"sg1:sixteen bytes-16";
        let arguments: [&[u8]; 10] = [
            b"EVALSHA", swap, b"3", key, b"sg1:e:0", b"sg1:n:0", expected, record, kept_ms, b"",
        ];
        arguments.map(<[u8]>::to_vec)
    };
    let writes = swaps(b"moment", b"write--1 record", b"60");
    let overtakes = swaps(b"write--0", b"write--2 record", b"60");
    let compares = swaps(b"write--1", b"", b"0");
    let parts = |command: &'static str| command.as_bytes();
    let as_slices = |command: &[Vec<u8>]| command.to_vec();
    let mut both = |commands: &[Vec<Vec<u8>>], now_ms: u64| {
        let mut asked = Vec::new();
        for command in commands {
            let command: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
            say(&mut asked, &command);
        }
        say(&mut asked, &[parts("QUIT")]);
        let really = call(&real, &asked).expect("an answer");
        assert_eq!(shown(&model.answer(&asked, now_ms)), shown(&really));
        shown(&really)
    };
    let owned = |command: &[&[u8]]| command.iter().map(|part| part.to_vec()).collect::<Vec<_>>();

    let unknown = both(&[owned(greets)], now_ms);
    assert!(unknown.starts_with("-NOAUTH"), "{unknown}");
    let wrong = both(&[owned(&[b"AUTH", b"default", b"wrong"])], now_ms);
    assert!(wrong.starts_with("-WRONGPASS"), "{wrong}");
    let lacks = both(&[owned(login), owned(greets), as_slices(&writes)], now_ms);
    assert!(lacks.contains("-NOSCRIPT"), "{lacks}");
    let load = |text: &str| owned(&[b"SCRIPT", b"LOAD", text.as_bytes()]);
    let [greets_text, swaps_text] = SCRIPTS.map(load);
    let _ = both(&[owned(login), greets_text, swaps_text], now_ms);
    let all = [
        owned(login),
        owned(greets),
        as_slices(&writes),
        as_slices(&overtakes),
        as_slices(&compares),
    ];
    let there = both(&all, now_ms);
    assert!(there.contains("write--1 record"), "{there}");
    for waits_ms in [20, 300] {
        sleep(Duration::from_millis(waits_ms));
        now_ms += waits_ms;
        let _ = both(&[owned(login), as_slices(&compares)], now_ms);
    }
    let _ = both(&[owned(login), owned(greets), as_slices(&compares)], now_ms);
}

/// A call that reads on where the real store is.
fn with_places(asked: &[u8], places: &Places) -> Vec<u8> {
    let mut call = Vec::new();
    for mut parts in commands(asked) {
        let mut place = None;
        if let [b"EVALSHA", _, b"2", .., at] = &parts[..]
            && !at.is_empty()
        {
            place = Some(places.get(*at).map_or(&b"0-0"[..], Vec::as_slice));
        }
        if let (Some(place), Some(last)) = (place, parts.last_mut()) {
            *last = place;
        }
        say(&mut call, &parts);
    }
    call
}

/// An answer without the place in the news that it names, and the place.
fn without_place(asked: &[u8], said: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
    let mut reads = commands(asked)
        .filter(|parts| matches!(parts[..], [b"EVALSHA", _, b"2", ..]))
        .map(|parts| parts.last().is_some_and(|place| !place.is_empty()));
    if reads.next() != Some(true) || said.starts_with(b"-NOSCRIPT") {
        return (said.to_vec(), None);
    }
    // Behind the scripts' hashes, if they were loaded: the shard's beginning, a length, and
    // the place of that length.
    let loads = commands(asked)
        .filter(|parts| parts[0] == b"SCRIPT")
        .count();
    let (mut rest, mut kept) = (said, Vec::new());
    for _ in 0..loads {
        let (reply, behind) = rest.split_at("$40\r\n\r\n".len() + 40);
        kept.extend(reply);
        rest = behind;
    }
    let end = rest
        .windows(2)
        .position(|two| two == b"\r\n")
        .expect("a length")
        + 2;
    let (since, behind) = rest[end..].split_at(6);
    let (place, behind) = behind[1..].split_at(usize::from(behind[0]));
    kept.extend(since);
    kept.extend(behind);
    (kept, Some(place.to_vec()))
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
