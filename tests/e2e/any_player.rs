//! The shipped files that promise to do for any player: one that asks for segments at the
//! address it was given, and goes by cookies, plays with them.

use streamgate_tests::{Edge, Settings, project, sample};

const DASH: &str = "/vod/sample/manifest.mpd";

/// Where an operator lets a redirect tell playbacks apart, there is a cookie for those who do
/// not resolve against it.
#[test]
fn every_shipped_redirect_comes_with_a_cookie() {
    let mut seen = 0;
    for file in std::fs::read_dir(project().join("envoy")).expect("a directory") {
        let path = file.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("text");
        if text.contains("{redirect: true}") {
            for carriers in ["subject: [", "stream: ["] {
                let line = text.lines().find(|line| line.trim().starts_with(carriers));
                let line = line.expect("carriers");
                assert!(line.contains("{token: {cookie: "), "{}", path.display());
            }
            seen += 1;
        }
    }
    assert!(seen >= 7, "{seen}");
}

#[test]
fn a_dash_player_plays_with_the_smallest_configuration() {
    let edge = Edge::start(Settings::shipped("smallest.yaml").serving(sample()));
    for starts in 1..=3 {
        let mut player = edge.ffmpeg(DASH, &[("x-account-id", "alice")]);
        player.assert_plays();
        // Whatever it asks for, and whether it is still there: one playback each.
        assert_eq!(edge.metric("starts"), starts);
        player.kill();
    }
    let mut fourth = edge.ffmpeg(DASH, &[("x-account-id", "alice")]);
    assert!(!fourth.ends_well());
    assert!(fourth.output().contains("403"), "{}", fourth.output());
    assert!(edge.origin.paths().iter().all(|path| !path.contains('~')));
}
