//! What a token is held against, and why it may be refused.

use std::net::IpAddr;

use streamgate_values::head::Head;

use super::cbor;

/// The longest token, in bytes of its text; what CTA-5007 recommends.
pub const TOKEN_MAX: usize = 4096;

/// What is demanded of every token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Demands {
    /// The issuers that are trusted; empty for whoever holds a key.
    pub issuers: Vec<String>,
    /// Who we are. A token for an audience is refused unless it is for this one; with
    /// this set, so is a token for none.
    pub audience: Option<String>,
    /// How far issuer's and edge's clocks may be apart, in milliseconds.
    pub leeway_ms: u64,
}

/// A request, as far as a token may restrict it.
#[derive(Clone, Copy)]
pub struct CatRequest<'a> {
    /// `GET`.
    pub method: &'a [u8],
    /// `https`.
    pub scheme: &'a [u8],
    /// Host, with its port if it was given, as in `:authority`.
    pub host: &'a [u8],
    /// Path with query, as the client sent it, without the token.
    pub path: &'a [u8],
    /// The client's address, if that is known.
    pub address: Option<IpAddr>,
    /// The protocol negotiated in TLS (RFC 7301), if that is known: `h2`.
    pub alpn: Option<&'a [u8]>,
    /// Its headers, read only for a token that restricts them.
    pub head: &'a dyn Head,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatError {
    /// Not of the form that RFC 8392, RFC 9052 or CTA-5007 asks for, or too long.
    Malformed,
    /// No key in force vouches for it: an unknown key id, the wrong algorithm for the
    /// key, a bad signature. They are not told apart.
    NotVouchedFor,
    /// It has a claim, given by its label, that restricts access in a way that is not
    /// supported, or may do so.
    Unsupported(i64),
    /// `iss` is not trusted.
    Issuer,
    /// `aud` is not us.
    Audience,
    /// `exp` is over.
    Expired,
    /// `nbf` is still to come.
    NotYetValid,
    /// `catu` does not allow the URI.
    Uri,
    /// `catm` does not allow the method.
    Method,
    /// `catnip` does not allow the client's address.
    Address,
    /// `catalpn` does not allow the protocol.
    Protocol,
    /// `cath` asks for another header.
    Header,
}

impl From<cbor::MalformedCbor> for CatError {
    fn from(_: cbor::MalformedCbor) -> Self {
        Self::Malformed
    }
}
