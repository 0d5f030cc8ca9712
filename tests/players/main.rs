//! `make players`: every player there is, each way in which packagers write URLs, HLS and DASH,
//! through a real Envoy. Prints how many streams each was: one is right. Ends with exit code 1
//! where one was more, or none.

mod cell;
mod roster;

use std::process::ExitCode;

use cell::Cell;
use roster::{Protocol, Roster, all};
use streamgate_tests::{Browser, Urls};

const SHAPES: [(Urls, &str); 3] = [
    (Urls::Relative, "relative"),
    (Urls::AbsolutePath, "absolute paths"),
    (Urls::Absolute, "absolute URLs"),
];

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |entry: &Roster| wanted.is_empty() || wanted.iter().any(|it| entry.is(it));
    let browser = Browser::start();
    print!("| player | protocol |");
    for (_, shape) in SHAPES {
        print!(" {shape} |");
    }
    println!("\n|---|---|---|---|---|");
    let mut is_right = true;
    for entry in all().iter().filter(|entry| is_wanted(entry)) {
        for protocol in entry.protocols {
            print!("| {} | {} |", entry.title(), protocol.name());
            for (urls, _) in SHAPES {
                let cell = Cell::measure(entry, *protocol, urls, &browser);
                is_right &= cell.is_one_stream();
                print!(" {cell} |");
                let _ = std::io::Write::flush(&mut std::io::stdout());
            }
            println!();
        }
    }
    match is_right {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

impl Protocol {
    const fn name(self) -> &'static str {
        match self {
            Self::Hls => "HLS",
            Self::Dash => "DASH",
        }
    }
}
