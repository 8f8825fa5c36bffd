//! The text of playlists (RFC 8216 and draft-pantos-hls-rfc8216bis): pure functions of what there is. Knows no viewers.

use super::archive::Entry;
use super::window::{Segment, Window};
use std::fmt::Write as _;

/// What a media playlist says beside its segments.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape<'a> {
    /// The rendition's name, which its URLs begin with.
    pub(super) name: &'static str,
    /// Seconds that no segment is longer than.
    pub(super) target: u64,
    /// Milliseconds that no part is longer than.
    pub(super) part_ms: u64,
    /// Whether segments so far from the end, in microseconds, may be left out.
    pub(super) skip_us: Option<u64>,
    /// The other rendition and its last part.
    pub(super) other: Option<(&'a str, (u64, usize))>,
    /// No more comes.
    pub(super) ended: bool,
}

/// Parts are named of so many of the last segments: players that begin at the end need them, others don't.
const SEGMENTS_WITH_PARTS: usize = 3;
/// Players stay so many parts behind the end.
const PARTS_HELD_BACK: u64 = 3;

/// A media playlist; a shorter one for who has the older segments, where that leaves some out.
pub(super) fn media(window: &Window, shape: &Shape<'_>, delta: bool) -> Option<String> {
    let listed: Vec<&Segment> = window.listed().map(AsRef::as_ref).collect();
    let skipped = if delta { skipped(&listed, shape.skip_us?)? } else { 0 };
    let mut text = String::with_capacity(4096);
    // 9 for skipped segments; nothing else needs as much.
    let _ = writeln!(text, "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:{}", shape.target);
    text += "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=";
    seconds(&mut text, PARTS_HELD_BACK * shape.part_ms * 1000);
    if let Some(skip_us) = shape.skip_us {
        text += ",CAN-SKIP-UNTIL=";
        seconds(&mut text, skip_us);
    }
    text += "\n#EXT-X-PART-INF:PART-TARGET=";
    seconds(&mut text, shape.part_ms * 1000);
    let first = listed.first().copied();
    let next = window.edge();
    let _ = write!(text, "\n#EXT-X-MEDIA-SEQUENCE:{}\n", first.map_or(next.0, |first| first.msn));
    let mut era = first.map_or(0, |first| first.era);
    if era > 0 {
        let _ = writeln!(text, "#EXT-X-DISCONTINUITY-SEQUENCE:{era}");
    }
    let mut head = None;
    if delta {
        let _ = writeln!(text, "#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}");
        // Who asks for a delta knows them.
        if let Some(last) = listed.get(skipped.wrapping_sub(1)) {
            (era, head) = (last.era, Some(last.head));
        }
    }
    let with_parts = listed.len().saturating_sub(SEGMENTS_WITH_PARTS + 1);
    for (index, segment) in listed.iter().enumerate().skip(skipped) {
        for _ in era..segment.era {
            text += "#EXT-X-DISCONTINUITY\n";
        }
        era = segment.era;
        if head != Some(segment.head) {
            head = Some(segment.head);
            let _ = writeln!(text, "#EXT-X-MAP:URI=\"{}/init-{}.mp4\"", shape.name, segment.head);
        }
        text += "#EXT-X-PROGRAM-DATE-TIME:";
        date_time(&mut text, segment.at_ms);
        text.push('\n');
        if index >= with_parts {
            for (number, part) in segment.parts.iter().enumerate() {
                text += "#EXT-X-PART:DURATION=";
                seconds(&mut text, part.duration_us);
                let _ = write!(text, ",URI=\"{}/{}.{number}.m4s\"", shape.name, segment.msn);
                text += if part.independent { ",INDEPENDENT=YES\n" } else { "\n" };
            }
        }
        if segment.closed {
            text += "#EXTINF:";
            seconds(&mut text, segment.duration_us);
            let _ = write!(text, ",\n{}/{}.m4s\n", shape.name, segment.msn);
        }
    }
    if shape.ended {
        text += "#EXT-X-ENDLIST\n";
    } else {
        let (msn, part) = next;
        let _ = writeln!(text, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{}/{msn}.{part}.m4s\"", shape.name);
        if let Some((name, (msn, part))) = shape.other {
            let _ = writeln!(text, "#EXT-X-RENDITION-REPORT:URI=\"{name}.m3u8\",LAST-MSN={msn},LAST-PART={part}");
        }
    }
    Some(text)
}

