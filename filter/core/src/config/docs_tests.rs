//! What operators are given to read: the schema says what the filter says, and the
//! page explains all of it.

use serde_json::{Value, json};
use streamgate_tokens::cat::testing::EC_PEM;

use super::load;
use crate::testing::{as_door, shipped};

const SCHEMA: &str = "docs/configuration.schema.json";

fn schema() -> Value {
    serde_json::from_str(&shipped::text(SCHEMA)).unwrap()
}

#[cfg(feature = "schema")]
#[test]
fn the_schema_is_what_the_types_say() {
    let current: Value = serde_json::from_str(&super::schema::text()).unwrap();
    assert!(
        schema() == current,
        "{SCHEMA} is not up to date. Please run:\n\
         cargo run -p streamgate-core --features schema --example schema > {SCHEMA}"
    );
}

/// Whether the schema allows a configuration, and whether the filter does.
struct Judges {
    schemas: boon::Schemas,
    schema: boon::SchemaIndex,
}

impl Judges {
    fn new() -> Self {
        let mut schemas = boon::Schemas::new();
        let mut compiler = boon::Compiler::new();
        compiler.add_resource("schema.json", schema()).unwrap();
        let schema = compiler.compile("schema.json", &mut schemas).unwrap();
        Self { schemas, schema }
    }

    fn judge(&self, json: &Value) -> [Result<(), String>; 2] {
        let env = |name: &str| Some(format!("what {name} holds, long enough"));
        let by_schema = self.schemas.validate(json, self.schema);
        let by_filter = load(json.to_string().as_bytes(), &env);
        [
            by_schema.map_err(|error| error.to_string()),
            by_filter.map(drop).map_err(|error| error.to_string()),
        ]
    }

    fn accept(&self, json: &Value) {
        assert_eq!(self.judge(json), [Ok(()), Ok(())], "{json:#}");
    }
}

/// `cat` with one good key and another value for a field.
fn cat_with(field: &str, value: Value) -> Value {
    let mut cat = json!({"keys": [{"id": "shop", "secret": {"env": "CAT_SECRET"}}]});
    cat[field] = value;
    cat
}

/// The demo's configuration with another value at a JSON pointer.
fn demo_with(pointer: &str, value: &Value) -> Value {
    let mut json = shipped::plugin("edge.yaml");
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    match json.pointer_mut(parent).unwrap() {
        Value::Array(list) => list[last.parse::<usize>().unwrap()] = value.clone(),
        parent => parent[last] = value.clone(),
    }
    json
}

#[test]
fn schema_and_filter_accept_what_is_shipped() {
    let judges = Judges::new();
    let mut seen = 0;
    for file in std::fs::read_dir(shipped::path("envoy")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if name != "origin.yaml" {
            judges.accept(&shipped::plugin(&name));
            seen += 1;
        }
    }
    assert!(seen >= 5);
}

