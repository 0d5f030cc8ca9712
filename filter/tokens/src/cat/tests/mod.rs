//! What tokens do, held against tokens that other implementations minted, against
//! damage, and against the clock of whoever watches how long a refusal takes.

mod access;
mod cost;
mod damage;
mod renewal;
mod vectors;

use streamgate_values::moment::Moment;

use super::testing::{Computed, EC_PEM, HMAC_SECRET, counted, hmac_keys, token};
use super::{Access, CatError, CatRequest, Demands, Key, Keys};
use crate::signed::to_text;
use crate::testing::{Headers, NOW};

fn asked(head: &Headers) -> CatRequest<'_> {
    CatRequest {
        method: b"GET",
        scheme: b"https",
        host: b"cdn.example.com",
        path: b"/vod/alice/film.m3u8",
        address: None,
        alpn: None,
        head,
    }
}

/// Reads and checks a token.
fn read(
    keys: &Keys,
    demands: &Demands,
    token: &[u8],
    asked: &CatRequest<'_>,
    now: Moment,
) -> Result<Access, CatError> {
    super::read(keys, demands, token, asked, now).map_err(|refused| refused.error)
}

/// Reads a token that is asked for nothing unusual, now.
fn read_plainly(keys: &Keys, token: &[u8]) -> Result<Access, CatError> {
    let (head, demands) = (Headers::default(), Demands::default());
    read(keys, &demands, token, &asked(&head), NOW)
}
