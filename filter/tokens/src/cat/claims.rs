//! What a token says (RFC 8392, section 3.1; CTA-5007), sorted by what it is checked
//! against: the operator's demands and the clock, or the request.

use streamgate_values::moment::Moment;

use super::cbor::{self, Entries, Label, MalformedCbor, find};
use super::labels::{CATALPN, CATH, CATM, CATNIP, CATU, EXP};
use super::request;
use super::{CatError, CatRequest, Demands};

// Labels of claims, from IANA's registry of CWT claims.
const ISS: i64 = 1;
const SUB: i64 = 2;
const AUD: i64 = 3;

const NBF: i64 = 5;
const IAT: i64 = 6;
const CTI: i64 = 7;
const CATREPLAY: i64 = 308;
const CATV: i64 = 310;

const CATIFDATA: i64 = 320;
const CATIF: i64 = 322;
const CATR: i64 = 323;

/// Integer labels below this are for private use (RFC 8392, section 9.1.1).
const PRIVATE_BELOW: i64 = -65_536;

/// The claims of a token that a key vouched for.
pub(super) struct Claims<'a>(Entries<'a>);

impl<'a> Claims<'a> {
    /// Reads them. A claim that is not known might restrict access and is refused; so
    /// is one of CTA-5007 that nothing here can check. Private claims, with a text or
    /// a private integer for a label, concern others.
    pub(super) fn read(payload: &'a [u8]) -> Result<Self, CatError> {
        let claims = Self(cbor::entries(payload)?);
        for (label, value) in &claims.0 {
            match *label {
                Label::Int(CATREPLAY) if cbor::integer(value)? == 0 => {}
                Label::Int(CATV) if cbor::integer(value)? == 1 => {}
                Label::Int(
                    ISS | SUB | AUD | EXP | NBF | IAT | CTI | CATNIP | CATU | CATM | CATALPN | CATH
                    | CATR,
                ) => {}
                // What to answer to a refusal, and data for that: they restrict nothing.
                Label::Int(CATIF | CATIFDATA) => {}
                Label::Text(_) => {}
                Label::Int(label) if label < PRIVATE_BELOW => {}
                Label::Int(label) => return Err(CatError::Unsupported(label)),
            }
        }
        Ok(claims)
    }

    fn get(&self, label: i64) -> Option<&'a [u8]> {
        find(&self.0, Label::Int(label))
    }

    fn text(&self, label: i64) -> Result<Option<&'a str>, MalformedCbor> {
        self.get(label).map(cbor::text).transpose()
    }

    fn moment(&self, label: i64) -> Result<Option<Moment>, MalformedCbor> {
        let ms = self.get(label).map(cbor::seconds_as_ms).transpose()?;
        Ok(ms.map(Moment::from_ms))
    }

    pub(super) fn issuer(&self) -> Result<Option<&'a str>, MalformedCbor> {
        self.text(ISS)
    }

    pub(super) fn subject(&self) -> Result<Option<&'a str>, MalformedCbor> {
        self.text(SUB)
    }

    pub(super) fn id(&self) -> Result<Option<&'a [u8]>, MalformedCbor> {
        self.get(CTI).map(cbor::bytes).transpose()
    }

    pub(super) fn expires_at(&self) -> Result<Option<Moment>, MalformedCbor> {
        self.moment(EXP)
    }

    pub(super) fn renewal(&self) -> Option<&'a [u8]> {
        self.get(CATR)
    }

    /// Whether anything depends on the request.
    pub(super) fn restrict_requests(&self) -> bool {
        let restricting = [CATU, CATM, CATNIP, CATALPN, CATH];
        restricting.iter().any(|label| self.get(*label).is_some())
    }

    /// Checks who issued the token, and for whom.
    ///
    /// An audience that is named must be ours, so a token with one needs an audience
    /// in the demands (RFC 7519, section 4.1.3, which RFC 8392 follows).
    pub(super) fn check_parties(&self, demands: &Demands) -> Result<(), CatError> {
        let issuer = self.issuer()?;
        let is_trusted = |issuer| demands.issuers.iter().any(|trusted| trusted == issuer);
        if !demands.issuers.is_empty() && !issuer.is_some_and(is_trusted) {
            return Err(CatError::Issuer);
        }

        let audience = self.get(AUD).map(audience).transpose()?;
        match (&demands.audience, audience) {
            (None, None) => Ok(()),
            (Some(ours), Some(named)) if named.contains(&ours.as_str()) => Ok(()),
            _ => Err(CatError::Audience),
        }
    }

    /// Checks the time: from `nbf` on, inclusive, until `exp`, exclusive, with `leeway_ms`
    /// more on either side.
    pub(super) fn check_time(&self, leeway_ms: u64, now: Moment) -> Result<(), CatError> {
        self.moment(IAT)?;
        if let Some(expires_at) = self.expires_at()?
            && now >= expires_at.plus_ms(leeway_ms)
        {
            return Err(CatError::Expired);
        }
        if let Some(valid_from) = self.moment(NBF)?
            && now.plus_ms(leeway_ms) < valid_from
        {
            return Err(CatError::NotYetValid);
        }
        Ok(())
    }

    /// Checks the request.
    pub(super) fn check_request(&self, asked: &CatRequest<'_>) -> Result<(), CatError> {
        let checks: [(i64, request::ClaimCheck); 5] = [
            (CATM, request::method),
            (CATU, super::uri::check),
            (CATNIP, request::address),
            (CATALPN, request::protocol),
            (CATH, request::headers),
        ];
        for (label, check) in checks {
            if let Some(claim) = self.get(label) {
                check(claim, asked)?;
            }
        }
        Ok(())
    }
}

/// One audience or several.
fn audience(claim: &[u8]) -> Result<Vec<&str>, MalformedCbor> {
    match cbor::text(claim) {
        Ok(one) => Ok(vec![one]),
        Err(_) => cbor::elements(claim)?.into_iter().map(cbor::text).collect(),
    }
}
