//! Live broadcasts: a router each, at most one encoder that publishes into it, and its viewers. Knows
//! SDP and workers, no HTTP and no stream keys.

mod live;
mod resource;

use crate::broadcast::Feeds;
use crate::clock;
use crate::config::Config;
use crate::session::plan::IceCredentials;
use crate::session::sdp::{self, Offer, Policy, Role};
use crate::worker::Media;
use dashmap::DashMap;
use live::{Live, look_after};
use resource::Patch;
pub use resource::{ResourceId, Wanted};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long the end of sessions may take to be acknowledged.
const END_WITHIN: Duration = Duration::from_secs(1);

/// What an offer came for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// WHIP: it publishes.
    Publish,
    /// WHEP: it watches.
    Watch,
}

/// A session just made.
#[derive(Debug, Clone)]
pub struct Opened {
    /// For the `Location`.
    pub resource: ResourceId,
    /// Names the ICE session (`ETag`).
    pub tag: String,
    /// The SDP answer.
    pub sdp: String,
}

/// What a PATCH came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Patched {
    /// It names an ICE session that is over, or none of this resource.
    OtherSession,
    /// Candidates were taken.
    Candidates,
    /// ICE restarts.
    Restarted {
        /// Names the new ICE session.
        tag: String,
        /// Our side of it, as a fragment.
        sdp: String,
    },
}

/// Why an offer was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejected {
    /// Nobody publishes; viewers come again later.
    NotPublishing,
    /// Somebody publishes already.
    AlreadyPublishing,
    /// So many watch already.
    Full,
    /// The media thread has more to forward than it can.
    Busy,
    /// The viewer decodes nothing of what is published.
    NoCommonCodec,
    /// The offer was not understood.
    Malformed(String),
    /// The offer was understood, and nothing can come of it.
    Unusable(String),
}

/// All live broadcasts.
#[derive(Clone)]
pub struct Broadcasts {
    media: Media,
    feeds: Feeds,
    /// Viewers of one broadcast.
    most_viewers: usize,
    max_sections: usize,
    encoder_bits_per_second: u32,
    /// Whether a second publisher takes the first one's place.
    takeover: bool,
    live: Arc<DashMap<String, Arc<Live>>>,
    sessions: Arc<AtomicUsize>,
}

impl Broadcasts {
    /// None live; what is published goes to `feeds`, too.
    #[must_use]
    pub fn new(media: Media, config: &Config, feeds: Feeds) -> Self {
        let limits = &config.limits;
        Self {
            media,
            feeds,
            most_viewers: limits.viewers as usize,
            max_sections: usize::from(limits.sections).min(sdp::MAX_SECTIONS),
            encoder_bits_per_second: limits.encoder_bits_per_second,
            takeover: config.ingest.takeover,
            live: Arc::default(),
            sessions: Arc::default(),
        }
    }

    /// Answers an offer.
    ///
    /// # Errors
    /// See [`Rejected`].
    pub fn open(&self, broadcast: &str, way: Way, offer: &str) -> Result<Opened, Rejected> {
        let offer = Offer::parse(offer).map_err(|error| Rejected::Malformed(error.to_string()))?;
        match way {
            Way::Publish => {
                let (policy, feeds) = (self.policy(Role::Whip), (&self.feeds, broadcast));
                self.live(broadcast).publish(&offer, &policy, feeds, self.takeover)
            }
            Way::Watch => {
                let live = self.live.get(broadcast).map(|live| Arc::clone(&live)).ok_or(Rejected::NotPublishing)?;
                live.watch(&offer, &self.policy(Role::Whep), self.most_viewers)
            }
        }
    }

    /// Whether there is such a session.
    #[must_use]
    pub fn has(&self, broadcast: &str, way: Way, resource: &str) -> bool {
        let live = self.live.get(broadcast).map(|live| Arc::clone(&live));
        live.is_some_and(|live| live.state().find(way, resource).is_some())
    }

