//! The built filter, compiled once for the whole program.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

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
