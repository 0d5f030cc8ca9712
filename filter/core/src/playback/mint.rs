//! The redirect that gives a playback an id of its own.

use super::passage::Passage;
use super::refusal::Who;
use super::request::Request;
use crate::config::Start;
use crate::exchange::{Answer, Head, Reply};
use crate::ledger::consult;
use crate::metric::Metric;
use crate::moment::Moment;
use crate::policy::{Event, Verdict};
use crate::ports::Host;
use crate::reason::Reason;
use crate::signed::PathToken;
use crate::stream_key::StreamKey;
use crate::viewer::Viewer;

/// Answers a manifest request that names no stream with a redirect to itself under
/// a fresh path token, if a start would be allowed now.
pub(super) fn mint<H: Head, E: Host>(
    request: &Request<'_, H, E>,
    viewer: &Viewer<'_>,
    epoch: Moment,
) -> Passage {
    let Request {
        config, host, now, ..
    } = *request;
    let stream = StreamKey::mint(now, host.random());
    let who = Who {
        subject: Some(viewer.subject),
        stream: None,
        application: Some(&viewer.application.id),
    };
    if request.protected.start == Start::SessionRequired {
        return request.refuse(who, Reason::SessionRequired, None);
    }
    let event = Event::Play(request.protected.play(stream, viewer.application));
    let refused = match consult(host, &config.ledger, &viewer.subject, &event, epoch, now) {
        Ok(decided) => match decided.verdict {
            Verdict::Refused(refused) => Some((Reason::of(&refused), Some(refused))),
            Verdict::Plays(_) | Verdict::Stopped => None,
        },
        Err(outage) => Some((Reason::of_outage(outage), None)),
    };
    if let Some((reason, refused)) = refused {
        return request.refuse(who, reason, refused.as_ref());
    }
    let token = PathToken {
        subject: viewer.subject,
        stream,
        application: viewer.application.id.clone(),
        expires_at: now.plus_ms(config.sessions.token_lifetime_ms),
    };
    let Ok(path) = core::str::from_utf8(request.asked.path) else {
        return request.refuse(who, Reason::Malformed, None);
    };
    host.add(Metric::RedirectsMinted, 1);
    let location = format!("/~{}{path}", token.issue(&config.sessions.ring));
    Passage::Reply(Reply {
        answer: Answer::empty(307).with("location", location),
        logged_path: Some(request.asked.path.to_vec()),
        record: None,
    })
}
