//! How long the core takes for what requests ask of it most: `cargo bench -p streamgate-core`.

// It may fail loudly, as tests may.
#![allow(clippy::arithmetic_side_effects, clippy::panic, clippy::unwrap_used)]

mod viewer;

use core::hint::black_box;

use criterion::Criterion;
use streamgate_core::playback::Classes;
use streamgate_values::path::Reading;
use viewer::Viewer;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();

    let mut viewer = Viewer::new();
    let path = viewer.path_of(2);
    criterion.bench_function("segment on the fast path", |bench| {
        bench.iter(|| viewer.segment(black_box(&path)));
    });

    // A token is minted, and the record consulted.
    criterion.bench_function("manifest redirected", |bench| {
        bench.iter(|| viewer.ask(black_box("/vod/film/master.m3u8")));
    });

    // A token is read, and found wanting.
    let forged = path.replacen("/vod/", "x/vod/", 1);
    criterion.bench_function("segment with a forged token", |bench| {
        bench.iter(|| viewer.ask(black_box(&forged)));
    });

    let classes = Classes::default();
    let path = b"/vod/film/video/1080p/segment-00002.m4s?x=1";
    let Ok(path) = Reading::of(path) else { return };
    criterion.bench_function("a path classified", |bench| {
        bench.iter(|| classes.classify(black_box(&path)));
    });

    criterion.final_summary();
}
