//! The redirect that gives a playback an id of its own.

use streamgate_policy::{Event, Verdict};
use streamgate_record::metric::Metric;
use streamgate_record::ports::Host;
use streamgate_tokens::signed::PlaybackToken;
use streamgate_values::head::Head;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use super::class::is_dash;
use super::redirected::Asking;
use super::refusal::{DEVICE_NAME, Who, Why};
use super::request::PlaybackRequest;
use crate::authority::{Authority, Decision};
use crate::config::Start;
use crate::exchange::{Answer, Reply};
use crate::refusal::reason::Reason;
use crate::request::viewer::{Viewer, carried_attributes, client};
use crate::step::Step;

/// Answers a manifest request that names no stream with a redirect to itself under
/// a fresh path token, if a start would be allowed now.
pub(super) fn mint<H: Head, E: Host>(
    request: &PlaybackRequest<'_, H, E>,
    viewer: &Viewer<'_>,
    authority: &mut Authority,
) -> Step {
    let PlaybackRequest { config, host, .. } = *request;
    let now = request.now();
    let who = Who::of(viewer, None);
    if request.protected.start == Start::SessionRequired {
        return request.refuse(who, Reason::SessionRequired, None);
    }
    let facts = request.facts(viewer);
    let carried = carried_attributes(config, request.protected, &request.asked);
    let (facts, carried) = match (facts, carried) {
        (Ok(facts), Ok(carried)) => (facts, carried),
        (Err(reason), _) | (_, Err(reason)) => return request.refuse(who, reason, None),
    };
    let device = facts.attributes.value(DEVICE_NAME).map(str::to_owned);
    let who = who.on(device.as_deref());
    let of = request.inquiry(&viewer.subject);
    let mut foresee = |stream| {
        let protected = request.protected;
        let play = protected.play(stream, false, viewer.application, facts.clone());
        authority.foresee(&of, &Event::Play(play), || false)
    };
    let asking = asking(request, viewer);
    // By then a stream has lapsed.
    let since = Moment::from_ms(now.as_ms().saturating_sub(request.protected.timeout_ms));
    let earlier = asking.map(|asking| asking.known(host, since, now));
    let mut known = None;
    for stream in earlier.unwrap_or_default() {
        match foresee(stream) {
            Ok(Decision::Parked) => return Step::Park,
            // One that plays no longer, or not yet, is not taken up.
            Ok(Decision::Decided(decided)) if matches!(&decided.verdict, Verdict::Plays(plays) if !plays.started) =>
            {
                known = Some(stream);
                break;
            }
            Ok(Decision::Decided(_)) | Err(_) => {}
        }
    }
    let stream = known.unwrap_or_else(|| StreamKey::mint(now, host.random()));
    match foresee(stream) {
        Ok(Decision::Parked) => return Step::Park,
        Ok(Decision::Decided(decided)) => {
            if let Verdict::Refused(refused) = &decided.verdict {
                let retry_at = decided.retry_at;
                let why = Why { refused, retry_at };
                return request.refuse(who, Reason::of(refused), Some(why));
            }
        }
        Err(unavailable) => return request.refuse(who, Reason::of_unavailable(unavailable), None),
    }
    let mut attributes = viewer.attributes.clone();
    attributes.merge(&carried);
    // What is redirected holds no longer than what it was redirected for, and where that
    // says which requests it is good for, only below this manifest.
    let expires_at = now.plus_ms(config.sessions.token_lifetime_ms);
    let credential_ends_at = request.credential_ends_at(viewer);
    let expires_at = credential_ends_at.map_or(expires_at, |end| end.min(expires_at));
    if expires_at <= now {
        return request.refuse(who, Reason::TokenExpired, None);
    }
    let prefix = request.protected.prefix.as_bytes();
    let scope = match directory(request.asked.file) {
        directory if viewer.is_narrow && directory.len() > prefix.len() => directory,
        _ => prefix,
    };
    let Ok(scope) = core::str::from_utf8(scope) else {
        return request.refuse(who, Reason::Malformed, None);
    };
    let token = PlaybackToken {
        subject: viewer.subject,
        stream,
        application: viewer.application.id.clone(),
        scope: scope.to_owned(),
        attributes,
        limits: viewer.limits.clone(),
        expires_at,
    };
    // An older token in the query would be in the way of the fresh one.
    let path = request.without_token_parameters();
    let Ok(path) = core::str::from_utf8(&path) else {
        return request.refuse(who, Reason::Malformed, None);
    };
    if let Some(asking) = asking {
        asking.redirect(host, stream, since, now);
    }
    host.add(Metric::RedirectsMinted, 1);
    let good_for_ms = token.expires_at.ms_since(now);
    let token = token.issue(&config.sessions.ring);
    let mut answer = Answer::empty(307)
        .with("location", format!("/~{token}{path}"))
        .readable();
    for cookie in cookies(request, &token, good_for_ms) {
        answer = answer.with("set-cookie", cookie);
    }
    if let Some((name, value)) = &viewer.renewed {
        answer = answer.with(name.clone(), value);
    }
    Step::Reply(Reply {
        answer,
        logged_path: Some(path.into()),
        log_entry: None,
    })
}

/// What is remembered of the redirect: nothing of a browser's, which stays where it was
/// redirected to, and where one manifest is not told from another.
fn asking<'a, H: Head, E: Host>(
    request: &PlaybackRequest<'_, H, E>,
    viewer: &'a Viewer<'_>,
) -> Option<Asking<'a>> {
    let head = request.asked.head;
    if request.protected.manifest_max == 0 || head.header("sec-fetch-mode").is_some() {
        return None;
    }
    let path = request.without_token_parameters();
    Some(Asking::of(&viewer.subject, &path, &client(head)?))
}

/// A path without a query up to its last slash.
fn directory(file: &[u8]) -> &[u8] {
    let end = file.iter().rposition(|byte| *byte == b'/');
    let end = end.map_or(0, |at| at.saturating_add(1));
    file.get(..end).unwrap_or_default()
}

/// The token once more, for players that resolve segments against the address they were
/// given rather than the one they were redirected to.
fn cookies<H: Head, E: Host>(
    request: &PlaybackRequest<'_, H, E>,
    token: &str,
    good_for_ms: u64,
) -> Vec<String> {
    let head = request.asked.head;
    let Some(name) = request.protected.minted_cookie() else {
        return Vec::new();
    };
    // Browsers resolve against the redirect, and their tabs share cookies: with one, two
    // tabs would be one stream. They alone send this (Fetch Metadata).
    if head.header("sec-fetch-mode").is_some() {
        return Vec::new();
    }
    let secure = head.header(":scheme").as_deref() == Some(b"https");
    // Media are often another site's than the page; embedded views then demand `Secure`.
    let site = if secure { "None; Secure" } else { "Lax" };
    let seconds = good_for_ms / 1000;
    let cookie = |path: &str| {
        format!("{name}={token}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite={site}")
    };
    let mut cookies = Vec::new();
    if is_dash(request.asked.file) {
        // GStreamer asks for a live manifest again at its first address, with the cookies
        // of the manifest it was led to.
        cookies.push(cookie(&format!("/~{token}")));
    }
    // Last: ffmpeg remembers one cookie of a name, whatever its path.
    cookies.push(cookie(&request.protected.prefix));
    cookies
}
