//! What a good token says of itself.

use super::*;
use crate::cat::testing::Claims;
use crate::testing::test;

fn access(claims: &Claims, leeway_ms: u64) -> Access {
    let head = Headers::default();
    let demands = Demands {
        leeway_ms,
        ..Demands::default()
    };
    let token = claims.sign();
    read(&hmac_keys(), &demands, token.as_bytes(), &asked(&head), NOW).unwrap()
}

#[test]
fn it_ends_when_it_expires_and_the_leeway_is_over() {
    let expires_at = NOW.plus_ms(60_000);
    let lasting = access(&Claims::of("alice").until(expires_at), 5_000);
    assert_eq!(lasting.ends_at(), Some(expires_at.plus_ms(5_000)));
    assert_eq!(access(&Claims::of("alice"), 5_000).ends_at(), None);
}

#[test]
fn it_restricts_requests_only_by_claims_about_them() {
    let lasting = Claims::of("alice").id("one").until(NOW.plus_ms(60_000));
    assert!(!access(&lasting, 0).restricts_requests);
    // catm: ["GET"]
    let by_method = lasting.claim(313, b"\x81\x63GET");
    assert!(access(&by_method, 0).restricts_requests);
}
