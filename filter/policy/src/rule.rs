//! One limit: **who is refused and who is evicted** is decided here, in `Rule::says`.

use streamgate_values::attributes::Attributes;
use streamgate_values::limits::Limits;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use super::action::Action;
use super::evictions::Demand;
use super::message::Message;
use super::places::Places;
use super::target::Target;
use crate::activity::Stream;
use crate::exception::Allowance;

/// The attribute that tells devices apart.
const DEVICE_ID: &str = "deviceId";

/// One limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Name, unique within its policy.
    pub name: String,
    /// The most streams, or distinct values, allowed at once.
    pub max: u32,
    /// The claim whose value holds instead of `max`, for streams whose credential
    /// carries it.
    pub max_claim: Option<String>,
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
    /// A way out that the viewer is offered.
    pub action: Option<Action>,
}

/// What a rule counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Count {
    /// Streams.
    Streams,
    /// Distinct values of an attribute; streams without it share one value.
    Distinct(String),
}

/// Who gives way.
// Where a start would exceed a rule's limit (contract, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum OnConflict {
    /// The newcomer is refused, nobody else is touched.
    DenyNew,
    /// The newcomer plays, the oldest lose their place.
    StopOldest,
}

/// The stream a rule is asked about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contender<'a> {
    pub(super) key: &'a StreamKey,
    /// Its attributes, those of this event included.
    pub(super) attributes: &'a Attributes,
    /// Its limits, likewise.
    pub(super) limits: &'a Limits,
    /// What an operator has said of its account.
    pub(super) allowance: Option<Allowance>,
    pub(super) standing: ContenderStanding<'a>,
}

impl Contender<'_> {
    /// Its own age; `None` for a newcomer, which is younger than all others.
    pub(super) fn since(&self) -> Option<Since> {
        match self.standing {
            ContenderStanding::New => None,
            ContenderStanding::Known { started_at, .. }
            | ContenderStanding::Revived { started_at } => Some((started_at, *self.key)),
        }
    }
}

/// Where a contender stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum ContenderStanding<'a> {
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
    /// It may not play.
    Deny {
        /// The streams in its way.
        conflicts: Vec<&'a Stream>,
        /// Streams that count as one with it and go with it.
        alike: Vec<&'a Stream>,
    },
    /// It may, if others go.
    Evict(Demand<'a>),
}

/// What counts as one.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Unit<'a> {
    Stream(StreamKey),
    /// All streams that share a value, or lack it.
    Value(Option<&'a str>),
}

/// The age of a unit: when its oldest stream started. What started at the same moment
/// is told apart by key.
pub(super) type Since = (Moment, StreamKey);

/// A contender's unit among the others.
enum ContenderUnit {
    New,
    Revived(Since),
    Held(Since),
}

impl Rule {
    /// The most it allows, to a stream with these limits.
    pub(super) fn max_for(&self, limits: &Limits, allowance: Option<Allowance>) -> u32 {
        let claimed = self
            .max_claim
            .as_ref()
            .and_then(|claim| limits.value(claim));
        match allowance {
            Some(Allowance::Unlimited) => u32::MAX,
            Some(Allowance::Max(max)) if self.counts_all_streams() => max,
            _ => claimed.unwrap_or(self.max),
        }
    }

    /// Whether it counts streams, in one number for the whole account.
    fn counts_all_streams(&self) -> bool {
        self.count == Count::Streams && self.per.is_empty()
    }

    /// Whether it holds for this one whatever the others are, so few are they.
    pub(super) fn holds_among(&self, others: usize, contender: &Contender<'_>) -> bool {
        let max = self.max_for(contender.limits, contender.allowance);
        u32::try_from(others).is_ok_and(|others| others < max)
    }

