//! Whose calls stay as they are.

/// How the names of functions end whose calls stay as they are: those that a segment on the fast
/// path goes through. What these call V8 may take into them; a call through the table would cost
/// an instruction or six.
///
/// `Edge::request` is not among them. It is so large that V8 would have twice its size to take in.
///
/// What the fast path costs stands in `tests/vm/budget.json`, which tells where a function is
/// missing here.
const NAMES: &[&str] = &[
    // What Envoy calls for each request, and what is asked of Envoy then.
    "streamgate_on_context_create",
    "streamgate_on_request_headers",
    "streamgate_on_response_headers",
    "streamgate_on_response_body",
    "streamgate_on_delete",
    "streamgate::requests::Requests::wait",
    "streamgate::requests::Requests::root_of",
    "streamgate::http::take",
    "streamgate::host::exchange::request_header",
    "proxy_wasm::hostcalls::get_map_value_bytes",
    "proxy_wasm::hostcalls::set_map_value_bytes",
    // Whose path it is, which lease it has, and what is taken off.
    "::surface::surface",
    "::Reading::of",
    "::Reading::may_begin_with",
    "::by_lease",
    "::Lease::is_unchanged",
    "::Flows::begin",
    "::Flows::end",
    "::token_text",
    "::leading_token",
    "::fingerprint",
    "::scrub",
    "::forward",
    // What is dropped on the way, and memory.
    "<streamgate::http::State>",
    "::passage::Scrub>",
    "::passage::Forward>",
    "::lease::Leased>>",
    "(alloc::string::String,alloc::string::String)>>",
    "streamgate::head::RequestHead,streamgate::host::Envoy>>",
    "::RefCell<T>::borrow",
    "::RefCell<T>::borrow_mut",
    "::RawVecInner<A>::with_capacity_in",
    "::RawVecInner<A>::deallocate",
    "::__rust_alloc",
    "::__rust_dealloc",
    "malloc",
];

/// Whether a function of this name, as it is in the module, keeps its calls as they are.
#[must_use]
pub fn keeps_calls(name: &str) -> bool {
    // What wasm-opt makes of functions that are alike.
    let name = name.strip_prefix("byn$mgfn-shared$").unwrap_or(name);
    let name = format!("{:#}", rustc_demangle::demangle(name));
    NAMES.iter().any(|end| name.ends_with(end))
}
