//! An origin in this process: it serves any path, and remembers what it was asked.

use std::collections::{HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Response, Uri, header};
use http_body::Frame;
use tokio::sync::Notify;

use crate::live::Live;

/// A running origin.
#[derive(Debug)]
pub struct Origin {
    /// Where it listens.
    pub port: u16,
    shared: Arc<Shared>,
    // Stops serving when dropped.
    _runtime: tokio::runtime::Runtime,
}

/// A request the origin has seen.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
}

/// What the origin is to answer with.
#[derive(Debug, Clone)]
pub struct Given {
    status: u16,
    headers: Vec<(String, String)>,
    body: VecDeque<Bytes>,
}

impl Given {
    /// 200 with this body, of which the origin says how long it is.
    #[must_use]
    pub fn body(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: [Bytes::from(body.into())].into(),
        }
    }

    /// The same in pieces of so many bytes, and nobody is told how many there are.
    #[must_use]
    pub fn in_pieces_of(mut self, length: usize) -> Self {
        let whole: Vec<u8> = self.body.iter().flatten().copied().collect();
        self.body = whole.chunks(length).map(Bytes::copy_from_slice).collect();
        self
    }

    /// With another status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// 304 with the validator of what has not changed.
    fn unchanged(of: Option<&Self>) -> Self {
        let headers = of.map(|of| of.headers.iter()).unwrap_or_default();
        let tag = headers.filter(|(name, _)| name == "etag").cloned();
        Self {
            status: 304,
            headers: tag.collect(),
            body: [Bytes::new()].into(),
        }
    }

    fn response(mut self) -> Response<Body> {
        let mut response = Response::builder().status(self.status);
        for (name, value) in &self.headers {
            response = response.header(name, value);
        }
        let body = match self.body.len() {
            1 => Body::from(self.body.pop_front().unwrap_or_default()),
            _ => Body::new(Pieces(self.body)),
        };
        response.body(body).expect("a response")
    }
}

/// A body of which nobody knows how long it is.
struct Pieces(VecDeque<Bytes>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }
}

#[derive(Debug, Default)]
struct Shared {
    seen: Mutex<Vec<Seen>>,
    statuses: Mutex<HashMap<String, u16>>,
    given: Mutex<HashMap<String, Given>>,
    files: Option<PathBuf>,
    live: Option<Live>,
    cacheable: AtomicBool,
    open: AtomicBool,
    /// Paths, queries included, whose answers are not there yet.
    held: Mutex<HashSet<String>>,
    released: Notify,
}

impl Origin {
    /// An origin that answers every path with 200 and a few bytes.
    #[must_use]
    pub fn start() -> Self {
        Self::serve(None)
    }

    /// An origin that serves the files under a directory, and from now on broadcasts the
    /// live programme that is among them.
    #[must_use]
    pub fn serving(files: PathBuf) -> Self {
        Self::serve(Some(files))
    }

    fn serve(files: Option<PathBuf>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_io()
            .build()
            .expect("a runtime");
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        listener.set_nonblocking(true).expect("not to block");
        let port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            live: files.as_deref().map(Live::new),
            files,
            ..Shared::default()
        });
        let state = Arc::clone(&shared);
        let answer = move |method: Method, uri: Uri, headers: HeaderMap| {
            let state = Arc::clone(&state);
            async move {
                state.note(&method, &uri, &headers);
                state.until_released(&uri).await;
                let mut answer = state.answer(&uri, &headers);
                if state.open.load(Ordering::Relaxed) {
                    let any = header::HeaderValue::from_static("*");
                    let name = header::ACCESS_CONTROL_ALLOW_ORIGIN;
                    answer.headers_mut().insert(name, any);
                }
                answer
            }
        };
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            axum::serve(listener, axum::Router::new().fallback(answer)).await
        });
        Self {
            port,
            shared,
            _runtime: runtime,
        }
    }

    /// From now on this path is answered with that status.
    pub fn answers(&self, path: &str, status: u16) {
        let mut statuses = self.shared.statuses.lock().expect("a lock");
        statuses.insert(path.to_owned(), status);
    }

    /// From now on this path is answered with that.
    pub fn gives(&self, path: &str, given: Given) {
        let mut all = self.shared.given.lock().expect("a lock");
        all.insert(path.to_owned(), given);
    }

    /// From now on its answers may be kept for a minute.
    pub fn is_cacheable(&self) {
        self.shared.cacheable.store(true, Ordering::Relaxed);
    }

    /// From now on pages of any origin may read its answers.
    pub fn is_open(&self) {
        self.shared.open.store(true, Ordering::Relaxed);
    }

    /// From now on this path is answered as it was before.
    pub fn recovers(&self, path: &str) {
        let mut statuses = self.shared.statuses.lock().expect("a lock");
        statuses.remove(path);
    }

    /// From now on who asks for this path, query included, has to wait: what it names is
    /// not there yet. That is how low-latency HLS reloads playlists (RFC 8216bis,
    /// blocking playlist reload).
    pub fn holds(&self, path: &str) {
        let mut held = self.shared.held.lock().expect("a lock");
        held.insert(path.to_owned());
    }

    /// Whoever waits for this path is answered.
    pub fn releases(&self, path: &str) {
        let mut held = self.shared.held.lock().expect("a lock");
        held.remove(path);
        self.shared.released.notify_waiters();
    }

    /// All requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().expect("a lock").clone()
    }

    /// Forgets what it has seen so far, where that becomes too much.
    pub fn forget(&self) {
        self.shared.seen.lock().expect("a lock").clear();
    }

    /// The paths of all requests so far, queries included.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.path).collect()
    }
}

