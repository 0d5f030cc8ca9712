//! Renewed tokens, and the time.

use streamgate_values::moment::Moment;

use super::*;
use crate::cat::{Renewed, cbor};
use crate::testing::test;

const SECOND_NOW: u64 = NOW.as_ms() / 1000;

/// `exp`, `catr` with this type, deadline and 300 s more, `cti`, and a private claim.
fn renewable(expires_s: u64, renewal: &[u8]) -> String {
    let exp = [&b"\x04\x1b"[..], &expires_s.to_be_bytes()].concat();
    let claims = [
        &b"\xa4"[..],
        &exp,
        b"\x19\x01\x43",
        renewal,
        b"\x07\x41\x09\x61p\x81\x01",
    ];
    token(&claims.concat())
}

#[test]
fn a_renewed_token_says_the_same_and_lives_longer() {
    let keys = hmac_keys();
    let old = renewable(SECOND_NOW + 10, b"\xa2\0\x01\x01\x19\x01\x2c");
    let old = read_plainly(&keys, old.as_bytes()).unwrap();
    let now = NOW.plus_ms(1_500);
    let Renewed { token, expires_at } = keys.renew(&old, now).unwrap();
    assert_eq!(expires_at, NOW.plus_ms(301_000));

    let new = read_plainly(&keys, token.as_bytes()).unwrap();
    assert_eq!(new.expires_at, Some(expires_at));
    assert_eq!((&new.id, &new.renewal), (&old.id, &old.renewal));
    let others = |access: &Access| {
        let claims = cbor::entries(&access.claims).unwrap().into_iter();
        let others = claims.filter(|(label, _)| *label != cbor::Label::Int(4));
        others.map(|(_, value)| value.to_vec()).collect::<Vec<_>>()
    };
    assert_eq!(others(&new), others(&old));
    assert_eq!(keys.renew(&new, now).map(|again| again.token), Some(token));
}

#[test]
fn renewal_is_due_from_its_deadline_until_the_expiry() {
    let keys = hmac_keys();
    let due = |renewal: &[u8], ms_before_expiry: u64| {
        let token = renewable(SECOND_NOW + 3600, renewal);
        let access = read_plainly(&keys, token.as_bytes()).unwrap();
        let expires_at = access.expires_at.unwrap();
        access.is_renewal_due(Moment::from_ms(expires_at.as_ms() - ms_before_expiry))
    };
    let plain = b"\xa2\0\x01\x01\x19\x01\x2c";
    let deadline_10_s = b"\xa3\0\x01\x01\x19\x01\x2c\x02\x0a";
    for (renewal, first) in [(&plain[..], 60_000), (deadline_10_s, 10_000)] {
        assert!(!due(renewal, first + 1));
        assert!(due(renewal, first));
        assert!(due(renewal, 1));
        assert!(!due(renewal, 0));
    }
}

#[test]
fn nothing_is_renewed_without_a_secret_or_a_word_about_it() {
    let ec = Keys::new(vec![Key::es256(b"ec", EC_PEM.as_bytes()).unwrap()]).unwrap();
    let keys = hmac_keys();
    let renewable = renewable(SECOND_NOW + 10, b"\xa2\0\x01\x01\x19\x01\x2c");
    let renewable = read_plainly(&keys, renewable.as_bytes()).unwrap();
    assert_eq!(ec.renew(&renewable, NOW), None);

    // exp alone
    let exp = [&b"\xa1\x04\x1b"[..], &(SECOND_NOW + 10).to_be_bytes()].concat();
    let plain = read_plainly(&keys, token(&exp).as_bytes()).unwrap();
    assert_eq!(keys.renew(&plain, NOW), None);
    assert!(!plain.is_renewal_due(NOW));
}

#[test]
fn the_leeway_stretches_both_ends() {
    let keys = hmac_keys();
    let at = |exp_or_nbf: u8, offset_ms: i64| {
        let claim = [&[0xa1, exp_or_nbf, 0x1b], &SECOND_NOW.to_be_bytes()[..]].concat();
        let (head, now) = (
            Headers::default(),
            NOW.as_ms().checked_add_signed(offset_ms),
        );
        let demands = Demands {
            leeway_ms: 2_000,
            ..Demands::default()
        };
        let (token, now) = (token(&claim), Moment::from_ms(now.unwrap()));
        let access = read(&keys, &demands, token.as_bytes(), &asked(&head), now);
        access.map(|access| access.check(&asked(&head), now))
    };
    assert_eq!(at(4, 1_999), Ok(Ok(())));
    assert_eq!(at(4, 2_000), Err(CatError::Expired));
    assert_eq!(at(5, -2_000), Ok(Ok(())));
    assert_eq!(at(5, -2_001), Err(CatError::NotYetValid));
}

#[test]
fn a_token_for_an_audience_needs_one_here() {
    let keys = hmac_keys();
    let token = token(b"\xa1\x03\x63cdn");
    let refused = read_plainly(&keys, token.as_bytes());
    assert_eq!(refused, Err(CatError::Audience));
}
