//! From what an operator wrote to what the filter works with.

use core::num::NonZeroU32;
use core::ops::RangeInclusive;

use hashbrown::HashSet;

use super::limits::{
    MAX, NAME_MAX, PER_MINUTE, REFUSALS, SECRET_MIN, SLOTS, SPAN_MS, STREAMS, STREAMS_PER_SUBJECT,
    TOKEN_LIFETIME_MS,
};
use super::nearest::nearest;
use super::problem::{Problem, SHOWN};
use super::raw::{
    RawApplication, RawCompatibility, RawConfig, RawCount, RawKey, RawMessage, RawMode,
    RawOnConflict, RawOther, RawPlayback, RawPolicy, RawRule, RawSameDevice, RawSecret,
    RawSessions, RawStart, RawState, RawStreamCarrier, RawSubjectCarrier, RawTest, RawTokenPlace,
    RawValue, RawValues,
};
use super::{Compatibility, Config, PlaybackPath, Sessions, Start, StreamCarrier, SubjectCarrier};
use crate::ledger::Ledger;
use crate::policy::{
    Comparison, Condition, Count, Message, Mode, OnConflict, Policy, PolicyBook, Rule, Target, Test,
};
use crate::signed::{KeyRing, SigningKey};
use crate::subject::SubjectHasher;

/// Up to how many known names are listed for one that is not known.
const LISTED: usize = 10;

/// What a viewer is told where the rule says nothing of its own.
const DEFAULT_MESSAGE: &str = "Too many streams on this account";

/// Compiles a configuration.
///
/// # Errors
///
/// Every [`Problem`] found, not just the first.
pub fn compile(
    raw: RawConfig,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, Vec<Problem>> {
    let mut check = Check {
        problems: Vec::new(),
        env,
    };
    let sessions = check.sessions(&raw.sessions, raw.compatibility);
    let (slots, max_streams, per_subject) = check.state(&raw.state);
    let mut book = check.book(&raw.policies, &raw.applications, per_subject);
    book.calls_per_minute = raw.sessions.calls_per_minute;
    book.creates_per_minute = raw.sessions.creates_per_minute;
    let subject_key = check.secret("privacy.subject_key", &raw.privacy.subject_key);
    let timeout_ms = sessions.as_ref().map_or(*SPAN_MS.end(), |s| s.timeout_ms);
    let applications: HashSet<_> = raw.applications.iter().map(|one| one.id.as_str()).collect();
    let playback = raw.playback.iter().enumerate();
    let playback: Vec<_> = playback
        .map(|(at, path)| {
            let at = format!("playback[{at}]");
            check.playback(&at, path, &applications, timeout_ms)
        })
        .collect();

    match (sessions, check.problems.is_empty()) {
        (Some(sessions), true) => Ok(Config {
            ledger: Ledger {
                slots,
                max_streams,
                book,
            },
            sessions,
            hasher: SubjectHasher::new(subject_key.as_bytes()),
            playback,
        }),
        _ => Err(check.problems),
    }
}

/// Collects problems while reading on.
struct Check<'a> {
    problems: Vec<Problem>,
    env: &'a dyn Fn(&str) -> Option<String>,
}