impl Shared {
    fn note(&self, method: &Method, uri: &Uri, headers: &HeaderMap) {
        let headers_seen = headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        self.seen.lock().expect("a lock").push(Seen {
            method: method.to_string(),
            path: uri.to_string(),
            headers: headers_seen.collect(),
        });
    }

    async fn until_released(&self, uri: &Uri) {
        loop {
            // Before the look: a release between the two is not missed.
            let released = self.released.notified();
            if !self.held.lock().expect("a lock").contains(&uri.to_string()) {
                return;
            }
            released.await;
        }
    }

    fn answer(&self, uri: &Uri, headers: &HeaderMap) -> Response<Body> {
        let status = self.statuses.lock().expect("a lock");
        if let Some(status) = status.get(uri.path()) {
            return empty(*status);
        }
        let given = self.given.lock().expect("a lock");
        let given = given.get(uri.path());
        if headers.contains_key(header::IF_NONE_MATCH) {
            return Given::unchanged(given).response();
        }
        if let Some(given) = given {
            return given.clone().response();
        }
        let live = self.live.as_ref();
        let live = live.and_then(|live| live.file(uri.path()));
        let bytes = live.or_else(|| match &self.files {
            None => Some(b"some bytes of media".to_vec()),
            // Envoy hands on normalised paths only.
            Some(files) => std::fs::read(files.join(uri.path().trim_start_matches('/'))).ok(),
        });
        let Some(bytes) = bytes.map(Bytes::from) else {
            return empty(404);
        };
        let range = headers.get(header::RANGE);
        let response = Response::builder().header(header::CONTENT_TYPE, media_type(uri.path()));
        match range.and_then(|range| part(range.to_str().ok()?, bytes.len())) {
            Some((from, to)) => response
                .status(206)
                .header(
                    header::CONTENT_RANGE,
                    format!("bytes {from}-{to}/{}", bytes.len()),
                )
                .body(Body::from(bytes.slice(from..=to))),
            None => response
                .header(header::CACHE_CONTROL, self.cache_control())
                .body(Body::from(bytes)),
        }
        .expect("a response")
    }
}

impl Shared {
    fn cache_control(&self) -> &'static str {
        match self.cacheable.load(Ordering::Relaxed) {
            true => "max-age=60",
            false => "no-store",
        }
    }
}

fn empty(status: u16) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status.try_into().expect("a status");
    response
}

/// `bytes=a-b` and `bytes=a-` as first and last byte.
fn part(range: &str, len: usize) -> Option<(usize, usize)> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let from: usize = from.parse().ok()?;
    let last = len.checked_sub(1)?;
    let to = to.parse().unwrap_or(last).min(last);
    (from <= to).then_some((from, to))
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("m3u8") => "application/vnd.apple.mpegurl",
        Some("mpd") => "application/dash+xml",
        Some("m4s") => "video/iso.segment",
        Some("html") => "text/html",
        Some("css") => "text/css",
        Some("js" | "mjs") => "text/javascript",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
