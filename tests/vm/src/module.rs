//! The built filter, compiled once for the whole program.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;
use wasmtime::{Config, Engine, Module, OptLevel, RegallocAlgorithm};

/// The project's directory.
pub(crate) fn project() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The filter, as `scripts/build` leaves it.
fn wasm() -> PathBuf {
    let path = project().join("build/streamgate.wasm");
    path.canonicalize()
        .expect("there is no build/streamgate.wasm; run scripts/build first")
}

/// How large the filter is, in bytes.
///
/// # Panics
///
/// If it was not built.
#[must_use]
pub fn size() -> u64 {
    let file = std::fs::metadata(wasm()).expect("the filter can be read");
    file.len()
}

/// What the filter exports, by name.
#[must_use]
pub fn exports() -> BTreeSet<String> {
    let exports = module().exports();
    exports.map(|export| export.name().to_owned()).collect()
}

/// What the filter imports of its host, by name.
#[must_use]
pub fn imports() -> BTreeSet<String> {
    let imports = module().imports();
    imports.map(|import| import.name().to_owned()).collect()
}

/// What `envoy/hardened.yaml` lets the filter call, and lets Envoy call it for, by name.
///
/// # Panics
///
/// If the file says nothing of it.
#[must_use]
pub fn allowed() -> BTreeSet<String> {
    let path = project().join("envoy/hardened.yaml");
    let text = std::fs::read_to_string(path).expect("the file can be read");
    let file: Value = serde_saphyr::from_str(&text).expect("YAML");
    let manager = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
    let plugin = "/http_filters/0/typed_config/config/vm_config";
    let names = "/capability_restriction_config/allowed_capabilities";
    let allowed = file.pointer(&[manager, plugin, names].concat());
    let allowed = allowed.and_then(Value::as_object).expect("capabilities");
    allowed.keys().cloned().collect()
}

/// The filter, ready to be instantiated.
pub(crate) fn module() -> &'static Module {
    static MODULE: OnceLock<Module> = OnceLock::new();
    MODULE.get_or_init(|| {
        let mut config = Config::new();
        config.consume_fuel(true);
        // Compiled quickly rather than well: fuel counts the module's own instructions,
        // whatever becomes of them.
        config.cranelift_opt_level(OptLevel::None);
        config.cranelift_regalloc_algorithm(RegallocAlgorithm::SinglePass);
        let engine = Engine::new(&config).expect("an engine for this machine");
        let wasm = std::fs::read(wasm()).expect("the filter can be read");
        Module::new(&engine, wasm).expect("the filter is a module")
    })
}
