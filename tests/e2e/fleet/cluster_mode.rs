//! A store in cluster mode: nodes that share out slots among themselves, found by Envoy's own discovery.

use std::time::Duration;

use streamgate_tests::{Fleet, Reply, Settings, Valkey, eventually_within};

use super::households::Households;
use super::{BOUND_AND_SLACK, FILM, sharing};

const PRIMARIES: usize = 3;
const SLOTS: usize = 16_384;

/// For how long nodes wait for each other, unless told otherwise. An edge that starts keeps them busy, most of all
/// with handshakes.
const PATIENT_MS: u32 = 15_000;

fn text(reply: Reply) -> String {
    match reply {
        Reply::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        other => panic!("{other:?}"),
    }
}

/// Where a node speaks with the others.
fn bus_port(node: &Valkey) -> String {
    match node.command(&["CONFIG", "GET", "cluster-port"]) {
        Reply::Array(pair) => text(pair.into_iter().nth(1).expect("a value")),
        other => panic!("{other:?}"),
    }
}

fn info(node: &Valkey) -> String {
    text(node.command(&["CLUSTER", "INFO"]))
}

/// Three primaries, each with so many replicas.
fn cluster(replicas: usize) -> Vec<Valkey> {
    let count = PRIMARIES * (1 + replicas);
    let node_timeout_ms = match replicas {
        0 => PATIENT_MS,
        _ => 2_000,
    };
    let nodes = (0..count).map(|_| Valkey::with().cluster(node_timeout_ms).start());
    cluster_of(nodes.collect())
}

/// Of these nodes.
fn cluster_of(nodes: Vec<Valkey>) -> Vec<Valkey> {
    let count = nodes.len();
    for (at, node) in nodes.iter().take(PRIMARIES).enumerate() {
        let slots = [at * SLOTS / PRIMARIES, (at + 1) * SLOTS / PRIMARIES - 1];
        let [first, last] = slots.map(|slot| slot.to_string());
        let _ = node.command(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]);
        let epoch = (at + 1).to_string();
        let _ = node.command(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]);
    }
    for node in &nodes[1..] {
        // Where nodes speak TLS among themselves, they know each other by the port for that.
        let port = node.tls_port_if_any().unwrap_or(node.port).to_string();
        let bus = bus_port(node);
        let _ = nodes[0].command(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
    }
    let knows_all = format!("cluster_known_nodes:{count}");
    let is_well = |node: &Valkey| {
        let info = info(node);
        info.contains("cluster_state:ok") && info.contains(&knows_all)
    };
    eventually_within(60, "all nodes know each other", || {
        nodes.iter().all(is_well)
    });
    for (at, replica) in nodes.iter().enumerate().skip(PRIMARIES) {
        let primary = text(nodes[at % PRIMARIES].command(&["CLUSTER", "MYID"]));
        eventually_within(60, "it is a replica", || {
            let answer = replica.command(&["CLUSTER", "REPLICATE", &primary]);
            answer == Reply::SimpleString(b"OK".to_vec())
        });
        // One that has never had its primary's data is not promoted.
        eventually_within(60, "it has what its primary has", || {
            text(replica.command(&["INFO", "replication"])).contains("master_link_status:up")
        });
    }
    nodes
}

#[test]
#[ignore = "takes long: make trials"]
fn a_store_in_cluster_mode_holds_the_limit_and_each_node_keeps_its_share() {
    let nodes = cluster(0);
    let settings = sharing(&[nodes[0].port]).store_in_cluster_mode();
    let fleet = Fleet::start(&settings, 2);
    let accounts: Vec<_> = (0..24)
        .map(|number| format!("household-{number}"))
        .collect();
    let apps = fleet.apps("demo-tv");
    let sessions: Vec<_> = accounts
        .iter()
        .map(|account| [0, 1, 1].map(|edge| apps[edge].start(account)))
        .collect();
    for account in &accounts {
        for app in &apps {
            let _ = app.create(account).send().expect(409);
            assert_eq!(app.running(account).len(), 3);
        }
        let _ = fleet[0]
            .player(account)
            .open(FILM)
            .expect_refusal(403, "limit-reached");
    }
    for node in &nodes {
        assert!(node.records() > 0, "each keeps some");
    }
    let kept: usize = nodes.iter().map(Valkey::records).sum();
    assert_eq!(kept, accounts.len());
    for error in ["other", "protocol", "timeout"] {
        assert_eq!(fleet.metric(&format!("fleet.errors.{error}")), 0, "{error}");
    }
    assert_eq!(fleet.metric("fleet.outage_admits"), 0);
    // Other edges hear of ends through the feeds, which are at the nodes of their shards.
    for (account, sessions) in accounts.iter().zip(&sessions) {
        let _ = sessions[0].stop().expect(202);
        let _ = apps[1].start(account);
    }
    let oldest = fleet[0].app("demo-mobile").start("latest");
    super::later();
    let _newest = fleet[1].app("demo-mobile").start("latest");
    eventually_within(BOUND_AND_SLACK, "it hears that it lost its place", || {
        oldest.heartbeat().status == 409
    });
}

