//! One live stream with those who watch it: a lock around [`Stream`] for who publishes, and what it made, shared among
//! all who ask. Knows neither HTTP nor protocols.

use super::archive::Disk;
use super::counters;
use super::playlist::multivariant;
use super::rewind::Back;
use super::stream::{Expected, Kind, Settings, Stream};
use super::window::{Segment, Window};
use super::{Busy, Source};
use bytes::Bytes;
use rand::RngExt as _;
use recordings::Frame;
use recordings::codec::Config;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// How long a publisher who dropped may take to come back.
const COME_BACK: Duration = Duration::from_secs(30);
/// A publisher of whom nothing came for so long has lost its network: who comes is the same one, back before the old
/// connection is given up.
const LOST_MS: u64 = 3_000;
/// How long viewers find the end of a stream that is over.
const KEEP_ENDED: Duration = Duration::from_secs(60);
/// How long who asks too early waits for the first part.
const FIRST_PART: Duration = Duration::from_secs(5);

/// What can be had of a rendition at one moment.
#[derive(Debug)]
pub struct View {
    full: Bytes,
    delta: Option<Bytes>,
    pub(super) segments: Vec<Arc<Segment>>,
    pub(super) heads: Vec<(u32, Bytes)>,
    /// The next part: its segment and its number there.
    pub(super) next: (u64, usize),
    pub(super) ended: bool,
    /// Nothing comes of it any more, while the stream goes on.
    retired: bool,
}

/// A whole segment that can be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Here.
    InMemory(Arc<Segment>),
    /// In a file.
    OnDisk {
        /// Which.
        path: PathBuf,
        /// All of it.
        bytes: u64,
    },
}

/// Why something can't be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It is not there, and was not announced.
    NotThere,
    /// It was there and is no more.
    Gone,
    /// It lies further ahead than may be asked for.
    TooFar,
    /// As many wait as may.
    Full,
    /// It did not come in time.
    Late,
    /// What is published can't be watched this way.
    NotInHls,
}

/// Which playlist is wanted (draft-pantos-hls-rfc8216bis §6.2.5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// One that has this segment: `_HLS_msn`.
    pub msn: Option<u64>,
    /// Or already this part of it: `_HLS_part`.
    pub part: Option<usize>,
    /// One that leaves out what the client has: `_HLS_skip`.
    pub skip: bool,
}

/// One stream from its first publisher to its end. Its URLs are never used again for anything else.
pub struct Live {
    session: String,
    state: Mutex<State>,
    views: [watch::Sender<Option<Arc<View>>>; 2],
    offered: watch::Sender<Option<Offered>>,
    /// Where viewers can go back further than memory reaches.
    back: Option<Back>,
    waiting: Arc<AtomicUsize>,
    max_waiting: usize,
    target: Duration,
    /// How often viewers asked for anything.
    requests: AtomicU64,
    /// What is published can't be in HLS. Written under the lock, for who publishes then.
    refused: AtomicBool,
}

/// Multivariant playlists: for viewers at the end, and for those who go back.
#[derive(Debug, Clone)]
struct Offered {
    live: Bytes,
    back: Bytes,
}

struct State {
    stream: Stream,
    /// The next segment of each rendition that is to be kept on the disk.
    next_kept: [u64; 2],
    publisher: Option<Publisher>,
    publishers: u64,
    /// Since when nobody publishes, or the stream is over.
    alone_since: Instant,
    ended: bool,
    bytes: usize,
    dropped: u64,
}

struct Publisher {
    number: u64,
    source: Source,
    /// When something came of it, in milliseconds since 1970.
    heard_ms: u64,
    cut: CancellationToken,
}

/// A place among those who wait.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
        counters::WAITING.add(-1);
    }
}

impl View {
    /// Whether a playlist of it is what was wanted.
    fn has(&self, msn: u64, part: Option<usize>) -> bool {
        if self.ended {
            return true;
        }
        match part {
            None => self.next.0 > msn,
            Some(part) if msn == self.next.0 => part < self.next.1,
            // Beyond the last part of a segment: the first of the next one.
            Some(part) if msn + 1 == self.next.0 => {
                let parts = self.segments.iter().find(|segment| segment.msn == msn).map_or(0, |one| one.parts.len());
                part < parts || self.next.1 > 0
            }
            Some(_) => msn < self.next.0,
        }
    }

    fn of(window: &Window, full: String, delta: Option<String>, (ended, retired): (bool, bool)) -> Self {
        Self {
            full: full.into(),
            delta: delta.map(Bytes::from),
            segments: window.segments().cloned().collect(),
            heads: window.heads().to_vec(),
            next: window.edge(),
            ended,
            retired,
        }
    }

