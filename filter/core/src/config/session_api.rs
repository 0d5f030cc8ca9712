//! Who may call the session API, compiled.

use core::fmt;

use streamgate_values::subject::{SecretHash, SubjectHasher};

/// Who may call the session API.
#[derive(Debug)]
pub struct SessionApi {
    /// What proves that a caller acts for the account that it names.
    pub subject: SubjectProof,
    /// The identity providers that this is good for; `None`: any.
    pub idps: Option<Vec<String>>,
    /// The passwords of applications.
    pub secrets: ApplicationSecrets,
    /// The most creates from one client address in a minute, for each worker; `None`: no
    /// limit.
    pub creates_per_client: Option<u32>,
}

/// What proves that a caller acts for the account that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectProof {
    /// A claim of the JWT that the proxy has checked.
    JwtClaim(String),
    /// `sub` of a Common Access Token (CTA-5007).
    CatSubject,
    /// Nothing here: an earlier hop has checked it.
    Trusted,
}

impl SessionApi {
    /// Whether the proof is good for accounts of this identity provider.
    #[must_use]
    pub fn is_good_for(&self, idp: &str) -> bool {
        match &self.idps {
            Some(idps) => idps.iter().any(|known| known == idp),
            None => true,
        }
    }
}

/// The passwords of applications, as keyed hashes: no copy of a secret stays in memory.
///
/// In the order of the applications' ids.
#[derive(Default)]
pub struct ApplicationSecrets(Vec<(String, Vec<SecretHash>)>);

impl ApplicationSecrets {
    /// Adds a password of an application.
    pub fn add(&mut self, hasher: &SubjectHasher, application: &str, secret: &[u8]) {
        let hash = hasher.secret(application, secret);
        let at = self.of(application).unwrap_or_else(|at| {
            self.0.insert(at, (application.to_owned(), Vec::new()));
            at
        });
        if let Some((_, secrets)) = self.0.get_mut(at) {
            secrets.push(hash);
        }
    }

    /// Where an application's stand, or would.
    fn of(&self, application: &str) -> Result<usize, usize> {
        self.0
            .binary_search_by(|(id, _)| id.as_str().cmp(application))
    }

    /// Whether an application, known or not, may call with this password: one of its
    /// secrets, or none where it has none. What is computed is the same in every case, so
    /// the time it takes says nothing of which applications there are, nor how much of a
    /// secret was guessed.
    #[must_use]
    pub fn admit(&self, hasher: &SubjectHasher, application: &str, password: &[u8]) -> bool {
        let given = hasher.secret(application, password);
        match self.of(application).ok().and_then(|at| self.0.get(at)) {
            None => password.is_empty(),
            Some((_, secrets)) => secrets
                .iter()
                .fold(false, |good, secret| good | secret.equals(&given)),
        }
    }
}

/// Shows how many applications have secrets, and none of them.
impl fmt::Debug for ApplicationSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApplicationSecrets({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use streamgate_values::mac::count::counted;

    use super::*;
    use crate::testing::test;

    #[test]
    fn each_secret_of_an_application_is_good_and_nothing_else_is() {
        let hasher = SubjectHasher::new(b"a subject key of some length");
        let mut secrets = ApplicationSecrets::default();
        secrets.add(&hasher, "box", b"the new secret of boxes");
        secrets.add(&hasher, "box", b"the old secret of boxes");
        secrets.add(&hasher, "tv", b"the secret of televisions");
        let admit = |id: &str, password: &str| secrets.admit(&hasher, id, password.as_bytes());
        assert!(admit("box", "the new secret of boxes"));
        assert!(admit("box", "the old secret of boxes"));
        assert!(admit("tv", "the secret of televisions"));
        assert!(admit("web", ""));
        for (id, password) in [
            ("box", ""),
            ("box", "the new secret of boxe"),
            ("box", "the new secret of boxes "),
            ("box", "the secret of televisions"),
            ("web", "the secret of televisions"),
            ("web", " "),
        ] {
            assert!(!admit(id, password), "{id}:{password}");
        }
        for (id, password) in [
            ("box", ""),
            ("box", "the new secret of boxes"),
            ("nobody", "x"),
        ] {
            assert_eq!(counted(|| _ = admit(id, password)), 1, "{id}:{password}");
        }
        assert!(!format!("{secrets:?}").contains("box"));
    }
}
