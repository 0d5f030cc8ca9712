//! Which statistics Envoy keeps, and what an operator does with them, changes no decision.

use std::collections::BTreeMap;

use serde_json::json;
use streamgate_tests::{Edge, Settings, awaited, eventually, project};

const FILM: &str = "/vod/film/master.m3u8";

/// A film of which an account may play one stream, the latest.
const LATEST: &str = "/latest/film/master.m3u8";

/// Names with their labels, and kinds. The names of policies, rules and levels are left out.
type Shown = BTreeMap<String, String>;

fn documented() -> Shown {
    let page = include_str!("../../docs/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.filter(|row| row.starts_with("streamgate_"));
    let listed = rows.filter_map(|row| {
        let (name, rest) = row.split_once("` | ")?;
        Some((name.to_owned(), rest.split([' ', '|']).next()?.to_owned()))
    });
    listed.collect()
}

/// The native module counts for each policy and rule from 0, the Wasm module from 1.
fn is_nothing(sample: &str) -> bool {
    sample.contains("{policy=") && sample.ends_with(" 0")
}

fn shown(scrape: &str) -> Shown {
    let kinds: BTreeMap<&str, &str> = scrape
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .collect();
    let samples = scrape
        .lines()
        .filter(|line| line.starts_with("streamgate_"))
        .filter(|line| !is_nothing(line));
    let shown = samples.map(|sample| {
        let (name, _) = sample.rsplit_once(' ').expect("a value");
        let (family, labels) = name.split_once('{').expect("labels");
        let of_histogram = ["_bucket", "_sum", "_count"].into_iter();
        let mut histogram = of_histogram.filter_map(|part| family.strip_suffix(part));
        let histogram = histogram.find(|family| kinds.get(family) == Some(&"histogram"));
        if let Some(family) = histogram {
            return (family.to_owned(), "histogram".to_owned());
        }
        let labels = labels.trim_end_matches('}').split(',').map(|label| {
            let (name, _) = label.split_once('=').unwrap_or_default();
            match name {
                "policy" | "rule" | "level" => format!("{name}=\"…\""),
                _ => label.to_owned(),
            }
        });
        let labels = labels.collect::<Vec<_>>().join(",");
        let name = match labels.as_str() {
            "" => family.to_owned(),
            _ => format!("{family}{{{labels}}}"),
        };
        (name, (*kinds.get(family).unwrap_or(&"")).to_owned())
    });
    shown.collect()
}

/// An edge at which something has happened by rules that deny, evict and watch.
fn eventful() -> Edge {
    let mut watches = json!({"name": "a.new \"limit\"", "mode": "monitor"});
    watches["rules"] = json!([{"name": "two", "max": 2, "on_conflict": "deny_new"}]);
    let lists = json!(["household", "a.new \"limit\""]);
    let settings = Settings::default()
        .with("/policies/2", watches)
        .with("/applications/1/policies", lists);
    let edge = Edge::start(settings.alone());
    let tv = edge.app("demo-tv");
    let sessions: Vec<_> = (0..3).map(|_| tv.start("alice")).collect();
    let _ = tv.create("alice").send().expect(409);
    let _ = sessions[0].stop().expect(202);
    let mobile = edge.app("demo-mobile");
    let _ = (mobile.start("bob"), mobile.start("bob"));
    edge
}

#[test]
fn a_scrape_shows_the_metrics_that_the_page_lists_and_no_others() {
    let documented = documented();
    assert!(documented.len() > 60, "{documented:?}");
    let edge = eventful();
    // Each worker tells what it has counted when it ticks.
    let scraped = awaited("all that happened is counted", || {
        let scraped = shown(&edge.scrape());
        (scraped.len() >= documented.len()).then_some(scraped)
    });
    assert_eq!(documented, scraped);

    // Nothing is shown of policies and rules for which nothing happened.
    let quiet = Edge::start(Settings::default().alone());
    let quiet = shown(&quiet.scrape());
    let documented = documented.into_iter();
    let unlabelled = documented.filter(|(name, _)| !name.contains("policy="));
    assert_eq!(unlabelled.collect::<Shown>(), quiet);
}

#[test]
fn what_happens_by_a_rule_is_counted_for_it() {
    let edge = eventful();
    let of = |family: &str| -> BTreeMap<String, String> {
        let scrape = edge.scrape();
        let lines = scrape.lines().filter(|line| line.starts_with(family));
        let lines = lines.filter(|line| !is_nothing(line));
        let lines = lines.filter_map(|line| line.rsplit_once(' '));
        let lines = lines.map(|(name, n)| (name[family.len()..].to_owned(), n.to_owned()));
        lines.collect()
    };
    let expect = |family: &str, counted: &[(&str, &str)]| {
        let counted = counted.iter();
        let counted = counted.map(|(labels, n)| ((*labels).to_owned(), (*n).to_owned()));
        let counted: BTreeMap<_, _> = counted.collect();
        // Each worker tells them when it ticks.
        eventually(&format!("{family} is {counted:?}"), || {
            of(family) == counted
        });
    };
    let levels = [
        (r#"{policy="household",level="1"}"#, "1"),
        (r#"{policy="household",level="2"}"#, "1"),
        (r#"{policy="household",level="3"}"#, "1"),
        (r#"{policy="latest-wins",level="1"}"#, "1"),
        // The first gives way to it.
        (r#"{policy="latest-wins",level="2"}"#, "1"),
        (r#"{policy="a_new \"limit\"",level="1"}"#, "1"),
        (r#"{policy="a_new \"limit\"",level="2"}"#, "1"),
        (r#"{policy="a_new \"limit\"",level="3"}"#, "1"),
    ];
    expect("streamgate_policy_starts_total", &levels);
    // Each account came to each of these levels once.
    expect("streamgate_policy_accounts_total", &levels);
    expect(
        "streamgate_policy_refused_accounts_total",
        &[(r#"{policy="household",level="4"}"#, "1")],
    );
    expect(
        "streamgate_rule_refusals_total",
        &[(r#"{policy="household",rule="three-streams"}"#, "1")],
    );
    expect(
        "streamgate_rule_evictions_total",
        &[(r#"{policy="latest-wins",rule="one-stream"}"#, "1")],
    );
    expect(
        "streamgate_rule_monitored_breaches_total",
        &[(r#"{policy="a_new \"limit\"",rule="two"}"#, "1")],
    );
    // Envoy gathers what workers say of a histogram every five seconds.
    eventually("both ends are gathered", || {
        edge.scrape()
            .contains("streamgate_stream_seconds_count{} 2\n")
    });
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
    let edge = Edge::start(Settings::default().alone());
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
        let _ = first.on(worker).refused("evicted");
        second.on(worker).plays();
    }
}
