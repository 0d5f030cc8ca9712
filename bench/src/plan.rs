//! How much is measured.

use std::path::PathBuf;

use crate::case::Case;

/// What was asked for on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// What is measured.
    pub(crate) what: What,
    /// Every case is measured at least once in each round.
    pub(crate) rounds: usize,
    /// How long a slice is, in whole seconds.
    pub(crate) slice_s: u64,
    /// How long a worker's longest turn is looked for, in whole seconds. The filter's sweep comes
    /// round in 60.
    pub(crate) turns_s: u64,
    /// Live streams beside those that are measured.
    pub(crate) live_streams: usize,
    /// The steps of the measurement at scale, in live streams.
    pub(crate) scale: Vec<usize>,
    /// The module of the other build.
    pub(crate) against: Option<PathBuf>,
    /// The cases that are measured, where not all are.
    pub(crate) only: Only,
}

/// Cases by their names in the results.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Only(Vec<Case>);

impl Only {
    /// Reads names with commas between them.
    fn read(names: &str) -> Result<Self, String> {
        let named = |name: &str| Case::named(name).ok_or_else(|| format!("--only: {name}?"));
        let cases: Result<Vec<Case>, String> = names.split(',').map(named).collect();
        cases.map(Self)
    }

    /// Whether a case was named, or is what one of these is compared with most of all.
    pub(crate) fn names(&self, case: &Case) -> bool {
        let is_needed = |named: &Case| named == case || named.size.bases()[0] == case.id;
        self.0.iter().any(is_needed)
    }
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// All peers side by side.
    Peers,
    /// What `docs/performance.md` promises, and nothing else: of the peers, and with a million live
    /// streams.
    Required,
    /// The filter alone, with ever more live streams.
    Scale,
    /// Everything, so briefly that the figures mean nothing: does it still run?
    Smoke,
    /// Nothing: the tables and plots are made anew from earlier results.
    Report,
    /// The filter beside another build of it.
    Against,
    /// A few cases beside bare Envoy.
    Only,
}

/// What the command line may say.
pub(crate) const USAGE: &str =
    "usage: bench [--required | --scale | --smoke | --report | --against FILE | --only CASES] [--rounds N]
  (nothing)   every peer side by side: twenty minutes
  --required  what is required of both forms of the filter: twelve minutes
  --scale     the filter with 1 k to 1 M live streams, and with contention
  --smoke     one short slice of everything, whose figures mean nothing
  --report    tables and plots anew, from the results of earlier runs
  --against   a segment in this build beside another module of the filter, Wasm or native, which is kept nowhere
  --only      these cases beside bare Envoy, with commas between their names (bench/src/case.rs), kept nowhere";

impl Plan {
    /// Reads the command line.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn read(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut plan = Self {
            what: What::Peers,
            rounds: 5,
            slice_s: 1,
            turns_s: 20,
            live_streams: 100_000,
            scale: vec![1_000, 10_000, 100_000, 1_000_000],
            against: None,
            only: Only::default(),
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--scale" => plan.what = What::Scale,
                "--required" => {
                    plan.what = What::Required;
                    plan.turns_s = 0;
                    plan.live_streams = 40_000;
                    plan.scale = vec![1_000, 1_000_000];
                }
                "--report" => plan.what = What::Report,
                "--against" => {
                    plan.what = What::Against;
                    plan.live_streams = 2_000;
                    let file = arguments.next().ok_or("--against: which file?")?;
                    plan.against = Some(file.into());
                }
                "--only" => {
                    plan.what = What::Only;
                    plan.live_streams = 40_000;
                    let names = arguments.next().ok_or("--only: which cases?")?;
                    plan.only = Only::read(&names)?;
                }
                "--smoke" => {
                    plan.what = What::Smoke;
                    plan.rounds = 1;
                    plan.turns_s = 0;
                    plan.live_streams = 400;
                    plan.scale = vec![400];
                }
                "--rounds" => {
                    let rounds = arguments.next().and_then(|rounds| rounds.parse().ok());
                    plan.rounds = rounds
                        .filter(|rounds| *rounds > 0)
                        .ok_or("--rounds: how many?")?;
                }
                other => return Err(format!("{other}?\n{USAGE}")),
            }
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Plan, String> {
        Plan::read(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn the_command_line_says_what_is_measured() {
        assert_eq!(
            read("").map(|plan| (plan.what, plan.rounds)),
            Ok((What::Peers, 5))
        );
        let scale = read("--scale --rounds 7").map(|plan| (plan.what, plan.rounds));
        assert_eq!(scale, Ok((What::Scale, 7)));
        let required = read("--rounds 4 --required").map(|plan| (plan.what, plan.rounds));
        assert_eq!(required, Ok((What::Required, 4)));
        let against = read("--against old.wasm").map(|plan| (plan.what, plan.against));
        assert_eq!(against, Ok((What::Against, Some("old.wasm".into()))));
        assert!(read("--against").is_err());
        assert!(read("--only native,create").is_ok_and(|plan| plan.what == What::Only));
        assert!(read("--only").is_err() && read("--only native,x").is_err());
        assert!(read("--rounds none").is_err());
        assert!(read("--fast").is_err_and(|error| error.contains("usage")));
    }
}
