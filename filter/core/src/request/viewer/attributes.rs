//! Attributes that a request says of its stream: the path's segments, its query, its
//! headers, claims and CMCD. They are facts, not an app's word.

use streamgate_values::attributes::Attributes;
use streamgate_values::head::Head;
use streamgate_values::text::{percent_decoded, printable};

use super::{Asked, claim, client, cmcd, cookie, network, query};
use crate::config::{AttributeSource, CmcdKey, Config, PlaybackPath, TemplateSegment};
use crate::refusal::reason::Reason;

/// The longest value that is taken, in bytes.
const VALUE_MAX: usize = 256;

/// What a request says of its stream.
///
/// # Errors
///
/// [`Reason::Malformed`] where a client says something, in path, query, header or cookie,
/// that is longer than a value may be: what is kept of a stream is bounded, and who could
/// leave a value out by making it long would be counted by nothing.
pub fn attributes<H: Head>(
    config: &Config,
    protected: &PlaybackPath,
    asked: &Asked<'_, H>,
) -> Result<Attributes, Reason> {
    let mut attributes = Attributes::default();
    let file = asked.file;
    for (name, value) in named_by_template(&protected.template, file) {
        if let Some(value) = bounded(value)?.and_then(readable) {
            attributes.set(name, value);
        }
    }
    for (name, source) in &protected.attributes {
        let value = match source {
            AttributeSource::PathSegment(number) => {
                let segment = number
                    .checked_sub(1)
                    .and_then(|at| usize::try_from(at).ok());
                let segment = segment.and_then(|at| segments(file).nth(at));
                bounded(segment.unwrap_or_default())?.and_then(readable)
            }
            AttributeSource::Query(name) => {
                let value = query::value(asked.path, name);
                let value = value.and_then(|value| percent_decoded(value).ok());
                bounded(value.unwrap_or_default().as_bytes())?.and_then(readable)
            }
            AttributeSource::Header(name) => {
                let value = asked.head.header(name);
                bounded(value.as_deref().unwrap_or_default())?.and_then(readable)
            }
            AttributeSource::Cookie(name) => {
                let cookies = asked.cookies().unwrap_or_default();
                let value = cookie::value(cookies, name);
                bounded(value.unwrap_or_default())?.and_then(readable)
            }
            AttributeSource::AddressAndAgent => {
                client(asked.head).map(|client| config.hasher.client(&client))
            }
            AttributeSource::Network => {
                network(asked.head).map(|network| config.hasher.network(&network))
            }
            AttributeSource::JwtClaim(name) => {
                let value = asked.head.jwt_claim(&config.jwt_payload, name);
                let value = value.and_then(|value| claim::text(&value));
                if value.as_ref().is_some_and(|value| value.len() > VALUE_MAX) {
                    return Err(Reason::Malformed);
                }
                value
            }
            AttributeSource::Cmcd(key) => {
                let said = cmcd::CmcdReader::new(asked.head, asked.path);
                match key {
                    CmcdKey::Sid => said.sid(),
                    CmcdKey::Cid => said.cid(),
                    CmcdKey::State => said.state().map(|state| state.token().to_owned()),
                    CmcdKey::Background => Some(said.background().to_string()),
                }
            }
            AttributeSource::Value(value) => Some(value.clone()),
        };
        let says = |value: &String| value.len() <= VALUE_MAX && !value.trim().is_empty();
        if let Some(value) = value.filter(says) {
            attributes.set(name.as_str(), value);
        }
    }
    Ok(attributes)
}

/// What a manifest request says of its stream and its segments may not say again: it
/// travels in the token they are given.
///
/// # Errors
///
/// As [`attributes`].
pub fn carried_attributes<H: Head>(
    config: &Config,
    protected: &PlaybackPath,
    asked: &Asked<'_, H>,
) -> Result<Attributes, Reason> {
    let all = attributes(config, protected, asked)?;
    let mut carried = Attributes::default();
    for (name, source) in &protected.attributes {
        let by_each = matches!(
            source,
            AttributeSource::PathSegment(_) | AttributeSource::Value(_) | AttributeSource::Network
        );
        if let (false, Some(value)) = (by_each, all.value(name)) {
            carried.set(name.as_str(), value);
        }
    }
    Ok(carried)
}

/// The front of a path, as it is read, that decides what its segments say: as long as it
/// stays the same, so do they. Empty if they say nothing.
#[must_use]
pub fn root<'p>(protected: &PlaybackPath, file: &'p [u8]) -> &'p [u8] {
    let by_number = protected.attributes.iter().map(|(_, source)| match source {
        AttributeSource::PathSegment(number) => usize::try_from(*number).unwrap_or(usize::MAX),
        _ => 0,
    });
    let count = by_number.fold(protected.template.len(), usize::max);
    if count == 0 {
        return b"";
    }
    // One slash stands in front of each segment: the one behind the last ends it.
    let mut slashes = file.iter().enumerate().filter(|(_, byte)| **byte == b'/');
    let end = slashes
        .nth(count)
        .map_or(file.len(), |(at, _)| at.saturating_add(1));
    file.get(..end).unwrap_or(file)
}

/// The segments of a path without its query.
fn segments(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    file.strip_prefix(b"/")
        .unwrap_or(file)
        .split(|byte| *byte == b'/')
}

/// The segments that a template gives a name, if it applies to the path.
fn named_by_template<'a>(
    template: &'a [TemplateSegment],
    file: &'a [u8],
) -> Vec<(&'a str, &'a [u8])> {
    let mut named = Vec::new();
    let mut segments = segments(file);
    for wanted in template {
        let Some(segment) = segments.next() else {
            return Vec::new();
        };
        match wanted {
            // Else who writes a text in another case, at an origin that ignores it, would
            // say nothing.
            TemplateSegment::Literal(text) if !text.as_bytes().eq_ignore_ascii_case(segment) => {
                return Vec::new();
            }
            TemplateSegment::Literal(_) | TemplateSegment::Any => {}
            TemplateSegment::Attribute(name) => named.push((name.as_str(), segment)),
        }
    }
    named
}

/// The value, if there is one.
fn bounded(value: &[u8]) -> Result<Option<&[u8]>, Reason> {
    match value.len() {
        0 => Ok(None),
        1..=VALUE_MAX => Ok(Some(value)),
        _ => Err(Reason::Malformed),
    }
}

fn readable(value: &[u8]) -> Option<String> {
    printable(value).ok().map(str::to_owned)
}
