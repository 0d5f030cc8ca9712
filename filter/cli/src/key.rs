//! Where the subject key comes from. Never from the command line, which every process of the machine can read.

use std::path::PathBuf;
use std::{env, fmt, fs, io};

use clap::Args;

/// The fewest bytes that an edge takes as a secret.
const SECRET_MIN: usize = 16;

/// The edge's `privacy.subject_key`.
#[derive(Debug, Args)]
pub(crate) struct KeySource {
    /// Variable of the environment that holds the edge's `privacy.subject_key`
    #[arg(
        long,
        value_name = "NAME",
        default_value = "STREAMGATE_SUBJECT_KEY",
        conflicts_with = "key_file"
    )]
    key_env: String,
    /// File that holds it, with or without an end of line
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
}

/// Why there is no subject key.
#[derive(Debug)]
pub(crate) enum KeySourceError {
    /// The variable has no value, or none that is UTF-8.
    Unset(String),
    /// The file could not be read, or is not UTF-8.
    Unreadable(PathBuf, io::Error),
    /// It has fewer bytes than an edge takes.
    Short(usize),
}

impl fmt::Display for KeySourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset(name) => write!(
                f,
                "{name} has no value; set it to the edge's privacy.subject_key, or name another by --key-env or --key-file"
            ),
            Self::Unreadable(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Short(bytes) => write!(
                f,
                "the key has {bytes} bytes, and no edge takes one of fewer than {SECRET_MIN}"
            ),
        }
    }
}

impl KeySource {
    /// The key.
    ///
    /// # Errors
    ///
    /// There is none, or none that an edge would take.
    pub(crate) fn read(&self) -> Result<String, KeySourceError> {
        let key = match &self.key_file {
            Some(path) => fs::read_to_string(path)
                .map_err(|error| KeySourceError::Unreadable(path.clone(), error))?
                .trim_end_matches(['\r', '\n'])
                .to_owned(),
            None => {
                env::var(&self.key_env).map_err(|_| KeySourceError::Unset(self.key_env.clone()))?
            }
        };
        if key.len() < SECRET_MIN {
            return Err(KeySourceError::Short(key.len()));
        }
        Ok(key)
    }
}
