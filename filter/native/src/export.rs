//! What Envoy calls: the hooks of a module with an HTTP filter. Each is guarded, so that no panic
//! reaches Envoy, and does nothing but hand over to [`Plugin`] or [`Request`].
//!
//! What holds for all of them. Envoy gives a hook the pointers that `config_new` and `new` have
//! returned, until it has called `config_destroy` and `destroy` for them; it calls those of one stream on
//! one thread, and those of the configuration that are here on its main thread.

// Envoy finds the functions by their names, and hands over pointers.
#![allow(unsafe_code, missing_docs)]

use core::ffi::{c_char, c_void};
use core::ptr;
use std::rc::Rc;

use crate::abi::{self, Buffer, ConfigPtr, Pair, StreamPtr};
use crate::envoy::{Configuration, HttpStream};
use crate::panics::{self, guarded};
use crate::plugin::Plugin;
use crate::request::Request;
use crate::route;

/// Bytes that Envoy hands over, for as long as the hook runs.
///
/// # Safety
///
/// The buffer is an argument of the running hook, or in one.
const unsafe fn handed<'h>(buffer: Buffer) -> &'h [u8] {
    if buffer.data.is_null() {
        return &[];
    }
    // SAFETY: Envoy's bytes are there while the hook runs, as the caller promises.
    unsafe { core::slice::from_raw_parts(buffer.data, buffer.length) }
}

/// Things that Envoy hands over one after the other.
///
/// # Safety
///
/// As for [`handed`]; there are so many.
const unsafe fn row<'h, T>(first: *const T, count: usize) -> &'h [T] {
    if first.is_null() {
        return &[];
    }
    // SAFETY: as the caller promises.
    unsafe { core::slice::from_raw_parts(first, count) }
}

/// The configuration of a hook.
///
/// # Safety
///
/// The pointer is one that `config_new` has returned, and `config_destroy` was not called for it.
const unsafe fn plugin<'h>(plugin: *const c_void) -> Option<&'h Plugin> {
    // SAFETY: it was made of a box (`config_new`), and is there until `config_destroy`.
    unsafe { plugin.cast::<Plugin>().as_ref() }
}

/// The request of a hook. It is held while the hook runs, because Envoy may destroy it within.
///
/// # Safety
///
/// The pointer is one that `new` has returned, `destroy` was not called for it, and this is the
/// stream's thread.
unsafe fn request(request: *const c_void) -> Option<Rc<Request>> {
    let request = request.cast::<Request>();
    if request.is_null() {
        return None;
    }
    // SAFETY: it was made of an `Rc` (`new`) that is given up in `destroy`; this is another one.
    unsafe {
        Rc::increment_strong_count(request);
        Some(Rc::from_raw(request))
    }
}

/// Runs a hook of a request; `failed` says what Envoy is to do if it panics.
///
/// # Safety
///
/// As for [`request`].
unsafe fn hook(
    of: *const c_void,
    run: impl FnOnce(&Request) -> u32,
    failed: impl FnOnce(&Request) -> u32,
) -> u32 {
    // SAFETY: as the caller promises.
    let Some(request) = (unsafe { request(of) }) else {
        return abi::CONTINUE;
    };
    let run = || {
        let go = run(&request);
        request.flush();
        go
    };
    let go = guarded(run).or_else(|| guarded(|| failed(&request)));
    go.unwrap_or(abi::STOP)
}

