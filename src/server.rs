//! Start-up and shut-down: every step in one place, in order, with the reasons.

use crate::config::{Config, Limits, Secret};
use crate::http::AppState;
use crate::http::listener::{self, Bounds, CertificateError, Certificates, ListenError};
use crate::net::udp::interfaces;
use crate::session::limits::MediaLimits;
use crate::store::{Store, StoreError};
use crate::telemetry::{log, metrics};
use crate::worker::{self, Media, MediaConfig};
use crate::{clock, http, meetings, recordings};
use axum::serve::ListenerExt as _;
use std::fs::DirBuilder;
use std::future::IntoFuture as _;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Why the server did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The data folder is missing and cannot be made.
    #[error("cannot make the data folder {}: {source}", folder.display())]
    Folder {
        /// Which.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The certificate cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// The object store of recordings cannot be used.
    #[error("setting `recordings.url`: {0}")]
    Recordings(io::Error),
    /// The media plane cannot be started.
    #[error(transparent)]
    Media(#[from] worker::StartError),
    /// The port cannot be had.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The system does not let us hear signals.
    #[error("cannot listen to signals: {0}")]
    Signals(io::Error),
}

/// How often a draining server looks whether it is empty.
const DRAIN_LOOK: Duration = Duration::from_millis(100);

/// How long the farewell to everybody may take.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// A running server.
pub struct Server {
    address: SocketAddr,
    url: String,
    setup_link: Option<Secret>,
    fingerprint: Option<String>,
    state: AppState,
    stop: CancellationToken,
    serving: JoinHandle<io::Result<()>>,
}

/// Starts everything. When it returns, requests are answered.
///
/// # Errors
/// When a step fails; what the earlier ones took is given back.
pub async fn start(config: Config) -> Result<Server, StartError> {
    // The log first, so that every later step can speak.
    log::start(&config.log);
    metrics::register(listener::families());
    metrics::register(http::counters::families());
    metrics::register(meetings::counters::families());
    metrics::register(worker::metrics::families());

    // The folder is ours alone: it will hold secrets. One that exists keeps its permissions.
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&config.data);
    made.map_err(|source| StartError::Folder { folder: config.data.clone(), source })?;

    // The store before the port: its lock keeps a second server out of the folder, whatever port that takes.
    let store = Store::open(&config.data).await?;
    let certificates = certificates(&config)?;
    recordings::open_store(&config.recordings).map_err(StartError::Recordings)?;

    // TCP before UDP, and exclusively: UDP sockets share their port, so this is what a second server fails at.
    let port = listener::bind(config.listen)?;
    let address = port.address();
    // Where the system does not name its addresses, links say what the server listens on.
    let url = config.base_url(reachable(address, &interfaces(false).unwrap_or_default()));

    // A link only where it is needed: a new one makes the older one useless.
    let setup_link = if !config.dev && store.needs_setup().await? {
        Some(store.create_setup_link(clock::unix()).await?)
    } else {
        None
    };

    let media = Media::start(&MediaConfig {
        // On every interface also where HTTP is on loopback only: Firefox does not pair its host candidates with
        // a loopback one, and only addresses that passed an ICE check are served.
        listen: Some(SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), address.port())),
        tcp: offers_tcp(&config, address).then_some(address),
        workers: usize::from(config.media.workers),
        advertise: config.media.advertise.clone(),
        trace: config.media.trace.clone(),
        limits: media_limits(&config.limits),
        loopback: address.ip().is_loopback(),
    })?;
    let bounds = bounds(&config);
    let state = AppState::new(config, url.clone(), store, media);
    let restored = state.directory.restore().await?;
    if restored > 0 {
        tracing::info!(restored, "meetings go on");
    }
    listen_to_encoders(&state, address).await;
    let router = http::router(state.clone());

    // Last, so that nobody is let in before all is ready.
    let fingerprint = certificates.as_ref().map(|certificates| certificates.fingerprint.clone());
    let media = offers_tcp(&state.config, address).then(|| state.media.clone());
    let listener = port.listen(certificates.map(|certificates| certificates.config), bounds, media);
    let stop = CancellationToken::new();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener.tap_io(|_| {}), service).with_graceful_shutdown(stop.clone().cancelled_owned());
    let serving = tokio::spawn(serving.into_future());
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "ready");
    Ok(Server { address, url, setup_link, fingerprint, state, stop, serving })
}

