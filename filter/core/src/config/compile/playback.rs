//! Protected paths.

use core::cell::Cell;

use streamgate_policy::Sharing;
use streamgate_values::attributes::ATTRIBUTES_MAX;
use streamgate_values::hash::HashSet;

use super::super::limits::{
    BUFFER_MS, CLIENTS, IDP_MAX, MANIFEST, PATH_SEGMENT, REFUSALS, SPAN_MS,
};
use super::super::raw::{
    RawAttributeSource, RawCatId, RawCatSubject, RawClient, RawCmcdSid, RawPlayback, RawSeenClient,
    RawSharing, RawStreamCarrier, RawSubjectCarrier, RawTokenPosition,
};
use super::super::{
    AttributeSource, PlaybackPath, Slate, StreamCarrier, SubjectCarrier, TemplateSegment,
    TokenPosition,
};
use super::check::{Check, field, item, quoted, reads_as_written, shown};
use crate::config::{Credentials, LooksAt};

/// Whether account and stream would have one id.
fn is_same(subject: &SubjectCarrier, stream: &StreamCarrier) -> bool {
    match (subject, stream) {
        (SubjectCarrier::JwtClaim(one), StreamCarrier::JwtClaim(other))
        | (SubjectCarrier::Header(one), StreamCarrier::Header(other)) => one == other,
        _ => false,
    }
}

