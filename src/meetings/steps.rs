//! What a meeting still has to say, in order, some of it behind acknowledgements. Knows no meeting.

use super::counters;
use super::outbox::{CloseReason, Outbox};
use signaling::protocol::ServerMessage;
use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long an acknowledgement is waited for. A removed participant is out within a second on every
/// open channel; a worker or disk that hangs must not keep it from him.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(1);

type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

/// One step.
#[expect(clippy::large_enum_variant, reason = "nearly all are messages")]
pub(super) enum Step {
    /// Queue a message for a socket.
    Send(Outbox, ServerMessage),
    /// Close a socket after what was queued.
    Close(Outbox, CloseReason),
    /// Go on when a worker, or who keeps recordings, has acknowledged.
    Acknowledged(oneshot::Receiver<()>),
    /// Go on when the store has written.
    Written(Waiting),
    /// Answer somebody who asks by other ways than a socket.
    Answer(Box<dyn FnOnce() + Send>),
}

/// The steps of one meeting.
#[derive(Default)]
pub(super) struct Steps {
    queue: VecDeque<Step>,
    barrier: Option<Waiting>,
}

impl Steps {
    pub(super) fn push(&mut self, step: Step) {
        self.queue.push_back(step);
    }

    pub(super) fn push_all(&mut self, steps: impl IntoIterator<Item = Step>) {
        self.queue.extend(steps);
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.barrier.is_none()
    }

    /// Carries out all steps before the next acknowledgement that is still missing.
    pub(super) fn run(&mut self) {
        while self.barrier.is_none() {
            match self.queue.pop_front() {
                Some(Step::Send(outbox, message)) => {
                    if !outbox.send(message) && outbox.was_too_slow() {
                        counters::SLOW_CLIENTS.add(1);
                    }
                }
                Some(Step::Close(outbox, reason)) => outbox.close(reason),
                Some(Step::Answer(answer)) => answer(),
                Some(first) => self.barrier = Some(self.gather(first)),
                None => return,
            }
        }
    }

    /// All acknowledgements in a row are waited for together.
    fn gather(&mut self, first: Step) -> Waiting {
        let mut workers = Vec::new();
        let mut stored = None;
        let mut next = Some(first);
        while let Some(step) = next {
            match step {
                Step::Acknowledged(done) => workers.push(done),
                // Versions only grow, so the last one says it for all.
                Step::Written(done) => stored = Some(done),
                Step::Send(..) | Step::Close(..) | Step::Answer(_) => {
                    self.queue.push_front(step);
                    break;
                }
            }
            next = self.queue.pop_front();
        }
        Box::pin(async move {
            let all = async {
                for done in workers {
                    // An error is a worker that is gone: nothing of it passes either.
                    let _ = done.await;
                }
                if let Some(done) = stored {
                    done.await;
                }
            };
            if timeout(ACKNOWLEDGED_WITHIN, all).await.is_err() {
                counters::LATE_ACKNOWLEDGEMENTS.add(1);
                tracing::warn!("a worker or the store did not acknowledge within a second");
            }
        })
    }

    /// Waits for the acknowledgements at the front; for ever where there are none. Cancel-safe.
    pub(super) async fn wait(&mut self) {
        match &mut self.barrier {
            Some(barrier) => {
                barrier.await;
                self.barrier = None;
            }
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::outbox::{Outgoing, outbox};
    use super::*;

    fn pong(nonce: u64) -> ServerMessage {
        ServerMessage::Pong { nonce }
    }

    #[tokio::test]
    async fn nothing_passes_an_acknowledgement_that_is_missing() {
        let (sender, mut reader) = outbox();
        let (done, acknowledged) = oneshot::channel();
        let mut steps = Steps::default();
        steps.push(Step::Send(sender.clone(), pong(1)));
        steps.push(Step::Acknowledged(acknowledged));
        steps.push(Step::Send(sender.clone(), pong(2)));
        steps.run();
        assert_eq!(reader.next().await, Outgoing::Message(pong(1)));
        assert_eq!(steps.len(), 1, "the second waits");
        assert!(timeout(Duration::from_millis(20), steps.wait()).await.is_err());
        let _ = done.send(());
        steps.wait().await;
        steps.run();
        assert_eq!(reader.next().await, Outgoing::Message(pong(2)));
        assert!(steps.is_empty());
    }

    #[tokio::test]
    async fn a_worker_that_hangs_holds_up_for_a_second_at_most() {
        let (sender, mut reader) = outbox();
        let channels: Vec<_> = (0..3).map(|_| oneshot::channel::<()>()).collect();
        let (_hang, acknowledged): (Vec<_>, Vec<_>) = channels.into_iter().unzip();
        let mut steps = Steps::default();
        steps.push_all(acknowledged.into_iter().map(Step::Acknowledged));
        steps.push(Step::Close(sender, CloseReason::Out));
        steps.run();
        timeout(3 * ACKNOWLEDGED_WITHIN, steps.wait()).await.expect("it gives up");
        steps.run();
        assert_eq!(reader.next().await, Outgoing::Close(CloseReason::Out));
    }

    #[tokio::test]
    async fn a_worker_that_is_gone_acknowledges_by_that() {
        let (done, acknowledged) = oneshot::channel();
        drop(done);
        let mut steps = Steps::default();
        steps.push(Step::Acknowledged(acknowledged));
        steps.run();
        timeout(Duration::from_millis(500), steps.wait()).await.expect("it does not wait");
        steps.run();
        assert!(steps.is_empty());
    }
}
