//! The functions of proxy-wasm 0.2.1 and WASI that the filter calls, as Envoy fills
//! them. Whatever else the SDK imports traps when called.
//!
//! ABI: <https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1>.

mod exchange;
mod shared;
mod wasi;

use wasmtime::{Caller, Engine, Linker, Module, Result};

use crate::guest::{Guest, count, hand_over, read, text};

/// Status codes of the ABI.
const OK: u32 = 0;
const NOT_FOUND: u32 = 1;
const BAD_ARGUMENT: u32 = 2;
const CAS_MISMATCH: u32 = 8;

const REQUEST_BODY: u32 = 0;
const RESPONSE_BODY: u32 = 1;
const VM_CONFIGURATION: u32 = 6;
const PLUGIN_CONFIGURATION: u32 = 7;

type Host<'a> = Caller<'a, Guest>;

/// Everything `module` imports.
pub(crate) fn linker(engine: &Engine, module: &Module) -> Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    linker
        .func_wrap("env", "proxy_log", log)?
        .func_wrap("env", "proxy_get_buffer_bytes", get_buffer_bytes)?
        .func_wrap("env", "proxy_set_buffer_bytes", set_buffer_bytes)?
        .func_wrap("env", "proxy_set_tick_period_milliseconds", set_tick_period)?
        .func_wrap("env", "proxy_set_effective_context", act_for)?;
    exchange::define(&mut linker)?;
    shared::define(&mut linker)?;
    wasi::define(&mut linker)?;
    linker.define_unknown_imports_as_traps(module)?;
    Ok(linker)
}

/// The request that is acted for is the one at hand.
fn act_for(mut caller: Host<'_>, _context: u32) -> Result<u32> {
    count(&mut caller, "set_effective_context".to_owned());
    Ok(OK)
}

fn log(mut caller: Host<'_>, _level: u32, at: u32, length: u32) -> Result<u32> {
    let line = text(&caller, at, length)?;
    caller.data_mut().log.push(line);
    count(&mut caller, "log".to_owned());
    Ok(OK)
}

fn get_buffer_bytes(
    mut caller: Host<'_>,
    kind: u32,
    start: u32,
    longest: u32,
    at_place: u32,
    length_place: u32,
) -> Result<u32> {
    let guest = caller.data();
    let (name, bytes) = match kind {
        REQUEST_BODY => ("request body", &guest.stream.body[..]),
        RESPONSE_BODY => ("response body", &guest.stream.response_body[..]),
        VM_CONFIGURATION => ("vm configuration", &[][..]),
        PLUGIN_CONFIGURATION => ("plugin configuration", &guest.configuration[..]),
        _ => return Ok(NOT_FOUND),
    };
    let start = (start as usize).min(bytes.len());
    let end = start.saturating_add(longest as usize).min(bytes.len());
    let bytes = bytes[start..end].to_vec();
    let name = format!("get_buffer_bytes {name}");
    hand_over(&mut caller, name, &bytes, (at_place, length_place))?;
    Ok(OK)
}

/// Replaces the piece of a body whose callback is running.
fn set_buffer_bytes(
    mut caller: Host<'_>,
    kind: u32,
    start: u32,
    length: u32,
    value: u32,
    value_length: u32,
) -> Result<u32> {
    let bytes = read(&caller, value, value_length)?;
    count(&mut caller, "set_buffer_bytes".to_owned());
    if kind != RESPONSE_BODY {
        return Ok(BAD_ARGUMENT);
    }
    let body = &mut caller.data_mut().stream.response_body;
    let start = (start as usize).min(body.len());
    let end = start.saturating_add(length as usize).min(body.len());
    body.splice(start..end, bytes);
    Ok(OK)
}

fn set_tick_period(mut caller: Host<'_>, _period_ms: u32) -> u32 {
    count(&mut caller, "set_tick_period_milliseconds".to_owned());
    OK
}
