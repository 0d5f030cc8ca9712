//! What the module asks of Envoy: thin wrappers around the functions of [`abi`].
//!
//! What holds for all of them. A [`HttpStream`] is made by `export.rs` alone, of the pointer that a
//! hook was given, and forgotten when Envoy says that the stream is destroyed; it is used in hooks
//! of its own worker. A [`Plugin`](crate::plugin::Plugin)'s [`Configuration`] is used on Envoy's main thread, in the
//! hook that was given it. Envoy reads the buffers it is given before a call returns, and
//! bytes of Envoy's are copied before the next call that could change them.

// Longer than other files: what the compiler cannot vouch for is to be found in one.
// Functions of another program are called.
#![allow(unsafe_code)]

use core::ptr;

use streamgate_core::notices::{Notice, Severity};

use crate::abi::{self, Buffer, ConfigPtr, Pair, SchedulerPtr, StreamPtr};

/// Bytes for Envoy to read during one call.
const fn lent(bytes: &[u8]) -> Buffer {
    Buffer {
        data: bytes.as_ptr(),
        length: bytes.len(),
    }
}

/// No bytes, where Envoy tells that from empty ones.
const NONE: Buffer = Buffer {
    data: ptr::null(),
    length: 0,
};

/// A copy of bytes that Envoy has pointed out; `None` for null.
///
/// # Safety
///
/// The buffer is one that Envoy filled in during the running hook, and nothing was changed since.
unsafe fn copied(buffer: Buffer) -> Option<Vec<u8>> {
    if buffer.data.is_null() {
        return None;
    }
    // SAFETY: Envoy's bytes are there until something is changed, as the caller promises.
    Some(unsafe { core::slice::from_raw_parts(buffer.data, buffer.length) }.to_vec())
}

/// How weighty a line of the log is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LogLevel {
    Info,
    Warn,
    Error,
}

/// Writes a line to Envoy's log.
pub(crate) fn log(level: LogLevel, line: &str) {
    let level = match level {
        LogLevel::Info => abi::LOG_INFO,
        LogLevel::Warn => abi::LOG_WARN,
        LogLevel::Error => abi::LOG_ERROR,
    };
    // SAFETY: it may be called on any thread; the line is lent.
    unsafe { abi::envoy_dynamic_module_callback_log(level, lent(line.as_bytes())) }
}

/// Tells something of an edge in Envoy's log.
pub(crate) fn tell(notice: &Notice<'_>) {
    let level = match notice.severity() {
        Severity::Info => LogLevel::Info,
        Severity::Warning => LogLevel::Warn,
        Severity::Error => LogLevel::Error,
    };
    log(level, &format!("streamgate: {notice}"));
}

/// How many workers Envoy has. To be asked on the main thread.
pub(crate) fn workers() -> usize {
    // SAFETY: called where a configuration is made, which is on the main thread.
    let workers = unsafe { abi::envoy_dynamic_module_callback_get_concurrency() };
    workers as usize
}

/// Whether Envoy only looks if a configuration is good. To be asked on the main thread.
pub(crate) fn only_validates() -> bool {
    // SAFETY: as above.
    unsafe { abi::envoy_dynamic_module_callback_is_validation_mode() }
}

/// A metric of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetricId {
    Counter(usize),
    Gauge(usize),
    Histogram(usize),
}

/// What kind of metric is made.
#[derive(Debug, Clone, Copy)]
pub(crate) enum MetricKind {
    Counter,
    Gauge,
    Histogram,
}

/// Envoy's side of the filter's configuration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Configuration(ConfigPtr);

impl Configuration {
    /// The configuration that a hook was called for.
    ///
    /// # Safety
    ///
    /// It is Envoy's pointer, and the value is used no longer than the hook runs.
    pub(crate) const unsafe fn of_hook(config: ConfigPtr) -> Self {
        Self(config)
    }