/// Accounts have their limit at two edges, each node keeps some, and no call came to nothing.
#[track_caller]
fn holds_the_limit(nodes: &[Valkey], settings: &Settings) {
    let fleet = Fleet::start(settings, 2);
    let apps = fleet.apps("demo-tv");
    for number in 0..24 {
        let account = format!("household-{number}");
        let _sessions = [0, 1, 1].map(|edge| apps[edge].start(&account));
        for app in &apps {
            let _ = app.create(&account).send().expect(409);
        }
    }
    let kept: Vec<_> = nodes.iter().map(Valkey::records).collect();
    assert!(kept.iter().all(|kept| *kept > 0), "{kept:?}");
    assert_eq!(kept.iter().sum::<usize>(), 24);
    assert_eq!(fleet.metric("fleet.outage_admits"), 0);
    for error in ["auth", "other", "protocol"] {
        assert_eq!(fleet.metric(&format!("fleet.errors.{error}")), 0, "{error}");
    }
}

#[test]
#[ignore = "takes long: make trials"]
fn a_store_in_cluster_mode_that_knows_users() {
    let password = "sesame, open for us";
    let nodes = (0..PRIMARIES).map(|_| {
        Valkey::with()
            .cluster(PATIENT_MS)
            .user("edge", password)
            .start()
    });
    let nodes = cluster_of(nodes.collect());
    let settings = sharing(&[nodes[0].port])
        .store_in_cluster_mode()
        .store_known_to("edge", password)
        .with("/fleet/user", "edge")
        .with("/fleet/password", password);
    holds_the_limit(&nodes, &settings);
}

#[test]
#[ignore = "takes long: make trials"]
fn a_store_in_cluster_mode_over_tls() {
    let first = Valkey::with().cluster(PATIENT_MS).tls().start();
    // Nodes ask each other for a certificate, and an edge knows one authority for all of them.
    let others =
        [(); PRIMARIES - 1].map(|()| Valkey::with().cluster(PATIENT_MS).tls_like(&first).start());
    let nodes = cluster_of([first].into_iter().chain(others).collect());
    let settings = sharing(&[nodes[0].tls_port()])
        .store_in_cluster_mode()
        .store_over_tls(nodes[0].authority())
        // A handshake for each of them, at each worker, on a machine that is busy with others' work.
        .with("/fleet/shards", 16)
        .with("/fleet/start_within", "10s");
    holds_the_limit(&nodes, &settings);
}

#[test]
#[ignore = "takes long: make trials"]
fn a_primary_of_a_cluster_that_fails_over_under_load() {
    for on_outage in ["refuse", "admit"] {
        let mut nodes = cluster(1);
        let ports: Vec<_> = nodes.iter().map(|node| node.port).collect();
        let settings = Households::settings(&ports).store_in_cluster_mode();
        let settings = settings.with("/fleet/on_outage", on_outage);
        let mut households = Households::play(&settings);
        households.goes_on_for(Duration::from_secs(1));
        nodes[0].kill();
        eventually_within(60, "its replica has its slots", || {
            households.goes_round();
            info(&nodes[1]).contains("cluster_state:ok")
                && text(nodes[PRIMARIES].command(&["INFO", "replication"])).contains("role:master")
        });
        // Envoy asks for the slots once a second.
        households.goes_on_for(Duration::from_secs(2));
        households.become_exact(&format!("primary of a cluster gone, {on_outage}"));
    }
}
