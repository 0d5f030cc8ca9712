//! DASH manifests, element by element.

use super::{check, check_with_unknown, rewritten};
use crate::{Unreadable, test};

fn mpd(content: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\">{content}</MPD>\n"
    )
}

/// A manifest with one representation, and these inside of its elements.
fn nested(of: [&str; 4]) -> String {
    let [mpd_has, period_has, set_has, representation_has] = of;
    mpd(&format!(
        "{mpd_has}<Period>{period_has}<AdaptationSet bitstreamSwitching=\"true\">{set_has}\
         <Representation id=\"1\">{representation_has}</Representation></AdaptationSet></Period>"
    ))
}

const TEMPLATE: &str = "<SegmentTemplate media=\"$Number$.m4s\" initialization=\"init.mp4\"/>";

#[test]
fn each_element_that_has_a_url() {
    for inner in [
        "<SegmentTemplate media=\"^/vod/$RepresentationID$/$Number%05d$.m4s\" initialization=\"^/vod/i.mp4\" \
         index=\"^/vod/x\" bitstreamSwitching=\"^/vod/b\"/>",
        "<SegmentTemplate media='http://edge.example^/vod/$Time$.m4s'></SegmentTemplate>",
        "<SegmentList><Initialization sourceURL=\"^/vod/i.mp4\"/><SegmentURL media=\"^/vod/1.m4s\" index=\"^/vod/1.x\"/></SegmentList>",
        "<SegmentBase><RepresentationIndex sourceURL=\"//edge.example^/vod/x\" /></SegmentBase>",
        "<BaseURL>^/vod/</BaseURL>",
        "<BaseURL serviceLocation=\"a\">\n  http://edge.example^/vod/film.mp4\n</BaseURL>",
        "<BaseURL><![CDATA[http://edge.example^/vod/]]></BaseURL>",
        "<BaseURL><![CDATA[ ^/vod/a?b&c ]]></BaseURL>",
        "<d:BaseURL xmlns:d=\"urn:mpeg:dash:schema:mpd:2011\">^/vod/</d:BaseURL>",
        "<SegmentList xlink:href=\"^/vod/list.xml\" xlink:actuate=\"onLoad\"/>",
        "<ContentProtection><dashif:Laurl>^/vod/licence</dashif:Laurl></ContentProtection>",
        "<ContentProtection><ms:laurl licenseUrl=\"^/vod/licence\"/></ContentProtection>",
        "<SegmentTemplate media=\"^/vod/a.m4s?b=1&amp;c=/vod/\"/>",
        "<SegmentTemplate media=\"^/vod/a&amp;b/$Number$\" other='>'/>",
        "<SegmentTemplate media = \"^/vod/a&#38;b/$Number$\"  />",
    ] {
        check(&nested(["", "", "", inner]));
    }
    for inner in [
        "<Location>http://edge.example^/vod/live.mpd?a=1&amp;b=2</Location>",
        "<PatchLocation ttl=\"60\">^/vod/patch.mpp</PatchLocation>",
        "<ContentSteering defaultServiceLocation=\"a\">^/vod/steering</ContentSteering>",
        "<Period xlink:href=\"http://edge.example^/vod/period.xml\"/>",
        "<UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:http-xsdate:2014\" value=\"http://edge.example^/vod/time\"/>",
        "<Metrics><Reporting reportingUrl=\"^/vod/r\"/></Metrics>",
    ] {
        check(&mpd(inner));
    }
}

