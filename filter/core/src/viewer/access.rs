//! Common Access Tokens (CTA-5007) of a request: what they grant, and their renewal.

use std::borrow::Cow;
use std::net::IpAddr;

use percent_encoding::percent_decode;
use streamgate_bytes::Marker;

use super::token::after_bearer;
use super::{Asked, cookie, query, without_parameters, without_port};
use crate::cat::{self, Access, CatError, Renewal, RenewalKind};
use crate::config::{Cat, Config};
use crate::exchange::Head;
use crate::moment::Moment;
use crate::reason::Reason;
use crate::recent::Recent;

/// The most good tokens that a worker remembers. Of the longest there are, that is some
/// ten megabytes.
const REMEMBERED_MAX: usize = 1024;

/// Tokens that were found good: a signature is checked once.
#[derive(Debug)]
pub struct GoodTokens {
    /// By the marks of their texts.
    known: Recent<Access>,
    marker: Marker,
}

impl GoodTokens {
    /// None yet.
    #[must_use]
    pub fn new(marker: Marker) -> Self {
        Self {
            known: Recent::new(REMEMBERED_MAX),
            marker,
        }
    }
}

/// Where a token stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stood {
    Header,
    Cookie,
    Query,
}

/// What a request's token grants.
pub(super) struct Granted {
    pub(super) access: Access,
    /// The renewed token as a response header, where it is time.
    pub(super) renewed: Option<(String, String)>,
}

/// The request's token, checked; `None` if it carries none.
///
/// # Errors
///
/// Where it stood, and the [`Reason`] to refuse for.
pub(super) fn granted<H: Head>(
    config: &Config,
    good: &mut GoodTokens,
    asked: &Asked<'_, H>,
    now: Moment,
) -> Result<Option<Granted>, (Stood, Reason)> {
    let Some(cat) = &config.cat else {
        return Ok(None);
    };
    let Some((stood, text)) = text(cat, asked) else {
        return Ok(None);
    };
    match checked(cat, good, asked, &text, now) {
        Ok(access) => Ok(Some(Granted {
            renewed: renewed(cat, &access, stood, now),
            access,
        })),
        Err(CatError::Expired) => Err((stood, Reason::TokenExpired)),
        Err(_) => Err((stood, Reason::TokenInvalid)),
    }
}

fn text<'a, H: Head>(cat: &Cat, asked: &'a Asked<'_, H>) -> Option<(Stood, Cow<'a, [u8]>)> {
    if let Some(value) = asked.head.header(&cat.header) {
        return Some((Stood::Header, Cow::Owned(after_bearer(&value).to_vec())));
    }
    if let Some(token) = query::value(asked.path, &cat.query) {
        // Who builds a query writes the padding as `%3D`.
        return Some((Stood::Query, percent_decode(token).into()));
    }
    let cookies = asked.head.header("cookie")?;
    let token = cookie::value(&cookies, &cat.cookie)?;
    Some((Stood::Cookie, Cow::Owned(token.to_vec())))
}

fn checked<H: Head>(
    cat: &Cat,
    good: &mut GoodTokens,
    asked: &Asked<'_, H>,
    text: &[u8],
    now: Moment,
) -> Result<Access, CatError> {
    let mark = good.marker.mark(text);
    let known = good.known.value(mark);
    // What the request is like costs host calls; most tokens do not ask.
    let restricts = known.is_none_or(|access| access.restricts_requests);
    let head = asked.head;
    let header = |name: &str| match restricts {
        true => head.header(name).unwrap_or_default(),
        false => Vec::new(),
    };
    let (method, scheme, host) = (header(":method"), header(":scheme"), header(":authority"));
    let address = restricts.then(|| head.client_address()).flatten();
    let path = without_parameters(asked.path, &[&cat.query]);
    let request = cat::Asked {
        method: &method,
        scheme: &scheme,
        host: &host,
        path: path.as_deref().unwrap_or(asked.path),
        address: address.as_deref().and_then(ip),
        alpn: None,
        head,
    };
    if let Some(access) = known {
        access.check(&request, now)?;
        return Ok(access.clone());
    }
    let access = cat::read(&cat.keys, &cat.demands, text, &request, now)?;
    good.known.insert(mark, access.clone());
    Ok(access)
}

fn ip(address: &[u8]) -> Option<IpAddr> {
    let host = without_port(address);
    let host = host.strip_prefix(b"[").unwrap_or(host);
    core::str::from_utf8(host).ok()?.parse().ok()
}

/// The renewed token, as the token asks for it; by redirect it is not renewed.
fn renewed(cat: &Cat, access: &Access, stood: Stood, now: Moment) -> Option<(String, String)> {
    let renewal = access
        .renewal
        .as_ref()
        .filter(|_| access.is_renewal_due(now))?;
    let as_cookie = match (renewal.kind, stood) {
        (RenewalKind::Cookie, _) | (RenewalKind::Automatic, Stood::Cookie) => true,
        (RenewalKind::Header, _) | (RenewalKind::Automatic, Stood::Header) => false,
        (RenewalKind::Automatic, Stood::Query) | (RenewalKind::Redirect, _) => return None,
    };
    let renewed = cat.keys.renew(access, now)?;
    let with = |value: String, parameters: &[String]| {
        parameters
            .iter()
            .fold(value, |value, more| format!("{value}; {more}"))
    };
    let Renewal {
        cookie_name,
        header_name,
        cookie_parameters,
        header_parameters,
        ..
    } = renewal;
    Some(if as_cookie {
        let name = cookie_name.as_ref().unwrap_or(&cat.cookie);
        let value = format!("{name}={}", renewed.token);
        ("set-cookie".to_owned(), with(value, cookie_parameters))
    } else {
        let name = header_name.as_ref().unwrap_or(&cat.header);
        (
            name.to_ascii_lowercase(),
            with(renewed.token, header_parameters),
        )
    })
}
