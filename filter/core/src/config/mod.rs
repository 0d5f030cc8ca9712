//! Configuration: read once, compiled into types that cannot be wrong.
//!
//! [`raw`] is what an operator writes (contract, section 6), [`compile`] turns it
//! into [`Config`], or says everything that is wrong with it at once. Nothing that
//! uses a `Config` checks it again.

#[cfg(test)]
mod cat_tests;
mod choices;
pub mod compile;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod docs_tests;
#[cfg(test)]
mod idle_tests;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod large_tests;
mod limits;
mod located;
#[cfg(test)]
mod mistakes_tests;
mod nearest;
#[cfg(test)]
mod no_effect_tests;
mod operator;
pub mod parse;
mod playback;
pub mod problem;
pub mod raw;
#[cfg(feature = "schema")]
pub mod schema;
mod secrecy;
mod session_api;
#[cfg(test)]
mod session_api_tests;
mod settings;
#[cfg(test)]
mod tests;
mod tree;
mod trouble;
#[cfg(test)]
mod vain_tests;
mod wire;

pub use choices::{Compatibility, Paused, Preflight, Start};
pub use operator::{Operator, OperatorKeys};
pub use playback::{
    AttributeSource, CmcdKey, Credentials, LooksAt, PlaybackPath, Slate, StreamCarrier,
    SubjectCarrier, TemplateSegment, TokenPosition,
};
pub use problem::{ConfigError, Problem};
pub use session_api::{ApplicationSecrets, SessionApi, SubjectProof};
pub use settings::{Cat, Config, Sessions};
pub(crate) use tree::Tree;

/// Reads a configuration as Envoy hands it to the filter: JSON text, or an encoded
/// `google.protobuf.Struct`. `env` looks up
/// environment variables for secrets.
///
/// # Errors
///
/// [`ConfigError`] names every field that is wrong, what was found there and what is
/// allowed. It never holds a secret.
pub fn load(bytes: &[u8], env: &dyn Fn(&str) -> Option<String>) -> Result<Config, ConfigError> {
    let parsed = parse::parse(bytes)?;
    compile::compile(parsed, env).map_err(ConfigError::Invalid)
}