#[test]
fn what_is_no_url_or_leads_elsewhere_is_left_alone() {
    for inner in [
        "<!-- <BaseURL>/vod/</BaseURL> -->",
        "<?note <BaseURL>/vod/</BaseURL> ?>",
        "<Title>/vod/</Title>",
        "<Event><![CDATA[<BaseURL>/vod/</BaseURL>]]></Event>",
        "<BaseURL>film/</BaseURL><SegmentTemplate media=\"$Number$\"/>",
        "<BaseURL/><BaseURL></BaseURL>",
        "<BaseURL>https://cdn.example/vod/</BaseURL>",
        "<BaseURL>/~OLD/vod/</BaseURL>",
        "<BaseURL>http://edge.example/~OLD/vod/</BaseURL>",
        "<BaseURL>/other/</BaseURL><SegmentTemplate media=\"$Number$\"/>",
        "<BaseURL>http://edge.example</BaseURL><SegmentTemplate media=\"a/$Number$\"/>",
        "<BaseURL>/vod/<!-- why? --></BaseURL>",
        "<BaseURL>/vod/<b/></BaseURL>",
        "<SegmentTemplate media=\"/other/$Number$\"/>",
        "<SegmentTemplate other=\"/vod/\" href=\"/vod/\" value=\"/vod/\"/>",
        "<UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:http-xsdate:2014\" value=\"/time\"/>",
        "<UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:direct:2014\" value=\"2030-01-01T00:00:00Z\"/>",
        "<SegmentTemplate media=\"/vod/../$Number$\"/>",
        "<SegmentTemplate media=\"/vod/&unknown;\"/>",
    ] {
        check(&nested(["", "", "", inner]));
    }
}

#[test]
fn a_base_that_has_the_prefix_hands_it_on() {
    check(&nested([
        "<BaseURL>http://edge.example^/vod/</BaseURL>",
        "<BaseURL>film/</BaseURL>",
        TEMPLATE,
        "<BaseURL>1/</BaseURL>",
    ]));
    // Each that is absolute begins anew.
    check(&nested([
        "<BaseURL>http://edge.example^/vod/</BaseURL>",
        "<BaseURL>^/vod/film/</BaseURL>",
        "<BaseURL>//edge.example^/vod/film/</BaseURL>",
        "<BaseURL>^/vod/film/1/</BaseURL><SegmentTemplate media=\"^/vod/film/1/$Number$\"/>",
    ]));
    // Alternatives.
    check(&nested([
        "<BaseURL>http://edge.example^/vod/</BaseURL><BaseURL>https://cdn.example/vod/</BaseURL>",
        "",
        TEMPLATE,
        "",
    ]));
}

#[test]
fn a_base_needs_the_prefix_if_what_is_resolved_against_it_does() {
    for root in ["http://edge.example^/", "^/"] {
        let root = format!("<BaseURL>{root}</BaseURL>");
        check(&nested([&root, "<BaseURL>vod/</BaseURL>", TEMPLATE, ""]));
        check(&nested([&root, "", TEMPLATE, "<BaseURL>vod/1/</BaseURL>"]));
        check(&nested([&root, "", "", "<BaseURL>vod/film.mp4</BaseURL>"]));
        check(&nested([
            &root,
            "",
            "<SegmentTemplate media=\"vod/$Number$\"/>",
            "",
        ]));
        check(&nested([
            &root,
            "",
            "",
            "<BaseURL>./vod/a/../</BaseURL><SegmentList><SegmentURL media=\"1\"/></SegmentList>",
        ]));
    }
    // Nothing of it is protected.
    check(&nested([
        "<BaseURL>/</BaseURL>",
        "<BaseURL>other/</BaseURL>",
        TEMPLATE,
        "",
    ]));
    // What one part needs would break the other.
    check_with_unknown(
        &mpd("<BaseURL>/</BaseURL><Period><AdaptationSet>\
              <Representation><BaseURL>vod/1.mp4</BaseURL></Representation>\
              <Representation><BaseURL>other/1.mp4</BaseURL></Representation>\
              </AdaptationSet></Period>"),
        1,
    );
}