    /// A metric by its name, made or found again; `None` if Envoy refuses it. To be asked for
    /// while the configuration is made.
    pub(crate) fn define(self, kind: MetricKind, name: &str) -> Option<MetricId> {
        let (define, to_id): (unsafe extern "C" fn(_, _, _, _, _) -> _, fn(_) -> _) = match kind {
            MetricKind::Counter => (
                abi::envoy_dynamic_module_callback_http_filter_config_define_counter,
                MetricId::Counter,
            ),
            MetricKind::Gauge => (
                abi::envoy_dynamic_module_callback_http_filter_config_define_gauge,
                MetricId::Gauge,
            ),
            MetricKind::Histogram => (
                abi::envoy_dynamic_module_callback_http_filter_config_define_histogram,
                MetricId::Histogram,
            ),
        };
        let mut id = 0;
        // SAFETY: the configuration is that of the running hook; the name is lent, there are no
        // labels, and the id is valid for writes.
        let result = unsafe { define(self.0, lent(name.as_bytes()), ptr::null(), 0, &raw mut id) };
        (result == abi::SUCCESS).then(|| to_id(id))
    }

    /// Sends a call to a cluster; its number, or `None` where Envoy makes no call: there is no such
    /// cluster, or no node of it is healthy. Its end may be told before this returns.
    pub(crate) fn call(
        self,
        cluster: &str,
        authority: &str,
        payload: &[u8],
        timeout_ms: u64,
    ) -> Option<u64> {
        let headers = [
            (":method", "POST"),
            (":path", "/"),
            (":authority", authority),
        ];
        let mut headers = headers.map(|(name, value)| Pair {
            name: lent(name.as_bytes()),
            value: lent(value.as_bytes()),
        });
        let mut id = 0;
        // SAFETY: the configuration is that of the running hook; the id is valid for writes, and
        // all else is lent.
        let result = unsafe {
            abi::envoy_dynamic_module_callback_http_filter_config_http_callout(
                self.0,
                &raw mut id,
                lent(cluster.as_bytes()),
                headers.as_mut_ptr(),
                headers.len(),
                lent(payload),
                timeout_ms,
            )
        };
        (result == abi::SUCCESS).then_some(id)
    }

    /// What has `config_scheduled` called on the main thread.
    pub(crate) fn scheduler(self) -> Option<ConfigScheduler> {
        // SAFETY: the configuration is that of the running hook.
        let scheduler =
            unsafe { abi::envoy_dynamic_module_callback_http_filter_config_scheduler_new(self.0) };
        (!scheduler.is_null()).then_some(ConfigScheduler(scheduler))
    }
}

/// Where counts go.
pub(crate) trait Gauges {
    /// Adds to a metric: a histogram gets another value.
    fn add(&self, metric: MetricId, n: u64);
    /// Sets a gauge.
    fn set(&self, metric: MetricId, to: u64);
}

impl Gauges for Configuration {
    fn add(&self, metric: MetricId, n: u64) {
        // SAFETY: the configuration is that of the running hook, the metric one of its own, and
        // there are no labels.
        let _ = unsafe {
            match metric {
                MetricId::Counter(id) => {
                    abi::envoy_dynamic_module_callback_http_filter_config_increment_counter(
                        self.0,
                        id,
                        ptr::null(),
                        0,
                        n,
                    )
                }
                MetricId::Gauge(id) => {
                    abi::envoy_dynamic_module_callback_http_filter_config_increment_gauge(
                        self.0,
                        id,
                        ptr::null(),
                        0,
                        n,
                    )
                }
                MetricId::Histogram(id) => {
                    abi::envoy_dynamic_module_callback_http_filter_config_record_histogram_value(
                        self.0,
                        id,
                        ptr::null(),
                        0,
                        n,
                    )
                }
            }
        };
    }

    fn set(&self, metric: MetricId, to: u64) {
        if let MetricId::Gauge(id) = metric {
            // SAFETY: as above.
            let _ = unsafe {
                abi::envoy_dynamic_module_callback_http_filter_config_set_gauge(
                    self.0,
                    id,
                    ptr::null(),
                    0,
                    to,
                )
            };
        }
    }
}

/// Has the main thread come back to a configuration.
#[derive(Debug)]
pub(crate) struct ConfigScheduler(SchedulerPtr);

// SAFETY: Envoy lets it be used on any thread, also when the configuration is gone. Two threads
// may commit at a time.
unsafe impl Send for ConfigScheduler {}
// SAFETY: as above.
unsafe impl Sync for ConfigScheduler {}

impl ConfigScheduler {
    pub(crate) fn commit(&self) {
        // SAFETY: it is deleted when it is dropped, and not before.
        unsafe {
            abi::envoy_dynamic_module_callback_http_filter_config_scheduler_commit(self.0, 0);
        }
    }
}

