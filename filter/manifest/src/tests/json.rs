//! Lists of assets and steering manifests.

use super::{check, rewritten};
use crate::{Unreadable, test};

#[test]
fn assets_of_an_interstitial() {
    check(
        "{\"ASSETS\": [\n {\"URI\": \"^/vod/ads/1.m3u8\", \"DURATION\": 15},\r\n \
         {\"DURATION\":1,\"URI\" : \"http://edge.example^/vod/ads/2.m3u8?a=\\\"\"},\
         {\"URI\":\"3.m3u8\"},{\"URI\":\"https://cdn.example/vod/4.m3u8\"},\
         {\"NAME\":\"/vod/\",\"X-TEXT\":\"URI\",\"URI\":\"/~OLD/vod/5\"}]}"
            .replace("?a=\\\"", "?a=1")
            .as_str(),
    );
    // PHP escapes each slash.
    check(
        "{\"ASSETS\":[{\"URI\":\"^\\/vod\\/1.m3u8\"},{\"URI\":\"http:\\/\\/edge.example^\\/vod\\/2.m3u8\"}]}",
    );
    check(
        "{\"ASSETS\":[{\"URI\":\"https:\\/\\/cdn.example\\/vod\\/2.m3u8\"},{\"URI\":\"\\u002fvod/1\"}]}",
    );
    check("{\"ASSETS\":[{\"URI\":[\"^/vod/1\",\"/vod/2\"]},\"/vod/\"]}");
}

#[test]
fn where_steering_is_asked_again() {
    check(
        "\u{feff} {\"VERSION\":1,\"TTL\":300,\"RELOAD-URI\":\"^/vod/steering?s=1\",\"PATHWAY-PRIORITY\":[\"/vod/\"]}",
    );
}

#[test]
fn urls_of_a_pathways_clones() {
    check(
        "{\"VERSION\":1,\"PATHWAY-PRIORITY\":[\"b\"],\"PATHWAY-CLONES\":[{\"BASE-ID\":\"/vod/a\",\"ID\":\"/vod/b\",\
         \"URI-REPLACEMENT\":{\"HOST\":\"edge.example\",\"PARAMS\":{\"of\":\"/vod/\"},\
         \"PER-VARIANT-URIS\":{\"1\":\"http://edge.example^/vod/1.m3u8\",\"URI\":\"^/vod/2.m3u8\",\"3\":\"https://cdn.example/vod/3\"},\
         \"PER-RENDITION-URIS\":{\"a\":\"^/vod/a.m3u8\"},\"PER-X\":\"/vod/\"}}],\"TEXT\":\"/vod/\"}",
    );
}

#[test]
fn other_documents_are_left_alone() {
    for (body, expected) in [
        ("{\"URI\":\"/vod/1\"}", Unreadable::UnknownFormat),
        ("{", Unreadable::UnknownFormat),
        ("[{\"ASSETS\":[]}]", Unreadable::UnknownFormat),
        ("{\"ASSETS\":[{\"URI\":\"/vod/1", Unreadable::Malformed),
        ("{\"ASSETS\":[{\"URI\":\"/vod/1\\", Unreadable::Malformed),
        (
            "{\"ASSETS\":[{\"URI\":\"/vod/1\\\"}]}",
            Unreadable::Malformed,
        ),
    ] {
        assert_eq!(rewritten(body.as_bytes()), Err(expected), "{body}");
    }
}
