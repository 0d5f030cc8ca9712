//! HLS playlists with variables.

use super::{check, check_with_unknown};
use crate::test;

fn playlist(lines: &str) -> String {
    format!("#EXTM3U\n{lines}\n")
}

#[test]
fn a_prefix_goes_into_the_value_that_all_urls_begin_with() {
    check(&playlist(
        "#EXT-X-DEFINE:NAME=\"base\",VALUE=\"^/vod/film\"\n{$base}/1.ts\n\
         #EXT-X-MAP:URI=\"{$base}/init.mp4\"\nhttp://edge.example{$base}/2.ts",
    ));
    check(&playlist(
        "#EXT-X-DEFINE:NAME=\"base\",VALUE=\"https://edge.example^/vod/film\"\n{$base}/1.ts",
    ));
    // Only what is resolved tells that it is needed.
    check(&playlist(
        "#EXT-X-DEFINE:NAME=\"root\",VALUE=\"http://edge.example^/\"\n{$root}vod/1.ts",
    ));
    // Playlists that import it have no other way.
    check(&playlist(
        "#EXT-X-DEFINE:NAME=\"base\",VALUE=\"^/vod/film\"\n#EXT-X-STREAM-INF:BANDWIDTH=1\n720.m3u8",
    ));
}

#[test]
fn a_prefix_goes_into_the_url_where_the_value_must_not_change() {
    let define = "#EXT-X-DEFINE:NAME=\"base\",VALUE=\"/vod/film\"\n";
    for other in [
        "https://cdn.example{$base}/1.ts",
        "https://cdn.example/?of={$base}",
        "#EXT-X-SESSION-DATA:DATA-ID=\"a\",VALUE=\"{$base}\"",
        "#EXT-X-DEFINE:NAME=\"b\",VALUE=\"{$base}\"",
        "/other{$base}/1.ts",
    ] {
        check(&playlist(&format!("{define}^{{$base}}/1.ts\n{other}")));
    }
    check(&playlist(&format!(
        "{define}http://edge.example^{{$base}}/1.ts\nhttps://cdn.example{{$base}}/1.ts"
    )));
    check(&playlist(
        "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"vod\"\n#EXT-X-DEFINE:NAME=\"b\",VALUE=\"/{$a}/film\"\n^{$b}/1.ts",
    ));
    check(&playlist(
        "#EXT-X-DEFINE:NAME=\"host\",VALUE=\"edge.example\"\nhttp://{$host}^/vod/1.ts\n//{$host}/other/1.ts",
    ));
    check(&playlist(
        "#EXT-X-DEFINE:NAME=\"name\",VALUE=\"film\"\n^/vod/{$name}/1.ts\n/other/{$name}/1.ts\n{$name}/1.ts",
    ));
    check(&playlist(
        "#EXT-X-DEFINE:NAME=\"q\",VALUE=\"/vod/\"\n^/vod/1.ts?a={$q}\n2.ts?a={$q}",
    ));
}

#[test]
fn where_a_url_leads_may_not_be_known() {
    check_with_unknown(
        &playlist("#EXT-X-DEFINE:IMPORT=\"base\"\n{$base}/1.ts\n{$base}/2.ts"),
        2,
    );
    check_with_unknown(
        &playlist("#EXT-X-DEFINE:QUERYPARAM=\"base\"\nhttps://{$base}/1.ts\n/{$base}/2.ts"),
        2,
    );
    // Twice defined, and not defined at all.
    check_with_unknown(
        &playlist(
            "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"/vod/\"\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"/b/\"\n{$a}1.ts\n{$c}2.ts",
        ),
        2,
    );
    // The host is in a value that has another meaning elsewhere.
    check_with_unknown(
        &playlist(
            "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"http://edge.example/vod/\"\n{$a}1.ts\nhttps://cdn.example/?{$a}",
        ),
        1,
    );
    // Wherever the rest leads, these need the prefix or do not.
    check(&playlist(
        "#EXT-X-DEFINE:QUERYPARAM=\"q\"\n^/vod/{$q}/1.ts\n^/vod/1.ts?{$q}\n1.ts?{$q}\nhttps://cdn.example/{$q}/1.ts",
    ));
}

#[test]
fn values_grow_to_a_bound() {
    let mut lines =
        String::from("#EXT-X-DEFINE:NAME=\"v0\",VALUE=\"/vod/aaaaaaaaaaaaaaaaaaaaaaaa\"\n");
    for number in 1..40 {
        let before = number - 1;
        lines +=
            &format!("#EXT-X-DEFINE:NAME=\"v{number}\",VALUE=\"{{$v{before}}}{{$v{before}}}\"\n");
    }
    check_with_unknown(&playlist(&format!("{lines}{{$v39}}/1.ts")), 1);
}