impl Drop for ConfigScheduler {
    fn drop(&mut self) {
        // SAFETY: nobody has it any more.
        unsafe { abi::envoy_dynamic_module_callback_http_filter_config_scheduler_delete(self.0) }
    }
}

/// Has the worker of a stream come back to it.
#[derive(Debug)]
pub(crate) struct StreamScheduler(SchedulerPtr);

// SAFETY: Envoy lets it be used on any thread. Whoever holds one gives it up when its stream is
// destroyed, so the worker is there whenever it is used.
unsafe impl Send for StreamScheduler {}

impl StreamScheduler {
    pub(crate) fn commit(&self) {
        // SAFETY: it is deleted when it is dropped, and not before.
        unsafe { abi::envoy_dynamic_module_callback_http_filter_scheduler_commit(self.0, 0) }
    }
}

impl Drop for StreamScheduler {
    fn drop(&mut self) {
        // SAFETY: nobody has it any more.
        unsafe { abi::envoy_dynamic_module_callback_http_filter_scheduler_delete(self.0) }
    }
}

/// Headers of a request or of a response, or trailers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Headers {
    Request,
    Response,
    ResponseTrailers,
}

impl Headers {
    const fn map(self) -> u32 {
        match self {
            Self::Request => abi::REQUEST_HEADERS,
            Self::Response => abi::RESPONSE_HEADERS,
            Self::ResponseTrailers => abi::RESPONSE_TRAILERS,
        }
    }
}

/// The piece of a request's or a response's body whose hook is running.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BodyPiece {
    Request,
    Response,
}

impl BodyPiece {
    const fn body(self) -> u32 {
        match self {
            Self::Request => abi::RECEIVED_REQUEST_BODY,
            Self::Response => abi::RECEIVED_RESPONSE_BODY,
        }
    }
}

/// A request and its response, as Envoy knows them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HttpStream(StreamPtr);

// SAFETY: it is only a name. It may be kept where another thread looks, which does not use it.
unsafe impl Send for HttpStream {}
// SAFETY: as above.
unsafe impl Sync for HttpStream {}

impl HttpStream {
    /// The stream that a hook was called for.
    ///
    /// # Safety
    ///
    /// It is Envoy's pointer. The value is used on this thread alone, and no more once Envoy has
    /// said that the stream is destroyed.
    pub(crate) const unsafe fn of_hook(stream: StreamPtr) -> Self {
        Self(stream)
    }

    /// The number of the worker that serves it.
    pub(crate) fn worker_index(self) -> usize {
        // SAFETY: the stream is there.
        let index =
            unsafe { abi::envoy_dynamic_module_callback_http_filter_get_worker_index(self.0) };
        index as usize
    }

    /// One of the values of a header, and how many it has.
    fn header_at(self, headers: Headers, name: &str, index: usize) -> (Option<Vec<u8>>, usize) {
        let (mut value, mut count) = (NONE, 0);
        // SAFETY: the stream is there, and both are valid for writes.
        let found = unsafe {
            abi::envoy_dynamic_module_callback_http_get_header(
                self.0,
                headers.map(),
                lent(name.as_bytes()),
                &raw mut value,
                index,
                &raw mut count,
            )
        };
        // SAFETY: Envoy has just filled it in.
        let value = found.then(|| unsafe { copied(value) }).flatten();
        (value, count)
    }

    /// The first value of a header.
    pub(crate) fn header(self, headers: Headers, name: &str) -> Option<Vec<u8>> {
        self.header_at(headers, name, 0).0
    }

    /// All values of a header.
    pub(crate) fn values(self, headers: Headers, name: &str) -> Vec<Vec<u8>> {
        let (first, count) = self.header_at(headers, name, 0);
        let others = (1..count).filter_map(|index| self.header_at(headers, name, index).0);
        first.into_iter().chain(others).collect()
    }

