//! Writing the token that takes the place of one that is about to expire.

use hmac::Mac;
use streamgate_values::moment::Moment;

use super::cbor::{self, Entries, Label};
use super::envelope::{seal, written};
use super::labels::EXP;
use super::{Access, Keys};
use crate::signed::to_text;

/// How long before its expiry a token is renewed if it does not say so itself.
pub(super) const DUE_BEFORE_EXPIRY_MS: u64 = 60_000;

/// A token that takes another's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewed {
    /// As text.
    pub token: String,
    /// When it expires.
    pub expires_at: Moment,
}

impl Access {
    /// Whether now is the time to renew: in the last part of the token's life, which
    /// its deadline gives, or the last minute.
    #[must_use]
    pub fn is_renewal_due(&self, now: Moment) -> bool {
        let (Some(renewal), Some(expires_at)) = (&self.renewal, self.expires_at) else {
            return false;
        };
        let before_ms = renewal.deadline_ms.unwrap_or(DUE_BEFORE_EXPIRY_MS);
        now < expires_at && now.plus_ms(before_ms) >= expires_at
    }
}

impl Keys {
    /// The same claims with a later expiry, signed with the first HMAC key; `None` for
    /// a token without renewal, and where no key is an HMAC key.
    ///
    /// Whole seconds are written, as most issuers do.
    #[must_use]
    pub fn renew(&self, access: &Access, now: Moment) -> Option<Renewed> {
        let renewal = access.renewal.as_ref()?;
        let (kid, mut mac) = self.renewing()?;
        let seconds = now.plus_ms(renewal.adds_ms).as_ms() / 1000;
        let claims = expiring(&cbor::entries(&access.claims).ok()?, seconds)?;
        let token = seal(kid, &claims, |message| {
            mac.update(message);
            mac.finalize().into_bytes().into()
        });
        Some(Renewed {
            token: to_text(&token),
            expires_at: Moment::from_ms(seconds.saturating_mul(1000)),
        })
    }
}

/// These claims, expiring at this second of the Unix epoch.
pub(super) fn expiring(claims: &Entries<'_>, seconds: u64) -> Option<Vec<u8>> {
    let others = claims.iter().filter(|(label, _)| *label != Label::Int(EXP));
    let count = u64::try_from(others.clone().count()).ok()?.checked_add(1)?;
    let mut bytes = written(|encoder| encoder.map(count).map(drop));
    for (label, value) in others {
        bytes.extend(written(|encoder| match label {
            Label::Int(label) => encoder.i64(*label).map(drop),
            Label::Text(label) => encoder.str(label).map(drop),
        }));
        bytes.extend_from_slice(value);
    }
    bytes.extend(written(|encoder| encoder.i64(EXP)?.u64(seconds).map(drop)));
    Some(bytes)
}