#[test]
fn no_token_is_put_into_a_path_at_another_host() {
    let foreign = "<BaseURL>https://cdn.example/</BaseURL>";
    let absolute = "<SegmentTemplate media=\"/vod/$Number$.m4s\"/>";
    check(&nested([foreign, "", "", absolute]));
    check(&nested([foreign, "<BaseURL>/vod/</BaseURL>", "", TEMPLATE]));
    check(&nested([foreign, "<BaseURL>vod/</BaseURL>", "", absolute]));
    // Segments told of further out are resolved further in.
    check(&nested(["", "", absolute, foreign]));
    check(&nested(["", absolute, "", foreign]));
    check(&nested(["", "", "", &format!("{absolute}{foreign}")]));
    for hidden in [
        "<BaseURL>&#x68;ttps://cdn.example/</BaseURL>",
        "<BaseURL>https:&#47;/cdn.example/</BaseURL>",
        "<BaseURL>&#47;/cdn.example/</BaseURL>",
        "<BaseURL><![CDATA[//cdn.example/]]></BaseURL>",
        "<BaseURL>&unknown;</BaseURL>",
        "<BaseURL>//cdn<!-- -->.example/</BaseURL>",
        "<BaseURL>\\\\cdn.example\\</BaseURL>",
        "<BaseURL>/\\cdn.example/</BaseURL>",
        "<BaseURL>http://edge.example@cdn.example/</BaseURL>",
    ] {
        check(&nested([hidden, "", "", absolute]));
    }
    // One that leads here again.
    check(&nested([
        foreign,
        "<BaseURL>http://edge.example^/vod/</BaseURL>",
        "",
        "<SegmentTemplate media=\"^/vod/$Number$.m4s\"/>",
    ]));
    // With alternatives it would be in both.
    let both = format!("<BaseURL>http://edge.example^/vod/</BaseURL>{foreign}");
    check_with_unknown(&nested([&both, "", "", absolute]), 1);
    // The manifest's own address is not changed by its bases.
    check(&mpd(&format!(
        "{foreign}<Location>^/vod/live.mpd</Location>"
    )));
}

#[test]
fn patches_and_parts_of_manifests() {
    check(
        "<Patch mpdId=\"a\"><add sel=\"/MPD/Period[1]\"><SegmentTemplate media=\"^/vod/$Time$\"/></add></Patch>",
    );
    check(
        "<Patch><replace sel=\"/MPD/BaseURL/text()\">http://edge.example^/vod/</replace></Patch>",
    );
    check(
        "<Patch><replace sel=\"/MPD/Location[1]\"><Location>^/vod/b.mpd</Location></replace></Patch>",
    );
    check(
        "<Patch><add sel=\"/MPD/Period/SegmentTemplate\" type=\"@media\">^/vod/$Time$</add></Patch>",
    );
    check(
        "<p:Patch xmlns:p=\"urn:mpeg:dash:schema:mpd-patch:2020\"><p:replace sel=\"/MPD/@publishTime\">/vod/</p:replace></p:Patch>",
    );
    check("<Period><BaseURL>^/vod/</BaseURL></Period>");
    check("<Period/><Period><BaseURL>^/vod/</BaseURL></Period>");
}

#[test]
fn the_rest_of_a_manifest_stays_as_it_is() {
    check(
        "\u{feff}<?xml version='1.0' encoding='utf-8'?>\r\n<!DOCTYPE MPD [<!ENTITY a \"b\">]>\r\n\
           <MPD\r\n\ta = 'b'><!-- /vod/ -->\r\n<BaseURL>^/vod/</BaseURL>\r\n&amp;<![CDATA[]]>\r\n</MPD >\r\n\r\n",
    );
    check(
        "<mpd:MPD xmlns:mpd=\"urn:mpeg:dash:schema:mpd:2011\"><mpd:BaseURL>^/vod/</mpd:BaseURL></mpd:MPD>",
    );
    check(
        "<MPD><BaseURL>^/vod/a?b&c=d</BaseURL></MPD>"
            .replace("a?b&c=d", "a?b=c")
            .as_str(),
    );
}

