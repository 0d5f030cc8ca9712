//! A device that starts again replaces what it played before.

use streamgate_values::attributes::Attributes;
use streamgate_values::stream_key::StreamKey;

use super::book::{Mode, Policy, PolicyBook};
use super::event::Play;
use super::rule::{Contender, ContenderStanding, Since, device};
use crate::activity::Stream;
use crate::other::Other;

/// Earlier streams of the device that starts again, where a rule says that it
/// replaces them.
pub(super) fn replaced(
    play: &Play,
    book: &PolicyBook,
    contender: &Contender<'_>,
    others: &[Other<'_>],
) -> Vec<StreamKey> {
    let (ContenderStanding::New, Some(own)) = (contender.standing, device(contender.attributes))
    else {
        return Vec::new();
    };
    let same = others
        .iter()
        .filter(|other| device(&other.stream.attributes) == Some(own));
    let replaced = same.filter(|other| {
        let mut policies = book.policies_of(&play.application);
        policies.any(|(index, policy)| {
            policy.mode == Mode::Enforce
                && other.is_seen_by(index)
                && replaces(policy, contender.attributes, &other.stream.attributes)
        })
    });
    replaced.map(|other| other.stream.key).collect()
}

/// Whether a policy that only watches would have had this stream replaced by a later
/// one of its device: by one of those it has `seen`, or by the contender.
pub(super) fn would_be_replaced(
    policy: &Policy,
    stream: &Stream,
    seen: &[&Stream],
    contender: &Contender<'_>,
) -> bool {
    let since = (stream.started_at, stream.key);
    let by_contender = contender.since().is_none_or(|own| own > since)
        && replaces(policy, contender.attributes, &stream.attributes);
    by_contender || has_later(policy, &stream.attributes, since, seen)
}

/// The same of the contender.
pub(super) fn would_itself_be_replaced(
    policy: &Policy,
    seen: &[&Stream],
    contender: &Contender<'_>,
) -> bool {
    let since = contender.since();
    since.is_some_and(|since| has_later(policy, contender.attributes, since, seen))
}

fn has_later(policy: &Policy, of: &Attributes, since: Since, seen: &[&Stream]) -> bool {
    seen.iter().any(|later| {
        (later.started_at, later.key) > since && replaces(policy, &later.attributes, of)
    })
}

/// Whether a policy has a device replace `older` when it starts `newer`.
fn replaces(policy: &Policy, newer: &Attributes, older: &Attributes) -> bool {
    let own = device(newer);
    own.is_some()
        && own == device(older)
        && policy.rules.iter().any(|rule| {
            rule.same_device_replaces && rule.target.matches(newer) && rule.target.matches(older)
        })
}
