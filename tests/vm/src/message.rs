//! Requests to the filter, and what became of them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::cost::Cost;
use crate::map::{Map, first};

/// What a browser and the hop before send along with everything: a request as large as
/// real ones, for a filter that reads all headers at once.
const USUAL: [(&str, &str); 10] = [
    (":authority", "edge.example.com"),
    (":scheme", "https"),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ),
    ("accept", "*/*"),
    ("accept-language", "en-GB,en;q=0.8"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("referer", "https://www.example.com/"),
    ("x-forwarded-for", "192.0.2.17"),
    ("x-forwarded-proto", "https"),
    ("x-request-id", "7c0d3bb4-52a1-4f6e-9f7e-52b21a06a0a5"),
];

/// A request, to be built up.
#[derive(Debug, Clone)]
pub struct Ask {
    pub(crate) headers: Map,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) properties: Vec<(Vec<u8>, Vec<u8>)>,
    /// The status the origin answers with.
    pub(crate) origin: u16,
    /// And its body.
    pub(crate) response: Vec<u8>,
    /// Trailers follow that.
    pub(crate) trailers: bool,
}

/// `GET` of a path, query included.
#[must_use]
pub fn get(path: impl AsRef<str>) -> Ask {
    Ask::new("GET", path.as_ref())
}

/// `POST` to a path with a form as its body.
#[must_use]
pub fn post(path: impl AsRef<str>, form: &str) -> Ask {
    let mut ask = Ask::new("POST", path.as_ref())
        .header("content-type", "application/x-www-form-urlencoded")
        .header("content-length", form.len().to_string());
    ask.body = Some(form.as_bytes().to_vec());
    ask
}

impl Ask {
    fn new(method: &str, path: &str) -> Self {
        let mut ask = Self {
            headers: Map::new(),
            body: None,
            properties: Vec::new(),
            origin: 200,
            response: vec![0; 188],
            trailers: false,
        };
        for (name, value) in [(":method", method), (":path", path)]
            .into_iter()
            .chain(USUAL)
        {
            ask = ask.header(name, value);
        }
        ask
    }

    /// Another method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        for (name, value) in &mut self.headers {
            if name == ":method" {
                *value = method.as_bytes().to_vec();
            }
        }
        self
    }

    /// One header more, its name in lower case.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// On behalf of this account, as an earlier hop says it.
    #[must_use]
    pub fn account(self, id: &str) -> Self {
        self.header("x-account-id", id)
    }

    /// From this application, by HTTP Basic.
    #[must_use]
    pub fn application(self, id: &str) -> Self {
        let credentials = STANDARD.encode(format!("{id}:"));
        self.header("authorization", format!("Basic {credentials}"))
    }

    /// Something Envoy's other filters know of the request, such as a claim that
    /// `jwt_authn` found.
    #[must_use]
    pub fn property(mut self, path: &[&str], value: impl AsRef<[u8]>) -> Self {
        let path = path.join("\0").into_bytes();
        self.properties.push((path, value.as_ref().to_vec()));
        self
    }

    /// The body that the origin answers with, should it be asked; some zeros unless told.
    #[must_use]
    pub fn origin_gives(mut self, body: Vec<u8>) -> Self {
        self.response = body;
        self
    }

    /// With trailers behind it.
    #[must_use]
    pub fn and_trailers(mut self) -> Self {
        self.trailers = true;
        self
    }

    /// The status the origin answers with, should it be asked; 200 unless told.
    #[must_use]
    pub fn origin_says(mut self, status: u16) -> Self {
        self.origin = status;
        self
    }
}

/// What became of a request, and what it cost.
#[derive(Debug)]
pub struct Exchange {
    /// The cost up to the decision about the request.
    pub request: Cost,
    /// The cost of the response, and of forgetting the request.
    pub response: Cost,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a request.
#[derive(Debug)]
pub enum Outcome {
    /// It reached the origin under this path, and the response the viewer.
    Served {
        /// The path the origin saw.
        path: String,
        /// What the viewer got.
        body: Vec<u8>,
    },
    /// The filter answered, before the origin or in its stead.
    Answered(Answer),
}

/// An answer of the filter's own.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    pub(crate) headers: Map,
    /// The body.
    pub body: Vec<u8>,
}

impl Exchange {
    /// The whole cost.
    #[must_use]
    pub fn cost(&self) -> Cost {
        let mut cost = self.request.clone();
        cost += &self.response;
        cost
    }

    /// The path the origin saw.
    ///
    /// # Panics
    ///
    /// If the filter answered.
    pub fn served(&self) -> &str {
        match &self.outcome {
            Outcome::Served { path, .. } => path,
            Outcome::Answered(answer) => panic!("answered instead of served: {answer:?}"),
        }
    }

    /// What the viewer got from the origin.
    ///
    /// # Panics
    ///
    /// If the filter answered.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        match &self.outcome {
            Outcome::Served { body, .. } => body,
            Outcome::Answered(answer) => panic!("answered instead of served: {answer:?}"),
        }
    }

    /// The filter's answer.
    ///
    /// # Panics
    ///
    /// If the request was served.
    #[must_use]
    pub fn answer(&self) -> &Answer {
        match &self.outcome {
            Outcome::Answered(answer) => answer,
            Outcome::Served { path, .. } => panic!("{path} was served instead of answered"),
        }
    }
}

impl Answer {
    /// The value of a header.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let value = first(&self.headers, name);
        let value = value.unwrap_or_else(|| panic!("no {name} in {self:?}"));
        str::from_utf8(value).expect("a header of text")
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// If it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a body of JSON")
    }
}
