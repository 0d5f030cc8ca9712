//! What the filter was compiled with.

use std::process::Command;

use crate::module::project;

/// The compiler that `scripts/cargo-wasm` uses, and the optimiser after it. Others make
/// other instructions of the same source.
///
/// # Panics
///
/// If one of them does not run.
#[must_use]
pub fn toolchain() -> String {
    let chosen = std::env::var("STREAMGATE_WASM_TOOLCHAIN").unwrap_or_else(|_| {
        std::fs::read_to_string(project().join(".tools/wasm-toolchain"))
            .expect("there is no .tools/wasm-toolchain; run scripts/setup first")
    });
    let chosen = chosen.trim();
    let rustc = match chosen {
        "debian" => "/usr/bin/rustc",
        _ => "rustc",
    };
    format!("{chosen}: {}, {}", version(rustc), version("wasm-opt"))
}

fn version(program: &str) -> String {
    let output = Command::new(program)
        .arg("--version")
        .output()
        .unwrap_or_else(|error| panic!("{program} does not run: {error}"));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
