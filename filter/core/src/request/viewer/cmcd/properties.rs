//! What no bytes can do to the reader, and what every well-formed dictionary yields.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;
use crate::testing::Headers;

/// A string as Structured Fields write it.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

fn said() -> impl Strategy<Value = Cmcd> {
    let states = ["s", "p", "k", "r", "a", "w", "e", "f", "q", "d"];
    let state = select(states.to_vec()).prop_map(|token| PlayerState::of(token.as_bytes()));
    (
        option::of("[ -~]{1,64}"),
        option::of("[ -~]{1,128}"),
        option::of(state),
        any::<bool>(),
        option::of(0..10_000_000_u64),
    )
        .prop_map(|(sid, cid, state, background, buffer_ms)| Cmcd {
            sid,
            cid,
            state,
            background,
            buffer_ms,
        })
}

fn token(state: PlayerState) -> &'static str {
    match state {
        PlayerState::Starting => "s",
        PlayerState::Playing => "p",
        PlayerState::Seeking => "k",
        PlayerState::Rebuffering => "r",
        PlayerState::Paused => "a",
        PlayerState::Waiting => "w",
        PlayerState::Finished => "e",
        PlayerState::FatalError => "f",
        PlayerState::Quit => "q",
        PlayerState::Preloading => "d",
        PlayerState::Other => "other",
    }
}

/// Members that are passed over: of every type there is.
fn others() -> impl Strategy<Value = Vec<String>> {
    let text = "[ -~]{0,20}";
    let other = prop_oneof![
        (0..100_000_u32).prop_map(|number| format!("br={number}")),
        Just("su".to_owned()),
        Just("ot=av".to_owned()),
        text.prop_map(|text| format!("com.example-x={}", quoted(&text))),
        vec(text, 0..3).prop_map(|texts| {
            let texts: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
            format!("nor=({})", texts.join(" "))
        }),
        Just("tb=(2000;v 1000;a)".to_owned()),
    ];
    vec(other, 0..8)
}

/// Percent-encodes what has to be, and of the rest what `choice` says.
fn encoded(data: &str, choice: &[bool], upper: bool) -> String {
    let mut choice = choice.iter().cycle();
    let encode = |byte: u8| {
        let must = matches!(byte, b'&' | b'#' | b'%' | b'+' | b' ') || !byte.is_ascii_graphic();
        match (*choice.next().unwrap() || must, upper) {
            (true, true) => format!("%{byte:02X}"),
            (true, false) => format!("%{byte:02x}"),
            (false, _) => char::from(byte).to_string(),
        }
    };
    data.bytes().map(encode).collect()
}

proptest! {
    #[test]
    fn no_bytes_are_too_odd(data in vec(any::<u8>(), 0..300), path in vec(any::<u8>(), 0..300)) {
        let head = Headers::default()
            .with("cmcd-session", &data)
            .with("cmcd-request", &data)
            .with("cmcd-status", &data);
        let path = [b"/a?CMCD=", path.as_slice()].concat();
        for path in [b"/a".as_slice(), &path] {
            let said = CmcdReader::new(&head, path).all();
            for (id, max) in [(said.sid, SID_MAX), (said.cid, CID_MAX)] {
                prop_assert!(id.is_none_or(|id| (1..=max).contains(&id.chars().count())));
            }
        }
    }

    #[test]
    fn quotes_escapes_and_commas_in_any_order_are_survived(data in "[\"\\\\,;=()sidbg? ]{0,40}") {
        let said = Cmcd::read(data.as_bytes());
        prop_assert!(said.sid.is_none_or(|sid| !sid.is_empty()));
    }

    #[test]
    fn what_is_said_well_formed_is_understood(
        said in said(),
        others in others(),
        places in vec(any::<Index>(), 5),
        choice in vec(any::<bool>(), 1..20),
        upper in any::<bool>(),
    ) {
        let session = [
            said.sid.as_ref().map(|sid| format!("sid={}", quoted(sid))),
            said.cid.as_ref().map(|cid| format!("cid={}", quoted(cid))),
        ];
        let state = said.state.map(|state| format!("sta={}", token(state)));
        let background = said.background.then(|| "bg".to_owned());
        let buffer = said.buffer_ms.map(|ms| format!("bl={ms}"));

        let mut members = others.clone();
        let keys = session.iter().chain([&state, &background, &buffer]).flatten();
        for (key, position) in keys.zip(&places) {
            members.insert(position.index(members.len() + 1), key.clone());
        }
        let query = encoded(&members.join(","), &choice, upper);
        let path = format!("/a.m4s?x=1&CMCD={query}&y=2");
        prop_assert_eq!(&CmcdReader::new(&Headers::default(), path.as_bytes()).all(), &said);

        let with = |keys: &[Option<String>]| {
            let keys = keys.iter().flatten().cloned();
            others.iter().cloned().chain(keys).collect::<Vec<_>>().join(", ")
        };
        let head = Headers::new(&[
            ("cmcd-session", &with(&session)),
            ("cmcd-request", &with(&[state, buffer])),
            ("cmcd-status", &with(&[background])),
        ]);
        prop_assert_eq!(&CmcdReader::new(&head, b"/a.m4s").all(), &said);
    }
}
