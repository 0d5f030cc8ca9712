//! The proxy-wasm filter: Envoy's callbacks in, the core's decisions out.
//!
//! Nothing is decided here. [`host`] holds the calls to Envoy behind the core's ports,
//! [`root`] the life of one worker's edge, [`http`] the way of one request, [`store`] the
//! calls to the fleet's store.

mod export;
mod go;
mod head;
mod host;
mod http;
mod log;
mod long_responses;
mod manifest;
mod requests;
mod root;
mod store;
mod worker;

/// Where Envoy starts the module.
mod start {
    #![allow(missing_docs, reason = "the SDK's macro writes the function")]

    use proxy_wasm::types::LogLevel;

    proxy_wasm::main! {{
        proxy_wasm::set_log_level(LogLevel::Info);
    }}
}
