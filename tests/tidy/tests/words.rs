//! Each word of the glossary stands in the code, and words that it took the place of do not.

use std::collections::BTreeMap;

use streamgate_tidy::{Source, before_tests, files, identifiers, line, rooms, sources};

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

/// What stands only in tests: a name may be in use there that the product has, too.
const TESTS: &[&str] = &["tests", "testing", "test_edge", "properties"];

/// The two bodies are each other's twin: what both have to have stands in each of them, under one name.
const BODIES: [&str; 2] = ["filter/native/", "filter/wasm/"];

/// The name of the type that a line defines. The types of a trait have no `pub` and stand further in.
fn type_named(line: &str) -> Option<&str> {
    let line = match line.trim_start().strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(") ")?.1,
        Some(rest) => rest.trim_start(),
        None => line,
    };
    let kinds = ["struct ", "enum ", "union ", "trait ", "type "];
    let rest = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
    identifiers(rest).next().map(|(_, name)| name)
}

#[test]
fn each_type_has_a_name_of_its_own() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in product() {
        if TESTS.iter().any(|tests| file.path.contains(tests)) {
            continue;
        }
        for (number, line) in before_tests(&file.code).lines().enumerate() {
            if let Some(name) = type_named(line) {
                let place = format!("{}:{}", file.path, number + 1);
                places.entry(name.to_owned()).or_default().push(place);
            }
        }
    }
    assert!(places.len() > 400, "types were found: {}", places.len());
    places.retain(|_, at| {
        let are_twins = at.len() == BODIES.len()
            && BODIES
                .iter()
                .all(|body| at.iter().any(|place| place.starts_with(body)));
        at.len() > 1 && !are_twins
    });
    assert!(
        places.is_empty(),
        "these types share a name; give one another: {places:#?}"
    );
}
