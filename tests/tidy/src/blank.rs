//! Code without what is said in it.

/// A Rust file's text, as long as it was, with spaces for comments and for what stands in
/// texts and characters.
#[must_use]
pub fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = match &bytes[at..] {
            [b'/', b'/', ..] => find(bytes, at, b"\n"),
            [b'/', b'*', ..] => block_end(bytes, at),
            [b'"', ..] => text_end(bytes, at + 1),
            [b'r', b'"' | b'#', ..] if !is_in_word(bytes, at) => match raw_end(bytes, at) {
                Some(end) => end,
                None => at,
            },
            [b'\'', b'\\', ..] => find(bytes, at + 3, b"'") + 1,
            [b'\'', rest @ ..] => character_end(rest).map_or(at, |length| at + 1 + length),
            _ => at,
        };
        let end = end.min(bytes.len());
        for byte in &mut out[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn is_in_word(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| bytes.get(before));
    before.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        && before != Some(&b'b')
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let found = rest.windows(what.len()).position(|part| part == what);
    found.map_or(bytes.len(), |found| from + found)
}

fn block_end(bytes: &[u8], at: usize) -> usize {
    find(bytes, at + 2, b"*/") + 2
}

fn text_end(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Where a raw text ends that begins here, if one does.
fn raw_end(bytes: &[u8], at: usize) -> Option<usize> {
    let hashes = bytes[at + 1..]
        .iter()
        .take_while(|byte| **byte == b'#')
        .count();
    if bytes.get(at + 1 + hashes) != Some(&b'"') {
        return None;
    }
    let end = [b"\"".as_slice(), &b"#".repeat(hashes)].concat();
    Some(find(bytes, at + 2 + hashes, &end) + end.len())
}

/// How long a character is, with the quote after it; `None` for a lifetime.
fn character_end(rest: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(rest.get(..rest.len().min(8))?);
    let text = match &text {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&rest[..error.valid_up_to()]).ok()?,
    };
    let first = text.chars().next()?;
    (rest.get(first.len_utf8()) == Some(&b'\'')).then_some(first.len_utf8() + 1)
}