/// A media playlist of whole segments, to go back in. Of `delta` and `ended`, the first asks for a shorter one, `None`
/// where that leaves nothing out.
pub(super) fn rewind(entries: &[Entry], name: &str, target: u64, (delta, ended): (bool, bool)) -> Option<String> {
    let skip_us = 6 * target * 1_000_000;
    let mut after = 0;
    let kept = entries.iter().rev().take_while(|entry| {
        let near = after < skip_us;
        after += entry.duration_us;
        near
    });
    let skipped = if delta { Some(entries.len() - kept.count()).filter(|skipped| *skipped > 0)? } else { 0 };
    let mut text = String::with_capacity(256 + 128 * (entries.len() - skipped));
    let _ = writeln!(text, "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:{target}");
    text += "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=";
    seconds(&mut text, skip_us);
    let (first, mut era) = entries.first().map_or((0, 0), |first| (first.msn, first.era));
    let _ = write!(text, "\n#EXT-X-MEDIA-SEQUENCE:{first}\n#EXT-X-DISCONTINUITY-SEQUENCE:{era}\n");
    let mut head = None;
    if let Some(last) = entries.get(skipped.wrapping_sub(1)) {
        let _ = writeln!(text, "#EXT-X-SKIP:SKIPPED-SEGMENTS={skipped}");
        (era, head) = (last.era, Some(last.head));
    }
    for entry in &entries[skipped..] {
        for _ in era..entry.era {
            text += "#EXT-X-DISCONTINUITY\n";
        }
        era = entry.era;
        if head != Some(entry.head) {
            head = Some(entry.head);
            let _ = writeln!(text, "#EXT-X-MAP:URI=\"{name}/init-{}.mp4\"", entry.head);
        }
        text += "#EXT-X-PROGRAM-DATE-TIME:";
        date_time(&mut text, entry.at_ms);
        // The disk did not take it; players go on behind it (§4.4.4.7).
        text += if entry.len.is_none() { "\n#EXT-X-GAP\n#EXTINF:" } else { "\n#EXTINF:" };
        seconds(&mut text, entry.duration_us);
        let _ = write!(text, ",\n{name}/{}.m4s\n", entry.msn);
    }
    if ended {
        text += "#EXT-X-ENDLIST\n";
    }
    Some(text)
}

/// How many of the oldest segments end before the part of a playlist that may not be skipped.
fn skipped(listed: &[&Segment], skip_us: u64) -> Option<usize> {
    let mut after = 0;
    let kept = listed.iter().rev().take_while(|segment| {
        let near = after < skip_us;
        after += segment.duration_us;
        near
    });
    Some(listed.len() - kept.count()).filter(|skipped| *skipped > 0)
}

/// What the multivariant playlist offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variant {
    /// Codecs of picture and sound.
    pub(super) codecs: Vec<String>,
    /// Width and height of the picture.
    pub(super) size: Option<(u16, u16)>,
    /// Bits per second at most, of both.
    pub(super) peak: u64,
    /// Whether sound is a rendition of its own beside the picture, with so many channels.
    pub(super) sound: Option<u8>,
}

/// The multivariant playlist; `session` is the folder of the renditions, `names` those of picture and sound.
pub(super) fn multivariant(variant: &Variant, session: &str, names: (&str, &str)) -> String {
    let mut text = String::from("#EXTM3U\n#EXT-X-VERSION:6\n");
    let picture = variant.size.is_some();
    if let Some(channels) = variant.sound.filter(|_| picture) {
        let _ = writeln!(
            text,
            "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"sound\",NAME=\"Sound\",DEFAULT=YES,AUTOSELECT=YES,\
             CHANNELS=\"{channels}\",URI=\"{session}/{}.m3u8\"",
            names.1
        );
    }
    let _ = write!(text, "#EXT-X-STREAM-INF:BANDWIDTH={},CODECS=\"{}\"", variant.peak, variant.codecs.join(","));
    if let Some((width, height)) = variant.size {
        let _ = write!(text, ",RESOLUTION={width}x{height}");
        if variant.sound.is_some() {
            text += ",AUDIO=\"sound\"";
        }
    }
    let _ = write!(text, "\n{session}/{}.m3u8\n", if picture { names.0 } else { names.1 });
    text
}

/// Seconds with six digits after the point, without zeros at the end.
fn seconds(text: &mut String, us: u64) {
    let _ = write!(text, "{}", us / 1_000_000);
    let mut rest = us % 1_000_000;
    if rest > 0 {
        let mut digits = 6;
        while rest.is_multiple_of(10) {
            rest /= 10;
            digits -= 1;
        }
        let _ = write!(text, ".{rest:0digits$}");
    }
}

/// A time of day as RFC 3339 has it, in UTC with milliseconds.
fn date_time(text: &mut String, ms: u64) {
    let (days, ms) = (ms / 86_400_000, ms % 86_400_000);
    // Days since 1 March of the year 0, in cycles of 400 years: leap days then come last.
    let days = days + 719_468;
    let (cycle, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = cycle * 400 + year + u64::from(month <= 2);
    let (hour, minute, second, ms) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
    let _ = write!(text, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_lengths_are_written_as_players_read_them() {
        let date = |ms| {
            let mut text = String::new();
            date_time(&mut text, ms);
            text
        };
        assert_eq!(date(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(date(951_827_696_789), "2000-02-29T12:34:56.789Z");
        assert_eq!(date(1_795_431_228_001), "2026-11-23T10:53:48.001Z");
        assert_eq!(date(4_107_542_399_999), "2100-02-28T23:59:59.999Z");
        assert_eq!(date(4_107_542_400_000), "2100-03-01T00:00:00.000Z", "2100 has no leap day");
        let length = |us| {
            let mut text = String::new();
            seconds(&mut text, us);
            text
        };
        assert_eq!([0, 350_000, 2_000_000, 333_333, 1_000_001].map(length), ["0", "0.35", "2", "0.333333", "1.000001"]);
    }
}
