//! One account on which much is going on: twenty live streams of four applications,
//! ten policies of five rules each, all of which apply to the stream that is judged.
//!
//! Every limit is as tight as it may be for that stream to play. A policy sees 12.5 of
//! the streams on average; every second one is about what the stream is not.

use streamgate_policy::activity::Liveness;
use streamgate_policy::activity::{Activity, Stream};
use streamgate_policy::{
    Comparison, Condition, Count, Event, Judgement, Message, Mode, OnConflict, Play, Policy,
    PolicyBook, Recall, Rule, Target, Test, Unknown, judge,
};
use streamgate_values::attributes::Attributes;
use streamgate_values::limits::Limits;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

const NOW: Moment = Moment::from_ms(1_893_499_200_000);
const TIMEOUT_MS: u64 = 90_000;
const POLICIES: usize = 10;
/// Live streams; the next one is to start.
const STREAMS: u8 = 20;
/// One of them, of the application that lists all policies.
const OLD: u8 = 12;

/// The account and what it is judged by.
pub(crate) struct Crowd {
    book: PolicyBook,
    /// What plays before the event.
    pub(crate) activity: Activity,
}

impl Crowd {
    /// With this many applications configured. The first lists all policies, others
    /// every second one.
    pub(crate) fn new(applications: usize) -> Self {
        let mut book = PolicyBook::new(64);
        let name = |n: usize| format!("policy-{n}");
        for n in 0..POLICIES {
            book.add_policy(policy(&name(n), n % 2 == 0));
        }
        for n in 0..applications {
            let id = format!("application-{n}");
            let listed = (0..POLICIES).filter(|policy| n == 0 || (n + policy) % 2 == 0);
            let listed: Vec<String> = listed.map(name).collect();
            book.add_application(&id, &id, "tenant", &listed).unwrap();
        }
        let streams = (0..STREAMS).map(stream).collect();
        Self {
            book,
            activity: Activity {
                streams,
                ..Activity::default()
            },
        }
    }

    /// A stream more wants to start, and may.
    pub(crate) fn start(&self) -> Event {
        self.play(STREAMS, Unknown::IsNew, attributes(STREAMS))
    }

    /// A live stream gives a sign of life.
    pub(crate) fn sign_of_life(&self) -> Event {
        self.play(OLD, Unknown::Starts, Attributes::default())
    }

    fn play(&self, n: u8, unknown: Unknown, attributes: Attributes) -> Event {
        Event::Play(Play {
            stream: key(n),
            application: self.book.application(&application(n)).unwrap().clone(),
            attributes,
            terminate: Vec::new(),
            timeout_ms: TIMEOUT_MS,
            buffer_ms: 0,
            renew_below_ms: u64::MAX,
            unknown,
            limits: Limits::default(),
            liveness: Liveness::Any,
            recurring: false,
            is_call: unknown == Unknown::IsNew,
            sharing: None,
        })
    }

    /// What is measured.
    pub(crate) fn judge(&self, activity: &mut Activity, event: &Event) -> Judgement {
        let recall = Recall {
            watermark: Moment::EARLIEST,
            memory_since: Moment::EARLIEST,
        };
        judge(activity, event, &self.book, &recall, NOW)
    }
}

/// Five rules. The one that is `about_live` sees the ten live streams; the other sees
/// fifteen of both kinds.
fn policy(name: &str, about_live: bool) -> Policy {
    let (seen, kind, bitrate) = if about_live {
        (10, "live", 4000.0)
    } else {
        (15, "vod", 8000.0)
    };
    let plain = |name: &str, max| Rule {
        name: name.to_owned(),
        max,
        max_claim: None,
        action: None,
        count: Count::Streams,
        per: Vec::new(),
        target: Target::default(),
        on_conflict: OnConflict::DenyNew,
        same_device_replaces: true,
        message: Message::plain("Too many streams on this account"),
    };
    let when = |attribute: &str, test| {
        let attribute = attribute.to_owned();
        Target(vec![Condition { attribute, test }])
    };
    let text = |text: &str| vec![text.to_owned()];
    let (per_channel, per_type) = (text("channel"), text("deviceType"));
    let rules = vec![
        plain("streams", seen + 1),
        Rule {
            count: Count::Distinct("deviceId".to_owned()),
            same_device_replaces: false,
            on_conflict: OnConflict::StopOldest,
            ..plain("devices", seen + 1)
        },
        Rule {
            per: per_channel,
            ..plain("streams of a channel", 3)
        },
        Rule {
            target: when("contentType", Test::AnyOf(text(kind))),
            on_conflict: OnConflict::StopOldest,
            ..plain("live streams", 11)
        },
        Rule {
            count: Count::Distinct("zipcode".to_owned()),
            per: per_type,
            target: when("bitrate", Test::Number(Comparison::AtLeast, bitrate)),
            same_device_replaces: false,
            ..plain("places with fast streams", 3)
        },
    ];
    Policy {
        name: name.to_owned(),
        mode: Mode::Enforce,
        rules,
    }
}

fn stream(n: u8) -> Stream {
    let started_at = Moment::from_ms(NOW.as_ms() - 1_000 * u64::from(STREAMS - n));
    Stream {
        application: application(n),
        started_at,
        lapses_at: started_at.plus_ms(TIMEOUT_MS),
        attributes: attributes(n),
        ..Stream::unplayed(key(n))
    }
}

fn key(n: u8) -> StreamKey {
    StreamKey::mint(NOW, [n; StreamKey::RANDOM_LEN])
}

fn application(n: u8) -> String {
    format!("application-{}", n % 4)
}

fn attributes(n: u8) -> Attributes {
    let mut attributes = Attributes::default();
    attributes.set("deviceId", format!("0f5c2a6e-device-{n}"));
    attributes.set("deviceName", format!("Device {n}"));
    attributes.set("deviceType", ["tv", "phone"][usize::from(n) / 2 % 2]);
    attributes.set("channel", format!("News {}", n % 10));
    attributes.set("contentType", ["live", "vod"][usize::from(n) % 2]);
    attributes.set("bitrate", ["6000", "3000"][usize::from(n) % 2]);
    attributes.set("zipcode", format!("1010{}", n % 3));
    attributes
}
