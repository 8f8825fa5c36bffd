//! Live broadcasts: a router each, at most one encoder that publishes into it, and its viewers. Knows
//! SDP and workers, no HTTP and no stream keys.

use super::media::{bad_offer, local};
use super::refusal::Refusal;
use crate::clock;
use crate::config::Limits;
use crate::session::plan::{Codec, Flow, Kind, Mid, SessionPlan};
use crate::session::sdp::{self, Answer, Offer, Policy, Role};
use crate::worker::Media;
use crate::worker::api::{Command, Event, OpenSession, RouterId, SessionId};
use dashmap::DashMap;
use rand::RngExt as _;
use signaling::ids::{ParticipantId, Source, TrackId};
use signaling::protocol::{RefusalCode, SessionState, Wish};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{interval, timeout};

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
/// How long the end of a session may take to be acknowledged.
const END_WITHIN: Duration = Duration::from_secs(1);
/// Reports that may wait; a worker that finds it full comes again later.
const REPORTS: usize = 256;

/// What an offer came for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// WHIP: it publishes.
    Publish,
    /// WHEP: it watches.
    Watch,
}

/// A session as its resource's URL names it: 128 random bits, so that it cannot be guessed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResourceId(String);

impl ResourceId {
    fn random() -> Self {
        Self(crate::config::Secret::random(&mut rand::rng()).expose().to_owned())
    }

    /// As in the URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
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
    /// Viewers of one broadcast.
    most_viewers: usize,
    max_sections: usize,
    encoder_bits_per_second: u32,
    live: Arc<DashMap<String, Arc<Live>>>,
    sessions: Arc<AtomicUsize>,
}

struct Live {
    media: Media,
    router: RouterId,
    state: Mutex<State>,
    sessions: Arc<AtomicUsize>,
}

struct State {
    publisher: Option<Resource>,
    /// What the publisher sends as picture: an encoder begins with the answer's first codec and stays with it.
    picture: Option<Codec>,
    viewers: HashMap<ResourceId, Resource>,
    /// The last number given to a viewer.
    last: u32,
    /// Since when nobody publishes.
    silent_since: Instant,
    /// No more offers are taken: the broadcast is being put away.
    over: bool,
}

struct Resource {
    id: ResourceId,
    session: SessionId,
    participant: ParticipantId,
    tag: String,
    /// Of the peer; another one in a PATCH would be an ICE restart.
    ufrag: String,
    state: SessionState,
    since: Instant,
}

impl Broadcasts {
    /// None live.
    #[must_use]
    pub fn new(media: Media, limits: &Limits) -> Self {
        Self {
            media,
            most_viewers: limits.viewers as usize,
            max_sections: usize::from(limits.sections).min(sdp::MAX_SECTIONS),
            encoder_bits_per_second: limits.encoder_bits_per_second,
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
            Way::Publish => self.live(broadcast).publish(&offer, &self.policy(Role::Whip)),
            Way::Watch => {
                let live = self.live.get(broadcast).map(|live| Arc::clone(&live)).ok_or(Rejected::NotPublishing)?;
                live.watch(&offer, &self.policy(Role::Whep), self.most_viewers)
            }
        }
    }

    /// The tag of a session's ICE session, and the peer's ufrag.
    #[must_use]
    pub fn ice_session(&self, broadcast: &str, way: Way, resource: &str) -> Option<(String, String)> {
        let live = self.live.get(broadcast)?;
        let state = live.state();
        state.find(way, resource).map(|resource| (resource.tag.clone(), resource.ufrag.clone()))
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
            live.end(&resource)
        };
        if timeout(END_WITHIN, done).await.is_err() {
            tracing::warn!("a worker did not acknowledge the end of a session within a second");
        }
        true
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

    /// Ends a broadcast with all its sessions.
    pub fn end(&self, broadcast: &str) {
        if let Some((_, live)) = self.live.remove(broadcast) {
            live.put_away();
        }
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
            let router = self.media.new_router();
            let (events, reports) = mpsc::channel(REPORTS);
            self.media.send(Command::OpenRouter { router, events });
            let live = Arc::new(Live {
                media: self.media.clone(),
                router,
                state: Mutex::new(State {
                    publisher: None,
                    picture: None,
                    viewers: HashMap::new(),
                    last: PUBLISHER.0,
                    silent_since: clock::now(),
                    over: false,
                }),
                sessions: Arc::clone(&self.sessions),
            });
            let (all, id) = (Arc::clone(&self.live), broadcast.to_owned());
            tokio::spawn(look_after(all, id, Arc::clone(&live), reports));
            live
        });
        Arc::clone(&entry)
    }
}

