//! What the project ships, read from its files.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::config::{Config, load};

/// A file of the project.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(name)
}

/// The text of a file of the project.
pub(crate) fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The filter's configuration in a file of `envoy/`.
pub(crate) fn plugin(file: &str) -> Value {
    let bootstrap: Value = serde_saphyr::from_str(&text(&format!("envoy/{file}"))).unwrap();
    let filters =
        "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters";
    let filters = bootstrap.pointer(filters).unwrap().as_array().unwrap();
    let mut found = filters.iter().filter_map(|filter| {
        let config = &filter["typed_config"];
        match filter["name"].as_str()? {
            "envoy.filters.http.wasm" => Some(&config["config"]["configuration"]["value"]),
            "envoy.filters.http.dynamic_modules" => Some(&config["filter_config"]["value"]),
            _ => None,
        }
    });
    found.next().unwrap().clone()
}

/// The same, read by the filter.
pub(crate) fn config(file: &str) -> Config {
    let env = |name: &str| Some(format!("what {name} holds, long enough"));
    load(plugin(file).to_string().as_bytes(), &env).unwrap()
}
