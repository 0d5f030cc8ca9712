//! Random days.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::Index;
use streamgate_policy::activity::{ENDED_KEPT_MS, Liveness, Stream};
use streamgate_policy::{
    Application, Condition, Count, Event, OnConflict, Policy, PolicyBook, Refused, Rule, Target,
    Test, Unknown, Verdict,
};
use streamgate_values::attributes::Attributes;
use streamgate_values::stream_key::StreamKey;

use super::super::test_edge::{EMPTY_SLOT, TestEdge};
use super::super::watermarks::{WATERMARK_KEPT_MS, WATERMARKS_MAX};
use super::model::{Given, Limit, Wish, claim_of};
use super::{Model, Outcome};
use crate::ports::Clock;
use crate::testing::{NOW, TIMEOUT_MS, book, limit, play};

const SUBJECTS: u8 = 5;
const SLOTS: u32 = 2;
const APPLICATIONS: [&str; 3] = ["app", "both", "other"];

/// Attributes that streams have or change, with their values.
const ATTRIBUTES: [(&str, [&str; 3]); 3] = [
    ("deviceId", ["tv", "phone", "tablet"]),
    ("deviceType", ["big", "small", "tiny"]),
    ("contentType", ["live", "vod", "event"]),
];

/// The claim by which a credential carries a limit.
const CLAIM: &str = "climit";

/// Streams, whatever they are.
const PLAIN: Limit = Limit {
    name: "",
    max: 0,
    on_conflict: OnConflict::DenyNew,
    distinct: None,
    per: None,
    when: None,
    replaces: false,
    by_claim: false,
    listed_by: &APPLICATIONS,
};

/// As in the worked cases, with a little more room, and one policy for all; then
/// some that look at what streams are.
const LIMITS: [Limit; 8] = [
    Limit {
        name: "P1",
        max: 3,
        on_conflict: OnConflict::StopOldest,
        listed_by: &["app", "both"],
        ..PLAIN
    },
    Limit {
        name: "P2",
        max: 4,
        replaces: true,
        listed_by: &["both", "other"],
        ..PLAIN
    },
    Limit {
        name: "P3",
        max: 5,
        on_conflict: OnConflict::StopOldest,
        ..PLAIN
    },
    Limit {
        name: "devices",
        max: 2,
        on_conflict: OnConflict::StopOldest,
        distinct: Some("deviceId"),
        listed_by: &["app", "other"],
        ..PLAIN
    },
    Limit {
        name: "per type",
        max: 2,
        per: Some("deviceType"),
        listed_by: &["both", "other"],
        ..PLAIN
    },
    Limit {
        name: "live",
        max: 1,
        on_conflict: OnConflict::StopOldest,
        when: Some(("contentType", "live")),
        replaces: true,
        ..PLAIN
    },
    Limit {
        name: "types of a device",
        max: 1,
        distinct: Some("deviceType"),
        per: Some("deviceId"),
        when: Some(("contentType", "event")),
        ..PLAIN
    },
    Limit {
        name: "package",
        max: 1,
        by_claim: true,
        listed_by: &["both", "other"],
        ..PLAIN
    },
];

fn policy(of: &Limit) -> Policy {
    let policy = limit(of.name, u32::try_from(of.max).unwrap(), of.on_conflict);
    let condition = |(name, value): (&str, &str)| Condition {
        attribute: name.to_owned(),
        test: Test::AnyOf(vec![value.to_owned()]),
    };
    Policy {
        rules: vec![Rule {
            count: of
                .distinct
                .map_or(Count::Streams, |name| Count::Distinct(name.to_owned())),
            per: of.per.iter().map(|&name| name.to_owned()).collect(),
            target: Target(of.when.map(condition).into_iter().collect()),
            same_device_replaces: of.replaces,
            max_claim: of.by_claim.then(|| CLAIM.to_owned()),
            ..policy.rules[0].clone()
        }],
        ..policy
    }
}

