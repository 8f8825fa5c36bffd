//! Who publishes to which broadcast, and how it goes. Knows no protocol, no socket and no stream key.

use super::counters::{BYTES, FRAMES, PUBLISHING};
use super::media::{Event, Refused};
use super::trouble::{Report, Watch};
use crate::broadcast::{Broadcasts, Input, Source, TrackNumber};
use crate::clock;
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use serde::Serialize;
use signaling::ids::Millis;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

/// A publisher of whom nothing came for so long has lost its network: who comes with its key is the same one, back
/// before the old connection is given up.
const LOST: Duration = Duration::from_secs(3);
/// How long the one who is cut may take to be gone.
const GONE_WITHIN: Duration = Duration::from_secs(1);

/// By which way a publisher comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// RTMP, enhanced or not.
    Rtmp,
}

/// A publisher as operators see it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Status {
    /// By which way.
    pub protocol: Protocol,
    /// What it calls itself; at most 64 characters, and what a stranger chose.
    pub encoder: String,
    /// Since when, in milliseconds since the Unix epoch.
    #[schema(value_type = u64)]
    pub since: Millis,
    /// What comes, and what is wrong with it.
    #[serde(flatten)]
    pub report: Report,
}

impl Protocol {
    const fn source(self) -> Source {
        match self {
            Self::Rtmp => Source::Rtmp,
        }
    }
}

/// All who publish.
pub(super) struct Publishers {
    /// Where their frames go.
    pub(super) live: Broadcasts,
    now: DashMap<String, Arc<Shared>>,
}

#[derive(Debug)]
struct Shared {
    protocol: Protocol,
    since: Millis,
    cut: CancellationToken,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    encoder: String,
    heard: Instant,
    watch: Watch,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is done half-way under the lock that a panic could leave wrong.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Publishers {
    pub(super) fn new(live: Broadcasts) -> Arc<Self> {
        Arc::new(Self { live, now: DashMap::new() })
    }

    /// Takes the one place that there is among encoders of a broadcast. With `takeover` whoever has it is cut.
    pub(super) async fn begin(
        self: &Arc<Self>,
        broadcast: &str,
        (protocol, encoder): (Protocol, String),
        limit: u64,
        takeover: bool,
    ) -> Result<Publication, Refused> {
        let now = clock::now();
        let shared = Arc::new(Shared {
            protocol,
            since: clock::unix(),
            cut: CancellationToken::new(),
            state: Mutex::new(State { encoder, heard: now, watch: Watch::new(now, limit) }),
        });
        let place = async {
            loop {
                let other = match self.now.entry(broadcast.to_owned()) {
                    Entry::Vacant(vacant) => {
                        vacant.insert(Arc::clone(&shared));
                        return Ok(());
                    }
                    Entry::Occupied(occupied) => Arc::clone(occupied.get()),
                };
                let silent = clock::now().saturating_duration_since(other.state().heard);
                if !takeover && silent < LOST && !other.cut.is_cancelled() {
                    return Err(Refused::Busy);
                }
                other.cut.cancel();
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(GONE_WITHIN, place).await.unwrap_or(Err(Refused::Busy))?;
        PUBLISHING.add(1);
        // From here on its end gives the place back.
        Ok(Publication { all: Arc::clone(self), broadcast: broadcast.to_owned(), shared, input: None, takeover })
    }

    pub(super) fn status(&self, broadcast: &str) -> Option<Status> {
        let shared = self.now.get(broadcast).map(|shared| Arc::clone(&shared))?;
        let mut state = shared.state();
        let report = state.watch.report(clock::now());
        Some(Status { protocol: shared.protocol, encoder: state.encoder.clone(), since: shared.since, report })
    }

    pub(super) fn cut(&self, broadcast: &str) {
        if let Some(shared) = self.now.get(broadcast) {
            shared.cut.cancel();
        }
    }

    pub(super) fn cut_all(&self) {
        self.now.iter().for_each(|shared| shared.cut.cancel());
    }

    pub(super) fn len(&self) -> usize {
        self.now.len()
    }
}

/// The right to publish to a broadcast; ends when it is dropped.
pub(super) struct Publication {
    all: Arc<Publishers>,
    broadcast: String,
    shared: Arc<Shared>,
    input: Option<Input>,
    takeover: bool,
}

/// The first picture and the first sound of a push.
const PICTURE: TrackNumber = TrackNumber(0);
const SOUND: TrackNumber = TrackNumber(1);

impl Publication {
    /// From here on its frames are the broadcast's.
    pub(super) fn go_live(&mut self) -> Result<(), Refused> {
        // Somebody may publish by other ways than these.
        let input = self.all.live.publish(&self.broadcast, self.shared.protocol.source(), self.takeover, clock::now());
        self.input = Some(input.map_err(|_| Refused::Busy)?);
        Ok(())
    }

    /// Any of them is cancelled when it is to end: its key was changed, its broadcast ended, or another one took over.
    pub(super) fn cuts(&self) -> [CancellationToken; 2] {
        let own = self.shared.cut.clone();
        [self.input.as_ref().map_or_else(|| own.clone(), Input::cut), own]
    }

    pub(super) fn broadcast(&self) -> &str {
        &self.broadcast
    }

    pub(super) fn handle_encoder(&self, name: String) {
        self.shared.state().encoder = name;
    }

    /// Something came of it.
    pub(super) fn handle_event(&mut self, now: Instant, event: Event) {
        let mut state = self.shared.state();
        state.heard = now;
        match event {
            Event::Format(format) => {
                state.watch.handle_format(&format);
                drop(state);
                if let (Some(input), Some(config)) = (&mut self.input, format.config()) {
                    // Only what can be used comes so far, and one of each.
                    let _ = input.handle_format(if format.codec.is_audio() { SOUND } else { PICTURE }, config);
                }
            }
            Event::Frame(frame) => {
                state.watch.handle_frame(now, &frame);
                drop(state);
                FRAMES.add(1);
                BYTES.add(frame.data.len() as u64);
                if let Some(input) = &mut self.input {
                    input.handle_frame(if frame.codec.is_audio() { SOUND } else { PICTURE }, frame);
                }
            }
            Event::Ignored(what) => state.watch.handle_ignored(what),
        }
    }

    /// How often its times have jumped so far.
    pub(super) fn handle_jumps(&self, jumps: u32) {
        self.shared.state().watch.handle_jumps(jumps);
    }
}

impl Drop for Publication {
    fn drop(&mut self) {
        PUBLISHING.add(-1);
        // Before the place is free: who takes it wants the stream.
        self.input = None;
        self.all.now.remove_if(&self.broadcast, |_, shared| Arc::ptr_eq(shared, &self.shared));
    }
}
