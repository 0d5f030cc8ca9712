//! Common Access Tokens (CTA-5007) of a request: what they grant, and their renewal.

use std::borrow::Cow;
use std::net::IpAddr;

use percent_encoding::percent_decode;
use streamgate_bytes::{Fingerprint, Fingerprinter};
use streamgate_tokens::cat::{self, Access, CatError, CatRefused, Renewal, RenewalKind};
use streamgate_values::head::Head;
use streamgate_values::moment::Moment;
use streamgate_values::recent::Recent;

use super::asked::without_port;
use super::token::{REPEATED_MAX, after_bearer};
use super::{Asked, cookie, query, without_parameters};
use crate::config::{Cat, Config};
use crate::refusal::reason::Reason;

/// The most good tokens that a worker remembers. Of the longest there are, that is some
/// ten megabytes.
const REMEMBERED_MAX: usize = 1024;

/// The most worthless tokens that a worker remembers; each takes some thirty bytes.
const WORTHLESS_MAX: usize = 4096;

/// For how long it does, in milliseconds.
const WORTHLESS_MS: u64 = 60_000;

/// How many unknown tokens of one request are looked at: each may cost two signatures.
const UNKNOWN_MAX: usize = 2;

/// Tokens whose signature was checked: that is done once.
#[derive(Debug)]
pub struct GoodTokens {
    /// What good ones grant, by the fingerprints of their texts.
    known: Recent<Access>,
    /// Why others are refused, and until when that is remembered. A fingerprint is of a whole text
    /// and keyed by the worker, so nobody can make up a text that stands in another's way.
    worthless: Recent<(CatError, Moment)>,
    fingerprinter: Fingerprinter,
}

impl GoodTokens {
    /// None yet.
    #[must_use]
    pub fn new(fingerprinter: Fingerprinter) -> Self {
        Self {
            known: Recent::new(REMEMBERED_MAX),
            worthless: Recent::new(WORTHLESS_MAX),
            fingerprinter,
        }
    }

    /// Whether nothing has to be computed to judge the token of this fingerprint.
    fn is_known(&self, fingerprint: Fingerprint, now: Moment) -> bool {
        let worthless = self.worthless.value(fingerprint);
        self.known.value(fingerprint).is_some() || worthless.is_some_and(|(_, until)| now < *until)
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
    let mut reason = None;
    let mut unknown = 0_usize;
    for (stood, text) in texts(cat, asked) {
        let fingerprint = good.fingerprinter.fingerprint(&text);
        if !good.is_known(fingerprint, now) {
            unknown = unknown.saturating_add(1);
        }
        if unknown > UNKNOWN_MAX {
            break;
        }
        let because = match checked(cat, good, asked, &text, now) {
            Ok(access) => {
                return Ok(Some(Granted {
                    renewed: renewed(cat, &access, stood, now),
                    access,
                }));
            }
            Err(CatError::Expired) => Reason::TokenExpired,
            Err(_) => Reason::TokenInvalid,
        };
        reason.get_or_insert((stood, because));
    }
    reason.map_or(Ok(None), Err)
}

/// All that stands where a token may stand, in the first of these places that has something.
fn texts<'a, H: Head>(cat: &Cat, asked: &'a Asked<'_, H>) -> Vec<(Stood, Cow<'a, [u8]>)> {
    if let Some(value) = asked.head.header(&cat.header) {
        return vec![(Stood::Header, Cow::Owned(after_bearer(&value).to_vec()))];
    }
    // Who builds a query writes the padding as `%3D`.
    let queries = query::values(asked.path, &cat.query).take(REPEATED_MAX);
    let queries: Vec<_> = queries.map(|token| (Stood::Query, token)).collect();
    if !queries.is_empty() {
        return queries;
    }
    let cookies = cookie::values(asked.cookies().unwrap_or_default(), &cat.cookie);
    cookies
        .take(REPEATED_MAX)
        .map(|token| (Stood::Cookie, percent_decode(token).into()))
        .collect()
}

fn checked<H: Head>(
    cat: &Cat,
    good: &mut GoodTokens,
    asked: &Asked<'_, H>,
    text: &[u8],
    now: Moment,
) -> Result<Access, CatError> {
    let fingerprint = good.fingerprinter.fingerprint(text);
    let known = good.known.value(fingerprint);
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
    let request = cat::CatRequest {
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
    let worthless = good.worthless.value(fingerprint);
    if let Some((error, _)) = worthless.filter(|(_, until)| now < *until) {
        return Err(*error);
    }
    match cat::read(&cat.keys, &cat.demands, text, &request, now) {
        Ok(access) => {
            good.known.insert(fingerprint, access.clone());
            Ok(access)
        }
        Err(CatRefused { error, access }) => {
            match access {
                Some(access) => good.known.insert(fingerprint, *access),
                None => {
                    let until = now.plus_ms(WORTHLESS_MS);
                    good.worthless.insert(fingerprint, (error, until));
                }
            }
            Err(error)
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, test};

    #[test]
    fn that_a_token_is_worthless_is_known_until_a_moment_and_not_at_it() {
        let mut good = GoodTokens::new(Fingerprinter::new(&[7; 16]));
        let token = good.fingerprinter.fingerprint(b"a token");
        assert!(!good.is_known(token, NOW));
        let until = NOW.plus_ms(2);
        good.worthless.insert(token, (CatError::Malformed, until));
        assert!(good.is_known(token, NOW.plus_ms(1)));
        assert!(!good.is_known(token, until));
    }
}
