//! The one TCP port: bound exclusively; plain HTTP, TLS or media by the first byte; bounded in sockets and
//! patience. Knows no requests and no settings file.
//!
//! [`bind`] comes early in start-up, so that a second server fails before it touches anything;
//! [`Port::listen`] begins to accept. What comes out goes to `axum::serve`:
//!
//! ```text
//! accept ── place? ──> task: first byte ──> TLS handshake ──> channel ──> axum::serve
//!   (one loop)  (Places)       (one task per connection, `Bounds::request`)      (Connection)
//!                                       └──> first datagram ──> media thread, with its place
//! ```

mod certificate;
mod connection;
mod files;
mod media;
#[cfg(test)]
mod tests;

pub use certificate::{CertificateError, Certificates};
pub use connection::Connection;
pub use files::make_room;

use crate::config::{Limits, Network};
use crate::places::{NoPlace, Place, Places};
use crate::telemetry::metrics::{Counters, Family, Gauge};
use crate::worker::Media;
use connection::Wire;
use media::First;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Sleep, sleep};
use tokio_rustls::{TlsAcceptor, rustls};

/// Connections that the kernel keeps while the loop is busy. A meeting of 300 that comes back after a restart fits.
const BACKLOG: u32 = 1024;

/// Connections that are ready for axum and not yet taken. It takes them at once; this is no queue to wait in.
const READY: usize = 64;

/// How long the loop rests when the system has no more descriptors or memory.
const REST: Duration = Duration::from_millis(100);

static SOCKETS: Gauge = Gauge::new("symposia_http_sockets", "TCP connections that are open.");
static REFUSED: Counters<6> = Counters::new(
    "symposia_http_sockets_refused_total",
    "TCP connections closed before their first request, by reason.",
    "reason",
    ["full", "address-full", "too-slow", "not-http", "handshake", "not-media"],
);

/// Why a connection was closed before its first request; in the order of [`REFUSED`]'s labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    Full,
    AddressFull,
    TooSlow,
    NotHttp,
    Handshake,
    NotMedia,
}

impl From<NoPlace> for Refused {
    fn from(why: NoPlace) -> Self {
        match why {
            NoPlace::Full => Self::Full,
            NoPlace::AddressFull => Self::AddressFull,
        }
    }
}

impl Refused {
    fn count(self) {
        REFUSED.add(self as usize, 1);
    }
}

/// What this module counts.
#[must_use]
pub fn families() -> [Family; 2] {
    [SOCKETS.family(), REFUSED.family()]
}

/// Why there is no port.
#[derive(Debug, Error)]
pub enum ListenError {
    /// Somebody else has it.
    #[error(
        "port {} is in use by another program (on {}): stop that one, or choose another port with `--listen`",
        .0.port(), .0.ip()
    )]
    InUse(SocketAddr),
    /// Below 1024 without the right to it.
    #[error("port {} needs root or the capability CAP_NET_BIND_SERVICE: choose one above 1023 with `--listen`", .0.port())]
    Privileged(SocketAddr),
    /// No interface has the address.
    #[error("this machine has no address {}: choose one of its own with `--listen`, or 0.0.0.0 for all", .0.ip())]
    NoSuchAddress(SocketAddr),
    /// Anything else.
    #[error("cannot listen on {address}: {source}")]
    Other {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// Binds the TCP port for this process alone. Must be called in a tokio runtime.
///
/// # Errors
/// When the port is taken or may not be taken.
pub fn bind(address: SocketAddr) -> Result<Port, ListenError> {
    let open = || -> io::Result<TcpListener> {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // On Linux this allows a port whose old connections linger after a restart, and no second listener.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => ListenError::InUse(address),
        io::ErrorKind::PermissionDenied => ListenError::Privileged(address),
        io::ErrorKind::AddrNotAvailable => ListenError::NoSuchAddress(address),
        _ => ListenError::Other { address, source },
    };
    let listener = open().map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Port { listener, address })
}

/// The port, ours but not yet answering.
#[derive(Debug)]
pub struct Port {
    listener: TcpListener,
    address: SocketAddr,
}

/// How many connections, and for how long.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Open at once.
    pub sockets: u32,
    /// Open at once per address (IPv6: per /64).
    pub sockets_per_address: u32,
    /// Who is exempt from the bound per address: proxies.
    pub exempt: Vec<Network>,
    /// From connecting to the end of the first request's head, TLS handshake included.
    pub request: Duration,
    /// Without progress, see [`Connection`].
    pub idle: Duration,
}

impl Bounds {
    /// Those of the settings.
    #[must_use]
    pub fn new(limits: &Limits, trusted_proxies: &[Network]) -> Self {
        Self {
            sockets: limits.sockets,
            sockets_per_address: limits.sockets_per_address,
            exempt: trusted_proxies.to_vec(),
            request: limits.request,
            idle: limits.idle,
        }
    }
}

impl Port {
    /// Where it is; with port 0, the one that was free.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Begins to accept: HTTPS with a TLS configuration, plain HTTP without; and media, where there is somebody to take it.
    #[must_use]
    pub fn listen(self, tls: Option<Arc<rustls::ServerConfig>>, bounds: Bounds, media: Option<Media>) -> Listener {
        let (ready, connections) = mpsc::channel(READY);
        let address = self.address;
        let places = Places::new(bounds.sockets, bounds.sockets_per_address, bounds.exempt.clone(), &SOCKETS);
        let door = Arc::new(Door { tls: tls.map(TlsAcceptor::from), media, places, bounds, ready });
        Listener { connections, address, accepting: tokio::spawn(accept(self.listener, door)) }
    }
}

