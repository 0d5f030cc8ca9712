//! A native module that does nothing with any request: the floor that Envoy's dynamic modules set.
//! It exports what Envoy asks of a module with an HTTP filter, so Envoy makes every call that
//! it makes to one that does something.

// Envoy finds the functions by their names.
#![allow(unsafe_code, missing_docs)]

use core::ffi::{c_char, c_void};

type Of = *const c_void;

/// Something that is not null: whoever is called for nothing looks at nothing.
const SOMETHING: Of = core::ptr::NonNull::<u8>::dangling()
    .as_ptr()
    .cast_const()
    .cast();

#[unsafe(no_mangle)]
pub extern "C" fn envoy_dynamic_module_on_program_init() -> *const c_char {
    c"v0.2.0".as_ptr()
}

/// Hooks that look at nothing they are given: the caller of a C function makes room for its
/// arguments, and takes it back, whether they are looked at or not.
macro_rules! hooks {
    ($($name:ident -> $result:ty = $value:expr;)*) => {$(
        #[unsafe(no_mangle)]
        pub extern "C" fn $name() -> $result {
            $value
        }
    )*};
}

hooks! {
    envoy_dynamic_module_on_http_filter_config_new -> Of = SOMETHING;
    envoy_dynamic_module_on_http_filter_config_destroy -> () = ();
    envoy_dynamic_module_on_http_filter_config_scheduled -> () = ();
    envoy_dynamic_module_on_http_filter_config_http_callout_done -> () = ();
    envoy_dynamic_module_on_http_filter_config_http_stream_headers -> () = ();
    envoy_dynamic_module_on_http_filter_config_http_stream_data -> () = ();
    envoy_dynamic_module_on_http_filter_config_http_stream_trailers -> () = ();
    envoy_dynamic_module_on_http_filter_config_http_stream_complete -> () = ();
    envoy_dynamic_module_on_http_filter_config_http_stream_reset -> () = ();
    envoy_dynamic_module_on_http_filter_per_route_config_new -> Of = SOMETHING;
    envoy_dynamic_module_on_http_filter_per_route_config_destroy -> () = ();
    envoy_dynamic_module_on_http_filter_new -> Of = SOMETHING;
    envoy_dynamic_module_on_http_filter_destroy -> () = ();
    envoy_dynamic_module_on_http_filter_request_headers -> u32 = 0;
    envoy_dynamic_module_on_http_filter_request_body -> u32 = 0;
    envoy_dynamic_module_on_http_filter_request_trailers -> u32 = 0;
    envoy_dynamic_module_on_http_filter_response_headers -> u32 = 0;
    envoy_dynamic_module_on_http_filter_response_body -> u32 = 0;
    envoy_dynamic_module_on_http_filter_response_trailers -> u32 = 0;
    envoy_dynamic_module_on_http_filter_stream_complete -> () = ();
    envoy_dynamic_module_on_http_filter_scheduled -> () = ();
    envoy_dynamic_module_on_http_filter_http_callout_done -> () = ();
    envoy_dynamic_module_on_http_filter_http_stream_headers -> () = ();
    envoy_dynamic_module_on_http_filter_http_stream_data -> () = ();
    envoy_dynamic_module_on_http_filter_http_stream_trailers -> () = ();
    envoy_dynamic_module_on_http_filter_http_stream_complete -> () = ();
    envoy_dynamic_module_on_http_filter_http_stream_reset -> () = ();
    envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark -> () = ();
    envoy_dynamic_module_on_http_filter_downstream_below_write_buffer_low_watermark -> () = ();
    envoy_dynamic_module_on_http_filter_local_reply -> u32 = 0;
}
