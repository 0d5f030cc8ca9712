//! What `observe/` gives an operator, with a real Prometheus, a real Envoy and a collector that
//! knows the protocol: rules, dashboard and log show what happens.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};
use streamgate_tests::{
    Collector, Edge, Fault, FaultyLink, Fleet, Given, LogRecord, Prometheus, Settings, Valkey,
    eventually, eventually_within, project, wasm,
};

const FILM: &str = "/vod/film/master.m3u8";

fn text(name: &str) -> String {
    std::fs::read_to_string(project().join(name)).expect("text")
}

fn promtool(arguments: &[&str]) {
    let mut promtool = Command::new("promtool");
    let ran = promtool.current_dir(project()).args(arguments).output();
    let ran = ran.expect("promtool: scripts/setup --tests brings it");
    let said = [ran.stdout, ran.stderr].concat();
    assert!(
        ran.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&said)
    );
}

#[test]
fn prometheus_accepts_configuration_and_rules_and_these_do_what_their_examples_say() {
    promtool(&["check", "config", "observe/prometheus.yml"]);
    promtool(&["check", "rules", "--lint-fatal", "observe/rules.yml"]);
    promtool(&["test", "rules", "observe/rules.test.yml"]);
}

/// The shipped rules.
fn rules() -> Vec<Value> {
    let rules: Value = serde_saphyr::from_str(&text("observe/rules.yml")).expect("YAML");
    rules["groups"][0]["rules"]
        .as_array()
        .expect("rules")
        .clone()
}

#[test]
fn every_rule_has_an_example_and_every_alert_a_remedy() {
    let examples = text("observe/rules.test.yml");
    let page = text("docs/observe.md");
    let mut alerts = BTreeSet::new();
    for rule in rules() {
        match rule["alert"].as_str() {
            Some(alert) => {
                assert!(
                    examples.contains(&format!("alertname: {alert}\n")),
                    "{alert}"
                );
                let _ = alerts.insert(format!("`{alert}`"));
            }
            None => {
                let record = rule["record"].as_str().expect("a name");
                assert!(examples.contains(record), "{record}");
            }
        }
    }
    let rows = page.lines().filter_map(|line| line.strip_prefix("| "));
    let rows = rows.filter(|row| row.starts_with("`Streamgate"));
    let explained: BTreeSet<_> = rows
        .map(|row| row.split(" |").next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(alerts, explained);
}

/// A query of the dashboard: its panel's title, and itself with what Grafana would fill in.
fn queries() -> Vec<(String, String)> {
    let dashboard: Value =
        serde_json::from_str(&text("observe/grafana/streamgate.json")).expect("JSON");
    let is_native = std::env::var("BODY").is_ok_and(|body| body == "native");
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        let title = panel["title"].as_str().expect("a title");
        for target in panel["targets"].as_array().into_iter().flatten() {
            let query = target["expr"].as_str().expect("a query");
            let query = query.replace("$__rate_interval", "1m");
            let query = query.replace("$instance", ".*");
            assert!(!query.contains('$'), "{query}");
            // Of Envoy's VMs, of which a native module has none.
            if !(is_native && query.contains("envoy_wasm_")) {
                queries.push((title.to_owned(), query));
            }
        }
    }
    let variables = dashboard["templating"]["list"].as_array().expect("a list");
    let asked = variables.iter().filter_map(|it| it["definition"].as_str());
    let asked: Vec<_> = asked.collect();
    assert_eq!(asked, ["label_values(streamgate_live_streams, instance)"]);
    queries
}

/// The panel in which all is well if it shows zeros.
const QUIET: &str = "What should stay at 0";

