//! Envoy's ABI for dynamic modules, version 0.2.0, as far as it is needed: types, numbers, and
//! the functions that Envoy offers. What Envoy calls is in `export.rs`.

// Functions of another program are declared.
#![allow(unsafe_code)]

use core::ffi::c_void;

/// What the module tells Envoy it was written for.
pub(crate) const VERSION: &core::ffi::CStr = c"v0.2.0";

/// Bytes of Envoy's or of the module's. Null stands for none.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct Buffer {
    pub(crate) data: *const u8,
    pub(crate) length: usize,
}

/// A header's name and value.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct Pair {
    pub(crate) name: Buffer,
    pub(crate) value: Buffer,
}

/// Envoy's filter of one HTTP stream.
pub(crate) type StreamPtr = *mut c_void;
/// Envoy's configuration of the filter.
pub(crate) type ConfigPtr = *mut c_void;
/// What has a hook called on another thread.
pub(crate) type SchedulerPtr = *mut c_void;

pub(crate) const REQUEST_HEADERS: u32 = 0;
pub(crate) const RESPONSE_HEADERS: u32 = 2;
pub(crate) const RESPONSE_TRAILERS: u32 = 3;

pub(crate) const RECEIVED_REQUEST_BODY: u32 = 0;
pub(crate) const RECEIVED_RESPONSE_BODY: u32 = 2;

pub(crate) const SOURCE_ADDRESS: u32 = 24;

pub(crate) const LOG_INFO: u32 = 2;
pub(crate) const LOG_WARN: u32 = 3;
pub(crate) const LOG_ERROR: u32 = 4;

pub(crate) const LOCAL_RESET: u32 = 0;

/// What a call came to, of metrics and of callouts.
pub(crate) const SUCCESS: u32 = 0;

/// What Envoy is to do after a hook. A number has the same sense for headers, bodies and
/// trailers, as far as it has one.
pub(crate) const CONTINUE: u32 = 0;
/// Of headers: the body comes to the filter all the same. Of a body: Envoy keeps the piece.
pub(crate) const STOP: u32 = 1;
/// Of a body alone: the piece is the filter's.
pub(crate) const STOP_NO_BUFFER: u32 = 3;
/// Of headers alone: nothing more comes to the filter, and whoever sends is made to wait.
pub(crate) const STOP_ALL: u32 = 4;

/// Declares Envoy's functions. Unit tests run without an Envoy: there each does nothing.
macro_rules! envoy {
    ($(fn $name:ident($($argument:ident: $type:ty),* $(,)?) -> $result:ty;)*) => {
        #[cfg(not(test))]
        unsafe extern "C" {
            $(pub(crate) fn $name($($argument: $type),*) -> $result;)*
        }
        $(
            #[cfg(test)]
            pub(crate) unsafe extern "C" fn $name($(_: $type),*) -> $result {
                <$result as Nothing>::NOTHING
            }
        )*
    };
}

/// What functions of an Envoy that is not there give.
#[cfg(test)]
trait Nothing {
    const NOTHING: Self;
}

#[cfg(test)]
macro_rules! nothing {
    ($($type:ty: $value:expr),*) => {
        $(impl Nothing for $type { const NOTHING: Self = $value; })*
    };
}

#[cfg(test)]
nothing!(
    (): (), bool: false, u32: 0, usize: 0, *mut c_void: core::ptr::null_mut(),
    *const c_void: core::ptr::null()
);

