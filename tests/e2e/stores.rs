//! The stores that fleets are tested with: that they fail as they are told, and that
//! Envoy reaches them through the cluster that the filter uses.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use streamgate_tests::{Edge, Fault, FaultyLink, Fleet, Reply, Settings, Valkey, eventually};

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";

fn ok() -> Reply {
    Reply::SimpleString(b"OK".to_vec())
}

fn text(text: &str) -> Reply {
    Reply::BulkString(text.as_bytes().to_vec())
}

/// What comes back over a link, all of it, for a `PING` that is the last thing said.
fn ping(link: &FaultyLink) -> std::io::Result<Vec<u8>> {
    let mut connection = TcpStream::connect(("127.0.0.1", link.port))?;
    connection.set_read_timeout(Some(Duration::from_millis(500)))?;
    connection.write_all(PING)?;
    connection.shutdown(std::net::Shutdown::Write)?;
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer)?;
    Ok(answer)
}

/// What the node that holds a shard answers to an edge.
#[track_caller]
fn ask(edge: &Edge, shard: &str, command: &[&str]) -> String {
    let answer = edge.client().ask_store(shard, command).expect("an answer");
    answer.expect(200).text()
}

fn kind<T: std::fmt::Debug>(failed: std::io::Result<T>) -> ErrorKind {
    failed.expect_err("must fail").kind()
}

#[test]
fn a_killed_store_comes_back_empty_at_its_place() {
    let mut valkey = Valkey::start();
    assert_eq!(valkey.command(&["SET", "a", "1"]), ok());
    assert_eq!(valkey.keys(), 1);
    valkey.kill();
    let refused = kind(valkey.try_command(&["PING"]));
    assert_eq!(refused, ErrorKind::ConnectionRefused);
    valkey.start_again();
    assert_eq!(valkey.command(&["GET", "a"]), Reply::Null);
    assert_eq!(valkey.keys(), 0);
}

#[test]
fn a_frozen_store_accepts_and_does_what_it_was_asked_when_it_is_thawed() {
    let valkey = Valkey::start();
    valkey.freeze();
    let mut connection = TcpStream::connect(("127.0.0.1", valkey.port)).expect("a connection");
    let brief = Some(Duration::from_millis(200));
    connection.set_read_timeout(brief).expect("a timeout");
    let set = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n";
    connection.write_all(set).expect("to be heard");
    assert_eq!(kind(connection.read(&mut [0])), ErrorKind::WouldBlock);
    // Whoever asked is gone, and what was asked is done all the same.
    drop(connection);
    valkey.thaw();
    eventually("it is done", || valkey.command(&["GET", "a"]) == text("1"));
}

#[test]
fn a_full_store_refuses_what_is_more_and_shows_what_is_there() {
    let valkey = Valkey::start();
    let _ = valkey.command(&["SET", "a", "1"]);
    valkey.fill();
    let Reply::Error(refused) = valkey.command(&["SET", "b", "2"]) else {
        panic!("it has room");
    };
    assert!(refused.starts_with("OOM "), "{refused}");
    assert_eq!(valkey.command(&["GET", "a"]), text("1"));
    valkey.make_room();
    assert_eq!(valkey.command(&["SET", "b", "2"]), ok());
    assert!(valkey.used_memory() > 100_000);
    assert_eq!(valkey.calls("set"), 2, "a refused one does not count");
    assert_eq!(valkey.calls("evalsha"), 0);
}

#[test]
fn all_that_a_store_holds_can_be_read_byte_by_byte() {
    let valkey = Valkey::start();
    let name = "a-readable-name-that-would-be-compressed-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    let _ = valkey.command(&["SET", "string", name]);
    let _ = valkey.command(&["HSET", "hash", name, "1"]);
    let contents = valkey.contents();
    assert_eq!(contents.len(), 2);
    for (_, value) in contents {
        assert!(String::from_utf8_lossy(&value).contains(name), "{value:?}");
    }
}

#[test]
fn a_store_lets_in_only_who_knows_the_password() {
    let valkeys = [
        Valkey::with().password("sesame").start(),
        Valkey::with().user("edge", "sesame, \"open\"").start(),
    ];
    for (valkey, login) in valkeys
        .iter()
        .zip([["default", "sesame"], ["edge", "sesame, \"open\""]])
    {
        assert_eq!(valkey.command(&["SET", "a", "1"]), ok());
        let edge = Edge::start(Settings::default().store(&[valkey.port]));
        let answer = ask(&edge, "shard", &["GET", "a"]);
        assert_eq!(answer, "-NOAUTH Authentication required.\r\n");
        let [user, password] = login;
        let answer = ask(&edge, "shard", &["AUTH", user, password]);
        assert_eq!(answer, "+OK\r\n");
        let answer = ask(&edge, "shard", &["AUTH", user, "guessed"]);
        assert!(answer.starts_with("-WRONGPASS "), "{answer}");
    }
}

