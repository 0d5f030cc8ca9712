//! What the documents say of the project is true.

use std::fs;

use streamgate_tests::project;

fn text(path: &str) -> String {
    fs::read_to_string(project().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_test_that_the_session_api_page_names_is_there() {
    let page = text("docs/session-api.md");
    let named: Vec<(&str, &str)> = page
        .split('`')
        .filter_map(|word| word.split_once("::"))
        .collect();
    assert!(named.len() > 15, "{named:?}");
    for (file, test) in named {
        let source = text(&format!("tests/e2e/{file}.rs"));
        assert!(source.contains(&format!("fn {test}()")), "{file}::{test}");
    }
}

#[test]
fn the_readme_quotes_the_smallest_configuration() {
    let readme = text("README.md");
    let (_, quoted) = readme.split_once("```yaml\n").expect("a snippet");
    let (quoted, _) = quoted.split_once("```").expect("its end");
    assert!(text("envoy/smallest.yaml").contains(quoted));
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    for page in [
        "README.md",
        "docs/session-api.md",
        "docs/decisions/README.md",
    ] {
        let folder = project().join(page);
        let folder = folder.parent().expect("a folder").to_owned();
        let content = text(page);
        let targets = content
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.starts_with("http")) {
            assert!(folder.join(target).exists(), "{page} links to {target}");
        }
    }
}