envoy! {
    fn envoy_dynamic_module_callback_log(level: u32, message: Buffer) -> ();
    fn envoy_dynamic_module_callback_get_concurrency() -> u32;
    fn envoy_dynamic_module_callback_is_validation_mode() -> bool;

    fn envoy_dynamic_module_callback_http_filter_config_define_counter(
        config: ConfigPtr, name: Buffer, labels: *const Buffer, label_count: usize, id: *mut usize,
    ) -> u32;
    fn envoy_dynamic_module_callback_http_filter_config_define_gauge(
        config: ConfigPtr, name: Buffer, labels: *const Buffer, label_count: usize, id: *mut usize,
    ) -> u32;
    fn envoy_dynamic_module_callback_http_filter_config_define_histogram(
        config: ConfigPtr, name: Buffer, labels: *const Buffer, label_count: usize, id: *mut usize,
    ) -> u32;
    fn envoy_dynamic_module_callback_http_filter_config_increment_counter(
        config: ConfigPtr, id: usize, labels: *const Buffer, label_count: usize, by: u64,
    ) -> u32;
    fn envoy_dynamic_module_callback_http_filter_config_increment_gauge(
        config: ConfigPtr, id: usize, labels: *const Buffer, label_count: usize, by: u64,
    ) -> u32;
    fn envoy_dynamic_module_callback_http_filter_config_set_gauge(
        config: ConfigPtr, id: usize, labels: *const Buffer, label_count: usize, to: u64,
    ) -> u32;
    fn envoy_dynamic_module_callback_http_filter_config_record_histogram_value(
        config: ConfigPtr, id: usize, labels: *const Buffer, label_count: usize, value: u64,
    ) -> u32;
    fn envoy_dynamic_module_callback_http_filter_increment_counter(
        stream: StreamPtr, id: usize, labels: *const Buffer, label_count: usize, by: u64,
    ) -> u32;
    fn envoy_dynamic_module_callback_http_filter_increment_gauge(
        stream: StreamPtr, id: usize, labels: *const Buffer, label_count: usize, by: u64,
    ) -> u32;
    fn envoy_dynamic_module_callback_http_filter_set_gauge(
        stream: StreamPtr, id: usize, labels: *const Buffer, label_count: usize, to: u64,
    ) -> u32;
    fn envoy_dynamic_module_callback_http_filter_record_histogram_value(
        stream: StreamPtr, id: usize, labels: *const Buffer, label_count: usize, value: u64,
    ) -> u32;

    fn envoy_dynamic_module_callback_http_get_header(
        stream: StreamPtr, map: u32, name: Buffer, value: *mut Buffer, index: usize, count: *mut usize,
    ) -> bool;
    fn envoy_dynamic_module_callback_http_get_headers_size(stream: StreamPtr, map: u32) -> usize;
    fn envoy_dynamic_module_callback_http_get_headers(
        stream: StreamPtr, map: u32, headers: *mut Pair,
    ) -> bool;
    fn envoy_dynamic_module_callback_http_set_header(
        stream: StreamPtr, map: u32, name: Buffer, value: Buffer,
    ) -> bool;
    fn envoy_dynamic_module_callback_http_add_header(
        stream: StreamPtr, map: u32, name: Buffer, value: Buffer,
    ) -> bool;
    fn envoy_dynamic_module_callback_http_send_response(
        stream: StreamPtr, status: u32, headers: *mut Pair, header_count: usize, body: Buffer,
        details: Buffer,
    ) -> ();

    fn envoy_dynamic_module_callback_http_get_body_size(stream: StreamPtr, body: u32) -> usize;
    fn envoy_dynamic_module_callback_http_get_body_chunks_size(stream: StreamPtr, body: u32) -> usize;
    fn envoy_dynamic_module_callback_http_get_body_chunks(
        stream: StreamPtr, body: u32, chunks: *mut Buffer,
    ) -> bool;
    fn envoy_dynamic_module_callback_http_append_body(
        stream: StreamPtr, body: u32, data: Buffer,
    ) -> bool;
    fn envoy_dynamic_module_callback_http_drain_body(
        stream: StreamPtr, body: u32, length: usize,
    ) -> bool;

    fn envoy_dynamic_module_callback_http_set_filter_state_bytes(
        stream: StreamPtr, key: Buffer, value: Buffer,
    ) -> bool;
    fn envoy_dynamic_module_callback_http_get_filter_state_bytes(
        stream: StreamPtr, key: Buffer, value: *mut Buffer,
    ) -> bool;
    fn envoy_dynamic_module_callback_http_filter_get_attribute_string(
        stream: StreamPtr, attribute: u32, value: *mut Buffer,
    ) -> bool;

    fn envoy_dynamic_module_callback_http_clear_route_cache(stream: StreamPtr) -> ();
    fn envoy_dynamic_module_callback_get_most_specific_route_config(
        stream: StreamPtr,
    ) -> *const c_void;
    fn envoy_dynamic_module_callback_http_filter_reset_stream(
        stream: StreamPtr, reason: u32, details: Buffer,
    ) -> ();
    fn envoy_dynamic_module_callback_http_filter_continue_decoding(stream: StreamPtr) -> ();
    fn envoy_dynamic_module_callback_http_filter_continue_encoding(stream: StreamPtr) -> ();
    fn envoy_dynamic_module_callback_http_filter_get_worker_index(stream: StreamPtr) -> u32;

    fn envoy_dynamic_module_callback_http_filter_scheduler_new(stream: StreamPtr) -> SchedulerPtr;
    fn envoy_dynamic_module_callback_http_filter_scheduler_commit(
        scheduler: SchedulerPtr, event: u64,
    ) -> ();
    fn envoy_dynamic_module_callback_http_filter_scheduler_delete(scheduler: SchedulerPtr) -> ();
    fn envoy_dynamic_module_callback_http_filter_config_scheduler_new(
        config: ConfigPtr,
    ) -> SchedulerPtr;
    fn envoy_dynamic_module_callback_http_filter_config_scheduler_commit(
        scheduler: SchedulerPtr, event: u64,
    ) -> ();
    fn envoy_dynamic_module_callback_http_filter_config_scheduler_delete(
        scheduler: SchedulerPtr,
    ) -> ();
    fn envoy_dynamic_module_callback_http_filter_config_http_callout(
        config: ConfigPtr, id: *mut u64, cluster: Buffer, headers: *mut Pair, header_count: usize,
        body: Buffer, timeout_ms: u64,
    ) -> u32;
}
