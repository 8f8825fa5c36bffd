//! What whoever publishes holds: formats and frames go in, and when it is dropped the publisher has gone. Knows no
//! protocol.

use super::live::Live;
use super::stream::Expected;
use crate::clock;
use recordings::codec::Config;
use recordings::{Codec, Frame};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A track as its publisher counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TrackNumber(pub u32);

/// Why a track can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// VP8 is in no MP4 that a browser plays, so in no HLS.
    Vp8,
    /// There is a picture, or a sound, already; a stream has one of each.
    Second,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vp8 => "VP8 can't be sent by HLS; publish H.264, VP9 or AV1",
            Self::Second => "a stream has one picture and one sound; more are left out",
        })
    }
}

/// Somebody publishes. Dropped, they have gone, and may come back for 30 s.
pub struct Input {
    live: Arc<Live>,
    number: u64,
    cut: CancellationToken,
    picture: Option<TrackNumber>,
    sound: Option<TrackNumber>,
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Input {
    pub(super) fn new(live: Arc<Live>, (number, cut): (u64, CancellationToken)) -> Self {
        Self { live, number, cut, picture: None, sound: None }
    }

    /// Cancelled when it is to end: the broadcast is over, or another one took over. Nothing is used any more then.
    #[must_use]
    pub fn cut(&self) -> CancellationToken {
        self.cut.clone()
    }

    /// Says what will come, before anything does, where that is not one picture and one sound: then viewers need not
    /// wait a second for it.
    pub fn expect(&mut self, expected: Expected) {
        self.live.expect(self.number, expected);
    }

    /// What a track is coded with, before its first frame and again when it changes. Frames of WebRTC say it
    /// themselves, and so does Opus.
    ///
    /// # Errors
    /// When frames of this track will not be used.
    pub fn handle_format(&mut self, track: TrackNumber, config: Config) -> Result<(), Unusable> {
        if matches!(config, Config::Vp8(_)) {
            self.live.refuse(self.number);
            return Err(Unusable::Vp8);
        }
        if !self.is_used(track, config.codec()) {
            return Err(Unusable::Second);
        }
        self.live.set_config(self.number, config);
        Ok(())
    }

    /// A frame in the order of decoding; times of both tracks are on one clock of the publisher's, whatever it begins
    /// with. Says whether it was used: not before a key frame, not after the broadcast was ended. Never waits.
    pub fn handle_frame(&mut self, track: TrackNumber, frame: Frame) -> bool {
        if frame.codec == Codec::Vp8 {
            self.live.refuse_frame(self.number, clock::unix().0);
            return false;
        }
        self.is_used(track, frame.codec) && self.live.push(self.number, frame, clock::unix().0)
    }

    /// Whether a key frame would let pictures begin, or end a segment that is this long. For publishers that can be
    /// asked for one.
    #[must_use]
    pub fn wants_key(&self, after: Duration) -> bool {
        self.live.wants_key(after)
    }

    /// How often viewers asked for anything.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.live.requests()
    }

    /// The first of each kind is used.
    fn is_used(&mut self, track: TrackNumber, codec: Codec) -> bool {
        let place = if codec.is_audio() { &mut self.sound } else { &mut self.picture };
        *place.get_or_insert(track) == track
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.live.leave(self.number, clock::now());
    }
}