/// For `axum::serve`. The handlers' `ConnectInfo<SocketAddr>` needs `ListenerExt::tap_io` around it
/// (axum implements it for its own types only), see `server.rs`.
#[derive(Debug)]
pub struct Listener {
    connections: mpsc::Receiver<(Connection, SocketAddr)>,
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl axum::serve::Listener for Listener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        match self.connections.recv().await {
            Some(connection) => connection,
            // The accept loop never ends by itself; when it was aborted, nothing comes any more.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// What every new connection passes.
struct Door {
    tls: Option<TlsAcceptor>,
    media: Option<Media>,
    places: Arc<Places>,
    bounds: Bounds,
    ready: mpsc::Sender<(Connection, SocketAddr)>,
}

async fn accept(listener: TcpListener, door: Arc<Door>) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => match door.places.take(address.ip()) {
                Ok(place) => {
                    let door = Arc::clone(&door);
                    tokio::spawn(async move {
                        let patience = Box::pin(sleep(door.bounds.request));
                        match door.open(stream, place, patience).await {
                            // Closed when the listener is gone.
                            Ok(Some(connection)) => _ = door.ready.send((connection, address)).await,
                            Ok(None) => {}
                            Err(Some(refused)) => refused.count(),
                            Err(None) => {}
                        }
                    });
                }
                Err(why) => Refused::from(why).count(),
            },
            // The stranger went away before we looked.
            Err(error) if is_of_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                sleep(REST).await;
            }
        }
    }
}

fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// What a connection's first byte says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    /// A TLS handshake record (RFC 8446 §5.1).
    Tls,
    /// A method: an upper-case letter (RFC 9110 §9.1; all registered methods are).
    Http,
    /// The length of a datagram that a peer sends by TCP (RFC 4571): below 1,536.
    Media,
    /// Anything else.
    Unknown,
}

impl Opening {
    const fn of(first: u8) -> Self {
        match first {
            0x16 => Self::Tls,
            b'A'..=b'Z' => Self::Http,
            0x00..=0x05 => Self::Media,
            _ => Self::Unknown,
        }
    }
}

/// Who is there.
enum Greeted {
    Http(Wire),
    Media(First),
}

/// For somebody who typed `http://` where `https://` belongs.
const SPEAK_TLS: &str = "This port speaks HTTPS: open it with https:// first.\n";

/// As much of what such a client sends is read before closing: a close with bytes unread destroys the answer on its way.
const READ_OFF: u64 = 64 * 1024;

impl Door {
    /// From a connected socket to one that speaks HTTP; none where it went to media. `Err(None)`: it was closed by
    /// the other side.
    async fn open(
        &self,
        stream: TcpStream,
        place: Place,
        mut patience: Patience,
    ) -> Result<Option<Connection>, Option<Refused>> {
        let greeted = tokio::select! {
            biased;
            greeted = self.greet(stream) => greeted?,
            () = patience.as_mut() => return Err(Some(Refused::TooSlow)),
        };
        match (greeted, &self.media) {
            (Greeted::Http(wire), _) => Ok(Some(Connection::new(wire, place, patience, self.bounds.idle))),
            (Greeted::Media(first), Some(media)) => {
                // Whoever is gone already needs no taking.
                first.hand_over(media, place).map_err(|_| None)?;
                Ok(None)
            }
            (Greeted::Media(_), None) => Err(Some(Refused::NotHttp)),
        }
    }

    async fn greet(&self, mut stream: TcpStream) -> Result<Greeted, Option<Refused>> {
        // Answers are written whole; waiting for more to send only delays them.
        stream.set_nodelay(true).map_err(|_| None)?;
        let mut first = [0];
        match stream.peek(&mut first).await {
            Ok(1) => {}
            _ => return Err(None),
        }
        match (Opening::of(first[0]), &self.tls) {
            (Opening::Http, None) => Ok(Greeted::Http(Wire::Plain(stream))),
            (Opening::Tls, Some(tls)) => match tls.accept(stream).await {
                Ok(stream) => Ok(Greeted::Http(Wire::Tls(Box::new(stream)))),
                Err(_) => Err(Some(Refused::Handshake)),
            },
            (Opening::Http, Some(_)) => {
                let length = SPEAK_TLS.len();
                let head = format!(
                    "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
                );
                let _ = stream.write_all(&[head.as_bytes(), SPEAK_TLS.as_bytes()].concat()).await;
                let _ = stream.shutdown().await;
                let _ = tokio::io::copy(&mut stream.take(READ_OFF), &mut tokio::io::sink()).await;
                Err(Some(Refused::NotHttp))
            }
            (Opening::Media, _) => match &self.media {
                Some(media) => Ok(Greeted::Media(First::read(stream, media).await?)),
                None => Err(Some(Refused::NotHttp)),
            },
            (Opening::Tls, None) | (Opening::Unknown, _) => Err(Some(Refused::NotHttp)),
        }
    }
}

/// Time that runs out.
type Patience = std::pin::Pin<Box<Sleep>>;
