//! Telling what a path is for allocates nothing.

#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

use core::hint::black_box;

use streamgate_core::playback::{Class, Classes, PathPattern};
use streamgate_values::path::Reading;

#[test]
fn paths_of_usual_length_are_classified_without_an_allocation() {
    let patterns = ["/segments/**", "**/*.bin", "**/a*b*c"];
    let patterns = patterns.map(|text| PathPattern::parse(text).unwrap());
    let with_patterns = Classes::new([(Class::Key, patterns.into_iter().collect())]);
    for classes in [Classes::default(), with_patterns] {
        for path in [
            "/vod/film/video/seg-00001.m4s?token=1",
            "/vod/film/%6Daster.m3u8",
            "/vod/film.ism/video=401000-1.dash",
            "/vod/a;b/1.ts",
        ] {
            let path = Reading::of(path.as_bytes()).unwrap();
            let made = allocation_counter::measure(|| {
                black_box(classes.classify(black_box(&path)));
            });
            assert_eq!(made.count_total, 0, "{path:?}");
        }
    }
}
