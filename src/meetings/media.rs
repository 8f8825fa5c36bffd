//! The media sessions of one meeting: offers become sessions on a worker, gates and ends are passed
//! on with their acknowledgement, reports come back as messages. Knows no rules and no sockets.

use super::quality::{Board, Message};
use super::rate::{Bucket, Later, Rate};
use super::refusal::Refusal;
use crate::recordings::Handle;
use crate::session::plan::{Flow, Kind, Mid, SessionPlan};
use crate::session::sdp::{self, Answer, Local, Offer, Policy, Role};
use crate::worker::Media;
use crate::worker::api::{Event, SessionId};
use crate::worker::routers::{NewSession, Routers};
use signaling::ids::{Epoch, ParticipantId, Source};
use signaling::meeting::MediaRights;
use signaling::protocol::{MediaEvent, RefusalCode, SendLimit, SendSlot, SessionState, Wish};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// Reports that may wait for a meeting; a worker that finds it full comes again later.
const REPORTS: usize = 1024;

/// What somebody's browser says of its limits goes to everybody; ours says it every six seconds at most.
const LIMITS: Rate = Rate::new(4, Duration::from_secs(2));

/// Whom a report is for.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// One participant.
    One(ParticipantId, MediaEvent),
    /// Several, each something of his own.
    Each(Vec<(ParticipantId, MediaEvent)>),
    /// Everybody who is in.
    Everyone(MediaEvent),
}

/// The sessions of a meeting.
pub struct Sessions {
    media: Media,
    routers: Routers,
    policy: Policy,
    max_tracks: usize,
    live: HashMap<ParticipantId, Live>,
    board: Board,
    recorder: Option<Arc<Handle>>,
}

struct Live {
    session: SessionId,
    epoch: Epoch,
    /// `sess-id` of the `o=` line: the same for all offers of a peer connection (RFC 8829 §5.2.2).
    origin: u64,
    plan: SessionPlan,
    restarts: u16,
    /// How often its browser may say what limits it; from the first time on.
    limits: Option<Bucket>,
}

impl Live {
    /// Whether an offer belongs to the same peer connection: a page that was reloaded makes a new one.
    fn is_of(&self, offer: &Offer) -> bool {
        let of_sections = || offer.sections.iter().find_map(|section| section.fingerprint);
        self.origin == offer.session_id && offer.fingerprint.or_else(of_sections) == Some(self.plan.fingerprint)
    }
}

impl Sessions {
    /// Opens a router; reports come out of the receiver. Nobody may publish more than `max_tracks`.
    #[must_use]
    pub fn open(media: Media, policy: Policy, max_tracks: usize) -> (Self, mpsc::Receiver<Event>) {
        let (routers, reports) = Routers::open(media.clone(), REPORTS);
        let (live, board) = (HashMap::new(), Board::default());
        (Self { media, routers, policy, max_tracks, live, board, recorder: None }, reports)
    }

    /// Answers an offer of somebody who is in; what others are told of it beside.
    ///
    /// # Errors
    /// Where no session can come of it.
    pub fn offer(
        &mut self,
        participant: ParticipantId,
        rights: MediaRights,
        sdp: &str,
        sends: Vec<SendSlot>,
        rng: &mut impl rand::Rng,
    ) -> Result<(String, Option<Report>), Refusal> {
        let offer = Offer::parse(sdp).map_err(bad_offer)?;
        let known = self.live.get(&participant).filter(|live| live.epoch == rights.epoch);
        if known.is_some_and(|live| live.is_of(&offer)) {
            self.offer_again(participant, &offer).map(|sdp| (sdp, None))
        } else {
            self.offer_first(participant, rights, &offer, sends, rng)
        }
    }

    /// The session stays; perhaps both sides get new ICE credentials.
    fn offer_again(&mut self, participant: ParticipantId, offer: &Offer) -> Result<String, Refusal> {
        let Some(live) = self.live.get_mut(&participant) else {
            return Err(RefusalCode::Internal.into());
        };
        let restarts = live.restarts.saturating_add(u16::from(sdp::is_ice_restart(&live.plan, offer)));
        let local = local(&self.media, live.session, restarts);
        let Answer { sdp, plan } = sdp::reanswer(&live.plan, offer, &local, &self.policy).map_err(bad_offer)?;
        if plan.remote != live.plan.remote {
            self.routers.restart_ice(live.session, plan.local.clone(), plan.remote.clone());
        }
        (live.plan, live.restarts) = (plan, restarts);
        Ok(sdp)
    }

