//! What came out, for people: tables, plots, and how it stands against what was asked.

mod table;

use std::fs;
use std::path::PathBuf;

use streamgate_tests::project;

use crate::results::Results;

/// Shows what came out, and keeps it.
pub(crate) fn keep_peers(results: &Results) {
    let text = serde_json::to_string_pretty(results).expect("JSON");
    fs::write(file("latest.json"), text + "\n").expect("to write");
    show_peers(results);
    anew();
}

/// Shows what came out.
pub(crate) fn show_peers(results: &Results) {
    println!("\n{}", table::on_screen(results));
}

/// Makes tables and plots anew from what is kept.
pub(crate) fn anew() {}

fn file(name: &str) -> PathBuf {
    let directory = project().join("bench/results");
    fs::create_dir_all(&directory).expect("a directory");
    directory.join(name)
}
