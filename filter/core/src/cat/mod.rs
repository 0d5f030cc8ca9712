//! The Common Access Token (CTA-5007): a CBOR Web Token (RFC 8392) that says who may
//! ask for what, signed by whoever sold the access.
//!
//! [`read`] and, for a token that was read before, [`Access::check`] are all there is to do with
//! a token: the keys decide who may vouch for it, the demands and the request whether it is good for this. Everything the token
//! says is either checked, or of no consequence, or a reason to refuse it; no bytes
//! make it panic. It knows no clock and no configuration.

mod cbor;
mod claims;
mod envelope;
mod keys;
mod renewal;
mod request;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod uri;

pub use keys::{KEYS_MAX, Key, KeyError, Keys, SECRET_MIN, TRIES_MAX};
pub use renewal::{Renewal, RenewalKind, Renewed};

use std::net::IpAddr;

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use claims::Claims;
use envelope::Envelope;
use keys::Trial;

use crate::exchange::Head;
use crate::moment::Moment;

/// The longest token, in bytes of its text; what CTA-5007 recommends.
pub const TOKEN_MAX: usize = 4096;

/// URL-safe, padded or not, otherwise strict: bits that nothing decodes are zero.
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

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
pub struct Asked<'a> {
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

/// What a good token grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Whom the token is about (`sub`).
    pub subject: Option<String>,
    /// The token's own id (`cti`).
    pub id: Option<Vec<u8>>,
    /// Who issued it (`iss`).
    pub issuer: Option<String>,
    /// From this moment on it is worth nothing, save for the leeway (`exp`).
    pub expires_at: Option<Moment>,
    /// How it may be renewed (`catr`).
    pub renewal: Option<Renewal>,
    /// Whether [`Access::check`] depends on the request, or on the time alone.
    pub restricts_requests: bool,
    leeway_ms: u64,
    claims: Vec<u8>,
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

impl From<cbor::Malformed> for CatError {
    fn from(_: cbor::Malformed) -> Self {
        Self::Malformed
    }
}

/// Reads and checks a token, given as base64url text.
///
/// # Errors
///
/// The first reason to refuse it. Whatever that is, at most [`TRIES_MAX`] signatures were
/// computed, and as many for one reason as for another.
pub fn read(
    keys: &Keys,
    demands: &Demands,
    token: &[u8],
    asked: &Asked<'_>,
    now: Moment,
) -> Result<Access, Refused> {
    let mut trial = Trial::new(keys, token);
    let read = attempt(&mut trial, demands, token).map_err(Refused::of);
    let read = read.and_then(|access| match access.check(asked, now) {
        Ok(()) => Ok(access),
        Err(error) => Err(Refused {
            error,
            access: Some(Box::new(access)),
        }),
    });
    if read.is_err() {
        trial.settle();
    }
    read
}

/// A token that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub error: CatError,
    /// What it grants to other requests, or at another time: a key vouches for it.
    pub access: Option<Box<Access>>,
}

impl Refused {
    const fn of(error: CatError) -> Self {
        Self {
            error,
            access: None,
        }
    }
}

fn attempt(trial: &mut Trial<'_>, demands: &Demands, token: &[u8]) -> Result<Access, CatError> {
    if token.len() > TOKEN_MAX {
        return Err(CatError::Malformed);
    }
    let token = BASE64_URL.decode(token);
    let token = token.map_err(|_| CatError::Malformed)?;
    let envelope = Envelope::read(&token)?;
    if !trial.vouches(&envelope) {
        return Err(CatError::NotVouchedFor);
    }

    let claims = Claims::read(envelope.claims)?;
    claims.check_parties(demands)?;
    Ok(Access {
        subject: claims.subject()?.map(str::to_owned),
        id: claims.id()?.map(<[u8]>::to_vec),
        issuer: claims.issuer()?.map(str::to_owned),
        expires_at: claims.expires_at()?,
        renewal: claims.renewal().map(Renewal::read).transpose()?,
        restricts_requests: claims.restrict_requests(),
        leeway_ms: demands.leeway_ms,
        claims: envelope.claims.to_vec(),
    })
}

impl Access {
    /// From this moment on it is worth nothing, the leeway included.
    #[must_use]
    pub fn ends_at(&self) -> Option<Moment> {
        let expires_at = self.expires_at?;
        Some(expires_at.plus_ms(self.leeway_ms))
    }

    /// Whether the token is good for another request, at another time. Signature and
    /// parties need not be looked at again.
    ///
    /// # Errors
    ///
    /// The first reason to refuse the request.
    pub fn check(&self, asked: &Asked<'_>, now: Moment) -> Result<(), CatError> {
        let claims = Claims::read(&self.claims)?;
        claims.check_time(self.leeway_ms, now)?;
        claims.check_request(asked)
    }
}