    /// A new session; one of an earlier connection ends.
    fn offer_first(
        &mut self,
        participant: ParticipantId,
        rights: MediaRights,
        offer: &Offer,
        sends: Vec<SendSlot>,
        rng: &mut impl rand::Rng,
    ) -> Result<(String, Option<Report>), Refusal> {
        if sends.len() > self.max_tracks {
            return Err(Refusal::from(RefusalCode::TooMany).detail("more tracks than one may publish"));
        }
        let session = self.routers.new_session();
        let local = local(&self.media, session, 0);
        let Answer { sdp, plan } = sdp::answer(offer, &local, &self.policy, rng).map_err(bad_offer)?;
        // A listener's too: his gates are closed until he becomes a speaker, without a new session.
        let sends = check_sends(&plan, sends)?;
        if let Some(old) = self.live.remove(&participant) {
            self.routers.close_session(old.session, false);
            self.end_recorded(old.session);
        }
        if let Some(recorder) = &self.recorder {
            recorder.add_session(session, participant);
        }
        let (plan_kept, open_gates) = (plan.clone(), rights.open_gates);
        self.routers.open_session(session, NewSession { participant, plan, sends, open_gates });
        let origin = offer.session_id;
        self.live.insert(
            participant,
            Live { session, epoch: rights.epoch, origin, plan: plan_kept, restarts: 0, limits: None },
        );
        let wanted = self.routers.record_session(session).into_iter().filter_map(wanted);
        Ok((sdp, each(self.board.enter(participant).into_iter().chain(wanted).collect())))
    }

    /// Passes on what somebody wants to see. Gives what he is told of those whom he sees now.
    ///
    /// # Errors
    /// When he has no session yet, or wants more than he has slots for.
    pub fn watch(&mut self, participant: ParticipantId, wishes: Vec<Wish>) -> Result<Option<Report>, Refusal> {
        let Some(live) = self.live.get(&participant) else {
            return Err(Refusal::from(RefusalCode::OutOfOrder).detail("offer first"));
        };
        let slots = live.plan.sections.iter().filter(|s| s.kind == Kind::Video && matches!(s.flow, Flow::Send(_)));
        // Twice the slots, so that a page may name what it would show next.
        if wishes.len() > 2 * slots.count() {
            return Err(Refusal::from(RefusalCode::TooMany).detail("more videos than slots"));
        }
        let watched = wishes.iter().map(|wish| wish.track.participant).collect();
        self.routers.watch(live.session, wishes);
        Ok(self.board.set_watched(participant, watched).map(|(who, media)| Report::One(who, media)))
    }

    /// What somebody's browser says keeps it from sending more.
    ///
    /// # Errors
    /// When he has no session yet, or says it more often than others should have to hear.
    pub fn tell_limit(
        &mut self,
        now: Instant,
        participant: ParticipantId,
        limit: Option<SendLimit>,
    ) -> Result<Option<Report>, Refusal> {
        let Some(live) = self.live.get_mut(&participant) else {
            return Err(Refusal::from(RefusalCode::OutOfOrder).detail("offer first"));
        };
        let limits = live.limits.get_or_insert_with(|| Bucket::new(LIMITS, now));
        limits.take(now).map_err(|Later(seconds)| Refusal::from(RefusalCode::TooMany).retry_after(seconds))?;
        Ok(each(self.board.set_limit(participant, limit)))
    }

    /// Opens or closes a gate. Closing is acknowledged, by each worker that has anything of the meeting.
    pub fn set_gate(
        &mut self,
        participant: ParticipantId,
        epoch: Epoch,
        source: Source,
        open: bool,
    ) -> Vec<oneshot::Receiver<()>> {
        let live = self.live.get(&participant).filter(|live| live.epoch == epoch);
        live.map_or_else(Vec::new, |live| self.routers.set_gate(live.session, source, open, !open))
    }

    /// Ends the session of an admission; acknowledged, by each worker. A session of a later admission stays.
    pub fn end(&mut self, participant: ParticipantId, epoch: Epoch) -> Vec<oneshot::Receiver<()>> {
        if self.live.get(&participant).is_some_and(|live| live.epoch > epoch) {
            return Vec::new();
        }
        // Also where the session itself failed before and is forgotten.
        self.board.leave(participant);
        let live = self.live.remove(&participant);
        let Some(live) = live else { return Vec::new() };
        let mut acknowledgements = self.routers.close_session(live.session, true);
        acknowledgements.extend(self.end_recorded(live.session));
        acknowledgements
    }

    /// From now on all that passes is recorded, too; what publishers are told of that.
    pub fn record(&mut self, recorder: Arc<Handle>) -> Option<Report> {
        for (participant, live) in &self.live {
            recorder.add_session(live.session, *participant);
        }
        let wanted_of = self.routers.record(recorder.number(), recorder.ring(), recorder.height());
        self.recorder = Some(recorder);
        each(wanted_of.into_iter().filter_map(wanted).collect())
    }

    /// Nothing goes to the recorder any more.
    pub fn end_record(&mut self) -> Option<Report> {
        self.recorder = None;
        each(self.routers.end_record().into_iter().filter_map(wanted).collect())
    }

