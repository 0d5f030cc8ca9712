//! Keys for Common Access Tokens, and what a JWT is given.

use serde_json::{Value, json};

use crate::testing::{config_with, test};

fn problems(change: impl FnOnce(&mut Value)) -> String {
    match config_with(change) {
        Ok(_) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn two_keys_of_one_id_and_kind_are_all_that_is_tried_and_all_that_is_taken() {
    let key = |id: &str, byte: &str| json!({"id": id, "secret": byte.repeat(32)});
    let public = json!({"id": "a", "public_key": streamgate_tokens::cat::testing::EC_PEM});
    let good = json!({"keys": [key("a", "1"), key("a", "2"), public, key("b", "3")]});
    assert_eq!(problems(|json| json["cat"] = good), "");
    let bad = json!({"keys": [key("a", "1"), key("a", "2"), key("b", "3"), key("a", "4")]});
    let problems = problems(|json| json["cat"] = bad);
    assert!(problems.contains("cat.keys[3].id"), "{problems}");
    assert!(problems.contains("at most 2 keys"), "{problems}");
    assert!(!problems.contains("444"), "{problems}");
}

#[test]
fn a_jwts_leeway_is_a_duration_of_ten_minutes_at_most() {
    let leeway = |text: &str| problems(|json| json["jwt"] = json!({"leeway": text}));
    for good in ["0s", "60s", "10min"] {
        assert_eq!(leeway(good), "", "{good}");
    }
    for bad in ["11min", "soon", "-1s", "60"] {
        assert!(leeway(bad).contains("jwt.leeway"), "{bad}");
    }
    assert_eq!(config_with(|_| ()).unwrap().jwt_leeway_ms, 60_000);
}
