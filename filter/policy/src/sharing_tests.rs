//! Where a stream's requests come from: who is remembered, for how long, and who is beyond.

use core::num::NonZeroU8;

use streamgate_values::moment::Moment;

use crate::sharing::{
    CLIENTS_KEPT_MAX, Client, Clients, Noted, SeenClient, Sharing, SharingAction,
};
use crate::testing::{NOW, test};

fn most(networks: u8, agents: u8) -> Sharing {
    Sharing {
        networks: NonZeroU8::new(networks),
        agents: NonZeroU8::new(agents),
        action: SharingAction::Refuse,
    }
}

fn client(network: u8, agent: u8) -> Client {
    Client {
        network: Some([network; 8]),
        agent: Some([agent; 8]),
    }
}

fn at(later_ms: u64) -> Moment {
    NOW.plus_ms(later_ms)
}

/// A sign of life that counts for a second and is written if it counts for less than half of it.
fn note(clients: &mut Clients, sharing: &Sharing, client: &Client, later_ms: u64) -> Noted {
    clients.note(sharing, client, at(later_ms), at(later_ms + 1_000), 500)
}

fn seen(mark: u8, since: u64, until: u64) -> SeenClient {
    SeenClient {
        mark: [mark; 8],
        since: at(since),
        until: at(until),
    }
}

fn noted(changed: bool, beyond: bool) -> Noted {
    Noted { changed, beyond }
}

#[test]
fn networks_and_agents_are_remembered_each_for_itself() {
    for (sharing, expected) in [
        (
            most(3, 3),
            [vec![seen(1, 0, 1_000)], vec![seen(2, 0, 1_000)]],
        ),
        (most(3, 0), [vec![seen(1, 0, 1_000)], vec![]]),
        (most(0, 3), [vec![], vec![seen(2, 0, 1_000)]]),
        (most(0, 0), [vec![], vec![]]),
    ] {
        let mut clients = Clients::default();
        let first = note(&mut clients, &sharing, &client(1, 2), 0);
        let is_looked_at = sharing.networks.is_some() || sharing.agents.is_some();
        assert_eq!(first, noted(is_looked_at, false));
        assert_eq!([clients.networks(), clients.agents()], expected);
        assert_eq!(clients.is_empty(), !is_looked_at);
        // At once again, and nothing is to be written.
        let again = note(&mut clients, &sharing, &client(1, 2), 0);
        assert_eq!(again, noted(false, false));
        // Another network by the same agent, and the other way round.
        let network = note(&mut clients, &sharing, &client(5, 2), 1);
        assert_eq!(network, noted(sharing.networks.is_some(), false));
        let agent = note(&mut clients, &sharing, &client(1, 5), 2);
        assert_eq!(agent, noted(sharing.agents.is_some(), false));
    }
    // What is not known of a client is not held against anybody.
    let mut clients = Clients::default();
    let unknown = Client {
        network: None,
        agent: None,
    };
    assert_eq!(
        note(&mut clients, &most(1, 1), &unknown, 0),
        noted(false, false)
    );
    assert_eq!(clients, Clients::default());
}

#[test]
fn a_sign_of_life_is_written_once_what_is_left_is_below_what_was_asked() {
    let sharing = most(1, 0);
    for (later_ms, changed) in [
        (0, false),
        (499, false),
        (500, false),
        (501, true),
        (999, true),
    ] {
        let mut clients = Clients::default();
        note(&mut clients, &sharing, &client(1, 1), 0);
        let again = note(&mut clients, &sharing, &client(1, 1), later_ms);
        assert_eq!(again, noted(changed, false), "{later_ms}");
        let until = if changed { later_ms + 1_000 } else { 1_000 };
        assert_eq!(clients.networks(), [seen(1, 0, until)], "{later_ms}");
    }
    // One that counts for longer already does not count for less.
    let mut clients = Clients::new(vec![seen(1, 0, 2_000)], vec![]);
    let again = clients.note(&sharing, &client(1, 1), at(0), at(1_000), 5_000);
    assert_eq!(again, noted(true, false));
    assert_eq!(clients.networks(), [seen(1, 0, 2_000)]);
}