#[test]
fn schema_and_filter_agree_on_what_is_right() {
    let judges = Judges::new();
    let rule = "/policies/0/rules/0";
    let right = [
        ("/compatibility", json!("cm-v2")),
        ("/referer", json!("filter")),
        ("/referer", json!("route")),
        ("/policies/0/mode", json!("monitor")),
        (&format!("{rule}/max"), json!(0)),
        (&format!("{rule}/max"), json!(1000)),
        (&format!("{rule}/max_claim"), json!("climit")),
        (&format!("{rule}/count"), json!({"distinct": "deviceId"})),
        (&format!("{rule}/per"), json!(["channel", "deviceType"])),
        (&format!("{rule}/same_device"), json!("count")),
        (&format!("{rule}/message"), json!({"de": "Zu viele"})),
        (
            &format!("{rule}/action"),
            json!({"label": "Help", "url": "https://example.com/help"}),
        ),
        (
            &format!("{rule}/action"),
            json!({"label": {"de": "Hilfe"}, "url": {"de": "https://example.com:8443?x"}}),
        ),
        (
            &format!("{rule}/when"),
            json!({"a": "x", "b": ["x", 1, true], "c": false, "d": 2.5}),
        ),
        (
            &format!("{rule}/when"),
            json!({"a": {"not": "x"}, "b": {"not": ["x"]}}),
        ),
        (
            &format!("{rule}/when"),
            json!({"a": {"at_least": 1}, "b": {"below": 2.5}}),
        ),
        ("/sessions/base_path", json!("/a")),
        ("/sessions/base_path", json!("/api/v2")),
        ("/sessions/timeout", json!("1m 30s")),
        ("/sessions/calls_per_minute", json!(1_000_000)),
        ("/privacy/subject_key", json!("exactly 16 bytes")),
        ("/playback/0/match/prefix", json!("/")),
        ("/playback/0/timeout", json!("3m")),
        ("/playback/0/refuse/status", json!(410)),
        ("/state", json!({})),
        ("/playback", json!([])),
        ("/cat", cat_with("issuers", json!(["shop", "other"]))),
        ("/cat", cat_with("audience", json!("cdn"))),
        ("/cat", cat_with("leeway", json!("0s"))),
        ("/cat", cat_with("header", json!("Authorization"))),
        (
            "/cat",
            json!({"keys": [{"id": "shop", "public_key": EC_PEM}]}),
        ),
    ];
    for (pointer, value) in right {
        judges.accept(&demo_with(pointer, &value));
    }
}

