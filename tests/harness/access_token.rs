//! Common Access Tokens (CTA-5007) as another implementation mints and reads them.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::{node, project};

/// A Common Access Token to be minted.
#[derive(Debug, Clone)]
#[must_use]
pub struct AccessToken {
    claims: Value,
    kid: &'static str,
    secret: Option<String>,
}

impl AccessToken {
    /// The shared secret that edges and issuers hold, in hexadecimal.
    const SECRET: &str = "403697de87af64611c1d32a05dab0fe1fcb715a86ab435f1ec99192d79569388";

    /// The issuer's public key; the private one is in `tests/browser/mint-cat.mjs`.
    const PUBLIC_KEY: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEFDMpzOeGjkFpJ1mc9lo0884v/aVa
fspp7YkZo5TULw9g9/GngNing7+3ot1rJ5boEo27zvnT0WjblSmXGjbnuQ==
-----END PUBLIC KEY-----
";

    /// What an edge is told of the issuer: the configuration's `cat`.
    #[must_use]
    pub fn configuration() -> Value {
        json!({
            "keys": [
                {"id": "shared", "secret": Self::SECRET, "encoding": "hex"},
                {"id": "ec", "public_key": Self::PUBLIC_KEY},
            ],
            "issuers": ["shop"],
            "audience": "cdn",
        })
    }

    /// A token for an account, good for an hour, with this id (hexadecimal).
    pub fn of(account: &str, id: &str) -> Self {
        let claims = json!({"iss": "shop", "aud": "cdn", "sub": account, "cti": id});
        Self {
            claims,
            kid: "shared",
            secret: Some(Self::SECRET.to_owned()),
        }
        .expiring_in(3600)
    }

    /// With another claim, named and written as in node-cat.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims[name] = value.into();
        self
    }

    /// Good for so many seconds more; negative: not any more.
    pub fn expiring_in(self, seconds: i64) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.as_ref().map_or(0, Duration::as_secs);
        self.claim("exp", now.checked_add_signed(seconds))
    }

    /// With the secret under another key id.
    pub fn named(mut self, kid: &'static str) -> Self {
        self.kid = kid;
        self
    }

    /// Signed with another secret of 32 bytes.
    pub fn forged(mut self) -> Self {
        self.secret = Some("66".repeat(32));
        self
    }

    /// Signed with the issuer's private key (ES256).
    pub fn by_private_key(mut self) -> Self {
        (self.kid, self.secret) = ("ec", None);
        self
    }

    /// Mints these tokens.
    #[must_use]
    pub fn mint<const N: usize>(tokens: [Self; N]) -> [String; N] {
        let tokens = tokens.map(
            |Self {
                 claims,
                 kid,
                 secret,
             }| json!({"claims": claims, "kid": kid, "secret": secret}),
        );
        let minted = by_node_cat(&tokens.into());
        let minted = minted.as_array().expect("a list").iter();
        let minted: Vec<String> = minted
            .map(|token| token.as_str().expect("a token").to_owned())
            .collect();
        minted.try_into().expect("one for each")
    }

    /// The claims of a token that the other implementation finds good.
    #[must_use]
    pub fn read(token: &str) -> Value {
        by_node_cat(&json!([{"token": token, "kid": "shared", "secret": Self::SECRET}]))[0].take()
    }
}

fn by_node_cat(asked: &Value) -> Value {
    let mut process = Command::new(node())
        .arg(project().join("tests/browser/mint-cat.mjs"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("to run Node");
    let mut input = process.stdin.take().expect("its input");
    write!(input, "{asked}").expect("to write");
    drop(input);
    let run = process.wait_with_output().expect("to wait");
    assert!(run.status.success(), "node-cat: {asked}");
    serde_json::from_slice(&run.stdout).expect("JSON")
}
