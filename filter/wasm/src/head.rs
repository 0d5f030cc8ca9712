//! The head of a request, read from Envoy as far as somebody asks.

use std::cell::OnceCell;

use streamgate_core::playback::is_origin_alone;
use streamgate_values::head::Head;

use crate::host::{property, request_header, request_headers};

/// The head of the request whose callback is running. To fetch all headers costs as much as two or three that are there, so
/// that is done where several are expected.
#[derive(Default)]
pub(crate) struct RequestHead {
    all: OnceCell<Pairs>,
}

/// Names and values as the ABI lays them out: their number, the lengths of each, then each followed by a zero byte; numbers
/// have 32 bits, the lowest byte first.
struct Pairs(Vec<u8>);

impl Pairs {
    fn fetch() -> Self {
        Self(request_headers())
    }

    fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let number = |bytes: [u8; 4]| u32::from_le_bytes(bytes) as usize;
        let (count, rest) = self.0.split_first_chunk().unwrap_or((&[0; 4], &[]));
        let lengths = number(*count).saturating_mul(8);
        let (lengths, mut texts) = rest.split_at_checked(lengths).unwrap_or_default();
        let (lengths, _) = lengths.as_chunks::<8>();
        lengths.iter().map_while(move |[a, b, c, d, e, f, g, h]| {
            let mut text = |length| {
                let (text, rest) = texts.split_at_checked(length)?;
                (_, texts) = rest.split_first()?;
                Some(text)
            };
            Some((
                text(number([*a, *b, *c, *d]))?,
                text(number([*e, *f, *g, *h]))?,
            ))
        })
    }

    /// The values of a header.
    fn values(&self, name: &str) -> impl Iterator<Item = Vec<u8>> {
        let named = self
            .iter()
            .filter(move |(known, _)| *known == name.as_bytes());
        named.map(|(_, value)| value.to_vec())
    }
}

impl RequestHead {
    /// Whether its `Referer` may say more than an origin, for all that is known.
    pub(crate) fn may_tell_by_referer(&self) -> bool {
        let is_telling =
            |(name, value): (&[u8], &[u8])| name == b"referer" && !is_origin_alone(value);
        self.all.get().is_none_or(|all| all.iter().any(is_telling))
    }
}

impl Head for RequestHead {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        match self.all.get() {
            Some(all) => all.values(name).next(),
            None => request_header(name),
        }
    }

    /// One look at all of them costs no more than one at a single one.
    fn has_any(&self, names: &[&str]) -> bool {
        let all = self.all.get_or_init(Pairs::fetch);
        let is_one = |(known, _): (&[u8], &[u8])| names.iter().any(|name| known == name.as_bytes());
        all.iter().any(is_one)
    }

    /// Few requests have a header twice.
    fn headers(&self, name: &str) -> Vec<Vec<u8>> {
        if self.all.get().is_none() && request_header(name).is_none() {
            return Vec::new();
        }
        self.all.get_or_init(Pairs::fetch).values(name).collect()
    }

    fn expect_many(&self) {
        self.all.get_or_init(Pairs::fetch);
    }

    fn jwt_claim_at(&self, payload: &str, claim: &[&str]) -> Option<Vec<u8>> {
        let provider = "envoy.filters.http.jwt_authn";
        let mut path = vec!["metadata", "filter_metadata", provider, payload];
        path.extend_from_slice(claim);
        property(path)
    }

    fn client_address(&self) -> Option<Vec<u8>> {
        property(vec!["source", "address"])
    }
}
