//! Dictionaries of Structured Fields (RFC 8941, section 3.2), which CMCD is written in.
//!
//! A strict reader refuses a dictionary for one wrong character. Here a wrong member
//! spoils itself alone, and members that nobody asks for are passed over unread.

use streamgate_values::text::printable;

/// The members in their order: keys, and what follows their `=`.
pub(super) fn members(data: &[u8]) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
    let mut rest = Some(data);
    core::iter::from_fn(move || {
        let (member, after) = split_member(rest?);
        rest = after;
        let member = member.trim_ascii();
        let mut parts = member.splitn(2, |byte| *byte == b'=');
        // Parameters, where there is no value: `bg;x=1`.
        let key = parts.next().unwrap_or_default();
        let value = parts.next();
        Some(match key.iter().position(|byte| *byte == b';') {
            Some(at) => (key.get(..at).unwrap_or_default(), None),
            None => (key, value),
        })
    })
}

/// What is before the first comma outside quotes, and behind it.
fn split_member(data: &[u8]) -> (&[u8], Option<&[u8]>) {
    let (mut quoted, mut escaped) = (false, false);
    let comma = data.iter().position(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' => return !quoted,
            _ => {}
        }
        false
    });
    let split = comma.and_then(|at| data.split_at_checked(at));
    match split {
        Some((member, after)) => (member, after.split_first().map(|(_, after)| after)),
        None => (data, None),
    }
}

/// A string of 1 to `max` characters. Any UTF-8 that can be printed is taken: version 1
/// does not speak of ASCII.
pub(super) fn string(value: Option<&[u8]>, max: usize) -> Option<String> {
    let mut bytes = value?.strip_prefix(b"\"")?.iter().copied();
    let mut text = Vec::new();
    loop {
        match bytes.next()? {
            b'"' => break,
            b'\\' => match bytes.next()? {
                byte @ (b'"' | b'\\') => text.push(byte),
                _ => return None,
            },
            byte => text.push(byte),
        }
    }
    ends(bytes.next())?;
    let text = printable(&text).ok()?;
    let fits = (1..=max).contains(&text.chars().take(max.saturating_add(1)).count());
    fits.then(|| text.to_owned())
}

/// A token.
pub(super) fn token(value: Option<&[u8]>) -> Option<&[u8]> {
    let token = value?.split(|byte| *byte == b';').next()?;
    let begins = token.first()?.is_ascii_alphabetic();
    let continues = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(byte);
    (begins && token.iter().all(continues)).then_some(token)
}

/// A whole number that is not negative; of a list of them the least. A number beyond what
/// Structured Fields can write is none (RFC 8941, section 3.3.1).
pub(super) fn least_integer(value: Option<&[u8]>) -> Option<u64> {
    let value = value?;
    let Some(list) = value.strip_prefix(b"(") else {
        return integer(value);
    };
    let end = list.iter().position(|byte| *byte == b')')?;
    let (items, after) = list.split_at_checked(end)?;
    ends(after.get(1).copied())?;
    let items = items.split(|byte| *byte == b' ');
    let items = items.filter(|item| !item.is_empty());
    items
        .map(integer)
        .try_fold(None, |least: Option<u64>, item| {
            let item = item?;
            Some(Some(least.map_or(item, |least| least.min(item))))
        })?
}

/// The most digits of an integer.
const DIGITS_MAX: usize = 15;

fn integer(value: &[u8]) -> Option<u64> {
    let digits = value.split(|byte| *byte == b';').next()?;
    let fits = (1..=DIGITS_MAX).contains(&digits.len());
    if !fits || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    core::str::from_utf8(digits).ok()?.parse().ok()
}

/// A boolean; a key without a value is true.
pub(super) fn boolean(value: Option<&[u8]>) -> Option<bool> {
    let Some(value) = value else {
        return Some(true);
    };
    match value.split(|byte| *byte == b';').next()? {
        b"?1" => Some(true),
        b"?0" => Some(false),
        _ => None,
    }
}

/// Nothing, or parameters, may follow a value.
fn ends(next: Option<u8>) -> Option<()> {
    matches!(next, None | Some(b';')).then_some(())
}
