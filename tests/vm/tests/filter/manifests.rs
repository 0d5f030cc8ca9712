//! What only a host by hand can show of manifests.

use streamgate_vm::scenarios::manifest_with_trailers;

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