impl Check<'_> {
    pub(super) fn playback(
        &mut self,
        path: &str,
        raw: &RawPlayback,
        applications: &HashSet<&str>,
        default_timeout_ms: u64,
    ) -> PlaybackPath {
        let prefix = &raw.matches.prefix;
        // A star is meant as a pattern, and as it stands it would protect next to nothing.
        if !reads_as_written(prefix) || prefix.as_bytes().contains(&b'*') {
            self.wrong(
                &field(path, "match.prefix"),
                quoted(prefix),
                "a path prefix such as \"/vod/\", without percent-encoding and without *",
            );
        }
        if !applications.contains(raw.application.as_str()) {
            self.unknown(
                &field(path, "application"),
                &raw.application,
                "the id of a configured application",
                applications.iter().copied(),
            );
        }
        self.text(&field(path, "idp"), &raw.idp, 0..=IDP_MAX);
        if !REFUSALS.contains(&raw.refuse.status) {
            self.wrong(
                &field(path, "refuse.status"),
                raw.refuse.status.to_string(),
                "403, 409 or 410",
            );
        }
        let manifest_max = raw.manifests.max_bytes;
        self.range(
            &field(path, "manifests.max_bytes"),
            manifest_max,
            MANIFEST,
            "bytes",
        );
        let timeout_ms = match &raw.timeout {
            Some(timeout) => self.duration(&field(path, "timeout"), timeout, SPAN_MS),
            None => None,
        };
        let buffer_max_ms = self.duration(&field(path, "buffer_max"), &raw.buffer_max, BUFFER_MS);
        let attributes = raw.attributes.iter().map(|(name, source)| {
            let path = format!("{path}.attributes.{name}");
            self.attribute(&path, name);
            (name.to_owned(), self.attribute_source(&path, source))
        });
        let attributes: Vec<_> = attributes.collect();
        let template = self.template(&field(path, "template"), raw.template.as_deref(), prefix);
        let adds_one = |segment: &&TemplateSegment| match segment {
            TemplateSegment::Attribute(name) => attributes.iter().all(|(known, _)| known != name),
            _ => false,
        };
        let number = attributes
            .len()
            .saturating_add(template.iter().filter(adds_one).count());
        if number > ATTRIBUTES_MAX {
            self.wrong(
                &field(path, "attributes"),
                format!("{number}, with those of `template`"),
                format!("at most {ATTRIBUTES_MAX}: a stream has no more"),
            );
        }
        let classes = self.classes(&field(path, "classes"), &raw.classes, prefix);
        let subject = self.subject_carriers(&field(path, "subject"), &raw.subject);
        let stream = self.stream_carriers(&field(path, "stream"), &raw.stream);
        let both = |carrier| subject.iter().any(|subject| is_same(subject, carrier));
        if stream.iter().any(both) {
            self.wrong(
                &field(path, "stream"),
                "what says the account",
                "what differs between its streams",
            );
        }
        PlaybackPath {
            prefix: prefix.clone(),
            exclude: self
                .patterns(&field(path, "match.exclude"), &raw.matches.exclude, prefix)
                .into(),
            looks_at: Cell::new(match classes.has_own_manifests() {
                true => LooksAt::AllManifests,
                false => LooksAt::NamedManifests,
            }),
            classes,
            application: raw.application.clone(),
            idp: raw.idp.clone(),
            start: raw.start,
            subject,
            stream,
            template,
            attributes,
            liveness: raw.liveness,
            paused: raw.paused,
            preflight: raw.preflight,
            manifest_max: usize::try_from(manifest_max).unwrap_or(usize::MAX),
            refuse_status: raw.refuse.status,
            slate: Slate {
                hls: self.slate(&field(path, "refuse.slate.hls"), &raw.refuse.slate.hls),
                dash: self.slate(&field(path, "refuse.slate.dash"), &raw.refuse.slate.dash),
            },
            sharing: self.sharing(&field(path, "sharing"), raw.sharing.as_ref()),
            timeout_ms: timeout_ms.unwrap_or(default_timeout_ms),
            buffer_max_ms: buffer_max_ms.unwrap_or_default(),
            // What else can be a credential is known when all is read.
            credentials: Credentials::default(),
        }
    }

    fn subject_carriers(&mut self, path: &str, raw: &[RawSubjectCarrier]) -> Vec<SubjectCarrier> {
        if raw.is_empty() {
            self.wrong(path, "none", "one carrier or more");
        }
        let compile = |(at, carrier): (usize, &RawSubjectCarrier)| {
            let path = item(path, at);
            match carrier {
                RawSubjectCarrier::Token(position) => {
                    SubjectCarrier::Token(self.token_position(&field(&path, "token"), position))
                }
                RawSubjectCarrier::JwtClaim(claim) => {
                    self.name(&field(&path, "jwt_claim"), claim);
                    SubjectCarrier::JwtClaim(claim.clone())
                }
                RawSubjectCarrier::Cat(RawCatSubject::Sub) => SubjectCarrier::CatSubject,
                RawSubjectCarrier::Header(name) => {
                    SubjectCarrier::Header(self.header(&field(&path, "header"), name))
                }
            }
        };
        raw.iter().enumerate().map(compile).collect()
    }

    fn stream_carriers(&mut self, path: &str, raw: &[RawStreamCarrier]) -> Vec<StreamCarrier> {
        if raw.is_empty() {
            self.wrong(path, "none", "one carrier or more");
        }
        let compile = |(at, carrier): (usize, &RawStreamCarrier)| {
            let path = item(path, at);
            match carrier {
                RawStreamCarrier::Token(position) => {
                    StreamCarrier::Token(self.token_position(&field(&path, "token"), position))
                }
                RawStreamCarrier::JwtClaim(claim) => {
                    self.name(&field(&path, "jwt_claim"), claim);
                    StreamCarrier::JwtClaim(claim.clone())
                }
                RawStreamCarrier::Header(name) => {
                    StreamCarrier::Header(self.header(&field(&path, "header"), name))
                }
                RawStreamCarrier::Cat(RawCatId::Cti) => StreamCarrier::CatId,
                RawStreamCarrier::Cmcd(RawCmcdSid::Sid) => StreamCarrier::CmcdSid,
                RawStreamCarrier::Redirect(on) => {
                    if !on {
                        self.wrong(
                            &field(&path, "redirect"),
                            "false",
                            "true; leave the carrier out to switch it off",
                        );
                    }
                    StreamCarrier::Redirect
                }
                RawStreamCarrier::Client(RawClient::AddressAndAgent) => {
                    StreamCarrier::AddressAndAgent
                }
            }
        };
        let carriers: Vec<_> = raw.iter().enumerate().map(compile).collect();
        let position = |is: fn(&StreamCarrier) -> bool| carriers.iter().position(is);
        let token = position(|carrier| *carrier == StreamCarrier::Token(TokenPosition::Path));
        let redirect = position(|carrier| matches!(carrier, StreamCarrier::Redirect));
        if let Some(redirect) = redirect
            && token.is_none_or(|token| token > redirect)
        {
            // Where it came later, a player would be redirected for ever.
            self.wrong(
                path,
                "redirect without {token: path} before it",
                "both: the redirect leads to a path token",
            );
        }
        carriers
    }

    fn token_position(&mut self, path: &str, raw: &RawTokenPosition) -> TokenPosition {
        match raw {
            RawTokenPosition::Path => TokenPosition::Path,
            RawTokenPosition::Query(name) => {
                self.word(&field(path, "query"), name, "a parameter's name");
                TokenPosition::Query(name.clone())
            }
            RawTokenPosition::Cookie(name) => {
                self.word(&field(path, "cookie"), name, "a cookie's name");
                TokenPosition::Cookie(name.clone())
            }
            RawTokenPosition::Header(name) => {
                TokenPosition::Header(self.header(&field(path, "header"), name))
            }
        }
    }

    fn attribute_source(&mut self, path: &str, raw: &RawAttributeSource) -> AttributeSource {
        match raw {
            RawAttributeSource::PathSegment(number) => {
                self.range(&field(path, "path_segment"), *number, PATH_SEGMENT, "");
                AttributeSource::PathSegment(*number)
            }
            RawAttributeSource::Query(name) => {
                self.name(&field(path, "query"), name);
                AttributeSource::Query(name.clone())
            }
            RawAttributeSource::Header(name) => {
                AttributeSource::Header(self.header(&field(path, "header"), name))
            }
            RawAttributeSource::Cookie(name) => {
                self.word(&field(path, "cookie"), name, "a cookie's name");
                AttributeSource::Cookie(name.clone())
            }
            RawAttributeSource::Client(RawSeenClient::AddressAndAgent) => {
                AttributeSource::AddressAndAgent
            }
            RawAttributeSource::Client(RawSeenClient::Network) => AttributeSource::Network,
            RawAttributeSource::JwtClaim(claim) => {
                self.name(&field(path, "jwt_claim"), claim);
                AttributeSource::JwtClaim(claim.clone())
            }
            RawAttributeSource::Cmcd(key) => AttributeSource::Cmcd(*key),
            RawAttributeSource::Value(value) => {
                self.name(&field(path, "value"), value);
                AttributeSource::Value(value.clone())
            }
        }
    }

    fn sharing(&mut self, path: &str, raw: Option<&RawSharing>) -> Option<Sharing> {
        let raw = raw?;
        if raw.networks.or(raw.agents).is_none() {
            let found = "neither `networks` nor `agents`";
            self.wrong(path, found, "one of them or both");
        }
        let mut most = |name: &str, most: Option<u32>| {
            let most = most?;
            self.range(&field(path, name), most, CLIENTS, "");
            core::num::NonZeroU8::new(u8::try_from(most).ok()?)
        };
        Some(Sharing {
            networks: most("networks", raw.networks),
            agents: most("agents", raw.agents),
            action: raw.action,
        })
    }

    fn template(&mut self, path: &str, raw: Option<&str>, prefix: &str) -> Vec<TemplateSegment> {
        let Some(raw) = raw else {
            return Vec::new();
        };
        let mut seen = HashSet::default();
        let mut segments = Vec::new();
        for segment in raw.strip_prefix('/').unwrap_or(raw).split('/') {
            let name = segment
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            segments.push(match name {
                Some(name) => {
                    self.attribute(path, name);
                    self.unique(path, name, &mut seen);
                    TemplateSegment::Attribute(name.to_owned())
                }
                None if segment == "*" => TemplateSegment::Any,
                None => TemplateSegment::Literal(segment.to_owned()),
            });
        }
        let literals = segments.iter().filter_map(|segment| match segment {
            TemplateSegment::Literal(text) => Some(text.as_str()),
            _ => None,
        });
        let readable = |text: &str| !text.contains(['{', '}', '*', '?', '#', '%']);
        let plain = |name: &&str| !name.contains(['{', '}']);
        let names_nothing = seen.is_empty() || !seen.iter().all(plain);
        if !raw.starts_with('/') || names_nothing || !literals.clone().all(readable) {
            let allowed = "a path such as \"/live/{channel}/*\": each segment a text, a name in braces \
                           or an asterisk, at least one of them a name";
            self.wrong(path, quoted(raw), allowed);
        } else {
            self.reaches(path, raw, true, prefix);
        }
        segments
    }

    fn slate(&mut self, path: &str, raw: &Option<String>) -> Option<String> {
        let url = raw.as_ref()?;
        let absolute = url.starts_with("https://") || url.starts_with("http://");
        let visible = url.bytes().all(|byte| byte.is_ascii_graphic());
        if !visible || !(absolute || url.starts_with('/') && !url.starts_with("/~")) {
            let allowed = "a path such as \"/slate/slate.m3u8\", or a URL";
            self.wrong(path, quoted(url), allowed);
        }
        Some(url.clone())
    }

    pub(super) fn header(&mut self, path: &str, name: &str) -> String {
        self.word(path, name, "a header name");
        name.to_ascii_lowercase()
    }

    /// A token in the sense of RFC 9110, section 5.6.2.
    pub(super) fn word(&mut self, path: &str, name: &str, allowed: &str) {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(token) {
            self.wrong(path, shown(path, name), allowed);
        }
    }
}
