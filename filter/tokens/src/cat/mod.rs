//! The Common Access Token (CTA-5007): a CBOR Web Token (RFC 8392) that says who may
//! ask for what, signed by whoever sold the access.
//!
//! [`read`] and, for a token that was read before, [`Access::check`] are all there is to do with
//! a token: the keys decide who may vouch for it, the demands and the request whether it is good for this. Everything the token
//! says is either checked, or of no consequence, or a reason to refuse it; no bytes
//! make it panic. It knows no clock and no configuration.

mod access;
mod cbor;
mod claims;
mod demands;
mod envelope;
mod keys;
mod labels;
mod renewal;
mod renewing;
mod request;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;
mod uri;

pub use access::Access;
pub use demands::{CatError, CatRequest, Demands, TOKEN_MAX};
pub use keys::{KEYS_MAX, Key, KeyError, Keys, SECRET_MIN, TRIES_MAX};
pub use renewal::{Renewal, RenewalKind};
pub use renewing::Renewed;

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use claims::Claims;
use envelope::Envelope;
use keys::Trial;
use streamgate_values::moment::Moment;

/// URL-safe, padded or not, otherwise strict: bits that nothing decodes are zero.
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

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
    asked: &CatRequest<'_>,
    now: Moment,
) -> Result<Access, CatRefused> {
    let mut trial = Trial::new(keys, token);
    let read = attempt(&mut trial, demands, token).map_err(CatRefused::of);
    let read = read.and_then(|access| match access.check(asked, now) {
        Ok(()) => Ok(access),
        Err(error) => Err(CatRefused {
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
pub struct CatRefused {
    /// Why.
    pub error: CatError,
    /// What it grants to other requests, or at another time: a key vouches for it.
    pub access: Option<Box<Access>>,
}

impl CatRefused {
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