    fn segment(&self, msn: u64) -> Result<&Arc<Segment>, Refused> {
        let first = self.segments.first().map_or(0, |first| first.msn);
        if msn < first {
            return Err(Refused::Gone);
        }
        usize::try_from(msn - first).ok().and_then(|index| self.segments.get(index)).ok_or(Refused::NotThere)
    }
}

impl Live {
    pub(super) fn new(
        now: Instant,
        settings: Settings,
        target: u64,
        (waiting, max_waiting): (Arc<AtomicUsize>, usize),
        disk: Option<&Disk>,
    ) -> Self {
        counters::LIVE.add(1);
        let state = State {
            stream: Stream::new(settings, target),
            next_kept: [0; 2],
            publisher: None,
            publishers: 0,
            alone_since: now,
            ended: false,
            bytes: 0,
            dropped: 0,
        };
        let session = format!("{:016x}", rand::rng().random::<u64>());
        Self {
            back: disk.map(|disk| Back::new(disk.archive(&session))),
            session,
            state: Mutex::new(state),
            views: [watch::Sender::new(None), watch::Sender::new(None)],
            offered: watch::Sender::new(None),
            waiting,
            max_waiting,
            target: Duration::from_secs(target),
            requests: AtomicU64::new(0),
            refused: AtomicBool::new(false),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is done half-way under the lock that a panic could leave wrong.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder of its renditions, in URLs.
    #[must_use]
    pub fn session(&self) -> &str {
        &self.session
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state().ended
    }

    /// Who publishes.
    #[must_use]
    pub fn publisher(&self) -> Option<Source> {
        self.state().publisher.as_ref().map(|publisher| publisher.source)
    }

    /// A publisher comes; its number names it from now on, and it is told when it is cut. With `takeover`, and where
    /// the one who is there has lost its network, that one is cut. `None` where the stream is over.
    pub(super) fn publish(
        &self,
        source: Source,
        takeover: bool,
        now_ms: u64,
    ) -> Result<Option<(u64, CancellationToken)>, Busy> {
        let mut state = self.state();
        if state.ended {
            return Ok(None);
        }
        if let Some(there) = &state.publisher {
            if !takeover && now_ms.saturating_sub(there.heard_ms) < LOST_MS && !there.cut.is_cancelled() {
                return Err(Busy { by: there.source });
            }
            there.cut.cancel();
        }
        state.publishers += 1;
        self.refused.store(false, Ordering::Relaxed);
        let (number, cut) = (state.publishers, CancellationToken::new());
        state.publisher = Some(Publisher { number, source, heard_ms: now_ms, cut: cut.clone() });
        state.stream.begin(Expected { picture: true, sound: true });
        self.show(&mut state);
        Ok(Some((number, cut)))
    }

    pub(super) fn expect(&self, number: u64, expected: Expected) {
        self.with(number, |stream| stream.begin(expected));
    }

    pub(super) fn set_config(&self, number: u64, config: Config) {
        self.with(number, |stream| stream.set_config(config));
    }

    pub(super) fn push(&self, number: u64, frame: Frame, now_ms: u64) -> bool {
        let mut state = self.state();
        let Some(there) = state.publisher.as_mut().filter(|there| there.number == number) else { return false };
        there.heard_ms = now_ms;
        let used = state.stream.push(frame, now_ms);
        self.show(&mut state);
        used
    }

    /// Whether a key frame would let pictures begin, or a segment end that is so long.
    pub(super) fn wants_key(&self, after: Duration) -> bool {
        // What can't be in HLS begins nothing there, however many key frames come.
        if !self.is_in_hls() {
            return false;
        }
        let state = self.state();
        state.stream.wants_key() || state.stream.since_key() >= after
    }

    /// What this one publishes can't be in HLS. One that was cut says nothing about who took over.
    pub(super) fn refuse(&self, number: u64) {
        let state = self.state();
        if state.publisher.as_ref().is_some_and(|there| there.number == number) {
            self.refused.store(true, Ordering::Relaxed);
        }
    }

    /// A frame came that can't be in HLS; but somebody is there.
    pub(super) fn refuse_frame(&self, number: u64, now_ms: u64) {
        if let Some(there) = self.state().publisher.as_mut().filter(|there| there.number == number) {
            there.heard_ms = now_ms;
            self.refused.store(true, Ordering::Relaxed);
        }
    }

    /// Whether viewers can get what is published, as far as is known.
    #[must_use]
    pub fn is_in_hls(&self) -> bool {
        !self.refused.load(Ordering::Relaxed)
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// What a publisher does, as long as it is the one; and everybody sees what came of it.
    fn with<T>(&self, number: u64, act: impl FnOnce(&mut Stream) -> T) -> Option<T> {
        let mut state = self.state();
        if state.ended || state.publisher.as_ref().is_none_or(|there| there.number != number) {
            return None;
        }
        let result = act(&mut state.stream);
        self.show(&mut state);
        Some(result)
    }

    /// A publisher goes; it may come back.
    pub(super) fn leave(&self, number: u64, now: Instant) {
        let mut state = self.state();
        if state.publisher.take_if(|there| there.number == number).is_some() {
            state.alone_since = now;
            state.stream.pause();
            self.show(&mut state);
        }
    }

    /// Nothing more comes.
    pub(super) fn end(&self, now: Instant) {
        self.end_in(&mut self.state(), now);
    }

    fn end_in(&self, state: &mut State, now: Instant) {
        if !state.ended {
            state.ended = true;
            if let Some(publisher) = state.publisher.take() {
                publisher.cut.cancel();
            }
            state.alone_since = now;
            state.stream.end();
            self.show(state);
        }
    }

    /// Ends it where nobody came back; whether it can be forgotten.
    pub(super) fn sweep(&self, now: Instant) -> bool {
        let mut state = self.state();
        let alone = now.saturating_duration_since(state.alone_since);
        if state.ended {
            return alone > KEEP_ENDED;
        }
        // Under one lock: who comes back meanwhile is either heard or begins another stream.
        if state.publisher.is_none() && alone > COME_BACK {
            self.end_in(&mut state, now);
        }
        false
    }

    /// What changed is what viewers get from now on.
    fn show(&self, state: &mut State) {
        let ended = state.ended;
        let mut changed = false;
        let State { stream, next_kept, .. } = &mut *state;
        for ((kind, view), next_kept) in Kind::ALL.into_iter().zip(&self.views).zip(next_kept) {
            let retired = stream.is_retired(kind);
            if let Some((window, full, delta)) = stream.take_changed(kind) {
                changed = true;
                counters::PARTS.add(1);
                let new = View::of(window, full, delta, (ended, retired));
                if let Some(back) = &self.back {
                    back.keep(kind, &new, next_kept);
                }
                view.send_replace(Some(Arc::new(new)));
            }
        }
        let dropped = state.stream.dropped();
        counters::DROPPED.add(dropped - state.dropped);
        state.dropped = dropped;
        if changed {
            let bytes = state.stream.bytes();
            counters::BYTES.add(bytes as i64 - state.bytes as i64);
            state.bytes = bytes;
            if let Some(variant) = state.stream.variant() {
                let offer = |names| multivariant(&variant, &self.session, names).into();
                let live = offer((Kind::Picture.name(), Kind::Sound.name()));
                self.offered.send_replace(Some(Offered { live, back: offer(Kind::BACK) }));
            }
        }
    }

    fn view(&self, kind: Kind) -> &watch::Sender<Option<Arc<View>>> {
        match kind {
            Kind::Picture => &self.views[0],
            Kind::Sound => &self.views[1],
        }
    }

    fn place(&self) -> Result<Place<'_>, Refused> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        counters::WAITING.add(1);
        let place = Place(&self.waiting);
        if before < self.max_waiting { Ok(place) } else { Err(Refused::Full) }
    }

    /// The multivariant playlist, as soon as there is one; with `back`, of what can be gone back to.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn multivariant(&self, back: bool) -> Result<Bytes, Refused> {
        if back && self.back.is_none() {
            return Err(Refused::NotThere);
        }
        let Offered { live, back: further } = self.offered().await?;
        Ok(if back { further } else { live })
    }

    async fn offered(&self) -> Result<Offered, Refused> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if !self.is_in_hls() {
            return Err(Refused::NotInHls);
        }
        if let Some(offered) = self.offered.borrow().clone() {
            return Ok(offered);
        }
        let _place = self.place()?;
        let mut offered = self.offered.subscribe();
        let came = timeout(FIRST_PART, offered.wait_for(Option::is_some)).await;
        match came {
            Ok(Ok(offered)) => offered.clone().ok_or(Refused::NotThere),
            _ if !self.is_in_hls() => Err(Refused::NotInHls),
            _ => Err(Refused::Late),
        }
    }

