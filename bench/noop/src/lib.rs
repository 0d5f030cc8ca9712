//! A filter that does nothing with any request: the floor that Envoy's Wasm host sets.
//!
//! It exports what the SDK exports, so Envoy makes every call that it makes to a filter
//! that does something.

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

struct Noop;

impl Context for Noop {}

impl HttpContext for Noop {}

impl RootContext for Noop {
    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Self))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

/// Where Envoy starts the module.
mod start {
    #![allow(missing_docs, reason = "the SDK's macro writes the function")]

    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(crate::Noop));
    }}
}
