//! An accepted connection that loses patience with those who do nothing. Knows no requests.

use super::Patience;
use crate::places::Place;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// As many bytes read count as progress: slow uplinks may upload, one byte a minute is no upload.
const UPLOAD_STEP: usize = 16 * 1024;

/// What the bytes travel over.
#[derive(Debug)]
pub(super) enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection with its place among the bounded number of them.
///
/// It ends with [`io::ErrorKind::TimedOut`] when the first request's head does not arrive in time, and
/// later when for the idle time (at least once, at most twice it) nothing was written to it and less
/// than 16 KiB was read. That covers what never answers back: idle sockets, dribbled heads and bodies,
/// and those who do not read. A handler that keeps a connection open writes now and then: pings.
#[derive(Debug)]
pub struct Connection {
    wire: Wire,
    phase: Phase,
    patience: Patience,
    idle: Duration,
    _place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The first request's head is on its way; `matched` bytes of its end were just read.
    Head { matched: usize },
    /// Requests and answers, or whatever they were upgraded to.
    Open { progressed: bool, read: usize },
}

/// Ends a request's head (RFC 9112 §2.1).
const END_OF_HEAD: &[u8; 4] = b"\r\n\r\n";

impl Phase {
    /// Says what was read.
    fn read(&mut self, bytes: &[u8]) {
        match self {
            Self::Head { matched } => {
                for byte in bytes {
                    *matched = match END_OF_HEAD.get(*matched) {
                        Some(expected) if expected == byte => *matched + 1,
                        _ => usize::from(*byte == b'\r'),
                    };
                    if *matched == END_OF_HEAD.len() {
                        *self = Self::Open { progressed: true, read: 0 };
                        return;
                    }
                }
            }
            Self::Open { progressed, read } => {
                *read += bytes.len();
                if *read >= UPLOAD_STEP {
                    (*progressed, *read) = (true, 0);
                }
            }
        }
    }

    /// Says that something was written.
    fn wrote(&mut self) {
        *self = Self::Open { progressed: true, read: 0 };
    }

    /// Time is up: whether there is another round.
    fn another_round(&mut self) -> bool {
        match self {
            Self::Head { .. } => false,
            Self::Open { progressed, read } => {
                *read = 0;
                std::mem::take(progressed)
            }
        }
    }
}

impl Connection {
    pub(super) fn new(wire: Wire, place: Place, patience: Patience, idle: Duration) -> Self {
        Self { wire, phase: Phase::Head { matched: 0 }, patience, idle, _place: place }
    }

    /// Whether it is encrypted.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        matches!(self.wire, Wire::Tls(_))
    }

    fn poll_patience<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        loop {
            ready!(self.patience.as_mut().poll(context));
            if !self.phase.another_round() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            // Counted from the deadline that passed, so that no clock is read.
            let next = self.patience.deadline() + self.idle;
            self.patience.as_mut().reset(next);
        }
    }
}

macro_rules! on_wire {
    ($self:ident, $method:ident, $($argument:expr),*) => {
        match &mut $self.wire {
            Wire::Plain(stream) => Pin::new(stream).$method($($argument),*),
            Wire::Tls(stream) => Pin::new(&mut **stream).$method($($argument),*),
        }
    };
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let this = &mut *self;
        match on_wire!(this, poll_read, context, buffer) {
            Poll::Ready(result) => {
                this.phase.read(buffer.filled().get(before..).unwrap_or_default());
                Poll::Ready(result)
            }
            Poll::Pending => this.poll_patience(context),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        match on_wire!(this, poll_write, context, bytes) {
            Poll::Ready(result) => {
                this.phase.wrote();
                Poll::Ready(result)
            }
            Poll::Pending => this.poll_patience(context),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        match on_wire!(this, poll_write_vectored, context, slices) {
            Poll::Ready(result) => {
                this.phase.wrote();
                Poll::Ready(result)
            }
            Poll::Pending => this.poll_patience(context),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match &self.wire {
            Wire::Plain(stream) => stream.is_write_vectored(),
            Wire::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        match on_wire!(this, poll_flush, context) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => this.poll_patience(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        match on_wire!(this, poll_shutdown, context) {
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => this.poll_patience(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_head_is_found_however_it_is_cut() {
        let head = b"GET / HTTP/1.1\r\nhost: a\r\r\n\r\r\n\r\n";
        for cut in 0..=head.len() {
            let mut phase = Phase::Head { matched: 0 };
            let (first, rest) = head.split_at(cut);
            phase.read(first);
            assert_eq!(phase == Phase::Open { progressed: true, read: 0 }, cut == head.len());
            phase.read(rest);
            assert!(matches!(phase, Phase::Open { .. }), "{cut}");
        }
    }

    #[test]
    fn a_round_without_progress_is_the_last() {
        let mut phase = Phase::Head { matched: 0 };
        assert!(!phase.another_round());
        phase.wrote();
        assert!(phase.another_round() && !phase.another_round());
        phase.read(&[0; UPLOAD_STEP - 1]);
        assert!(!phase.another_round(), "too little");
        phase.read(&[0; UPLOAD_STEP - 1]);
        phase.read(&[0; 1]);
        assert!(phase.another_round(), "an upload");
    }
}
