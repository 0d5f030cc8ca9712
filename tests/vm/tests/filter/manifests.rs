//! What only a host by hand can show of manifests.

use streamgate_vm::scenarios::{manifest_among, manifest_with_trailers};

/// Envoy lets nothing be put in front of trailers.
#[test]
fn a_manifest_with_trailers_is_answered_anew() {
    for (manifest, expected) in [
        (
            "#EXTM3U\n/vod/film/1.ts\n",
            "#EXTM3U\n/~TOKEN/vod/film/1.ts\n",
        ),
        ("#EXTM3U\n1.ts\n", "#EXTM3U\n1.ts\n"),
    ] {
        assert_eq!(manifest_with_trailers(manifest), (200, expected.to_owned()));
    }
}

/// However many watch, and however many manifests they ask for.
#[test]
fn a_manifest_costs_the_same_however_many_watch_and_leaves_nothing_behind() {
    let (alone, _) = manifest_among(1, 0);
    let (among_many, kept) = manifest_among(3_000, 30);
    // Where a token happens to be a byte longer, and the record one look further.
    let difference = alone.fuel.abs_diff(among_many.fuel);
    assert!(
        difference < alone.fuel / 100,
        "{} and {}",
        alone.fuel,
        among_many.fuel
    );
    assert_eq!(alone.buffer_calls, among_many.buffer_calls);
    assert_eq!(kept, 0, "bytes");
}
