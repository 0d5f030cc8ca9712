//! What workers have in common: shared data, statistics, the clock.

use wasmtime::{Linker, Result};

use super::{BAD_ARGUMENT, CAS_MISMATCH, Host, NOT_FOUND, OK};
use crate::guest::{Guest, count, hand_over, read, text, write, write_number};

pub(super) fn define(linker: &mut Linker<Guest>) -> Result<()> {
    linker
        .func_wrap("env", "proxy_get_shared_data", get_shared_data)?
        .func_wrap("env", "proxy_set_shared_data", set_shared_data)?
        .func_wrap("env", "proxy_define_metric", define_metric)?
        .func_wrap("env", "proxy_get_metric", get_metric)?
        .func_wrap("env", "proxy_increment_metric", increment_metric)?
        .func_wrap("env", "proxy_record_metric", record_metric)?
        .func_wrap("env", "proxy_get_current_time_nanoseconds", get_time)?;
    Ok(())
}

/// A key as it is counted: by its first letter, which says what kind of entry it is.
fn kind(key: &[u8]) -> String {
    let letter = key.first().copied().unwrap_or(b'?');
    format!("{}*", char::from(letter))
}

fn get_shared_data(
    mut caller: Host<'_>,
    key: u32,
    key_length: u32,
    at_place: u32,
    length_place: u32,
    cas_place: u32,
) -> Result<u32> {
    let key = read(&caller, key, key_length)?;
    let name = format!("get_shared_data {}", kind(&key));
    let host = caller.data().host.clone();
    let state = host.state();
    let Some((value, cas)) = state.shared_data.get(&key) else {
        count(&mut caller, name);
        return Ok(NOT_FOUND);
    };
    hand_over(&mut caller, name, value, (at_place, length_place))?;
    write_number(&mut caller, cas_place, cas)?;
    Ok(OK)
}

fn set_shared_data(
    mut caller: Host<'_>,
    key: u32,
    key_length: u32,
    value: u32,
    value_length: u32,
    cas: u32,
) -> Result<u32> {
    let key = read(&caller, key, key_length)?;
    let value = read(&caller, value, value_length)?;
    count(&mut caller, format!("set_shared_data {}", kind(&key)));
    let host = caller.data().host.clone();
    if host.state().shared_data.set(&key, &value, cas).is_err() {
        return Ok(CAS_MISMATCH);
    }
    caller.data_mut().cost.shared_data_writes += 1;
    Ok(OK)
}

fn define_metric(
    mut caller: Host<'_>,
    _kind: u32,
    name: u32,
    name_length: u32,
    id_place: u32,
) -> Result<u32> {
    let name = text(&caller, name, name_length)?;
    count(&mut caller, format!("define_metric {name}"));
    let id = caller.data().host.state().define_metric(&name);
    write_number(&mut caller, id_place, id)?;
    Ok(OK)
}

fn get_metric(mut caller: Host<'_>, id: u32, value_place: u32) -> Result<u32> {
    let metric = caller.data().host.state().metrics.get(id as usize).cloned();
    let Some((name, value)) = metric else {
        return Ok(NOT_FOUND);
    };
    count(&mut caller, format!("get_metric {name}"));
    write(&mut caller, value_place, &value.to_le_bytes())?;
    Ok(OK)
}

/// Adds to a counter or a gauge; a gauge may sink below nothing for a moment, as in Envoy.
fn increment_metric(mut caller: Host<'_>, id: u32, change: i64) -> Result<u32> {
    let host = caller.data().host.clone();
    let mut state = host.state();
    let Some((name, value)) = state.metrics.get_mut(id as usize) else {
        return Ok(BAD_ARGUMENT);
    };
    *value = value.wrapping_add_signed(change);
    count(&mut caller, format!("increment_metric {name}"));
    Ok(OK)
}

/// Sets a gauge. What a histogram is told is kept alike: the last value.
fn record_metric(mut caller: Host<'_>, id: u32, value: u64) -> Result<u32> {
    let host = caller.data().host.clone();
    let mut state = host.state();
    let Some((name, last)) = state.metrics.get_mut(id as usize) else {
        return Ok(BAD_ARGUMENT);
    };
    *last = value;
    count(&mut caller, format!("record_metric {name}"));
    Ok(OK)
}

fn get_time(mut caller: Host<'_>, place: u32) -> Result<u32> {
    count(&mut caller, "get_current_time_nanoseconds".to_owned());
    let now_ns = caller.data().host.state().now_ns;
    write(&mut caller, place, &now_ns.to_le_bytes())?;
    Ok(OK)
}
