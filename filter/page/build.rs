//! Puts the page together and packs it: the module carries a third of what it would in the clear.

use std::io::{Error, Write};
use std::path::Path;
use std::{env, fs};

use base64::prelude::{BASE64_STANDARD, Engine};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

fn main() -> Result<(), Error> {
    for file in ["page.html", "style.css", "script.js"] {
        println!("cargo::rerun-if-changed={file}");
    }
    let style = fs::read_to_string("style.css")?;
    let script = fs::read_to_string("script.js")?;
    let page = fs::read_to_string("page.html")?
        .replace("{style}", &style)
        .replace("{script}", &script);

    let out = env::var("OUT_DIR").map_err(Error::other)?;
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(page.as_bytes())?;
    fs::write(Path::new(&out).join("page.html.gz"), packed.finish()?)?;
    // A browser runs the page's own script and style by their hashes, and nothing else (CSP level 2).
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash(&script),
        hash(&style)
    );
    fs::write(Path::new(&out).join("policy.txt"), policy)
}

fn hash(text: &str) -> String {
    BASE64_STANDARD.encode(Sha256::digest(text))
}