/// Follows the reports of a broadcast's sessions and puts away what is over.
async fn look_after(
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
    live.put_away();
}

impl Live {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing is done half-way under the lock that a panic could leave wrong.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, offer: &Offer, policy: &Policy) -> Result<Opened, Rejected> {
        let mut state = self.state();
        // An encoder that lost its network comes back before its old session is given up.
        let connected = |resource: &Resource| resource.state != SessionState::Disconnected;
        if state.over || state.publisher.as_ref().is_some_and(connected) {
            return Err(Rejected::AlreadyPublishing);
        }
        let (session, Answer { sdp, plan }) = self.answer(offer, policy)?;
        let sends = published(&plan);
        if sends.is_empty() {
            return Err(Rejected::Unusable("the offer sends nothing".to_owned()));
        }
        if let Some(old) = state.publisher.take() {
            drop(self.end(&old));
        }
        let resource = Resource::new(session, PUBLISHER, &plan);
        let opened = resource.opened(sdp);
        state.picture = picture(&plan);
        let open_gates = sends.iter().map(|(_, source)| *source).collect();
        self.open(session, PUBLISHER, plan, sends, open_gates);
        state.publisher = Some(resource);
        for viewer in state.viewers.values() {
            self.subscribe(viewer.session);
        }
        Ok(opened)
    }

    fn watch(&self, offer: &Offer, policy: &Policy, most: usize) -> Result<Opened, Rejected> {
        let mut state = self.state();
        if state.over || state.publisher.is_none() {
            return Err(Rejected::NotPublishing);
        }
        if state.viewers.len() >= most {
            return Err(Rejected::Full);
        }
        if self.media.is_overloaded(self.router) {
            return Err(Rejected::Busy);
        }
        let (session, Answer { sdp, plan }) = self.answer(offer, policy)?;
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
        self.open(session, participant, plan, Vec::new(), Vec::new());
        self.subscribe(session);
        state.viewers.insert(resource.id.clone(), resource);
        Ok(opened)
    }

    fn answer(&self, offer: &Offer, policy: &Policy) -> Result<(SessionId, Answer), Rejected> {
        let session = self.media.new_session(self.router);
        let local = local(&self.media, session);
        let answer = sdp::answer(offer, &local, policy, &mut rand::rng()).map_err(|error| {
            let refusal: Refusal = bad_offer(error);
            debug_assert_eq!(refusal.code, RefusalCode::BadOffer);
            Rejected::Unusable(refusal.detail.unwrap_or_default())
        })?;
        Ok((session, answer))
    }

    fn open(
        &self,
        session: SessionId,
        participant: ParticipantId,
        plan: SessionPlan,
        sends: Vec<(Mid, Source)>,
        open_gates: Vec<Source>,
    ) {
        self.sessions.fetch_add(1, Ordering::Relaxed);
        let router = self.router;
        self.media.send(Command::OpenSession(Box::new(OpenSession {
            session,
            router,
            participant,
            plan,
            sends,
            open_gates,
        })));
    }

    fn subscribe(&self, session: SessionId) {
        let track = TrackId { participant: PUBLISHER, source: Source::Camera };
        self.media.send(Command::Watch { session, wishes: vec![Wish { track, height: FULL_HEIGHT }] });
    }

    /// Ends a session that was taken out of the state.
    fn end(&self, resource: &Resource) -> oneshot::Receiver<()> {
        self.sessions.fetch_sub(1, Ordering::Relaxed);
        let (done, acknowledged) = oneshot::channel();
        self.media.send(Command::CloseSession { session: resource.session, done: Some(done) });
        acknowledged
    }

    /// A worker reported a session's state.
    fn changed(&self, session: SessionId, new: SessionState, now: Instant) {
        let mut state = self.state();
        if let Some(resource) = state.all().find(|resource| resource.session == session) {
            resource.state = new;
            resource.since = now;
        }
        if new == SessionState::Failed {
            self.drop_those(&mut state, now, |resource| resource.session == session);
        }
    }

    /// Gives up sessions that do not connect or come back; whether the whole broadcast is over.
    fn sweep(&self, now: Instant) -> bool {
        let mut state = self.state();
        let waited = |resource: &Resource| now.saturating_duration_since(resource.since) > PATIENCE;
        self.drop_those(&mut state, now, |resource| resource.state != SessionState::Connected && waited(resource));
        let keep = if state.viewers.is_empty() { KEEP_NOBODY } else { KEEP_VIEWERS };
        state.over |= state.publisher.is_none() && now.saturating_duration_since(state.silent_since) > keep;
        state.over
    }

    fn drop_those(&self, state: &mut State, now: Instant, which: impl Fn(&Resource) -> bool) {
        if let Some(publisher) = state.publisher.take_if(|publisher| which(publisher)) {
            drop(self.end(&publisher));
            state.silent_since = now;
        }
        state.viewers.retain(|_, viewer| {
            let stays = !which(viewer);
            if !stays {
                drop(self.end(viewer));
            }
            stays
        });
    }

    fn put_away(&self) {
        let mut state = self.state();
        state.over = true;
        self.drop_those(&mut state, clock::now(), |_| true);
        self.media.send(Command::CloseRouter { router: self.router });
    }
}

