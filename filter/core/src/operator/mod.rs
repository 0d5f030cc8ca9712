//! The operator's door (contract, section 7): what was decided and why, what plays on an
//! account, and what an operator may do about it. It is served on a listener of its own; viewers'
//! listeners only keep what it shows.

mod account;
mod accounts;
mod answer;
mod carry_out;
mod decision;
mod decisions;
mod door;
mod ends;
mod exception;
mod json;
mod levels;
mod page;
mod path;
mod rates;
mod summary;
pub(crate) mod understood;
mod workers;

use streamgate_record::ports::Host;
use streamgate_values::moment::Moment;

use self::accounts::Accounts;
use self::decisions::Decisions;
use self::levels::RefusedAccounts;
use self::rates::Rates;
use self::workers::Workers;
use crate::config::Config;
use crate::exchange::LogEntry;
use crate::refusal::lines::{LeftOut, Lines};
pub(crate) use carry_out::{AtDoor, decided, finish, looked};
pub(crate) use door::begin;

/// How often a worker at the door does its part of what is to be done, in milliseconds.
pub(crate) const DOOR_TICK_MS: u64 = 50;

/// What one worker keeps for operators.
#[derive(Debug)]
pub(crate) struct OperatorState {
    decisions: Decisions,
    lines: Lines,
    refused: RefusedAccounts,
    rates: Rates,
    accounts: Accounts,
    workers: Workers,
    /// It has had a request.
    pub(crate) serves: bool,
}

impl OperatorState {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            decisions: Decisions::default(),
            lines: Lines::default(),
            refused: RefusedAccounts::default(),
            rates: Rates::default(),
            accounts: Accounts::default(),
            workers: Workers::default(),
            serves: false,
        }
    }

    /// Keeps a decision, and says whether it is to be logged: it is not where it says nothing new.
    pub(crate) fn note(&mut self, host: &impl Host, told: &mut LogEntry) -> bool {
        if told.event != "operator" {
            let mut read = told.at;
            match self
                .lines
                .tells(told, || *read.get_or_insert_with(|| host.now()))
            {
                Some(left_out) => told.repeated = left_out,
                None => return false,
            }
            let clock = || read.unwrap_or_else(|| host.now());
            self.refused.count(host, told, clock);
        }
        self.decisions.keep(host, told);
        true
    }

    /// To be called from time to time. `left_out` was refused since, and not logged.
    pub(crate) fn on_tick(
        &mut self,
        host: &impl Host,
        config: &Config,
        now: Moment,
        left_out: &[LeftOut],
    ) {
        for left_out in left_out {
            self.lines.leave_out(left_out);
        }
        match &config.operator {
            Some(operator) => {
                self.decisions.open(host, operator.decisions);
                self.rates.on_tick(host, &self.decisions, now);
                self.accounts.on_tick(host, &config.records, now);
            }
            None => {
                self.decisions.look(host, now);
                // Envoy's main thread ticks, too, and serves nobody.
                if self.decisions.is_open() && self.serves {
                    self.workers.on_tick(host, config, now);
                }
            }
        }
    }
}
