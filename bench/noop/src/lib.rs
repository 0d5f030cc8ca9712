//! A filter that does nothing with any request: the floor that Envoy's Wasm host sets. Where its
//! configuration says `calls`, it makes the host calls that streamgate makes for a segment on
//! its fast path (tests/vm/budget.json has them), and nothing else: the floor for whoever has
//! to know and to change the path.
//!
//! It exports what the SDK exports, so Envoy makes every call that it makes to a filter
//! that does something.

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, MapType};

#[derive(Default)]
struct Root {
    /// Whether host calls are made.
    calls: bool,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _size: usize) -> bool {
        let configuration = self.get_plugin_configuration();
        self.calls = configuration.as_deref() == Some(b"calls");
        true
    }

    fn create_http_context(&self, _context_id: u32) -> Option<Box<dyn HttpContext>> {
        Some(match self.calls {
            true => Box::new(Calls),
            false => Box::new(Noop),
        })
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Noop;

impl Context for Noop {}

impl HttpContext for Noop {}

struct Calls;

impl Context for Calls {}

impl HttpContext for Calls {
    fn on_http_request_headers(&mut self, _headers: usize, _ends: bool) -> Action {
        let headers = MapType::HttpRequestHeaders;
        let path = hostcalls::get_map_value_bytes(headers, ":path");
        let path = path.ok().flatten().unwrap_or_default();
        // Without what stands before the second slash, as streamgate takes its token off.
        let mut slashes = (0..path.len()).filter(|at| path.get(*at) == Some(&b'/'));
        let rest = slashes.nth(1).and_then(|at| path.get(at..));
        let _ = hostcalls::set_map_value_bytes(headers, ":path", Some(rest.unwrap_or(&path)));
        Action::Continue
    }
}

/// Where Envoy starts the module.
mod start {
    #![allow(missing_docs, reason = "the SDK's macro writes the function")]

    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|_| Box::new(crate::Root::default()));
    }}
}
