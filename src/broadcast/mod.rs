//! Live streams: whoever publishes hands in coded frames, viewers get LL-HLS from memory. Knows no protocol of
//! publishers, no HTTP and no rules of who may.
//!
//! The way of a frame: [`Feeds`] for WebRTC, protocols for others → [`Input::handle_frame`] → `live` (one lock per stream)
//! → `stream` (`sound`, and the cutter and writer that recordings have) → `window` → `playlist` → what all viewers share.

mod archive;
pub mod counters;
mod feed;
mod input;
mod lane;
mod live;
mod playlist;
mod rewind;
mod sound;
mod stream;
#[cfg(test)]
mod tests;
mod window;

pub use archive::Rewind;
pub use feed::{Feed, Feeds};
pub use input::{Input, TrackNumber, Unusable};
pub use live::{Found, Live, Refused, View, Wanted};
pub use stream::{Expected, Kind, Settings};
pub use window::Segment;

use crate::clock;
use archive::Disk;
use dashmap::DashMap;
use std::fmt;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tokio::time::interval;

/// How often it is looked for streams that are over.
const TICK: Duration = Duration::from_secs(1);

/// How somebody publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An encoder by RTMP.
    Rtmp,
    /// An encoder by SRT.
    Srt,
    /// A browser or an encoder by WebRTC.
    Whip,
    /// A meeting.
    Stage,
}

impl Source {
    /// In small letters.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Rtmp => "rtmp",
            Self::Srt => "srt",
            Self::Whip => "whip",
            Self::Stage => "stage",
        }
    }

    /// Seconds that no segment is longer than. Who can be asked for key frames sends them often; encoders are set up
    /// by people, and many begin with one in ten seconds.
    const fn target(self) -> u64 {
        match self {
            Self::Rtmp | Self::Srt => 10,
            Self::Whip | Self::Stage => 4,
        }
    }
}

/// Somebody publishes already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy {
    /// How.
    pub by: Source,
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "somebody publishes already, by {}", self.by.word())
    }
}

impl std::error::Error for Busy {}

/// All live streams. Clones share them.
#[derive(Clone)]
pub struct Broadcasts {
    settings: Settings,
    live: Arc<DashMap<String, Arc<Live>>>,
    waiting: Arc<AtomicUsize>,
    max_waiting: usize,
    disk: Option<Disk>,
}

impl Broadcasts {
    /// None live. Of all viewers at most so many wait for what comes next.
    #[must_use]
    pub fn new(settings: Settings, max_waiting: usize) -> Self {
        Self { settings, live: Arc::default(), waiting: Arc::default(), max_waiting, disk: None }
    }

    /// Keeps on the disk what leaves memory, for those who go back; removes what another run of the server left there.
    #[must_use]
    pub fn with_rewind(self, rewind: Rewind) -> Self {
        Self { disk: Disk::start(rewind), ..self }
    }

    /// Puts away in the background what is over.
    pub fn tend(&self) {
        let live = Arc::downgrade(&self.live);
        tokio::spawn(async move {
            let mut tick = interval(TICK);
            loop {
                tick.tick().await;
                let Some(live) = Weak::upgrade(&live) else { break };
                let now = clock::now();
                live.retain(|_, one| !one.sweep(now));
            }
        });
    }

    /// Somebody comes to publish. One who dropped less than 30 s ago goes on with the same stream. With `takeover` one
    /// who publishes is cut, whichever way it came; so is one of whom nothing was heard for some seconds.
    ///
    /// # Errors
    /// Where somebody publishes already.
    pub fn publish(&self, broadcast: &str, source: Source, takeover: bool, now: Instant) -> Result<Input, Busy> {
        loop {
            let live = Arc::clone(&*self.live.entry(broadcast.to_owned()).or_insert_with(|| {
                let waiting = (Arc::clone(&self.waiting), self.max_waiting);
                Arc::new(Live::new(now, self.settings, source.target(), waiting, self.disk.as_ref()))
            }));
            if let Some(place) = live.publish(source, takeover, clock::unix().0)? {
                return Ok(Input::new(live, place));
            }
            // It is over: what comes is another one.
            self.live.remove_if(broadcast, |_, other| Arc::ptr_eq(other, &live));
        }
    }

    /// The stream of a broadcast that is live, or was until a moment ago.
    #[must_use]
    pub fn get(&self, broadcast: &str) -> Option<Arc<Live>> {
        self.live.get(broadcast).map(|live| Arc::clone(&live))
    }

    /// Ends a stream, its publisher with it. Viewers find its end for a minute.
    pub fn end(&self, broadcast: &str) {
        if let Some(live) = self.get(broadcast) {
            live.end(clock::now());
        }
    }

    /// How many are live.
    #[must_use]
    pub fn count(&self) -> usize {
        self.live.len()
    }
}
