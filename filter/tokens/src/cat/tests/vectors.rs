//! Tokens minted by node-cat and python-cwt (see `tests/cat`), good and bad.

use serde_json::Value;

use super::*;
use crate::cat::RenewalKind;
use crate::testing::test;

#[test]
fn node_cats_tokens_are_judged_as_they_should_be() {
    judge_all(include_str!("node-cat.json"), 43);
}

#[test]
fn python_cwts_tokens_are_judged_as_they_should_be() {
    judge_all(include_str!("python-cwt.json"), 173);
}

fn judge_all(file: &str, expected_count: usize) {
    let file: Value = serde_json::from_str(file).unwrap();
    let keys = keys(&file);
    let issuers = file["demands"]["issuers"].as_array().unwrap();
    let demands = Demands {
        issuers: issuers
            .iter()
            .map(|issuer| owned(issuer).unwrap())
            .collect(),
        audience: owned(&file["demands"]["audience"]),
        leeway_ms: 0,
    };
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), expected_count);
    let wrong: Vec<String> = vectors
        .iter()
        .filter_map(|vector| {
            let given = |name: &str| match vector.get(name) {
                Some(value) => value.clone(),
                None => file["request"][name].clone(),
            };
            let found = judge(&keys, &demands, &given);
            let expected = match &vector["expect"] {
                Value::String(error) => error.clone(),
                access => shown_as_expected(access),
            };
            let name = &vector["name"];
            (found != expected).then(|| format!("{name}: expected {expected}, found {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn judge(keys: &Keys, demands: &Demands, given: &impl Fn(&str) -> Value) -> String {
    let text = |name| owned(&given(name)).unwrap();
    let (method, scheme, host) = (text("method"), text("scheme"), text("host"));
    let (path, token) = (text("path"), text("token"));
    let alpn = owned(&given("alpn"));
    let mut head = Headers::default();
    for (name, value) in given("headers").as_object().into_iter().flatten() {
        head = head.with(name, value.as_str().unwrap().as_bytes());
    }
    let asked = CatRequest {
        method: method.as_bytes(),
        scheme: scheme.as_bytes(),
        host: host.as_bytes(),
        path: path.as_bytes(),
        address: owned(&given("address")).map(|address| address.parse().unwrap()),
        alpn: alpn.as_ref().map(String::as_bytes),
        head: &head,
    };
    let now = Moment::from_ms(given("now").as_u64().unwrap() * 1000);
    match read(keys, demands, token.as_bytes(), &asked, now) {
        Ok(access) => shown(&access),
        Err(error) => format!("{error:?}"),
    }
}

/// The keys of a file, in their order.
pub(super) fn keys(file: &Value) -> Keys {
    let keys = file["keys"].as_array().unwrap().iter().map(|key| {
        let kid = key["kid"].as_str().unwrap().as_bytes();
        match (key["hmac"].as_str(), key["es256"].as_str()) {
            (Some(secret), None) => Key::hmac(kid, &from_hex(secret)).unwrap(),
            (None, Some(public)) => Key::es256(kid, public.as_bytes()).unwrap(),
            _ => panic!("{key}"),
        }
    });
    Keys::new(keys.collect()).unwrap()
}

fn owned(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn from_hex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An access as one line, from what was read.
fn shown(access: &Access) -> String {
    let renewal = access.renewal.as_ref().map(|renewal| {
        let (name, parameters) = match renewal.kind {
            RenewalKind::Cookie => (&renewal.cookie_name, &renewal.cookie_parameters),
            _ => (&renewal.header_name, &renewal.header_parameters),
        };
        format!(
            "{:?} {} {:?} {name:?} {parameters:?} {:?}",
            renewal.kind,
            renewal.adds_ms,
            renewal.deadline_ms,
            renewal.status.map(u64::from)
        )
    });
    format!(
        "{:?} {:?} {:?} {:?} {renewal:?}",
        access.issuer,
        access.subject,
        access.id.as_deref().map(to_hex),
        access.expires_at.map(Moment::as_ms),
    )
}

/// The same from what is expected.
fn shown_as_expected(access: &Value) -> String {
    let ms = |value: &Value| value.as_f64().map(|seconds| (seconds * 1000.0) as u64);
    let renewal = access["renewal"].as_object().map(|renewal| {
        let of = |name: &str| renewal.get(name).unwrap_or(&Value::Null);
        let parameters = of("parameters").as_array().cloned().unwrap_or_default();
        let parameters: Vec<_> = parameters.iter().filter_map(owned).collect();
        format!(
            "{} {} {:?} {:?} {parameters:?} {:?}",
            of("kind").as_str().unwrap(),
            ms(of("adds")).unwrap(),
            ms(of("deadline")),
            owned(of("name")),
            of("status").as_u64(),
        )
    });
    format!(
        "{:?} {:?} {:?} {:?} {renewal:?}",
        owned(&access["issuer"]),
        owned(&access["subject"]),
        owned(&access["id"]),
        ms(&access["expires"]),
    )
}
