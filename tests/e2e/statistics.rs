//! Which statistics Envoy keeps, and what an operator does with them, changes no decision.

use std::collections::BTreeMap;

use streamgate_tests::{Edge, Settings, project};

const FILM: &str = "/vod/film/master.m3u8";

/// A film of which an account may play one stream, the latest.
const LATEST: &str = "/latest/film/master.m3u8";

/// Name and label as they are scraped, and the kind.
fn documented() -> BTreeMap<String, String> {
    let page = include_str!("../../docs/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.filter(|row| row.starts_with("streamgate_"));
    let listed = rows.filter_map(|row| {
        let (name, rest) = row.split_once("` | ")?;
        Some((name.to_owned(), rest.split([' ', '|']).next()?.to_owned()))
    });
    listed.collect()
}

/// The same of what an edge shows.
fn scraped(scrape: &str) -> BTreeMap<String, String> {
    let kinds: BTreeMap<&str, &str> = scrape
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .collect();
    let samples = scrape
        .lines()
        .filter(|line| line.starts_with("streamgate_"));
    let shown = samples.map(|sample| {
        let (name, _) = sample.rsplit_once(' ').expect("a value");
        let (family, _) = name.split_once('{').expect("labels");
        let kind = kinds.get(family).copied().unwrap_or_default();
        (name.trim_end_matches("{}").to_owned(), kind.to_owned())
    });
    shown.collect()
}

#[test]
fn a_scrape_shows_the_metrics_that_the_page_lists_and_no_others() {
    let documented = documented();
    assert!(documented.len() > 50, "{documented:?}");
    assert_eq!(
        documented,
        scraped(&Edge::start(Settings::default()).scrape())
    );
}

/// An operator reads of `stats_tags` on the page, and starts from a file that has them.
#[test]
fn every_shipped_file_has_the_labels_that_the_page_shows() {
    let page = include_str!("../../docs/metrics.md");
    let (_, block) = page.split_once("```yaml\n").expect("a block");
    let (block, _) = block.split_once("```").expect("its end");
    assert!(block.starts_with("stats_config:"), "{block}");
    let files = std::fs::read_dir(project().join("envoy")).expect("a directory");
    let mut seen = 0;
    for file in files {
        let path = file.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("text");
        if text.contains("streamgate.wasm") {
            assert!(text.contains(&format!("\n{block}")), "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 9, "the files with the filter");
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
