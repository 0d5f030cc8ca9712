//! Whether a caller of the session API acts for the account that it names.

use core::net::IpAddr;

use streamgate_tokens::cat::Access;
use streamgate_values::head::Head;
use streamgate_values::limits::Limits;
use streamgate_values::moment::Moment;

use super::access::{GoodTokens, granted};
use super::asked::without_port;
use super::credential::{Credential, credential_ends_at};
use super::{Asked, claim, granted_limits};
use crate::config::{Config, SessionApi, SubjectProof};
use crate::refusal::reason::Reason;

/// What the credential says that a caller acts for an account with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proof {
    /// The account's own limits.
    pub limits: Limits,
    /// From when on it is worth nothing, and neither is what was issued for it.
    pub ends_at: Option<Moment>,
}

/// Checks that a caller acts for the account `subject` of `idp`, both as in the path, decoded.
///
/// # Errors
///
/// The [`Reason`] to refuse for: no credential, a bad one, or another account's.
pub(crate) fn prove<H: Head>(
    config: &Config,
    api: &SessionApi,
    good: &mut GoodTokens,
    asked: &Asked<'_, H>,
    (idp, subject): (&str, &str),
    now: impl FnOnce() -> Moment,
) -> Result<Proof, Reason> {
    let (named, ends_at) = match &api.subject {
        SubjectProof::Trusted => (None, None),
        SubjectProof::JwtClaim(name) => {
            let claim = asked.head.jwt_claim(&config.jwt_payload, name);
            let named = claim.and_then(|claim| claim::id(&claim).ok().flatten());
            let named = named.ok_or(Reason::NoSubject)?;
            let ends_at = credential_ends_at(config, asked.head, Credential::Jwt);
            (Some(named), ends_at)
        }
        SubjectProof::CatSubject => {
            // A bad token is a reason to refuse wherever it stood: nothing else says who calls.
            let granted = granted(config, good, asked, now()).map_err(|(_, reason)| reason)?;
            let access = granted.map(|granted| granted.access);
            let access = access.ok_or(Reason::NoSubject)?;
            let ends_at = Access::ends_at(&access);
            (Some(access.subject.ok_or(Reason::NoSubject)?), ends_at)
        }
    };
    if !api.is_good_for(idp) || named.is_some_and(|named| named != subject) {
        return Err(Reason::OtherAccount);
    }
    Ok(Proof {
        limits: granted_limits(config, asked.head),
        ends_at,
    })
}

/// Where a client is: its address, or of an IPv6 address the network of 64 bits, because
/// whoever has one has them all. `None` if that is not known.
pub(crate) fn client_network(head: &impl Head) -> Option<Vec<u8>> {
    let address = head.client_address()?;
    let host = without_port(&address);
    let host = host.strip_prefix(b"[").unwrap_or(host);
    let parsed = core::str::from_utf8(host).ok()?.parse::<IpAddr>();
    Some(match parsed.map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(address)) => address.octets().to_vec(),
        Ok(IpAddr::V6(address)) => address.octets().into_iter().take(8).collect(),
        Err(_) => host.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Headers, test};

    #[test]
    fn a_client_is_its_address_or_its_network_of_64_bits() {
        let network = |address: &str| {
            let head = Headers::new(&[("(client address)", address)]);
            client_network(&head)
        };
        assert_eq!(network("10.0.0.1:443"), network("10.0.0.1:80"));
        assert_eq!(network("10.0.0.1:443"), network("[::ffff:10.0.0.1]:80"));
        assert_ne!(network("10.0.0.1:443"), network("10.0.0.2:443"));
        assert_eq!(network("[2001:db8::1]:1"), network("[2001:db8::ffff:1]:2"));
        assert_ne!(network("[2001:db8::1]:1"), network("[2001:db8:0:1::1]:1"));
        assert_eq!(client_network(&Headers::default()), None);
    }
}
