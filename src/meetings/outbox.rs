//! The way from a meeting to one socket: a bounded queue and a close code. Knows no WebSocket.

use signaling::protocol::ServerMessage;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{mpsc, watch};

/// How many messages may wait for one socket. A meeting of 300 that all raise their hand at once is
/// 300 messages; who is further behind is not reading.
pub const QUEUE: usize = 512;

/// Why a socket is closed by the server (RFC 6455 §7.4.2: 4000–4999 are for applications).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// Out of the meeting for good; the event before says why. Do not come back by yourself.
    Out,
    /// The same seat was taken up by a newer connection. Do not come back by yourself.
    Replaced,
    /// The client read too slowly. The seat is kept: come back with a resume.
    TooSlow,
    /// The client sent too much, or what is no message of the protocol.
    Misbehaved,
    /// The hello was refused; the message before says why.
    Refused,
    /// The server stops. The seat is kept: come back with a resume.
    ServerStopping,
    /// No sign of life, or no hello in time.
    TimedOut,
}

impl CloseReason {
    /// The close code on the wire.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            CloseReason::Out => 4000,
            CloseReason::Replaced => 4001,
            CloseReason::TooSlow => 4002,
            CloseReason::Misbehaved => 4003,
            CloseReason::Refused => 4004,
            CloseReason::ServerStopping => 4005,
            CloseReason::TimedOut => 4006,
        }
    }

    /// A word for logs and for the close frame.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            CloseReason::Out => "out",
            CloseReason::Replaced => "replaced",
            CloseReason::TooSlow => "too-slow",
            CloseReason::Misbehaved => "misbehaved",
            CloseReason::Refused => "refused",
            CloseReason::ServerStopping => "server-stopping",
            CloseReason::TimedOut => "timed-out",
        }
    }
}

/// What the socket's writer takes from its queue.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "all but the last are messages")]
pub enum Outgoing {
    /// To be sent.
    Message(ServerMessage),
    /// To be closed, after all that was queued before.
    Close(CloseReason),
}

/// One connection; a seat may see many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnectionId(u64);

impl ConnectionId {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// The sending end.
#[derive(Debug, Clone)]
pub struct Outbox {
    connection: ConnectionId,
    queue: mpsc::Sender<Outgoing>,
    cut: Arc<watch::Sender<Option<CloseReason>>>,
}

/// The receiving end, for the socket's writer.
#[derive(Debug)]
pub struct OutboxReader {
    queue: mpsc::Receiver<Outgoing>,
    cut: watch::Receiver<Option<CloseReason>>,
}

/// A new pair.
#[must_use]
pub fn outbox() -> (Outbox, OutboxReader) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let (cut, cut_seen) = watch::channel(None);
    (
        Outbox { connection: ConnectionId::next(), queue: sender, cut: Arc::new(cut) },
        OutboxReader { queue: receiver, cut: cut_seen },
    )
}

impl Outbox {
    /// Which connection this is.
    #[must_use]
    pub const fn connection(&self) -> ConnectionId {
        self.connection
    }

    /// Queues a message. A socket whose queue is full is cut off; then and when it is gone the answer is false.
    pub fn send(&self, message: ServerMessage) -> bool {
        match self.queue.try_send(Outgoing::Message(message)) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Closed(_)) => false,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.cut(CloseReason::TooSlow);
                false
            }
        }
    }

    /// Closes after what is queued.
    pub fn close(&self, reason: CloseReason) {
        if self.queue.try_send(Outgoing::Close(reason)).is_err() {
            self.cut(reason);
        }
    }

    /// Closes at once, whatever is queued.
    pub fn cut(&self, reason: CloseReason) {
        self.cut.send_if_modified(|cut| {
            let first = cut.is_none();
            if first {
                *cut = Some(reason);
            }
            first
        });
    }

    /// Whether it was cut off for being slow.
    #[must_use]
    pub fn was_too_slow(&self) -> bool {
        *self.cut.borrow() == Some(CloseReason::TooSlow)
    }
}

impl OutboxReader {
    /// The next thing to do; a cut comes before all that is queued. Cancel-safe.
    pub async fn next(&mut self) -> Outgoing {
        tokio::select! {
            biased;
            reason = Self::cut_by(&mut self.cut) => Outgoing::Close(reason),
            next = self.queue.recv() => next.unwrap_or(Outgoing::Close(CloseReason::ServerStopping)),
        }
    }

    /// Waits until the socket is to be cut off, for a writer that hangs in sending.
    pub async fn cut_off(&mut self) -> CloseReason {
        Self::cut_by(&mut self.cut).await
    }

    async fn cut_by(cut: &mut watch::Receiver<Option<CloseReason>>) -> CloseReason {
        // The guard must not live across an await.
        let reason = cut.wait_for(Option::is_some).await.ok().and_then(|reason| *reason);
        match reason {
            Some(reason) => reason,
            // All senders are gone: the queue says so, after what it still holds.
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pong(nonce: u64) -> ServerMessage {
        ServerMessage::Pong { nonce }
    }

    #[tokio::test]
    async fn messages_come_in_order_and_the_close_after_them() {
        let (outbox, mut reader) = outbox();
        assert!(outbox.send(pong(1)));
        outbox.close(CloseReason::Out);
        assert_eq!(reader.next().await, Outgoing::Message(pong(1)));
        assert_eq!(reader.next().await, Outgoing::Close(CloseReason::Out));
    }

    // acceptance: SEC7
    #[tokio::test]
    async fn a_client_that_does_not_read_is_cut_off_at_once() {
        let (outbox, mut reader) = outbox();
        let queued = (0..10_000).take_while(|nonce| outbox.send(pong(*nonce))).count();
        assert_eq!(queued, QUEUE);
        assert!(outbox.was_too_slow());
        assert_eq!(reader.next().await, Outgoing::Close(CloseReason::TooSlow));
        outbox.cut(CloseReason::Out);
        assert_eq!(reader.cut_off().await, CloseReason::TooSlow, "the first reason stays");
    }

    #[tokio::test]
    async fn a_dropped_meeting_closes_the_socket_after_the_rest() {
        let (outbox, mut reader) = outbox();
        outbox.send(pong(1));
        drop(outbox);
        assert_eq!(reader.next().await, Outgoing::Message(pong(1)));
        assert_eq!(reader.next().await, Outgoing::Close(CloseReason::ServerStopping));
    }
}
