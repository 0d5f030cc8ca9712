//! A page in a tab of a browser as people meet it: by the keyboard, by ear, in a narrow window.

use std::fs;

use serde_json::json;

use crate::{Tab, project};

/// How wide a window is in CSS pixels, and in which scheme of colours, where both matter.
const APPEARANCES: [(u32, &str); 4] = [
    (320, "light"),
    (320, "dark"),
    (1280, "light"),
    (1280, "dark"),
];

impl Tab<'_> {
    /// Types a text into whatever has the focus.
    #[track_caller]
    pub fn types(&self, text: &str) {
        for character in text.chars() {
            self.press(&character.to_string());
        }
    }

    /// What a screen reader calls all that has this role, a button for example, in the page's order.
    #[must_use]
    #[track_caller]
    pub fn names(&self, role: &str) -> Vec<String> {
        let names = self.tell("names", json!({"role": role}))["names"].take();
        serde_json::from_value(names).expect("names")
    }

    /// Keeps pictures of the whole page in `build/pictures`, narrow and wide, light and dark, to be looked
    /// at.
    #[track_caller]
    pub fn pictures(&self, name: &str) {
        let directory = project().join("build/pictures");
        fs::create_dir_all(&directory).expect("a directory");
        for (width, scheme) in APPEARANCES {
            self.appear(width, scheme);
            let file = directory.join(format!("{name}-{width}-{scheme}.png"));
            self.tell("picture", json!({"file": file}));
        }
    }

    /// Shows itself in a window so wide, in CSS pixels, in the `light` or `dark` scheme.
    #[track_caller]
    pub fn appear(&self, width: u32, scheme: &str) {
        self.tell("appear", json!({"width": width, "scheme": scheme}));
    }

    /// axe finds nothing that keeps people out, and nothing is wider than the window, narrow and
    /// wide, light and dark.
    ///
    /// # Panics
    ///
    /// If it finds something.
    #[track_caller]
    pub fn assert_accessible(&self) {
        let axe = project().join("tests/browser/node_modules/axe-core/axe.min.js");
        let axe = fs::read_to_string(axe).expect("axe, which scripts/setup --tests leaves");
        // A page's own policy may let no script in by an element.
        self.evaluate(&format!("{axe}; 0"));
        for (width, scheme) in APPEARANCES {
            self.appear(width, scheme);
            let found = self.evaluate(
                "axe.run({resultTypes: ['violations']}).then(({violations}) => violations\
                 .map(({id, nodes}) => id + ': ' + nodes.map(({html}) => html).join(' ')))",
            );
            assert_eq!(found, json!([]), "{width} {scheme}");
            let overflow = self.evaluate("document.documentElement.scrollWidth - innerWidth");
            assert_eq!(overflow, json!(0), "{width}");
        }
    }
}
