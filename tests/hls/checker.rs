//! Reads media playlists one after the other as a player does, and finds what RFC 8216 and
//! draft-pantos-hls-rfc8216bis do not allow. Knows nothing of who wrote them.

use std::collections::BTreeMap;

/// A part, or what is said of a whole segment.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    pub uri: String,
    pub seconds: f64,
    pub independent: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Segment {
    pub whole: Option<Piece>,
    pub parts: Vec<Piece>,
    /// Milliseconds since 1970, of the day's time alone.
    pub at: Option<u64>,
    pub map: String,
    /// Its discontinuity number.
    pub era: u64,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Playlist {
    pub target: f64,
    pub part_target: f64,
    pub hold_back: f64,
    pub skip_until: Option<f64>,
    pub first: u64,
    pub skipped: u64,
    /// As the playlist begins with.
    pub discontinuity: u64,
    pub segments: BTreeMap<u64, Segment>,
    pub hint: Option<String>,
    pub reports: Vec<String>,
    pub ended: bool,
}

fn attribute<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (_, list) = line.split_once(':')?;
    let mut rest = list;
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => {
                let (value, after) = quoted.split_once('"')?;
                (value, after.strip_prefix(',').unwrap_or(after))
            }
            None => after.split_once(',').unwrap_or((after, "")),
        };
        if key == name {
            return Some(value);
        }
        rest = after;
    }
    None
}

fn seconds(text: Option<&str>) -> f64 {
    text.and_then(|text| text.trim_end_matches(',').parse().ok()).unwrap_or_else(|| panic!("no seconds: {text:?}"))
}

fn time_of_day(text: &str) -> u64 {
    let (_, time) = text.trim_end_matches('Z').split_once('T').expect("a time");
    let (clock, ms) = time.split_once('.').expect("milliseconds");
    let fields: Vec<u64> = clock.split(':').map(|field| field.parse().expect("a number")).collect();
    (fields[0] * 3600 + fields[1] * 60 + fields[2]) * 1000 + ms.parse::<u64>().expect("a number")
}

/// Reads a playlist; panics where it can't be one.
pub fn read(text: &str) -> Playlist {
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("#EXTM3U"), "{text}");
    let mut playlist = Playlist::default();
    let (mut msn, mut era) = (0, 0);
    let mut segment = Segment::default();
    let mut map = String::new();
    let mut inf = None;
    for line in lines {
        let value = line.split_once(':').map(|(_, value)| value);
        match line.split(':').next().unwrap_or_default() {
            "#EXT-X-TARGETDURATION" => playlist.target = seconds(value),
            "#EXT-X-PART-INF" => playlist.part_target = seconds(attribute(line, "PART-TARGET")),
            "#EXT-X-SERVER-CONTROL" => {
                assert_eq!(attribute(line, "CAN-BLOCK-RELOAD"), Some("YES"));
                playlist.hold_back = seconds(attribute(line, "PART-HOLD-BACK"));
                playlist.skip_until = attribute(line, "CAN-SKIP-UNTIL").map(|text| seconds(Some(text)));
            }
            "#EXT-X-MEDIA-SEQUENCE" => {
                playlist.first = value.and_then(|value| value.parse().ok()).expect("a number");
                msn = playlist.first;
            }
            "#EXT-X-DISCONTINUITY-SEQUENCE" => {
                era = value.and_then(|value| value.parse().ok()).expect("a number");
                playlist.discontinuity = era;
            }
            "#EXT-X-SKIP" => {
                playlist.skipped =
                    attribute(line, "SKIPPED-SEGMENTS").and_then(|text| text.parse().ok()).expect("a number");
                msn += playlist.skipped;
            }
            "#EXT-X-DISCONTINUITY" => era += 1,
            "#EXT-X-MAP" => map = attribute(line, "URI").expect("a URI").to_owned(),
            "#EXT-X-PROGRAM-DATE-TIME" => segment.at = value.map(time_of_day),
            "#EXT-X-PART" => segment.parts.push(Piece {
                uri: attribute(line, "URI").expect("a URI").to_owned(),
                seconds: seconds(attribute(line, "DURATION")),
                independent: attribute(line, "INDEPENDENT") == Some("YES"),
            }),
            "#EXTINF" => inf = Some(seconds(value)),
            "#EXT-X-PRELOAD-HINT" => playlist.hint = attribute(line, "URI").map(str::to_owned),
            "#EXT-X-RENDITION-REPORT" => {
                // Required of renditions that have parts (§4.4.5.4).
                assert!(line.contains("LAST-MSN=") && line.contains("LAST-PART="), "{line}");
                playlist.reports.push(line.to_owned());
            }
            "#EXT-X-ENDLIST" => playlist.ended = true,
            "#EXT-X-VERSION" => {}
            _ if line.starts_with('#') || line.is_empty() => panic!("an unknown line: {line}"),
            _ => {
                let seconds = inf.take().expect("EXTINF");
                segment.whole = Some(Piece { uri: line.to_owned(), seconds, independent: false });
                (segment.map, segment.era) = (map.clone(), era);
                playlist.segments.insert(msn, std::mem::take(&mut segment));
                msn += 1;
            }
        }
    }
    if !segment.parts.is_empty() {
        (segment.map, segment.era) = (map, era);
        playlist.segments.insert(msn, segment);
    }
    playlist
}

/// What a player of one rendition has seen.
#[derive(Debug, Default)]
pub struct Checker {
    seen: BTreeMap<u64, Segment>,
    last: Option<Playlist>,
    /// Parts longer than is said are no mistake of the server's where its publisher's pictures stood.
    pub pictures_stand: bool,
}

