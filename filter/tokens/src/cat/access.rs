//! What a good token grants.

use streamgate_values::moment::Moment;

use super::claims::Claims;
use super::demands::{CatError, CatRequest};
use super::renewal::Renewal;

/// What a good token grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Whom the token is about (`sub`).
    pub subject: Option<String>,
    /// The token's own id (`cti`).
    pub id: Option<Vec<u8>>,
    /// Who issued it (`iss`).
    pub issuer: Option<String>,
    /// From this moment on it is worth nothing, save for the leeway (`exp`).
    pub expires_at: Option<Moment>,
    /// How it may be renewed (`catr`).
    pub renewal: Option<Renewal>,
    /// Whether [`Access::check`] depends on the request, or on the time alone.
    pub restricts_requests: bool,
    pub(super) leeway_ms: u64,
    pub(super) claims: Vec<u8>,
}

impl Access {
    /// From this moment on it is worth nothing, the leeway included.
    #[must_use]
    pub fn ends_at(&self) -> Option<Moment> {
        let expires_at = self.expires_at?;
        Some(expires_at.plus_ms(self.leeway_ms))
    }

    /// Whether the token is good for another request, at another time. Signature and
    /// parties need not be looked at again.
    ///
    /// # Errors
    ///
    /// The first reason to refuse the request.
    pub fn check(&self, asked: &CatRequest<'_>, now: Moment) -> Result<(), CatError> {
        let claims = Claims::read(&self.claims)?;
        claims.check_time(self.leeway_ms, now)?;
        claims.check_request(asked)
    }
}
