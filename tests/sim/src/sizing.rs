//! Counts what a crowd asks of a fleet, and measures what a store needs for it. Prints a
//! table and leaves nothing behind. `--help` lists what can be varied.

use lexopt::prelude::*;
use streamgate_sim::crowd::{self, Options};
use streamgate_sim::real_store;

const HELP: &str = "\
sizing: a crowd at many edges in virtual time, and what its store needs

  --edges N      edges (40)
  --workers N    workers of each edge (2)
  --streams N    streams that play at once (10000000)
  --nodes N      nodes of the store (8)
  --shards N     shards accounts are spread over (64)
  --timeout S    seconds that a stream lives without a sign of life (30)
  --segment MS   milliseconds that a segment plays (4000)
  --watches S    seconds that a viewer watches on average (1800)
  --ramp S       seconds until all have come (30)
  --steady S     seconds that are counted after that (30)
  --record S     seconds at the end that a real store is measured with; 0: none is (5)
  --threads N    threads (2)
  --seed N       makes all randomness (1)
";

fn main() -> Result<(), lexopt::Error> {
    let mut options = Options::default();
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        let Long(name) = argument else {
            return Err(argument.unexpected());
        };
        let name = name.to_owned();
        if name == "help" {
            print!("{HELP}");
            return Ok(());
        }
        let value = arguments.value()?;
        match name.as_str() {
            "edges" => options.edges = value.parse()?,
            "workers" => options.workers = value.parse()?,
            "streams" => options.streams = value.parse()?,
            "nodes" => options.nodes = value.parse()?,
            "shards" => options.shards = value.parse()?,
            "timeout" => options.timeout_s = value.parse()?,
            "segment" => options.segment_ms = value.parse()?,
            "watches" => options.watches_s = value.parse()?,
            "ramp" => options.ramp_s = value.parse()?,
            "steady" => options.steady_s = value.parse()?,
            "record" => options.recorded_s = value.parse()?,
            "threads" => options.threads = value.parse()?,
            "seed" => options.seed = value.parse()?,
            _ => return Err(format!("there is no --{name}; --help lists what there is").into()),
        }
    }
    println!("{options:?}\n");
    let (figures, recording) = crowd::run(&options);
    println!("{figures}");
    if !recording.calls.is_empty() {
        println!("{}", real_store::measure(&recording));
    }
    Ok(())
}
