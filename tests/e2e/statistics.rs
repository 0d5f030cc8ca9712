//! Which statistics Envoy keeps, and what an operator does with them, changes no decision.

use std::collections::BTreeMap;

use streamgate_tests::{Edge, Settings};

const FILM: &str = "/vod/film/master.m3u8";

/// A film of which an account may play one stream, the latest.
const LATEST: &str = "/latest/film/master.m3u8";

#[test]
fn a_scrape_shows_the_metrics_that_the_page_lists_and_no_others() {
    let page = include_str!("../../docs/metrics.md");
    let documented: BTreeMap<String, &str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `streamgate."))
        .filter_map(|row| {
            let (name, rest) = row.split_once("` | ")?;
            let kind = rest.split([' ', '|']).next()?;
            Some((format!("streamgate_{}", name.replace('.', "_")), kind))
        })
        .collect();
    let scrape = Edge::start(Settings::default()).scrape();
    let scraped: BTreeMap<String, &str> = scrape
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE streamgate_"))
        .filter_map(|line| line.split_once(' '))
        .map(|(name, kind)| (format!("streamgate_{name}"), kind))
        .collect();
    assert!(documented.len() > 40, "{documented:?}");
    assert_eq!(documented, scraped);
}

#[test]
fn a_full_edge_is_full_where_no_statistic_is_kept() {
    let settings = Settings::default().keeping_no_statistics();
    let edge = Edge::start(settings.with("/state/max_streams", 100));
    let app = edge.app("demo-tv");
    let answers = (0..150).map(|n| app.create(&format!("a{n}")).send().status);
    let admitted = answers.filter(|status| *status == 202).count();
    assert_eq!(admitted, 100);
    let _ = app.create("late").send().expect(503);
    let mut player = edge.player("later");
    let _ = player.open(FILM).expect_refusal(503, "edge-full");
    assert!(!edge.all_statistics().contains("live_streams"));
}

#[test]
fn a_place_is_free_again_where_no_statistic_is_kept() {
    let settings = Settings::default().keeping_no_statistics();
    let edge = Edge::start(settings.with("/state/max_streams", 2));
    let app = edge.app("demo-tv");
    let sessions: Vec<_> = (0..2).map(|n| app.start(&format!("a{n}"))).collect();
    let _ = app.create("b").send().expect(503);
    let _ = sessions[0].stop().expect(202);
    let _ = app.start("b");
    let _ = app.create("c").send().expect(503);
}

#[test]
fn an_eviction_is_obeyed_at_once_where_no_statistic_is_kept() {
    let edge = Edge::start(Settings::default().keeping_no_statistics());
    is_obeyed(&edge, "alice", || ());
}

/// A worker that has heard of one eviction since the counters were set back, as another one,
/// comes to as many.
#[test]
fn an_eviction_is_obeyed_at_once_whenever_counters_are_set_back() {
    let edge = Edge::start(Settings::default());
    for account in ["alice", "bob", "carol"] {
        is_obeyed(&edge, account, || edge.reset_counters());
    }
}

/// The first one plays on every worker, and `meanwhile` something happens.
fn is_obeyed(edge: &Edge, account: &str, meanwhile: impl Fn()) {
    let workers = edge.one_client_per_worker();
    let first = edge.player(account).playing(LATEST);
    for worker in &workers {
        first.on(worker).plays();
        first.on(worker).plays();
    }
    meanwhile();
    let second = edge.player(account).playing(LATEST);
    for worker in &workers {
        let _ = first.on(worker).segment().expect_refusal(403, "evicted");
        second.on(worker).plays();
    }
}
