//! A live programme: what `scripts/sample-live` made, published segment by segment.
//!
//! Below `/…/live/<channel>/` every channel shows the same; a test tells its players
//! apart by them.

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What was there before the first viewer came: enough for a full manifest. GStreamer's
/// `hlsdemux` waits the longer after its first segments the later they are.
const BEFORE: Duration = Duration::from_secs(12);

/// How long a segment is.
const SEGMENT: Duration = Duration::from_millis(960);

/// How many of them a DASH manifest lists: GStreamer begins ten seconds ago.
const LISTED: u64 = 11;

/// How many of them a playlist lists.
const LISTED_IN_HLS: u64 = 6;

/// Picture or sound.
struct Representation {
    /// Units of time in a second.
    scale: u64,
    /// How much earlier than the picture's each segment but the first begins, in units.
    early: u64,
    /// What a DASH manifest says about it.
    about: &'static str,
}

/// As `scripts/sample-live` numbers them. The sound is early by the frame that the
/// encoder puts in front.
const REPRESENTATIONS: [Representation; 2] = [
    Representation {
        scale: 12_800,
        early: 0,
        about: r#"mimeType="video/mp4" codecs="avc1.42c00c" bandwidth="100000" width="320" height="180""#,
    },
    Representation {
        scale: 32_000,
        early: 1024,
        about: r#"mimeType="audio/mp4" codecs="mp4a.40.2" bandwidth="32000" audioSamplingRate="32000""#,
    },
];

/// How a DASH manifest names segments.
#[derive(Clone, Copy)]
enum Names {
    /// By the time they begin at, all listed in a `SegmentTimeline`. ffmpeg 5.1 asks for
    /// such a manifest again and for no other, and loses its place if segments are listed
    /// and numbered.
    Time,
    /// By their numbers, and none listed. GStreamer 1.22 loses its place in a list.
    Number,
}

/// A programme on the air.
#[derive(Debug)]
pub(crate) struct Live {
    files: PathBuf,
    began: SystemTime,
}

impl Live {
    /// A programme of the files below this directory that goes on the air now.
    pub(crate) fn new(files: &Path) -> Self {
        Self {
            files: files.join("vod/live"),
            began: SystemTime::now() - BEFORE,
        }
    }

    /// What there is at this path at this moment; nothing if it is not below a channel.
    pub(crate) fn file(&self, path: &str) -> Option<Vec<u8>> {
        let (_, below) = path.split_once("/live/")?;
        let (_channel, file) = below.split_once('/')?;
        match file {
            "manifest.mpd" => Some(self.manifest(Names::Time).into_bytes()),
            "numbered.mpd" => Some(self.manifest(Names::Number).into_bytes()),
            "media_0.m3u8" => Some(self.playlist(0).into_bytes()),
            "media_1.m3u8" => Some(self.playlist(1).into_bytes()),
            _ => fs::read(self.files.join(by_number(file)?)).ok(),
        }
    }

    /// A media playlist without an end (RFC 8216, 6.2.2).
    fn playlist(&self, id: usize) -> String {
        let listed = self.listed(LISTED_IN_HLS);
        let first = listed.start();
        let mut playlist = format!(
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:1\n\
             #EXT-X-MEDIA-SEQUENCE:{first}\n#EXT-X-MAP:URI=\"init-{id}.m4s\"\n"
        );
        for number in listed {
            let seconds = SEGMENT.as_secs_f64();
            playlist += &format!("#EXTINF:{seconds},\nsegment-{id}-{number:03}.m4s\n");
        }
        playlist
    }

    /// A dynamic manifest (ISO/IEC 23009-1, 5.3). It says what time it is, so that
    /// players need no time server; and suggests no delay, because GStreamer 1.22 takes a
    /// suggestion for none at all.
    fn manifest(&self, names: Names) -> String {
        let sets = REPRESENTATIONS.iter().enumerate();
        let sets: String = sets.map(|(id, one)| self.set(id, one, names)).collect();
        let began = humantime::format_rfc3339_millis(self.began);
        let now = humantime::format_rfc3339_millis(SystemTime::now());
        let reach = SEGMENT.as_secs_f64() * LISTED as f64;
        format!(
            r#"<?xml version="1.0" encoding="utf-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" profiles="urn:mpeg:dash:profile:isoff-live:2011"
 type="dynamic" availabilityStartTime="{began}" publishTime="{now}" minimumUpdatePeriod="PT1S"
 timeShiftBufferDepth="PT{reach}S" maxSegmentDuration="PT1S" minBufferTime="PT1S">
<Period id="0" start="PT0S">
{sets}</Period>
<UTCTiming schemeIdUri="urn:mpeg:dash:utc:direct:2014" value="{now}"/>
</MPD>
"#
        )
    }

    fn set(&self, id: usize, representation: &Representation, names: Names) -> String {
        let Representation { scale, about, .. } = representation;
        let length = representation.length();
        let segments = match names {
            Names::Time => {
                let from = representation.begin(*self.listed(LISTED).start());
                let again = LISTED - 1;
                format!(
                    r#"media="segment-$RepresentationID$-t$Time$.m4s">
<SegmentTimeline><S t="{from}" d="{length}" r="{again}"/></SegmentTimeline>"#
                )
            }
            Names::Number => {
                format!(
                    r#"media="segment-$RepresentationID$-$Number%03d$.m4s" duration="{length}">"#
                )
            }
        };
        format!(
            r#"<AdaptationSet segmentAlignment="true"><Representation id="{id}" {about}>
<SegmentTemplate timescale="{scale}" initialization="init-$RepresentationID$.m4s" {segments}
</SegmentTemplate></Representation></AdaptationSet>
"#
        )
    }

    /// The numbers of the last so many segments.
    fn listed(&self, count: u64) -> RangeInclusive<u64> {
        let since = self.began.elapsed().unwrap_or_default();
        let last = u64::try_from(since.as_millis() / SEGMENT.as_millis()).unwrap_or_default();
        last + 1 - count..=last
    }
}

impl Representation {
    /// Of a segment, in units.
    fn length(&self) -> u64 {
        self.scale * SEGMENT.as_millis() as u64 / 1000
    }

    /// Of a segment, in units.
    fn begin(&self, number: u64) -> u64 {
        (number - 1) * self.length() - self.early
    }
}

/// The name on disk of a file that may be asked for by the time it begins at.
fn by_number(file: &str) -> Option<String> {
    let Some((segment, time)) = file.split_once("-t") else {
        return Some(file.to_owned());
    };
    let id: usize = segment.strip_prefix("segment-")?.parse().ok()?;
    let representation = REPRESENTATIONS.get(id)?;
    let time: u64 = time.strip_suffix(".m4s")?.parse().ok()?;
    let number = (time + representation.early) / representation.length() + 1;
    (representation.begin(number) == time).then(|| format!("{segment}-{number:03}.m4s"))
}
