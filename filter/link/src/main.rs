//! `streamgate-link FROM TO`: rewrites a module, as `scripts/build` has it (see the library).

use std::env;
use std::fs;
use std::process::ExitCode;

use streamgate_link::through_table;

fn main() -> ExitCode {
    let paths: Vec<_> = env::args_os().skip(1).collect();
    let [from, to] = paths.as_slice() else {
        eprintln!("streamgate-link: FROM TO");
        return ExitCode::FAILURE;
    };
    let written = fs::read(from)
        .map_err(|error| format!("{}: {error}", from.display()))
        .and_then(|module| through_table(&module).map_err(|error| error.to_string()))
        .and_then(|module| {
            fs::write(to, module).map_err(|error| format!("{}: {error}", to.display()))
        });
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("streamgate-link: {error}");
            ExitCode::FAILURE
        }
    }
}
