//! When the credential ends that a caller came with.

use crate::config::Config;
use crate::exchange::Head;
use crate::moment::Moment;

/// How far the clocks of a JWT's issuer and of the edge may be apart, in milliseconds: what
/// Envoy's `jwt_authn` allows where it is not told otherwise.
const JWT_LEEWAY_MS: u64 = 60_000;

/// From when on the JWT that the proxy has checked is worth nothing, the leeway included.
/// `None` if it has no end. One whose end cannot be read has ended.
pub(crate) fn jwt_ends_at(config: &Config, head: &impl Head) -> Option<Moment> {
    let claim = head.jwt_claim(&config.jwt_payload, "exp")?;
    let seconds = claim.try_into().map_or(0.0, f64::from_le_bytes);
    // What is no number, or lies before 1970, becomes 0.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a conversion with `as` ends at the bounds of the type"
    )]
    let ms = (seconds * 1_000.0) as u64;
    Some(Moment::from_ms(ms).plus_ms(JWT_LEEWAY_MS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Headers, config, test};

    #[test]
    fn a_jwt_ends_a_leeway_after_its_time() {
        let config = config();
        let ends = |claim: &[u8]| {
            let head = Headers::default().with("(jwt) exp", claim);
            jwt_ends_at(&config, &head)
        };
        let at = |seconds: f64| ends(&seconds.to_le_bytes());
        let leeway = Moment::from_ms(JWT_LEEWAY_MS);
        assert_eq!(at(1_000.0), Some(leeway.plus_ms(1_000_000)));
        assert_eq!(at(0.5), Some(leeway.plus_ms(500)));
        assert_eq!(at(-1.0), Some(leeway));
        assert_eq!(at(f64::NAN), Some(leeway));
        assert!(at(f64::INFINITY) >= at(1e15));
        assert_eq!(ends(b"soon"), Some(leeway));
        assert_eq!(jwt_ends_at(&config, &Headers::default()), None);
    }
}
