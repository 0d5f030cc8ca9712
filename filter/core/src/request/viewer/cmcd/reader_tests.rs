//! Where CMCD is looked for, and where it is not.

use super::*;
use crate::testing::{Headers, test};

fn reader<'a>(head: &'a Headers, path: &str) -> CmcdReader<'a, Headers> {
    CmcdReader::new(head, path.as_bytes())
}

#[test]
fn a_state_is_written_as_it_is_read() {
    for token in ["s", "p", "k", "r", "a", "w", "e", "f", "q", "d"] {
        let state = PlayerState::of(token.as_bytes());
        assert_ne!(state, PlayerState::Other, "{token}");
        assert_eq!(state.token(), token);
    }
    assert_eq!(PlayerState::of(b"x").token(), "?");
}

#[test]
fn a_buffer_is_read_from_headers_only_where_that_is_asked_for() {
    let head = Headers::new(&[("cmcd-request", "bl=8000")]);
    assert_eq!(reader(&head, "/a.m4s").buffer_ms(true), Some(8_000));
    assert_eq!(reader(&head, "/a.m4s").buffer_ms(false), None);
    let in_query = reader(&head, "/a.m4s?CMCD=bl%3D500");
    assert_eq!(in_query.buffer_ms(false), Some(500));
    assert_eq!(in_query.buffer_ms(true), Some(500));
}

#[test]
fn it_is_told_where_it_stands() {
    let none = Headers::default();
    assert!(!reader(&none, "/a.m4s").is_in_query());
    assert!(reader(&none, "/a.m4s?CMCD=bg").is_in_query());
    assert!(!reader(&none, "/a.m4s?CMCD=bg").is_in_headers());
    for field in ["cmcd-session", "cmcd-request"] {
        let head = Headers::new(&[(field, "v=1")]);
        assert!(reader(&head, "/a.m4s").is_in_headers(), "{field}");
    }
}

#[test]
fn of_several_parameters_any_may_say_that_nobody_sees_it() {
    for (path, expected) in [
        ("/a.m4s?CMCD=bg&CMCD=bl%3D1", true),
        ("/a.m4s?CMCD=bl%3D1&CMCD=bg", true),
        ("/a.m4s?CMCD=bl%3D1&CMCD=bl%3D2", false),
    ] {
        let said = reader(&Headers::default(), path).background();
        assert_eq!(said, expected, "{path}");
    }
}