    /// The names of all headers.
    pub(crate) fn header_names(self, headers: Headers) -> Vec<Vec<u8>> {
        // SAFETY: the stream is there.
        let count = unsafe {
            abi::envoy_dynamic_module_callback_http_get_headers_size(self.0, headers.map())
        };
        let none = Pair {
            name: NONE,
            value: NONE,
        };
        let mut pairs = vec![none; count];
        // SAFETY: there is room for as many as Envoy has just said.
        let are_there = unsafe {
            abi::envoy_dynamic_module_callback_http_get_headers(
                self.0,
                headers.map(),
                pairs.as_mut_ptr(),
            )
        };
        let pairs = pairs.into_iter().filter(|_| are_there);
        // SAFETY: Envoy has just filled them in.
        pairs
            .filter_map(|pair| unsafe { copied(pair.name) })
            .collect()
    }

    /// Sets a header, or removes it where there is no value.
    pub(crate) fn set_header(self, headers: Headers, name: &str, value: Option<&[u8]>) {
        self.set_header_bytes(headers, name.as_bytes(), value);
    }

    /// The same for a name of any bytes.
    pub(crate) fn set_header_bytes(self, headers: Headers, name: &[u8], value: Option<&[u8]>) {
        // SAFETY: the stream is there; name and value are the module's, not Envoy's.
        let _ = unsafe {
            abi::envoy_dynamic_module_callback_http_set_header(
                self.0,
                headers.map(),
                lent(name),
                value.map_or(NONE, lent),
            )
        };
    }

    /// Adds a header to the response.
    pub(crate) fn add_response_header(self, name: &str, value: &str) {
        // SAFETY: as above.
        let _ = unsafe {
            abi::envoy_dynamic_module_callback_http_add_header(
                self.0,
                abi::RESPONSE_HEADERS,
                lent(name.as_bytes()),
                lent(value.as_bytes()),
            )
        };
    }

    /// Whether its route has a configuration of the module's ([`crate::route`]).
    pub(crate) fn has_route_configuration(self) -> bool {
        // SAFETY: the stream is there. What comes of it is not looked at but for null.
        let of_route =
            unsafe { abi::envoy_dynamic_module_callback_get_most_specific_route_config(self.0) };
        !of_route.is_null()
    }

    /// Has Envoy choose the route anew.
    pub(crate) fn clear_route(self) {
        // SAFETY: the stream is there.
        unsafe { abi::envoy_dynamic_module_callback_http_clear_route_cache(self.0) }
    }

