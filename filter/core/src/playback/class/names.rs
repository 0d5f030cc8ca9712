//! The names that packagers and servers give by themselves.
//!
//! Whatever is not listed is media. An entry has to be sure: an initialisation
//! segment taken for media costs nothing, media taken for one escapes the limit.

use super::kind::Class;

/// Tells by a path in lower case. A slash at its end does not matter: some servers give their
/// addresses so.
pub(super) fn class(path: &[u8]) -> Class {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    let mut parts = path.rsplitn(2, |byte| *byte == b'/');
    let name = parts.next().unwrap_or_default();
    let directories = parts.next().unwrap_or_default();
    match by_name(name, directories) {
        Class::Media => Class::Media,
        _ if below_a_file(directories) => Class::Media,
        class => class,
    }
}

fn by_name(name: &[u8], directories: &[u8]) -> Class {
    if is_fragment(name) {
        return Class::Media;
    }
    let Some((stem, extension)) = extension(name) else {
        return by_bare_name(name);
    };
    match extension {
        b"m3u8" | b"m3u" | b"mpd" | b"ism" | b"isml" | b"ismc" | b"f4m" => Class::Manifest,
        b"key" | b"cer" | b"der" | b"crt" => Class::Key,
        // Apple's tools and many scripts call keys `key.bin` and `crypt0.bin`.
        b"bin" if words(stem).any(|word| matches!(word, b"key" | b"crypt")) => Class::Key,
        b"asmx" if stem == b"rightsmanager" => Class::Key,
        b"vtt" | b"webvtt" | b"srt" | b"ttml" | b"dfxp" | b"stpp" | b"cmft" | b"jpg" | b"jpeg"
        | b"png" | b"webp" | b"gif" | b"avif" | b"bif" | b"json" | b"xml" | b"csv" => Class::Side,
        // Where to fetch from: a steering manifest of DASH (ETSI TS 103 998), and of HLS.
        b"dcsm" | b"steering" => Class::Side,
        b"m4i" | b"init" | b"hdr" => Class::Init,
        b"mp4" | b"m4s" | b"m4v" | b"m4a" | b"m4f" | b"mp4a" | b"cmfv" | b"cmfa" | b"webm"
        | b"dash"
            if is_init(stem) =>
        {
            Class::Init
        }
        b"dash" | b"m4s" if is_unified_init(stem, directories) => Class::Init,
        _ => by_bare_name(name),
    }
}

/// Names that have no extension, or whose dots are none's.
fn by_bare_name(name: &[u8]) -> Class {
    match name {
        b"manifest" => Class::Manifest,
        // What formats Smooth Streaming's call serves: `Manifest(format=mpd-time-csf)`.
        _ if name.starts_with(b"manifest(") && name.ends_with(b")") => Class::Manifest,
        b"key" | b"keys" | b"license" | b"licence" | b"acquirelicense" | b"widevine"
        | b"playready" | b"fairplay" | b"clearkey" => Class::Key,
        // Steering servers' addresses as players' examples and steering services write them.
        b"steer" | b"steering" | b"content-steering" | b"content_steering" | b"contentsteering" => {
            Class::Side
        }
        _ => Class::Media,
    }
}

/// What is before and after the last dot; nothing may be before it (`/name.ism/.mpd`).
fn extension(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut parts = name.rsplitn(2, |byte| *byte == b'.');
    let extension = parts.next()?;
    Some((parts.next()?, extension))
}

fn words(stem: &[u8]) -> impl Iterator<Item = &[u8]> {
    stem.split(|byte| !byte.is_ascii_alphabetic())
}

/// Whether a file's stem says initialisation segment, in a word of its own. `dashinit` does not:
/// unless told otherwise, MP4Box puts the whole film into `film_dashinit.mp4`.
fn is_init(stem: &[u8]) -> bool {
    words(stem).any(|word| matches!(word, b"init" | b"initialization"))
}

/// `video=401000.dash` under a server manifest, where segments are
/// `video=401000-<time>.dash`.
fn is_unified_init(stem: &[u8], directories: &[u8]) -> bool {
    let bitrate = stem.rsplit(|byte| *byte == b'=').next();
    let named = bitrate.is_some_and(|bitrate| {
        bitrate.len() < stem.len() && !bitrate.is_empty() && bitrate.iter().all(u8::is_ascii_digit)
    });
    let mut directories = directories.split(|byte| *byte == b'/');
    named && directories.any(|name| name.ends_with(b".ism") || name.ends_with(b".isml"))
}

/// Smooth Streaming's segments, `Fragments(video=0)`; those servers that add formats
/// take an extension behind the call, too.
fn is_fragment(name: &[u8]) -> bool {
    name.starts_with(b"fragments(")
}

/// Whether a directory is named like a segment or a script. A server that takes what
/// follows for path information answers `/1.ts/a.m3u8` with `/1.ts`. Whole films are
/// not listed: servers that package on the fly have manifests below `film.mp4/`.
fn below_a_file(directories: &[u8]) -> bool {
    let is_file = |name: &[u8]| {
        let extension = extension(name).map(|(_, extension)| extension);
        is_fragment(name) || extension.is_some_and(|extension| FILES.contains(&extension))
    };
    directories.split(|byte| *byte == b'/').any(is_file)
}

/// Extensions of segments and scripts.
const FILES: [&[u8]; 15] = [
    b"ts", b"m2ts", b"m4s", b"m4f", b"cmfv", b"cmfa", b"dash", b"part", b"php", b"asp", b"aspx",
    b"ashx", b"jsp", b"cgi", b"pl",
];
