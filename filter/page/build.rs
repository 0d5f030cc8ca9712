//! Puts the page together and packs it: the module carries a third of what it would in the clear.

use std::io::Error;
use std::path::Path;
use std::{env, fs};

use base64::prelude::{BASE64_STANDARD, Engine};
use sha2::{Digest, Sha256};
use zopfli::{Format, Options};

fn main() -> Result<(), Error> {
    for file in ["page.html", "style.css", "script.js"] {
        println!("cargo::rerun-if-changed={file}");
    }
    let style = bare("style.css")?;
    let script = bare("script.js")?;
    let page = fs::read_to_string("page.html")?
        .replace("{style}", &style)
        .replace("{script}", &script);

    let out = env::var("OUT_DIR").map_err(Error::other)?;
    // A twentieth less than other packers make of it, in a second.
    let packed = fs::File::create(Path::new(&out).join("page.html.gz"))?;
    zopfli::compress(Options::default(), Format::Gzip, page.as_bytes(), packed)?;
    // A browser runs the page's own script and style by their hashes, and nothing else (CSP level 2).
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash(&script),
        hash(&style)
    );
    fs::write(Path::new(&out).join("policy.txt"), policy)
}

/// A file without what only its readers need: lines that are a comment, and how far they stand in.
fn bare(file: &str) -> Result<String, Error> {
    let text = fs::read_to_string(file)?;
    let lines = text.lines().map(str::trim_start);
    let lines: Vec<&str> = lines.filter(|line| !line.starts_with("// ")).collect();
    Ok(lines.join("\n"))
}

fn hash(text: &str) -> String {
    BASE64_STANDARD.encode(Sha256::digest(text))
}
