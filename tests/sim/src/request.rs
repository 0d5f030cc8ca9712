//! What viewers' players and apps ask.

use streamgate_values::head::Head;

/// A request without a body.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its `:path`.
    pub path: String,
    headers: Vec<(&'static str, String)>,
}

impl Request {
    /// A GET.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self::of("GET", path)
    }

    /// A call of the session API, in the name of an application.
    #[must_use]
    pub fn call(method: &str, path: impl Into<String>, application: &str) -> Self {
        use base64::Engine;
        let name = base64::engine::general_purpose::STANDARD.encode(format!("{application}:"));
        Self::of(method, path).with("authorization", format!("Basic {name}"))
    }

    /// With one header more, its name in lower case.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn of(method: &str, path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            headers: Vec::with_capacity(3),
        }
        .with(":method", method)
    }
}

impl Head for Request {
    fn header(&self, name: &str) -> Option<Vec<u8>> {
        if name == ":path" {
            return Some(self.path.clone().into_bytes());
        }
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(known, _)| *known == name)?;
        Some(value.clone().into_bytes())
    }

    fn headers(&self, name: &str) -> Vec<Vec<u8>> {
        self.header(name).into_iter().collect()
    }

    fn jwt_claim_at(&self, _: &str, _: &[&str]) -> Option<Vec<u8>> {
        None
    }

    fn client_address(&self) -> Option<Vec<u8>> {
        None
    }
}
