//! Reading what Envoy hands over, and what is said where that fails.

use super::nearest;
use super::problem::ConfigError;
use super::raw::RawConfig;

/// Reads what Envoy hands over: JSON text, or a protobuf `Struct` (see `wire`).
///
/// # Errors
///
/// [`ConfigError::Form`] with the path of the field where reading stopped.
pub fn parse(bytes: &[u8]) -> Result<RawConfig, ConfigError> {
    if let Some(value) = super::wire::decode_struct(bytes) {
        return serde_path_to_error::deserialize(value).map_err(|error| form_error(&error));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let raw = serde_path_to_error::deserialize(&mut json).map_err(|error| form_error(&error))?;
    json.end().map_err(|error| ConfigError::Form {
        path: ROOT.to_owned(),
        what: error.to_string(),
    })?;
    Ok(raw)
}

/// How the configuration as a whole is called.
const ROOT: &str = "configuration";

fn form_error(error: &serde_path_to_error::Error<serde_json::Error>) -> ConfigError {
    let path = match error.path().to_string().as_str() {
        "." | "?" => ROOT.to_owned(),
        path => path.to_owned(),
    };
    let said = error.inner().to_string();
    let what = if SECRETS.iter().any(|secrets| path.starts_with(secrets)) {
        without_values(&said)
    } else {
        nearest::suggestion(&said).unwrap_or(said)
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
