//! Writes a meeting's snapshots to the store, the newest only, off the meeting's task. Knows no meeting.

use crate::clock;
use crate::store::Store;
use signaling::meeting::MeetingSnapshot;
use tokio::sync::watch;

/// What is to be in the store.
enum Wanted {
    Nothing,
    Snapshot(Box<MeetingSnapshot>),
    /// The meeting's end.
    Ended,
}

/// The meeting's side.
pub(super) struct Saver {
    version: u64,
    wanted: watch::Sender<(u64, Wanted)>,
    written: watch::Receiver<u64>,
}

impl Saver {
    /// Starts the writing task; it ends, after the last write, when this is dropped.
    pub(super) fn start(store: Store, meeting: String) -> Self {
        let (wanted, next) = watch::channel((0, Wanted::Nothing));
        let (done, written) = watch::channel(0);
        tokio::spawn(run(store, meeting, next, done));
        Self { version: 0, wanted, written }
    }

    /// Has this written; replaces what was not begun. The number is for [`Self::written`].
    pub(super) fn save(&mut self, snapshot: MeetingSnapshot) -> u64 {
        self.want(Wanted::Snapshot(Box::new(snapshot)))
    }

    /// Has the meeting's end written.
    pub(super) fn end(&mut self) -> u64 {
        self.want(Wanted::Ended)
    }

    fn want(&mut self, wanted: Wanted) -> u64 {
        self.version += 1;
        let version = self.version;
        self.wanted.send_modify(|next| {
            // The end is the last word.
            if !matches!(next.1, Wanted::Ended) {
                next.1 = wanted;
            }
            next.0 = version;
        });
        version
    }

    /// Waits until this version, or a later one, was tried.
    pub(super) fn written(&self, version: u64) -> impl Future<Output = ()> + Send + 'static {
        let mut written = self.written.clone();
        async move {
            let _ = written.wait_for(|done| *done >= version).await;
        }
    }

    /// The newest version asked for.
    pub(super) const fn newest(&self) -> u64 {
        self.version
    }
}

async fn run(store: Store, meeting: String, mut next: watch::Receiver<(u64, Wanted)>, done: watch::Sender<u64>) {
    // After the meeting has gone, what was asked last is still seen once.
    while next.changed().await.is_ok() {
        let (version, json) = {
            let wanted = next.borrow_and_update();
            let json = match &wanted.1 {
                Wanted::Nothing => continue,
                Wanted::Snapshot(snapshot) => Some(serde_json::to_string(snapshot)),
                Wanted::Ended => None,
            };
            (wanted.0, json)
        };
        let now = clock::unix();
        let result = match json {
            Some(Ok(json)) => store.save_snapshot(&meeting, &json, now).await.map_err(|error| error.to_string()),
            Some(Err(error)) => Err(error.to_string()),
            None => store.end_meeting(&meeting, now).await.map_err(|error| error.to_string()),
        };
        if let Err(error) = result {
            // The meeting goes on: people who talk are worth more than what a restart would find.
            tracing::error!(%error, "a meeting's state could not be stored");
        }
        done.send_replace(version);
    }
}