impl State {
    fn all(&mut self) -> impl Iterator<Item = &mut Resource> {
        self.publisher.iter_mut().chain(self.viewers.values_mut())
    }

    fn find(&self, way: Way, id: &str) -> Option<&Resource> {
        match way {
            Way::Publish => self.publisher.as_ref().filter(|publisher| publisher.id.0 == id),
            Way::Watch => self.viewers.get(&ResourceId(id.to_owned())),
        }
    }

    fn take(&mut self, way: Way, id: &str) -> Option<Resource> {
        match way {
            Way::Publish => self.publisher.take_if(|publisher| publisher.id.0 == id),
            Way::Watch => self.viewers.remove(&ResourceId(id.to_owned())),
        }
    }
}

impl Resource {
    fn new(session: SessionId, participant: ParticipantId, plan: &SessionPlan) -> Self {
        Self {
            id: ResourceId::random(),
            session,
            participant,
            tag: format!("\"{:016x}\"", rand::rng().random::<u64>()),
            ufrag: plan.remote.ufrag.clone(),
            state: SessionState::Connecting,
            since: clock::now(),
        }
    }

    fn opened(&self, sdp: String) -> Opened {
        tracing::debug!(participant = self.participant.0, "a broadcast's session opens");
        Opened { resource: self.id.clone(), tag: self.tag.clone(), sdp }
    }
}

/// The first sound is the voice, the first picture the camera; RFC 9725 §4.4.1 has at most one of each.
fn published(plan: &SessionPlan) -> Vec<(Mid, Source)> {
    let first =
        |kind| plan.sections.iter().find(|section| section.kind == kind && matches!(section.flow, Flow::Receive(_)));
    let sound = first(Kind::Audio).map(|section| (section.mid.clone(), Source::Microphone));
    let picture = first(Kind::Video).map(|section| (section.mid.clone(), Source::Camera));
    sound.into_iter().chain(picture).collect()
}

/// The picture that is published.
fn picture(plan: &SessionPlan) -> Option<Codec> {
    plan.sections.iter().filter(|section| section.kind == Kind::Video).find_map(|section| match &section.flow {
        Flow::Receive(receive) => receive.codecs.first().map(|codec| codec.codec),
        _ => None,
    })
}

/// Whether a viewer can show this picture; also one that wants only sound, and so no picture.
fn decodes(plan: &SessionPlan, picture: Codec) -> bool {
    let takes = |codec: Codec| match (codec, picture) {
        // Profiles differ among encoders; which of them are near enough is for the worker to say.
        (Codec::H264 { .. }, Codec::H264 { .. }) => true,
        (codec, picture) => codec == picture,
    };
    let mut pictures = plan.sections.iter().filter(|section| section.kind == Kind::Video).peekable();
    pictures.peek().is_none()
        || pictures.any(|section| match &section.flow {
            Flow::Send(send) => send.codecs.iter().any(|codec| takes(codec.codec)),
            _ => false,
        })
}
