//! Protected paths.

use hashbrown::HashSet;

use super::super::limits::{REFUSALS, SPAN_MS};
use super::super::raw::{
    RawCmcdKey, RawPlayback, RawStart, RawStreamCarrier, RawSubjectCarrier, RawTokenPlace,
};
use super::super::{PlaybackPath, Start, StreamCarrier, SubjectCarrier};
use super::check::{Check, quoted};

impl Check<'_> {
    pub(super) fn playback(
        &mut self,
        path: &str,
        raw: &RawPlayback,
        applications: &HashSet<&str>,
        default_timeout_ms: u64,
    ) -> PlaybackPath {
        let prefix = &raw.matches.prefix;
        if !prefix.starts_with('/') || prefix.starts_with("/~") || prefix.contains(['?', '#', '%'])
        {
            self.wrong(
                &format!("{path}.match.prefix"),
                quoted(prefix),
                "a path prefix such as \"/vod/\", without percent-encoding",
            );
        }
        if !applications.contains(raw.application.as_str()) {
            self.unknown(
                &format!("{path}.application"),
                &raw.application,
                "the id of a configured application",
                applications.iter().copied(),
            );
        }
        if !REFUSALS.contains(&raw.refuse.status) {
            self.wrong(
                &format!("{path}.refuse.status"),
                raw.refuse.status.to_string(),
                "403, 409 or 410",
            );
        }
        let timeout_ms = match &raw.timeout {
            Some(timeout) => self.duration(&format!("{path}.timeout"), timeout, SPAN_MS),
            None => None,
        };
        PlaybackPath {
            prefix: prefix.clone(),
            application: raw.application.clone(),
            idp: raw.idp.clone(),
            start: match raw.start {
                RawStart::Implicit => Start::Implicit,
                RawStart::SessionRequired => Start::SessionRequired,
            },
            subject: self.subject_carriers(&format!("{path}.subject"), &raw.subject),
            stream: self.stream_carriers(&format!("{path}.stream"), &raw.stream),
            refuse_status: raw.refuse.status,
            timeout_ms: timeout_ms.unwrap_or(default_timeout_ms),
        }
    }

    fn subject_carriers(&mut self, path: &str, raw: &[RawSubjectCarrier]) -> Vec<SubjectCarrier> {
        if raw.is_empty() {
            self.wrong(path, "none", "one carrier or more");
        }
        let compile = |(at, carrier): (usize, &RawSubjectCarrier)| match carrier {
            RawSubjectCarrier::Token(RawTokenPlace::Path) => SubjectCarrier::PathToken,
            RawSubjectCarrier::Header(name) => {
                SubjectCarrier::Header(self.header(&format!("{path}[{at}].header"), name))
            }
        };
        raw.iter().enumerate().map(compile).collect()
    }

    fn stream_carriers(&mut self, path: &str, raw: &[RawStreamCarrier]) -> Vec<StreamCarrier> {
        if raw.is_empty() {
            self.wrong(path, "none", "one carrier or more");
        }
        let compile = |(at, carrier): (usize, &RawStreamCarrier)| match carrier {
            RawStreamCarrier::Token(RawTokenPlace::Path) => StreamCarrier::PathToken,
            RawStreamCarrier::Header(name) => {
                StreamCarrier::Header(self.header(&format!("{path}[{at}].header"), name))
            }
            RawStreamCarrier::Cmcd(RawCmcdKey::Sid) => StreamCarrier::CmcdSid,
            RawStreamCarrier::Redirect(on) => {
                if !on {
                    let path = format!("{path}[{at}].redirect");
                    self.wrong(
                        &path,
                        "false",
                        "true; leave the carrier out to switch it off",
                    );
                }
                StreamCarrier::Redirect
            }
        };
        let carriers: Vec<_> = raw.iter().enumerate().map(compile).collect();
        let redirects = carriers.contains(&StreamCarrier::Redirect);
        if redirects && !carriers.contains(&StreamCarrier::PathToken) {
            self.wrong(
                path,
                "redirect without {token: path}",
                "both: the redirect leads to a path token",
            );
        }
        carriers
    }

    fn header(&mut self, path: &str, name: &str) -> String {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) {
            self.wrong(path, quoted(name), "a header name");
        }
        name.to_ascii_lowercase()
    }
}
