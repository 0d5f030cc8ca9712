//! A large service's configuration loads in under a second, on each worker anew.

// The core is told the time; here it is measured.
#![allow(clippy::disallowed_types)]

use std::time::{Duration, Instant};

use prost::Message;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value as ProtoValue};
use serde_json::{Value, json};

use super::load;
use crate::testing::{CONFIG, env};

/// 10,000 applications that list four of 1,000 policies each.
fn large() -> Value {
    let mut json: Value = serde_json::from_str(CONFIG).unwrap();
    let policies = (0..1_000).map(|n| {
        json!({"name": format!("policy-{n}"), "rules": [
            {"name": "all", "max": 4, "on_conflict": "deny_new", "message": {
                "en": "Only {limit} streams at once", "de": "Nur {limit} Streams zugleich",
            }},
            {"name": "live", "max": 2, "on_conflict": "stop_oldest", "per": ["channel"],
             "when": {"contentType": ["live", "event"]}},
        ]})
    });
    json["policies"] = policies.collect();
    let applications = (0..10_000).map(|n| {
        let listed = [0, 1, 10, 100].map(|step| format!("policy-{}", (n + step) % 1_000));
        let tenant = format!("tenant-{}", n % 100);
        json!({"id": format!("app-{n}"), "name": "An app", "tenant": tenant, "policies": listed})
    });
    json["applications"] = applications.collect();
    for path in json["playback"].as_array_mut().unwrap() {
        path["application"] = json!("app-9999");
    }
    json
}

/// What Envoy makes of a configuration that is written inline.
fn encoded(json: &Value) -> ProtoValue {
    ProtoValue {
        kind: Some(match json {
            Value::Null => Kind::NullValue(0),
            Value::Bool(truth) => Kind::BoolValue(*truth),
            Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap()),
            Value::String(text) => Kind::StringValue(text.clone()),
            Value::Array(list) => Kind::ListValue(ListValue {
                values: list.iter().map(encoded).collect(),
            }),
            Value::Object(fields) => {
                let fields = fields.iter();
                Kind::StructValue(Struct {
                    fields: fields.map(|(name, v)| (name.clone(), encoded(v))).collect(),
                })
            }
        }),
    }
}

#[test]
fn ten_thousand_applications_and_a_thousand_policies_load_in_under_a_second() {
    let json = large();
    let Some(Kind::StructValue(inline)) = encoded(&json).kind else {
        panic!("an object");
    };
    let mut misspelt = json.clone();
    for application in misspelt["applications"].as_array_mut().unwrap() {
        application["policies"] = json!(["polic-7", "plicy-8"]);
    }
    let forms = [
        ("as text", json.to_string().into_bytes(), true),
        ("inline", inline.encode_to_vec(), true),
        ("all wrong", misspelt.to_string().into_bytes(), false),
    ];
    for (form, bytes, good) in forms {
        let started = Instant::now();
        let loaded = load(&bytes, &env);
        let took = started.elapsed();
        println!("{form}: {} KiB in {took:?}", bytes.len() / 1024);
        assert_eq!(loaded.is_ok(), good);
        if let Ok(config) = loaded {
            let last = config.records.book.application("app-9999").unwrap();
            assert_eq!(config.records.book.policies_of(last).count(), 4);
        }
        // Unoptimised it takes ten times as long.
        let limit = Duration::from_secs(if cfg!(debug_assertions) { 10 } else { 1 });
        assert!(took < limit, "{form}: {took:?}");
    }
}