    /// The rule's answer, given the `others`: live streams its policy sees, oldest first.
    ///
    /// Over the limit, `deny_new` refuses the newest and `stop_oldest` the oldest.
    /// What already holds a place is measured by its age among the others, so after
    /// a limit was lowered exactly the surplus loses its place.
    pub(super) fn says<'a>(
        &self,
        others: impl Iterator<Item = &'a Stream>,
        contender: &Contender<'_>,
    ) -> Says<'a> {
        if !self.target.matches(contender.attributes) {
            return Says::Fine;
        }
        let scope = self.scope_of(contender.attributes);
        // In one piece: growing step by step costs more than looking at them does.
        let mut rivals: Vec<&Stream> = Vec::with_capacity(others.size_hint().1.unwrap_or(0));
        rivals.extend(others.filter(|other| self.looks_at(&other.attributes, &scope)));
        if self.holds_among(rivals.len(), contender) {
            return Says::Fine;
        }
        let (units, contender_unit) = self.units(&rivals, contender);

        let max = self.max_for(contender.limits, contender.allowance);
        let max = usize::try_from(max).unwrap_or(usize::MAX);
        let surplus = units.len().saturating_add(1).saturating_sub(max);
        if surplus == 0 {
            return Says::Fine;
        }
        let older = |than: &Since| units.iter().filter(|(_, since)| since < than).count();
        let streams_of = |units: &[(Unit<'_>, Since)]| -> Vec<&'a Stream> {
            let counts = |stream: &&Stream| {
                let own = self.unit(&stream.key, &stream.attributes);
                units.iter().any(|(unit, _)| *unit == own)
            };
            rivals.iter().copied().filter(counts).collect()
        };
        let deny = || Says::Deny {
            conflicts: streams_of(&units),
            alike: Vec::new(),
        };
        let evict = || {
            Says::Evict(Demand {
                units: units.iter().map(|unit| streams_of(&[*unit])).collect(),
                surplus,
            })
        };
        match (self.on_conflict, contender_unit) {
            (OnConflict::DenyNew, ContenderUnit::New | ContenderUnit::Revived(_)) => deny(),
            (OnConflict::DenyNew, ContenderUnit::Held(since)) if older(&since) >= max => deny(),
            (OnConflict::StopOldest, ContenderUnit::New) if units.len() < surplus => deny(),
            (OnConflict::StopOldest, ContenderUnit::Revived(since)) if older(&since) < surplus => {
                deny()
            }
            // The whole unit goes, or what is left of it would be young and stay.
            (OnConflict::StopOldest, ContenderUnit::Held(since)) if older(&since) < surplus => {
                let own = self.unit(contender.key, contender.attributes);
                Says::Deny {
                    conflicts: streams_of(&units),
                    alike: streams_of(&[(own, since)]),
                }
            }
            (OnConflict::StopOldest, ContenderUnit::New | ContenderUnit::Revived(_)) => evict(),
            (_, ContenderUnit::Held(_)) => Says::Fine,
        }
    }

    /// How many of its places are taken with the contender among the `others`; `None` if it
    /// counts no streams, or does not look at this one.
    pub(super) fn places<'a>(
        &self,
        others: impl Iterator<Item = &'a Stream>,
        contender: &Contender<'_>,
    ) -> Option<Places> {
        if self.count != Count::Streams || !self.target.matches(contender.attributes) {
            return None;
        }
        let max = self.max_for(contender.limits, contender.allowance);
        if max == u32::MAX {
            return None;
        }
        let scope = self.scope_of(contender.attributes);
        let rivals = others.filter(|other| self.looks_at(&other.attributes, &scope));
        let active = rivals.count().saturating_add(1);
        Some(Places {
            active: u32::try_from(active).unwrap_or(u32::MAX),
            max,
        })
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

    /// The units among `rivals` (oldest first) other than the contender's own, oldest
    /// first, and where the contender's own stands among them.
    fn units<'a>(
        &self,
        rivals: &[&'a Stream],
        contender: &Contender<'_>,
    ) -> (Vec<(Unit<'a>, Since)>, ContenderUnit) {
        let mut units: Vec<(Unit<'_>, Since)> = Vec::with_capacity(rivals.len());
        let mut shared: Option<Since> = None;
        let own = self.unit(contender.key, contender.attributes);
        for rival in rivals {
            let unit = self.unit(&rival.key, &rival.attributes);
            let since = (rival.started_at, rival.key);
            if unit == own {
                shared = shared.or(Some(since));
            } else if !units.iter().any(|(known, _)| *known == unit) {
                units.push((unit, since));
            }
        }
        let own = match contender.standing {
            ContenderStanding::Known { started_at, before }
                if self.counted_alike(before, contender) =>
            {
                ContenderUnit::Held((started_at, *contender.key))
            }
            ContenderStanding::Revived { started_at } => {
                ContenderUnit::Revived((started_at, *contender.key))
            }
            ContenderStanding::Known { .. } | ContenderStanding::New => ContenderUnit::New,
        };
        let contender_unit = match (own, shared) {
            (ContenderUnit::Held(own), Some(shared)) => ContenderUnit::Held(own.min(shared)),
            (_, Some(shared)) => ContenderUnit::Held(shared),
            (own, None) => own,
        };
        (units, contender_unit)
    }

    /// Whether a live stream was counted with the same others before this event. One
    /// that comes over from another scope or value is a newcomer among these.
    fn counted_alike(&self, before: &Attributes, contender: &Contender<'_>) -> bool {
        let unit = |attributes| self.unit(contender.key, attributes);
        unit(before) == unit(contender.attributes)
            && self.looks_at(before, &self.scope_of(contender.attributes))
    }

    /// What a stream counts as.
    fn unit<'a>(&self, key: &StreamKey, attributes: &'a Attributes) -> Unit<'a> {
        match &self.count {
            Count::Streams => Unit::Stream(*key),
            Count::Distinct(name) => Unit::Value(attributes.known(name)),
        }
    }

    /// The values per which a stream is counted.
    fn scope_of<'a>(&self, attributes: &'a Attributes) -> Vec<Option<&'a str>> {
        let scope = self.per.iter().map(|name| attributes.known(name));
        scope.collect()
    }

    /// Whether a stream with these attributes is counted in this scope.
    fn looks_at(&self, attributes: &Attributes, scope: &[Option<&str>]) -> bool {
        let mut scope = self.per.iter().zip(scope);
        scope.all(|(name, wanted)| attributes.known(name) == *wanted)
            && self.target.matches(attributes)
    }
}

/// The device a stream is on, if that is known.
pub(super) fn device(attributes: &Attributes) -> Option<&str> {
    attributes.known(DEVICE_ID)
}
