//! The configuration's JSON Schema (draft 2020-12), for editors and for those who
//! generate configurations. Made of the types in [`super::raw`].

use super::raw::RawConfig;

/// What `docs/configuration.schema.json` holds.
#[must_use]
pub fn text() -> String {
    format!("{:#}\n", schemars::schema_for!(RawConfig).as_value())
}
