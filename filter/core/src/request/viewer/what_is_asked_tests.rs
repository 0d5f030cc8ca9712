//! What a request is asked before it is known who watches: whose account it may name besides its
//! token, and how often the same cookie came.

use core::cell::OnceCell;

use serde_json::{Value, json};
use streamgate_values::path::Reading;

use super::{Asked, may_name_another};
use crate::config::{Config, TokenPosition};
use crate::testing::{Headers, config_with, test};

fn config_of(change: impl FnOnce(&mut Value)) -> Config {
    config_with(|json| change(&mut json["playback"][0])).unwrap()
}

/// What `answer` makes of a request with these headers.
fn of<T>(headers: &[(&str, &str)], answer: impl FnOnce(&Asked<'_, Headers>) -> T) -> T {
    let head = Headers::new(headers);
    answer(&Asked {
        head: &head,
        token: None,
        path: b"/vod/a.m4s?sg=one&sg=two",
        file: &Reading::of(b"/vod/a.m4s").unwrap(),
        cookies: OnceCell::new(),
    })
}

#[test]
fn a_request_may_name_another_account_where_it_says_one_or_nobody_can_tell() {
    let config = config_of(|_| ());
    let protected = &config.playback[0];
    let alice = config.hasher.subject("acme", "alice");
    let may = |headers: &[(&str, &str)]| {
        of(headers, |asked| {
            may_name_another(&config, protected, asked, &alice)
        })
    };
    assert!(!may(&[]));
    assert!(!may(&[("x-account-id", "alice")]));
    assert!(may(&[("x-account-id", "bob")]));
    assert!(may(&[("x-account-id", "no\u{1}id")]));
}

#[test]
fn a_cookie_is_repeated_where_its_name_comes_twice_and_a_query_is_no_cookie() {
    let config = config_of(|path| {
        path["subject"] = json!([{"token": {"cookie": "sg"}}, {"token": {"query": "sg"}}]);
    });
    let protected = &config.playback[0];
    let repeats = |cookies: &str| {
        of(&[("cookie", cookies)], |asked| {
            asked.repeats_a_cookie(protected)
        })
    };
    assert!(!repeats("a=1"));
    assert!(!repeats("sg=one; a=1"));
    assert!(repeats("sg=one; a=1; sg=two"));
}

#[test]
fn a_cookie_is_checked_each_time_where_something_besides_tokens_names_an_account() {
    let cookie = TokenPosition::Cookie("sg".into());
    let token = json!({"token": {"cookie": "sg"}});
    let alone = config_of(|path| path["subject"] = json!([token]));
    assert!(!alone.playback[0].is_checked_each_time(&cookie));
    let beside = config_of(|path| path["subject"] = json!([token, {"header": "x-account-id"}]));
    assert!(beside.playback[0].is_checked_each_time(&cookie));
    assert!(!beside.playback[0].is_checked_each_time(&TokenPosition::Path));
}
