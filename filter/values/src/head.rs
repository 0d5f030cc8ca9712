//! The head of a request: what whoever identifies a viewer may look at.

/// The head of a request, and what the proxy found out about it. Looking at it costs
/// a host call, so nothing is read that is not needed. Names are in lower case; values
/// may be any bytes.
pub trait Head {
    /// The first value of a header.
    fn header(&self, name: &str) -> Option<Vec<u8>>;
    /// Every value of a header that may be repeated.
    fn headers(&self, name: &str) -> Vec<Vec<u8>>;
    /// Whether any of these headers is there.
    fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.header(name).is_some())
    }
    /// Several headers will be asked for: they may be fetched all at once.
    fn expect_many(&self) {}
    /// A claim of the JWT that the proxy has checked (Envoy's `jwt_authn`), stored under
    /// `payload` (`payload_in_metadata`): text as it is, a number as eight bytes of
    /// little-endian IEEE 754, a truth value as one byte. `claim` is the claim's name; a
    /// claim within a claim has the names of those it stands in before it. `None` if there
    /// is no such claim, or no JWT was checked.
    fn jwt_claim_at(&self, payload: &str, claim: &[&str]) -> Option<Vec<u8>>;
    /// A claim by its name in the configuration. A dot may belong to a name
    /// (`https://example.com/account`) or stand between two (`realm.account`): the claim of
    /// that very name comes first, and what the dots lead to where there is none.
    fn jwt_claim(&self, payload: &str, claim: &str) -> Option<Vec<u8>> {
        self.jwt_claim_at(payload, &[claim]).or_else(|| {
            let names: Vec<&str> = claim.split('.').collect();
            let is_path = names.len() > 1 && names.iter().all(|name| !name.is_empty());
            is_path.then(|| self.jwt_claim_at(payload, &names))?
        })
    }
    /// The client's address, once the proxy has made out which of `X-Forwarded-For` to
    /// believe; its port may follow.
    fn client_address(&self) -> Option<Vec<u8>>;
}