/// An edge of a fleet under policies that deny, evict and watch.
fn settings(link: &FaultyLink) -> Settings {
    let mut watches = json!({"name": "new-limit", "mode": "monitor"});
    watches["rules"] = json!([{"name": "one", "max": 1, "on_conflict": "deny_new"}]);
    Settings::default()
        .fleet(&[link.port])
        .with("/fleet/wait", "1s")
        .with("/policies/2", watches)
        .with(
            "/applications/1/policies",
            json!(["household", "new-limit"]),
        )
        .with("/sessions/calls_per_minute", 100_000)
        .lapsing_after(2)
        .alone()
}

/// Everything a viewer does, once, each time on an account of its own.
fn play(edge: &Edge, account: &str) {
    let [tv, mobile] = ["demo-tv", "demo-mobile"].map(|app| edge.app(app));
    let _sessions: Vec<_> = (0..3).map(|_| tv.create(account).send()).collect();
    let _ = tv.create(account).send();
    let running = tv.running(account);
    if let Some(code) = running
        .first()
        .and_then(|it| it["terminationCode"].as_str())
    {
        let _ = tv.create(account).terminate(code).send();
    }
    let latest = format!("{account}-mobile");
    let _ = (mobile.create(&latest).send(), mobile.create(&latest).send());
    let mut player = edge.player(&format!("{account}-player"));
    if player.open(FILM).status == 200 {
        for _ in 0..3 {
            let _ = player.segment();
        }
        let _ = player.get("master.m3u8");
    }
}

#[test]
fn every_panel_and_every_rule_shows_data_of_a_real_edge() {
    let valkey = Valkey::start();
    let link = FaultyLink::to(valkey.port);
    let fleet = Fleet::start(&settings(&link), 1);
    let edge = &fleet[0];
    let manifest = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n/vod/film/media.m3u8\n";
    edge.origin.gives(FILM, Given::body(manifest));
    let prometheus = Prometheus::scraping(&[edge.admin_port()]);

    // A series needs two scrapes before there is a rate, and the store fails from the second
    // round on every other time.
    let queries = queries();
    let panels: BTreeSet<&str> = queries.iter().map(|(title, _)| title.as_str()).collect();
    assert!(panels.len() >= 20, "{panels:?}");
    let mut answered = BTreeSet::new();
    let mut lively = BTreeSet::new();
    let mut pending = BTreeSet::new();
    let mut round = 0;
    eventually_within(
        180,
        "each query has an answer, and each panel a value",
        || {
            round += 1;
            match round % 6 {
                3 => link.fails(Fault::Refuse),
                0 => link.recovers(),
                _ => {}
            }
            play(edge, &format!("account-{round}"));
            for (title, query) in &queries {
                let samples = prometheus.query(query).expect("a query");
                if !samples.is_empty() {
                    let _ = answered.insert(query.as_str());
                }
                if samples.iter().any(|sample| sample.value > 0.0) {
                    assert_ne!(title, QUIET, "{query}: {samples:?}\n{}", edge.log());
                    let _ = lively.insert(title.as_str());
                }
            }
            for rule in prometheus.rules() {
                if rule["state"] == "pending" || rule["state"] == "firing" {
                    let _ = pending.insert(rule["name"].as_str().expect("a name").to_owned());
                }
            }
            let open: Vec<_> = queries
                .iter()
                .filter(|(_, query)| !answered.contains(query.as_str()))
                .collect();
            let dull: Vec<_> = panels
                .iter()
                .filter(|title| !lively.contains(*title))
                .collect();
            if round % 10 == 0 {
                println!("round {round}: without an answer {open:?}; without a value {dull:?}");
            }
            open.is_empty() && dull == [&QUIET] && pending.contains("StreamgateStoreDown")
        },
    );

    // Rules are worked out without an error, those that record have something to record, and
    // what alerts look at is there.
    let has_data = |query: &str| !prometheus.query(query).expect("a query").is_empty();
    for rule in prometheus.rules() {
        assert_eq!(rule["health"], "ok", "{rule}");
        let name = rule["name"].as_str().expect("a name");
        if rule["type"] == "recording" {
            eventually(&format!("{name} is recorded"), || has_data(name));
        }
        for metric in metrics_in(rule["query"].as_str().expect("a query")) {
            let looked_at = format!("{metric}, which {name} looks at, is there");
            eventually(&looked_at, || has_data(&metric));
        }
    }
}

