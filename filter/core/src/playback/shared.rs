//! Where a request comes from, on paths that look at that (`sharing`).

use streamgate_bytes::{Fingerprint, Fingerprinter};
use streamgate_policy::{Client, Sharing};
use streamgate_record::ports::Host;
use streamgate_values::head::Head;
use streamgate_values::subject::SubjectKey;

use super::lease::OF_CLIENT;
use super::request::PlaybackRequest;
use crate::request::viewer::network;

impl<H: Head, E: Host> PlaybackRequest<'_, H, E> {
    /// What a lease of this name is found under. Where the path looks at networks or agents,
    /// each has leases of its own: nobody rides on a lease that was given to another.
    pub(super) fn fingerprint(&self, fingerprinter: &Fingerprinter, name: &[u8]) -> Fingerprint {
        match &self.protected.sharing {
            None => fingerprinter.fingerprint(name),
            Some(sharing) => fingerprinter.fingerprint(&self.name_of_client(sharing, name)),
        }
    }

    /// Where it comes from; `None` where the path does not look.
    pub(super) fn client(&self, subject: &SubjectKey) -> Option<Client> {
        let sharing = self.protected.sharing?;
        let hasher = &self.config.hasher;
        let network = self.network(&sharing);
        let agent = self.agent(&sharing);
        Some(Client {
            network: network.map(|network| hasher.seen("network", subject, &network)),
            agent: agent.map(|agent| hasher.seen("agent", subject, &agent)),
        })
    }

    fn name_of_client(&self, sharing: &Sharing, name: &[u8]) -> Vec<u8> {
        let mut all = vec![OF_CLIENT];
        for seen in [self.network(sharing), self.agent(sharing)] {
            let seen = seen.unwrap_or_default();
            all.extend_from_slice(&seen.len().to_le_bytes());
            all.extend_from_slice(&seen);
        }
        all.extend_from_slice(name);
        all
    }

    fn network(&self, sharing: &Sharing) -> Option<Vec<u8>> {
        sharing.networks.and_then(|_| network(self.asked.head))
    }

    /// Its agent. One that does not say is one, too.
    fn agent(&self, sharing: &Sharing) -> Option<Vec<u8>> {
        let read = || self.asked.head.header("user-agent").unwrap_or_default();
        sharing.agents.map(|_| read())
    }
}
