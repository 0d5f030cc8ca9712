//! Who may call the session API.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::Deserialize;

#[cfg(feature = "schema")]
use super::super::limits;
use super::RawCatSubject;

/// Who may call the session API.
#[derive(Debug, Deserialize)]
#[serde(
    rename = "SessionApi",
    deny_unknown_fields,
    expecting = "the fields of `session_api`"
)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RawSessionApi {
    /// What proves that the caller acts for the `{subject}` in the path.
    pub subject: RawSubjectProof,
    /// The identity providers, `{idp}` in the path, that the proof is good for. Default: with
    /// a claim, the `idp` of the protected paths that take the account from the same claim;
    /// with `trusted`, any.
    #[cfg_attr(
        feature = "schema",
        schemars(length(min = 1), inner(length(min = 1, max = limits::NAME_MAX)))
    )]
    pub idp: Option<Vec<String>>,
}

/// What proves that a caller acts for the account that it names.
#[derive(Debug, Deserialize)]
#[serde(rename = "SubjectProof", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub enum RawSubjectProof {
    /// A claim of the JWT that Envoy's `jwt_authn` has checked: it must say the same account.
    JwtClaim(
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = limits::NAME_MAX)))] String,
    ),
    /// A Common Access Token, which must say the same account; needs `cat`.
    Cat(RawCatSubject),
    /// Nothing here: an earlier hop has checked the account in the path.
    Trusted,
}
