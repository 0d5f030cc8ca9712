//! What paths are for, and which are left out.

use super::super::limits::{PATTERN_MAX, PATTERNS_MAX};
use super::super::raw::{RawClasses, RawPattern};
use super::check::{Check, field, item, quoted};
use crate::playback::{Class, Classes, PathPattern, PathPatterns, PatternError, may_fit_below};

impl Check<'_> {
    pub(super) fn classes(&mut self, path: &str, raw: &RawClasses, prefix: &str) -> Classes {
        let lists = Class::ALL.map(|class| {
            let (name, patterns) = match class {
                Class::Manifest => ("manifest", &raw.manifest),
                Class::Init => ("init", &raw.init),
                Class::Key => ("key", &raw.key),
                Class::Side => ("side", &raw.side),
                Class::Media => ("media", &raw.media),
            };
            (class, self.patterns(&field(path, name), patterns, prefix))
        });
        Classes::new(lists)
    }

    /// Patterns over paths that begin with `prefix`.
    pub(super) fn patterns(
        &mut self,
        path: &str,
        raw: &[RawPattern],
        prefix: &str,
    ) -> PathPatterns {
        if raw.len() > PATTERNS_MAX {
            let found = format!("{} patterns", raw.len());
            self.wrong(path, found, format!("up to {PATTERNS_MAX}"));
        }
        let compile = |(at, raw): (usize, &RawPattern)| {
            let path = item(path, at);
            let pattern = self.pattern(&path, &raw.0)?;
            self.reaches(&path, &raw.0, false, prefix);
            Some(pattern)
        };
        raw.iter().enumerate().filter_map(compile).collect()
    }

    /// What fits no path that comes here would be written in vain.
    pub(super) fn reaches(&mut self, path: &str, text: &str, is_template: bool, prefix: &str) {
        if !may_fit_below(text, is_template, prefix) {
            let allowed = format!("one that fits paths below {}", quoted(prefix));
            self.wrong(path, quoted(text), allowed);
        }
    }

    fn pattern(&mut self, path: &str, text: &str) -> Option<PathPattern> {
        if text.is_empty() || text.len() > PATTERN_MAX {
            let found = format!("a pattern of {} bytes", text.len());
            self.wrong(path, found, format!("1 to {PATTERN_MAX} bytes"));
            return None;
        }
        match PathPattern::parse(text) {
            Ok(pattern) => Some(pattern),
            Err(error) => {
                let allowed = match error {
                    PatternError::Start => "a pattern that begins with \"/\" or \"**/\"".to_owned(),
                    PatternError::DoubleStar => {
                        "`**` as a segment of its own, such as in \"/vod/**/*.bin\"".to_owned()
                    }
                    PatternError::Character(char) => format!(
                        "a pattern without {char:?}: `*` and `**` are special, alternatives are \
                         patterns of their own, query and percent-encoding are not seen"
                    ),
                };
                self.wrong(path, quoted(text), allowed);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use streamgate_values::path::Reading;

    use super::super::super::parse::Gaps;
    use super::super::super::problem::Problem;
    use super::*;
    use crate::playback::Exclusions;
    use crate::testing::test;

    fn check<T>(compile: impl FnOnce(&mut Check<'_>) -> T) -> (T, Vec<String>) {
        let mut check = Check {
            problems: Vec::new(),
            gaps: &Gaps::default(),
            env: &|_| None,
        };
        let compiled = compile(&mut check);
        let said = check.problems.iter().map(Problem::to_string).collect();
        (compiled, said)
    }

    fn raw(json: serde_json::Value) -> RawClasses {
        serde_json::from_value(json).unwrap()
    }

    fn patterns<T: ToString>(texts: &[T]) -> (PathPatterns, Vec<String>) {
        let raw: Vec<_> = texts
            .iter()
            .map(|text| RawPattern(text.to_string()))
            .collect();
        check(|check| check.patterns("p", &raw, "/"))
    }

    /// What has no reading is answered before anybody asks.
    fn classify(classes: &Classes, path: &str) -> Class {
        Reading::of(path.as_bytes()).map_or(Class::Media, |path| classes.classify(&path))
    }

    fn hold(exclusions: &Exclusions, path: &str) -> bool {
        Reading::of(path.as_bytes()).is_ok_and(|path| exclusions.hold(&path))
    }

    #[test]
    fn patterns_come_before_names_in_the_order_of_the_classes() {
        let raw = raw(json!({
            "media": ["**/*.bin", "/vod/odd/**", "**/*.M3U8"],
            "manifest": ["**/playlist"],
            "key": ["/keys/**"],
            "side": ["/vod/odd/*.txt"],
            "init": [],
        }));
        let (classes, said) = check(|check| check.classes("playback[0].classes", &raw, "/"));
        assert_eq!(said, [""; 0]);
        for (class, path) in [
            (Class::Manifest, "/vod/a/playlist?x=1"),
            (Class::Manifest, "/vod/a/PLAYLIST"),
            (Class::Manifest, "/vod/a/play%6Cist"),
            (Class::Manifest, "/playlist"),
            (Class::Manifest, "/keys/playlist"),
            (Class::Key, "/keys/1"),
            (Class::Key, "/KEYS/a/b.ts"),
            (Class::Key, "//keys//1"),
            (Class::Side, "/vod/odd/a.txt"),
            (Class::Media, "/vod/odd/b/a.txt"),
            (Class::Media, "/vod/odd/master.mpd"),
            (Class::Media, "/vod/key.bin"),
            // An operator's word goes before the names.
            (Class::Media, "/vod/x.m3u8"),
            (Class::Manifest, "/vod/x.mpd"),
        ] {
            assert_eq!(classify(&classes, path), class, "{path}");
        }
    }

    #[test]
    fn no_spelling_carries_media_under_a_pattern() {
        let raw = raw(json!({"key": ["/keys/**"], "manifest": ["**/playlist"]}));
        let (classes, said) = check(|check| check.classes("classes", &raw, "/"));
        assert_eq!(said, [""; 0]);
        for path in [
            "/keys/../vod/1.ts",
            "/keys/%2e%2e/vod/1.ts",
            "/keys/..%2fvod/1.ts",
            "/keys/..;/vod/1.ts",
            "/keys\\..\\vod\\1.ts",
            "/vod/1.ts;/playlist",
            "/vod/1.ts%3b%2fplaylist",
            "/vod/1.ts%00/playlist",
            "/vod/1.ts?/playlist",
            "/vod/1.ts#/playlist",
        ] {
            assert_eq!(classify(&classes, path), Class::Media, "{path}");
        }
    }

    #[test]
    fn only_plain_paths_are_left_out() {
        let (patterns, said) = patterns(&["/vod/ads/**", "**/slate.ts"]);
        assert_eq!(said, [""; 0]);
        let exclusions = Exclusions::from(patterns);
        for path in [
            "/vod/ads/1.ts",
            "/vod/ads/a/b.m3u8?x",
            "/VOD/%61ds/1.ts",
            "/vod//ads/1.ts",
            "/vod/film/slate.ts",
        ] {
            assert!(hold(&exclusions, path), "{path}");
        }
        for path in [
            "/vod/film/1.ts",
            "/vod/film/1.ts?/vod/ads/",
            "/vod/ads",
            "/vod/adsx/1.ts",
            "/x/vod/ads/1.ts",
            "/vod/ads/../film/1.ts",
            "/vod/ads/%2E%2e/film/1.ts",
            "/vod/ads/..%2ffilm/1.ts",
            "/vod/ads/..;x=1/film/1.ts",
            "/vod/ads\\..\\film/1.ts",
            "/vod/film/1.ts%23/slate.ts",
            "/vod/film/1.ts%00slate.ts",
            "/vod/ads/%zz",
        ] {
            assert!(!hold(&exclusions, path), "{path}");
        }
        assert!(!hold(&Exclusions::default(), "/vod/ads/1.ts"));
    }

    #[test]
    fn every_wrong_pattern_is_told() {
        let texts = [
            "", "*.bin", "vod/**", "**.bin", "/a**/b", "/k?id=*", "/%61", "/{a,b}", "/a\\b", "!/a",
            "/**/x**", "/ok/**",
        ];
        let (compiled, said) = patterns(&texts);
        let start = "allowed is a pattern that begins with \"/\" or \"**/\"";
        let double = "allowed is `**` as a segment of its own, such as in \"/vod/**/*.bin\"";
        let character = |char: &str| {
            format!(
                "allowed is a pattern without {char}: `*` and `**` are special, alternatives are \
                 patterns of their own, query and percent-encoding are not seen"
            )
        };
        assert_eq!(
            said,
            [
                "p[0]: found a pattern of 0 bytes, allowed is 1 to 256 bytes".to_owned(),
                format!("p[1]: found \"*.bin\", {start}"),
                format!("p[2]: found \"vod/**\", {start}"),
                format!("p[3]: found \"**.bin\", {start}"),
                format!("p[4]: found \"/a**/b\", {double}"),
                format!("p[5]: found \"/k?id=*\", {}", character("'?'")),
                format!("p[6]: found \"/%61\", {}", character("'%'")),
                format!("p[7]: found \"/{{a,b}}\", {}", character("'{'")),
                format!("p[8]: found \"/a\\\\b\", {}", character("'\\\\'")),
                format!("p[9]: found \"!/a\", {start}"),
                format!("p[10]: found \"/**/x**\", {double}"),
            ]
        );
        assert_eq!(
            compiled,
            [PathPattern::parse("/ok/**").unwrap()]
                .into_iter()
                .collect()
        );
    }

    #[test]
    fn patterns_are_bounded() {
        let (_, said) = patterns(&[format!("/{}", "x".repeat(256))]);
        assert_eq!(
            said,
            ["p[0]: found a pattern of 257 bytes, allowed is 1 to 256 bytes"]
        );
        let (_, said) = patterns(&["/x"; 33]);
        assert_eq!(said, ["p: found 33 patterns, allowed is up to 32"]);
    }

    #[test]
    fn unknown_classes_are_refused() {
        let error = serde_json::from_value::<RawClasses>(json!({"video": []})).unwrap_err();
        assert!(error.to_string().starts_with("unknown field `video`"));
    }
}
