//! `streamgate`: what an operator asks without an edge.

mod account;
mod key;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Limits how many video streams an account plays at once: tools for operators.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell under which keyed hash the access log, the operator's door and the store know an account
    Account(account::AccountArguments),
}

fn main() -> ExitCode {
    let Command::Account(arguments) = Arguments::parse().command;
    match account::shown(&arguments) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("streamgate: {error}");
            ExitCode::FAILURE
        }
    }
}
