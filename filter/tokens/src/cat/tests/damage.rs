//! No bytes make the reader panic, and no bit of a good token may change.

use super::vectors::keys;
use super::*;
use crate::cat::{BASE64_URL, TOKEN_MAX};
use crate::testing::test;
use base64::Engine;
use serde_json::Value;

/// Good tokens of one kind, in these forms, with the keys that they need.
fn good_tokens(kind: &str, forms: &[&str]) -> (Keys, Vec<Vec<u8>>) {
    let mut file: Value = serde_json::from_str(include_str!("python-cwt.json")).unwrap();
    let is_of_kind = |key: &Value| key.get("es256").is_some() == (kind == "ES256");
    file["keys"].as_array_mut().unwrap().retain(is_of_kind);
    let tokens = forms.iter().map(|form| {
        let name = format!("{kind}, {form}");
        let mut vectors = file["vectors"].as_array().unwrap().iter();
        let vector = vectors.find(|vector| vector["name"] == name).unwrap();
        BASE64_URL
            .decode(vector["token"].as_str().unwrap())
            .unwrap()
    });
    (keys(&file), tokens.collect())
}

const FORMS: [&str; 5] = [
    "no key id",
    "under the CWT tag",
    "without any tag",
    "key id",
    "key id that is signed",
];

fn read_for_cdn(keys: &Keys, text: &[u8]) -> Result<Access, CatError> {
    let head = Headers::default();
    let demands = Demands {
        audience: Some("cdn".to_owned()),
        ..Demands::default()
    };
    read(keys, &demands, text, &asked(&head), NOW)
}

fn refuse_with_any_bit_changed(keys: &Keys, token: &[u8]) {
    assert!(read_for_cdn(keys, to_text(token).as_bytes()).is_ok());
    for bit in 0..token.len() * 8 {
        let mut changed = token.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        let read = read_for_cdn(keys, to_text(&changed).as_bytes());
        assert!(read.is_err(), "bit {bit} of {token:x?}");
    }
}

#[test]
fn a_token_with_a_mac_and_any_one_bit_changed_is_refused() {
    let (keys, tokens) = good_tokens("HMAC", &FORMS);
    for token in tokens {
        refuse_with_any_bit_changed(&keys, &token);
    }
}

/// Each bit is an ECDSA computation without optimisation: too slow where it is slow.
#[cfg(not(target_arch = "wasm32"))]
#[test]
fn a_token_with_a_signature_and_any_one_bit_changed_is_refused() {
    let (keys, tokens) = good_tokens("ES256", &["key id"]);
    for token in tokens {
        refuse_with_any_bit_changed(&keys, &token);
    }
}

#[test]
fn a_token_whose_text_has_any_one_bit_changed_is_refused() {
    let (keys, tokens) = good_tokens("HMAC", &FORMS);
    for token in tokens {
        let text = to_text(&token).into_bytes();
        for bit in 0..text.len() * 8 {
            let mut changed = text.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(
                read_for_cdn(&keys, &changed).is_err(),
                "bit {bit} of {token:x?}"
            );
        }
    }
}

#[test]
fn a_token_cut_short_or_with_something_after_it_is_refused() {
    let (keys, tokens) = good_tokens("HMAC", &FORMS);
    for token in tokens {
        for length in 0..token.len() {
            let text = to_text(&token[..length]);
            assert!(read_for_cdn(&keys, text.as_bytes()).is_err(), "{length}");
        }
        for after in [" ", "A", "AAAA", "\n", "====", "\0"] {
            let text = to_text(&token) + after;
            assert!(read_for_cdn(&keys, text.as_bytes()).is_err(), "{after:?}");
        }
    }
}

#[test]
fn a_token_that_is_too_long_is_refused() {
    let claims = |padding: usize| {
        let mut claims = b"\xa1\x61x\x59".to_vec();
        claims.extend((padding as u16).to_be_bytes());
        claims.resize(claims.len() + padding, 0);
        claims
    };
    let mut tokens = (3000..).map(|padding| token(&claims(padding)));
    let longest = tokens.find(|token| token.len() >= TOKEN_MAX).unwrap();
    assert_eq!(longest.len(), TOKEN_MAX);
    assert!(read_plainly(&hmac_keys(), longest.as_bytes()).is_ok());
    let longer = token(&claims(3020));
    let refused = read_plainly(&hmac_keys(), longer.as_bytes());
    assert_eq!(refused, Err(CatError::Malformed));
}

#[test]
fn claims_nested_too_deep_are_refused() {
    let nested = |depth| {
        let claims = [&b"\xa1\x61x"[..], &vec![0x81; depth], &[0]].concat();
        read_plainly(&hmac_keys(), token(&claims).as_bytes())
    };
    assert!(nested(15).is_ok());
    for depth in [16, 1000, 2900] {
        assert_eq!(nested(depth), Err(CatError::Malformed), "{depth}");
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod random {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// Bytes that look like CBOR more often than chance would have it.
    fn cbor_like() -> impl Strategy<Value = Vec<u8>> {
        let head = prop_oneof![
            Just(0x01),
            Just(0x04),
            Just(0x18),
            Just(0x19),
            Just(0x1a),
            Just(0x38),
            Just(0x39),
            Just(0x41),
            Just(0x44),
            Just(0x61),
            Just(0x80),
            Just(0x82),
            Just(0x84),
            Just(0xa0),
            Just(0xa1),
            Just(0xa2),
            Just(0xd1),
            Just(0xd8),
            Just(0xf6),
            Just(0xfb),
        ];
        vec(prop_oneof![head, any::<u8>()], 0..200)
    }

    proptest! {
        #[test]
        fn random_text_is_refused(text in vec(any::<u8>(), 0..5000)) {
            prop_assert!(read_plainly(&hmac_keys(), &text).is_err());
        }

        #[test]
        fn random_bytes_are_refused(bytes in cbor_like()) {
            let text = to_text(&bytes);
            prop_assert!(read_plainly(&hmac_keys(), text.as_bytes()).is_err());
        }

        /// Behind a good signature too, nothing panics; renewing keeps what was read.
        #[test]
        fn random_claims_are_read_or_refused(claims in cbor_like()) {
            let keys = hmac_keys();
            if let Ok(access) = read_plainly(&keys, token(&claims).as_bytes()) {
                let _ = keys.renew(&access, NOW);
            }
        }

        #[test]
        fn a_random_value_of_any_claim_is_read_or_refused(
            label in prop_oneof![0_u16..10, 308_u16..326],
            value in cbor_like(),
        ) {
            let keys = hmac_keys();
            let label = label.to_be_bytes();
            let claims = [&[0xa1, 0x19], &label[..], &value[..]].concat();
            if let Ok(access) = read_plainly(&keys, token(&claims).as_bytes()) {
                let _ = keys.renew(&access, NOW);
            }
        }
    }
}