#[test]
fn schema_and_filter_agree_on_what_is_wrong() {
    let judges = Judges::new();
    let rule = "/policies/0/rules/0";
    let wrong = [
        ("/policy", json!([])),
        ("/applications", json!([])),
        ("/applications/0/id", json!("a:b")),
        ("/applications/0/id", json!("")),
        ("/applications/0/id", json!("x".repeat(129))),
        ("/applications/0/policies", json!("household")),
        ("/applications/0", json!({"id": "demo-web"})),
        ("/compatibility", json!("cm_v2")),
        ("/referer", json!("routes")),
        ("/policies/0/mode", json!("observe")),
        ("/policies/0/rules", json!([])),
        (&format!("{rule}/max"), json!(1001)),
        (&format!("{rule}/max"), json!(-1)),
        (&format!("{rule}/max"), json!(1.5)),
        (&format!("{rule}/max"), json!("3")),
        (&format!("{rule}/max_claim"), json!("")),
        (&format!("{rule}/max_claim"), json!("x".repeat(129))),
        (&format!("{rule}/max_claim"), json!(3)),
        (&format!("{rule}/limit"), json!(3)),
        (&format!("{rule}/count"), json!({"distict": "deviceId"})),
        (&format!("{rule}/count"), json!({"distinct": ""})),
        (&format!("{rule}/per"), json!("channel")),
        (&format!("{rule}/per"), json!([""])),
        (&format!("{rule}/when"), json!({"a": {"atleast": 1}})),
        (&format!("{rule}/when"), json!({"a": {"at_least": "1"}})),
        (&format!("{rule}/when"), json!({"a": null})),
        (&format!("{rule}/on_conflict"), json!("deny_now")),
        (&format!("{rule}/same_device"), json!("replaces")),
        (&format!("{rule}/message"), json!({})),
        (&format!("{rule}/action"), json!("https://example.com")),
        (&format!("{rule}/action"), json!({"label": "Help"})),
        (
            &format!("{rule}/action"),
            json!({"label": "Help", "url": "http://example.com"}),
        ),
        (
            &format!("{rule}/action"),
            json!({"label": "Help", "url": {"de": "javascript:alert(1)"}}),
        ),
        (
            &format!("{rule}/action"),
            json!({"label": "Help", "url": {}}),
        ),
        (
            &format!("{rule}/action"),
            json!({"label": "Help", "url": "https://example.com", "icon": "x"}),
        ),
        (&format!("{rule}/message"), json!(["Too many"])),
        ("/sessions/hearbeat", json!("60s")),
        ("/sessions/heartbeat", json!("soon")),
        ("/sessions/heartbeat", json!("60")),
        ("/sessions/heartbeat", json!(60)),
        ("/sessions/base_path", json!("v2")),
        ("/sessions/base_path", json!("/v2/")),
        ("/sessions/base_path", json!("/")),
        ("/sessions/base_path", json!("/~v2")),
        ("/sessions/signing_keys", json!([])),
        ("/sessions/calls_per_minute", json!(0)),
        ("/sessions/creates_per_minute", json!(1_000_001)),
        ("/privacy/subject_key", json!("15 bytes, so no")),
        ("/privacy/subject_key", json!({"environment": "X"})),
        ("/playback/0/match/prefix", json!("vod")),
        ("/playback/0/match/prefix", json!("/~vod/")),
        ("/playback/0/match/prefix", json!("/vod/*")),
        ("/playback/0/match/prefix", json!("/v%6fd/")),
        ("/playback/0/start", json!("always")),
        ("/playback/0/subject", json!([])),
        ("/playback/0/subject", json!([{"cmcd": "sid"}])),
        ("/playback/0/subject", json!([{"header": "no header"}])),
        (
            "/playback/0/stream",
            json!([{"token": "path"}, {"redirect": false}]),
        ),
        ("/playback/0/refuse/status", json!(200)),
        ("/cat", json!({})),
        ("/cat", cat_with("keys", json!([]))),
        ("/cat", cat_with("keys", json!([{"id": "shop"}, 1]))),
        (
            "/cat",
            cat_with("keys", json!([{"id": "", "public_key": EC_PEM}])),
        ),
        ("/cat", cat_with("issuers", json!([""]))),
        ("/cat", cat_with("audience", json!(""))),
        ("/cat", cat_with("leeway", json!("soon"))),
        ("/cat", cat_with("header", json!("no header"))),
        ("/cat", cat_with("cookie", json!(""))),
        ("/cat", cat_with("query", json!("a=b"))),
        ("/cat", cat_with("algorithm", json!("HS256"))),
        ("/state/slots", json!(0)),
        ("/state/slots", json!((1 << 20) + 1)),
        ("/state/max_streams", json!(100_000_001)),
        ("/state/max_streams_per_subject", json!(1001)),
        ("/state/max_attribute_bytes", json!(63)),
        ("/state/max_attribute_bytes", json!(10_241)),
    ];
    for (pointer, value) in wrong {
        let json = demo_with(pointer, &value);
        let refused = judges.judge(&json).map(|judged| judged.is_err());
        assert_eq!(refused, [true, true], "{pointer}: {value}");
    }
    // What only the filter can tell.
    for (pointer, value) in [
        ("/sessions/timeout", json!("1s")),
        ("/sessions/heartbeat", json!("2days")),
        ("/applications/1/id", json!("demo-web")),
        ("/applications/0/policies", json!(["no-such-policy"])),
        ("/playback/0/stream", json!([{"redirect": true}])),
        ("/playback/0/subject", json!([{"cat": "sub"}])),
        ("/cat", cat_with("leeway", json!("1h"))),
        ("/cat", cat_with("keys", json!([{"id": "shop"}]))),
        (
            "/cat",
            cat_with(
                "keys",
                json!([{"id": "shop", "secret": "16 bytes, no more"}]),
            ),
        ),
    ] {
        let json = demo_with(pointer, &value);
        let refused = judges.judge(&json).map(|judged| judged.is_err());
        assert_eq!(refused, [false, true], "{pointer}: {value}");
    }
}

/// A part of the schema, or what it refers to.
fn resolved<'a>(root: &'a Value, part: &'a Value) -> &'a Value {
    match part["$ref"].as_str() {
        Some(target) => root.pointer(target.trim_start_matches('#')).unwrap(),
        None => part,
    }
}

/// What the page must explain of a part of the schema.
#[derive(Default)]
struct Explained {
    /// Fields with their defaults; a field of `rules[]` is called `rules[].max`.
    fields: Vec<(String, Option<Value>)>,
    /// What can be written where there is a choice.
    words: Vec<String>,
}