fn the_book() -> PolicyBook {
    let listed = APPLICATIONS.map(|id| {
        let listed = LIMITS.iter().filter(|limit| limit.lists(id));
        listed.map(|limit| limit.name).collect::<Vec<_>>()
    });
    let applications: Vec<_> = APPLICATIONS
        .into_iter()
        .zip(listed.iter().map(Vec::as_slice))
        .collect();
    book(LIMITS.iter().map(policy).collect(), &applications)
}

/// Something that happens on a day. An [`Index`] picks one of the streams so far.
#[derive(Debug, Clone)]
enum Step {
    /// A stream gets its key.
    Mint {
        subject: u8,
        application: usize,
        from: Source,
    },
    /// A stream is created, in the place of others.
    Create {
        subject: u8,
        application: usize,
        given: Given,
        kill: Vec<Index>,
    },
    /// With what the path says of it; and whether only media counts on that path.
    Media(Index, Given, bool),
    Heartbeat(Index, Given),
    Stop(Index),
    Pause(Index),
    Advance(u64),
    Sweep,
    Restart,
}

/// Where a stream's key comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Source {
    /// A new session, or a redirect.
    Edge,
    /// A player's `sid`.
    Playback,
    /// The id of a device.
    Device,
}

/// Some attributes; each with this probability.
fn given(probability: f64) -> impl Strategy<Value = Given> {
    let one = (prop::bool::weighted(probability), 0..3_usize);
    prop::array::uniform3(one).prop_map(|chosen| {
        let chosen = ATTRIBUTES.into_iter().zip(chosen);
        let chosen = chosen.filter(|(_, (is_given, _))| *is_given);
        chosen
            .map(|((name, values), (_, value))| (name, values[value]))
            .collect()
    })
}

fn step(restarts: bool) -> impl Strategy<Value = Step> {
    let index = any::<Index>;
    let who = || (0..SUBJECTS, 0..APPLICATIONS.len());
    let pause = prop_oneof![
        4 => 0..TIMEOUT_MS / 2,
        2 => TIMEOUT_MS / 2..TIMEOUT_MS * 2,
        1 => Just(ENDED_KEPT_MS),
    ];
    let source = prop_oneof![
        6 => Just(Source::Edge),
        1 => Just(Source::Playback),
        1 => Just(Source::Device),
    ];
    prop_oneof![
        2 => (who(), source).prop_map(|((subject, application), from)| {
            Step::Mint { subject, application, from }
        }),
        7 => (who(), given(0.8), prop::collection::vec(index(), 0..3)).prop_map(
            |((subject, application), given, kill)| {
                Step::Create { subject, application, given, kill }
            }
        ),
        6 => (index(), given(0.3), prop::bool::weighted(0.2))
            .prop_map(|(index, given, by_media)| Step::Media(index, given, by_media)),
        4 => (index(), given(0.2)).prop_map(|(index, given)| Step::Heartbeat(index, given)),
        2 => index().prop_map(Step::Stop),
        2 => index().prop_map(Step::Pause),
        3 => pause.prop_map(Step::Advance),
        1 => Just(Step::Sweep),
        u32::from(restarts) => Just(Step::Restart),
    ]
}

fn day(restarts: bool) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(restarts), 1..100)
}

/// A stream as its player knows it. Its place in the list is its number in the model.
struct Player {
    subject: u8,
    application: &'static str,
    key: StreamKey,
    from: Source,
}

/// What a player does.
enum Act {
    Play(Playing),
    Stop(usize),
    Pause(usize),
}

/// A start or a sign of life.
struct Playing {
    number: usize,
    unknown: Unknown,
    given: Given,
    kill: Vec<usize>,
    by_media: bool,
}

impl Playing {
    fn new(number: usize, unknown: Unknown) -> Self {
        Self {
            number,
            unknown,
            given: Given::new(),
            kill: Vec::new(),
            by_media: false,
        }
    }

    /// A heartbeat never starts anything, but may resume what paused.
    fn beats(&self) -> bool {
        self.unknown == Unknown::IsOver
    }
}

/// An edge and all its players.
struct Day {
    edge: TestEdge,
    players: Vec<Player>,
}

