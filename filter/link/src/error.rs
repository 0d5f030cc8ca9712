//! Why a module cannot be rewritten.

use core::convert::Infallible;
use core::fmt;

use wasm_encoder::reencode;
use wasmparser::BinaryReaderError;

/// Why a module cannot be rewritten.
#[derive(Debug)]
pub enum LinkError {
    /// What was given is no module.
    NotAModule(BinaryReaderError),
    /// The module has something that modules of Rust do not have, such as components.
    Unknown(reencode::Error<Infallible>),
    /// Functions have no names, so nobody can tell which of them are on the fast path: the module
    /// has to be built with `-C strip=debuginfo`, and `wasm-opt` run with `-g`.
    NoNames,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAModule(error) => write!(f, "not a module: {error}"),
            Self::Unknown(error) => write!(f, "not such a module as Rust makes: {error}"),
            Self::NoNames => f.write_str(
                "functions have no names: build with `-C strip=debuginfo`, run wasm-opt with `-g`",
            ),
        }
    }
}

impl core::error::Error for LinkError {}

impl From<BinaryReaderError> for LinkError {
    fn from(error: BinaryReaderError) -> Self {
        Self::NotAModule(error)
    }
}

impl From<reencode::Error<Infallible>> for LinkError {
    fn from(error: reencode::Error<Infallible>) -> Self {
        Self::Unknown(error)
    }
}
