//! What a protected path leaves out is nobody's playback, and no token goes along to it.

use serde_json::{Value, json};
use streamgate_values::head::Head;

use super::{World, get};
use crate::config::Config;
use crate::testing::{config_with, test};

/// `/vod/` with tokens in all places, and advertisements left out of it.
fn config() -> Config {
    config_with(|json| {
        let vod = &mut json["playback"][0];
        let places = [
            json!("path"),
            json!({"query": "sg"}),
            json!({"cookie": "sg"}),
            json!({"header": "x-sg"}),
        ];
        let token = |position: &Value| json!({"token": position});
        let tokens: Vec<_> = places.iter().map(token).collect();
        let with = |last: &[Value]| json!([&tokens, last].concat());
        vod["match"]["exclude"] = json!(["/vod/ads/**"]);
        vod["subject"] = with(&[json!({"header": "x-account-id"})]);
        vod["stream"] = with(&[json!({"cmcd": "sid"}), json!({"redirect": true})]);
    })
    .unwrap()
}

#[test]
fn no_token_goes_along_to_what_is_left_out() {
    let mut world = World::with(config);
    let prefix = world.play("alice");
    for front in ["", prefix.as_str()] {
        for path in ["/vod/ads/1.ts", "/vod//ads/1.ts", "/VOD/ads/1.ts"] {
            let ask = get(format!(
                "{front}{path}?a=1&sg=TOKEN&s%67=TOKEN&CMCD=sid&b=2"
            ))
            .header("cookie", "a=1; sg=TOKEN; b=2; sg=\"TOKEN\"")
            .header("x-sg", "TOKEN")
            .header("x-other", "stays")
            .header("referer", "https://edge.example/~TOKEN/vod/a/");
            let reached = world.ask(ask).reached();
            assert_eq!(reached.path, format!("{path}?a=1&CMCD=sid&b=2"));
            let header = |name| reached.headers.header(name);
            assert_eq!(header("cookie").as_deref(), Some(b"a=1; b=2".as_slice()));
            assert_eq!(header("x-sg"), None);
            assert_eq!(header("referer"), None);
            assert!(header("x-other").is_some());
        }
    }
    let alone = get("/vod/ads/1.ts").header("cookie", "sg=TOKEN");
    assert_eq!(world.ask(alone).reached().headers.header("cookie"), None);
}

#[test]
fn what_has_no_token_reaches_what_is_left_out_as_it_is() {
    let mut world = World::with(config);
    let ask = get("/vod/ads/1.ts?a=1;b&&c").header("cookie", "a=1;b=2");
    let reached = world.ask(ask).reached();
    assert_eq!(reached.path, "/vod/ads/1.ts?a=1;b&&c");
    let cookie = reached.headers.header("cookie");
    assert_eq!(cookie.as_deref(), Some(b"a=1;b=2".as_slice()));
}
