//! One track of a recording: its frames, its file. A file goes on through pauses and other sizes of the picture; another
//! codec begins a new one, and so does a format that a decoder can't change to. Touches no file.

use crate::codec::Config;
use crate::container::Container;
use crate::disk::Op;
use crate::frame::{Codec, Frame, Part};
use crate::manifest::{Closed, File, Record, Size};
use crate::parts::Cutter;

/// So many files a track may begin at once, and one more each time so much has passed: a browser changes its codec once or
/// twice in a meeting, and who changes it with each picture is to fill no folder with files.
const FILES: u64 = 16;
const FILE_EVERY_MS: u64 = 60_000;

/// Browsers bear a hole as long as the picture before it.
const HOLE_MS: u64 = 300;

/// What is to be written.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) ops: Vec<Op>,
    pub(super) records: Vec<Record>,
    pub(super) new_files: u32,
    /// A picture that is no key frame comes after a hole: browsers go on to decode with a key frame only.
    pub(super) hole: bool,
}

/// What came of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It is kept, or is none.
    Done,
    /// It is left out, as others are until a key frame comes.
    WantsKey,
    /// It is left out, since it would begin a file too many; whether that is the first of this track.
    TooMany { first: bool },
}

#[derive(Debug)]
pub(super) struct Track {
    number: u32,
    source: String,
    open: Option<Open>,
    /// Pictures are left out until a key frame comes.
    wants_key: bool,
    /// Files that it began.
    files: u64,
    /// It began too many.
    refused: bool,
    /// Nothing more belongs to it.
    over: bool,
}

#[derive(Debug)]
struct Open {
    number: u32,
    name: String,
    codec: Codec,
    config: Config,
    container: Container,
    cutter: Cutter,
    len: u64,
    start: u64,
    end: u64,
    frames: u64,
}

impl Track {
    pub(super) fn new(number: u32, source: &str) -> Self {
        let source = source.chars().filter(|c| c.is_ascii_lowercase() || *c == '-').take(32).collect();
        Self { number, source, open: None, wants_key: true, files: 0, refused: false, over: false }
    }

    /// Of its frames, where there were any.
    pub(super) fn codec(&self) -> Option<Codec> {
        self.open.as_ref().map(|open| open.codec)
    }

    /// A frame was not kept.
    pub(super) const fn miss(&mut self) {
        self.wants_key = true;
    }

    /// Takes a frame that came at `now_ms` of the recording. A file that must be begun gets the number `next_file`.
    pub(super) fn push(&mut self, now_ms: u64, frame: Frame, next_file: u32) -> (Kept, Pushed) {
        let mut kept = Kept::default();
        // What was on its way when the track ended belongs to no file any more.
        if self.over {
            return (kept, Pushed::Done);
        }
        if self.open.as_ref().is_some_and(|open| open.codec != frame.codec) {
            self.miss();
        }
        let starts = frame.key && (self.wants_key || !frame.codec.is_audio());
        if !starts && (self.wants_key || (frame.codec.is_audio() && !is_sound(&frame))) {
            return (kept, if self.wants_key { Pushed::WantsKey } else { Pushed::Done });
        }
        if starts {
            let Some(config) = Config::of_key_frame(frame.codec, &frame.data) else {
                self.miss();
                return (kept, Pushed::WantsKey);
            };
            let goes_on = self.open.as_ref().is_some_and(|open| open.config.continues_with(&config));
            if !goes_on && self.files >= FILES + now_ms / FILE_EVERY_MS {
                self.miss();
                return (kept, Pushed::TooMany { first: !std::mem::replace(&mut self.refused, true) });
            }
            self.wants_key = false;
            self.start(&mut kept, &frame, config, next_file);
        }
        if let Some(open) = &mut self.open {
            let joined = open.end + HOLE_MS * u64::from(open.codec.rate()) / 1000;
            kept.hole = !frame.key && open.cutter.waiting() == 0 && open.frames > 0 && frame.time > joined;
            if let Some(part) = open.cutter.push(frame) {
                open.write(&part, &mut kept);
            }
        }
        (kept, Pushed::Done)
    }

    /// A key frame: the file goes on, or a new one begins.
    fn start(&mut self, kept: &mut Kept, frame: &Frame, config: Config, number: u32) {
        if let Some(open) = self.open.as_mut().filter(|open| open.config.continues_with(&config)) {
            if open.config.size() != config.size() {
                kept.records.extend(size(open.number, frame, &config));
            }
            open.config = config;
            return;
        }
        if let Some(open) = self.open.take() {
            open.close(kept);
        }
        let codec = frame.codec;
        let name = format!("{number:04}-{}.{}", self.source, Container::ending(codec));
        let container = Container::new(&config);
        let init = container.init().to_vec();
        let (len, at_ms) = (init.len() as u64, codec.ms(frame.time));
        kept.ops.push(Op::Append { file: name.clone(), at: 0, bytes: init });
        let (track, codecs) = (self.number, config.name());
        kept.records.push(Record::File(File { file: number, track, name: name.clone(), codec, codecs, at_ms }));
        kept.records.extend(size(number, frame, &config));
        kept.new_files += 1;
        self.files += 1;
        let (start, end) = (frame.time, frame.time);
        let cutter = Cutter::new(&config);
        self.open = Some(Open { number, name, codec, config, container, cutter, len, start, end, frames: 0 });
    }

    /// What is there at a tick; `now` is the recording's time in ticks.
    pub(super) fn cut(&mut self, now: u64) -> Kept {
        let mut kept = Kept::default();
        if let Some(open) = &mut self.open
            && let Some(part) = open.cutter.cut(now)
        {
            open.write(&part, &mut kept);
        }
        kept
    }

    /// All that is there; what comes next must be a key frame.
    pub(super) fn cut_off(&mut self) -> Kept {
        let mut kept = Kept::default();
        if let Some(open) = &mut self.open
            && let Some(part) = open.cutter.end()
        {
            open.write(&part, &mut kept);
        }
        self.miss();
        kept
    }

    /// The track is over.
    pub(super) fn end(&mut self) -> Kept {
        let mut kept = self.cut_off();
        if let Some(open) = self.open.take() {
            open.close(&mut kept);
        }
        self.over = true;
        kept
    }
}

impl Open {
    fn write(&mut self, part: &Part, kept: &mut Kept) {
        let bytes = self.container.part(part);
        let at = self.len;
        self.len += bytes.len() as u64;
        self.end = self.end.max(part.end());
        self.frames += part.samples.len() as u64;
        kept.ops.push(Op::Append { file: self.name.clone(), at, bytes });
    }

    fn close(mut self, kept: &mut Kept) {
        if let Some(part) = self.cutter.end() {
            self.write(&part, kept);
        }
        if let Some(patch) = self.container.ends(self.end) {
            kept.ops.push(Op::Complete { file: self.name, at: patch.at, bytes: patch.bytes });
        }
        kept.records.push(Record::Closed(Closed {
            file: self.number,
            bytes: self.len,
            start_ms: self.codec.ms(self.start),
            end_ms: self.codec.ms(self.end),
            frames: self.frames,
        }));
    }
}

fn is_sound(frame: &Frame) -> bool {
    match frame.codec {
        Codec::Opus => crate::codec::opus::duration(&frame.data).is_some(),
        _ => !frame.data.is_empty(),
    }
}

fn size(file: u32, frame: &Frame, config: &Config) -> Option<Record> {
    let (width, height) = config.size()?;
    Some(Record::Size(Size { file, at_ms: frame.codec.ms(frame.time), width, height }))
}