impl Server {
    /// Where it listens; with port 0, the one that was free.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The page to open, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The page on which the first administrator is made, while there is none. Holds a secret.
    #[must_use]
    pub fn setup_url(&self) -> Option<String> {
        // In the fragment, which browsers send to nobody.
        self.setup_link.as_ref().map(|link| format!("{}/setup#{}", self.url, link.expose()))
    }

    /// What to tell the person at the terminal. Not for the log: it may hold the set-up link.
    fn greeting(&self, self_signed: bool) -> String {
        let mut text = format!("Symposia is ready: {}\n", self.url);
        if let Some(setup) = self.setup_url() {
            text += &format!("Set up the first administrator (this link works once): {setup}\n");
        }
        if let (true, Some(fingerprint)) = (self_signed, &self.fingerprint) {
            text += &format!("Browsers will warn of the self-signed certificate; its SHA-256 is\n  {fingerprint}\n");
        }
        if !self.url.starts_with("https://") && !self.url.starts_with("http://localhost") {
            text +=
                "Browsers give camera and microphone only to https:// pages: set [tls], or `public_url` of a proxy.\n";
        }
        text
    }

    /// Takes no new meetings or people and waits for those that are there to end, until the deadline. The port
    /// stays open meanwhile, since people whose connection drops come back.
    pub async fn drain(&mut self, deadline: Duration) {
        self.state.drain();
        let empty = async {
            let people = || self.state.directory.has_people() || self.state.ingest.publishers() > 0;
            while people() || self.state.broadcasts.counts() != (0, 0) {
                sleep(DRAIN_LOOK).await;
            }
        };
        let _ = timeout(deadline, empty).await;
    }

    /// Ends everything at once; what was written to the store is on the disk.
    pub async fn stop(self) {
        self.state.drain();
        // Everybody is told, seats are stored; then the port closes.
        let _ = timeout(STOP_LIMIT, self.state.directory.stop()).await;
        self.state.ingest.stop();
        self.state.audience.stop().await;
        // What was recorded is whole before the process ends.
        self.state.recordings.stop().await;
        self.stop.cancel();
        self.serving.abort();
        let media = self.state.media.clone();
        // Threads are joined: not on the runtime's own.
        let _ = tokio::task::spawn_blocking(move || media.stop()).await;
        self.state.store.close().await;
    }
}

/// Starts, greets, serves until a signal, and stops.
///
/// SIGTERM: see [`crate::config::HELP`]. SIGINT (Ctrl-C), or a second SIGTERM, stops at once.
///
/// # Errors
/// When a step of the start fails.
pub async fn run(config: Config) -> Result<(), StartError> {
    // Before the start, so that a signal during it is not lost.
    let mut signals = Signals::new().map_err(StartError::Signals)?;
    let (self_signed, deadline) = (config.tls.self_signed, config.drain.deadline);
    let mut server = start(config).await?;
    greet(&server.greeting(self_signed));
    if signals.next().await == Stop::Gently {
        tracing::info!(?deadline, "draining");
        tokio::select! {
            () = server.drain(deadline) => {}
            _ = signals.next() => {}
        }
    }
    tracing::info!("stopping");
    server.stop().await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the links are for the terminal; the log must hold no secrets")]
fn greet(text: &str) {
    print!("{text}");
}

/// How to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// SIGTERM.
    Gently,
    /// SIGINT.
    AtOnce,
}

/// The signals that end the server.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> Stop {
        tokio::select! {
            biased;
            _ = self.interrupt.recv() => Stop::AtOnce,
            _ = self.terminate.recv() => Stop::Gently,
        }
    }
}

