//! CONTRIBUTING.md counts the files of each way of a request as it names them.

use std::collections::BTreeSet;

use streamgate_tidy::files;

/// The ways of the table: what a way goes through at an edge alone, and what comes to it in a fleet, by
/// the headings of the page.
const WAYS: &[(&str, &[&str], &[&str])] = &[
    (
        "a segment on the fast path",
        &["A segment on the fast path"],
        &[],
    ),
    (
        "a segment whose lease is due",
        &["A segment on the fast path", "A segment whose lease is due"],
        &["A due lease in a fleet"],
    ),
    (
        "a first segment, its response included",
        &["A first segment"],
        &["Asking the fleet's store"],
    ),
    (
        "a create call",
        &["A create call"],
        &["Asking the fleet's store"],
    ),
];

#[test]
fn each_way_of_a_request_has_as_many_files_as_the_page_says() {
    let (_, page) = files("", "md")
        .into_iter()
        .find(|(path, _)| path == "CONTRIBUTING.md")
        .expect("there is a page for contributors");
    let (_, page) = page
        .split_once("## The way of a request\n")
        .expect("the page tells the way of a request");
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter(|line| line.starts_with("| a "))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), WAYS.len(), "{rows:?}");
    for (row, (name, alone, in_a_fleet)) in rows.iter().zip(WAYS) {
        let [way, numbers @ ..] = row.as_slice() else {
            panic!("an empty row");
        };
        assert_eq!(way, name);
        let numbers: Vec<usize> = numbers
            .iter()
            .map(|number| number.parse().expect("a number"))
            .collect();
        let mut named: BTreeSet<&str> = alone.iter().flat_map(|name| opened(page, name)).collect();
        let mut counted = vec![named.len()];
        named.extend(in_a_fleet.iter().flat_map(|name| opened(page, name)));
        counted.push(named.len());
        assert_eq!(numbers[..2], counted, "{way}: {named:#?}");
        assert!(numbers[1] <= numbers[2], "{way} has become longer");
    }
}

/// The files that a part of the page names outside of parentheses.
fn opened<'a>(page: &'a str, heading: &str) -> Vec<&'a str> {
    let heading = format!("### {heading}\n");
    let (_, part) = page.split_once(&heading).expect(&heading);
    let part = part.split("\n### ").next().unwrap_or_default();
    let (mut opened, mut depth, mut quoted) = (Vec::new(), 0, false);
    let mut rest = part;
    while let Some(at) = rest.find(['`', '(', ')']) {
        match &rest[at..=at] {
            "`" => {
                if quoted && depth == 0 && rest[..at].ends_with(".rs") {
                    opened.push(&rest[..at]);
                }
                quoted = !quoted;
            }
            "(" if !quoted => depth += 1,
            ")" if !quoted => depth -= 1,
            _ => {}
        }
        rest = &rest[at + 1..];
    }
    assert_eq!(
        (depth, quoted),
        (0, false),
        "{heading} closes what it opens"
    );
    opened
}