impl Explained {
    fn collect(&mut self, root: &Value, part: &Value, path: &str) {
        let part = resolved(root, part);
        if part["items"].is_object() {
            let list = if path.is_empty() { "" } else { "[]" };
            self.collect(root, &part["items"], &format!("{path}{list}"));
        }
        let choices = ["oneOf", "anyOf"]
            .iter()
            .filter_map(|of| part[of].as_array());
        for alternative in choices.flatten() {
            let alternative = resolved(root, alternative);
            if part["anyOf"][1]["type"] == "null" {
                // No choice: it may be left out.
                self.collect(root, alternative, path);
                continue;
            }
            let word = alternative["const"].as_str();
            self.words.extend(word.map(str::to_owned));
            let Some(fields) = alternative["properties"].as_object() else {
                self.collect(root, alternative, path);
                continue;
            };
            for (name, field) in fields {
                self.words.push(name.clone());
                self.collect(root, field, path);
            }
        }
        if part["additionalProperties"].is_object() {
            self.collect(root, &part["additionalProperties"], path);
        }
        let separator = if path.is_empty() { "" } else { "." };
        for (name, field) in part["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}{separator}{name}");
            let nested = self.fields.len();
            self.collect(root, field, &path);
            // Of one that only holds others, these are explained.
            if self.fields.len() == nested || field["type"] == "array" {
                self.fields.push((path, field.get("default").cloned()));
            }
        }
    }
}

/// What stands in backticks, one line or more.
fn code(text: &str) -> Vec<&str> {
    let code = text.split('`').skip(1).step_by(2);
    let word = |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-';
    code.flat_map(|code| code.split(word)).collect()
}

#[test]
fn the_page_explains_every_field_with_its_default_and_every_choice() {
    let page = shipped::text("docs/configuration.md");
    let schema = schema();
    for (name, part) in schema["properties"].as_object().unwrap() {
        let section = page
            .split("\n## ")
            .find(|section| section.lines().next() == Some(name));
        let section = section.unwrap_or_else(|| panic!("no section {name}"));
        assert!(section.contains("```yaml"), "{name} has no example");
        let mut explained = Explained::default();
        explained.collect(&schema, part, "");
        for (field, default) in explained.fields {
            let row = format!("| `{field}` | ");
            let row = section.lines().find(|line| line.starts_with(&row));
            let row = row.unwrap_or_else(|| panic!("{name}: no row for `{field}`"));
            let written = match default {
                Some(Value::String(text)) if text.is_empty() => continue,
                Some(Value::String(text)) => format!("| `{text}` |"),
                Some(Value::Number(number)) => format!("| `{number}` |"),
                _ => continue,
            };
            assert!(
                row.contains(&written),
                "{name}: `{field}` without its default {written}"
            );
        }
        let known = code(section);
        for word in explained.words {
            assert!(
                known.contains(&word.as_str()),
                "{name}: nothing about `{word}`"
            );
        }
    }
}

#[test]
fn the_pages_examples_are_right() {
    let judges = Judges::new();
    let page = shipped::text("docs/configuration.md");
    let examples = page.split("```").skip(1).step_by(2);
    let mut seen = 0;
    for example in examples.filter_map(|example| example.strip_prefix("yaml\n")) {
        let example: Value = serde_saphyr::from_str(example).unwrap();
        let example = example.as_object().unwrap();
        let mut json = shipped::plugin("edge.yaml");
        if let Some(policies) = example.get("policies") {
            let policies = policies.as_array().unwrap().iter();
            let names: Value = policies.map(|policy| policy["name"].clone()).collect();
            for application in json["applications"].as_array_mut().unwrap() {
                application["policies"] = names.clone();
            }
        }
        for (name, part) in example {
            json[name] = part.clone();
        }
        if example.contains_key("operator") {
            as_door(&mut json, example["operator"].clone());
        }
        judges.accept(&json);
        seen += 1;
    }
    assert!(seen >= 9, "each section has an example");
}
