//! One spelling for every path.

/// Writes the plain spelling into `room`, which is as long as the path or longer.
#[must_use]
pub fn spell<'r>(path: &[u8], room: &'r mut [u8]) -> Option<&'r [u8]> {
    let mut length = 0_usize;
    let mut last = 0;
    let mut bytes = path.iter().copied();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => match decoded(&mut bytes)? {
                b'/' | b'?' | b'%' => return None,
                byte => byte,
            },
            byte => byte,
        };
        if matches!(byte, 0..=0x1f | 0x7f | b'\\' | b';' | b'#' | 0xc0 | 0xc1) {
            return None;
        }
        if byte == b'/' && last == b'/' {
            continue;
        }
        last = byte.to_ascii_lowercase();
        *room.get_mut(length)? = last;
        length = length.saturating_add(1);
    }
    let plain = room.get(..length)?;
    let climbs = |segment: &[u8]| {
        segment.first() == Some(&b'.') && segment.iter().all(|byte| matches!(byte, b'.' | b' '))
    };
    let climbing = plain.split(|byte| *byte == b'/').any(climbs);
    (!climbing).then_some(plain)
}

/// The byte that two hexadecimal digits stand for.
fn decoded(digits: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let mut digit = || char::from(digits.next()?).to_digit(16);
    let (high, low) = (digit()?, digit()?);
    u8::try_from(high << 4 | low).ok()
}