impl Check<'_> {
    fn wrong(&mut self, path: &str, found: impl Into<String>, allowed: impl Into<String>) {
        self.problems.push(Problem {
            path: path.to_owned(),
            found: found.into(),
            allowed: allowed.into(),
        });
    }

    /// A name that is none of the `known`: the nearest is told, or all if they are few.
    fn unknown<'k>(
        &mut self,
        path: &str,
        found: &str,
        allowed: &str,
        known: impl ExactSizeIterator<Item = &'k str> + Clone,
    ) {
        // Nobody would see it, and looking for it takes its time.
        let unseen = self.problems.len() >= SHOWN;
        let near = (!unseen).then(|| nearest(found, known.clone())).flatten();
        let allowed = match near {
            Some(near) => format!("{allowed} (did you mean {}?)", quoted(near)),
            None if unseen || known.len() > LISTED => allowed.to_owned(),
            None => {
                let mut known: Vec<_> = known.map(quoted).collect();
                known.sort();
                format!("{allowed}: {}", known.join(", "))
            }
        };
        self.wrong(path, quoted(found), allowed);
    }

    fn state(&mut self, raw: &RawState) -> (NonZeroU32, u64, usize) {
        self.range("state.slots", raw.slots, SLOTS, "slots");
        self.range("state.max_streams", raw.max_streams, STREAMS, "streams");
        let per_subject = raw.max_streams_per_subject;
        self.range(
            "state.max_streams_per_subject",
            per_subject,
            STREAMS_PER_SUBJECT,
            "streams",
        );
        (
            NonZeroU32::new(raw.slots).unwrap_or(NonZeroU32::MIN),
            raw.max_streams,
            usize::try_from(per_subject).unwrap_or(usize::MAX),
        )
    }

    fn sessions(&mut self, raw: &RawSessions, compatibility: RawCompatibility) -> Option<Sessions> {
        for (name, calls) in [
            ("calls_per_minute", raw.calls_per_minute),
            ("creates_per_minute", raw.creates_per_minute),
        ] {
            self.range(&format!("sessions.{name}"), calls, PER_MINUTE, "calls");
        }
        let base_path = &raw.base_path;
        let path_like = base_path.starts_with('/') && !base_path.starts_with("/~");
        if !path_like || base_path.ends_with('/') || base_path.contains(['?', '#', '%']) {
            self.wrong(
                "sessions.base_path",
                quoted(base_path),
                "a path such as \"/v2\", with a slash in front and none at the end",
            );
        }
        let heartbeat = self.duration("sessions.heartbeat", &raw.heartbeat, SPAN_MS);
        let timeout = self.duration("sessions.timeout", &raw.timeout, SPAN_MS);
        if let (Some(heartbeat), Some(timeout)) = (heartbeat, timeout)
            && timeout <= heartbeat
        {
            self.wrong(
                "sessions.timeout",
                quoted(&raw.timeout),
                format!("longer than sessions.heartbeat ({})", raw.heartbeat),
            );
        }
        let lifetime = self.duration(
            "sessions.token_lifetime",
            &raw.token_lifetime,
            TOKEN_LIFETIME_MS,
        );
        let ring = self.ring(&raw.signing_keys);
        Some(Sessions {
            base_path: base_path.clone(),
            heartbeat_ms: heartbeat?,
            timeout_ms: timeout?,
            token_lifetime_ms: lifetime?,
            ring: ring?,
            compatibility: match compatibility {
                RawCompatibility::Streamgate => Compatibility::Streamgate,
                RawCompatibility::CmV2 => Compatibility::CmV2,
            },
        })
    }

    fn ring(&mut self, raw: &[RawKey]) -> Option<KeyRing> {
        let mut keys = Vec::with_capacity(raw.len());
        let mut seen = HashSet::new();
        for (at, key) in raw.iter().enumerate() {
            let path = format!("sessions.signing_keys[{at}]");
            self.name(&format!("{path}.id"), &key.id);
            self.unique(&format!("{path}.id"), &key.id, &mut seen);
            let secret = self.secret(&format!("{path}.secret"), &key.secret);
            keys.push(SigningKey::new(&key.id, secret.as_bytes()));
        }
        let mut keys = keys.into_iter();
        let Some(first) = keys.next() else {
            self.wrong("sessions.signing_keys", "none", "one key or more");
            return None;
        };
        Some(KeyRing::new(first, keys.collect()))
    }

    fn book(
        &mut self,
        policies: &[RawPolicy],
        applications: &[RawApplication],
        max_streams_per_subject: usize,
    ) -> PolicyBook {
        let mut book = PolicyBook::new(max_streams_per_subject);
        let mut names = HashSet::new();
        for (at, policy) in policies.iter().enumerate() {
            let path = format!("policies[{at}]");
            self.name(&format!("{path}.name"), &policy.name);
            self.unique(&format!("{path}.name"), &policy.name, &mut names);
            let policy = self.policy(&path, policy);
            book.add_policy(policy);
        }
        if applications.is_empty() {
            self.wrong("applications", "none", "one application or more");
        }
        let mut seen = HashSet::new();
        for (at, application) in applications.iter().enumerate() {
            let path = format!("applications[{at}]");
            self.name(&format!("{path}.id"), &application.id);
            self.unique(&format!("{path}.id"), &application.id, &mut seen);
            if application.id.contains(':') {
                self.wrong(
                    &format!("{path}.id"),
                    quoted(&application.id),
                    "an id without \":\" (it is an HTTP Basic user name)",
                );
            }
            let RawApplication {
                id, name, tenant, ..
            } = application;
            let name = name.as_ref().unwrap_or(id);
            let mut listed = HashSet::new();
            for (at, policy) in application.policies.iter().enumerate() {
                let path = format!("{path}.policies[{at}]");
                self.unique(&path, policy, &mut listed);
                if !names.contains(policy.as_str()) {
                    let known = policies.iter().map(|policy| policy.name.as_str());
                    self.unknown(&path, policy, "the name of a policy", known);
                }
            }
            // What it does not know has just been told.
            let _ = book.add_application(id, name, tenant, &application.policies);
        }
        book
    }

    fn policy(&mut self, path: &str, raw: &RawPolicy) -> Policy {
        if raw.rules.is_empty() {
            self.wrong(&format!("{path}.rules"), "none", "one rule or more");
        }
        let mut seen = HashSet::new();
        let mut rules = Vec::with_capacity(raw.rules.len());
        for (at, rule) in raw.rules.iter().enumerate() {
            let path = format!("{path}.rules[{at}]");
            self.unique(&format!("{path}.name"), &rule.name, &mut seen);
            rules.push(self.rule(&path, rule));
        }
        Policy {
            name: raw.name.clone(),
            mode: match raw.mode {
                RawMode::Enforce => Mode::Enforce,
                RawMode::Monitor => Mode::Monitor,
            },
            rules,
        }
    }

    fn rule(&mut self, path: &str, raw: &RawRule) -> Rule {
        self.name(&format!("{path}.name"), &raw.name);
        self.range(&format!("{path}.max"), raw.max, MAX, "streams");
        let count = match &raw.count {
            RawCount::Streams => Count::Streams,
            RawCount::Distinct(attribute) => {
                self.name(&format!("{path}.count.distinct"), attribute);
                Count::Distinct(attribute.clone())
            }
        };
        for (at, attribute) in raw.per.iter().enumerate() {
            self.name(&format!("{path}.per[{at}]"), attribute);
        }
        let conditions = raw.when.iter().map(|(attribute, test)| {
            self.name(&format!("{path}.when"), attribute);
            Condition {
                attribute: attribute.clone(),
                test: compiled_test(test),
            }
        });
        Rule {
            name: raw.name.clone(),
            max: raw.max,
            per: raw.per.clone(),
            target: Target(conditions.collect()),
            on_conflict: match raw.on_conflict {
                RawOnConflict::DenyNew => OnConflict::DenyNew,
                RawOnConflict::StopOldest => OnConflict::StopOldest,
            },
            same_device_replaces: match raw.same_device {
                Some(RawSameDevice::Replace) => true,
                Some(RawSameDevice::Count) => false,
                None => count == Count::Streams,
            },
            count,
            message: self.message(&format!("{path}.message"), raw.message.as_ref()),
        }
    }

    fn message(&mut self, path: &str, raw: Option<&RawMessage>) -> Message {
        let texts = match raw {
            None => return Message::plain(DEFAULT_MESSAGE),
            Some(RawMessage::Text(text)) => return Message::plain(text),
            Some(RawMessage::ByLanguage(texts)) => texts,
        };
        let mut texts: Vec<_> = texts.clone().into_iter().collect();
        // Whoever reads none of the languages is told in English, where there is one.
        texts.sort_by_key(|(tag, _)| tag != "en");
        Message::by_language(texts).unwrap_or_else(|| {
            self.wrong(path, "no language", "one text or more, by language tag");
            Message::plain(DEFAULT_MESSAGE)
        })
    }

    fn playback(
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
            RawStreamCarrier::Cmcd(super::raw::RawCmcdKey::Sid) => StreamCarrier::CmcdSid,
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

    fn secret(&mut self, path: &str, raw: &RawSecret) -> String {
        let (path, secret) = match raw {
            RawSecret::Inline(secret) => (path.to_owned(), secret.clone()),
            RawSecret::Environment(from) => {
                let path = format!("{path}.env");
                let Some(secret) = (self.env)(&from.env) else {
                    self.wrong(
                        &path,
                        format!("{}, which is not set for this VM", quoted(&from.env)),
                        "a variable named in vm_config.environment_variables",
                    );
                    return String::new();
                };
                (path, secret)
            }
        };
        if secret.len() < SECRET_MIN {
            self.wrong(
                &path,
                format!("a secret of {} bytes", secret.len()),
                format!("{SECRET_MIN} bytes or more"),
            );
        }
        secret
    }

    fn duration(&mut self, path: &str, text: &str, range: RangeInclusive<u64>) -> Option<u64> {
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
                    quoted(text),
                    format!("a duration such as \"90s\", {least} to {most}"),
                );
                None
            }
        }
    }

    fn range<T: PartialOrd + core::fmt::Display>(
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

    fn name(&mut self, path: &str, name: &str) {
        if name.is_empty() || name.len() > NAME_MAX || name.chars().any(char::is_control) {
            let allowed = format!("1 to {NAME_MAX} bytes without control characters");
            self.wrong(path, quoted(name), allowed);
        }
    }

    fn unique<'n>(&mut self, path: &str, name: &'n str, seen: &mut HashSet<&'n str>) {
        if !seen.insert(name) {
            let found = format!("{} a second time", quoted(name));
            self.wrong(path, found, "a name not used before");
        }
    }
}

