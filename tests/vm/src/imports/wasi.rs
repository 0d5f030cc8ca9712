//! The functions of WASI the filter calls: a clock, randomness and the environment.

use wasmtime::{Linker, Result};

use super::Host;
use crate::guest::{Guest, count, write, write_number};

const WASI: &str = "wasi_snapshot_preview1";
const SUCCESS: u32 = 0;

pub(super) fn define(linker: &mut Linker<Guest>) -> Result<()> {
    linker
        .func_wrap(WASI, "clock_time_get", clock_time_get)?
        .func_wrap(WASI, "random_get", random_get)?
        .func_wrap(WASI, "environ_sizes_get", environ_sizes_get)?
        .func_wrap(WASI, "environ_get", environ_get)?;
    Ok(())
}

/// The clock that nobody sets says what the other one says.
fn clock_time_get(mut caller: Host<'_>, _clock: u32, _precision: u64, at: u32) -> Result<u32> {
    count(&mut caller, "clock_time_get".to_owned());
    let now_ns = caller.data().host.state().now_ns;
    write(&mut caller, at, &now_ns.to_le_bytes())?;
    Ok(SUCCESS)
}

fn random_get(mut caller: Host<'_>, at: u32, length: u32) -> Result<u32> {
    count(&mut caller, "random_get".to_owned());
    let mut bytes = vec![0; length as usize];
    caller.data().host.state().random(&mut bytes);
    write(&mut caller, at, &bytes)?;
    Ok(SUCCESS)
}

fn environ_sizes_get(mut caller: Host<'_>, number_place: u32, size_place: u32) -> Result<u32> {
    count(&mut caller, "environ_sizes_get".to_owned());
    let environment = &caller.data().environment;
    let size: usize = environment.iter().map(|entry| entry.len() + 1).sum();
    let (number, size) = (u32::try_from(environment.len())?, u32::try_from(size)?);
    write_number(&mut caller, number_place, number)?;
    write_number(&mut caller, size_place, size)?;
    Ok(SUCCESS)
}

fn environ_get(mut caller: Host<'_>, mut entries: u32, mut buffer: u32) -> Result<u32> {
    count(&mut caller, "environ_get".to_owned());
    for entry in caller.data().environment.clone() {
        write_number(&mut caller, entries, buffer)?;
        write(&mut caller, buffer, format!("{entry}\0").as_bytes())?;
        entries += 4;
        buffer += u32::try_from(entry.len())? + 1;
    }
    Ok(SUCCESS)
}
