//! One stream, many viewers: from how many networks, and by how many agents, the requests of
//! one stream come at once.
//!
//! A stream that has one viewer may change its network now and then, and its agent when it is
//! cast to a television. A stream whose id or token was handed on comes from many at the same
//! time. So each network and each agent is remembered with when it came first and until when it
//! counts, and those that came first stay: nobody who comes later takes their place, however
//! many come and however often.

use core::num::NonZeroU8;

use streamgate_values::moment::Moment;
use streamgate_values::sorted::sorted_by_key;

/// The most networks, and the most agents, remembered of one stream; those that came first stay.
pub const CLIENTS_KEPT_MAX: usize = 8;

/// Eight bytes of a keyed hash that stand for a network, or for an agent.
pub type ClientMark = [u8; 8];

/// How many viewers one stream may have at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sharing {
    /// The most networks; `None`: any number.
    pub networks: Option<NonZeroU8>,
    /// The most agents; `None`: any number.
    pub agents: Option<NonZeroU8>,
    /// What becomes of those beyond.
    pub action: SharingAction,
}

/// What becomes of requests from a network, or by an agent, beyond what is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum SharingAction {
    /// They are counted.
    Monitor,
    /// They are refused, with the reason `shared`.
    Refuse,
}

/// Where a request comes from, as far as that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// Its network; `None` if that is not known, or not looked at.
    pub network: Option<ClientMark>,
    /// Its agent; `None` if that is not looked at.
    pub agent: Option<ClientMark>,
}

/// A network or an agent that a stream's requests came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenClient {
    /// What stands for it.
    pub mark: ClientMark,
    /// When it came first.
    pub since: Moment,
    /// When it counts no longer, unless a request comes from it before.
    pub until: Moment,
}

/// Where the requests of one stream come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clients {
    networks: Vec<SeenClient>,
    agents: Vec<SeenClient>,
}

/// What a sign of life from a client comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Noted {
    /// Something was remembered that has to be written.
    pub(crate) changed: bool,
    /// The client is beyond what is allowed.
    pub(crate) beyond: bool,
}

impl Clients {
    /// Those with these networks and agents, of each no more than are kept.
    #[must_use]
    pub fn new(networks: Vec<SeenClient>, agents: Vec<SeenClient>) -> Self {
        Self {
            networks: ordered(networks),
            agents: ordered(agents),
        }
    }

    /// The networks, those that came first in front.
    #[must_use]
    pub fn networks(&self) -> &[SeenClient] {
        &self.networks
    }

    /// The agents, those that came first in front.
    #[must_use]
    pub fn agents(&self) -> &[SeenClient] {
        &self.agents
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty() && self.agents.is_empty()
    }

    /// Forgets those that have been silent for too long.
    pub fn prune(&mut self, now: Moment) {
        self.networks.retain(|seen| seen.until > now);
        self.agents.retain(|seen| seen.until > now);
    }

    /// Forgets those that count for longer than until `latest`; says whether there were any.
    pub(crate) fn forget_beyond(&mut self, latest: Moment) -> bool {
        let before = self.networks.len().saturating_add(self.agents.len());
        self.networks.retain(|seen| seen.until <= latest);
        self.agents.retain(|seen| seen.until <= latest);
        self.networks.len().saturating_add(self.agents.len()) != before
    }

    /// What both know together. The order of the two makes no difference.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        Self {
            networks: union(&self.networks, &other.networks),
            agents: union(&self.agents, &other.agents),
        }
    }

    /// When the first may fall silent of those in the way of a client; `None` if it is
    /// not beyond what is allowed.
    pub(crate) fn room_at(&self, sharing: &Sharing, client: &Client) -> Option<Moment> {
        let network = room_at(&self.networks, sharing.networks, client.network);
        network.max(room_at(&self.agents, sharing.agents, client.agent))
    }

    /// Takes note of a sign of life at `now`. One that is remembered already, for less than
    /// `below_ms` from now, is so until `until` again.
    pub(crate) fn note(
        &mut self,
        sharing: &Sharing,
        client: &Client,
        now: Moment,
        until: Moment,
        below_ms: u64,
    ) -> Noted {
        let beyond = self.room_at(sharing, client).is_some();
        let sides = [
            (&mut self.networks, sharing.networks.and(client.network)),
            (&mut self.agents, sharing.agents.and(client.agent)),
        ];
        let mut changed = false;
        for (all, mark) in sides {
            if let Some(mark) = mark {
                changed |= note(all, mark, now, until, below_ms);
            }
        }
        Noted { changed, beyond }
    }
}

fn room_at(
    seen: &[SeenClient],
    most: Option<NonZeroU8>,
    mark: Option<ClientMark>,
) -> Option<Moment> {
    let (most, mark) = (usize::from(most?.get()), mark?);
    let first = seen.get(..most)?;
    let is_there = first.iter().any(|seen| seen.mark == mark);
    let next = first.iter().map(|seen| seen.until).min();
    next.filter(|_| !is_there)
}

fn note(
    all: &mut Vec<SeenClient>,
    mark: ClientMark,
    now: Moment,
    until: Moment,
    below_ms: u64,
) -> bool {
    if let Some(known) = all.iter_mut().find(|seen| seen.mark == mark) {
        let is_due = known.until.ms_since(now) < below_ms;
        if is_due {
            known.until = known.until.max(until);
        }
        return is_due;
    }
    if all.len() >= CLIENTS_KEPT_MAX {
        return false;
    }
    all.push(SeenClient {
        mark,
        since: now,
        until,
    });
    *all = ordered(core::mem::take(all));
    true
}

fn union(one: &[SeenClient], other: &[SeenClient]) -> Vec<SeenClient> {
    let mut all = one.to_vec();
    for seen in other {
        match all.iter_mut().find(|known| known.mark == seen.mark) {
            Some(known) => {
                known.since = known.since.min(seen.since);
                known.until = known.until.max(seen.until);
            }
            None => all.push(*seen),
        }
    }
    ordered(all)
}

/// Those that came first, in that order.
fn ordered(all: Vec<SeenClient>) -> Vec<SeenClient> {
    let mut all = sorted_by_key(all, |seen| (seen.since, seen.mark));
    all.truncate(CLIENTS_KEPT_MAX);
    all
}
