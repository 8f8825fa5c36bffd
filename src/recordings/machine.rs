//! The thread of all recordings: looks into their rings a hundred times a second, and does what meetings order. Waits for no
//! disk. Knows no meeting.

use super::live::Live;
use super::{Kept, News, Started, Status, counters};
use crate::clock;
use crate::session::SessionId;
use crate::store::{RecordingMade, RecordingState};
use crate::worker::Media;
use dashmap::DashMap;
use recordings::{Settings, Trouble, Written, recovery, timeline};
use signaling::meeting::RecordingNews;
use signaling::protocol::RecordingEndReason;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

/// How often rings are looked into: half of a packet of sound, and far less than they hold.
const LOOK: Duration = Duration::from_millis(10);
/// How often what lists show of a recording under way is made anew.
const SHOW: Duration = Duration::from_millis(500);

/// What reaches the thread.
pub(super) enum Message {
    Begin {
        number: u64,
        started: Box<Started>,
    },
    Order {
        number: u64,
        order: Order,
    },
    Written {
        number: u64,
        written: Written,
    },
    /// End all, and the thread.
    Stop,
}

/// What a meeting wants of its recording.
pub(super) enum Order {
    AddSession {
        session: SessionId,
        participant: u32,
    },
    /// Acknowledged when nothing more of it can come to be kept.
    EndSession {
        session: SessionId,
        done: oneshot::Sender<()>,
    },
    Event(timeline::Event),
    /// Acknowledged when nothing more is kept.
    Pause {
        done: oneshot::Sender<()>,
    },
    Resume,
    Stop,
}

pub(super) struct Machine {
    pub(super) media: Media,
    pub(super) settings: Settings,
    pub(super) messages: Receiver<Message>,
    /// For the writers.
    pub(super) sender: Sender<Message>,
    pub(super) shown: Arc<DashMap<String, Status>>,
    pub(super) kept: UnboundedSender<Kept>,
}

impl Machine {
    pub(super) fn run(self) {
        let mut live: HashMap<u64, Live> = HashMap::new();
        let mut ends: Vec<JoinHandle<()>> = Vec::new();
        let (mut next_look, mut next_show) = (clock::now(), clock::now());
        let mut stopping = false;
        while !(stopping && live.is_empty()) {
            let message = if live.is_empty() {
                self.messages.recv().ok()
            } else {
                self.messages.recv_timeout(next_look.saturating_duration_since(clock::now())).ok()
            };
            let now = clock::now();
            for message in message.into_iter().chain(self.messages.try_iter()) {
                stopping |= matches!(message, Message::Stop);
                self.handle(now, &mut live, message);
            }
            if now < next_look {
                continue;
            }
            next_look = now + LOOK;
            let shows = now >= next_show;
            next_show = if shows { now + SHOW } else { next_show };
            let mut over = Vec::new();
            for (&number, one) in &mut live {
                let media = &self.media;
                let ended = one.poll(now, |session, source, layer| media.want_key_frame(session, source, layer));
                over.extend(ended.map(|result| (number, result)));
                if shows {
                    self.shown.insert(one.id.clone(), one.status(now));
                }
            }
            for (number, result) in over {
                ends.extend(live.remove(&number).and_then(|one| self.end(now, one, &result)));
            }
            ends.retain(|end| !end.is_finished());
        }
        for end in ends {
            // What panicked there has said so.
            let _ = end.join();
        }
    }

    fn handle(&self, now: Instant, live: &mut HashMap<u64, Live>, message: Message) {
        match message {
            Message::Begin { number, started } => {
                let sender = self.sender.clone();
                let done = move |written| {
                    // The thread outlives its recordings.
                    let _ = sender.send(Message::Written { number, written });
                };
                let clocks = (now, self.media.server_ns(now));
                match Live::begin(clocks, *started, self.settings, done) {
                    Ok(one) => {
                        self.shown.insert(one.id.clone(), one.status(now));
                        live.insert(number, one);
                    }
                    Err((error, started)) => self.could_not_begin(&error, started),
                }
            }
            Message::Order { number, order } => {
                let Some(one) = live.get_mut(&number) else { return };
                match order {
                    Order::AddSession { session, participant } => one.add_session(session, participant),
                    Order::EndSession { session, done } => {
                        one.end_session(now, session);
                        let _ = done.send(());
                    }
                    Order::Event(event) => one.handle_event(now, event),
                    Order::Pause { done } => {
                        one.set_paused(now, true);
                        let _ = done.send(());
                    }
                    Order::Resume => one.set_paused(now, false),
                    Order::Stop => one.stop(now),
                }
            }
            Message::Written { number, written } => {
                if let Some(one) = live.get_mut(&number) {
                    one.handle_written(now, written);
                }
            }
            Message::Stop => live.values_mut().for_each(|one| one.stop(now)),
        }
    }

    fn could_not_begin(&self, error: &std::io::Error, started: Started) {
        tracing::error!(recording = started.id, folder = %started.folder.display(), %error, "a recording could not begin");
        counters::FAILED.add(1);
        self.shown.remove(&started.id);
        let _ = self.kept.send(Kept::Nothing { id: started.id.clone() });
        let news = RecordingNews::Ended(RecordingEndReason::Failed);
        let _ = started.news.send(News { id: started.id, news });
    }

    /// The last of a recording, on a thread of its own: closing it may wait for the disk.
    fn end(&self, now: Instant, one: Live, result: &Result<(), Trouble>) -> Option<JoinHandle<()>> {
        let (kept, shown) = (self.kept.clone(), Arc::clone(&self.shown));
        let id = one.id.clone();
        if let Err(trouble) = result {
            tracing::error!(recording = id, folder = %one.folder().display(), %trouble, "a recording's end is not written");
            counters::FAILED.add(1);
        }
        let over = one.into_over(now, result.is_ok());
        self.shown.insert(id.clone(), over.status.clone());
        let finish = move || {
            drop(over.writer);
            let whole = over.whole || recovery::recover(&over.folder).manifest.is_ok();
            // What can't be completed now is completed at the next start.
            let state = if whole { RecordingState::Finished } else { RecordingState::Running };
            let Status { duration_ms, bytes, participants, .. } = over.status;
            let made = RecordingMade { state, duration_ms, bytes, participants };
            // The list shows the recording as running until the store knows better.
            if kept.send(Kept::Made { id: over.id.clone(), made }).is_err() {
                shown.remove(&over.id);
            }
        };
        let spawned = std::thread::Builder::new().name("recording-end".to_owned()).spawn(finish);
        spawned
            .inspect_err(|error| tracing::error!(recording = id, %error, "no thread for the end of a recording"))
            .ok()
    }
}
