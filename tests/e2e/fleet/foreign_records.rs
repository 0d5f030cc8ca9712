//! What no edge has written stands under an edge's key in the store: it is written over at the
//! next call, and nobody asks for it without end.

use streamgate_tests::{Fleet, Reply, Valkey, awaited};

use super::{fleet_of, sharing};

/// How many shards there are where all are spoiled.
const SHARDS: u32 = 4;

/// The keys that a pattern fits.
fn keys(valkey: &Valkey, pattern: &str) -> Vec<Vec<u8>> {
    let Reply::Array(keys) = valkey.command(&["KEYS", pattern]) else {
        panic!("no list of keys");
    };
    let key = |key| match key {
        Reply::BulkString(key) => key,
        other => panic!("{other:?}"),
    };
    keys.into_iter().map(key).collect()
}

/// The keys of records.
fn record_keys(valkey: &Valkey) -> Vec<Vec<u8>> {
    let mut keys = keys(valkey, "sg5:*");
    // The subject's sixteen bytes stand behind the prefix and the shard's tag.
    keys.retain(|key| key.len() == "sg5:{ab}".len() + 16);
    keys
}

/// Puts something else in a key's place, at once.
fn replace(valkey: &Valkey, key: &[u8], command: &[&[u8]]) {
    let script =
        b"redis.call('DEL', KEYS[1]); return redis.call(ARGV[1], KEYS[1], unpack(ARGV, 2))";
    let eval: [&[u8]; 4] = [b"EVAL", script, b"1", key];
    let answer = valkey.command(&[&eval, command].concat());
    assert!(!matches!(answer, Reply::Error(_)), "{answer:?}");
}

#[test]
fn a_record_that_is_none_is_written_over() {
    let (valkey, fleet) = fleet_of(2);
    let apps = fleet.apps("demo-web");
    let commands: [&[&[u8]]; 7] = [
        &[b"SET", b""],
        &[b"SET", b"short"],
        &[b"SET", &[0; 40]],
        &[b"SET", &[0xff; 40]],
        &[
            b"SET",
            b"a text of somebody else's that is longer than an id",
        ],
        &[b"HSET", b"field", b"value"],
        &[b"LPUSH", b"value"],
    ];
    for (n, command) in commands.into_iter().enumerate() {
        let account = format!("account-{n}");
        let before = record_keys(&valkey);
        let session = apps[0].start(&account);
        let mut written = record_keys(&valkey);
        written.retain(|key| !before.contains(key));
        let [key] = &written[..] else {
            panic!("{written:?}");
        };
        replace(&valkey, key, command);
        let conflicts = fleet.metric("fleet.conflicts");
        let _ = apps[1].start(&account);
        let _ = session.heartbeat().expect(202);
        let _ = apps[0].start(&account);
        // Of those who came too late for each other's writes there are a few.
        let conflicts = fleet.metric("fleet.conflicts") - conflicts;
        assert!(conflicts < 20, "{command:?}: {conflicts}");
    }
}

#[test]
fn a_shards_memory_and_feed_that_are_none_are_begun_anew() {
    let valkey = Valkey::start();
    let settings = sharing(&[valkey.port]).with("/fleet/shards", SHARDS);
    let fleet = Fleet::start(&settings, 2);
    let apps = fleet.apps("demo-web");
    let playing = apps[0].start("alice");
    let commands: [(&str, &[&[u8]]); 7] = [
        ("e:", &[b"SET", b""]),
        ("e:", &[b"SET", b"longer than a moment"]),
        ("e:", &[b"LPUSH", b"value"]),
        ("n:", &[b"SET", b"text"]),
        ("n:", &[b"HSET", b"field", b"value"]),
        ("n:", &[b"XADD", b"*", b"s", b"no subject"]),
        ("l", &[b"LPUSH", b"value"]),
    ];
    let shards = awaited("all shards were asked", || {
        let mut shards = keys(&valkey, "sg5:*e:*");
        shards.retain(|key| key.len() == "sg5:{ab}e:0".len());
        (shards.len() == SHARDS as usize).then_some(shards)
    });
    for (n, (kind, command)) in commands.into_iter().enumerate() {
        for key in &shards {
            let (tag, shard) = key["sg5:".len()..].split_at("{ab}".len());
            let key = match kind {
                "l" => [b"sg:", tag, b"l"].concat(),
                _ => [b"sg5:", tag, kind.as_bytes(), &shard["e:".len()..]].concat(),
            };
            replace(&valkey, &key, command);
        }
        for app in &apps {
            let _ = app.start(&format!("account-{n}"));
        }
        let _ = playing.heartbeat().expect(202);
        // Ended at one edge, heard of at the other.
        let latest = apps[0].start(&format!("stopped-{n}"));
        assert_eq!(latest.stop().status, 202);
    }
    assert_eq!(fleet.metric("fleet.errors.protocol"), 0);
}
