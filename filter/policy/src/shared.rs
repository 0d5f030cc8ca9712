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

/// Takes note of where a request of a stream came from.
pub(crate) fn noted(clients: &mut Clients, play: &Play, now: Moment) -> Noted {
    match &play.sharing {
        Some((sharing, client)) => {
            let until = now.plus_ms(play.timeout_ms);
            clients.note(sharing, client, now, until, play.renew_below_ms)
        }
        None => Noted::default(),
    }
}
