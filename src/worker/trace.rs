//! The debug switch of design §4.12: when which packet arrived, and what bandwidth estimators are told, as lines in a
//! file that tests and the load generator replay. Headers of RTP stand in the clear, so this knows no keys and no payload.
//!
//! A line that begins with a digit is a packet, with the columns of [`HEAD`]. Others say in their first word what they
//! are; times are in nanoseconds since the server's start, estimates in bits per second:
//!
//! ```text
//! report,SESSION,NOW,SENT,BYTES,ARRIVED    one packet of a feedback message; ARRIVED is empty for a lost one
//! feedback,SESSION,NOW,ESTIMATE            the end of the message, and the estimate after it
//! remb,SESSION,BITS,ESTIMATE               what a receiver without transport-wide feedback says
//! demand,SESSION,NOW,GOES,NEXT,ALL         bits per second that go out, that the next step takes, that all takes
//! probe,SESSION,NOW,BYTES                  a probe asked for packets, and so many bytes were sent
//! silence,SESSION                          packets were sent and no feedback came for a while
//! missed,COUNT                             so many entries found no room: a replay is not whole
//! end                                      the server stopped
//! ```

use crate::net::udp::Received;
use crate::rtp::{Header, is_rtcp};
use crate::session::SessionId;
use crate::session::bandwidth::{Demand, Report};
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Instant;

/// The first line of a trace.
pub const HEAD: &str = "us,from,position,burst,bytes,payload_type,marker,sequence,timestamp,ssrc\n";

/// The file grows no further.
const MAX_BYTES: usize = 64 << 20;

/// Entries that wait for the disk; one that finds no room is left out and counted.
const QUEUE: usize = 4096;

/// The way to the file; each worker has clones of its own.
#[derive(Debug, Clone)]
pub struct Tracer {
    epoch: Instant,
    lines: SyncSender<String>,
    missed: u64,
}

/// What one feedback message told an estimator; its lines stand together in the file.
#[derive(Debug)]
pub(super) struct Feedback {
    epoch: Instant,
    session: SessionId,
    lines: String,
}

impl Feedback {
    /// A packet that the message tells of.
    pub(super) fn report(&mut self, now: Instant, report: Report) {
        let ns = |at: Instant| at.saturating_duration_since(self.epoch).as_nanos();
        let arrived = report.arrived.map_or_else(String::new, |arrived| arrived.as_nanos().to_string());
        let (session, now, sent) = (self.session.0, ns(now), ns(report.sent));
        // Writing to a text does not fail.
        let _ = writeln!(self.lines, "report,{session},{now},{sent},{},{arrived}", report.bytes);
    }

    /// Its end.
    pub(super) fn end(&mut self, now: Instant, estimate: u32) {
        let now = now.saturating_duration_since(self.epoch).as_nanos();
        let _ = writeln!(self.lines, "feedback,{},{now},{estimate}", self.session.0);
    }
}

impl Tracer {
    /// Makes the file and the thread that writes it, which ends with the last worker.
    ///
    /// # Errors
    /// When the file can't be made.
    pub fn create(path: &Path, epoch: Instant) -> std::io::Result<Self> {
        let mut file = std::io::BufWriter::new(File::create(path)?);
        file.write_all(HEAD.as_bytes())?;
        let (lines, queue) = sync_channel::<String>(QUEUE);
        std::thread::Builder::new().name("trace".to_owned()).spawn(move || {
            let mut written = 0;
            for line in queue {
                written += line.len();
                if written > MAX_BYTES {
                    break;
                }
                if let Err(error) = file.write_all(line.as_bytes()) {
                    tracing::warn!(%error, "the trace ends");
                    break;
                }
            }
            let _ = file.write_all(b"end\n").and_then(|()| file.flush());
        })?;
        Ok(Self { epoch, lines, missed: 0 })
    }

    /// For what a feedback message of this session's will tell.
    pub(super) const fn feedback(&self, session: SessionId) -> Feedback {
        Feedback { epoch: self.epoch, session, lines: String::new() }
    }

    /// Notes what a feedback message told.
    pub(super) fn told(&mut self, feedback: Feedback) {
        self.send(feedback.lines);
    }

    /// Notes what a receiver said of its link.
    pub(super) fn remb(&mut self, session: SessionId, bits: u64, estimate: u32) {
        self.send(format!("remb,{},{bits},{estimate}\n", session.0));
    }

    /// Notes what a session asks of its link.
    pub(super) fn demand(&mut self, session: SessionId, now: Instant, demand: Demand) {
        let Demand { now: goes, next, all } = demand;
        let now = now.saturating_duration_since(self.epoch).as_nanos();
        self.send(format!("demand,{},{now},{goes},{next},{all}\n", session.0));
    }

    /// Notes what was sent for a probe.
    pub(super) fn probe(&mut self, session: SessionId, now: Instant, bytes: u64) {
        let now = now.saturating_duration_since(self.epoch).as_nanos();
        self.send(format!("probe,{},{now},{bytes}\n", session.0));
    }

    /// Notes that nothing was heard.
    pub(super) fn silence(&mut self, session: SessionId) {
        self.send(format!("silence,{}\n", session.0));
    }

    fn send(&mut self, lines: String) {
        let lines = if self.missed > 0 { format!("missed,{}\n{lines}", self.missed) } else { lines };
        match self.lines.try_send(lines) {
            Ok(()) => self.missed = 0,
            Err(_) => self.missed += 1,
        }
    }

    /// Notes a datagram where it is RTP.
    pub(super) fn record(&mut self, now: Instant, datagram: &Received<'_>) {
        if !matches!(datagram.data.first(), Some(128..=191)) || is_rtcp(datagram.data) {
            return;
        }
        let Ok(header) = Header::parse(datagram.data) else { return };
        let mut line = String::with_capacity(80);
        let us = now.saturating_duration_since(self.epoch).as_micros();
        let written = writeln!(
            line,
            "{us},{},{},{},{},{},{},{},{},{}",
            datagram.from.port(),
            datagram.position,
            datagram.burst,
            datagram.data.len(),
            header.payload_type,
            u8::from(header.marker),
            header.sequence,
            header.timestamp,
            header.ssrc
        );
        if written.is_ok() {
            self.send(line);
        }
    }
}