/// The names of metrics and of what is recorded that stand in a query.
fn metrics_in(query: &str) -> BTreeSet<String> {
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "_:".contains(letter);
    let words = query.split(|letter| !is_name(letter));
    let ours = words.filter(|word| word.contains("streamgate_") || word.starts_with("envoy_"));
    ours.map(str::to_owned).collect()
}

#[test]
fn the_example_of_opentelemetry_is_one_that_envoy_accepts() {
    let _built = wasm();
    let file = "observe/opentelemetry.yaml";
    let validated = Command::new(streamgate_tests::envoy())
        .current_dir(project())
        .args([
            "--mode",
            "validate",
            "--log-level",
            "info",
            "--config-path",
            file,
        ])
        .env("STREAMGATE_SIGNING_KEY", "only-to-see-whether-it-loads")
        .env("STREAMGATE_SUBJECT_KEY", "only-to-see-whether-it-loads")
        .output()
        .expect("to run Envoy");
    let log = String::from_utf8_lossy(&validated.stderr);
    assert!(
        validated.status.success() && log.contains("protected paths"),
        "{log}"
    );

    // It is envoy/smallest.yaml with a log and a collector.
    let [smallest, mut this] = ["envoy/smallest.yaml", file]
        .map(|name| serde_saphyr::from_str::<Value>(&text(name)).expect("YAML"));
    let clusters = this["static_resources"]["clusters"].as_array_mut();
    assert_eq!(clusters.expect("clusters").remove(1)["name"], "collector");
    let listener = &mut this["static_resources"]["listeners"][0];
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    let manager = manager.as_object_mut().expect("fields");
    assert!(manager.remove("access_log").is_some());
    assert_eq!(this, smallest);
}

#[test]
fn a_collector_is_sent_a_record_of_each_decision_and_of_nothing_else() {
    let collector = Collector::new();
    let edge = Edge::start(Settings::default().logging_to(collector.port));
    let _ = edge.app("demo-tv").start("alice");
    for _ in 0..2 {
        edge.player("alice").playing(FILM).plays();
    }
    let refused = edge.player("alice").open(FILM);
    let _ = refused.expect_refusal(403, "limit-reached");
    let told = |record: &LogRecord| -> Value {
        serde_json::from_str(&record.body).unwrap_or_else(|_| panic!("no JSON: {record:?}"))
    };
    let events = || {
        let records = collector.records().into_iter();
        let events = records.map(|record| told(&record)["event"].clone());
        let events = events.map(|event| event.as_str().unwrap_or_default().to_owned());
        events.collect::<Vec<_>>()
    };
    eventually("all four decisions have arrived", || events().len() >= 4);
    let mut sorted = events();
    sorted.sort();
    assert_eq!(sorted, ["refusal", "start", "start", "start"]);

    let records = collector.records();
    let refusal = records
        .iter()
        .find(|record| told(record)["event"] == "refusal");
    let refusal = refusal.expect("a refusal");
    assert_eq!(refusal.service, "streamgate");
    assert!(refusal.time_ns > 1_700_000_000_000_000_000);
    let decision = told(refusal);
    assert_eq!(decision["reason"], "limit-reached");
    assert_eq!(decision["application"], "demo-web");
    assert_eq!(refusal.attributes["http.response.status_code"], "403");
    // All are of one account, and neither it nor a token is told.
    let subjects: BTreeSet<_> = records
        .iter()
        .map(|it| told(it)["subject"].to_string())
        .collect();
    assert_eq!(subjects.len(), 1, "{subjects:?}");
    for record in &records {
        let told = format!("{record:?}");
        assert!(!told.contains("alice") && !told.contains("/~"), "{told}");
    }
}