impl Checker {
    /// The last one.
    pub fn last(&self) -> Option<&Playlist> {
        self.last.as_ref()
    }

    /// Takes the next playlist, as long as the one before or a delta of it.
    pub fn take(&mut self, text: &str) -> &Playlist {
        let mut playlist = read(text);
        let Playlist { target, part_target, .. } = playlist;
        assert!(target >= 1.0 && part_target > 0.0 && playlist.hold_back >= 2.0 * part_target, "{text}");
        assert!(playlist.skip_until.is_none_or(|until| until >= 6.0 * target), "{text}");
        if let Some(last) = &self.last {
            assert!(playlist.first >= last.first, "the media sequence went back: {text}");
            assert_eq!((target, part_target), (last.target, last.part_target), "what may never change: {text}");
            assert!(!last.ended || playlist.ended, "it went on after its end: {text}");
        }
        if playlist.skipped > 0 {
            let last = self.last.as_ref().expect("a delta needs something to skip");
            let skipped = playlist.first..playlist.first + playlist.skipped;
            for msn in skipped {
                let known = last.segments.get(&msn).unwrap_or_else(|| panic!("{msn} was never seen: {text}"));
                playlist.segments.insert(msn, known.clone());
            }
            // What stands before the first that is not skipped is not said again.
            let before = playlist.segments[&(playlist.first + playlist.skipped - 1)].clone();
            for (_, segment) in playlist.segments.range_mut(playlist.first + playlist.skipped..) {
                segment.era = before.era + segment.era - playlist.discontinuity;
                if segment.map.is_empty() {
                    segment.map.clone_from(&before.map);
                }
            }
        }
        let numbers: Vec<u64> = playlist.segments.keys().copied().collect();
        assert!(numbers.first().is_none_or(|first| *first == playlist.first), "{text}");
        assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{text}");
        for (msn, segment) in &playlist.segments {
            assert!(!segment.map.is_empty() && segment.at.is_some(), "{msn}: no map, or no time: {text}");
            self.compare(*msn, segment, &playlist, text);
        }
        for pair in numbers.windows(2) {
            let (one, next) = (&playlist.segments[&pair[0]], &playlist.segments[&pair[1]]);
            let whole = one.whole.as_ref().unwrap_or_else(|| panic!("only the last may be open: {text}"));
            if one.era == next.era {
                let apart = (next.at.expect("a time") as i64 - one.at.expect("a time") as i64).rem_euclid(86_400_000);
                let off = (apart as f64 - whole.seconds * 1000.0).abs();
                assert!(off < 50.0, "{off} ms between {} and the next: {text}", whole.uri);
            }
        }
        let open = playlist.segments.last_key_value().filter(|(_, segment)| segment.whole.is_none());
        if playlist.ended {
            assert!(playlist.hint.is_none() && open.is_none(), "{text}");
        } else {
            let (msn, part) = match open {
                Some((msn, segment)) => (*msn, segment.parts.len()),
                None => (numbers.last().map_or(playlist.first, |last| last + 1), 0),
            };
            let hint = playlist.hint.as_deref().unwrap_or_else(|| panic!("no hint: {text}"));
            assert!(hint.ends_with(&format!("/{msn}.{part}.m4s")), "{hint}: {text}");
        }
        let length: f64 = playlist.segments.values().filter_map(|one| Some(one.whole.as_ref()?.seconds)).sum();
        assert!(playlist.first == 0 || length >= 3.0 * target, "{length} s is too short: {text}");
        self.last = Some(playlist);
        self.last.as_ref().expect("just put there")
    }

    /// A segment against what was said of it before.
    fn compare(&mut self, msn: u64, segment: &Segment, playlist: &Playlist, text: &str) {
        if let Some(whole) = &segment.whole {
            assert!(whole.seconds.round() <= playlist.target, "{} is too long: {text}", whole.uri);
            let sum: f64 = segment.parts.iter().map(|part| part.seconds).sum();
            assert!(segment.parts.is_empty() || (sum - whole.seconds).abs() < 0.001, "{sum}: {text}");
        }
        let last = segment.parts.len().saturating_sub(1);
        for (number, part) in segment.parts.iter().enumerate() {
            assert!(part.uri.ends_with(&format!("/{msn}.{number}.m4s")), "{}: {text}", part.uri);
            let fits = part.seconds <= playlist.part_target + 1e-6 || self.pictures_stand;
            assert!(fits, "{} takes {} s: {text}", part.uri, part.seconds);
            // A part before the end of its segment, or one that was the last until now.
            let short = part.seconds < 0.85 * playlist.part_target;
            let may = self.pictures_stand || number == last || part.independent;
            assert!(!short || may, "{} takes {} s only: {text}", part.uri, part.seconds);
        }
        let known = self.seen.entry(msn).or_insert_with(|| segment.clone());
        assert_eq!((known.era, &known.map, known.at), (segment.era, &segment.map, segment.at), "{msn}: {text}");
        if let (Some(before), Some(now)) = (&known.whole, &segment.whole) {
            assert_eq!(before, now, "{text}");
        }
        let both = known.parts.len().min(segment.parts.len());
        assert_eq!(known.parts[..both], segment.parts[..both], "{msn}: {text}");
        if known.whole.is_none() || known.parts.len() < segment.parts.len() {
            assert!(known.whole.is_none() || known.parts.len() >= segment.parts.len(), "{msn} grew again: {text}");
            *known = segment.clone();
        }
    }
}
