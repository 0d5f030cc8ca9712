//! A moment and request heads to test with, here and in the crates above.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::new_without_default,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may fail loudly"
)]

/// Runs as an ordinary test natively and under wasm-bindgen-test on wasm32.
#[cfg(all(test, not(target_arch = "wasm32")))]
pub(crate) use core::prelude::v1::test;
#[cfg(all(test, target_arch = "wasm32"))]
pub(crate) use wasm_bindgen_test::wasm_bindgen_test as test;

use crate::head::Head;
use crate::moment::Moment;

/// The moment at which tests begin.
pub const NOW: Moment = Moment::from_ms(1_893_499_200_000);

/// A request's head, for tests.
#[derive(Default, Clone)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// These headers, names in lower case.
    pub fn new(headers: &[(&str, &str)]) -> Self {
        let headers = headers.iter();
        Self(
            headers
                .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
                .collect(),
        )
    }

    /// Another value for a header, or none.
    pub fn replaced(mut self, name: &str, value: Option<&[u8]>) -> Self {
        self.0.retain(|(known, _)| known != name);
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// One header more, of any bytes.
    pub fn with(mut self, name: &str, value: &[u8]) -> Self {
        self.0.push((name.to_owned(), value.to_vec()));
        self
    }
}

/// As text, so that it can be searched.
impl core::fmt::Debug for Headers {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let headers = self.0.iter();
        let headers = headers.map(|(name, value)| (name, String::from_utf8_lossy(value)));
        f.debug_map().entries(headers).finish()
    }
}

impl Head for Headers {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.headers(name).into_iter().next()
    }

    fn headers(&self, name: &str) -> Vec<Vec<u8>> {
        let matching = self.0.iter().filter(|(known, _)| known == name);
        matching.map(|(_, value)| value.clone()).collect()
    }

    /// Claims stand among the headers, under names that no header has; those in claims
    /// behind a `>`.
    fn jwt_claim_at(&self, payload: &str, claim: &[&str]) -> Option<Vec<u8>> {
        self.header(&format!("({payload}) {}", claim.join(">")))
    }

    fn client_address(&self) -> Option<Vec<u8>> {
        self.header("(client address)")
    }
}
