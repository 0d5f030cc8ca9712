//! Accounts and what they may.

use streamgate_core::config::Config;
use streamgate_values::subject::SubjectKey;

use super::options::Options;
use super::viewer::{Viewer, Way};
use super::witness::Witness;
use crate::settings::IDP;

/// An account.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) subject: SubjectKey,
    /// It never has more players than it may play.
    pub(super) is_modest: bool,
    /// What is seen of it from outside.
    pub(super) witness: Witness,
}

/// Accounts and their players.
pub(super) fn populate(
    options: &Options,
    config: &Config,
    dice: &mut fastrand::Rng,
) -> (Vec<Account>, Vec<Viewer>) {
    let (mut accounts, mut viewers) = (Vec::new(), Vec::new());
    for number in 0..options.accounts {
        let is_modest = number % 2 == 0;
        let players = match is_modest {
            true => options.limit,
            false => options.limit + dice.u32(options.surplus.clone()),
        };
        let application = *dice.choice(&["vod", "live"]).unwrap_or(&"vod");
        let name = format!("account-{number}");
        for player in 0..players {
            // Whoever names its playback itself starts again when its end is forgotten.
            let ways = match options.gives_up {
                true => &[Way::Redirect][..],
                false => &Way::ALL,
            };
            let way = *dice.choice(ways).unwrap_or(&Way::Redirect);
            let (edge, worker) = (dice.usize(..options.edges), dice.usize(..options.workers));
            let id = format!("{number}-{player}");
            viewers.push(Viewer::new(number, application, way, edge, worker, id));
        }
        accounts.push(Account {
            subject: config.hasher.subject(IDP, &name),
            name,
            is_modest,
            witness: Witness::new(options),
        });
    }
    (accounts, viewers)
}
