//! What [`judge()`] promises, one promise a test.

mod attributes;
mod calls;
mod claims;
mod clocks;
mod distinct;
mod effects;
mod endings;
mod exceptions;
mod facts;
mod fewest;
mod lasting;
mod life;
mod limits;
mod liveness;
mod lowered;
mod monitor;
mod places;
mod player_first;
mod recurring;
#[cfg(not(target_arch = "wasm32"))]
mod reference;
mod regroup;
mod release;
mod restart;
mod retry;
mod same_device;
mod scope;
mod session_again;
mod session_player;
mod several_policies;
mod shared;
mod target;
mod termination;
mod worked_cases;

use hashbrown::HashMap;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use crate::activity::{Activity, Stream, Terminator};
use crate::testing::{NOW, book, key, limit, play};
use crate::{
    Breach, Count, Event, Judgement, OnConflict, Play, Plays, Policy, PolicyBook, Recall, Refused,
    Rule, Unknown, Verdict, judge,
};

/// One subject's activity, with the time and the book it is judged by.
struct Account {
    book: PolicyBook,
    activity: Activity,
    memory_since: Moment,
    /// As its neighbours in the slot have moved it.
    watermark: Moment,
    now: Moment,
    /// Which application minted which stream.
    minted: HashMap<StreamKey, String>,
}

impl Account {
    fn new(book: PolicyBook) -> Self {
        Self {
            book,
            activity: Activity::default(),
            memory_since: NOW,
            watermark: Moment::EARLIEST,
            now: NOW,
            minted: HashMap::new(),
        }
    }

    /// A key for a stream of `application`, issued a second from the last one. Their
    /// termination codes are `a1a1a1a1`, `a2a2a2a2` and so on.
    fn mint(&mut self, application: &str) -> StreamKey {
        self.later(1_000);
        let n = u8::try_from(0xa1 + self.minted.len()).unwrap();
        let stream = key(n, self.now);
        self.minted.insert(stream, application.to_owned());
        stream
    }

    /// A new stream of `application` wants to start.
    fn start(&mut self, application: &str) -> (StreamKey, Verdict) {
        self.start_killing(application, &[])
    }

    /// A new stream wants to start in the place of those with these codes.
    fn start_killing(&mut self, application: &str, codes: &[&str]) -> (StreamKey, Verdict) {
        let stream = self.mint(application);
        let codes = codes.iter().map(|&code| code.to_owned()).collect();
        let verdict = self.wants_to_play(stream, Unknown::IsNew, |play| play.terminate = codes);
        (stream, verdict)
    }

    /// A new stream with these attributes wants to start.
    fn start_with(
        &mut self,
        application: &str,
        attributes: &[(&str, &str)],
    ) -> (StreamKey, Verdict) {
        let stream = self.mint(application);
        let verdict = self.wants_to_play(stream, Unknown::IsNew, |play| {
            set_all(play, attributes);
        });
        (stream, verdict)
    }

    /// A new stream with these attributes starts.
    #[track_caller]
    fn starts_with(&mut self, application: &str, attributes: &[(&str, &str)]) -> StreamKey {
        let (stream, verdict) = self.start_with(application, attributes);
        plays(verdict);
        stream
    }

    /// A heartbeat that gives these attributes.
    fn heartbeat_with(&mut self, stream: StreamKey, attributes: &[(&str, &str)]) -> Verdict {
        self.wants_to_play(stream, Unknown::IsOver, |play| {
            play.is_call = true;
            set_all(play, attributes);
        })
    }

    /// A media request from whose path these attributes are read.
    fn media_with(&mut self, stream: StreamKey, attributes: &[(&str, &str)]) -> Verdict {
        self.wants_to_play(stream, Unknown::Starts, |play| set_all(play, attributes))
    }

    /// A new stream starts, and nothing is in its way.
    fn starts(&mut self, application: &str) -> StreamKey {
        let (stream, verdict) = self.start(application);
        plays(verdict);
        stream
    }

    fn heartbeat(&mut self, stream: StreamKey) -> Verdict {
        self.heartbeat_with(stream, &[])
    }

    /// A media request where streams start implicitly.
    fn media(&mut self, stream: StreamKey) -> Verdict {
        self.wants_to_play(stream, Unknown::Starts, |_| {})
    }

    fn stop(&mut self, stream: StreamKey) -> Verdict {
        let application = self.minted[&stream].clone();
        self.stop_as(&application, stream)
    }

    /// An application, perhaps another one, stops the stream.
    fn stop_as(&mut self, application: &str, stream: StreamKey) -> Verdict {
        self.decide(|book| Event::Stop {
            stream,
            application: book.application(application).unwrap().clone(),
        })
    }

    /// The stream's player pauses.
    fn release(&mut self, stream: StreamKey) -> Verdict {
        let application = self.minted[&stream].clone();
        self.release_as(&application, stream)
    }

    /// The same under an application, perhaps another one.
    fn release_as(&mut self, application: &str, stream: StreamKey) -> Verdict {
        self.decide(|book| Event::Release {
            stream,
            application: book.application(application).unwrap().clone(),
        })
    }

