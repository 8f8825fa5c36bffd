//! What encoders push: RTMP. Each protocol ends in the same coded frames. Knows no viewers.
//!
//! [`rtmp::session`] (bytes) → [`flv`] (tags) → [`media::Event`]s → a publication, of which there is one per broadcast,
//! and whose [`trouble::Watch`] says what is wrong with it.

pub mod counters;
pub mod flv;
pub mod media;
mod publication;
pub mod rtmp;
pub mod trouble;

pub use publication::{Protocol, Status};

use crate::broadcast::Broadcasts;
use crate::config::Config;
use crate::store::Store;
use media::Refused;
use publication::{Publication, Publishers};
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// All that encoders reach. Clones share it.
#[derive(Clone)]
pub struct Ingest(Arc<Shared>);

struct Shared {
    config: Arc<Config>,
    store: Store,
    publishers: Arc<Publishers>,
    rtmp: OnceLock<SocketAddr>,
    draining: AtomicBool,
    stop: CancellationToken,
}

impl Ingest {
    /// Frames go to `live`. Nobody publishes, and nobody can: see [`listen_rtmp`](Self::listen_rtmp).
    #[must_use]
    pub fn new(config: Arc<Config>, store: Store, live: Broadcasts) -> Self {
        Self(Arc::new(Shared {
            config,
            store,
            publishers: Publishers::new(live),
            rtmp: OnceLock::new(),
            draining: AtomicBool::new(false),
            stop: CancellationToken::new(),
        }))
    }

    fn shared(&self) -> &Shared {
        &self.0
    }

    /// Opens the port of RTMP; which one it is, where any was to be taken.
    ///
    /// # Errors
    /// The port cannot be had.
    pub async fn listen_rtmp(&self, address: SocketAddr) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let _ = self.0.rtmp.set(address);
        tokio::spawn(rtmp::server::serve(listener, self.clone(), self.0.stop.clone()));
        Ok(address)
    }

    /// Where RTMP is listened on.
    #[must_use]
    pub fn rtmp_address(&self) -> Option<SocketAddr> {
        self.0.rtmp.get().copied()
    }

    /// Who publishes to a broadcast, and how that goes.
    #[must_use]
    pub fn status(&self, broadcast: &str) -> Option<Status> {
        self.0.publishers.status(broadcast)
    }

    /// Ends the publishing to a broadcast: it is over, or its key was changed.
    pub fn cut(&self, broadcast: &str) {
        self.0.publishers.cut(broadcast);
    }

    /// How many publish.
    #[must_use]
    pub fn publishers(&self) -> usize {
        self.0.publishers.len()
    }

    /// From now on nobody begins to publish.
    pub fn drain(&self) {
        self.0.draining.store(true, Ordering::Release);
    }

    /// Closes the ports and ends all connections.
    pub fn stop(&self) {
        self.drain();
        self.0.publishers.cut_all();
        self.0.stop.cancel();
    }

    /// Lets the bearer of a stream key publish.
    async fn admit(&self, key: &str, who: (Protocol, String)) -> Result<Publication, Refused> {
        let admitted = async {
            let found = self.0.store.broadcast_by_stream_key(key).await.map_err(|error| {
                tracing::error!(%error, "a stream key could not be looked up");
                Refused::Unavailable
            })?;
            let broadcast = found.filter(|broadcast| broadcast.ended_at.is_none()).ok_or(Refused::WrongKey)?;
            if self.0.draining.load(Ordering::Acquire) {
                return Err(Refused::Unavailable);
            }
            let limit = self.0.config.limits.encoder_bits_per_second.into();
            self.0.publishers.begin(&broadcast.id, who, limit, self.0.config.ingest.takeover).await
        };
        let admitted = admitted.await;
        if let Err(why) = &admitted {
            counters::Reason::from(*why).count();
        }
        admitted
    }
}
