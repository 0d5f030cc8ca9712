//! When what vouches for a request stops being true: nothing that is given out for a
//! credential (a playback token, a cookie, a lease) may outlive it.

use streamgate_tokens::cat::Access;
use streamgate_tokens::signed::PlaybackToken;
use streamgate_values::head::Head;
use streamgate_values::moment::Moment;

use super::claim;
use crate::config::Config;

/// The claim of a JWT that says when it expires (RFC 7519, section 4.1.4).
const EXPIRY: &str = "exp";

/// What vouches for a request's subject or stream.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Credential<'a> {
    /// A playback token.
    Token(&'a PlaybackToken),
    /// A Common Access Token.
    Access(&'a Access),
    /// The JWT that the proxy has checked.
    Jwt,
    /// Something that has no end of its own: a header that an earlier hop sets, or nothing.
    Endless,
}

/// From which moment on the credential of this request is worth nothing, the configured
/// leeway included. `None`: it says no end. Reads one claim at most, and only of a JWT.
///
/// A JWT whose `exp` is there but is no number has ended already: what cannot be read
/// vouches for nothing new.
pub(crate) fn credential_ends_at(
    config: &Config,
    head: &impl Head,
    credential: Credential<'_>,
) -> Option<Moment> {
    match credential {
        Credential::Token(token) => Some(token.expires_at),
        Credential::Access(access) => access.ends_at(),
        Credential::Jwt => {
            let expiry = head.jwt_claim(&config.jwt_payload, EXPIRY)?;
            let expires_at = claim::moment(&expiry).map(|end| end.plus_ms(config.jwt_leeway_ms));
            Some(expires_at.unwrap_or(Moment::from_ms(0)))
        }
        Credential::Endless => None,
    }
}

/// The earlier of two ends, where there is one.
pub(crate) fn earlier(one: Option<Moment>, other: Option<Moment>) -> Option<Moment> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Headers, config_with, test};

    fn ends_at(expiry: Option<&[u8]>) -> Option<u64> {
        let config = config_with(|json| json["jwt"] = serde_json::json!({"leeway": "5s"}));
        let mut head = Headers::default();
        if let Some(expiry) = expiry {
            head = head.with("(jwt) exp", expiry);
        }
        credential_ends_at(&config.unwrap(), &head, Credential::Jwt).map(Moment::as_ms)
    }

    #[test]
    fn a_jwt_ends_when_it_says_and_the_leeway_has_passed() {
        let number = |seconds: f64| ends_at(Some(&seconds.to_le_bytes()));
        assert_eq!(ends_at(None), None);
        assert_eq!(number(1_700_000_000.0), Some(1_700_000_005_000));
        assert_eq!(number(1.7e9), Some(1_700_000_005_000));
        assert_eq!(number(1_700_000_000.5), Some(1_700_000_005_500));
        assert_eq!(ends_at(Some(b"1700000000")), Some(1_700_000_005_000));
        // Long over, and never.
        assert_eq!(number(0.0), Some(5_000));
        assert_eq!(number(-1.0), Some(5_000));
        assert!(number(1e300) > Some(1 << 47));
        assert!(number(f64::INFINITY) > Some(1 << 47));
    }

    #[test]
    fn a_jwt_whose_end_cannot_be_read_has_ended() {
        for bad in [
            &b"tomorrow"[..],
            b"",
            b"-1",
            b"\xff\xfe\x00",
            &[1],
            &f64::NAN.to_le_bytes(),
        ] {
            assert_eq!(ends_at(Some(bad)), Some(0), "{bad:?}");
        }
    }
}