impl Day {
    fn new() -> Self {
        let mut edge = TestEdge::new(SLOTS, the_book());
        edge.records.max_streams = 10_000;
        Self {
            edge,
            players: Vec::new(),
        }
    }

    /// Lets happen what is no player's doing, and says what a player does now.
    fn comes_to(&mut self, step: &Step) -> Option<Act> {
        // No two streams start in the same moment, so that the model knows their order.
        self.edge.host.advance_ms(1);
        match step {
            Step::Mint {
                subject,
                application,
                from,
            } => {
                self.arrives(*subject, *application, *from);
                None
            }
            Step::Create {
                subject,
                application,
                given,
                kill,
            } => {
                let number = self.arrives(*subject, *application, Source::Edge);
                Some(Act::Play(Playing {
                    given: given.clone(),
                    kill: kill.iter().filter_map(|index| self.pick(*index)).collect(),
                    ..Playing::new(number, Unknown::IsNew)
                }))
            }
            Step::Media(index, given, by_media) => Some(Act::Play(Playing {
                given: given.clone(),
                by_media: *by_media,
                ..Playing::new(self.pick(*index)?, Unknown::Starts)
            })),
            Step::Heartbeat(index, given) => Some(Act::Play(Playing {
                given: given.clone(),
                ..Playing::new(self.pick(*index)?, Unknown::IsOver)
            })),
            Step::Stop(index) => Some(Act::Stop(self.pick(*index)?)),
            Step::Pause(index) => Some(Act::Pause(self.pick(*index)?)),
            Step::Advance(ms) => {
                self.edge.host.advance_ms(*ms);
                None
            }
            Step::Sweep => {
                self.edge.sweep_once();
                None
            }
            Step::Restart => {
                self.edge.restart();
                None
            }
        }
    }

    fn pick(&self, index: Index) -> Option<usize> {
        (!self.players.is_empty()).then(|| index.index(self.players.len()))
    }

    fn arrives(&mut self, subject: u8, application: usize, from: Source) -> usize {
        let number = self.players.len();
        let key = if from == Source::Edge {
            self.edge.mint()
        } else {
            // From the other end than the minted ones, or termination codes would meet.
            let hash = (u128::MAX - number as u128).to_be_bytes();
            StreamKey::external(hash)
        };
        self.players.push(Player {
            subject,
            application: APPLICATIONS[application],
            key,
            from,
        });
        number
    }

    fn plays(&self, playing: &Playing) -> Verdict {
        let player = &self.players[playing.number];
        let book = &self.edge.records.book;
        let mut play = play(book, player.application, player.key, playing.unknown);
        for (name, value) in &playing.given {
            play.attributes.set(*name, *value);
        }
        play.terminate = playing
            .kill
            .iter()
            .map(|victim| self.players[*victim].key.termination_code())
            .collect();
        play.recurring = player.from == Source::Device;
        if playing.by_media {
            play.liveness = Liveness::Media;
        }
        if playing.beats() {
            // It carries no credential: what is on record holds.
            play.is_call = true;
        } else {
            let allowed = u32::try_from(claim_of(player.subject)).unwrap();
            play.limits.set(CLAIM, allowed);
        }
        let decided = self.edge.decide(player.subject, &Event::Play(play));
        decided.unwrap().verdict
    }

    fn stops(&self, number: usize) -> bool {
        self.ends(number, |stream, application| Event::Stop {
            stream,
            application,
        })
    }

    fn pauses(&self, number: usize) -> bool {
        self.ends(number, |stream, application| Event::Release {
            stream,
            application,
        })
    }

    fn ends(
        &self,
        number: usize,
        event: impl FnOnce(StreamKey, Arc<Application>) -> Event,
    ) -> bool {
        let player = &self.players[number];
        let application = self.edge.records.book.application(player.application);
        let event = event(player.key, application.unwrap().clone());
        let decided = self.edge.decide(player.subject, &event);
        decided.unwrap().verdict == Verdict::Stopped
    }

