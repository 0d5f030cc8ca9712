//! Claims about the request itself (CTA-5007): method, address, protocol, headers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::cbor::{self, Label, MalformedCbor};
use super::labels::CATH;
use super::uri::all_match;
use super::{CatError, CatRequest};

/// Holds a claim against a request.
pub(super) type ClaimCheck = fn(&[u8], &CatRequest<'_>) -> Result<(), CatError>;

/// Tags of addresses and prefixes (RFC 9164).
const TAG_IPV4: u64 = 52;
const TAG_IPV6: u64 = 54;

/// `catm`: one of these methods, upper and lower case told apart.
pub(super) fn method(claim: &[u8], asked: &CatRequest<'_>) -> Result<(), CatError> {
    let mut allowed = false;
    for method in cbor::elements(claim)? {
        allowed |= cbor::text(method)?.as_bytes() == asked.method;
    }
    allowed.then_some(()).ok_or(CatError::Method)
}

/// `catnip`: one of these addresses or networks. Numbers of autonomous systems match
/// nobody, because nothing here knows whose an address is.
pub(super) fn address(claim: &[u8], asked: &CatRequest<'_>) -> Result<(), CatError> {
    let mut allowed = false;
    for network in cbor::elements(claim)? {
        allowed |= match cbor::tagged(network)? {
            Some((tag, inside)) => {
                let address = asked.address.map(|address| address.to_canonical());
                contains(tag, inside, address)?
            }
            None => cbor::integer(network).map(|_autonomous_system| false)?,
        };
    }
    allowed.then_some(()).ok_or(CatError::Address)
}

/// `catalpn`: one of these protocols, as negotiated in TLS.
pub(super) fn protocol(claim: &[u8], asked: &CatRequest<'_>) -> Result<(), CatError> {
    let mut allowed = false;
    for protocol in cbor::elements(claim)? {
        allowed |= Some(cbor::bytes(protocol)?) == asked.alpn;
    }
    allowed.then_some(()).ok_or(CatError::Protocol)
}

/// `cath`: each of these headers is there, and each of its values matches.
pub(super) fn headers(claim: &[u8], asked: &CatRequest<'_>) -> Result<(), CatError> {
    for (name, matches) in cbor::entries(claim)? {
        let Label::Text(name) = name else {
            return Err(CatError::Malformed);
        };
        let values = asked.head.headers(&name.to_ascii_lowercase());
        if values.is_empty() {
            return Err(CatError::Header);
        }
        for value in values {
            let value = core::str::from_utf8(&value).map_err(|_| CatError::Header)?;
            if !all_match(matches, value, CATH)? {
                return Err(CatError::Header);
            }
        }
    }
    Ok(())
}

/// Whether an address (bytes) or a prefix (its length in bits and the bytes that it
/// needs) contains `address`.
fn contains(tag: u64, network: &[u8], address: Option<IpAddr>) -> Result<bool, MalformedCbor> {
    let bits_max = match tag {
        TAG_IPV4 => Ipv4Addr::BITS,
        TAG_IPV6 => Ipv6Addr::BITS,
        _ => return Err(MalformedCbor),
    };
    let (bits, bytes) = match cbor::bytes(network) {
        Ok(whole) if whole.len().saturating_mul(8) == bits_max as usize => (bits_max, whole),
        Ok(_) => return Err(MalformedCbor),
        Err(_) => {
            let [bits, bytes] = cbor::elements(network)?[..] else {
                return Err(MalformedCbor);
            };
            let bits = u32::try_from(cbor::integer(bits)?).map_err(|_| MalformedCbor)?;
            (bits, cbor::bytes(bytes)?)
        }
    };
    if bits > bits_max || bytes.len().saturating_mul(8) > bits_max as usize {
        return Err(MalformedCbor);
    }
    // Both at the top of 128 bits, zeros below.
    let address = match (tag, address) {
        (TAG_IPV4, Some(IpAddr::V4(address))) => u128::from(address.to_bits()) << 96,
        (TAG_IPV6, Some(IpAddr::V6(address))) => address.to_bits(),
        _ => return Ok(false),
    };
    let mut network = [0; 16];
    for (to, from) in network.iter_mut().zip(bytes) {
        *to = *from;
    }
    let mask = u128::MAX
        .checked_shl(128_u32.saturating_sub(bits))
        .unwrap_or(0);
    Ok((u128::from_be_bytes(network) ^ address) & mask == 0)
}
