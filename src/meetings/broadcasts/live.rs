//! One live broadcast: who publishes, who watches, and when each is given up. Knows no ids of broadcasts.

use super::resource::{Patch, Resource, Wanted, decodes, picture, published};
use super::{Opened, Rejected, ResourceId, Way};
use crate::broadcast::{Expected, Feed, Feeds};
use crate::clock;
use crate::meetings::media::{bad_offer, local};
use crate::meetings::refusal::Refusal;
use crate::session::plan::{Codec, Flow, IceCredentials};
use crate::session::sdp::{self, Answer, Offer, Policy};
use crate::worker::Media;
use crate::worker::api::{Event, SessionId};
use crate::worker::routers::{NewSession, Routers};
use dashmap::DashMap;
use signaling::ids::{ParticipantId, Source, TrackId};
use signaling::protocol::{RefusalCode, SessionState, Wish};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::time::interval;

/// Whoever publishes; always the same, so that viewers keep their subscription when an encoder comes back.
const PUBLISHER: ParticipantId = ParticipantId(1);
/// The height that viewers ask for: the best there is.
const FULL_HEIGHT: u16 = 2160;
/// How long a session may take to connect, and how long a lost one is kept.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long viewers are kept when the encoder is gone; it may come back.
const KEEP_VIEWERS: Duration = Duration::from_secs(60);
/// How long a broadcast without encoder and viewers is kept.
const KEEP_NOBODY: Duration = Duration::from_secs(2);
/// How often all that is looked at.
const TICK: Duration = Duration::from_secs(1);
/// Reports that may wait; a worker that finds it full comes again later.
const REPORTS: usize = 256;

pub(super) struct Live {
    media: Media,
    state: Mutex<State>,
    sessions: Arc<AtomicUsize>,
}

pub(super) struct State {
    routers: Routers,
    pub(super) publisher: Option<Resource>,
    /// What the publisher sends as picture: an encoder begins with the answer's first codec and stays with it.
    picture: Option<Codec>,
    pub(super) viewers: HashMap<ResourceId, Resource>,
    /// The last number given to a viewer.
    last: u32,
    /// Since when nobody publishes.
    pub(super) silent_since: Instant,
    /// No more offers are taken: the broadcast is being put away.
    over: bool,
}

/// Follows the reports of a broadcast's sessions and puts away what is over.
pub(super) async fn look_after(
    all: Arc<DashMap<String, Arc<Live>>>,
    id: String,
    live: Arc<Live>,
    mut reports: mpsc::Receiver<Event>,
) {
    let mut tick = interval(TICK);
    loop {
        tokio::select! {
            report = reports.recv() => match report {
                Some(Event::Session { session, state, .. }) => live.changed(session, state, clock::now()),
                Some(_) => {}
                // The router is gone, or its worker.
                None => break,
            },
            _ = tick.tick() => if live.sweep(clock::now()) { break },
        }
    }
    // Only this one: the id may be live again.
    all.remove_if(&id, |_, other| Arc::ptr_eq(other, &live));
    drop(live.put_away());
}

