//! How the library is linked.

fn main() {
    // The streams are in its memory. Envoy closes a library that no configuration needs any more,
    // and an update may take the old filter away before it makes the new one.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo::rerun-if-changed=build.rs");
}
