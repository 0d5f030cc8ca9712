//! Manifests that keep the token of their request.
//!
//! Players resolve the relative URLs of a manifest against its address, and so under the
//! token in front of its path. An absolute path, or an absolute URL of this host, would lose
//! the token: its player would be one more stream, or nobody's. So such URLs get the token
//! when the manifest passes through.

use streamgate_manifest::{Carries, Origin, Packed, Rewriting, gunzip, reload_wait_ms, rewrite};
use streamgate_record::metric::Metric;
use streamgate_record::ports::{Host, Meter};
use streamgate_tokens::signed::PlaybackToken;
use streamgate_values::head::Head;

use super::class::Class;
use super::redirected;
use super::request::Request;
use super::rewrite::Rewrite;
use crate::config::{Config, StreamCarrier};
use crate::playback::passage::Scrub;
use crate::request::surface::{Surface, surface};
use crate::request::viewer::is_in_scope;

/// By how much a manifest may grow: the token in each of its URLs may be several times as long
/// as the URL.
const GROWTH_MAX: usize = 8;

/// How a manifest is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coding {
    /// Not at all.
    Identity,
    /// With gzip.
    Gzip,
}

/// Whether a manifest's body is held until all of it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// It is.
    Until(End, Coding),
    /// It is passed on as it comes.
    No,
}

/// When a manifest that is held is whole, or too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// How many bytes it has, if that was told.
    pub length: Option<usize>,
    /// The most bytes it may have.
    pub max: usize,
}

impl<H: Head, E: Host> Request<'_, H, E> {
    /// What is needed to rewrite the response, if it may be a manifest under a token. The
    /// origin is then asked for all of it, in a form that can be read.
    pub(super) fn rewrite(&self, scrub: &mut Scrub) -> Option<Box<Rewrite>> {
        // Nearly all requests are for segments, and most of their names are told apart by the
        // last letter.
        let may_be = matches!(
            self.asked.file.last(),
            Some(b'8' | b'u' | b'U' | b'd' | b'D' | b't' | b'T' | b')' | b'n' | b'N' | b'/')
        );
        match may_be || self.protected.classes.has_own_manifests() {
            true => self.rewrite_manifest(scrub),
            false => None,
        }
    }

    #[inline(never)]
    fn rewrite_manifest(&self, scrub: &mut Scrub) -> Option<Box<Rewrite>> {
        let token = self.asked.token?;
        let max = self.protected.manifest_max;
        let file = self.asked.file;
        let is_manifest = self.protected.classes.classify(file) == Class::Manifest;
        if max == 0 || !(is_manifest || is_json(file)) || self.method() != b"GET" {
            return None;
        }
        let text = |bytes: &[u8]| core::str::from_utf8(bytes).ok().map(str::to_owned);
        let header = |name| self.asked.head.header(name);
        let rewrite = Rewrite {
            prefix: format!("/~{}", core::str::from_utf8(token).ok()?),
            path: text(self.asked.path)?,
            scheme: text(&header(":scheme").unwrap_or_default())?,
            authority: text(&header(":authority")?)?,
            is_redirected: self.protected.stream.contains(&StreamCarrier::Redirect),
            max,
        };
        let codings = header("accept-encoding").unwrap_or_default();
        let coding: &[u8] = if accepts_gzip(&codings) {
            b"gzip"
        } else {
            b"identity"
        };
        let headers = &mut scrub.headers;
        headers.push(("accept-encoding".to_owned(), Some(coding.to_vec())));
        // Some players begin with all bytes from the first; a part cannot be read.
        headers.push(("range".to_owned(), None));
        headers.push(("if-range".to_owned(), None));
        Some(Box::new(rewrite))
    }
}

