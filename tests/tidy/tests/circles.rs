//! No file needs one that needs it.

use streamgate_tidy::{circles::circles, rooms};

/// Crates that have such files still, to be taken apart.
const KNOWN: &[&str] = &["filter/manifest", "filter/wasm"];

#[test]
fn no_two_files_of_a_crate_need_each_other() {
    for room in rooms() {
        let found = circles(&room);
        if KNOWN.contains(&room.as_str()) {
            assert!(
                !found.is_empty(),
                "{room} has no such files any more: take it off the list"
            );
            continue;
        }
        assert!(
            found.is_empty(),
            "{room} has files that need each other. Move what both need into a file of its own:\n{found:#?}"
        );
    }
}
