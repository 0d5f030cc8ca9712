//! One stream whose requests come from several places at once.

use core::num::NonZeroU8;

use streamgate_values::stream_key::StreamKey;

use super::{Account, account_under, plays, streams};
use crate::testing::{TIMEOUT_MS, test};
use crate::{Client, OnConflict, Refused, Sharing, SharingAction, Unknown, Verdict};

/// A segment is asked for from this network, of which there may be one at once.
fn from(account: &mut Account, stream: StreamKey, network: u8, action: SharingAction) -> Verdict {
    let sharing = Sharing {
        networks: NonZeroU8::new(1),
        agents: None,
        action,
    };
    let client = Client {
        network: Some([network; 8]),
        agent: None,
    };
    account.wants_to_play(stream, Unknown::Starts, |play| {
        play.sharing = Some((sharing, client));
    })
}

fn account() -> (Account, StreamKey) {
    let mut account = account_under(vec![streams(9, OnConflict::DenyNew)]);
    let stream = account.mint("app");
    (account, stream)
}

#[test]
fn who_comes_later_is_refused_where_that_is_configured_until_the_first_is_silent() {
    let (mut account, stream) = account();
    plays(from(&mut account, stream, 1, SharingAction::Refuse));
    let room_at = account.now.plus_ms(TIMEOUT_MS);
    let refused = Verdict::Refused(Refused::Shared { room_at });
    account.later(1_000);
    assert_eq!(
        from(&mut account, stream, 2, SharingAction::Refuse),
        refused
    );
    plays(from(&mut account, stream, 1, SharingAction::Refuse));
}

#[test]
fn who_comes_later_is_told_apart_where_that_is_only_watched() {
    let (mut account, stream) = account();
    assert!(!plays(from(&mut account, stream, 1, SharingAction::Monitor)).shared);
    assert!(plays(from(&mut account, stream, 2, SharingAction::Monitor)).shared);
    assert!(!plays(from(&mut account, stream, 1, SharingAction::Monitor)).shared);
}
