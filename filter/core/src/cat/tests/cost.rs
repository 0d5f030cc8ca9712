//! What a refusal costs does not tell why.

use super::vectors::keys;
use super::*;
use crate::testing::test;
use serde_json::Value;

#[test]
fn every_refusal_computes_one_signature_under_each_key() {
    let file: Value = serde_json::from_str(include_str!("python-cwt.json")).unwrap();
    let keys = keys(&file);
    let demands = Demands {
        issuers: vec!["shop".to_owned()],
        audience: Some("cdn".to_owned()),
        leeway_ms: 0,
    };
    let long = "A".repeat(5000);
    let vectors = file["vectors"].as_array().unwrap().iter();
    let tokens = vectors.map(|vector| vector["token"].as_str().unwrap());
    let tokens = tokens.chain(["", "!", "AAAA", &long]);

    let mut reasons = Vec::new();
    for token in tokens {
        let head = Headers::default();
        let read = || read(&keys, &demands, token.as_bytes(), &asked(&head), NOW);
        let (read, computed) = counted(read);
        if let Err(reason) = read {
            assert_eq!(
                computed,
                Computed { hmac: 2, es256: 1 },
                "{reason:?} {token}"
            );
            reasons.push(reason);
        }
    }
    let some_of = |reason| reasons.iter().filter(|found| **found == reason).count();
    assert!(some_of(CatError::Malformed) > 50);
    assert!(some_of(CatError::NotVouchedFor) > 10);
    assert!(some_of(CatError::Issuer) > 0 && some_of(CatError::Expired) > 0);
}

#[test]
fn a_good_token_computes_no_more_than_it_needs() {
    let keys = |first: &[u8], second: &[u8]| {
        let key = |kid| Key::hmac(kid, HMAC_SECRET).unwrap();
        let ec = Key::es256(b"ec", EC_PEM.as_bytes()).unwrap();
        Keys::new(vec![ec, key(first), key(second)]).unwrap()
    };
    let token = token(b"\xa0");
    for keys in [keys(b"new", b"old"), keys(b"old", b"new")] {
        let (read, computed) = counted(|| read_plainly(&keys, token.as_bytes()));
        assert!(read.is_ok());
        assert_eq!(computed, Computed { hmac: 1, es256: 0 });
    }
}

#[test]
fn a_good_token_is_checked_again_without_a_signature() {
    let keys = hmac_keys();
    // catm: ["GET"]
    let token = token(b"\xa1\x19\x01\x39\x81\x63GET");
    let access = read_plainly(&keys, token.as_bytes()).unwrap();
    assert!(access.restricts_requests);
    let head = Headers::default();
    let head_request = Asked {
        method: b"HEAD",
        ..asked(&head)
    };
    let (again, computed) = counted(|| access.check(&head_request, NOW));
    assert_eq!(again, Err(CatError::Method));
    assert_eq!(access.check(&asked(&head), NOW), Ok(()));
    assert_eq!(computed, Computed { hmac: 0, es256: 0 });
}
