//! The debug switch of design §4.12: when which packet arrived, as lines in a file that tests and the load
//! generator replay. Headers of RTP stand in the clear, so this knows no keys and no payload.

use crate::net::udp::Received;
use crate::rtp::{Header, is_rtcp};
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

/// Lines that wait for the disk; a line that finds no room is left out.
const QUEUE: usize = 4096;

/// The way to the file, one for each worker.
#[derive(Clone)]
pub(super) struct Tracer {
    epoch: Instant,
    lines: SyncSender<String>,
}

impl Tracer {
    /// Makes the file and the thread that writes it, which ends with the last worker.
    pub(super) fn create(path: &Path, epoch: Instant) -> std::io::Result<Self> {
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
            let _ = file.flush();
        })?;
        Ok(Self { epoch, lines })
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
            let _ = self.lines.try_send(line);
        }
    }
}
