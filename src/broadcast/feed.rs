//! Publishers by WebRTC: what their router's tap gives becomes frames of a live stream, on one thread for all of them.
//! Asks them for key frames, so that segments can begin. Knows no HTTP and no signaling.

use super::{Broadcasts, Busy, Expected, Input, Kind, Source as By, TrackNumber};
use crate::capture::{Capture, Output};
use crate::clock;
use crate::session::SessionId;
use crate::worker::Media;
use crate::worker::ring::Ring;
use crate::worker::tap::{PLACES, Tapped};
use signaling::ids::Source;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How often rings are looked into.
const LOOK: Duration = Duration::from_millis(10);
/// How long a segment becomes before a key frame is asked for to end it.
const KEY_EVERY: Duration = Duration::from_secs(2);
/// How often one is asked for while none comes: not all encoders hear.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// Nobody watches who asked for nothing for so long.
const WATCHED: Duration = Duration::from_secs(10);
/// Of all pictures the best.
const HEIGHT: u16 = u16::MAX;

/// All of them. Clones share the thread, which ends with the last.
#[derive(Clone)]
pub struct Feeds {
    media: Media,
    broadcasts: Broadcasts,
    messages: Sender<Feeding>,
    next: Arc<AtomicU64>,
}

/// Somebody publishes by WebRTC. Dropped, they have gone.
pub struct Feed {
    number: u64,
    ring: Arc<Ring<Tapped>>,
    input: Arc<Mutex<Option<Input>>>,
    cut: CancellationToken,
}

/// A feed as the thread has it.
struct Feeding {
    session: SessionId,
    ring: Arc<Ring<Tapped>>,
    input: Arc<Mutex<Option<Input>>>,
    capture: Capture,
    /// When a key frame was last asked for to end a segment.
    asked: Instant,
    /// How often anything was asked for, and when that last changed.
    watched: (u64, Instant),
}

fn lock(input: &Mutex<Option<Input>>) -> MutexGuard<'_, Option<Input>> {
    // Nothing is done half-way under the lock that a panic could leave wrong.
    input.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Feeds {
    /// Starts the thread.
    #[must_use]
    pub fn start(media: Media, broadcasts: Broadcasts) -> Self {
        let (messages, receiver) = channel();
        let asked = media.clone();
        let thread = std::thread::Builder::new().name("broadcasts".to_owned()).spawn(move || run(&asked, &receiver));
        if let Err(error) = thread {
            tracing::error!(%error, "nothing that comes by WHIP can be watched by HLS: no thread");
        }
        Self { media, broadcasts, messages, next: Arc::new(AtomicU64::new(1)) }
    }

    /// This session publishes; with `takeover` instead of whoever does.
    ///
    /// # Errors
    /// Where somebody publishes already.
    pub fn begin(&self, broadcast: &str, session: SessionId, expected: Expected, takeover: bool) -> Result<Feed, Busy> {
        let now = clock::now();
        let mut input = self.broadcasts.publish(broadcast, By::Whip, takeover, now)?;
        let cut = input.cut();
        input.expect(expected);
        let (ring, input) = (Arc::new(Ring::new(PLACES)), Arc::new(Mutex::new(Some(input))));
        let feeding = Feeding {
            session,
            ring: Arc::clone(&ring),
            input: Arc::clone(&input),
            capture: Capture::new(now, self.media.server_ns(now), HEIGHT),
            asked: now,
            watched: (0, now),
        };
        // Without the thread there is nobody to take it, which was said.
        let _ = self.messages.send(feeding);
        Ok(Feed { number: self.next.fetch_add(1, Ordering::Relaxed), ring, input, cut })
    }
}

impl Feed {
    /// For the tap of its router.
    #[must_use]
    pub fn tap(&self) -> (u64, Arc<Ring<Tapped>>) {
        (self.number, Arc::clone(&self.ring))
    }

    /// Whether its publisher is to end: another one took over.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut.is_cancelled()
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        // Now and not when the thread looks: whoever comes next must find the place free.
        lock(&self.input).take();
    }
}

fn run(media: &Media, messages: &Receiver<Feeding>) {
    let mut feeds: Vec<Feeding> = Vec::new();
    loop {
        if feeds.is_empty() {
            let Ok(first) = messages.recv() else { return };
            feeds.push(first);
        }
        feeds.extend(messages.try_iter());
        let now = clock::now();
        feeds.retain_mut(|feed| feed.poll(now, media));
        std::thread::sleep(LOOK.saturating_sub(clock::now().saturating_duration_since(now)));
    }
}

impl Feeding {
    /// What came since is handed on; false where the publisher has gone.
    fn poll(&mut self, now: Instant, media: &Media) -> bool {
        let (capture, session) = (&mut self.capture, self.session);
        let mut input = lock(&self.input);
        let Some(input) = input.as_mut() else { return false };
        self.ring.drain(|tapped| {
            // What an earlier session left.
            if tapped.session == session {
                capture.handle_tapped(now, &tapped);
            }
        });
        if capture.poll_timeout().is_some_and(|at| at <= now) {
            capture.handle_timeout(now);
        }
        let seen = input.requests();
        if seen != self.watched.0 {
            self.watched = (seen, now);
        }
        let watched = self.watched.0 > 0 && now < self.watched.1 + WATCHED;
        if input.wants_key(if watched { KEY_EVERY } else { Duration::MAX }) && now >= self.asked + ASK_AGAIN {
            self.asked = now;
            capture.want_key(session, Source::Camera);
        }
        while let Some(output) = capture.poll_output() {
            match output {
                Output::Frame { source, frame, .. } => {
                    let track = TrackNumber(match source {
                        Source::Camera => Kind::Picture as u32,
                        Source::Microphone => Kind::Sound as u32,
                        // A broadcast has neither.
                        Source::Screen | Source::ScreenAudio => continue,
                    });
                    input.handle_frame(track, frame);
                }
                Output::KeyFrameWanted { session, source, layer } => media.want_key_frame(session, source, layer),
            }
        }
        true
    }
}