    /// A player's stream as it was when it paused, if that is remembered.
    fn paused(&self, number: usize) -> Option<Stream> {
        let player = &self.players[number];
        self.edge.released(player.subject, &player.key)
    }

    /// The numbers of a subject's live streams.
    fn live(&self, of: u8) -> Vec<usize> {
        let number = |key| self.players.iter().position(|player| player.key == key);
        let live = self.edge.live(of).into_iter();
        let mut live: Vec<_> = live.map(|key| number(key).unwrap()).collect();
        live.sort_unstable();
        live
    }

    /// No rule counts more than it allows, and the gauge is true.
    fn assert_in_order(&self) {
        for of in 0..SUBJECTS {
            let streams = self.edge.streams(of);
            for limit in LIMITS {
                let mut groups: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
                for (number, stream) in streams.iter().enumerate() {
                    let given = known(&stream.attributes);
                    if limit.lists(&stream.application) && limit.matches(&given) {
                        let units = groups.entry(limit.group(&given)).or_default();
                        units.insert(limit.unit(number, &given));
                    }
                }
                for (group, units) in groups {
                    let counted = units.len();
                    let max = limit.max_of(of);
                    assert!(counted <= max, "{} {group:?}: {units:?}", limit.name);
                }
            }
        }
        self.edge.assert_gauge_is_true();
    }
}

/// Attributes as the model knows them.
fn known(attributes: &Attributes) -> Given {
    let pairs = ATTRIBUTES.into_iter().filter_map(|(name, values)| {
        let found = attributes.value(name)?;
        let value = values.into_iter().find(|value| *value == found)?;
        Some((name, value))
    });
    pairs.collect()
}

/// Gives every step to the edge and to the model, and holds them against each other.
struct Twin {
    day: Day,
    model: Model,
}

impl Twin {
    fn new() -> Self {
        Self {
            day: Day::new(),
            model: Model::new(&LIMITS),
        }
    }

    fn takes(&mut self, step: &Step) {
        let act = self.day.comes_to(step);
        let ms = self.day.edge.host.now().ms_since(NOW);
        self.model.advance(ms - self.model.now);
        match act {
            Some(Act::Play(playing)) => self.plays(&playing),
            Some(Act::Stop(number)) => {
                assert_eq!(self.day.stops(number), self.model.stop(number));
            }
            Some(Act::Pause(number)) => {
                assert_eq!(self.day.pauses(number), self.model.release(number));
            }
            None => {}
        }
    }

    fn plays(&mut self, playing: &Playing) {
        let number = playing.number;
        let was_live = self.model.is_live(number);
        let paused = self.day.paused(number);
        assert!(!(was_live && paused.is_some()));
        let lives_by_media = |stream: &Stream| stream.liveness == Liveness::Media;
        let by_media = paused.as_ref().is_some_and(lives_by_media);

        let verdict = self.day.plays(playing);
        if matches!(verdict, Verdict::Refused(Refused::MissingAttributes(_))) {
            assert!(playing.beats());
            return;
        }
        if playing.beats() && !was_live && (paused.is_none() || by_media) {
            assert!(
                matches!(verdict, Verdict::Refused(_)),
                "{number}: {verdict:?}"
            );
            return;
        }
        let player = &self.day.players[number];
        if player.from == Source::Device {
            self.model.forgive_if_due(number);
        }
        if playing.unknown == Unknown::Starts {
            // Who lapsed and returns may find that the slot has forgotten too much to
            // be sure that it was not ended; the model forgets nothing.
            let is_over = verdict == Verdict::Refused(Refused::Over);
            if is_over && player.key.issued_at().is_some() {
                assert!(!was_live && paused.is_none());
                return;
            }
            // An id from outside does not tell its age: no watermark holds it back.
            if player.key.issued_at().is_none() && matches!(verdict, Verdict::Plays(_)) {
                self.model.forget_if_old(number);
            }
        }
        // What paused comes back as what it was.
        let mut given = paused.map_or_else(Given::new, |stream| known(&stream.attributes));
        given.extend(&playing.given);
        let outcome = self.model.play(Wish {
            number,
            subject: player.subject,
            application: player.application,
            given,
            kill: &playing.kill,
            beats: playing.beats(),
            by_media: by_media || playing.by_media,
        });
        match (&verdict, outcome) {
            (Verdict::Plays(plays), Outcome::Plays) => assert_eq!(plays.started, !was_live),
            (Verdict::Refused(Refused::Conflict(_)), Outcome::Conflict)
            | (Verdict::Refused(_), Outcome::Tombstone) => {}
            other => panic!("{number}: {other:?}"),
        }
    }