    /// A media playlist, as soon as it has what is wanted.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn playlist(&self, kind: Kind, wanted: Wanted) -> Result<Bytes, Refused> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let view = self.when(kind, |view| match wanted.msn {
            _ if view.retired => Err(Refused::Gone),
            None => Ok(true),
            // §6.2.5.2: further ahead it is a mistake.
            Some(msn) if msn > view.next.0 + 1 && !view.ended => Err(Refused::TooFar),
            Some(msn) => Ok(view.has(msn, wanted.part)),
        });
        let view = view.await?;
        if view.retired {
            return Err(Refused::Gone);
        }
        Ok(view.delta.as_ref().filter(|_| wanted.skip).unwrap_or(&view.full).clone())
    }

    /// A media playlist of whole segments as far back as any can be had, as soon as it has the one that is wanted.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn rewind(&self, kind: Kind, wanted: Wanted) -> Result<Bytes, Refused> {
        let back = self.back.as_ref().ok_or(Refused::NotThere)?;
        self.requests.fetch_add(1, Ordering::Relaxed);
        // Nothing comes of it any more; what is there can still be gone back to.
        let stopped = |view: &View| view.retired && !view.ended && wanted.msn.is_some_and(|msn| msn >= view.next.0);
        let view = self.when(kind, |view| match wanted.msn {
            _ if stopped(view) => Err(Refused::Gone),
            Some(msn) if msn > view.next.0 + 1 && !view.ended => Err(Refused::TooFar),
            Some(msn) => Ok(view.has(msn, None)),
            None => Ok(true),
        });
        let view = view.await?;
        if stopped(&view) {
            return Err(Refused::Gone);
        }
        Ok(back.playlist(kind, &view, self.target.as_secs(), wanted.skip))
    }

    /// A part, as soon as it is there where playlists announced it.
    ///
    /// # Errors
    /// See [`Refused`].
    pub async fn part(&self, kind: Kind, msn: u64, part: usize) -> Result<Bytes, Refused> {
        let view = self.when(kind, |view| match (msn, part).cmp(&view.next) {
            std::cmp::Ordering::Equal if view.ended => Err(Refused::NotThere),
            std::cmp::Ordering::Equal => Ok(false),
            std::cmp::Ordering::Less => Ok(true),
            std::cmp::Ordering::Greater => Err(Refused::NotThere),
        });
        let view = view.await?;
        let part = view.segment(msn)?.parts.get(part).ok_or(Refused::NotThere)?;
        counters::SENT.add(part.bytes.len() as u64);
        Ok(part.bytes.clone())
    }

    /// A whole segment.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn segment(&self, kind: Kind, msn: u64) -> Result<Found, Refused> {
        let view = self.view(kind).borrow().clone().ok_or(Refused::NotThere)?;
        let segment = match view.segment(msn) {
            Ok(segment) if segment.closed => segment,
            Ok(_) => return Err(Refused::NotThere),
            Err(why) => {
                let (path, bytes) = self.back.as_ref().and_then(|back| back.find(kind, msn)).ok_or(why)?;
                counters::SENT.add(bytes);
                return Ok(Found::OnDisk { path, bytes });
            }
        };
        counters::SENT.add(segment.len() as u64);
        Ok(Found::InMemory(Arc::clone(segment)))
    }

    /// Whether viewers can go back further than playlists of the end reach.
    #[must_use]
    pub const fn goes_back(&self) -> bool {
        self.back.is_some()
    }

    /// What a decoder is set up with.
    ///
    /// # Errors
    /// See [`Refused`].
    pub fn head(&self, kind: Kind, number: u32) -> Result<Bytes, Refused> {
        let view = self.view(kind).borrow().clone().ok_or(Refused::NotThere)?;
        let there = view.heads.iter().find(|(there, _)| *there == number).map(|(_, bytes)| bytes.clone());
        match there.or_else(|| self.back.as_ref().and_then(|back| back.head(kind, number))) {
            Some(bytes) => Ok(bytes),
            None if view.heads.first().is_some_and(|(first, _)| number < *first) => Err(Refused::Gone),
            None => Err(Refused::NotThere),
        }
    }

    /// The first view that has what is wanted.
    async fn when(&self, kind: Kind, has: impl Fn(&View) -> Result<bool, Refused>) -> Result<Arc<View>, Refused> {
        let views = self.view(kind);
        let now = views.borrow().clone().ok_or(Refused::NotThere)?;
        if has(&now)? {
            return Ok(now);
        }
        let _place = self.place()?;
        let mut views = views.subscribe();
        // What is refused now was not when it was asked for, and is answered with what there is.
        let came = views.wait_for(|view| view.as_ref().is_some_and(|view| has(view).unwrap_or(true)));
        match timeout(3 * self.target, came).await {
            Ok(Ok(view)) => view.clone().ok_or(Refused::NotThere),
            _ => Err(Refused::Late),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        counters::LIVE.add(-1);
        counters::BYTES.add(-(self.state().bytes as i64));
    }
}

#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
