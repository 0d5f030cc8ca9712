//! One limit: **who is refused and who is evicted** is decided here, in [`Rule::says`].

use super::message::Message;
use super::target::Target;
use crate::activity::{Attributes, Stream};
use crate::moment::Moment;
use crate::stream_key::StreamKey;

/// The attribute that tells devices apart.
pub const DEVICE_ID: &str = "deviceId";

/// One limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Name, unique within its policy.
    pub name: String,
    /// The most streams, or distinct values, allowed at once.
    pub max: u32,
    /// What is counted.
    pub count: Count,
    /// Scope: attributes per whose values it is counted.
    pub per: Vec<String>,
    /// Which streams it looks at.
    pub target: Target,
    /// Who gives way.
    pub on_conflict: OnConflict,
    /// Whether a device that starts again replaces its own stream.
    pub same_device_replaces: bool,
    /// What the viewer is told.
    pub message: Message,
}

/// What a rule counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Count {
    /// Streams.
    Streams,
    /// Distinct values of an attribute; streams without it share one value.
    Distinct(String),
}

/// What happens when a start would exceed a rule's limit (contract, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// LIFO: the newcomer is refused, nobody else is touched.
    DenyNew,
    /// FIFO: the newcomer plays, the oldest conflicting streams lose their place.
    StopOldest,
}

/// The stream a rule is asked about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contender<'a> {
    pub(super) key: &'a StreamKey,
    /// Its attributes, those of this event included.
    pub(super) attributes: &'a Attributes,
    pub(super) standing: Standing<'a>,
}

/// Where a contender stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Standing<'a> {
    /// It is live.
    Known {
        started_at: Moment,
        /// Its attributes before this event.
        before: &'a Attributes,
    },
    /// It starts now.
    New,
    /// It started earlier, and this edge lost its record.
    Revived { started_at: Moment },
}

/// What a rule says to a contender.
#[derive(Debug)]
pub(super) enum Says<'a> {
    Fine,
    /// It may not play: these streams are in its way.
    Deny(Vec<&'a Stream>),
    /// It may, if these go.
    Evict(Vec<&'a Stream>),
}

/// What counts as one: a stream, or all streams that share a value.
struct Unit<'a> {
    /// When it came to be: when its oldest stream started.
    since: Since,
    streams: Vec<&'a Stream>,
}

/// The age of a unit; streams that started at the same moment are told apart by key.
type Since = (Moment, StreamKey);

/// A contender's unit among the others.
enum Place {
    New,
    Revived(Since),
    Held(Since),
}

impl Rule {
    /// The rule's answer, given the `others`: live streams its policy sees, oldest first.
    ///
    /// Over the limit, `deny_new` refuses the newest and `stop_oldest` the oldest.
    /// What already holds a place is measured by its age among the others, so after
    /// a limit was lowered exactly the surplus loses its place.
    pub(super) fn says<'a>(&self, others: &[&'a Stream], contender: &Contender<'_>) -> Says<'a> {
        if !self.target.matches(contender.attributes) {
            return Says::Fine;
        }
        let rivals = others.iter().copied().filter(|other| {
            self.target.matches(&other.attributes)
                && self.same_scope(&other.attributes, contender.attributes)
        });
        let (units, place) = self.place(rivals, contender);

        let max = usize::try_from(self.max).unwrap_or(usize::MAX);
        let surplus = units.len().saturating_add(1).saturating_sub(max);
        if surplus == 0 {
            return Says::Fine;
        }
        let older = |since: &Since| units.iter().filter(|unit| unit.since < *since).count();
        let deny = || Says::Deny(streams(&units));
        let evict = || Says::Evict(streams(units.get(..surplus).unwrap_or(&units)));
        match (self.on_conflict, place) {
            (OnConflict::DenyNew, Place::New | Place::Revived(_)) => deny(),
            (OnConflict::DenyNew, Place::Held(since)) if older(&since) >= max => deny(),
            (OnConflict::StopOldest, Place::New) if units.len() < surplus => deny(),
            (OnConflict::StopOldest, Place::Revived(since) | Place::Held(since))
                if older(&since) < surplus =>
            {
                deny()
            }
            (OnConflict::StopOldest, Place::New | Place::Revived(_)) => evict(),
            (_, Place::Held(_)) => Says::Fine,
        }
    }

    /// Whether it may look at a stream of which these attributes are known so far.
    pub(super) fn may_concern(&self, attributes: &Attributes) -> bool {
        self.target.may_match(attributes)
    }

    /// The attributes this rule needs to know of a stream.
    pub(super) fn needs(&self) -> impl Iterator<Item = &str> {
        let counted = match &self.count {
            Count::Streams => None,
            Count::Distinct(attribute) => Some(attribute.as_str()),
        };
        let scope = self.per.iter().map(String::as_str);
        counted.into_iter().chain(scope).chain(self.target.needs())
    }

    /// Groups `rivals` (oldest first) into units other than the contender's own, oldest
    /// first, and says where the contender's stands among them.
    fn place<'a>(
        &self,
        rivals: impl Iterator<Item = &'a Stream>,
        contender: &Contender<'_>,
    ) -> (Vec<Unit<'a>>, Place) {
        let mut units: Vec<Unit<'a>> = Vec::new();
        let mut shared: Option<Since> = None;
        for rival in rivals {
            let since = (rival.started_at, rival.key);
            if self.same_unit(&rival.attributes, contender.attributes) {
                shared = shared.or(Some(since));
                continue;
            }
            let same = units.iter_mut().find(|unit| {
                let mut known = unit.streams.iter();
                known.any(|stream| self.same_unit(&stream.attributes, &rival.attributes))
            });
            match same {
                Some(unit) => unit.streams.push(rival),
                None => units.push(Unit {
                    since,
                    streams: vec![rival],
                }),
            }
        }
        let own = match contender.standing {
            Standing::Known { started_at, before } if self.counted_alike(before, contender) => {
                Place::Held((started_at, *contender.key))
            }
            Standing::Revived { started_at } => Place::Revived((started_at, *contender.key)),
            Standing::Known { .. } | Standing::New => Place::New,
        };
        let place = match (own, shared) {
            (Place::Held(own), Some(shared)) => Place::Held(own.min(shared)),
            (_, Some(shared)) => Place::Held(shared),
            (own, None) => own,
        };
        (units, place)
    }

    /// Whether a live stream was counted with the same others before this event. One
    /// that comes over from another scope or value is a newcomer among these.
    fn counted_alike(&self, before: &Attributes, contender: &Contender<'_>) -> bool {
        let same_value = match &self.count {
            Count::Streams => true,
            Count::Distinct(name) => before.value(name) == contender.attributes.value(name),
        };
        self.target.matches(before) && self.same_scope(before, contender.attributes) && same_value
    }

    fn same_scope(&self, one: &Attributes, other: &Attributes) -> bool {
        self.per
            .iter()
            .all(|name| one.value(name) == other.value(name))
    }

    /// Whether two streams count as one.
    fn same_unit(&self, one: &Attributes, other: &Attributes) -> bool {
        match &self.count {
            Count::Streams => false,
            Count::Distinct(name) => one.value(name) == other.value(name),
        }
    }
}

fn streams<'a>(units: &[Unit<'a>]) -> Vec<&'a Stream> {
    units
        .iter()
        .flat_map(|unit| unit.streams.iter().copied())
        .collect()
}