    fn compare(&self) {
        for of in 0..SUBJECTS {
            let expected: Vec<_> = self.model.live_of(of).into_iter().collect();
            assert_eq!(self.day.live(of), expected, "subject {of}");
        }
    }
}

proptest! {
    #[test]
    fn the_edge_does_what_the_rules_say(steps in day(false)) {
        let mut twin = Twin::new();
        for step in &steps {
            twin.takes(step);
            twin.compare();
            twin.day.assert_in_order();
        }
    }

    #[test]
    fn restarts_let_no_more_play_than_may_and_nobody_come_back_late(steps in day(true)) {
        let mut day = Day::new();
        let mut restarted_at = NOW;
        for step in &steps {
            let act = day.comes_to(step);
            let now = day.edge.host.now();
            if matches!(step, Step::Restart) {
                restarted_at = now;
            }
            match act {
                Some(Act::Play(playing)) => {
                    let number = playing.number;
                    let paused = day.paused(number).is_some();
                    let verdict = day.plays(&playing);
                    let issued_at = day.players[number].key.issued_at();
                    let is_late = issued_at.is_some_and(|at| at < restarted_at)
                        && now > restarted_at.plus_ms(TIMEOUT_MS);
                    let started = matches!(verdict, Verdict::Plays(plays) if plays.started);
                    prop_assert!(!(is_late && started && !paused), "{number}");
                }
                Some(Act::Stop(number)) => {
                    day.stops(number);
                }
                Some(Act::Pause(number)) => {
                    day.pauses(number);
                }
                None => {}
            }
            day.assert_in_order();
        }
    }

    #[test]
    fn a_day_leaves_nothing_behind_and_nobody_comes_back(steps in day(false)) {
        let mut twin = Twin::new();
        steps.iter().for_each(|step| twin.takes(step));

        twin.day.edge.host.advance_ms(TIMEOUT_MS + ENDED_KEPT_MS);
        twin.day.edge.sweep_all();
        twin.day.edge.host.advance_ms(WATERMARK_KEPT_MS);
        twin.day.edge.sweep_all();
        prop_assert_eq!(twin.day.edge.host.live(), 0);
        for slot in 0..SLOTS {
            prop_assert!(twin.day.edge.stored(slot).len() <= EMPTY_SLOT);
        }
        for end in &twin.model.ended {
            if twin.day.players[end.number].key.issued_at().is_some() {
                let over = Verdict::Refused(Refused::Over);
                let late = Playing::new(end.number, Unknown::Starts);
                prop_assert_eq!(twin.day.plays(&late), over);
            }
        }
    }

    #[test]
    fn memory_follows_the_live_streams_and_not_all_that_ever_were(
        starts in prop::collection::vec((any::<u8>(), any::<bool>()), 1..150)
    ) {
        let mut edge = TestEdge::with_limit(1, OnConflict::StopOldest);
        edge.records.max_streams = 10_000;
        for (of, stops) in starts {
            edge.host.advance_ms(1_000);
            let stream = edge.starts(of);
            if stops {
                edge.stop(of, stream);
            }
            // Of any age: a live stream, and all the ended ones its subject may have.
            const RECORD: usize = 600;
            const RESTING_RECORDS: usize = 8;
            let live = usize::try_from(edge.host.live()).unwrap();
            let bytes = edge.stored(0).len();
            let bound = (live + RESTING_RECORDS) * RECORD + WATERMARKS_MAX * 14;
            prop_assert!(bytes <= bound, "{bytes} for {live}");
        }
    }
}