#[test]
fn those_that_came_first_stay_and_those_beyond_are_told_when_there_is_room() {
    let sharing = most(2, 1);
    let mut clients = Clients::default();
    for (network, later_ms) in [(1, 0), (2, 10), (3, 20), (4, 30)] {
        let told = note(&mut clients, &sharing, &client(network, 9), later_ms);
        assert_eq!(told, noted(true, network > 2), "{network}");
    }
    let room_at = |network, agent| clients.room_at(&sharing, &client(network, agent));
    assert_eq!(room_at(1, 9), None);
    assert_eq!(room_at(2, 9), None);
    // The first of those in the way falls silent first.
    assert_eq!(room_at(3, 9), Some(at(1_000)));
    assert_eq!(room_at(4, 9), Some(at(1_000)));
    assert_eq!(room_at(8, 9), Some(at(1_000)));
    assert_eq!(room_at(1, 8), Some(at(1_000)));
    // Where both are in the way, it takes both.
    let mut both = clients.clone();
    note(&mut both, &sharing, &client(1, 9), 900);
    assert_eq!(both.room_at(&sharing, &client(3, 9)), Some(at(1_010)));
    assert_eq!(both.room_at(&sharing, &client(3, 8)), Some(at(1_900)));
    // Nobody looks, or not so many have come: nobody is beyond.
    assert_eq!(clients.room_at(&most(0, 0), &client(3, 8)), None);
    assert_eq!(clients.room_at(&most(5, 2), &client(8, 8)), None);
    assert_eq!(clients.room_at(&most(4, 0), &client(8, 8)), Some(at(1_000)));
}

#[test]
fn one_is_forgotten_from_the_moment_on_until_which_it_counts() {
    let all = Clients::new(
        vec![seen(1, 0, 100), seen(2, 1, 200)],
        vec![seen(3, 0, 200), seen(4, 1, 100)],
    );
    for (later_ms, networks, agents) in [
        (0, vec![1, 2], vec![3, 4]),
        (99, vec![1, 2], vec![3, 4]),
        (100, vec![2], vec![3]),
        (199, vec![2], vec![3]),
        (200, vec![], vec![]),
    ] {
        let mut clients = all.clone();
        clients.prune(at(later_ms));
        let marks = |all: &[SeenClient]| all.iter().map(|seen| seen.mark[0]).collect::<Vec<_>>();
        assert_eq!(marks(clients.networks()), networks, "{later_ms}");
        assert_eq!(marks(clients.agents()), agents, "{later_ms}");
        assert_eq!(clients.is_empty(), later_ms >= 200, "{later_ms}");
    }
    let agents_alone = Clients::new(vec![], vec![seen(1, 0, 1)]);
    let networks_alone = Clients::new(vec![seen(1, 0, 1)], vec![]);
    assert!(!agents_alone.is_empty() && !networks_alone.is_empty());
}

#[test]
fn no_more_are_kept_than_may_be_however_many_come() {
    let sharing = most(1, 1);
    let mut clients = Clients::default();
    let kept = CLIENTS_KEPT_MAX as u8;
    for n in 0..kept + 3 {
        let told = note(&mut clients, &sharing, &client(n, n), u64::from(n));
        assert_eq!(told, noted(n < kept, n > 0), "{n}");
    }
    let expected: Vec<_> = (0..kept)
        .map(|n| seen(n, u64::from(n), u64::from(n) + 1_000))
        .collect();
    assert_eq!(clients.networks(), expected);
    assert_eq!(clients.agents(), expected);
}

#[test]
fn what_two_know_is_put_together_from_the_first_to_the_last_sign_of_life() {
    let one = Clients::new(vec![seen(1, 5, 50), seen(2, 1, 10)], vec![seen(9, 7, 70)]);
    let other = Clients::new(vec![seen(1, 3, 40), seen(3, 4, 40)], vec![seen(9, 8, 80)]);
    let both = Clients::new(
        vec![seen(2, 1, 10), seen(1, 3, 50), seen(3, 4, 40)],
        vec![seen(9, 7, 80)],
    );
    assert_eq!(one.merged(&other), both);
    assert_eq!(other.merged(&one), both);
    assert_eq!(
        both.networks()[0].mark,
        [2; 8],
        "those that came first in front"
    );
}

#[test]
fn what_counts_for_longer_than_can_be_is_forgotten_and_that_is_said() {
    for (networks, agents, forgotten) in [
        (vec![], vec![], false),
        (vec![seen(1, 0, 9)], vec![seen(2, 0, 10)], false),
        (vec![seen(1, 0, 11)], vec![seen(2, 0, 10)], true),
        (vec![seen(1, 0, 10)], vec![seen(2, 0, 11)], true),
    ] {
        let mut clients = Clients::new(networks.clone(), agents.clone());
        assert_eq!(clients.forget_beyond(at(10)), forgotten);
        let stays = |all: Vec<SeenClient>| -> Vec<SeenClient> {
            all.into_iter()
                .filter(|seen| seen.until <= at(10))
                .collect()
        };
        assert_eq!(clients, Clients::new(stays(networks), stays(agents)));
    }
}
