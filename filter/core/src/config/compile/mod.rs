//! From what an operator wrote to what the filter works with.

mod action;
mod cat;
mod check;
mod classes;
mod fleet;
mod operator;
mod playback;
mod policies;
mod session_api;

use core::num::NonZeroU32;

use streamgate_bytes::begins_with_any_case;
use streamgate_record::Records;
use streamgate_tokens::signed::{KeyRing, SigningKey};
use streamgate_values::hash::HashSet;
use streamgate_values::subject::SubjectHasher;

use self::check::{Check, field, item, quoted, reads_as_written};
use super::limits::{
    ATTRIBUTE_BYTES, LEEWAY_MS, PER_MINUTE, SLOTS, SPAN_MS, STREAMS, STREAMS_PER_SUBJECT,
    TOKEN_LIFETIME_MS,
};
use super::parse::Parsed;
use super::problem::Problem;
use super::raw::{BASE_PATH, CALLS_PER_MINUTE, RawKey, RawReferer, RawSessions, RawState};
use super::{Compatibility, Config, PlaybackPath, Sessions};
use crate::config::Credentials;
use crate::request::surface::{Surface, surface};

/// Compiles a configuration.
///
/// # Errors
///
/// Every [`Problem`] found, not just the first: those of reading it among them.
pub fn compile(
    parsed: Parsed,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, Vec<Problem>> {
    let Parsed {
        raw,
        problems,
        gaps,
        written,
    } = parsed;
    let mut check = Check {
        problems,
        gaps: &gaps,
        env,
    };
    let sessions = check.sessions(&raw.sessions, raw.compatibility);
    let (slots, max_streams, per_subject) = check.state(&raw.state);
    let mut book = check.book(&raw.policies, &raw.applications, per_subject);
    book.max_attribute_bytes = usize::try_from(raw.state.max_attribute_bytes).unwrap_or(usize::MAX);
    book.calls_per_minute = raw.sessions.calls_per_minute.unwrap_or(CALLS_PER_MINUTE);
    book.creates_per_minute = raw.sessions.creates_per_minute.unwrap_or(CALLS_PER_MINUTE);
    book.sessions_have_players = matches!(raw.compatibility, Compatibility::CmV2);
    let subject_key = check.secret("privacy.subject_key", &raw.privacy.subject_key);
    let hasher = SubjectHasher::new(subject_key.as_bytes());
    let fingerprint = written.map_or_else(String::new, |written| hasher.configuration(&written));
    let session_api = check.session_api(&raw, &hasher);
    let operator = raw.operator.as_ref();
    let operator = operator.map(|operator| check.operator(operator, &hasher));
    check.name("jwt.payload_in_metadata", &raw.jwt.payload_in_metadata);
    let jwt_leeway_ms = check.duration("jwt.leeway", &raw.jwt.leeway, LEEWAY_MS);
    let timeout_ms = sessions.as_ref().map_or(*SPAN_MS.end(), |s| s.timeout_ms);
    let applications: HashSet<_> = raw.applications.iter().map(|one| one.id.as_str()).collect();
    let cat = raw.cat.as_ref().and_then(|cat| check.cat(cat));
    let playback = raw.playback.iter().enumerate();
    let playback: Vec<_> = playback
        .map(|(at, path)| {
            let at = item("playback", at);
            let mut path = check.playback(&at, path, &applications, timeout_ms);
            path.credentials = Credentials::of(&path, cat.as_ref());
            path.credentials.referer &= matches!(raw.referer, RawReferer::Filter);
            path
        })
        .collect();

    let api_path = sessions.as_ref().filter(|_| raw.session_api.is_some());
    let api_path = api_path.map(|sessions| sessions.base_path.as_str());
    for (at, path) in playback.iter().enumerate() {
        if let Some(api_path) = api_path
            && begins_with_any_case(path.prefix.as_bytes(), api_path.as_bytes())
            && matches!(
                path.prefix.as_bytes().get(api_path.len()),
                None | Some(b'/')
            )
        {
            check.wrong(
                &format!("{}.match.prefix", item("playback", at)),
                quoted(&path.prefix),
                format!("one that is not below {api_path:?}, where the session API is"),
            );
        }
        let is_before = |other: &PlaybackPath| path.prefix.starts_with(&other.prefix);
        if let Some(first) = playback.iter().take(at).position(is_before) {
            check.wrong(
                &format!("{}.match.prefix", item("playback", at)),
                quoted(&path.prefix),
                format!(
                    "one that does not begin with that of {}, which stands before it and \
                     applies to all its paths",
                    item("playback", first)
                ),
            );
        }
        let is_like = |other: &PlaybackPath| {
            other.prefix != path.prefix && other.prefix.eq_ignore_ascii_case(&path.prefix)
        };
        if let Some(first) = playback.iter().take(at).position(is_like) {
            check.wrong(
                &format!("{}.match.prefix", item("playback", at)),
                quoted(&path.prefix),
                format!(
                    "one that differs from that of {} in more than case: a path is protected \
                     in whatever case",
                    item("playback", first)
                ),
            );
        }
        if raw.cat.is_none() && path.reads_cat() {
            let path = item("playback", at);
            check.wrong(
                &path,
                "a carrier {cat: …} without `cat`",
                "both: `cat` says whose tokens are good",
            );
        }
    }

    let timeouts = playback.iter().map(|path| path.timeout_ms);
    book.longest_timeout_ms = match operator {
        // Paths, which the door does not know, have timeouts of their own.
        Some(_) => *SPAN_MS.end(),
        None => timeouts.clone().fold(timeout_ms, u64::max),
    };
    let shortest_timeout_ms = timeouts.fold(timeout_ms, u64::min);
    let fleet = raw.fleet.as_ref();
    let fleet = fleet.and_then(|fleet| check.fleet(fleet, shortest_timeout_ms, &hasher));

    match (sessions, check.problems.is_empty()) {
        (Some(sessions), true) => slates_play(Config {
            records: Records {
                slots,
                max_streams,
                book,
                has_fleet: fleet.is_some(),
            },
            session_api,
            sessions,
            hasher,
            jwt_payload: raw.jwt.payload_in_metadata,
            jwt_leeway_ms: jwt_leeway_ms.unwrap_or_default(),
            cat,
            playback,
            fleet,
            operator,
            fingerprint,
        }),
        _ => Err(check.problems),
    }
}

/// A slate on a protected path would be refused like what it stands for.
fn slates_play(config: Config) -> Result<Config, Vec<Problem>> {
    let mut problems = Vec::new();
    for (at, path) in config.playback.iter().enumerate() {
        let slates = [("hls", &path.slate.hls), ("dash", &path.slate.dash)];
        for (kind, slate) in slates {
            let slate = slate.as_deref().unwrap_or_default();
            let plays = |slate: &str| {
                let asked = surface(&config, slate.as_bytes());
                // At the operator's door nothing is protected.
                matches!(
                    asked,
                    Surface::Open | Surface::LeftOut { .. } | Surface::Operator
                )
            };
            if slate.starts_with('/') && !plays(slate) {
                let path = format!("playback[{at}].refuse.slate.{kind}");
                let allowed = "a path that is not protected";
                problems.push(Problem::new(&path, &quoted(slate), allowed));
            }
        }
    }
    if problems.is_empty() {
        Ok(config)
    } else {
        Err(problems)
    }
}

impl Check<'_> {
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
        self.range(
            "state.max_attribute_bytes",
            raw.max_attribute_bytes,
            ATTRIBUTE_BYTES,
            "bytes",
        );
        (
            NonZeroU32::new(raw.slots).unwrap_or(NonZeroU32::MIN),
            raw.max_streams,
            usize::try_from(per_subject).unwrap_or(usize::MAX),
        )
    }

    fn sessions(&mut self, raw: &RawSessions, compatibility: Compatibility) -> Option<Sessions> {
        for (name, calls) in [
            ("calls_per_minute", raw.calls_per_minute),
            ("creates_per_minute", raw.creates_per_minute),
        ] {
            let calls = calls.unwrap_or(CALLS_PER_MINUTE);
            self.range(&format!("sessions.{name}"), calls, PER_MINUTE, "calls");
        }
        let base_path = raw.base_path.as_deref().unwrap_or(BASE_PATH);
        if !reads_as_written(base_path) || base_path.ends_with('/') {
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
            base_path: base_path.to_owned(),
            heartbeat_ms: heartbeat?,
            timeout_ms: timeout?,
            token_lifetime_ms: lifetime?,
            ring: ring?,
            compatibility,
        })
    }

    fn ring(&mut self, raw: &[RawKey]) -> Option<KeyRing> {
        let mut keys = Vec::with_capacity(raw.len());
        let mut seen = HashSet::default();
        for (at, key) in raw.iter().enumerate() {
            let path = item("sessions.signing_keys", at);
            self.name(&field(&path, "id"), &key.id);
            self.unique(&field(&path, "id"), &key.id, &mut seen);
            let secret = self.secret(&field(&path, "secret"), &key.secret);
            keys.push(SigningKey::new(&key.id, secret.as_bytes()));
        }
        let mut keys = keys.into_iter();
        let Some(first) = keys.next() else {
            self.wrong("sessions.signing_keys", "none", "one key or more");
            return None;
        };
        Some(KeyRing::new(first, keys.collect()))
    }
}
