//! What players and pages fetch besides what is watched.

use super::{World, get};
use crate::testing::{TIMEOUT_MS, test};

/// Addresses of content steering manifests: HLS's, DASH's, and those without an extension.
const STEERING: [&str; 7] = [
    "steering.dcsm?_DASH_pathway=a&_DASH_throughput=5000",
    "steer?_HLS_pathway=a",
    "steering",
    "content-steering",
    "a.steering",
    "steering.json",
    "STEERING.DCSM",
];

#[test]
fn polling_where_to_fetch_from_neither_creates_nor_keeps_a_stream() {
    for name in STEERING {
        let mut world = World::new();
        let prefix = world.play("alice");
        for _ in 0..12 {
            world.host.advance_ms(TIMEOUT_MS / 10);
            world.ask(get(format!("{prefix}/vod/{name}"))).served();
        }
        assert_eq!(world.streams("alice"), 0, "{name}");

        let manifest = get("/vod/a/master.m3u8").account("bob");
        let redirected = world.ask(manifest).answer();
        let path = redirected.header("location").unwrap();
        let prefix = path.strip_suffix("/vod/a/master.m3u8").unwrap();
        world.ask(get(format!("{prefix}/vod/{name}"))).served();
        assert_eq!(world.streams("bob"), 0, "{name}");
    }
}
