//! Puts an answer together: bounds, transport, fresh SSRCs, the plan. Knows no syntax.

use super::error::SdpError;
use super::negotiate::{self, Agreed, AgreedExtension, ExtensionName, Outcome, Policy, Role};
use super::offer::{MediaSection, Offer, Setup};
use super::write;
use crate::session::plan::{
    DtlsRole, ExtensionIds, Fingerprint, Flow, IceCredentials, ReceivePlan, Section, SendPlan, SessionPlan, Ssrc,
};
use std::collections::HashSet;
use std::net::SocketAddr;

/// What is ours in an answer.
#[derive(Debug, Clone)]
pub struct Local {
    /// Fresh ones. [`reanswer`] uses them only where the peer restarts ICE.
    pub credentials: IceCredentials,
    /// Of our certificate.
    pub fingerprint: Fingerprint,
    /// UDP host candidates, most wanted first: ffmpeg's WHIP muxer tries the first and no other, so
    /// that one should be an IPv4 address which every client reaches.
    pub candidates: Vec<SocketAddr>,
    /// Passive TCP host candidates (RFC 6544), most wanted first; may be empty.
    pub tcp_candidates: Vec<SocketAddr>,
    /// RTCP's name for us (RFC 7022): letters, digits and the like, no spaces.
    pub cname: String,
    /// How often ICE was restarted before.
    pub restarts: u16,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The text for the client.
    pub sdp: String,
    /// What it says, for the worker. Sections other than sound and picture (data channels), all
    /// rejected, are not in it.
    pub plan: SessionPlan,
}

/// Answers the first offer of a session.
///
/// Every section in which we send gets an SSRC of its own (and one for RTX where agreed) and an msid
/// of its own, `slot-<mid>`, so that a browser makes a stream for each.
///
/// # Errors
/// Where no session can come of the offer.
pub fn answer(offer: &Offer, local: &Local, policy: &Policy, rng: &mut impl rand::Rng) -> Result<Answer, SdpError> {
    let agreed = check(offer, policy)?;
    let transport = Transport::of(offer, &agreed)?;
    let mut taken: HashSet<Ssrc> = HashSet::new();
    let announced: Vec<_> = agreed
        .iter()
        .map(|section| match section.outcome {
            Outcome::Receive => negotiate::announced(section.media, &mut taken),
            _ => Vec::new(),
        })
        .collect();
    let flows: Vec<_> = agreed
        .iter()
        .zip(announced)
        .map(|(section, announced)| {
            let codecs = || section.codecs.iter().map(|codec| codec.plan.clone()).collect::<Vec<_>>();
            match section.outcome {
                Outcome::Rejected | Outcome::Inactive => Flow::Idle,
                Outcome::Receive => {
                    Flow::Receive(ReceivePlan { codecs: codecs(), announced, rids: section.rids.clone() })
                }
                Outcome::Send => {
                    let codecs = codecs();
                    let ssrc = fresh_ssrc(&mut taken, rng);
                    let has_rtx = codecs.iter().any(|codec| codec.rtx.is_some());
                    let rtx = has_rtx.then(|| fresh_ssrc(&mut taken, rng));
                    let described = |one: &&AgreedExtension| one.name == ExtensionName::DependencyDescriptor;
                    // Those of key frames need the two-byte form.
                    let mixed = offer.extmap_allow_mixed || section.media.extmap_allow_mixed;
                    let found = section.extensions.iter().find(described).filter(|_| mixed);
                    let dependency_descriptor = found.map(|one| one.id);
                    Flow::Send(SendPlan { codecs, ssrc, rtx, dependency_descriptor })
                }
            }
        })
        .collect();
    let dtls = match transport.setup {
        Setup::Passive => DtlsRole::Active,
        // RFC 5763 §5 recommends it, and people are in sooner: our hello leaves with the answer to the first check,
        // and browsers ask for no cookie. RFC 9725 §4.4 wants the opposite of WHIP.
        Setup::ActPass if policy.role == Role::Meeting => DtlsRole::Active,
        Setup::ActPass | Setup::Active => DtlsRole::Passive,
    };
    let sdp = write::answer(offer, local, &local.credentials, dtls, policy, &agreed, &flows);
    let extensions = extension_ids(&agreed);
    let sections = agreed
        .iter()
        .zip(flows)
        .filter_map(|(section, flow)| Some(Section { mid: section.media.mid.clone(), kind: section.kind?, flow }))
        .collect();
    let plan = SessionPlan {
        local: local.credentials.clone(),
        remote: transport.credentials,
        fingerprint: transport.fingerprint,
        dtls,
        extensions,
        sections,
    };
    Ok(Answer { sdp, plan })
}

/// Whether an offer of a session in being asks for new ICE credentials (RFC 8839 §4.4.1.1.1).
#[must_use]
pub fn is_ice_restart(previous: &SessionPlan, offer: &Offer) -> bool {
    let transport = offer.sections.iter().find(|section| section.enabled).and_then(|tag| credentials(offer, tag));
    transport.is_some_and(|credentials| credentials != previous.remote)
}

