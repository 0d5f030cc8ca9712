//! Whole manifests as packagers write them (`tests/manifests/`): most were made by ffmpeg,
//! with their URLs made absolute.

use std::fs;
use std::path::Path;

use super::check;

#[test]
fn manifests_of_packagers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests");
    let mut files = 0;
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        eprintln!("{}", path.display());
        let marked = fs::read_to_string(path).expect("a text");
        check(&marked);
        check(&marked.replace('\n', "\r\n"));
        files += 1;
    }
    assert!(files >= 9, "{files}");
}