fn compiled_test(raw: &RawTest) -> Test {
    let texts = |values: &[RawValue]| values.iter().map(text).collect();
    match raw {
        RawTest::Equals(value) => Test::AnyOf(vec![text(value)]),
        RawTest::AnyOf(values) => Test::AnyOf(texts(values)),
        RawTest::Other(other) => match other {
            RawOther::Not(RawValues::One(value)) => Test::NoneOf(vec![text(value)]),
            RawOther::Not(RawValues::Several(values)) => Test::NoneOf(texts(values)),
            RawOther::Present(wanted) => Test::Present(*wanted),
            RawOther::AtLeast(bound) => Test::Number(Comparison::AtLeast, *bound),
            RawOther::AtMost(bound) => Test::Number(Comparison::AtMost, *bound),
            RawOther::Above(bound) => Test::Number(Comparison::Above, *bound),
            RawOther::Below(bound) => Test::Number(Comparison::Below, *bound),
        },
    }
}

fn text(value: &RawValue) -> String {
    match value {
        RawValue::Text(text) => text.clone(),
        RawValue::Truth(truth) => truth.to_string(),
        RawValue::Number(number) => number.to_string(),
    }
}

/// In quotes, escaped, and cut so that a huge value does not flood the log.
fn quoted(text: &str) -> String {
    let short: String = text.chars().take(80).collect();
    format!("{short:?}")
}