    fn end_recorded(&self, session: SessionId) -> Option<oneshot::Receiver<()>> {
        self.recorder.as_ref().map(|recorder| recorder.end_session(session))
    }

    /// What a worker's report says to people; nothing where it is about a session that is over.
    #[must_use]
    pub fn report(&mut self, event: Event) -> Option<Report> {
        let event = self.routers.merge(event)?;
        if let Event::Quality { participant, conditions } = event {
            return each(self.board.set_conditions(participant, conditions));
        }
        let current = |participant: &ParticipantId, session: &SessionId| {
            self.live.get(participant).is_some_and(|live| live.session == *session)
        };
        Some(match event {
            Event::Session { session, participant, state } if current(&participant, &session) => {
                let lost = matches!(state, SessionState::Disconnected | SessionState::Failed);
                let mut all = self.board.set_lost(participant, lost);
                all.push((participant, MediaEvent::Session { state }));
                Report::Each(all)
            }
            Event::Slots { session, participant, slots } if current(&participant, &session) => {
                Report::One(participant, MediaEvent::Slots { slots })
            }
            Event::Speakers { participants, .. } => Report::Everyone(MediaEvent::Speakers { participants }),
            Event::Wanted { .. } => {
                let (participant, media) = wanted(event)?;
                Report::One(participant, media)
            }
            Event::Session { .. } | Event::Slots { .. } | Event::Quality { .. } | Event::Flowing { .. } => return None,
        })
    }

    /// Whether nothing was made in it yet.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.live.is_empty() && self.recorder.is_none()
    }

    /// Everybody with a session: they are inside.
    pub fn participants(&self) -> impl Iterator<Item = ParticipantId> + '_ {
        self.live.keys().copied()
    }

    /// The session that a report says has failed.
    #[must_use]
    pub fn failed(event: &Event) -> Option<SessionId> {
        match event {
            Event::Session { session, state: SessionState::Failed, .. } => Some(*session),
            _ => None,
        }
    }

    /// Forgets a session that has failed. Its end needs no acknowledgement.
    pub fn forget(&mut self, session: SessionId) {
        self.live.retain(|_, live| live.session != session);
        self.routers.close_session(session, false);
        self.end_recorded(session);
    }
}

/// Whom a report of what is wanted is for.
fn wanted(event: Event) -> Option<Message> {
    let Event::Wanted { track, height, .. } = event else { return None };
    Some((track.participant, MediaEvent::Wanted { source: track.source, height }))
}

fn each(messages: Vec<Message>) -> Option<Report> {
    (!messages.is_empty()).then_some(Report::Each(messages))
}

/// Our side of an answer.
pub(super) fn local(media: &Media, session: SessionId, restarts: u16) -> Local {
    Local {
        credentials: media.credentials(session),
        fingerprint: media.fingerprint(),
        candidates: media.candidates(),
        tcp_candidates: media.tcp_candidates(),
        cname: "symposia".to_owned(),
        restarts,
    }
}

pub(super) fn bad_offer(error: sdp::SdpError) -> Refusal {
    Refusal::from(RefusalCode::BadOffer).detail(error.to_string())
}

/// The policy for participants of meetings.
#[must_use]
pub fn meeting_policy(max_sections: usize) -> Policy {
    Policy {
        role: Role::Meeting,
        video_preference: vec![sdp::CodecKind::Vp8, sdp::CodecKind::H264, sdp::CodecKind::Vp9, sdp::CodecKind::Av1],
        max_video_bits_per_second: None,
        max_sections: max_sections.min(sdp::MAX_SECTIONS),
    }
}

/// Each named section must be one in which the client sends, of the source's kind, and named once.
fn check_sends(plan: &SessionPlan, sends: Vec<SendSlot>) -> Result<Vec<(Mid, Source)>, Refusal> {
    let wrong = |what: &str| Refusal::from(RefusalCode::BadOffer).detail(what);
    let (mut mids, mut sources) = (HashSet::new(), HashSet::new());
    let mut checked = Vec::new();
    for SendSlot { mid, source } in sends {
        let mid = Mid(mid);
        let Some(section) = plan.sections.iter().find(|section| section.mid == mid) else {
            return Err(wrong("sends names a section that is not in the offer"));
        };
        if !mids.insert(mid.clone()) || !sources.insert(source) {
            return Err(wrong("sends names something twice"));
        }
        if (section.kind == Kind::Audio) != source.is_audio() {
            return Err(wrong("sends names a section of the wrong kind"));
        }
        match section.flow {
            Flow::Receive(_) => checked.push((mid, source)),
            // Refused or paused in the offer: nothing will come.
            Flow::Idle => {}
            Flow::Send(_) => return Err(wrong("sends names a section that only receives")),
        }
    }
    Ok(checked)
}