#[test]
fn what_is_not_well_formed_is_left_alone() {
    for body in [
        "<MPD><BaseURL>/vod/</BaseURL>",
        "<MPD><BaseURL>/vod/</MPD>",
        "<MPD><BaseURL>/vod/</BaseUrl></MPD>",
        "<MPD><BaseURL>/vod/</BaseURL></MPD></MPD>",
        "<MPD><SegmentTemplate media=\"/vod/></MPD>",
        "<MPD><SegmentTemplate media=/vod/ /></MPD>",
        "<MPD><!-- </MPD>",
        "<MPD><BaseURL>/vod/</BaseURL><![CDATA[</MPD>",
        "<MPD",
    ] {
        assert_eq!(
            rewritten(body.as_bytes()),
            Err(Unreadable::Malformed),
            "{body}"
        );
    }
    for body in [
        "<html><BaseURL>/vod/</BaseURL></html>",
        "<",
        "<>",
        "<SmoothStreamingMedia/>",
        "<!-- -->",
    ] {
        let found = rewritten(body.as_bytes());
        assert!(found.is_err(), "{body}: {found:?}");
    }
}

#[test]
fn a_manifest_has_as_many_alternatives_as_any() {
    let alternatives = |marked: &str, count: usize| {
        let all = (0..count).map(|n| format!("<BaseURL>{marked}/vod/{n}/</BaseURL>"));
        mpd(&all.collect::<String>())
    };
    for count in [1, 2, 50, 64] {
        check(&alternatives("^", count));
        check(&alternatives("http://edge.example^", count));
    }
    // Those at one other host are one.
    check(&alternatives("https://cdn.example", 1_000));
    let body = alternatives("", 65);
    assert_eq!(rewritten(body.as_bytes()), Err(Unreadable::TooComplex));
}

#[test]
fn services_locations_and_comments_are_no_part_of_a_url() {
    check(&mpd(
        "<BaseURL serviceLocation=\"/vod/a\" dvb:priority=\"1\">^/vod/a/</BaseURL>\
         <BaseURL serviceLocation=\"b\"><![CDATA[http://edge.example^/vod/b/]]></BaseURL>\
         <!-- <BaseURL>/vod/c/</BaseURL> --><Location>^/vod/film/next.mpd</Location>\
         <PatchLocation ttl=\"60\">^/vod/film/patch.mpp?a=1&amp;b=/vod/</PatchLocation>\
         <ContentSteering defaultServiceLocation=\"b\" queryBeforeStart=\"true\">http://edge.example^/vod/steering.json</ContentSteering>\
         <UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:http-iso:2014\" value=\"^/vod/time\"/>\
         <Period xlink:href=\"^/vod/period.xml\" xlink:actuate=\"onLoad\"/>",
    ));
}

#[test]
fn no_shape_of_a_manifest_takes_long_or_much() {
    let deep = format!("{}{}", "<Period>".repeat(100), "</Period>".repeat(100));
    let many = mpd(&"<Period/>".repeat(70_000));
    let alternatives =
        "<BaseURL>/vod/a/</BaseURL><BaseURL>/vod/b/</BaseURL><BaseURL>a/</BaseURL>".repeat(20);
    let alternatives = nested([&alternatives, &alternatives, &alternatives, TEMPLATE]);
    let leaves = "<SegmentURL media=\"vod/1.m4s\"/>".repeat(20_000);
    let representations: String = (0..20_000)
        .map(|number| format!("<Representation><BaseURL>{number}/</BaseURL></Representation>"))
        .collect();
    let product = mpd(&format!(
        "<BaseURL>/</BaseURL><Period><AdaptationSet><SegmentList>{leaves}</SegmentList>{representations}</AdaptationSet></Period>"
    ));
    for body in [deep, many, alternatives, product] {
        assert_eq!(rewritten(body.as_bytes()), Err(Unreadable::TooComplex));
    }
}