#[test]
fn a_link_fails_as_it_is_told_and_recovers() {
    let valkey = Valkey::start();
    let link = FaultyLink::to(valkey.port);
    let healthy = || ping(&link).expect("an answer") == b"+PONG\r\n";
    assert!(healthy());

    link.fails(Fault::CutAfter(3));
    assert_eq!(ping(&link).expect("a part"), b"+PO");
    link.fails(Fault::CutAfter(0));
    assert_eq!(ping(&link).expect("nothing"), b"");
    link.fails(Fault::ResetAfter(0));
    assert_eq!(kind(ping(&link)), ErrorKind::ConnectionReset);
    let done = valkey.calls("ping");

    for silent in [Fault::Hang, Fault::Mute] {
        link.fails(silent);
        assert_eq!(kind(ping(&link)), ErrorKind::WouldBlock);
    }
    eventually("only the mute one was heard", || {
        valkey.calls("ping") == done + 1
    });
    link.fails(Fault::Answer(b"-ERR no\r\n"));
    assert_eq!(ping(&link).expect("an answer"), b"-ERR no\r\n");
    link.fails(Fault::Refuse);
    assert_eq!(kind(ping(&link)), ErrorKind::ConnectionRefused);

    link.fails(Fault::Delay(Duration::from_millis(100)));
    let started = Instant::now();
    assert!(healthy() && started.elapsed() >= Duration::from_millis(100));
    link.recovers();
    assert!(healthy());
    assert_eq!(link.connections(), 9);
    assert!(link.heard().ends_with(PING));
}

#[test]
fn a_flood_has_no_end_of_its_own() {
    let link = FaultyLink::to(1);
    link.fails(Fault::Endless(b"+OK\r\n"));
    let mut connection = TcpStream::connect(("127.0.0.1", link.port)).expect("a connection");
    let mut received = vec![0; 8 << 20];
    connection
        .read_exact(&mut received)
        .expect("as much as one wants");
    assert!(received.ends_with(b"+OK\r\n") || received.starts_with(b"+OK\r\n"));
}

#[test]
fn an_edge_reaches_the_node_that_holds_a_shard() {
    let nodes = [Valkey::start(), Valkey::start()];
    let ports = nodes.each_ref().map(|node| node.port);
    let mut edge = Edge::start(Settings::default().store(&ports));
    let shards: Vec<String> = (0..16).map(|number| format!("shard-{number}")).collect();
    let set = |edge: &Edge| {
        for shard in &shards {
            assert_eq!(ask(edge, shard, &["SET", shard, "1"]), "+OK\r\n");
        }
        nodes.each_ref().map(Valkey::keys)
    };
    let spread = set(&edge);
    assert_eq!(spread.iter().sum::<usize>(), 16);
    assert!(spread.iter().all(|keys| *keys > 0), "{spread:?}");
    assert_eq!(set(&edge), spread, "each shard stays where it is");

    edge.store_moves_to(&ports[..1]);
    assert_eq!(
        set(&edge),
        [16, spread[1]],
        "the node that stays has them all"
    );
    edge.store_moves_to(&ports);
    assert_eq!(set(&edge), [16, spread[1]], "and back it goes");
}

#[test]
fn an_edge_leaves_a_node_out_that_is_ill_and_takes_it_back() {
    let nodes = [Valkey::start(), Valkey::start()];
    let ports = nodes.each_ref().map(|node| node.port);
    let edge = Edge::start(Settings::default().store(&ports).store_watched());
    let healthy = || edge.sum_of("^cluster\\.valkey\\.membership_healthy$");
    eventually("both are well", || healthy() == 2);
    nodes[0].freeze();
    eventually("one is left out", || healthy() == 1);
    // The workers hear of it a little later.
    eventually("the other one answers for all shards", || {
        (0..8).all(|number| {
            let answer = edge
                .client()
                .ask_store(&format!("shard-{number}"), &["PING"]);
            answer.is_ok_and(|answer| answer.text() == "+PONG\r\n")
        })
    });
    nodes[1].freeze();
    eventually("nobody is left", || {
        let answer = edge.client().ask_store("shard", &["PING"]);
        answer.is_ok_and(|answer| answer.status == 503)
    });
    assert_eq!(healthy(), 0);
    for node in &nodes {
        node.thaw();
    }
    eventually("both are well again", || healthy() == 2);
}

#[test]
fn an_edge_speaks_tls_to_a_store_that_it_can_believe() {
    let [valkey, other] = [(); 2].map(|()| Valkey::with().tls().start());
    let over_tls = |authority| {
        let settings = Settings::default().store(&[valkey.tls_port()]);
        Edge::start(settings.store_over_tls(authority))
    };
    let edge = over_tls(valkey.authority());
    assert_eq!(ask(&edge, "shard", &["PING"]), "+PONG\r\n");
    let edge = over_tls(other.authority());
    let answer = edge
        .client()
        .ask_store("shard", &["PING"])
        .expect("an answer");
    let _ = answer.expect(503);
}

#[test]
fn a_crowd_is_spread_over_all_edges_of_a_fleet_and_all_their_workers() {
    let fleet = Fleet::start(&Settings::default(), 2);
    let connections = || -> Vec<Vec<u64>> {
        let edges = fleet.edges();
        edges.map(Edge::connections_by_worker).collect()
    };
    let before = connections();
    let crowd = fleet.crowd(7);
    let statuses = crowd.at_once(|_, client| client.get("/elsewhere/").send().status);
    assert_eq!(statuses, [200; 7]);
    for (now, before) in connections().iter().zip(&before) {
        let new: Vec<u64> = now
            .iter()
            .zip(before)
            .map(|(now, then)| now - then)
            .collect();
        assert_eq!(new.iter().sum::<u64>(), 4, "{new:?}");
        assert!(new.iter().all(|connections| *connections > 0), "{new:?}");
    }
    let asked = fleet.edges().map(|edge| edge.origin.seen().len());
    // Each client has asked for something to be connected, and the last is left out.
    assert_eq!(asked.collect::<Vec<_>>(), [8, 7]);
}
