//! JWTs as an identity provider signs them (RFC 7519), and as a forger would.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// A JWT to be signed with HMAC-SHA-256.
#[derive(Debug, Clone)]
#[must_use]
pub struct Jwt {
    algorithm: &'static str,
    key: Vec<u8>,
    claims: Value,
}

impl Jwt {
    /// The key that [`Jwt::key_set`] holds.
    pub const KEY: &[u8] = b"the key of the accounts' identity provider";

    /// What an edge is told to check JWTs with: a JSON Web Key Set (RFC 7517).
    #[must_use]
    pub fn key_set() -> String {
        let key = URL_SAFE_NO_PAD.encode(Self::KEY);
        json!({"keys": [{"kty": "oct", "alg": "HS256", "k": key}]}).to_string()
    }

    /// A JWT for an account, good for long.
    pub fn of(account: &str) -> Self {
        Self {
            algorithm: "HS256",
            key: Self::KEY.to_vec(),
            claims: json!({
                "iss": "https://accounts.example",
                "sub": account,
                "exp": 4_102_444_800_u64,
            }),
        }
    }

    /// With another claim.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims[name] = value.into();
        self
    }

    /// Past its time.
    pub fn expired(self) -> Self {
        self.claim("exp", 1_000_000_000)
    }

    /// Signed with another key.
    pub fn signed_with(mut self, key: &[u8]) -> Self {
        self.key = key.to_vec();
        self
    }

    /// With another algorithm in its header; `none` leaves the signature out.
    pub fn algorithm(mut self, algorithm: &'static str) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// As text.
    #[must_use]
    pub fn sign(&self) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let header = json!({"alg": self.algorithm, "typ": "JWT"});
        let signed = format!("{}.{}", part(&header), part(&self.claims));
        if self.algorithm == "none" {
            return format!("{signed}.");
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("a key");
        mac.update(signed.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        format!("{signed}.{signature}")
    }
}
