//! What clients outside reach: REST, WebSocket, WHIP/WHEP, the web app. Knows no packets.
//!
//! [`router`] puts it together from an [`AppState`]; `listener` is the port below it.

pub mod assets;
mod audience;
pub mod body;
pub mod caller;
pub mod cookies;
pub mod counters;
mod device;
pub mod errors;
mod exchange;
pub mod guard;
pub mod health;
pub mod hls;
mod join;
pub mod limits;
pub mod listener;
pub mod packing;
mod passwords;
pub mod rest;
mod scope;
pub mod websocket;
pub mod whep;
pub mod whip;

use crate::audience::{self as audiences, Audience};
use crate::broadcast::{self, Feeds};
use crate::clock;
use crate::config::{self, Config};
use crate::ingest::Ingest;
use crate::meetings::Directory;
use crate::meetings::broadcasts::Broadcasts;
use crate::meetings::network_tests::NetworkTests;
use crate::recordings::Recordings;
use crate::store::Store;
use crate::telemetry::metrics;
use crate::worker::Media;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use guard::Names;
use limits::{Bounds, Limits};
use passwords::Passwords;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// All that requests need. Clones share it.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

/// What an [`AppState`] holds.
pub struct Shared {
    /// The settings.
    pub config: Arc<Config>,
    /// The beginning of every link, without a slash at the end.
    pub base_url: String,
    /// What outlives the process.
    pub store: Store,
    /// The workers.
    pub media: Media,
    /// Recordings.
    pub recordings: Recordings,
    /// Live meetings.
    pub directory: Directory,
    /// Broadcasts by WebRTC.
    pub broadcasts: Broadcasts,
    /// What viewers get by HLS, whoever publishes.
    pub live: broadcast::Broadcasts,
    /// What viewers write and like.
    pub audience: Audience,
    /// Encoders that push by other ways than HTTP.
    pub ingest: Ingest,
    /// Who tests his network.
    pub network_tests: NetworkTests,
    /// Bounds of strangers.
    pub limits: Limits,
    /// Argon2.
    pub passwords: Passwords,
    /// Under which names we answer.
    pub names: Names,
    draining: AtomicBool,
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl AppState {
    /// With the bounds of the settings. `base_url` is [`Config::base_url`] of the bound address.
    #[must_use]
    pub fn new(config: Config, base_url: String, store: Store, media: Media) -> Self {
        let bounds = Bounds::from(&config.limits);
        Self::with_bounds(config, base_url, store, media, bounds)
    }

    /// With bounds of its own, for tests.
    #[must_use]
    pub fn with_bounds(config: Config, base_url: String, store: Store, media: Media, bounds: Bounds) -> Self {
        metrics::register(crate::meetings::counters::families());
        metrics::register(counters::families());
        metrics::register(crate::recordings::counters::families());
        metrics::register(broadcast::counters::families());
        metrics::register(crate::ingest::counters::families());
        metrics::register(audiences::counters::families());
        let config = Arc::new(config);
        let recordings = Recordings::start(&config, media.clone(), store.clone());
        let live = live(&config);
        let feeds = Feeds::start(media.clone(), live.clone());
        let (kept, tracks) = (store.clone(), media.clone());
        Self(Arc::new(Shared {
            directory: Directory::new(kept, tracks, recordings.clone(), Arc::clone(&config), base_url.clone()),
            recordings,
            audience: Audience::new(store.clone(), config.limits.comment_characters as usize),
            broadcasts: Broadcasts::new(media.clone(), &config, feeds),
            ingest: Ingest::new(Arc::clone(&config), store.clone(), live.clone()),
            live,
            network_tests: NetworkTests::new(config.limits.network_tests),
            limits: Limits::new(bounds, clock::now()),
            passwords: Passwords::new(),
            names: Names::new(config.public_url.as_deref(), config.media.advertise.clone()),
            draining: AtomicBool::new(false),
            config,
            base_url,
            store,
            media,
        }))
    }

    /// From now on no new meetings, people or broadcasts are taken; who has a seat keeps it and may come back.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Release);
        self.0.ingest.drain();
    }

    /// Whether the server is about to stop.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Acquire)
    }

    /// Whether links and cookies are HTTPS.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.base_url.starts_with("https://")
    }

    /// Whether `X-Forwarded-For` of this address is believed.
    #[must_use]
    pub fn is_trusted_proxy(&self, address: IpAddr) -> bool {
        self.config.trusted_proxies.iter().any(|network| network.contains(address))
    }
}

fn live(config: &Config) -> broadcast::Broadcasts {
    let config::Broadcast { part, segment, window, max_bytes, max_waiting, rewind, rewind_max_bytes } =
        config.broadcast;
    let max_bytes = usize::try_from(max_bytes).unwrap_or(usize::MAX);
    let live = broadcast::Broadcasts::new(
        broadcast::Settings { part, segment, window, max_bytes },
        usize::try_from(max_waiting).unwrap_or(usize::MAX),
    );
    let live = live.with_rewind(broadcast::Rewind {
        folder: config.rewind_folder(),
        window: rewind,
        max_bytes: rewind_max_bytes,
        reserve: config.recordings.reserve_bytes,
    });
    live.tend();
    live
}

/// Everything that is answered. The peer's address comes as `ConnectInfo<SocketAddr>`.
pub fn router(state: AppState) -> Router {
    Router::new()
        .merge(rest::routes())
        .route("/api/v1/socket", get(websocket::open))
        .route("/api/v1/broadcasts/{id}/audience", get(audience::open))
        .route("/whip/{broadcast}", post(whip::publish).options(whip::options).fallback(exchange::not_allowed))
        .route(
            "/whip/{broadcast}/{resource}",
            axum::routing::patch(whip::patch).delete(whip::stop).options(whip::options).fallback(exchange::not_allowed),
        )
        .route("/whep/{broadcast}", post(whep::watch).options(whep::options).fallback(exchange::not_allowed))
        .route(
            "/whep/{broadcast}/{resource}",
            axum::routing::patch(whep::patch).delete(whep::stop).options(whep::options).fallback(exchange::not_allowed),
        )
        .route("/hls/{broadcast}/index.m3u8", get(hls::index).options(hls::options))
        .route("/hls/{broadcast}/rewind.m3u8", get(hls::rewind).options(hls::options))
        .route("/hls/{broadcast}/{*path}", get(hls::media).options(hls::options))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .fallback(assets::serve)
        .layer(from_fn_with_state(state.clone(), guard::check_names))
        .layer(from_fn(assets::security_headers))
        .layer(from_fn(count))
        .with_state(state)
}

async fn count(request: Request, next: Next) -> Response {
    counters::REQUESTS.add(1);
    next.run(request).await
}
