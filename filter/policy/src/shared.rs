//! What the judge makes of where a stream's requests come from.

use streamgate_values::moment::Moment;

use crate::event::{Play, Refused};
use crate::sharing::{Clients, Noted, SharingAction};

/// The refusal of a request of a stream whose others come from elsewhere already.
pub(crate) fn refused(clients: &Clients, play: &Play) -> Option<Refused> {
    let (sharing, client) = play.sharing.as_ref()?;
    if sharing.action != SharingAction::Refuse {
        return None;
    }
    let room_at = clients.room_at(sharing, client)?;
    Some(Refused::Shared { room_at })
}

/// Takes note of where a request of a stream came from. It counts until it has been silent for
/// a timeout, and for as long as its player can play on from its buffer: requests that come
/// before the record has to be touched again are not heard of here, so that time comes on top.
pub(crate) fn noted(clients: &mut Clients, play: &Play, now: Moment) -> Noted {
    let Some((sharing, client)) = &play.sharing else {
        return Noted::default();
    };
    let unheard_ms = play.timeout_ms.saturating_sub(play.renew_below_ms);
    let longer_ms = unheard_ms.saturating_add(play.buffer_ms);
    let until = now.plus_ms(play.timeout_ms).plus_ms(longer_ms);
    let below_ms = play.renew_below_ms.saturating_add(longer_ms);
    clients.note(sharing, client, now, until, below_ms)
}
