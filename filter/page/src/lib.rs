//! The page over the operator's door (contract, section 7): one document that loads nothing else.
//!
//! `page.html`, `style.css` and `script.js` are put together and packed at build time.
#![no_std]

/// The page, packed by gzip. It holds no secret: whoever opens it is asked for a key.
pub const PAGE_GZIP: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/page.html.gz"));

/// The value of the page's `content-security-policy`: its own script and style by their hashes,
/// calls to where it came from, and nothing else.
pub const CONTENT_SECURITY_POLICY: &str = include_str!(concat!(env!("OUT_DIR"), "/policy.txt"));

#[cfg(test)]
mod tests {
    extern crate std;

    use std::io::Read;
    use std::string::String;

    use super::*;

    #[test]
    fn the_page_loads_nothing_and_has_all_of_its_parts() {
        let mut page = String::new();
        flate2::read::GzDecoder::new(PAGE_GZIP)
            .read_to_string(&mut page)
            .expect("gzip");
        assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
        for unfilled in [
            "{style}",
            "{script}",
            "src=",
            "@import",
            "url(",
            "http:",
            "https:",
            "//cdn",
            "localStorage",
            "sessionStorage",
            "cookie",
            "innerHTML",
        ] {
            assert!(!page.contains(unfilled), "{unfilled}");
        }
        assert!(
            page.contains("<script>") && CONTENT_SECURITY_POLICY.contains("script-src 'sha256-")
        );
    }
}