/// Answers a later offer of a session. Sections are known by their mid and keep their SSRCs and payload
/// types. The plan that comes back is the previous one but for both sides' ICE credentials, which change
/// only where the peer restarts ICE.
///
/// A later offer cannot add to a session: sections it did not have are refused (port 0), sections that
/// were idle stay idle, and one whose direction no longer fits is answered `inactive`, until an offer
/// makes it fit again.
///
/// # Errors
/// Where the offer contradicts the session.
pub fn reanswer(previous: &SessionPlan, offer: &Offer, local: &Local, policy: &Policy) -> Result<Answer, SdpError> {
    let mut agreed = check(offer, policy)?;
    for section in &previous.sections {
        if section.flow != Flow::Idle && agreed.iter().all(|offered| offered.media.mid != section.mid) {
            return Err(SdpError::SectionMissing(section.mid.clone()));
        }
    }
    let flows: Vec<_> = agreed.iter_mut().map(|section| keep_to(previous, section)).collect();
    let transport = Transport::of(offer, &agreed)?;
    if transport.fingerprint != previous.fingerprint {
        return Err(SdpError::FingerprintChanged);
    }
    match (transport.setup, previous.dtls) {
        (Setup::Active, DtlsRole::Active) | (Setup::Passive, DtlsRole::Passive) => return Err(SdpError::SetupChanged),
        _ => {}
    }
    let mut plan = previous.clone();
    if transport.credentials != previous.remote {
        plan.local = local.credentials.clone();
        plan.remote = transport.credentials;
    }
    let sdp = write::answer(offer, local, &plan.local, plan.dtls, policy, &agreed, &flows);
    Ok(Answer { sdp, plan })
}

/// Narrows what was agreed on now to what the session has, and says what the section carries.
fn keep_to(previous: &SessionPlan, agreed: &mut Agreed<'_>) -> Flow {
    let before = previous.sections.iter().find(|p| p.mid == agreed.media.mid && Some(p.kind) == agreed.kind);
    let Some(before) = before else {
        agreed.outcome = Outcome::Rejected;
        return Flow::Idle;
    };
    if agreed.outcome == Outcome::Rejected {
        return Flow::Idle;
    }
    let known = match (&before.flow, agreed.outcome) {
        (Flow::Receive(plan), Outcome::Receive) => &plan.codecs,
        (Flow::Send(plan), Outcome::Send) => &plan.codecs,
        _ => {
            agreed.outcome = Outcome::Inactive;
            agreed.rids.clear();
            return Flow::Idle;
        }
    };
    agreed.codecs.retain(|codec| known.contains(&codec.plan));
    agreed.extensions.retain(|extension| {
        let mut ids = previous.extensions;
        *extension.name.slot(&mut ids) == Some(extension.id)
    });
    if let Flow::Receive(plan) = &before.flow {
        agreed.rids.retain(|rid| plan.rids.contains(rid));
    }
    if agreed.codecs.is_empty() {
        agreed.outcome = Outcome::Rejected;
        return Flow::Idle;
    }
    before.flow.clone()
}

fn check<'a>(offer: &'a Offer, policy: &Policy) -> Result<Vec<Agreed<'a>>, SdpError> {
    if offer.sections.len() > policy.max_sections {
        return Err(SdpError::TooManySections { limit: policy.max_sections });
    }
    if offer.ice_lite {
        return Err(SdpError::BothIceLite);
    }
    let agreed = negotiate::negotiate(offer, policy);
    match agreed.iter().find(|section| section.outcome != Outcome::Rejected && !section.media.rtcp_mux) {
        Some(section) => Err(SdpError::NoRtcpMux(section.media.mid.clone())),
        None => Ok(agreed),
    }
}

/// The transport of a BUNDLE group is its first accepted section's; what that lacks stands at session
/// level or, with careless clients, in another section.
struct Transport {
    credentials: IceCredentials,
    fingerprint: Fingerprint,
    setup: Setup,
}

impl Transport {
    fn of(offer: &Offer, agreed: &[Agreed<'_>]) -> Result<Self, SdpError> {
        let accepted = agreed.iter().find(|section| section.outcome != Outcome::Rejected);
        let tag = accepted.ok_or(SdpError::NothingAccepted)?.media;
        let fingerprint = tag.fingerprint.or(offer.fingerprint);
        let fingerprint = fingerprint.or_else(|| offer.sections.iter().find_map(|section| section.fingerprint));
        let setup = tag.setup.or(offer.setup).or_else(|| offer.sections.iter().find_map(|section| section.setup));
        Ok(Self {
            credentials: credentials(offer, tag).ok_or(SdpError::MissingIce)?,
            fingerprint: fingerprint.ok_or(SdpError::MissingFingerprint)?,
            // RFC 4145 §4: an offer without a=setup is active.
            setup: setup.unwrap_or(Setup::Active),
        })
    }
}

fn credentials(offer: &Offer, tag: &MediaSection) -> Option<IceCredentials> {
    let elsewhere = || offer.sections.iter().find_map(|section| section.credentials.as_ref());
    tag.credentials.as_ref().or(offer.credentials.as_ref()).or_else(elsewhere).cloned()
}

fn extension_ids(agreed: &[Agreed<'_>]) -> ExtensionIds {
    let mut ids = ExtensionIds::default();
    for extension in agreed.iter().flat_map(|section| &section.extensions) {
        *extension.name.slot(&mut ids) = Some(extension.id);
    }
    ids
}

pub(super) fn fresh_ssrc(taken: &mut HashSet<Ssrc>, rng: &mut impl rand::Rng) -> Ssrc {
    // A generator that repeats itself must not hang us: count on from what it gave.
    let mut ssrc = Ssrc(rng.next_u32());
    while ssrc.0 == 0 || !taken.insert(ssrc) {
        ssrc = Ssrc(ssrc.0.wrapping_add(1));
    }
    ssrc
}
