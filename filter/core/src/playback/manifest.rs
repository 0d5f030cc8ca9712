//! Manifests that keep the token of their request.
//!
//! Players resolve the relative URLs of a manifest against its address, and so under the
//! token in front of its path. An absolute path, or an absolute URL of this host, would lose
//! the token: its player would be one more stream, or nobody's. So such URLs get the token
//! when the manifest passes through.

use streamgate_manifest::{Carries, Origin, Packed, gunzip, reload_wait_ms, rewrite};
use streamgate_record::metric::Metric;
use streamgate_record::ports::{Host, Meter};
use streamgate_tokens::signed::PlaybackToken;
use streamgate_values::head::Head;

use super::class::Class;
use super::redirected::{self, ManifestOutcome};
use super::request::PlaybackRequest;
use super::rewrite::{Coding, Rewrite};
use crate::config::{Config, LooksAt, StreamCarrier};
use crate::playback::passage::Scrub;
use crate::request::surface::{Surface, surface};
use crate::request::viewer::is_in_scope;

impl<H: Head, E: Host> PlaybackRequest<'_, H, E> {
    /// What is needed to rewrite the response, if it may be a manifest under a token. The
    /// origin is then asked for all of it, in a form that can be read.
    pub(super) fn rewrite(&self, scrub: &mut Scrub) -> Option<Box<Rewrite>> {
        // Nearly all requests are for segments, and most of their names are told apart by the
        // last letter.
        let may_be = matches!(
            self.asked.file.last(),
            Some(b'8' | b'u' | b'U' | b'd' | b'D' | b't' | b'T' | b')' | b'n' | b'N' | b'/')
        );
        let looks_at = self.protected.looks_at.get();
        match may_be || looks_at != LooksAt::NamedManifests {
            true => self.rewrite_all(scrub, looks_at == LooksAt::All),
            false => None,
        }
    }

    /// The same; `looks`: also what is needed if the response is a redirect.
    #[inline(never)]
    pub(super) fn rewrite_all(&self, scrub: &mut Scrub, looks: bool) -> Option<Box<Rewrite>> {
        let token = self.asked.token?;
        let file = self.asked.file;
        let is_manifest = self.protected.classes.classify(file) == Class::Manifest;
        let max = match (is_manifest || is_json(file)) && matches!(self.method(), b"GET" | b"HEAD")
        {
            true => self.protected.manifest_max,
            false => 0,
        };
        if max == 0 && !looks {
            return None;
        }
        let text = |bytes: &[u8]| core::str::from_utf8(bytes).ok().map(str::to_owned);
        let header = |name| self.asked.head.header(name).unwrap_or_default();
        let mut rewrite = Rewrite {
            prefix: text(&[b"/~", token].concat())?,
            path: text(self.asked.path)?,
            origin: Origin::new(&text(&header(":scheme"))?, &text(&header(":authority"))?),
            path_index: self.path_index,
            known: Vec::new(),
            is_redirected: self.protected.stream.contains(&StreamCarrier::Redirect),
            max,
        };
        if max > 0 {
            rewrite.known = header("if-none-match");
            let coding: &[u8] = match accepts_gzip(&header("accept-encoding")) {
                true => b"gzip",
                false => b"identity",
            };
            let headers = &mut scrub.headers;
            headers.push(("accept-encoding".to_owned(), Some(coding.to_vec())));
            // Some players begin with all bytes from the first; a part cannot be read.
            headers.push(("range".to_owned(), None));
            headers.push(("if-range".to_owned(), None));
        }
        Some(Box::new(rewrite))
    }
}

fn is_json(file: &[u8]) -> bool {
    let end = file.len().checked_sub(5).and_then(|at| file.get(at..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(b".json"))
}

/// Whether `Accept-Encoding` allows gzip (RFC 9110, section 12.5.3).
pub(crate) fn accepts_gzip(codings: &[u8]) -> bool {
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
        let mut rewritten = None;
        self.rewriting(config, host.now(), &mut |rewriting, token| {
            if self.is_redirected {
                let path = self.path.as_bytes();
                let outcome = ManifestOutcome::Manifest(reload_wait_ms(manifest));
                redirected::follow(host, &token.subject, token.stream, path, outcome);
            }
            rewritten = Some(rewrite(manifest, rewriting));
        });
        match rewritten? {
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
pub(super) fn carries(config: &Config, token: &PlaybackToken, path: &str) -> Carries {
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
