//! What becomes of the head of a response that may have to keep the token of its request.

use streamgate_manifest::{Rewriting, with_prefix};
use streamgate_record::metric::Metric;
use streamgate_record::ports::{Host, Meter};
use streamgate_tokens::signed::PlaybackToken;
use streamgate_values::moment::Moment;

use super::manifest::carries;
use super::media::number;
use super::origin_redirects;
use super::redirected::{self, ManifestOutcome};
use super::rewrite::{Coding, End, Held, Rewrite};
use crate::config::Config;

/// By how much a manifest may grow: the token in each of its URLs may be several times as long
/// as the URL.
const GROWTH_MAX: usize = 8;

/// Headers that say something of the bytes of a body. Trailers may say it, too.
const OF_BYTES: [&str; 4] = ["content-md5", "digest", "repr-digest", "content-digest"];

impl Rewrite {
    /// What becomes of the response with this status and these headers; `ends`: it has no body.
    pub(crate) fn begin(
        &self,
        config: &Config,
        host: &impl Host,
        (status, ends): (u16, bool),
        header: impl Fn(&str) -> Option<Vec<u8>>,
        mut set: impl FnMut(&str, Option<&str>),
    ) -> Held {
        match status {
            200 if self.max > 0 && !ends => return self.hold(host, header),
            // Whether it would be rewritten is not known without its body.
            200 if self.max > 0 => Self::describe(None, header("etag"), set),
            // What was rewritten went out under a weak one.
            304 => {
                let weak = weak(header("etag"));
                let is_known = |weak: &&str| {
                    let mut known = self.known.windows(weak.len());
                    known.any(|known| known == weak.as_bytes())
                };
                if let Some(weak) = weak.as_deref().filter(is_known) {
                    set("etag", Some(weak));
                }
            }
            300..=399 => {
                let location = header("location").and_then(|to| self.locate(config, host, to));
                if let Some(location) = location {
                    set("location", Some(&location));
                }
            }
            // Errors are no manifests.
            _ => {}
        }
        Held::No
    }

    fn hold(&self, meter: &impl Meter, header: impl Fn(&str) -> Option<Vec<u8>>) -> Held {
        let coding = header("content-encoding").unwrap_or_default();
        let coding = match coding.trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Coding::Identity,
            b"gzip" | b"x-gzip" => Coding::Gzip,
            _ => {
                meter.add(Metric::ManifestsUnreadable, 1);
                return Held::No;
            }
        };
        let length = number(header("content-length").as_deref());
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
    /// long now, or may be, where that is not known: what says something of the old bytes goes, and an `ETag` is a
    /// weak one (RFC 9110, section 8.8.1), by which players still ask for what has changed.
    pub fn describe(
        length: Option<usize>,
        etag: Option<Vec<u8>>,
        mut set: impl FnMut(&str, Option<&str>),
    ) {
        let length = length.map(|length| length.to_string());
        set("content-length", length.as_deref());
        set("content-encoding", None);
        // Of a manifest, no parts are given.
        set("accept-ranges", None);
        Self::describe_trailers(|name| set(name, None));
        if let Some(weak) = weak(etag) {
            set("etag", Some(&weak));
        }
    }

    /// Hands `remove` the trailers that say something of the bytes of a body that was rewritten.
    pub fn describe_trailers(remove: impl FnMut(&str)) {
        OF_BYTES.into_iter().for_each(remove);
    }

    /// Where a redirect leads, with the token where that has to be kept.
    fn locate(&self, config: &Config, host: &impl Host, location: Vec<u8>) -> Option<String> {
        let location = String::from_utf8(location).ok()?;
        let mut kept = None;
        self.rewriting(config, host.now(), &mut |rewriting, token| {
            if self.is_redirected && self.is_of_manifest() {
                let path = self.path.as_bytes();
                redirected::follow(
                    host,
                    &token.subject,
                    token.stream,
                    path,
                    ManifestOutcome::Redirect,
                );
            }
            kept = with_prefix(&location, rewriting);
        })?;
        if let (Some(_), Some(protected)) = (&kept, config.playback.get(self.path_index)) {
            origin_redirects::look_from_now_on(protected, host);
        }
        kept
    }

    /// Has something be rewritten, if the token is still good.
    pub(super) fn rewriting(
        &self,
        config: &Config,
        now: Moment,
        rewrite: &mut dyn FnMut(&Rewriting<'_>, &PlaybackToken),
    ) -> Option<()> {
        let token = self.prefix.strip_prefix("/~").unwrap_or_default();
        let token = PlaybackToken::read(&config.sessions.ring, token.as_bytes(), now).ok()?;
        let rewriting = Rewriting {
            path: &self.path,
            hosts: self.origin.as_slice(),
            prefix: &self.prefix,
            carries: &|path| carries(config, &token, path),
            max: self.max.saturating_mul(GROWTH_MAX),
        };
        rewrite(&rewriting, &token);
        Some(())
    }
}

/// The weak `ETag` of what was sent under a strong one, and has changed.
fn weak(etag: Option<Vec<u8>>) -> Option<String> {
    let strong = String::from_utf8(etag?).ok()?;
    strong.starts_with('"').then(|| ["W/", &strong].concat())
}
