//! What a refusal costs does not tell why.

use super::vectors::keys;
use super::*;
use crate::testing::test;
use serde_json::Value;

#[test]
fn every_refusal_computes_one_signature_of_each_algorithm() {
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
            // One that names no key is held against two of its algorithm.
            let one_of_each = Computed { hmac: 1, es256: 1 };
            let two_of_one = Computed { hmac: 2, es256: 0 };
            let is_unnamed = computed == two_of_one && reason == CatError::NotVouchedFor;
            assert!(
                computed == one_of_each || is_unnamed,
                "{computed:?} {reason:?} {token}"
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
    let head_request = CatRequest {
        method: b"HEAD",
        ..asked(&head)
    };
    let (again, computed) = counted(|| access.check(&head_request, NOW));
    assert_eq!(again, Err(CatError::Method));
    assert_eq!(access.check(&asked(&head), NOW), Ok(()));
    assert_eq!(computed, Computed { hmac: 0, es256: 0 });
}

/// Any bytes in the form of a token of this algorithm, under this key id if there is one.
fn form(algorithm: &[u8], kid: Option<&[u8]>) -> String {
    let unprotected = match kid {
        Some(kid) => [&[0xa1, 4, 0x40 | kid.len() as u8][..], kid].concat(),
        None => vec![0xa0],
    };
    let header = [
        &[0x40 | (algorithm.len() + 2) as u8, 0xa1, 1][..],
        algorithm,
    ]
    .concat();
    to_text(
        &[
            &[0x84][..],
            &header,
            &unprotected,
            &[0x41, 0xa0, 0x58, 64],
            &[7; 64],
        ]
        .concat(),
    )
}

const HS256: &[u8] = &[5];
const ES256: &[u8] = &[0x26];

#[test]
fn no_token_is_held_against_more_than_two_keys() {
    let es256 = |kid: &[u8]| Key::es256(kid, EC_PEM.as_bytes()).unwrap();
    let hmac = |kid: &[u8]| Key::hmac(kid, HMAC_SECRET).unwrap();
    let eight = Keys::new((0..8).map(|n| es256(&[n])).collect()).unwrap();
    let alike = Keys::new(vec![es256(b"a"); 8]).unwrap();
    let mixed = (0..8).map(|n| if n % 2 == 0 { es256(&[n]) } else { hmac(&[n]) });
    let mixed = Keys::new(mixed.collect()).unwrap();
    let secrets = Keys::new((0..8).map(|n| hmac(&[n])).collect()).unwrap();
    let tokens = ["x", "", "AAAA", "!"].map(str::to_owned).into_iter().chain(
        [
            None,
            Some(&b"a"[..]),
            Some(&[1]),
            Some(&[7]),
            Some(b"unknown"),
        ]
        .into_iter()
        .flat_map(|kid| [form(HS256, kid), form(ES256, kid)]),
    );
    for token in tokens {
        for keys in [&eight, &alike, &mixed, &secrets] {
            let (read, computed) = counted(|| read_plainly(keys, token.as_bytes()));
            assert!(read.is_err());
            assert_eq!(computed.hmac + computed.es256, 2, "{token}");
        }
    }
    let one = Keys::new(vec![es256(b"a")]).unwrap();
    let (_, computed) = counted(|| read_plainly(&one, b"x"));
    assert_eq!(computed, Computed { hmac: 0, es256: 1 });
}

#[test]
fn a_token_is_found_by_key_id_and_algorithm_however_many_keys_there_are() {
    let others = (0..6).map(|n| Key::hmac(&[n], &[n; 32]).unwrap());
    let es256 = Key::es256(b"new", EC_PEM.as_bytes()).unwrap();
    let last = Key::hmac(b"new", HMAC_SECRET).unwrap();
    let keys = Keys::new(others.chain([es256, last]).collect()).unwrap();
    let (read, computed) = counted(|| read_plainly(&keys, token(b"\xa0").as_bytes()));
    assert!(read.is_ok());
    assert_eq!(computed, Computed { hmac: 1, es256: 0 });
}
