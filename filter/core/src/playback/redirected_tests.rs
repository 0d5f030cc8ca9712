use super::super::shared_positions::{LEN, PER_POSITION};
use super::*;
use crate::testing::{MemoryHost, NOW, test};

const ALICE: SubjectKey = SubjectKey::from_bytes([1; 16]);
const WAIT_MS: u64 = 2_000;
const TIMEOUT_MS: u64 = 90_000;

fn stream(number: u8) -> StreamKey {
    StreamKey::from_bytes([number; 16])
}

fn asking(path: &str, client: &str) -> Asking<'static> {
    Asking::of(&ALICE, path.as_bytes(), client.as_bytes())
}

/// What is asked of one host, at a moment in seconds from the first.
struct At<'h>(&'h MemoryHost, f64);

impl At<'_> {
    fn now(&self) -> Moment {
        NOW.plus_ms((self.1 * 1_000.0) as u64)
    }

    fn since(&self) -> Moment {
        Moment::from_ms(self.now().as_ms() - TIMEOUT_MS)
    }

    fn redirect(&self, asking: Asking<'_>, number: u8) {
        asking.redirect(self.0, stream(number), self.since(), self.now());
    }

    fn known(&self, asking: Asking<'_>) -> Vec<StreamKey> {
        asking.known(self.0, self.since(), self.now())
    }
}

fn follow_at(host: &MemoryHost, number: u8, path: &str, wait_ms: Option<u64>) {
    follow(
        host,
        &ALICE,
        stream(number),
        path.as_bytes(),
        ManifestOutcome::Manifest(wait_ms),
    );
}

#[test]
fn a_redirect_is_known_while_it_is_followed_once_and_is_due() {
    let host = MemoryHost::new();
    let tv = asking("/live.mpd", "tv");
    assert_eq!(At(&host, 0.0).known(tv), []);
    for round in 0..3 {
        let began = f64::from(round) * 4.0;
        At(&host, began).redirect(tv, 1);
        assert_eq!(At(&host, began + 3.9).known(tv), []);
        follow_at(&host, 1, "/live.mpd?_HLS_msn=7", Some(WAIT_MS));
        assert_eq!(At(&host, began + 1.9).known(tv), []);
        assert_eq!(At(&host, began + 2.0).known(tv), [stream(1)]);
    }
    let later = At(&host, 12.0);
    for other in [asking("/live.mpd", "phone"), asking("/live.mpd?a", "tv")] {
        assert_eq!(later.known(other), []);
    }
    let with_cmcd = asking("/live.mpd?CMCD=x", "tv");
    assert_eq!(later.known(with_cmcd), [stream(1)]);
    // It has lapsed.
    assert_eq!(At(&host, 101.0).known(tv), []);
    // It stays.
    follow_at(&host, 1, "/live.mpd", Some(WAIT_MS));
    assert_eq!(later.known(tv), []);
}

#[test]
fn of_several_alike_that_which_has_been_due_for_longest_comes_first() {
    let host = MemoryHost::new();
    let tv = asking("/live.mpd", "tv");
    for (number, at) in [(1, 0.0), (2, 0.1), (3, 1.0)] {
        At(&host, at).redirect(tv, number);
    }
    for number in [3, 1, 2] {
        follow_at(&host, number, "/live.mpd", Some(WAIT_MS));
    }
    assert_eq!(At(&host, 2.5).known(tv), [stream(1), stream(2)]);
    At(&host, 2.5).redirect(tv, 1);
    follow_at(&host, 1, "/live.mpd", Some(WAIT_MS));
    let all = [2, 3, 1].map(stream);
    assert_eq!(At(&host, 4.5).known(tv), all);
    // Whoever has lapsed takes no place.
    At(&host, 93.0).redirect(tv, 9);
    let kept = host.stored(store_key(&ALICE)).unwrap().len() / LEN;
    assert_eq!(kept, 3);
}

#[test]
fn a_player_that_asks_for_other_manifests_or_for_one_that_does_not_change_stays() {
    let host = MemoryHost::new();
    for (path, wait_ms) in [("/720.m3u8", Some(0)), ("/live.mpd", None)] {
        let tv = asking("/live.mpd", "tv");
        At(&host, 0.0).redirect(tv, 1);
        follow_at(&host, 1, path, wait_ms);
        follow_at(&host, 1, "/live.mpd", Some(0));
        assert_eq!(At(&host, 4.0).known(tv), [], "{path}");
    }
}

#[test]
fn the_latest_redirects_are_remembered_and_no_more() {
    let host = MemoryHost::new();
    let clients: Vec<String> = (0..40).map(|number| number.to_string()).collect();
    for (number, client) in (0..).zip(&clients) {
        At(&host, 0.0).redirect(asking("/live.mpd", client), number);
        follow_at(&host, number, "/live.mpd", Some(0));
    }
    let later = At(&host, 4.0);
    let known = clients
        .iter()
        .flat_map(|client| later.known(asking("/live.mpd", client)));
    let known: Vec<_> = known.collect();
    assert_eq!(known, (24..40).map(stream).collect::<Vec<_>>());
    assert!(host.stored(store_key(&ALICE)).unwrap().len() <= PER_POSITION * LEN);
}

#[test]
fn what_others_write_meanwhile_is_kept_and_nonsense_is_none() {
    let host = MemoryHost::new();
    let (begins, later) = (At(&host, 0.0), At(&host, 4.0));
    let phone = asking("/live.mpd", "phone");
    begins.redirect(asking("/live.mpd", "tv"), 1);
    host.lose_next_swap_at(store_key(&ALICE));
    begins.redirect(phone, 2);
    follow_at(&host, 2, "/live.mpd", Some(WAIT_MS));
    assert_eq!(later.known(phone), [stream(2)]);
    host.plant(store_key(&ALICE), b"nonsense");
    assert_eq!(later.known(phone), []);
    begins.redirect(phone, 3);
    follow_at(&host, 3, "/live.mpd", Some(WAIT_MS));
    assert_eq!(later.known(phone), [stream(3)]);
}
