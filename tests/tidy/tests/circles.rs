//! No file needs one that needs it.

use streamgate_tidy::{circles::circles, rooms};

#[test]
fn no_two_files_of_a_crate_need_each_other() {
    for room in rooms() {
        let found = circles(&room);
        assert!(
            found.is_empty(),
            "{room} has files that need each other. Move what both need into a file of its own:\n{found:#?}"
        );
    }
}