    /// Answers the request. Hooks of the response run before this returns: nothing may be locked
    /// or borrowed meanwhile.
    pub(crate) fn send_response<'a>(
        self,
        status: u16,
        headers: impl Iterator<Item = (&'a str, &'a str)>,
        body: &[u8],
        details: &str,
    ) {
        let pair = |(name, value): (&str, &str)| Pair {
            name: lent(name.as_bytes()),
            value: lent(value.as_bytes()),
        };
        let mut pairs: Vec<Pair> = headers.map(pair).collect();
        // SAFETY: the stream is there, and what the pairs point to outlives the call: the texts
        // are borrowed for `'a`.
        unsafe {
            abi::envoy_dynamic_module_callback_http_send_response(
                self.0,
                u32::from(status),
                pairs.as_mut_ptr(),
                pairs.len(),
                lent(body),
                lent(details.as_bytes()),
            );
        }
    }

    /// How many bytes the piece has.
    pub(crate) fn piece_length(self, piece: BodyPiece) -> usize {
        // SAFETY: the stream is there.
        unsafe { abi::envoy_dynamic_module_callback_http_get_body_size(self.0, piece.body()) }
    }

    /// The piece's bytes.
    pub(crate) fn piece(self, piece: BodyPiece) -> Vec<u8> {
        // SAFETY: the stream is there.
        let count = unsafe {
            abi::envoy_dynamic_module_callback_http_get_body_chunks_size(self.0, piece.body())
        };
        let mut chunks = vec![NONE; count];
        // SAFETY: there is room for as many as Envoy has just said.
        let are_there = unsafe {
            abi::envoy_dynamic_module_callback_http_get_body_chunks(
                self.0,
                piece.body(),
                chunks.as_mut_ptr(),
            )
        };
        let chunks = chunks.into_iter().filter(|_| are_there);
        // SAFETY: Envoy has just filled them in.
        let chunks = chunks.filter_map(|chunk| unsafe { copied(chunk) });
        chunks.collect::<Vec<_>>().concat()
    }

    /// Puts other bytes in the place of the response's piece.
    pub(crate) fn replace_piece(self, bytes: &[u8]) {
        let piece = BodyPiece::Response;
        let length = self.piece_length(piece);
        // SAFETY: the stream is there; the bytes are the module's.
        unsafe {
            if length > 0 {
                let _ = abi::envoy_dynamic_module_callback_http_drain_body(
                    self.0,
                    piece.body(),
                    length,
                );
            }
            if !bytes.is_empty() {
                let _ = abi::envoy_dynamic_module_callback_http_append_body(
                    self.0,
                    piece.body(),
                    lent(bytes),
                );
            }
        }
    }

    /// Says something to filters behind and to the access log.
    pub(crate) fn set_state(self, key: &str, value: &[u8]) {
        // SAFETY: the stream is there; key and value are lent.
        let _ = unsafe {
            abi::envoy_dynamic_module_callback_http_set_filter_state_bytes(
                self.0,
                lent(key.as_bytes()),
                lent(value),
            )
        };
    }

    /// What a filter in front has said.
    pub(crate) fn state(self, key: &str) -> Option<Vec<u8>> {
        let mut value = NONE;
        // SAFETY: the stream is there, and the value valid for writes.
        let found = unsafe {
            abi::envoy_dynamic_module_callback_http_get_filter_state_bytes(
                self.0,
                lent(key.as_bytes()),
                &raw mut value,
            )
        };
        // SAFETY: Envoy has just filled it in.
        found.then(|| unsafe { copied(value) }).flatten()
    }

    /// The client's address and port.
    pub(crate) fn client_address(self) -> Option<Vec<u8>> {
        let mut value = NONE;
        // SAFETY: the stream is there, and the value valid for writes.
        let found = unsafe {
            abi::envoy_dynamic_module_callback_http_filter_get_attribute_string(
                self.0,
                abi::SOURCE_ADDRESS,
                &raw mut value,
            )
        };
        // SAFETY: Envoy has just filled it in.
        found.then(|| unsafe { copied(value) }).flatten()
    }

    /// Breaks it off. Its filter may be destroyed before this returns.
    pub(crate) fn reset(self, details: &str) {
        // SAFETY: the stream is there.
        unsafe {
            abi::envoy_dynamic_module_callback_http_filter_reset_stream(
                self.0,
                abi::LOCAL_RESET,
                lent(details.as_bytes()),
            );
        }
    }

    /// Lets the request go on, after it was held back.
    pub(crate) fn continue_request(self) {
        // SAFETY: the stream is there.
        unsafe { abi::envoy_dynamic_module_callback_http_filter_continue_decoding(self.0) }
    }

    /// Lets the response go on, after it was held back.
    pub(crate) fn continue_response(self) {
        // SAFETY: the stream is there.
        unsafe { abi::envoy_dynamic_module_callback_http_filter_continue_encoding(self.0) }
    }

    /// What has its worker come back to it.
    pub(crate) fn scheduler(self) -> Option<StreamScheduler> {
        // SAFETY: the stream is there.
        let scheduler =
            unsafe { abi::envoy_dynamic_module_callback_http_filter_scheduler_new(self.0) };
        (!scheduler.is_null()).then_some(StreamScheduler(scheduler))
    }
}

impl Gauges for HttpStream {
    fn add(&self, metric: MetricId, n: u64) {
        // SAFETY: the stream is there, the metric one of its configuration, and there are no
        // labels.
        let _ = unsafe {
            match metric {
                MetricId::Counter(id) => {
                    abi::envoy_dynamic_module_callback_http_filter_increment_counter(
                        self.0,
                        id,
                        ptr::null(),
                        0,
                        n,
                    )
                }
                MetricId::Gauge(id) => {
                    abi::envoy_dynamic_module_callback_http_filter_increment_gauge(
                        self.0,
                        id,
                        ptr::null(),
                        0,
                        n,
                    )
                }
                MetricId::Histogram(id) => {
                    abi::envoy_dynamic_module_callback_http_filter_record_histogram_value(
                        self.0,
                        id,
                        ptr::null(),
                        0,
                        n,
                    )
                }
            }
        };
    }

    fn set(&self, metric: MetricId, to: u64) {
        if let MetricId::Gauge(id) = metric {
            // SAFETY: as above.
            let _ = unsafe {
                abi::envoy_dynamic_module_callback_http_filter_set_gauge(
                    self.0,
                    id,
                    ptr::null(),
                    0,
                    to,
                )
            };
        }
    }
}
