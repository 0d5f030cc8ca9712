//! The functions of WASI the filter needs. Envoy offers them to every module; this target's
//! standard library just does not know them.

// They are declared by hand.
#![allow(unsafe_code)]

use streamgate_values::stream_key::StreamKey;

const SUCCESS: u16 = 0;

/// WASI's number of the clock that nobody can set.
const MONOTONIC: u32 = 1;

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn random_get(buffer: *mut u8, length: usize) -> u16;
    fn clock_time_get(clock: u32, precision: u64, time: *mut u64) -> u16;
    fn environ_sizes_get(count: *mut usize, size: *mut usize) -> u16;
    fn environ_get(entries: *mut *const u8, buffer: *mut u8) -> u16;
}

pub(super) fn random() -> [[u8; StreamKey::RANDOM_LEN]; 32] {
    let mut bytes = [[0; StreamKey::RANDOM_LEN]; 32];
    let flat = bytes.as_flattened_mut();
    // SAFETY: the buffer is valid for writes of its whole length. Envoy's
    // generator does not fail.
    let _ = unsafe { random_get(flat.as_mut_ptr(), flat.len()) };
    bytes
}

/// Nanoseconds since some moment, the same one for the whole process.
pub(super) fn monotonic_ns() -> Option<u64> {
    let mut time = 0;
    // SAFETY: the place is valid for a write of eight bytes.
    let done = unsafe { clock_time_get(MONOTONIC, 1, &raw mut time) };
    (done == SUCCESS && time > 0).then_some(time)
}

pub(super) fn environment(name: &str) -> Option<String> {
    let (mut count, mut size) = (0, 0);
    // SAFETY: both places are valid for writes.
    if unsafe { environ_sizes_get(&mut count, &mut size) } != SUCCESS {
        return None;
    }
    let mut entries = vec![core::ptr::null(); count];
    let mut buffer = vec![0; size];
    // SAFETY: the buffers are as large as the host has just asked for.
    if unsafe { environ_get(entries.as_mut_ptr(), buffer.as_mut_ptr()) } != SUCCESS {
        return None;
    }
    // Entries follow each other as `NAME=value\0`.
    buffer.split(|byte| *byte == 0).find_map(|entry| {
        let (known, value) = core::str::from_utf8(entry).ok()?.split_once('=')?;
        (known == name).then(|| value.to_owned())
    })
}
