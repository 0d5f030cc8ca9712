//! The lines of an HLS playlist, the attributes of its tags, and which of them are URLs.

/// Whether a text may have references to variables in it.
pub(crate) fn has_variables(text: &str) -> bool {
    memchr::memchr(b'{', text.as_bytes()).is_some()
}

/// Calls back with each URL of a playlist and where it begins.
pub(crate) fn each_url<'p>(playlist: &'p str, mut found: impl FnMut(usize, &'p str)) {
    each_line(playlist, |at, line| {
        if !line.starts_with('#') {
            found(at, line);
            return;
        }
        for attribute in attributes(at, line) {
            if is_url(attribute.name) {
                found(attribute.at, attribute.value);
            }
        }
    });
}

/// Calls back with each line that is not empty, without white space around it, and where it
/// begins.
pub(crate) fn each_line<'p>(playlist: &'p str, mut found: impl FnMut(usize, &'p str)) {
    let mut at = 0_usize;
    let mut rest = playlist.strip_prefix('\u{feff}').unwrap_or(playlist);
    at = at.saturating_add(playlist.len().saturating_sub(rest.len()));
    loop {
        let end = memchr::memchr2(b'\n', b'\r', rest.as_bytes());
        let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let start = line.trim_ascii_start();
        if !start.is_empty() {
            let indent = line.len().saturating_sub(start.len());
            found(at.saturating_add(indent), start.trim_ascii_end());
        }
        let Some(end) = end else { return };
        let next = end.saturating_add(1);
        at = at.saturating_add(next);
        rest = rest.get(next..).unwrap_or_default();
    }
}

/// An attribute of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Attribute<'p> {
    pub(crate) name: &'p str,
    /// Where its value begins in the playlist, behind the quote if there is one.
    pub(crate) at: usize,
    pub(crate) value: &'p str,
}

/// The attributes of a tag's line that begins at `at`. Whatever is no attribute is passed
/// over: tags without a list of attributes have none.
pub(crate) fn attributes(at: usize, line: &str) -> AttributeList<'_> {
    // What follows an EXTINF is a title, whatever it looks like.
    let list = match line.starts_with("#EXT-X-") {
        true => line.split_once(':').map_or("", |(_, list)| list),
        false => "",
    };
    AttributeList {
        at: at.saturating_add(line.len().saturating_sub(list.len())),
        rest: list,
    }
}

/// See [`attributes`].
#[derive(Debug)]
pub(crate) struct AttributeList<'p> {
    at: usize,
    rest: &'p str,
}

impl<'p> Iterator for AttributeList<'p> {
    type Item = Attribute<'p>;

    fn next(&mut self) -> Option<Attribute<'p>> {
        let (before, after) = self.rest.split_once('=')?;
        let name = before.rsplit(',').next().unwrap_or_default().trim_ascii();
        let value_at = self.at.saturating_add(before.len()).saturating_add(1);
        let (at, value, rest) = match after.strip_prefix('"') {
            Some(quoted) => {
                // Without an end it is no attribute, and nothing follows.
                let (value, rest) = quoted.split_once('"')?;
                (value_at.saturating_add(1), value, rest)
            }
            None => {
                let end = after.find(',').unwrap_or(after.len());
                let (value, rest) = after.split_at_checked(end)?;
                (value_at, value, rest)
            }
        };
        let taken = self.rest.len().saturating_sub(rest.len());
        self.at = self.at.saturating_add(taken);
        self.rest = rest;
        Some(Attribute { name, at, value })
    }
}

/// Whether an attribute of this name holds a URL: `URI` of EXT-X-KEY, EXT-X-MAP, EXT-X-MEDIA,
/// EXT-X-PART, EXT-X-PRELOAD-HINT and others, `SERVER-URI` of EXT-X-CONTENT-STEERING,
/// `X-ASSET-URI` and `X-ASSET-LIST` of interstitials, and what vendors name alike.
pub(crate) fn is_url(name: &str) -> bool {
    name == "URI" || name.ends_with("-URI") || name == "X-ASSET-LIST"
}
