//! A recording as one MP4 that plays everywhere: H.264 and AAC, everybody in it, made by a child `ffmpeg` when somebody
//! wants it. First it is planned what is to be seen and heard when, which touches nothing; then chunks of it are made one
//! after the other. Knows no meeting and no runtime.
//!
//! The way: [`Material`] (what there is, from manifest, timeline and scans) → [`scenes`] (who is seen when, and where) →
//! [`chunks`] and [`windows`] (what one run of ffmpeg makes of it) → [`Exporter`] (does it).

mod chunks;
mod composer;
mod exporter;
mod ffmpeg;
mod labels;
mod layout;
mod material;
mod scenes;
mod sound;
mod speakers;
#[cfg(test)]
mod tests;

pub use chunks::{Chunk, chunks};
pub use exporter::{Exporter, Fetch, Refused, Settings};
pub use ffmpeg::{Ffmpeg, Missing};
pub use layout::Rect;
pub use material::{Material, Person, Picture, Piece, Sound, Span};
pub use scenes::{Scene, Shows, Tile, scenes};
pub use sound::{Window, windows};

use serde::{Deserialize, Serialize};

/// Who is seen, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// All alike; a screen is large.
    Grid,
    /// Who speaks is large; a screen is larger.
    Speaker,
}

impl Layout {
    /// All of them.
    pub const ALL: [Layout; 2] = [Layout::Grid, Layout::Speaker];

    /// As it stands in addresses and in names of files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Layout::Grid => "grid",
            Layout::Speaker => "speaker",
        }
    }

    /// The layout of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layout| layout.name() == name)
    }

    /// The file in the recording's folder that holds it.
    #[must_use]
    pub fn file(self) -> String {
        format!("export-{}.mp4", self.name())
    }
}

/// What the picture is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canvas {
    /// In pixels, even.
    pub width: u32,
    /// In pixels, even.
    pub height: u32,
    /// Pictures a second; divides 48,000, so that no chunk ends within a sample.
    pub fps: u32,
    /// People who are seen at once at most; of the others it is said how many they are.
    pub tiles: usize,
}

impl Default for Canvas {
    fn default() -> Self {
        Self { width: 1280, height: 720, fps: 30, tiles: 9 }
    }
}

impl Canvas {
    /// How many pictures a recording of this length has.
    #[must_use]
    pub const fn frames(&self, ms: u64) -> u64 {
        (ms * self.fps as u64 + 500) / 1000
    }

    /// When a picture begins, in milliseconds.
    #[must_use]
    pub const fn ms(&self, frame: u64) -> u64 {
        frame * 1000 / self.fps as u64
    }
}

/// Samples a second of what is mixed.
pub const RATE: u32 = 48_000;

/// How an export stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Others are made before it.
    Queued,
    /// It is being made.
    Running,
    /// Its file is there.
    Finished,
    /// It could not be made.
    Failed,
}

/// One layout of a recording that somebody wanted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Export {
    /// Which.
    pub layout: Layout,
    /// How it stands.
    pub state: State,
    /// From 0 to 1.
    pub progress: f64,
    /// Of its file, where that is there.
    pub bytes: u64,
    /// Why it failed, for people.
    pub error: Option<String>,
}
