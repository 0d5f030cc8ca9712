//! The project's sources as its tidy tests look at them.
//!
//! [`sources`] reads the files of a folder; [`Source::code`] is a file without comments and the
//! contents of texts, in which identifiers can be looked for; [`circles`] finds files that
//! need each other.

mod blank;
pub mod circles;

use std::fs;
use std::path::{Path, PathBuf};

pub use blank::blank;

/// A source file.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its path from the project's root.
    pub path: String,
    /// What is in it.
    pub text: String,
    /// The same, as long, with spaces for comments and for what stands in texts.
    pub code: String,
}

/// The project's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The crates of the filter, each by its folder.
///
/// # Panics
///
/// If the folder cannot be read.
#[must_use]
pub fn rooms() -> Vec<String> {
    let rooms = fs::read_dir(root().join("filter")).expect("filter/ can be read");
    let mut rooms: Vec<String> = rooms
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| format!("filter/{}", name.to_string_lossy()))
        .filter(|room| root().join(room).join("Cargo.toml").exists())
        .collect();
    rooms.sort();
    rooms
}

/// The Rust files of a folder and of those in it.
#[must_use]
pub fn sources(folder: &str) -> Vec<Source> {
    files(folder, "rs")
        .into_iter()
        .map(|(path, text)| Source {
            code: blank(&text),
            path,
            text,
        })
        .collect()
}

/// Paths and texts of the files of a folder whose names end like this, in the order of their
/// paths. What was built, and what others wrote, is left out.
///
/// # Panics
///
/// If one of them cannot be read.
#[must_use]
pub fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                if !matches!(&*name, "target" | "node_modules" | "results" | "build")
                    && !name.starts_with('.')
                {
                    folders.push(path);
                }
            } else if path
                .extension()
                .is_some_and(|extension| extension == ending)
            {
                let text = fs::read_to_string(&path).expect("a text");
                let path = path.strip_prefix(root()).expect("a path below the root");
                found.push((path.to_string_lossy().into_owned(), text));
            }
        }
    }
    found.sort();
    found
}

/// The identifiers of a file's code, each with the byte it begins at.
pub fn identifiers(code: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = 0;
    std::iter::from_fn(move || {
        let begin = rest + code.get(rest..)?.find(is_part)?;
        let length = code[begin..].find(|c| !is_part(c));
        rest = length.map_or(code.len(), |length| begin + length);
        Some((begin, &code[begin..rest]))
    })
}

/// The line that a byte of a text is in, from 1.
#[must_use]
pub fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// A file up to the tests that stand at its end.
#[must_use]
pub fn before_tests(code: &str) -> &str {
    let begins = code
        .match_indices("#[cfg(test)]\n")
        .map(|(at, _)| at)
        .find(|at| {
            let mut lines = code[*at..]
                .lines()
                .skip_while(|line| line.starts_with("#["));
            lines
                .next()
                .is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
        });
    &code[..begins.unwrap_or(code.len())]
}
