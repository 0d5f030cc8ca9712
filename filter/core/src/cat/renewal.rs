//! Renewal (`catr`, CTA-5007): how a client gets a later expiry without asking the
//! issuer again.

use hmac::Mac;

use super::cbor::{self, Entries, Label, Malformed};
use super::claims::EXP;
use super::envelope::{seal, written};
use super::{Access, Keys};
use crate::moment::Moment;
use crate::signed::to_text;
use crate::text::printable;

/// How long before its expiry a token is renewed if it does not say so itself.
const DUE_BEFORE_EXPIRY_MS: u64 = 60_000;

/// How a renewed token travels back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RenewalKind {
    /// The way the token came.
    Automatic,
    /// As a cookie.
    Cookie,
    /// In a response header.
    Header,
    /// By a redirect to the same URI with the renewed token in it.
    Redirect,
}

/// What a token says about its own renewal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewal {
    /// How the renewed token travels.
    pub kind: RenewalKind,
    /// How long after its renewal a renewed token expires, in milliseconds; at least 1.
    pub adds_ms: u64,
    /// How long before its expiry a token is to be renewed, in milliseconds.
    pub deadline_ms: Option<u64>,
    /// Name of the cookie. A token (RFC 9110, section 5.6.2), so that it can be sent.
    pub cookie_name: Option<String>,
    /// Name of the header, likewise.
    pub header_name: Option<String>,
    /// What to add to the cookie: `Path=/`, `Secure`. Printable ASCII.
    pub cookie_parameters: Vec<String>,
    /// What to add to the header's value, likewise.
    pub header_parameters: Vec<String>,
    /// Status code of the redirect.
    pub status: Option<u16>,
}

/// A token that takes another's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renewed {
    /// As text.
    pub token: String,
    /// When it expires.
    pub expires_at: Moment,
}

impl Renewal {
    pub(super) fn read(claim: &[u8]) -> Result<Self, Malformed> {
        let entries = cbor::entries(claim)?;
        let find = |wanted| cbor::find(&entries, Label::Int(wanted));
        let text = |wanted| find(wanted).map(cbor::text).transpose();
        let ms = |wanted| find(wanted).map(cbor::seconds_as_ms).transpose();

        let kind = match cbor::integer(find(0).ok_or(Malformed)?)? {
            0 => RenewalKind::Automatic,
            1 => RenewalKind::Cookie,
            2 => RenewalKind::Header,
            3 => RenewalKind::Redirect,
            _ => return Err(Malformed),
        };
        let status = find(7).map(cbor::integer).transpose()?;
        let status = status.map(|code| match u16::try_from(code) {
            Ok(code @ 300..=399) => Ok(code),
            _ => Err(Malformed),
        });
        Ok(Self {
            kind,
            adds_ms: ms(1)?.filter(|ms| *ms > 0).ok_or(Malformed)?,
            deadline_ms: ms(2)?,
            cookie_name: text(3)?.map(name).transpose()?,
            header_name: text(4)?.map(name).transpose()?,
            cookie_parameters: find(5).map(parameters).transpose()?.unwrap_or_default(),
            header_parameters: find(6).map(parameters).transpose()?.unwrap_or_default(),
            status: status.transpose()?,
        })
    }
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
fn expiring(claims: &Entries<'_>, seconds: u64) -> Option<Vec<u8>> {
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

/// The name of a cookie or header.
fn name(text: &str) -> Result<String, Malformed> {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if text.is_empty() || !text.bytes().all(is_good) {
        return Err(Malformed);
    }
    Ok(text.to_owned())
}

/// One text or several.
fn parameters(item: &[u8]) -> Result<Vec<String>, Malformed> {
    let texts = match cbor::text(item) {
        Ok(text) => vec![text],
        Err(_) => {
            let texts = cbor::elements(item)?.into_iter().map(cbor::text);
            texts.collect::<Result<_, _>>()?
        }
    };
    let is_good = |text: &&str| text.is_ascii() && printable(text.as_bytes()).is_ok();
    if !texts.iter().all(is_good) {
        return Err(Malformed);
    }
    Ok(texts.into_iter().map(str::to_owned).collect())
}
