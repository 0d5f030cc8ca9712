//! A request as far as identification looks at it.

use core::cell::OnceCell;
use core::net::IpAddr;

use streamgate_values::head::Head;
use streamgate_values::path::Reading;
use streamgate_values::text::split_once;

/// The longest id a header or a claim may give, in bytes.
pub(super) const ID_MAX: usize = 256;

/// A request as far as identification looks at it.
#[derive(Debug)]
pub struct Asked<'a, H> {
    /// Its headers.
    pub head: &'a H,
    /// The token in front of its path.
    pub token: Option<&'a [u8]>,
    /// Its path without the token, query included.
    pub path: &'a [u8],
    /// How that path is read.
    pub file: &'a Reading<'a>,
    /// Its cookies, once asked.
    pub cookies: OnceCell<Option<Vec<u8>>>,
}

impl<H: Head> Asked<'_, H> {
    /// Its cookies as one line, should the client send several. Reads them once.
    pub fn cookies(&self) -> Option<&[u8]> {
        let read = || {
            let lines = self.head.headers("cookie");
            (!lines.is_empty()).then(|| lines.join(&b"; "[..]))
        };
        self.cookies.get_or_init(read).as_deref()
    }
}

/// A client's address together with its `User-Agent`.
pub(crate) fn client(head: &impl Head) -> Option<Vec<u8>> {
    let address = head.client_address()?;
    let agent = head.header("user-agent").unwrap_or_default();
    Some([without_port(&address), b"\n", &agent].concat())
}

/// The network that a client's address is in: 24 bits of IPv4, 56 of IPv6. An IPv4 address in
/// the clothes of an IPv6 one is an IPv4 address. What is no address stands for itself.
pub(crate) fn network(head: &impl Head) -> Option<Vec<u8>> {
    let address = head.client_address()?;
    let host = without_port(&address);
    let host = host.strip_prefix(b"[").unwrap_or(host);
    let host = split_once(host, b'%').map_or(host, |(host, _)| host);
    let parsed = core::str::from_utf8(host).ok();
    let parsed = parsed.and_then(|host| host.parse::<IpAddr>().ok());
    Some(match parsed.map(|address| address.to_canonical()) {
        Some(IpAddr::V4(address)) => {
            let [a, b, c, _] = address.octets();
            vec![4, a, b, c]
        }
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, e, f, g, ..] = address.octets();
            vec![6, a, b, c, d, e, f, g]
        }
        None => [&[0], host].concat(),
    })
}

/// `10.0.0.1:443` and `[::1]:443` without the port: it differs by connection.
pub(super) fn without_port(address: &[u8]) -> &[u8] {
    match address {
        [b'[', ..] => split_once(address, b']').map_or(address, |(host, _)| host),
        _ => match split_once(address, b':') {
            // More than one colon: an IPv6 address without a port.
            Some((_, port)) if port.contains(&b':') => address,
            Some((host, _)) => host,
            None => address,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn a_client_is_the_same_on_every_port() {
        for (address, host) in [
            ("10.0.0.1:443", "10.0.0.1"),
            ("10.0.0.1", "10.0.0.1"),
            ("[::1]:443", "[::1"),
            ("::1", "::1"),
            ("", ""),
        ] {
            assert_eq!(without_port(address.as_bytes()), host.as_bytes());
        }
    }
}
