//! The port of RTMP: accepts, gives bytes to a [`Session`] and its tags to a publication. Knows no command of RTMP and
//! nothing of what is in a tag.

use super::Malformed;
use super::session::{Output, Session};
use crate::clock;
use crate::ingest::Ingest;
use crate::ingest::counters::{CONNECTIONS, DROPPED, Reason};
use crate::ingest::flv::Demuxer;
use crate::ingest::publication::{Protocol, Publication};
use crate::places::{Place, Places};
use std::io;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

/// Bytes that are read at once.
const READ: usize = 32 << 10;
/// How long the peer may take to take what we send, which is little.
const WRITE_WITHIN: Duration = Duration::from_secs(5);
/// How long a refused one may take to read why. A socket that is closed with unread bytes in it throws away what was
/// sent.
const LINGER: Duration = Duration::from_secs(1);
/// How long the loop rests when the system has no more descriptors or memory.
const REST: Duration = Duration::from_millis(100);
/// In which bytes are counted against their limit.
const SECOND: Duration = Duration::from_secs(1);

/// Accepts until `stop`.
pub(in crate::ingest) async fn serve(listener: TcpListener, ingest: Ingest, stop: CancellationToken) {
    let limits = &ingest.shared().config.limits;
    let places = Places::new(limits.encoder_sockets, limits.encoder_sockets_per_address, Vec::new(), &CONNECTIONS);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        let Ok((socket, peer)) = accepted else {
            sleep(REST).await;
            continue;
        };
        let Ok(place) = places.take(peer.ip()) else {
            Reason::Full.count();
            continue;
        };
        let connection = Connection::new(socket, ingest.clone(), place);
        let stop = stop.clone();
        tokio::spawn(async move {
            // Aborted only when the server stops, after publishers were told.
            tokio::select! {
                () = connection.run() => {}
                () = async { stop.cancelled().await; sleep(LINGER).await } => {}
            }
        });
    }
}

struct Connection {
    socket: TcpStream,
    ingest: Ingest,
    session: Session,
    demuxer: Demuxer,
    publication: Option<Publication>,
    cuts: [CancellationToken; 2],
    /// Bytes that may still come in this second, and when it began.
    budget: (u64, Instant),
    _place: Place,
}

/// Why a connection ends.
enum Ended {
    /// The peer went, or said so.
    Gone,
    /// We have said why.
    Refused,
    Malformed(Malformed),
    Failed,
}

impl From<Malformed> for Ended {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error)
    }
}

impl From<io::Error> for Ended {
    fn from(_: io::Error) -> Self {
        Self::Failed
    }
}

impl Connection {
    fn new(socket: TcpStream, ingest: Ingest, place: Place) -> Self {
        let now = clock::now();
        let limits = &ingest.shared().config.limits;
        let session = Session::new(now, limits.encoder_message_bytes as usize);
        let budget = (u64::from(limits.bytes_per_second), now);
        Self {
            session,
            demuxer: Demuxer::default(),
            publication: None,
            cuts: Default::default(),
            budget,
            _place: place,
            socket,
            ingest,
        }
    }

    async fn run(mut self) {
        // What we send is small and waited for.
        let _ = self.socket.set_nodelay(true);
        let Err(ended) = self.go().await;
        let broadcast = self.publication.as_ref().map(|publication| publication.broadcast().to_owned());
        // First of all, so that somebody else can come.
        self.publication = None;
        match ended {
            Ended::Malformed(error) => {
                let reason = if error == Malformed::Late { Reason::Late } else { Reason::Malformed };
                reason.count();
                tracing::debug!(broadcast, %error, "an RTMP connection was closed");
            }
            Ended::Refused => linger(&mut self.socket).await,
            Ended::Gone | Ended::Failed => {}
        }
        if let Some(broadcast) = broadcast {
            tracing::info!(broadcast, "an encoder stopped publishing by RTMP");
        }
    }

    async fn go(&mut self) -> Result<std::convert::Infallible, Ended> {
        let mut buffer = vec![0; READ];
        loop {
            let cuts = self.cuts.clone();
            let late = sleep_until(self.session.poll_timeout().into());
            let len = tokio::select! {
                read = self.socket.read(&mut buffer) => read?,
                () = late => {
                    self.session.handle_timeout(clock::now())?;
                    continue;
                }
                () = any(&cuts) => break,
            };
            if len == 0 {
                return Err(Ended::Gone);
            }
            let now = clock::now();
            self.session.handle_bytes(now, &buffer[..len])?;
            self.handle_outputs(now).await?;
            self.keep_to_limit(len).await;
        }
        self.session.end();
        self.handle_outputs(clock::now()).await?;
        Err(Ended::Refused)
    }

    async fn handle_outputs(&mut self, now: Instant) -> Result<(), Ended> {
        let mut refused = false;
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Send(bytes) => {
                    timeout(WRITE_WITHIN, self.socket.write_all(&bytes)).await.map_err(|_| Malformed::Late)??;
                }
                Output::Publish { key, encoder } => {
                    match self.ingest.admit(&key, (Protocol::Rtmp, encoder)).await {
                        Ok(publication) => {
                            tracing::info!(broadcast = publication.broadcast(), "an encoder publishes by RTMP");
                            self.cuts = publication.cuts();
                            self.publication = Some(publication);
                            // It took a moment, in which its own patience must not end.
                            self.session.accept(clock::now())?;
                        }
                        Err(why) => {
                            self.session.refuse(why);
                            refused = true;
                        }
                    }
                }
                Output::Encoder(name) => {
                    if let Some(publication) = &self.publication {
                        publication.handle_encoder(name);
                    }
                }
                Output::Tag { sound, time, body } => self.handle_tag(now, sound, time, &body),
                Output::End => return Err(if self.publication.is_some() { Ended::Gone } else { Ended::Refused }),
            }
        }
        if refused { Err(Ended::Refused) } else { Ok(()) }
    }

    fn handle_tag(&mut self, now: Instant, sound: bool, time: u32, body: &bytes::Bytes) {
        let Some(publication) = &mut self.publication else { return };
        let (dropped, jumps) = (self.demuxer.dropped(), self.demuxer.jumps());
        self.demuxer.handle_tag(sound, time, body);
        while let Some(event) = self.demuxer.poll_event() {
            publication.handle_event(now, event);
        }
        DROPPED.add(self.demuxer.dropped() - dropped);
        if self.demuxer.jumps() != jumps {
            publication.handle_jumps(self.demuxer.jumps());
        }
    }

    /// Whoever sends more than any encoder does is read more slowly, and so sends more slowly.
    async fn keep_to_limit(&mut self, len: usize) {
        let (left, began) = &mut self.budget;
        let limit = u64::from(self.ingest.shared().config.limits.bytes_per_second);
        let now = clock::now();
        if now.saturating_duration_since(*began) >= SECOND {
            (*left, *began) = (limit, now);
        }
        *left = left.saturating_sub(len as u64);
        if *left == 0 {
            tokio::select! {
                () = sleep_until((*began + SECOND).into()) => {}
                () = any(&self.cuts) => {}
            }
        }
    }
}

/// Waits for one of them.
async fn any([first, second]: &[CancellationToken; 2]) {
    tokio::select! {
        () = first.cancelled() => {}
        () = second.cancelled() => {}
    }
}

/// Lets the peer read what it was told, and does not hear what it still says.
async fn linger(socket: &mut TcpStream) {
    let _ = socket.shutdown().await;
    let mut nowhere = [0; 4096];
    let read = async { while matches!(socket.read(&mut nowhere).await, Ok(1..)) {} };
    let _ = timeout(LINGER, read).await;
}
