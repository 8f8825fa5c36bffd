//! What is stored next: a bounded number of files at once, each tried again after a pause that grows. Told the time;
//! touches nothing.

use super::Settings;
use std::time::{Duration, Instant};

/// A file to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Of which recording.
    pub recording: String,
    /// Which file.
    pub name: String,
    /// Its length.
    pub bytes: u64,
}

#[derive(Debug)]
struct Entry {
    task: Task,
    tries: u32,
    stands: Stands,
    error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    Waiting(Instant),
    Running,
}

/// The files that are complete and not stored, in the order in which they came.
#[derive(Debug)]
pub struct Queue {
    settings: Settings,
    entries: Vec<Entry>,
}

impl Queue {
    /// Of nothing.
    #[must_use]
    pub const fn new(settings: Settings) -> Self {
        Self { settings, entries: Vec::new() }
    }

    /// A file is complete. One that waits already may have grown; one that is being stored comes again when that is done.
    pub fn add(&mut self, now: Instant, task: Task) {
        let is = |entry: &&mut Entry| entry.task.recording == task.recording && entry.task.name == task.name;
        match self.entries.iter_mut().find(is) {
            None => self.entries.push(Entry { task, tries: 0, stands: Stands::Waiting(now), error: None }),
            Some(known) if known.stands != Stands::Running => known.task = task,
            Some(_) => {}
        }
    }

    /// What is to be stored now; what comes of it is told to [`Queue::handle_done`].
    pub fn poll_task(&mut self, now: Instant) -> Option<Task> {
        if self.running() >= self.settings.at_once.max(1) {
            return None;
        }
        let is_due = |entry: &&mut Entry| matches!(entry.stands, Stands::Waiting(at) if at <= now);
        let entry = self.entries.iter_mut().find(is_due)?;
        entry.stands = Stands::Running;
        Some(entry.task.clone())
    }

    /// A file was stored, or was not.
    pub fn handle_done(&mut self, now: Instant, task: &Task, result: Result<(), String>) {
        let Some(index) = self.entries.iter().position(|entry| entry.task == *task) else { return };
        match result {
            Ok(()) => {
                self.entries.remove(index);
                // The store is there again: the others need not wait for their turn.
                for entry in self.entries.iter_mut().filter(|entry| entry.stands != Stands::Running) {
                    if let Stands::Waiting(at) = entry.stands {
                        entry.stands = Stands::Waiting(at.min(now + self.settings.first_pause));
                    }
                }
            }
            Err(why) => {
                let entry = &mut self.entries[index];
                entry.stands = Stands::Waiting(now + pause(&self.settings, entry.tries));
                entry.tries = entry.tries.saturating_add(1);
                entry.error = Some(why);
            }
        }
    }

    /// Nothing of a recording is stored any more.
    pub fn forget(&mut self, recording: &str) {
        self.entries.retain(|entry| entry.task.recording != recording);
    }

    /// When [`Queue::poll_task`] has something, where it has not now.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.running() >= self.settings.at_once.max(1) {
            return None;
        }
        let waiting = self.entries.iter().filter_map(|entry| match entry.stands {
            Stands::Waiting(at) => Some(at),
            Stands::Running => None,
        });
        waiting.min()
    }

    /// Bytes of a recording that are left, and why the last try failed.
    #[must_use]
    pub fn left(&self, recording: &str) -> (u64, Option<&str>) {
        let of = || self.entries.iter().filter(|entry| entry.task.recording == recording);
        (of().map(|entry| entry.task.bytes).sum(), of().find_map(|entry| entry.error.as_deref()))
    }

    /// Bytes of all recordings that are left.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.task.bytes).sum()
    }

    fn running(&self) -> usize {
        self.entries.iter().filter(|entry| entry.stands == Stands::Running).count()
    }
}

fn pause(settings: &Settings, tries: u32) -> Duration {
    settings.first_pause.saturating_mul(2_u32.saturating_pow(tries)).min(settings.longest_pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(name: &str) -> Task {
        Task { recording: "recording-1".to_owned(), name: name.to_owned(), bytes: 10 }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "tests choose when they begin")]
    fn so_many_at_once_and_longer_pauses_while_the_store_is_away() {
        let start = Instant::now();
        let mut queue = Queue::new(Settings { longest_pause: Duration::from_secs(4), ..Settings::default() });
        for name in ["a", "b", "c", "a"] {
            queue.add(start, task(name));
        }
        assert_eq!(queue.left("recording-1"), (30, None));
        assert_eq!(queue.poll_task(start), Some(task("a")));
        assert_eq!(queue.poll_task(start), Some(task("b")));
        assert_eq!((queue.poll_task(start), queue.poll_timeout()), (None, None), "two at once");
        queue.handle_done(start, &task("b"), Ok(()));
        assert_eq!(queue.poll_task(start), Some(task("c")));
        // "a" fails again and again; "c" is on its way all the time.
        let mut pauses = Vec::new();
        let mut now = start;
        for _ in 0..5 {
            queue.handle_done(now, &task("a"), Err("away".to_owned()));
            let due = queue.poll_timeout().expect("it is tried again");
            assert_eq!(queue.poll_task(due - Duration::from_millis(1)), None, "not before its time");
            assert_eq!(queue.poll_task(due), Some(task("a")));
            pauses.push((due - now).as_secs());
            now = due;
        }
        assert_eq!(pauses, [1, 2, 4, 4, 4]);
        queue.handle_done(now, &task("a"), Err("away".to_owned()));
        assert_eq!(queue.left("recording-1"), (20, Some("away")));
        queue.handle_done(now, &task("c"), Ok(()));
        assert_eq!(queue.poll_timeout(), Some(now + Duration::from_secs(1)), "it is there again: nobody waits long");
        assert_eq!(queue.bytes(), 10);
        queue.forget("recording-1");
        assert_eq!((queue.left("recording-1"), queue.poll_timeout(), queue.bytes()), ((0, None), None, 0));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "tests choose when they begin")]
    fn a_journal_that_grew_while_it_waited_is_stored_as_it_is_now() {
        let now = Instant::now();
        let mut queue = Queue::new(Settings::default());
        let grown = Task { bytes: 15, ..task("manifest.jsonl") };
        queue.add(now, task("manifest.jsonl"));
        queue.add(now, grown.clone());
        assert_eq!(queue.left("recording-1"), (15, None));
        assert_eq!(queue.poll_task(now), Some(grown.clone()));
        // While it is on its way it stays what it was, else nobody would know it when it comes back.
        queue.add(now, Task { bytes: 20, ..grown.clone() });
        queue.handle_done(now, &grown, Ok(()));
        assert_eq!(queue.left("recording-1"), (0, None));
    }
}