impl Live {
    /// One with a router of its own, whose reports come out of the receiver.
    pub(super) fn begin(media: &Media, sessions: &Arc<AtomicUsize>) -> (Arc<Self>, mpsc::Receiver<Event>) {
        let (routers, reports) = Routers::open(media.clone(), REPORTS);
        let state = State {
            routers,
            publisher: None,
            picture: None,
            viewers: HashMap::new(),
            last: PUBLISHER.0,
            silent_since: clock::now(),
            over: false,
        };
        let live = Self { media: media.clone(), state: Mutex::new(state), sessions: Arc::clone(sessions) };
        (Arc::new(live), reports)
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is done half-way under the lock that a panic could leave wrong.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn publish(
        &self,
        offer: &Offer,
        policy: &Policy,
        (feeds, broadcast): (&Feeds, &str),
        takeover: bool,
    ) -> Result<Opened, Rejected> {
        let mut state = self.state();
        // An encoder that lost its network comes back before its old session is given up.
        let connected = |resource: &Resource| resource.state != SessionState::Disconnected;
        if state.over || (!takeover && state.publisher.as_ref().is_some_and(connected)) {
            return Err(Rejected::AlreadyPublishing);
        }
        let (session, Answer { sdp, plan }) = self.answer(&state, offer, policy)?;
        let sends = published(&plan);
        if sends.is_empty() {
            return Err(Rejected::Unusable("the offer sends nothing".to_owned()));
        }
        let sends_from = |wanted| sends.iter().any(|(_, source)| *source == wanted);
        let expected = Expected { picture: sends_from(Source::Camera), sound: sends_from(Source::Microphone) };
        // Somebody may publish by another protocol. The place of an old session of its own is its own.
        let own = state.publisher.as_ref().and_then(|old| old.feed.as_ref()).is_some_and(|feed| !feed.is_cut());
        let feed = feeds.begin(broadcast, session, expected, takeover || own);
        let feed = feed.map_err(|_| Rejected::AlreadyPublishing)?;
        if let Some(old) = state.publisher.take() {
            drop(self.end(&mut state, &old));
        }
        let (machine, ring) = feed.tap();
        let mut resource = Resource::new(session, PUBLISHER, &plan);
        resource.feed = Some(feed);
        let opened = resource.opened(sdp);
        state.picture = picture(&plan);
        let open_gates = sends.iter().map(|(_, source)| *source).collect();
        self.open(&mut state, session, NewSession { participant: PUBLISHER, plan, sends, open_gates });
        // Nobody is told of what is wanted: an encoder sends all it was allowed.
        drop(state.routers.record(machine, ring, FULL_HEIGHT));
        state.publisher = Some(resource);
        for viewer in state.viewers.values() {
            state.subscribe(viewer.session);
        }
        Ok(opened)
    }

    pub(super) fn watch(&self, offer: &Offer, policy: &Policy, most: usize) -> Result<Opened, Rejected> {
        let mut state = self.state();
        if state.over || state.publisher.is_none() {
            return Err(Rejected::NotPublishing);
        }
        if state.viewers.len() >= most {
            return Err(Rejected::Full);
        }
        if state.routers.is_overloaded() {
            return Err(Rejected::Busy);
        }
        let (session, Answer { sdp, plan }) = self.answer(&state, offer, policy)?;
        if !plan.sections.iter().any(|section| matches!(section.flow, Flow::Send(_))) {
            return Err(Rejected::Unusable("the offer receives nothing".to_owned()));
        }
        if state.picture.is_some_and(|codec| !decodes(&plan, codec)) {
            return Err(Rejected::NoCommonCodec);
        }
        state.last = state.last.wrapping_add(1).max(PUBLISHER.0 + 1);
        let participant = ParticipantId(state.last);
        let resource = Resource::new(session, participant, &plan);
        let opened = resource.opened(sdp);
        let new = NewSession { participant, plan, sends: Vec::new(), open_gates: Vec::new() };
        self.open(&mut state, session, new);
        state.subscribe(session);
        state.viewers.insert(resource.id.clone(), resource);
        Ok(opened)
    }

    fn answer(&self, state: &State, offer: &Offer, policy: &Policy) -> Result<(SessionId, Answer), Rejected> {
        let session = state.routers.new_session();
        let local = local(&self.media, session, 0);
        let answer = sdp::answer(offer, &local, policy, &mut rand::rng()).map_err(|error| {
            let refusal: Refusal = bad_offer(error);
            debug_assert_eq!(refusal.code, RefusalCode::BadOffer);
            Rejected::Unusable(refusal.detail.unwrap_or_default())
        })?;
        Ok((session, answer))
    }

    fn open(&self, state: &mut State, session: SessionId, new: NewSession) {
        self.sessions.fetch_add(1, Ordering::Relaxed);
        state.routers.open_session(session, new);
    }

    /// `None` where there is no such session.
    pub(super) fn patch(
        &self,
        way: Way,
        id: &str,
        wanted: Wanted<'_>,
        remote: Option<IceCredentials>,
    ) -> Option<Patch> {
        let mut state = self.state();
        let (session, restarts) = state.find(way, id).map(|resource| (resource.session, resource.restarts()))?;
        let local = local(&self.media, session, restarts.saturating_add(1));
        let patch = state.find_mut(way, id)?.patch(wanted, remote, &local);
        if let Patch::Restarted { remote, .. } = &patch {
            state.routers.restart_ice(session, local.credentials, remote.clone());
        }
        Some(patch)
    }

    /// Ends a session that was taken out of the state; each worker that has anything of it acknowledges.
    pub(super) fn end(&self, state: &mut State, resource: &Resource) -> Vec<oneshot::Receiver<()>> {
        self.sessions.fetch_sub(1, Ordering::Relaxed);
        if resource.feed.is_some() {
            drop(state.routers.end_record());
        }
        state.routers.close_session(resource.session, true)
    }

    /// A worker reported a session's state.
    fn changed(&self, session: SessionId, new: SessionState, now: Instant) {
        let mut state = self.state();
        if let Some(resource) = state.all().find(|resource| resource.session == session) {
            resource.state = new;
            resource.since = now;
        }
        if new == SessionState::Failed {
            drop(self.drop_those(&mut state, now, |resource| resource.session == session));
        }
    }

    /// Gives up sessions that do not connect or come back; whether the whole broadcast is over.
    fn sweep(&self, now: Instant) -> bool {
        let mut state = self.state();
        let waited = |resource: &Resource| now.saturating_duration_since(resource.since) > PATIENCE;
        // Another one may have taken over by another protocol.
        let cut = |resource: &Resource| resource.feed.as_ref().is_some_and(Feed::is_cut);
        drop(self.drop_those(&mut state, now, |resource| {
            cut(resource) || (resource.state != SessionState::Connected && waited(resource))
        }));
        let keep = if state.viewers.is_empty() { KEEP_NOBODY } else { KEEP_VIEWERS };
        state.over |= state.publisher.is_none() && now.saturating_duration_since(state.silent_since) > keep;
        state.over
    }

    fn drop_those(
        &self,
        state: &mut State,
        now: Instant,
        which: impl Fn(&Resource) -> bool,
    ) -> Vec<oneshot::Receiver<()>> {
        let mut ends = Vec::new();
        if let Some(publisher) = state.publisher.take_if(|publisher| which(publisher)) {
            ends.extend(self.end(state, &publisher));
            state.silent_since = now;
        }
        let viewers: Vec<_> = state.viewers.extract_if(|_, viewer| which(viewer)).collect();
        for (_, viewer) in viewers {
            ends.extend(self.end(state, &viewer));
        }
        ends
    }

    /// Ends all sessions; the acknowledgements are of their ends.
    pub(super) fn put_away(&self) -> Vec<oneshot::Receiver<()>> {
        let mut state = self.state();
        state.over = true;
        let ends = self.drop_those(&mut state, clock::now(), |_| true);
        state.routers.close();
        ends
    }
}

impl State {
    /// What all viewers want.
    fn subscribe(&self, session: SessionId) {
        let track = TrackId { participant: PUBLISHER, source: Source::Camera };
        self.routers.watch(session, vec![Wish { track, height: FULL_HEIGHT }]);
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Resource> {
        self.publisher.iter_mut().chain(self.viewers.values_mut())
    }

    pub(super) fn find(&self, way: Way, id: &str) -> Option<&Resource> {
        match way {
            Way::Publish => self.publisher.as_ref().filter(|publisher| publisher.id.as_str() == id),
            Way::Watch => self.viewers.get(&ResourceId::of(id)),
        }
    }

    fn find_mut(&mut self, way: Way, id: &str) -> Option<&mut Resource> {
        match way {
            Way::Publish => self.publisher.as_mut().filter(|publisher| publisher.id.as_str() == id),
            Way::Watch => self.viewers.get_mut(&ResourceId::of(id)),
        }
    }

    pub(super) fn take(&mut self, way: Way, id: &str) -> Option<Resource> {
        match way {
            Way::Publish => self.publisher.take_if(|publisher| publisher.id.as_str() == id),
            Way::Watch => self.viewers.remove(&ResourceId::of(id)),
        }
    }
}
