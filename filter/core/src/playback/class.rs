//! What a path on a protected prefix is for.

/// What kind of thing a request fetches. Only media keeps a stream alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A playlist or manifest; players poll them.
    Manifest,
    /// An initialisation segment.
    Init,
    /// A decryption key or licence.
    Key,
    /// Subtitles, thumbnails, pictures.
    Side,
    /// A media segment or part. Whatever is not known to be something else counts
    /// as media, so that no unusual name escapes the limit.
    Media,
}

/// Tells by the path (query allowed) what it fetches.
#[must_use]
pub fn classify(path: &[u8]) -> Class {
    let path = path.split(|byte| *byte == b'?').next().unwrap_or_default();
    let file = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let mut dotted = file.rsplitn(2, |byte| *byte == b'.');
    let extension = dotted.next().unwrap_or_default().to_ascii_lowercase();
    let Some(stem) = dotted.next().map(<[u8]>::to_ascii_lowercase) else {
        // Smooth Streaming: `…/name.ism/Manifest`. `extension` is the whole name here.
        return if extension == b"manifest" {
            Class::Manifest
        } else {
            Class::Media
        };
    };
    match extension.as_slice() {
        b"m3u8" | b"m3u" | b"mpd" | b"ism" | b"isml" => Class::Manifest,
        b"key" | b"bin" => Class::Key,
        b"vtt" | b"webvtt" | b"srt" | b"ttml" | b"dfxp" | b"jpg" | b"jpeg" | b"png" | b"webp"
        | b"gif" | b"bif" => Class::Side,
        b"mp4" | b"m4s" | b"m4v" | b"m4a" | b"m4i" | b"cmfv" | b"cmfa" | b"webm"
            if is_init(&stem) || extension == b"m4i" =>
        {
            Class::Init
        }
        b"init" | b"hdr" => Class::Init,
        _ => Class::Media,
    }
}

/// Whether a manifest is DASH rather than HLS, by its name.
pub(super) fn is_dash(path: &[u8]) -> bool {
    let path = path.split(|byte| *byte == b'?').next().unwrap_or_default();
    let file = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let file = file.to_ascii_lowercase();
    file.ends_with(b".mpd") || file.windows(10).any(|part| part == b"format=mpd")
}

/// Whether a file's stem says initialisation segment: `init` as a word of its own.
fn is_init(stem: &[u8]) -> bool {
    stem.split(|byte| !byte.is_ascii_alphabetic())
        .any(|word| word == b"init" || word == b"initialization")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn common_packagers_names_are_told_apart() {
        let cases = [
            (Class::Manifest, "/vod/a/master.m3u8"),
            (Class::Manifest, "/vod/a/MANIFEST.MPD?x=a.ts"),
            (Class::Manifest, "/vod/a.ism/Manifest"),
            (Class::Key, "/vod/a/enc.key"),
            (Class::Init, "/vod/a/init-stream0.m4s"),
            (Class::Init, "/vod/a/init.mp4"),
            (Class::Init, "/vod/a/video_init.cmfv"),
            (Class::Side, "/vod/a/en.vtt"),
            (Class::Side, "/vod/a/thumb-001.jpg"),
            (Class::Media, "/vod/a/chunk-stream0-00001.m4s"),
            (Class::Media, "/vod/a/seg1.ts?sig=x"),
            (Class::Media, "/vod/a/initiative-1.m4s"),
            (Class::Media, "/vod/a/Fragments(video=0)"),
            (Class::Media, "/vod/a/seg"),
            (Class::Media, "/vod/a/init.ts"),
            (Class::Media, "/vod/"),
        ];
        for (class, path) in cases {
            assert_eq!(classify(path.as_bytes()), class, "{path}");
        }
    }
}
