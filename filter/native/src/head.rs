//! The head of a request, as Envoy knows it.

use core::cell::OnceCell;

use serde_json::Value;
use streamgate_values::head::Head;

use crate::envoy::{Headers, HttpStream};

/// What the filter state is called that holds the payload of the JWT that Envoy has checked, in
/// front of the name it has in the configuration (`jwt.payload_in_metadata`). A module cannot read
/// metadata within metadata, so Envoy's `set_filter_state` copies it there as JSON. No client can
/// write it, as it could a header.
const PAYLOAD: &str = "streamgate.";

/// The head of the request whose hook is running.
pub(crate) struct RequestHead {
    stream: HttpStream,
    payload: OnceCell<Option<Value>>,
}

impl RequestHead {
    pub(crate) const fn of(stream: HttpStream) -> Self {
        Self {
            stream,
            payload: OnceCell::new(),
        }
    }
}

impl Head for RequestHead {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.stream.header(Headers::Request, name)
    }

    fn headers(&self, name: &str) -> Vec<Vec<u8>> {
        self.stream.values(Headers::Request, name)
    }

    fn jwt_claim_at(&self, payload: &str, claim: &[&str]) -> Option<Vec<u8>> {
        let payload = self.payload.get_or_init(|| {
            let json = self.stream.state(&format!("{PAYLOAD}{payload}"))?;
            serde_json::from_slice(&json).ok()
        });
        claim_of(payload.as_ref()?, claim)
    }

    fn client_address(&self) -> Option<Vec<u8>> {
        self.stream.client_address()
    }
}

/// A claim of a payload, as the core wants it.
fn claim_of(payload: &Value, claim: &[&str]) -> Option<Vec<u8>> {
    let mut claims = claim.iter();
    match claims.try_fold(payload, |value, name| value.get(name))? {
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Number(number) => Some(number.as_f64()?.to_le_bytes().to_vec()),
        Value::Bool(is_true) => Some(vec![u8::from(*is_true)]),
        Value::Null => None,
        // It is there, and no claim that anybody could go by: not text, no number, no truth value.
        Value::Array(_) | Value::Object(_) => Some(vec![0, 0]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_claim_is_text_a_number_or_a_truth_value() {
        let payload = json!({
            "sub": "alice", "limit": 3, "kid": true, "realm": {"account": "bob"},
            "https://example.com/a": "dotted", "aud": ["x"], "none": null,
        });
        let claim = |names: &[&str]| claim_of(&payload, names);
        assert_eq!(claim(&["sub"]).unwrap(), b"alice");
        assert_eq!(claim(&["limit"]).unwrap(), 3_f64.to_le_bytes());
        assert_eq!(claim(&["kid"]).unwrap(), [1]);
        assert_eq!(claim(&["realm", "account"]).unwrap(), b"bob");
        assert_eq!(claim(&["https://example.com/a"]).unwrap(), b"dotted");
        for useless in [&["aud"][..], &["realm"]] {
            assert_eq!(claim(useless).unwrap(), [0, 0], "{useless:?}");
        }
        for none in [&["none"][..], &["sub", "x"], &["gone"]] {
            assert_eq!(claim(none), None, "{none:?}");
        }
    }
}
