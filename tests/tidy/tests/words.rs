//! Each word of the glossary stands in the code, and words that it took the place of do not.

use std::collections::BTreeMap;

use streamgate_tidy::{Source, files, identifiers, line, rooms, sources};

fn product() -> Vec<Source> {
    let rooms = rooms();
    rooms
        .iter()
        .flat_map(|room| sources(&format!("{room}/src")))
        .collect()
}

/// The words of an identifier, in lower case: `GenerationBumps` and `generation_bumps` alike.
fn words(identifier: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in identifier.chars() {
        if c == '_' || (c.is_ascii_uppercase() && was_lower) {
            words.push(String::new());
        }
        was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        if c != '_' {
            words
                .last_mut()
                .expect("there is one")
                .push(c.to_ascii_lowercase());
        }
    }
    words
}

#[test]
fn each_word_of_the_glossary_stands_in_the_code() {
    let product = product();
    let (_, page) = files("docs", "md")
        .into_iter()
        .find(|(path, _)| path == "docs/glossary.md")
        .expect("there is a glossary");
    let mut missing = Vec::new();
    for row in page
        .lines()
        .filter(|row| row.starts_with("| ") && !row.starts_with("| word"))
    {
        let names = row.rsplit(" | ").next().unwrap_or_default();
        for name in names.split('`').skip(1).step_by(2) {
            let stands = |file: &Source| identifiers(&file.code).any(|(_, found)| found == name);
            if !product.iter().any(stands) {
                missing.push(format!("{name}, for: {row}"));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "docs/glossary.md has words that no code has: {missing:#?}"
    );
}

/// An identifier of more words than this is a sentence: what a test shows.
const SENTENCE_FROM: usize = 4;

/// Words that another took the place of, and that word.
const REPLACED: &[(&str, &str)] = &[
    ("bell", "generation, bump or waker"),
    ("bells", "generation"),
    ("keeper", "authority"),
    ("horizon", "watermark"),
    ("epoch", "memory_since"),
    ("stamp", "copy version"),
    ("sighted", "pruned"),
    ("ledger", "record"),
    ("ruling", "decision"),
    ("hearing", "evaluate"),
    ("place", "index, position, slot or key"),
];

#[test]
fn no_identifier_has_a_word_that_another_took_the_place_of() {
    let mut found = Vec::new();
    for file in product() {
        for (at, identifier) in identifiers(&file.code) {
            // The name of a test is a sentence.
            let words = words(identifier);
            for word in words.iter().filter(|_| words.len() <= SENTENCE_FROM) {
                if let Some((_, instead)) = REPLACED.iter().find(|(replaced, _)| replaced == word)
                    && !identifier.to_ascii_lowercase().contains("unix")
                {
                    let line = line(&file.code, at);
                    found.push(format!("{}:{line}: {identifier}; say {instead}", file.path));
                }
            }
        }
    }
    assert!(
        found.is_empty(),
        "docs/glossary.md has other words for these: {found:#?}"
    );
}

#[test]
fn each_public_type_has_a_name_of_its_own() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in product() {
        if file.path.contains("tests") || file.path.contains("testing") {
            continue;
        }
        for (number, text) in file.code.lines().enumerate() {
            let text = text.trim_start();
            let Some(rest) = ["pub struct ", "pub enum ", "pub trait ", "pub type "]
                .iter()
                .find_map(|kind| text.strip_prefix(kind))
            else {
                continue;
            };
            if let Some((_, name)) = identifiers(rest).next() {
                let place = format!("{}:{}", file.path, number + 1);
                places.entry(name.to_owned()).or_default().push(place);
            }
        }
    }
    let twice = places.iter().filter(|(_, at)| at.len() > 1);
    let twice: Vec<_> = twice.collect();
    assert!(
        twice.is_empty(),
        "these types share a name; give one another: {twice:#?}"
    );
}
