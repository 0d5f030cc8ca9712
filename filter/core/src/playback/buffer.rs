//! How long a player says it can play on from its buffer (CMCD `bl`).
//!
//! A player that has fetched a film early is silent while it shows it. Its stream then lives as
//! much longer than its timeout as the player's last media request said, up to a bound: CMCD is a
//! signal, and anybody can write a large number into it. A request on the fast path is looked at
//! for it only where it has a query, or where its player is known to send CMCD in headers.

use streamgate_record::ports::Host;
use streamgate_values::head::Head;
use streamgate_values::moment::Moment;

use super::lease::Lease;
use super::passage::PlayerBuffer;
use super::request::PlaybackRequest;
use crate::request::viewer::Asked;

impl<H: Head, E: Host> PlaybackRequest<'_, H, E> {
    /// What it says of its player's buffer. Only what counts as watching has one that counts;
    /// headers are read only where the path reads CMCD for something else as well.
    pub(super) fn buffer(&self) -> PlayerBuffer {
        if self.protected.buffer_max_ms == 0 || !self.is_watching() {
            return PlayerBuffer::default();
        }
        let reader = self.cmcd();
        let is_in_headers =
            self.protected.reads_cmcd() && !reader.is_in_query() && reader.is_in_headers();
        PlayerBuffer {
            ms: self.buffer_ms(is_in_headers),
            is_in_headers,
        }
    }

    fn buffer_ms(&self, is_in_headers: bool) -> u64 {
        let ms = self.cmcd().buffer_ms(is_in_headers);
        ms.unwrap_or_default().min(self.protected.buffer_max_ms)
    }

    /// Whether its player can play on for so much longer than the lease knows that the record
    /// has to be told, though the lease is fresh. `tick`: the worker's latest, if there was one.
    pub(super) fn plays_beyond(&self, lease: &Lease, tick: Option<Moment>) -> bool {
        // A path as it is read is no longer than it stands there: what follows is any query, or its end.
        let Asked { path, file, .. } = self.asked;
        if !lease.is_in_headers && file.len() >= path.len() {
            return false;
        }
        let query = path.get(file.len()..).unwrap_or_default();
        let may_say = lease.is_in_headers || query.windows(2).any(|two| two == b"bl");
        if !may_say || self.protected.buffer_max_ms == 0 || !self.is_media() {
            return false;
        }
        let ms = self.buffer_ms(lease.is_in_headers);
        if ms == 0 {
            return false;
        }
        let now = tick.unwrap_or_else(|| self.now());
        let reach = now.plus_ms(self.protected.timeout_ms).plus_ms(ms);
        let expires_at = lease.stream.expires_at;
        let reach = expires_at.map_or(reach, |end| end.min(reach));
        reach.ms_since(lease.ends_at) > self.protected.renew_every_ms()
    }
}
