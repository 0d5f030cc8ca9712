//! Reading what Envoy hands over, and what is said where that fails.

use serde::Deserialize;

use super::located::{Located, Trouble};
use super::nearest;
use super::problem::ConfigError;
use super::raw::RawConfig;
use super::tree::Tree;
use super::wire;

/// Reads what Envoy hands over: JSON text, or a protobuf `Struct` (see `wire`).
///
/// # Errors
///
/// [`ConfigError::Form`] with the path of the field where reading stopped.
pub fn parse(bytes: &[u8]) -> Result<RawConfig, ConfigError> {
    let tree = match wire::decode_struct(bytes) {
        Some(tree) => tree,
        None => serde_json::from_slice::<Tree>(bytes).map_err(|error| ConfigError::Form {
            path: ROOT.to_owned(),
            what: error.to_string(),
        })?,
    };
    RawConfig::deserialize(Located(&tree)).map_err(|trouble| form_error(&trouble))
}

/// How the configuration as a whole is called.
const ROOT: &str = "configuration";

fn form_error(trouble: &Trouble) -> ConfigError {
    let path = match trouble.path() {
        path if path.is_empty() => ROOT.to_owned(),
        path => path,
    };
    let said = trouble.what();
    let is_secret = SECRETS.iter().any(|secrets| path.starts_with(secrets))
        || (path.starts_with("applications[") && path.contains("].secret"));
    let what = if is_secret {
        without_values(said)
    } else {
        nearest::suggestion(said).unwrap_or_else(|| said.to_owned())
    };
    ConfigError::Form { path, what }
}

/// Where the values are secrets, or what may have been meant as one.
const SECRETS: [&str; 4] = ["sessions.signing_keys", "privacy", "cat", "fleet"];

/// An error's text with nothing left of the text that was found.
fn without_values(said: &str) -> String {
    match (said.split_once('"'), said.rsplit_once('"')) {
        (Some((before, _)), Some((_, after))) => format!("{before}(not shown){after}"),
        _ => nearest::suggestion(said).unwrap_or_else(|| said.to_owned()),
    }
}
