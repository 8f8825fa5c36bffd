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
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
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
    /// Whether its folder could be made.
    Began {
        number: u64,
        made: io::Result<()>,
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
    #[cfg(test)]
    Panic,
}

impl Message {
    /// Of which recording.
    const fn number(&self) -> Option<u64> {
        match self {
            Self::Begin { number, .. }
            | Self::Order { number, .. }
            | Self::Began { number, .. }
            | Self::Written { number, .. } => Some(*number),
            Self::Stop => None,
        }
    }
}

/// Does what is one recording's. A mistake of ours there must not end all others: `None` where it panicked, which the
/// panic itself has told on standard error; nothing is done with that recording any more but to end it.
fn guarded<T>(what: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(what)).ok()
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
                let number = message.number();
                let done = guarded(|| self.handle(now, &mut live, message));
                let broken = if done.is_none() { number } else { done.flatten() };
                ends.extend(broken.and_then(|number| live.remove(&number)).and_then(|one| self.fail(now, one)));
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
                let ask = |session, source, layer| media.want_key_frame(session, source, layer);
                match guarded(|| one.poll(now, ask)) {
                    Some(ended) => over.extend(ended.map(|result| (number, Some(result)))),
                    None => over.push((number, None)),
                }
                if shows {
                    self.shown.insert(one.id.clone(), one.status(now));
                }
            }
            for (number, result) in over {
                let Some(one) = live.remove(&number) else { continue };
                ends.extend(match result {
                    Some(result) => self.end(now, one, &result),
                    None => self.fail(now, one),
                });
            }
            ends.retain(|end| !end.is_finished());
        }
        for end in ends {
            // What panicked there has said so.
            let _ = end.join();
        }
    }

    /// Does what a message says; gives the recording that can't go on.
    fn handle(&self, now: Instant, live: &mut HashMap<u64, Live>, message: Message) -> Option<u64> {
        match message {
            Message::Begin { number, started } => {
                let (sender, other) = (self.sender.clone(), self.sender.clone());
                // The thread outlives its recordings.
                let began = move |made| drop(other.send(Message::Began { number, made }));
                let done = move |written| drop(sender.send(Message::Written { number, written }));
                let clocks = (now, self.media.server_ns(now));
                match Live::begin(clocks, *started, self.settings, began, done) {
                    Ok(one) => {
                        self.shown.insert(one.id.clone(), one.status(now));
                        live.insert(number, one);
                    }
                    Err((error, Started { id, folder, news, .. })) => {
                        self.could_not_begin(&error, &id, &folder);
                        let _ = news.send(News { id, news: RecordingNews::Ended(RecordingEndReason::Failed) });
                    }
                }
            }
            Message::Began { number, made: Err(error) } => {
                if let Some(mut one) = live.remove(&number) {
                    self.could_not_begin(&error, &one.id, one.folder());
                    one.fail();
                    // Its writer has ended, so that nobody waits for it here.
                    one.into_over(now, false);
                }
            }
            Message::Began { made: Ok(()), .. } => {}
            Message::Order { number, order } => {
                let one = live.get_mut(&number)?;
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
                    #[cfg(test)]
                    Order::Panic => panic!("as a test wants it"),
                }
            }
            Message::Written { number, written } => {
                if let Some(one) = live.get_mut(&number) {
                    one.handle_written(now, written);
                }
            }
            Message::Stop => {
                return live
                    .iter_mut()
                    .find_map(|(number, one)| guarded(|| one.stop(now)).is_none().then_some(*number));
            }
        }
        None
    }

    fn could_not_begin(&self, error: &io::Error, id: &str, folder: &Path) {
        tracing::error!(recording = id, folder = %folder.display(), %error, "a recording could not begin");
        counters::FAILED.add(1);
        self.shown.remove(id);
        let _ = self.kept.send(Kept::Nothing { id: id.to_owned() });
    }

    /// Ends a recording in which something of ours broke: what is on the disk is completed as after a crash.
    fn fail(&self, now: Instant, mut one: Live) -> Option<JoinHandle<()>> {
        one.fail();
        self.end(now, one, &Err(Trouble::Failed("a mistake in the program, see standard error".to_owned())))
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

#[cfg(test)]
mod tests {
    use super::super::{NewRecording, Recordings};
    use super::*;
    use crate::config::Config;
    use crate::session::limits::MediaLimits;
    use crate::store::{Store, Visibility};
    use signaling::ids::Millis;
    use tokio::sync::mpsc::unbounded_channel;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_mistake_in_one_recording_ends_that_one_and_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = Config { data: folder.path().to_owned(), ..Config::default() };
        let store = Store::open(folder.path()).await.expect("a store");
        let (media, _commands) = Media::detached(1, MediaLimits::default()).expect("DTLS");
        let recordings = Recordings::start(&config, media, store.clone());
        let begin = |id: &str| {
            let new = NewRecording {
                id: id.to_owned(),
                meeting: "a-meeting".to_owned(),
                title: String::new(),
                height: u16::MAX,
                visibility: Visibility::Host,
            };
            let (news, heard) = unbounded_channel();
            let (handle, _) = recordings.begin(&new, Millis(1), news).expect("there is room");
            (handle, heard)
        };
        let ((broken, mut heard), (whole, mut other)) = (begin("recording-1"), begin("recording-2"));
        let state = async |id: &str| {
            for _ in 0..500 {
                let row = store.recording_by_id(id).await.expect("a store").expect("noted");
                if row.state != RecordingState::Running {
                    return row.state;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            RecordingState::Running
        };
        // Until their beginnings are on the disk.
        while recordings.library().detail("recording-1").is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        broken.order(Order::Panic);
        let news = heard.recv().await.expect("told").news;
        assert_eq!(news, RecordingNews::Ended(RecordingEndReason::Failed));
        assert_eq!(state("recording-1").await, RecordingState::Finished, "what there is can be played");
        assert!(
            recordings.status("recording-2").is_some_and(|status| status.state == super::super::StatusState::Recording)
        );
        drop(whole);
        assert_eq!(state("recording-2").await, RecordingState::Finished);
        assert!(other.try_recv().is_err(), "nothing was wrong with it");
        recordings.stop().await;
    }
}