fn answered(request: &Request) -> u32 {
    request.fail();
    abi::STOP
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn envoy_dynamic_module_on_program_init() -> *const c_char {
    let _ = guarded(panics::log_them);
    abi::VERSION.as_ptr()
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn envoy_dynamic_module_on_http_filter_config_new(
    configuration: ConfigPtr,
    name: Buffer,
    text: Buffer,
) -> *const c_void {
    let plugin = guarded(|| {
        // SAFETY: all three are the hook's.
        let (configuration, name, text) = unsafe {
            (
                Configuration::of_hook(configuration),
                handed(name),
                handed(text),
            )
        };
        Plugin::new(configuration, &String::from_utf8_lossy(name), text)
    });
    let plugin = plugin.flatten();
    plugin.map_or(ptr::null(), |plugin| {
        Box::into_raw(Box::new(plugin)).cast_const().cast()
    })
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn envoy_dynamic_module_on_http_filter_config_destroy(plugin: *const c_void) {
    if !plugin.is_null() {
        let plugin = plugin.cast_mut().cast::<Plugin>();
        // SAFETY: it was made of a box, and Envoy calls this once.
        let _ = guarded(|| drop(unsafe { Box::from_raw(plugin) }));
    }
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn envoy_dynamic_module_on_http_filter_config_scheduled(
    configuration: ConfigPtr,
    of: *const c_void,
    _event: u64,
) {
    // SAFETY: both are the hook's.
    let (configuration, plugin) = unsafe { (Configuration::of_hook(configuration), plugin(of)) };
    let _ = guarded(|| plugin.map(|plugin| plugin.on_scheduled(configuration)));
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn envoy_dynamic_module_on_http_filter_config_http_callout_done(
    _configuration: ConfigPtr,
    of: *const c_void,
    id: u64,
    result: u32,
    headers: *const Pair,
    header_count: usize,
    chunks: *const Buffer,
    chunk_count: usize,
) {
    let _ = guarded(|| {
        // SAFETY: they are the hook's.
        let (plugin, headers, chunks) = unsafe {
            (
                plugin(of)?,
                row(headers, header_count),
                row(chunks, chunk_count),
            )
        };
        // SAFETY: they are in the hook's arguments.
        let is_ok = |pair: &Pair| unsafe {
            handed(pair.name) == b":status" && handed(pair.value) == b"200"
        };
        let is_ok = result == abi::SUCCESS && headers.iter().any(is_ok);
        // SAFETY: as above.
        let chunks = chunks.iter().map(|chunk| unsafe { handed(*chunk) });
        let reply = is_ok.then(|| chunks.collect::<Vec<_>>().concat());
        plugin.on_reply(id, reply);
        Some(())
    });
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn envoy_dynamic_module_on_http_filter_new(
    of: *const c_void,
    stream: StreamPtr,
) -> *const c_void {
    let request = guarded(|| {
        // SAFETY: both are the hook's; the request forgets the stream in `destroy`.
        let (plugin, stream) = unsafe { (plugin(of)?, HttpStream::of_hook(stream)) };
        let worker = plugin.worker(stream.worker_index())?;
        Some(Rc::new(Request::new(worker.clone(), stream)))
    });
    let request = request.flatten();
    request.map_or(ptr::null(), |request| Rc::into_raw(request).cast())
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn envoy_dynamic_module_on_http_filter_destroy(of: *const c_void) {
    if of.is_null() {
        return;
    }
    let request = of.cast::<Request>();
    let _ = guarded(|| {
        // SAFETY: it was made of an `Rc`, and Envoy calls this once.
        let request = unsafe { Rc::from_raw(request) };
        request.on_destroy();
    });
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn envoy_dynamic_module_on_http_filter_request_headers(
    _stream: StreamPtr,
    of: *const c_void,
    ends: bool,
) -> u32 {
    // SAFETY: it is the hook's.
    unsafe { hook(of, |request| request.on_request_headers(ends), answered) }
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn envoy_dynamic_module_on_http_filter_request_body(
    _stream: StreamPtr,
    of: *const c_void,
    ends: bool,
) -> u32 {
    // SAFETY: it is the hook's.
    unsafe { hook(of, |request| request.on_request_body(ends), answered) }
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn envoy_dynamic_module_on_http_filter_request_trailers(
    _stream: StreamPtr,
    of: *const c_void,
) -> u32 {
    // SAFETY: it is the hook's.
    unsafe { hook(of, Request::on_request_trailers, answered) }
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn envoy_dynamic_module_on_http_filter_response_headers(
    _stream: StreamPtr,
    of: *const c_void,
    ends: bool,
) -> u32 {
    // SAFETY: it is the hook's.
    unsafe { hook(of, |request| request.on_response_headers(ends), answered) }
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn envoy_dynamic_module_on_http_filter_response_body(
    _stream: StreamPtr,
    of: *const c_void,
    ends: bool,
) -> u32 {
    let broken_off = |request: &Request| {
        request.break_off();
        abi::STOP_NO_BUFFER
    };
    // SAFETY: it is the hook's.
    unsafe { hook(of, |request| request.on_response_body(ends), broken_off) }
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn envoy_dynamic_module_on_http_filter_response_trailers(
    _stream: StreamPtr,
    of: *const c_void,
) -> u32 {
    // SAFETY: it is the hook's.
    unsafe { hook(of, Request::on_response_trailers, answered) }
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn envoy_dynamic_module_on_http_filter_scheduled(
    _stream: StreamPtr,
    of: *const c_void,
    _event: u64,
) {
    // SAFETY: it is the hook's.
    let Some(request) = (unsafe { request(of) }) else {
        return;
    };
    let _ = guarded(|| request.on_scheduled()).or_else(|| guarded(|| request.fail_if_waiting()));
}

#[unsafe(no_mangle)]
pub(crate) extern "C" fn envoy_dynamic_module_on_http_filter_per_route_config_new(
    name: Buffer,
    _text: Buffer,
) -> *const c_void {
    // SAFETY: it is the hook's.
    guarded(|| route::take_configuration(unsafe { handed(name) })).unwrap_or(ptr::null())
}

/// Hooks that Envoy asks for, and that the filter has no need of.
macro_rules! unused {
    ($($name:ident($($type:ty),*) -> $result:ty = $value:expr;)*) => {$(
        #[unsafe(no_mangle)]
        pub(crate) extern "C" fn $name($(_: $type),*) -> $result {
            $value
        }
    )*};
}

/// What a hook is called for: Envoy's side, and the module's.
type Of = *const c_void;

unused! {
    envoy_dynamic_module_on_http_filter_per_route_config_destroy(Of) -> () = ();
    envoy_dynamic_module_on_http_filter_stream_complete(StreamPtr, Of) -> () = ();
    envoy_dynamic_module_on_http_filter_http_callout_done(
        StreamPtr, Of, u64, u32, *const Pair, usize, *const Buffer, usize
    ) -> () = ();
    envoy_dynamic_module_on_http_filter_http_stream_headers(
        StreamPtr, Of, u64, *const Pair, usize, bool
    ) -> () = ();
    envoy_dynamic_module_on_http_filter_http_stream_data(
        StreamPtr, Of, u64, *const Buffer, usize, bool
    ) -> () = ();
    envoy_dynamic_module_on_http_filter_http_stream_trailers(
        StreamPtr, Of, u64, *const Pair, usize
    ) -> () = ();
    envoy_dynamic_module_on_http_filter_http_stream_complete(StreamPtr, Of, u64) -> () = ();
    envoy_dynamic_module_on_http_filter_http_stream_reset(StreamPtr, Of, u64, u32) -> () = ();
    envoy_dynamic_module_on_http_filter_config_http_stream_headers(
        ConfigPtr, Of, u64, *const Pair, usize, bool
    ) -> () = ();
    envoy_dynamic_module_on_http_filter_config_http_stream_data(
        ConfigPtr, Of, u64, *const Buffer, usize, bool
    ) -> () = ();
    envoy_dynamic_module_on_http_filter_config_http_stream_trailers(
        ConfigPtr, Of, u64, *const Pair, usize
    ) -> () = ();
    envoy_dynamic_module_on_http_filter_config_http_stream_complete(ConfigPtr, Of, u64) -> () = ();
    envoy_dynamic_module_on_http_filter_config_http_stream_reset(
        ConfigPtr, Of, u64, u32
    ) -> () = ();
    envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark(
        StreamPtr, Of
    ) -> () = ();
    envoy_dynamic_module_on_http_filter_downstream_below_write_buffer_low_watermark(
        StreamPtr, Of
    ) -> () = ();
    // The answer goes out.
    envoy_dynamic_module_on_http_filter_local_reply(StreamPtr, Of, u32, Buffer, bool) -> u32 = 0;
}