    /// A stream that was minted here wants to play, with something else than usual.
    fn wants_to_play(
        &mut self,
        stream: StreamKey,
        unknown: Unknown,
        set: impl FnOnce(&mut Play),
    ) -> Verdict {
        let application = self.minted[&stream].clone();
        self.decide(|book| {
            let mut play = play(book, &application, stream, unknown);
            set(&mut play);
            Event::Play(play)
        })
    }

    /// Judges, and holds what the judgement says of the activity against the activity.
    fn decide(&mut self, event: impl FnOnce(&PolicyBook) -> Event) -> Verdict {
        self.judgement(event).verdict
    }

    /// The same with all that is said besides the verdict.
    fn judgement(&mut self, event: impl FnOnce(&PolicyBook) -> Event) -> Judgement {
        self.activity.prune(self.now);
        let recall = Recall {
            watermark: self.activity.watermark.max(self.watermark),
            memory_since: self.memory_since,
        };
        let before = self.activity.clone();
        let event = event(&self.book);
        let judgement = judge(&mut self.activity, &event, &self.book, &recall, self.now);

        let streams = &before.streams;
        let gone = |key: &StreamKey| self.activity.stream(key).is_none();
        let silenced = streams.iter().any(|stream| gone(&stream.key));
        assert_eq!(judgement.silenced, silenced);
        let ended = streams.iter().filter(|stream| gone(&stream.key));
        let lasted = |stream: &Stream| self.now.ms_since(stream.began_at);
        let mut lasted: Vec<u64> = ended.map(lasted).collect();
        let told = &judgement.effects.ended;
        let by_rule = told.iter().filter(|end| !end.rule.is_empty()).count();
        assert_eq!(by_rule, judgement.evicted);
        let mut told: Vec<u64> = told.iter().map(|end| end.lasted_ms).collect();
        lasted.sort_unstable();
        told.sort_unstable();
        assert_eq!(told, lasted);
        assert!(judgement.changed || self.activity == before);
        judgement
    }

    fn later(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
    }

    /// Envoy restarts: what was on record is lost.
    fn restart(&mut self) {
        self.activity = Activity::default();
        self.memory_since = self.now;
    }

    /// The live streams, oldest first.
    fn live(&mut self) -> Vec<StreamKey> {
        self.activity.prune(self.now);
        keys(&self.activity.streams)
    }
}

fn set_all(play: &mut Play, attributes: &[(&str, &str)]) {
    for (name, value) in attributes {
        play.attributes.set(*name, *value);
    }
}

/// An id from outside, as of a player's `sid`, of a stream of `app`.
fn from_outside(account: &mut Account, n: u8) -> StreamKey {
    let stream = StreamKey::external([n; 16]);
    account.minted.insert(stream, "app".to_owned());
    stream
}

/// An account of `app` and `other`, which list one policy of these rules.
fn account_under(rules: Vec<Rule>) -> Account {
    Account::new(book_of(rules))
}

fn book_of(rules: Vec<Rule>) -> PolicyBook {
    let policy = Policy {
        rules,
        ..limit("P", 0, OnConflict::DenyNew)
    };
    book(vec![policy], &[("app", &["P"]), ("other", &["P"])])
}

/// At most `max` streams; a device may have several.
fn streams(max: u32, on_conflict: OnConflict) -> Rule {
    let policy = limit("P", max, on_conflict);
    Rule {
        same_device_replaces: false,
        ..policy.rules[0].clone()
    }
}

/// At most `max` values of an attribute.
fn distinct(attribute: &str, max: u32, on_conflict: OnConflict) -> Rule {
    Rule {
        count: Count::Distinct(attribute.to_owned()),
        ..streams(max, on_conflict)
    }
}

/// The rule, per value of these attributes.
fn per(attributes: &[&str], rule: Rule) -> Rule {
    Rule {
        per: attributes.iter().map(|&name| name.to_owned()).collect(),
        ..rule
    }
}

/// The rule under another name.
fn named(name: &str, rule: Rule) -> Rule {
    Rule {
        name: name.to_owned(),
        ..rule
    }
}

fn keys(streams: &[crate::activity::Stream]) -> Vec<StreamKey> {
    let mut sorted: Vec<_> = streams.iter().collect();
    sorted.sort_by_key(|stream| (stream.started_at, stream.key));
    sorted.into_iter().map(|stream| stream.key).collect()
}

#[track_caller]
fn plays(verdict: Verdict) -> Plays {
    match verdict {
        Verdict::Plays(plays) => plays,
        other => panic!("should play: {other:?}"),
    }
}

/// The rules that forbid it now.
#[track_caller]
fn conflict(verdict: Verdict) -> Vec<Breach> {
    match verdict {
        Verdict::Refused(Refused::Conflict(breaches)) => breaches,
        other => panic!("should be a conflict: {other:?}"),
    }
}

/// The rule that took its place away.
#[track_caller]
fn evicted(verdict: Verdict) -> Breach {
    match verdict {
        Verdict::Refused(Refused::Evicted(breach)) => *breach,
        other => panic!("should have been evicted: {other:?}"),
    }
}

/// What was started in its place.
#[track_caller]
fn killed(verdict: Verdict) -> Terminator {
    match verdict {
        Verdict::Refused(Refused::Killed(by)) => by,
        other => panic!("should have been killed: {other:?}"),
    }
}

#[track_caller]
fn over(verdict: Verdict) {
    assert_eq!(verdict, Verdict::Refused(Refused::Over));
}
