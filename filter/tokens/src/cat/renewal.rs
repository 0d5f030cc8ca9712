//! Renewal (`catr`, CTA-5007): how a client gets a later expiry without asking the
//! issuer again.

use streamgate_values::text::printable;

use super::cbor::{self, Label, MalformedCbor};

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

impl Renewal {
    pub(super) fn read(claim: &[u8]) -> Result<Self, MalformedCbor> {
        let entries = cbor::entries(claim)?;
        let find = |wanted| cbor::find(&entries, Label::Int(wanted));
        let text = |wanted| find(wanted).map(cbor::text).transpose();
        let ms = |wanted| find(wanted).map(cbor::seconds_as_ms).transpose();

        let kind = match cbor::integer(find(0).ok_or(MalformedCbor)?)? {
            0 => RenewalKind::Automatic,
            1 => RenewalKind::Cookie,
            2 => RenewalKind::Header,
            3 => RenewalKind::Redirect,
            _ => return Err(MalformedCbor),
        };
        let status = find(7).map(cbor::integer).transpose()?;
        let status = status.map(|code| match u16::try_from(code) {
            Ok(code @ 300..=399) => Ok(code),
            _ => Err(MalformedCbor),
        });
        Ok(Self {
            kind,
            adds_ms: ms(1)?.filter(|ms| *ms > 0).ok_or(MalformedCbor)?,
            deadline_ms: ms(2)?,
            cookie_name: text(3)?.map(name).transpose()?,
            header_name: text(4)?.map(name).transpose()?,
            cookie_parameters: find(5).map(parameters).transpose()?.unwrap_or_default(),
            header_parameters: find(6).map(parameters).transpose()?.unwrap_or_default(),
            status: status.transpose()?,
        })
    }
}

/// The name of a cookie or header.
fn name(text: &str) -> Result<String, MalformedCbor> {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if text.is_empty() || !text.bytes().all(is_good) {
        return Err(MalformedCbor);
    }
    Ok(text.to_owned())
}

/// One text or several.
fn parameters(item: &[u8]) -> Result<Vec<String>, MalformedCbor> {
    let texts = match cbor::text(item) {
        Ok(text) => vec![text],
        Err(_) => {
            let texts = cbor::elements(item)?.into_iter().map(cbor::text);
            texts.collect::<Result<_, _>>()?
        }
    };
    let is_good = |text: &&str| text.is_ascii() && printable(text.as_bytes()).is_ok();
    if !texts.iter().all(is_good) {
        return Err(MalformedCbor);
    }
    Ok(texts.into_iter().map(str::to_owned).collect())
}