    /// Takes what a client says of its side of ICE: candidates, or new credentials, which restart ICE while media
    /// flows on. `None` where there is no such session.
    #[must_use]
    pub fn patch(
        &self,
        broadcast: &str,
        (way, resource): (Way, &str),
        wanted: Wanted<'_>,
        remote: Option<IceCredentials>,
    ) -> Option<Patched> {
        let live = self.live.get(broadcast).map(|live| Arc::clone(&live))?;
        Some(match live.patch(way, resource, wanted, remote)? {
            Patch::OtherSession => Patched::OtherSession,
            Patch::Candidates => Patched::Candidates,
            Patch::Again { tag, sdp } | Patch::Restarted { tag, sdp, .. } => Patched::Restarted { tag, sdp },
        })
    }

    /// Ends a session and waits until no packet of it passes any more; false where there is none.
    pub async fn close(&self, broadcast: &str, way: Way, resource: &str) -> bool {
        let done = {
            let Some(live) = self.live.get(broadcast).map(|live| Arc::clone(&live)) else { return false };
            let mut state = live.state();
            let Some(resource) = state.take(way, resource) else { return false };
            if way == Way::Publish {
                state.silent_since = clock::now();
            }
            live.end(&mut state, &resource)
        };
        acknowledged(done).await;
        true
    }

    /// Ends whoever publishes and waits until no packet of it passes any more; viewers stay.
    pub async fn cut(&self, broadcast: &str) {
        let resource = self.live.get(broadcast).map(|live| Arc::clone(&live));
        let resource = resource.and_then(|live| live.state().publisher.as_ref().map(|publisher| publisher.id.clone()));
        if let Some(resource) = resource {
            self.close(broadcast, Way::Publish, resource.as_str()).await;
        }
    }

    /// Whether somebody publishes, and how many watch.
    #[must_use]
    pub fn viewers(&self, broadcast: &str) -> (bool, usize) {
        self.live.get(broadcast).map_or((false, 0), |live| {
            let state = live.state();
            (state.publisher.is_some(), state.viewers.len())
        })
    }

    /// Whether somebody publishes, or did so just now and may come back.
    #[must_use]
    pub fn is_live(&self, broadcast: &str) -> bool {
        self.live.contains_key(broadcast)
    }

    /// How many broadcasts are live, and sessions of all of them.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.live.len(), self.sessions.load(Ordering::Relaxed))
    }

    /// Ends a broadcast with all its sessions, each with a goodbye, and waits until no packet passes any more.
    pub async fn end(&self, broadcast: &str) {
        let Some((_, live)) = self.live.remove(broadcast) else { return };
        acknowledged(live.put_away()).await;
    }

    fn policy(&self, role: Role) -> Policy {
        Policy {
            role,
            // The encoder's own order: it was told what to send, and knows what it does best.
            video_preference: Vec::new(),
            max_video_bits_per_second: (role == Role::Whip).then_some(self.encoder_bits_per_second),
            max_sections: self.max_sections,
        }
    }

    /// The live broadcast of this id, begun if need be.
    fn live(&self, broadcast: &str) -> Arc<Live> {
        let entry = self.live.entry(broadcast.to_owned()).or_insert_with(|| {
            let (live, reports) = Live::begin(&self.media, &self.sessions);
            let (all, id) = (Arc::clone(&self.live), broadcast.to_owned());
            tokio::spawn(look_after(all, id, Arc::clone(&live), reports));
            live
        });
        Arc::clone(&entry)
    }
}

/// Waits for workers to end sessions, but not for ever.
async fn acknowledged(ends: Vec<oneshot::Receiver<()>>) {
    let all = async {
        for end in ends {
            // One that was dropped is a worker's that is gone, and its sessions with it.
            let _ = end.await;
        }
    };
    if timeout(END_WITHIN, all).await.is_err() {
        tracing::warn!("a worker did not acknowledge the end of sessions within a second");
    }
}
