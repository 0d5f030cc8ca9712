//! One VM as its host functions see it.

use std::collections::BTreeMap;

use wasmtime::{Caller, Error, Memory, Result, TypedFunc};

use crate::cost::Cost;
use crate::host::Host;
use crate::map::Map;
use crate::message::Answer;

/// What host functions work on.
pub(crate) struct Guest {
    pub(crate) host: Host,
    pub(crate) configuration: Vec<u8>,
    /// Entries `NAME=value`.
    pub(crate) environment: Vec<String>,
    /// The request at hand.
    pub(crate) stream: Stream,
    /// What was counted since counting began anew. Its fuel is filled in at the end.
    pub(crate) cost: Cost,
    /// What the filter logged.
    pub(crate) log: Vec<String>,
    /// Set as soon as the module is instantiated.
    pub(crate) exports: Option<(Memory, TypedFunc<u32, u32>)>,
}

/// A request and its response. Envoy shows each map only while it is due.
#[derive(Default)]
pub(crate) struct Stream {
    pub(crate) request: Option<Map>,
    pub(crate) response: Option<Map>,
    pub(crate) body: Vec<u8>,
    /// What the origin answers, and what the viewer gets of it.
    pub(crate) response_body: Vec<u8>,
    /// Under paths whose parts are separated by zero bytes.
    pub(crate) properties: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What the filter answers itself.
    pub(crate) reply: Option<Answer>,
}

/// The VM's memory and its allocator.
fn exports(caller: &Caller<'_, Guest>) -> Result<(Memory, TypedFunc<u32, u32>)> {
    let exports = caller.data().exports.clone();
    exports.ok_or_else(|| Error::msg("called before the VM was there"))
}

/// The bytes the guest points at.
pub(crate) fn read(caller: &Caller<'_, Guest>, at: u32, length: u32) -> Result<Vec<u8>> {
    let (memory, _) = exports(caller)?;
    let (at, length) = (at as usize, length as usize);
    let bytes = memory.data(caller).get(at..at + length);
    let bytes = bytes.ok_or_else(|| Error::msg("outside the VM's memory"))?;
    Ok(bytes.to_vec())
}

/// The same as text, for names.
pub(crate) fn text(caller: &Caller<'_, Guest>, at: u32, length: u32) -> Result<String> {
    Ok(String::from_utf8(read(caller, at, length)?)?)
}

/// Writes to where the guest points.
pub(crate) fn write(caller: &mut Caller<'_, Guest>, at: u32, bytes: &[u8]) -> Result<()> {
    let (memory, _) = exports(caller)?;
    Ok(memory.write(caller, at as usize, bytes)?)
}

/// Writes a number to where the guest points.
pub(crate) fn write_number(caller: &mut Caller<'_, Guest>, at: u32, number: u32) -> Result<()> {
    write(caller, at, &number.to_le_bytes())
}

/// Counts a call that returns no bytes.
pub(crate) fn count(caller: &mut Caller<'_, Guest>, name: String) {
    let calls = &mut caller.data_mut().cost.other_calls;
    *calls.entry(name).or_default() += 1;
}

/// Returns bytes the guest will own, and counts the call. As in Envoy, the guest is asked
/// for the memory, unless there is nothing to return.
pub(crate) fn hand_over(
    caller: &mut Caller<'_, Guest>,
    name: String,
    bytes: &[u8],
    (at_place, length_place): (u32, u32),
) -> Result<()> {
    let length = u32::try_from(bytes.len())?;
    let mut at = 0;
    if bytes.is_empty() {
        count(caller, name);
    } else {
        let calls = &mut caller.data_mut().cost.buffer_calls;
        *calls.entry(name).or_default() += 1;
        let (_, allocate) = exports(caller)?;
        at = allocate.call(&mut *caller, length)?;
        write(caller, at, bytes)?;
    }
    write_number(caller, at_place, at)?;
    write_number(caller, length_place, length)
}