fn is_json(file: &[u8]) -> bool {
    let end = file.len().checked_sub(5).and_then(|at| file.get(at..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(b".json"))
}

/// Whether `Accept-Encoding` allows gzip (RFC 9110, section 12.5.3).
fn accepts_gzip(codings: &[u8]) -> bool {
    codings.split(|byte| *byte == b',').any(|coding| {
        let mut parts = coding.split(|byte| *byte == b';');
        let name = parts.next().unwrap_or_default().trim_ascii();
        let is_refused = parts.any(|part| {
            let weight = part.trim_ascii().strip_prefix(b"q=");
            weight.is_some_and(|weight| weight.iter().all(|byte| matches!(byte, b'0' | b'.')))
        });
        name.eq_ignore_ascii_case(b"gzip") && !is_refused
    })
}

impl Rewrite {
    /// Whether the response with this status and these headers is held.
    pub fn hold(
        &self,
        meter: &impl Meter,
        status: u16,
        header: impl Fn(&str) -> Option<Vec<u8>>,
    ) -> Held {
        // Errors are no manifests, and what did not change has no body.
        if status != 200 {
            return Held::No;
        }
        let coding = header("content-encoding").unwrap_or_default();
        let coding = match coding.trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Coding::Identity,
            b"gzip" | b"x-gzip" => Coding::Gzip,
            _ => {
                meter.add(Metric::ManifestsUnreadable, 1);
                return Held::No;
            }
        };
        let length = header("content-length").unwrap_or_default();
        let length = core::str::from_utf8(&length).ok();
        let length = length.and_then(|length| length.trim_ascii().parse::<u64>().ok());
        // What does not fit is too large.
        let length = length.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        if length.is_some_and(|length| length > self.max) {
            self.pass_on(meter);
            return Held::No;
        }
        let end = End {
            length,
            max: self.max,
        };
        Held::Until(end, coding)
    }

    /// Hands `set` how the response's headers change with a body that was rewritten, `length` bytes
    /// long now: what says something of the old bytes goes, and an `ETag` is a weak one (RFC 9110,
    /// section 8.8.1), by which players still ask for what has changed.
    pub fn describe(length: usize, etag: Option<&[u8]>, mut set: impl FnMut(&str, Option<&str>)) {
        set("content-length", Some(&length.to_string()));
        for name in [
            "content-encoding",
            "content-md5",
            "digest",
            "repr-digest",
            "content-digest",
        ] {
            set(name, None);
        }
        if let Some(strong) = etag.filter(|etag| etag.starts_with(b"\"")) {
            let strong = core::str::from_utf8(strong).ok();
            let weak = strong.map(|strong| ["W/", strong].concat());
            set("etag", weak.as_deref());
        }
    }

    /// Counts a manifest that is passed on because it is too large.
    pub fn pass_on(&self, meter: &impl Meter) {
        meter.add(Metric::ManifestsTooLarge, 1);
    }

    /// The manifest with the token in the URLs that need it; `None`: it is good as it is.
    pub(crate) fn apply(
        &self,
        config: &Config,
        host: &impl Host,
        coding: Coding,
        body: &[u8],
    ) -> Option<Vec<u8>> {
        let unpacked;
        let manifest = match coding {
            Coding::Identity => body,
            Coding::Gzip => match gunzip(body, self.max) {
                Ok(manifest) => {
                    unpacked = manifest;
                    unpacked.as_slice()
                }
                Err(Packed::TooLarge) => {
                    self.pass_on(host);
                    return None;
                }
                Err(Packed::Malformed) => {
                    host.add(Metric::ManifestsUnreadable, 1);
                    return None;
                }
            },
        };
        let token = self.prefix.strip_prefix("/~").unwrap_or_default();
        let token =
            PlaybackToken::read(&config.sessions.ring, token.as_bytes(), host.now()).ok()?;
        if self.is_redirected {
            let (path, wait_ms) = (self.path.as_bytes(), reload_wait_ms(manifest));
            redirected::follow(host, &token.subject, token.stream, path, wait_ms);
        }
        let rewriting = Rewriting {
            path: &self.path,
            hosts: &Origin::new(&self.scheme, &self.authority)
                .into_iter()
                .collect::<Vec<_>>(),
            prefix: &self.prefix,
            carries: &|path| carries(config, &token, path),
            max: self.max.saturating_mul(GROWTH_MAX),
        };
        match rewrite(manifest, &rewriting) {
            Ok(rewritten) => {
                let unknown = u64::try_from(rewritten.unknown).unwrap_or(u64::MAX);
                host.add(Metric::ManifestUrlsUnknown, unknown);
                host.add(Metric::ManifestsRewritten, rewritten.body.is_some().into());
                rewritten.body
            }
            Err(streamgate_manifest::Unreadable::TooLarge) => {
                self.pass_on(host);
                None
            }
            Err(_) => {
                host.add(Metric::ManifestsUnreadable, 1);
                None
            }
        }
    }
}

/// Whether the token is good in front of a path.
fn carries(config: &Config, token: &PlaybackToken, path: &str) -> Carries {
    // Asked with a token, the edge says whether there may be one.
    let asked = [b"/~0", path.as_bytes()].concat();
    match surface(config, &asked) {
        Surface::Playback {
            path_index, file, ..
        } => {
            let protected = config.playback.get(path_index);
            let Some(protected) = protected.filter(|path| is_in_scope(token, path, &file)) else {
                return Carries::No;
            };
            let directory = path.rfind('/').and_then(|at| path.get(..=at));
            let directory = directory.unwrap_or_default();
            let is_below = |beginning: &str| directory.starts_with(beginning);
            // Some of what is in it may be protected in another way.
            let divides = |prefix: &str| {
                let start = prefix.get(..directory.len());
                start.is_some_and(|start| start.eq_ignore_ascii_case(directory))
                    && prefix.len() > directory.len()
            };
            let is_divided = || config.playback.iter().any(|other| divides(&other.prefix));
            match is_below(&protected.prefix) && is_below(&token.scope) && !is_divided() {
                true => Carries::YesWithNeighbours,
                false => Carries::Yes,
            }
        }
        // Behind a token it is left out, too, and its neighbours may need one.
        Surface::LeftOut { .. } => Carries::Yes,
        Surface::SessionApi { .. } | Surface::Operator | Surface::Open | Surface::Malformed => {
            Carries::No
        }
    }
}
