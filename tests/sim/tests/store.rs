//! The model of the store answers as a real one does.

use std::thread::sleep;
use std::time::Duration;

use hashbrown::HashMap;
use sha1::{Digest, Sha1};
use streamgate_sim::real_store::call;
use streamgate_sim::store::{Node, SCRIPTS, commands, say};
use streamgate_sim::swarm::{Options, Trouble, run};
use streamgate_tests::Valkey;

/// Where in the eviction feed a call reads on, and up to where it then has read. Places are named by
/// the store's own clock, so they differ between the two.
type Places = HashMap<Vec<u8>, Vec<u8>>;

#[test]
fn a_real_store_answers_whatever_a_fleet_says_in_the_same_way() {
    let options = Options {
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
        ..Options::random(7)
    };
    let exchanges = run(&options, true).exchanges;
    assert!(exchanges.len() > 200, "{}", exchanges.len());
    let real = Valkey::start();
    let mut places = Places::new();
    let mut feed = 0;
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
        feed += usize::from(place.is_some());
        if let (Some(place), Some(real_place)) = (place, real_place) {
            places.insert(place, real_place);
        }
    }
    assert!(feed > 100, "{feed}");
}

/// How long things are kept in the second test, in milliseconds: it takes far less until it
/// waits for that.
const KEPT: (&[u8], u64) = (b"3000", 3_000);

/// Both stores, behind a password.
struct Both {
    model: Node,
    real: Valkey,
    now_ms: u64,
}

impl Both {
    fn answer(&mut self, commands: &[&[&[u8]]]) -> String {
        let mut asked = Vec::new();
        for command in commands {
            say(&mut asked, command);
        }
        say(&mut asked, &[b"QUIT"]);
        let really = shown(&call(&self.real, &asked).expect("an answer"));
        assert_eq!(shown(&self.model.answer(&asked, self.now_ms)), really);
        really
    }
}

#[test]
fn both_ask_for_passwords_lack_scripts_and_forget_what_has_expired() {
    let mut both = Both {
        model: Node::with_password("open sesame"),
        real: Valkey::with().password("open sesame").start(),
        now_ms: 1_000,
    };
    let [greet, swap] = SCRIPTS.map(|text| {
        let hash = Sha1::digest(text.as_bytes());
        hash.iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    });
    let (greet, swap, (kept, kept_ms)) = (greet.as_bytes(), swap.as_bytes(), KEPT);
    let [record, memory_since, feed]: [&[u8]; 3] =
        [b"sg3:sixteen bytes-16", b"sg3:e:0", b"sg3:n:0"];
    let login: &[&[u8]] = &[b"AUTH", b"open sesame"];
    let [greets_text, swaps_text] = SCRIPTS.map(|text| [b"SCRIPT", &b"LOAD"[..], text.as_bytes()]);
    let greets: &[&[u8]] = &[
        b"EVALSHA",
        greet,
        b"2",
        memory_since,
        feed,
        b"moment",
        kept,
        b"",
    ];
    let swaps = |expected: &'static [u8], content: &'static [u8]| -> [&[u8]; 10] {
        [
            b"EVALSHA",
            swap,
            b"3",
            record,
            memory_since,
            feed,
            expected,
            content,
            kept,
            b"",
        ]
    };
    let writes = swaps(b"moment", b"write--1 record");
    let is_overtaken = swaps(b"write--0", b"write--2 record");
    let compares = swaps(b"write--1", b"");

    let said = both.answer(&[greets]);
    assert!(said.starts_with("-NOAUTH"), "{said}");
    let said = both.answer(&[&[b"AUTH", b"default", b"wrong"]]);
    assert!(said.starts_with("-WRONGPASS"), "{said}");
    let said = both.answer(&[login, greets, &writes]);
    assert!(said.contains("-NOSCRIPT"), "{said}");
    both.answer(&[login, &greets_text, &swaps_text]);
    let said = both.answer(&[login, greets, &writes, &is_overtaken, &compares]);
    assert!(said.contains("write--1 record"), "{said}");
    sleep(Duration::from_millis(kept_ms + 100));
    both.now_ms += kept_ms + 100;
    let said = both.answer(&[login, &compares, greets, &compares]);
    assert!(!said.contains("record"), "{said}");
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

/// An answer without the place in the eviction feed that it names, and the place.
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
