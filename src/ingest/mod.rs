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
        let opens = async || {
            let found = self.0.store.broadcast_by_stream_key(key).await.map_err(|error| {
                tracing::error!(%error, "a stream key could not be looked up");
                Refused::Unavailable
            })?;
            found.filter(|broadcast| broadcast.ended_at.is_none()).ok_or(Refused::WrongKey)
        };
        let admitted = async {
            let broadcast = opens().await?;
            if self.0.draining.load(Ordering::Acquire) {
                return Err(Refused::Unavailable);
            }
            let limit = self.0.config.limits.encoder_bits_per_second.into();
            let takeover = self.0.config.ingest.takeover;
            let mut publication = self.0.publishers.begin(&broadcast.id, who, limit, takeover).await?;
            // Meanwhile the key may have been changed, or the broadcast ended: whoever did so cut those who were there.
            if opens().await?.id != broadcast.id {
                return Err(Refused::WrongKey);
            }
            publication.go_live()?;
            Ok(publication)
        };
        let admitted = admitted.await;
        if let Err(why) = &admitted {
            counters::Reason::from(*why).count();
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broadcast::{Settings, Source};
    use crate::clock;
    use crate::config::Ingest as Settled;

    async fn ingest(takeover: bool) -> (tempfile::TempDir, Store, Ingest) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).await.expect("a store");
        let config = Config { ingest: Settled { takeover, ..Settled::default() }, ..Config::default() };
        let ingest = Ingest::new(Arc::new(config), store.clone(), Broadcasts::new(Settings::default(), 1));
        (folder, store, ingest)
    }

    fn encoder() -> (Protocol, String) {
        (Protocol::Rtmp, "an encoder".to_owned())
    }

    // acceptance: L4
    #[tokio::test]
    async fn a_key_that_is_changed_while_a_place_is_waited_for_opens_nothing() {
        let (_folder, store, ingest) = ingest(true).await;
        let made = store.create_broadcast("", None, clock::unix()).await.expect("a broadcast");
        let key = made.stream_key.expose();
        let first = ingest.admit(key, encoder()).await.expect("a place");
        let (second, ()) = tokio::join!(ingest.admit(key, encoder()), async {
            // The second one has cut the first, and waits for its place.
            first.cuts()[1].cancelled().await;
            store.change_stream_key(&made.broadcast.id).await.expect("a store");
            ingest.cut(&made.broadcast.id);
            drop(first);
        });
        assert_eq!(second.err(), Some(Refused::WrongKey));
        assert_eq!(ingest.publishers(), 0);
    }

    // acceptance: L4
    #[tokio::test]
    async fn who_takes_over_does_so_whichever_way_the_other_came() {
        for takeover in [false, true] {
            let (_folder, store, ingest) = ingest(takeover).await;
            let made = store.create_broadcast("", None, clock::unix()).await.expect("a broadcast");
            let live = &ingest.shared().publishers.live;
            let other = live.publish(&made.broadcast.id, Source::Whip, false, clock::now()).expect("nobody is there");
            let second = ingest.admit(made.stream_key.expose(), encoder()).await;
            assert_eq!((second.is_ok(), other.cut().is_cancelled()), (takeover, takeover));
            let Ok(second) = second else { continue };
            // And the other way round; the first one's end is not the second one's.
            drop(other);
            assert!(live.publish(&made.broadcast.id, Source::Whip, false, clock::now()).is_err());
            let third = live.publish(&made.broadcast.id, Source::Whip, true, clock::now());
            assert!(third.is_ok() && second.cuts()[0].is_cancelled());
        }
    }
}