/// Opens the ports of encoders. Where one is in use the rest of the server is as good as ever: a warning.
async fn listen_to_encoders(state: &AppState, listen: SocketAddr) {
    let Some(entrance) = state.config.ingest.rtmp else { return };
    let wanted = entrance.address(listen);
    match state.ingest.listen_rtmp(wanted).await {
        Ok(address) => tracing::info!(%address, "encoders can push by RTMP"),
        Err(error) => tracing::warn!(
            "encoders cannot push by RTMP, the rest works: cannot listen on {wanted} ({error}); is another server there? \
             `[ingest] rtmp` chooses another port"
        ),
    }
}

/// What a peer may ask of the media plane, as the settings have it.
fn media_limits(limits: &Limits) -> MediaLimits {
    MediaLimits {
        streams: usize::from(limits.streams),
        packets_per_second: limits.packets_per_second,
        bytes_per_second: limits.bytes_per_second,
        nacks_per_second: limits.nacks_per_second,
        key_frame_requests_per_second: limits.key_frame_requests_per_second,
        key_frame_window: limits.key_frame_window,
        sessions_per_worker: usize::from(limits.sessions_per_worker),
    }
}

/// Whether media may come by TCP. On loopback behind proxies nobody could reach us but them.
fn offers_tcp(config: &Config, bound: SocketAddr) -> bool {
    config.media.tcp && (config.trusted_proxies.is_empty() || !bound.ip().is_loopback())
}

fn bounds(config: &Config) -> Bounds {
    let mut bounds = Bounds::new(&config.limits, &config.trusted_proxies);
    let fit = http::listener::make_room(bounds.sockets);
    if fit < bounds.sockets {
        tracing::warn!(fit, wanted = bounds.sockets, "the system allows fewer open files than `limits.sockets` needs");
        bounds.sockets = fit;
    }
    bounds
}

fn certificates(config: &Config) -> Result<Option<Certificates>, CertificateError> {
    if let (Some(certificate), Some(key)) = (&config.tls.certificate, &config.tls.key) {
        return Certificates::load(certificate, key).map(Some);
    }
    if !config.tls.self_signed {
        return Ok(None);
    }
    let mut addresses = interfaces(true).unwrap_or_default();
    addresses.extend(&config.media.advertise);
    Certificates::self_signed(&config.data, &["localhost".to_owned()], &addresses).map(Some)
}

/// An address that other machines can open when the server listens on all of its own: of those of the interfaces
/// an IPv4 one, which every network has.
fn reachable(bound: SocketAddr, interfaces: &[IpAddr]) -> SocketAddr {
    match interfaces.iter().find(|address| address.is_ipv4()) {
        Some(address) if bound.ip().is_unspecified() => SocketAddr::new(*address, bound.port()),
        _ => bound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_plane_keeps_the_bounds_of_the_settings() {
        assert_eq!(media_limits(&Limits::default()), MediaLimits::default());
        let limits = Limits { streams: 3, nacks_per_second: 4, ..Limits::default() };
        let MediaLimits { streams, nacks_per_second, .. } = media_limits(&limits);
        assert_eq!((streams, nacks_per_second), (3, 4));
    }

    #[test]
    fn media_comes_by_tcp_unless_only_proxies_reach_the_port() {
        let offers = |bound: &str, change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            offers_tcp(&config, bound.parse().unwrap())
        };
        let proxied = |config: &mut Config| config.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
        assert!(offers("127.0.0.1:8080", |_| {}) && offers("0.0.0.0:8080", proxied));
        assert!(!offers("127.0.0.1:8080", proxied) && !offers("0.0.0.0:8080", |config| config.media.tcp = false));
    }

    #[test]
    fn a_server_on_all_addresses_is_opened_by_one_that_others_reach() {
        let addresses: [IpAddr; 2] = ["2001:db8::7".parse().unwrap(), [192, 0, 2, 7].into()];
        let opened = |bound: &str, known: &[IpAddr]| reachable(bound.parse().unwrap(), known).to_string();
        assert_eq!(opened("0.0.0.0:8080", &addresses), "192.0.2.7:8080");
        assert_eq!(opened("[::]:8080", &addresses), "192.0.2.7:8080");
        assert_eq!(opened("192.0.2.1:8080", &addresses), "192.0.2.1:8080");
        assert_eq!(opened("0.0.0.0:8080", &addresses[..1]), "0.0.0.0:8080", "then links say localhost");
    }
}
