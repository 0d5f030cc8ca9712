//! What concerns one request: its headers, what Envoy knows of it, answering it.

use wasmtime::{Linker, Result};

use super::{BAD_ARGUMENT, Host, NOT_FOUND, OK};
use crate::guest::{Guest, Stream, count, hand_over, read, text};
use crate::map::{Map, decode, encode, first};
use crate::message::Answer;

const REQUEST_HEADERS: u32 = 0;
const RESPONSE_HEADERS: u32 = 2;

pub(super) fn define(linker: &mut Linker<Guest>) -> Result<()> {
    linker
        .func_wrap("env", "proxy_get_header_map_value", get_value)?
        .func_wrap("env", "proxy_get_header_map_pairs", get_pairs)?
        .func_wrap("env", "proxy_replace_header_map_value", replace_value)?
        .func_wrap("env", "proxy_add_header_map_value", add_value)?
        .func_wrap("env", "proxy_remove_header_map_value", remove_value)?
        .func_wrap("env", "proxy_get_property", get_property)?
        .func_wrap("env", "proxy_set_property", set_property)?
        .func_wrap("env", "proxy_send_local_response", send_local_response)?
        .func_wrap("env", "proxy_call_foreign_function", call_foreign_function)?;
    Ok(())
}

/// A map of the request at hand; `None` while it is not due.
fn map(stream: &mut Stream, kind: u32) -> Option<&mut Map> {
    match kind {
        REQUEST_HEADERS => stream.request.as_mut(),
        RESPONSE_HEADERS => stream.response.as_mut(),
        _ => None,
    }
}

fn get_value(
    mut caller: Host<'_>,
    kind: u32,
    key: u32,
    key_length: u32,
    at_place: u32,
    length_place: u32,
) -> Result<u32> {
    let key = text(&caller, key, key_length)?;
    let name = format!("get_header_map_value {key}");
    let Some(map) = map(&mut caller.data_mut().stream, kind) else {
        count(&mut caller, name);
        return Ok(BAD_ARGUMENT);
    };
    let Some(value) = first(map, &key).map(<[u8]>::to_vec) else {
        count(&mut caller, name);
        return Ok(NOT_FOUND);
    };
    hand_over(&mut caller, name, &value, (at_place, length_place))?;
    Ok(OK)
}

fn get_pairs(mut caller: Host<'_>, kind: u32, at_place: u32, length_place: u32) -> Result<u32> {
    let name = "get_header_map_pairs".to_owned();
    let Some(map) = map(&mut caller.data_mut().stream, kind) else {
        count(&mut caller, name);
        return Ok(BAD_ARGUMENT);
    };
    let bytes = encode(map);
    hand_over(&mut caller, name, &bytes, (at_place, length_place))?;
    Ok(OK)
}

/// Carries out a change of a map, and counts it.
fn change(
    caller: &mut Host<'_>,
    name: String,
    kind: u32,
    change: impl FnOnce(&mut Map),
) -> Result<u32> {
    count(caller, name);
    let Some(map) = map(&mut caller.data_mut().stream, kind) else {
        return Ok(BAD_ARGUMENT);
    };
    change(map);
    Ok(OK)
}

fn replace_value(
    mut caller: Host<'_>,
    kind: u32,
    key: u32,
    key_length: u32,
    value: u32,
    value_length: u32,
) -> Result<u32> {
    let key = text(&caller, key, key_length)?;
    let value = read(&caller, value, value_length)?;
    let name = format!("replace_header_map_value {key}");
    change(&mut caller, name, kind, |map| {
        match map.iter_mut().find(|(known, _)| *known == key) {
            Some((_, old)) => *old = value,
            None => map.push((key, value)),
        }
    })
}

fn add_value(
    mut caller: Host<'_>,
    kind: u32,
    key: u32,
    key_length: u32,
    value: u32,
    value_length: u32,
) -> Result<u32> {
    let key = text(&caller, key, key_length)?;
    let value = read(&caller, value, value_length)?;
    let name = format!("add_header_map_value {key}");
    change(&mut caller, name, kind, |map| map.push((key, value)))
}

fn remove_value(mut caller: Host<'_>, kind: u32, key: u32, key_length: u32) -> Result<u32> {
    let key = text(&caller, key, key_length)?;
    let name = format!("remove_header_map_value {key}");
    change(&mut caller, name, kind, |map| {
        map.retain(|(known, _)| *known != key);
    })
}

/// A property's path as people write it.
fn dotted(path: &[u8]) -> String {
    String::from_utf8_lossy(path).replace('\0', ".")
}

fn get_property(
    mut caller: Host<'_>,
    path: u32,
    path_length: u32,
    at_place: u32,
    length_place: u32,
) -> Result<u32> {
    let path = read(&caller, path, path_length)?;
    let name = format!("get_property {}", dotted(&path));
    let Some(value) = caller.data().stream.properties.get(&path).cloned() else {
        count(&mut caller, name);
        return Ok(NOT_FOUND);
    };
    hand_over(&mut caller, name, &value, (at_place, length_place))?;
    Ok(OK)
}

fn set_property(
    mut caller: Host<'_>,
    path: u32,
    path_length: u32,
    value: u32,
    value_length: u32,
) -> Result<u32> {
    let path = read(&caller, path, path_length)?;
    let value = read(&caller, value, value_length)?;
    count(&mut caller, format!("set_property {}", dotted(&path)));
    caller.data_mut().stream.properties.insert(path, value);
    Ok(OK)
}

#[expect(clippy::too_many_arguments, reason = "the ABI's")]
fn send_local_response(
    mut caller: Host<'_>,
    status: u32,
    _details: u32,
    _details_length: u32,
    body: u32,
    body_length: u32,
    headers: u32,
    headers_length: u32,
    _grpc_status: i32,
) -> Result<u32> {
    let body = read(&caller, body, body_length)?;
    let headers = decode(&read(&caller, headers, headers_length)?);
    count(&mut caller, "send_local_response".to_owned());
    let (Some(headers), Ok(status)) = (headers, u16::try_from(status)) else {
        return Ok(BAD_ARGUMENT);
    };
    caller.data_mut().stream.reply = Some(Answer {
        status,
        headers,
        body,
    });
    Ok(OK)
}

fn call_foreign_function(
    mut caller: Host<'_>,
    function: u32,
    function_length: u32,
    _arguments: u32,
    _arguments_length: u32,
    at_place: u32,
    length_place: u32,
) -> Result<u32> {
    let function = text(&caller, function, function_length)?;
    let name = format!("call_foreign_function {function}");
    if function != "clear_route_cache" {
        count(&mut caller, name);
        return Ok(NOT_FOUND);
    }
    hand_over(&mut caller, name, &[], (at_place, length_place))?;
    Ok(OK)
}
