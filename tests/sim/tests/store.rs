//! The model of the store answers as a real one does.

use std::thread::sleep;
use std::time::Duration;

use hashbrown::HashMap;
use sha1::{Digest, Sha1};
use streamgate_sim::real_store::call;
use streamgate_sim::store::{Node, SCRIPTS, commands, say};
use streamgate_sim::swarm::{Options, Trouble, run};
use streamgate_tests::Valkey;

/// What the real store says in the place of what the model says: since when a shard remembers, and
/// up to where in its eviction feed a call has read. Both are named by the store's own clock, so
/// they differ between the two. In front of each stands the shard's key.
type Names = HashMap<Vec<u8>, Vec<u8>>;

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
    let mut names = Names::new();
    let mut feed = 0;
    for (number, (asked, said)) in exchanges.iter().enumerate() {
        let really = call(&real, &with_names(asked, &names)).expect("an answer");
        let (said, told) = without_names(asked, said);
        let (really, told_really) = without_names(asked, &really);
        assert_eq!(
            shown(&really),
            shown(&said),
            "call {number}: {}",
            shown(asked)
        );
        feed += usize::from(told.len() > 1);
        let without_shard = |name: Vec<u8>| name[SHARD_KEY..].to_vec();
        names.extend(
            told.into_iter()
                .zip(told_really.into_iter().map(without_shard)),
        );
    }
    assert!(feed > 100, "{feed}");
}

/// Bytes of a shard's key here: there are fewer than ten.
const SHARD_KEY: usize = b"sg5:{ab}e:0".len();

/// How long things are kept in the second test, in milliseconds: it takes far less until it
/// waits for that.
const KEPT: (&[u8], u64) = (b"3000", 3_000);

/// Both stores, behind a password.
struct Both {
    model: Node,
    real: Valkey,
    now_ms: u64,
    /// Since when each of them remembers.
    since: [Vec<u8>; 2],
}

impl Both {
    fn answer(&mut self, commands: &[&[&[u8]]]) -> String {
        let [model, real] = self.since.clone().map(|since| {
            let mut asked = Vec::new();
            for command in commands {
                say(&mut asked, command);
            }
            say(&mut asked, &[b"QUIT"]);
            replaced(&asked, MOMENT, &since)
        });
        let mut said = self.model.answer(&model, self.now_ms);
        let mut really = call(&self.real, &real).expect("an answer");
        for (said, since) in [&mut said, &mut really].into_iter().zip(&mut self.since) {
            if let Some(told) = greeting_in(said) {
                *since = told[6..].to_vec();
                told.fill(0);
            }
        }
        assert_eq!(shown(&said), shown(&really));
        shown(&really)
    }
}

/// Stands for since when a store remembers, of the same length.
const MOMENT: &[u8] = b"since-";

fn replaced(bytes: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let places = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(what));
    for at in places.collect::<Vec<_>>() {
        bytes[at..at + what.len()].copy_from_slice(with);
    }
    bytes
}

/// What time it is at a store, and since when it remembers.
fn greeting_in(said: &mut [u8]) -> Option<&mut [u8]> {
    let at = said.windows(5).position(|bytes| bytes == b"$12\r\n")? + 5;
    said.get_mut(at..at + 12)
}

#[test]
fn both_ask_for_passwords_lack_scripts_and_forget_what_has_expired() {
    let mut both = Both {
        model: Node::with_password("open sesame"),
        real: Valkey::with().password("open sesame").start(),
        now_ms: 1_000,
        since: [(); 2].map(|()| MOMENT.to_vec()),
    };
    let [greet, swap] = SCRIPTS.map(|text| {
        let hash = Sha1::digest(text.as_bytes());
        hash.iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    });
    let (greet, swap, (kept, kept_ms)) = (greet.as_bytes(), swap.as_bytes(), KEPT);
    let [record, memory_since, feed]: [&[u8]; 3] =
        [b"sg5:{ab}sixteen bytes-16", b"sg5:{ab}e:0", b"sg5:{ab}n:0"];
    let login: &[&[u8]] = &[b"AUTH", b"open sesame"];
    let [greets_text, swaps_text] = SCRIPTS.map(|text| [b"SCRIPT", &b"LOAD"[..], text.as_bytes()]);
    let greets: &[&[u8]] = &[b"EVALSHA", greet, b"2", memory_since, feed, kept, b""];
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
    let writes = swaps(MOMENT, b"write--1 record");
    let is_overtaken = swaps(b"write--0", b"write--2 record");
    let compares = swaps(b"write--1", b"");

    let said = both.answer(&[greets]);
    assert!(said.starts_with("-NOAUTH"), "{said}");
    let said = both.answer(&[&[b"AUTH", b"default", b"wrong"]]);
    assert!(said.starts_with("-WRONGPASS"), "{said}");
    let said = both.answer(&[login, greets, &writes]);
    assert!(said.contains("-NOSCRIPT"), "{said}");
    both.answer(&[login, &greets_text, &swaps_text]);
    both.answer(&[login, greets]);
    let said = both.answer(&[login, greets, &writes, &is_overtaken, &compares]);
    assert!(said.contains("write--1 record"), "{said}");
    sleep(Duration::from_millis(kept_ms + 100));
    both.now_ms += kept_ms + 100;
    let said = both.answer(&[login, &compares, greets, &compares]);
    assert!(!said.contains("record"), "{said}");
}

/// A call as it is meant for the real store.
fn with_names(asked: &[u8], names: &Names) -> Vec<u8> {
    let mut call = Vec::new();
    for mut parts in commands(asked) {
        let named = match &parts[..] {
            [b"EVALSHA", _, b"2", shard, .., place] => Some((6, *shard, *place)),
            [b"EVALSHA", _, b"3", _, shard, _, expected, ..] => Some((6, *shard, *expected)),
            _ => None,
        };
        let name =
            named.and_then(|(at, shard, name)| Some((at, names.get(&[shard, name].concat())?)));
        if let Some((at, name)) = name {
            parts[at] = name;
        }
        say(&mut call, &parts);
    }
    call
}

/// An answer without what its greeting names by the store's clock, and these names: since
/// when the shard remembers and, where its eviction feed was read, up to where.
fn without_names(asked: &[u8], said: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let greets = commands(asked).find(|parts| matches!(parts[..], [b"EVALSHA", _, b"2", ..]));
    let greets = greets.expect("each call greets");
    let (shard, reads) = (greets[3], !greets[6].is_empty());
    if said.starts_with(b"-NOSCRIPT") {
        return (said.to_vec(), Vec::new());
    }
    // Behind the scripts' hashes, if they were loaded.
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
    let (_time, behind) = rest[end..].split_at(6);
    let (since, mut behind) = behind.split_at(6);
    let mut names = vec![[shard, since].concat()];
    if reads {
        let (place, rest) = behind[1..].split_at(usize::from(behind[0]));
        names.push([shard, place].concat());
        behind = rest;
    }
    kept.extend(behind);
    (kept, names)
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
