//! Collecting what is wrong, and the checks that every part shares.

use core::ops::RangeInclusive;

use streamgate_values::hash::HashSet;
use streamgate_values::path::Reading;
use streamgate_values::sorted::sorted_by_key;

use super::super::limits::{ATTRIBUTE_NAME_MAX, NAME_MAX, SECRET_MIN};
use super::super::nearest::nearest;
use super::super::parse::Gaps;
use super::super::problem::{Problem, SHOWN};
use super::super::raw::RawSecret;
use super::super::secrecy::may_show_text;
use crate::refusal::advice::SUPERSEDED;

/// Up to how many known names are listed for one that is not known.
const LISTED: usize = 10;

/// Collects problems while reading on.
pub(super) struct Check<'a> {
    pub(super) problems: Vec<Problem>,
    /// What could not be read.
    pub(super) gaps: &'a Gaps,
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
}

impl Check<'_> {
    pub(super) fn wrong(
        &mut self,
        path: &str,
        found: impl Into<String>,
        allowed: impl Into<String>,
    ) {
        // What could not be read is told already.
        if self.gaps.spare(path) {
            let problem = Problem::new(path, &found.into(), &allowed.into());
            self.problems.push(problem);
        }
    }

    /// A name that is none of the `known`: the nearest is told, or all if they are few.
    pub(super) fn unknown<'k>(
        &mut self,
        path: &str,
        found: &str,
        allowed: &str,
        known: impl ExactSizeIterator<Item = &'k str> + Clone,
    ) {
        // It may be one that could not be read.
        if !self.gaps.spare_names() {
            return;
        }
        // Nobody would see it, and looking for it takes its time.
        let unseen = self.problems.len() >= SHOWN;
        let near = (!unseen).then(|| nearest(found, known.clone())).flatten();
        let allowed = match near {
            Some(near) => format!("{allowed} (did you mean {}?)", quoted(near)),
            None if unseen || known.len() > LISTED => allowed.to_owned(),
            None => {
                let known = sorted_by_key(known, |name| *name);
                let known: Vec<_> = known.into_iter().map(quoted).collect();
                format!("{allowed}: {}", known.join(", "))
            }
        };
        self.wrong(path, quoted(found), allowed);
    }

    pub(super) fn secret(&mut self, path: &str, raw: &RawSecret) -> String {
        let Some((path, secret)) = self.secret_text(path, raw) else {
            return String::new();
        };
        self.long_enough(&path, secret.as_bytes(), SECRET_MIN);
        secret
    }

    /// A secret, and the path of where it stands; `None` after a problem.
    pub(super) fn secret_text(&mut self, path: &str, raw: &RawSecret) -> Option<(String, String)> {
        match raw {
            RawSecret::Inline(secret) => Some((path.to_owned(), secret.clone())),
            RawSecret::Environment(from) => {
                let path = field(path, "env");
                let Some(secret) = (self.env)(&from.env) else {
                    // Whether Envoy was told to pass it on cannot be seen from here. Its name
                    // is not repeated: it may be the secret itself.
                    self.wrong(
                        &path,
                        "the name of a variable that has no value in this VM",
                        "one that vm_config.environment_variables passes on and that has a value \
                         in Envoy's own environment",
                    );
                    return None;
                };
                Some((path, secret))
            }
        }
    }

    pub(super) fn long_enough(&mut self, path: &str, secret: &[u8], min: usize) {
        if secret.len() < min {
            self.wrong(
                path,
                format!("a secret of {} bytes", secret.len()),
                format!("{min} bytes or more"),
            );
        }
    }

    pub(super) fn duration(
        &mut self,
        path: &str,
        text: &str,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        let parsed = humantime::parse_duration(text).ok();
        let ms = parsed.and_then(|duration| u64::try_from(duration.as_millis()).ok());
        match ms.filter(|ms| range.contains(ms)) {
            Some(ms) => Some(ms),
            None => {
                let show = |ms: &u64| {
                    humantime::format_duration(core::time::Duration::from_millis(*ms)).to_string()
                };
                let (least, most) = (show(range.start()), show(range.end()));
                self.wrong(
                    path,
                    shown(path, text),
                    format!("a duration such as \"90s\", {least} to {most}"),
                );
                None
            }
        }
    }

    pub(super) fn range<T: PartialOrd + core::fmt::Display>(
        &mut self,
        path: &str,
        found: T,
        range: RangeInclusive<T>,
        unit: &str,
    ) {
        if !range.contains(&found) {
            let allowed = format!("{} to {} {unit}", range.start(), range.end());
            self.wrong(path, found.to_string(), allowed);
        }
    }

    #[inline(never)]
    pub(super) fn name(&mut self, path: &str, name: &str) {
        self.text(path, name, 1..=NAME_MAX);
    }

    #[inline(never)]
    pub(super) fn text(&mut self, path: &str, text: &str, lengths: RangeInclusive<usize>) {
        if !lengths.contains(&text.len()) || text.chars().any(char::is_control) {
            let (least, most) = lengths.into_inner();
            let allowed = format!("{least} to {most} bytes without control characters");
            self.wrong(path, shown(path, text), allowed);
        }
    }

    /// The name of an attribute, other than the one that the session API gives itself.
    #[inline(never)]
    pub(super) fn attribute(&mut self, path: &str, name: &str) {
        self.text(path, name, 1..=ATTRIBUTE_NAME_MAX);
        if name == SUPERSEDED {
            self.wrong(
                path,
                quoted(name),
                "a name that the session API does not give itself",
            );
        }
    }

    pub(super) fn unique<'n>(&mut self, path: &str, name: &'n str, seen: &mut HashSet<&'n str>) {
        if !seen.insert(name) {
            let found = format!("{} a second time", shown(path, name));
            self.wrong(path, found, "a name not used before");
        }
    }
}

/// A text that is wrong, unless it may be a secret in the wrong place.
pub(super) fn shown(path: &str, text: &str) -> String {
    if may_show_text(path, text) {
        quoted(text)
    } else {
        format!("a text of {} bytes", text.len())
    }
}

/// Whether a path is one that requests are compared with: they are as they are read, so what
/// reads as another, or as none, fits none.
pub(super) fn reads_as_written(path: &str) -> bool {
    let reads_so = Reading::of(path.as_bytes()).is_ok_and(|read| *read == *path.as_bytes());
    reads_so && path.starts_with('/') && !path.starts_with("/~") && !path.contains(['?', '#', '%'])
}

/// In quotes, escaped, and cut so that a huge value does not flood the log.
pub(super) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(80).collect();
    format!("{short:?}")
}

/// The path of a field.
#[inline(never)]
pub(super) fn field(path: &str, name: &str) -> String {
    [path, ".", name].concat()
}

/// The path of an item of a list, the first being 0.
#[inline(never)]
pub(super) fn item(path: &str, at: usize) -> String {
    format!("{path}[{at}]")
}
