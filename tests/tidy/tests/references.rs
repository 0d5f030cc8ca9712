//! Files that comments and pages name are there, and no file is overlong.

use std::path::Path;

use streamgate_tidy::{before_tests, files, line, rooms, root, sources};

/// Folders whose files comments and pages name by their whole path.
const FOLDERS: &[&str] = &[
    "bench/", "docs/", "envoy/", "filter/", "observe/", "scripts/", "store/", "tests/", "client/",
];

#[test]
fn files_that_comments_and_pages_name_are_there() {
    let mut dead = Vec::new();
    let code = FOLDERS.iter().flat_map(|folder| files(folder, "rs"));
    let pages = FOLDERS.iter().flat_map(|folder| files(folder, "md"));
    let rooms = rooms();
    let mut in_root = files("", "md");
    in_root.retain(|(path, _)| !path.contains('/'));
    assert!(in_root.len() >= 3, "the root has pages: {in_root:?}");
    for (path, text) in code.chain(pages).chain(in_root) {
        for (at, quoted) in quoted(&text) {
            let name = quoted.split([' ', ':', '#']).next().unwrap_or_default();
            // The way of a request names files by their crate.
            let whole = format!("filter/{name}");
            let of_crate = rooms
                .iter()
                .any(|room| whole.starts_with(&format!("{room}/src/")));
            let name = match path == "CONTRIBUTING.md" && of_crate {
                true => &whole,
                false => name,
            };
            let is_pattern = name.contains(['*', '<', '{', '$']);
            let is_path =
                FOLDERS.iter().any(|folder| name.starts_with(folder)) && name.contains('.');
            if is_path && !is_pattern && !root().join(name).exists() {
                dead.push(format!("{path}:{}: `{name}`", line(&text, at)));
            }
        }
        let here = Path::new(&path)
            .parent()
            .unwrap_or(Path::new(""))
            .to_owned();
        if path.ends_with(".md") {
            for (at, link) in links(&text) {
                let link = link.split('#').next().unwrap_or_default();
                if !link.is_empty()
                    && !link.contains("://")
                    && !link.starts_with("mailto:")
                    && !root().join(&here).join(link).exists()
                {
                    dead.push(format!("{path}:{}: ({link})", line(&text, at)));
                }
            }
        }
    }
    assert!(
        dead.is_empty(),
        "these name files that are not there: {dead:#?}"
    );
}

/// What stands between backticks on one line.
fn quoted(text: &str) -> Vec<(usize, &str)> {
    between(text, '`', '`')
}

fn links(text: &str) -> Vec<(usize, &str)> {
    between(text, '(', ')')
        .into_iter()
        .filter(|(at, _)| text[..*at].ends_with("]("))
        .collect()
}

fn between(text: &str, open: char, close: char) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut begin = 0;
    for row in text.split_inclusive('\n') {
        let mut at = 0;
        while let Some(first) = row[at..].find(open).map(|first| at + first + 1) {
            let Some(last) = row[first..].find(close).map(|last| first + last) else {
                break;
            };
            found.push((begin + first, &row[first..last]));
            at = last + 1;
        }
        begin += row.len();
    }
    found
}

/// The most lines of a file of the filter, its tests not counted, unless a comment in it says
/// why it is longer (`// Longer than`).
const LINES_MAX: usize = 350;

#[test]
fn no_file_is_overlong_without_saying_why() {
    let mut long = Vec::new();
    for file in sources("filter") {
        if file.path.contains("tests")
            || file.path.contains("benches")
            || file.path.contains("properties")
        {
            continue;
        }
        let lines = before_tests(&file.code).lines().count();
        if lines > LINES_MAX && !file.text.contains("// Longer than") {
            long.push(format!("{}: {lines} lines", file.path));
        }
    }
    assert!(
        long.is_empty(),
        "a file has one subject; split these, or say why not: {long:#?}"
    );
}
