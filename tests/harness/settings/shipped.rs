//! What an edge under test takes from the files of `envoy/`, and the secrets it holds.

use serde_json::Value;
use streamgate_tokens::signed::{KeyRing, SigningKey};
use streamgate_values::subject::SubjectHasher;

use crate::project;

/// The keys that the edges under test sign with, to forge what only they could issue.
#[must_use]
pub fn signing_key() -> KeyRing {
    let secret = shipped_secret("STREAMGATE_SIGNING_KEY");
    KeyRing::new(SigningKey::new("demo-1", secret.as_bytes()), Vec::new())
}

/// What the edges under test hash accounts with.
#[must_use]
pub fn subject_key() -> SubjectHasher {
    SubjectHasher::new(shipped_secret("STREAMGATE_SUBJECT_KEY").as_bytes())
}

/// The secret that an edge under test holds where a shipped file has one of Envoy's
/// environment.
#[must_use]
pub fn secret_of(name: &str) -> String {
    format!("what {name} holds in the tests, long enough")
}

fn shipped_secret(name: &str) -> String {
    let mut bootstrap = shipped("edge.yaml");
    let environment = &plugin_of(&mut bootstrap)["vm_config"]["environment_variables"];
    let secret = environment["key_values"][name].as_str();
    secret.expect("a secret in envoy/edge.yaml").to_owned()
}

/// A file of `envoy/`.
pub(super) fn shipped(name: &str) -> Value {
    let path = project().join("envoy").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The filter's part of a bootstrap.
pub(super) fn plugin_of(bootstrap: &mut Value) -> &mut Value {
    let listener = &mut bootstrap["static_resources"]["listeners"][0];
    plugin_in(&mut listener["filter_chains"][0]["filters"][0]["typed_config"])
}

/// The filter's part of a connection manager.
pub(crate) fn plugin_in(connection_manager: &mut Value) -> &mut Value {
    let filters = connection_manager["http_filters"].as_array_mut();
    filters
        .expect("filters")
        .iter_mut()
        .find(|filter| filter["name"] == "envoy.filters.http.wasm")
        .map(|filter| &mut filter["typed_config"]["config"])
        .expect("the filter in envoy/edge.yaml")
}

pub(super) fn port_of(address: &mut Value, port: u16) {
    address["socket_address"]["port_value"] = port.into();
}

/// Sets what a JSON pointer names; its last part may be new.
pub(super) fn put(value: &mut Value, pointer: &str, new: Value) {
    let (parent, last) = pointer.rsplit_once('/').expect("a JSON pointer");
    let parent = value
        .pointer_mut(parent)
        .unwrap_or_else(|| panic!("the configuration has no {parent}"));
    match parent {
        Value::Array(list) => match last.parse::<usize>() {
            Ok(at) if at < list.len() => list[at] = new,
            _ => list.push(new),
        },
        _ => parent[last] = new,
    }
}
