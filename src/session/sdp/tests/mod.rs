//! Tests of offer and answer on recorded offers and on small ones written for a quirk.

mod answers;
mod bots;
mod quirks;
mod reading;

use super::*;
use crate::session::plan::{Fingerprint, Flow, IceCredentials, Kind, ReceivePlan, Section, SendPlan, SessionPlan};
use rand::SeedableRng;
use rand::rngs::StdRng;

macro_rules! fixtures {
    ($($name:ident = $file:literal as $role:ident),+ $(,)?) => {
        $(pub(super) const $name: &str = include_str!(concat!("../../../../tests/fixtures/sdp/", $file, ".sdp"));)+
        /// Every recorded offer with what its client comes for.
        pub(super) const ALL: &[(&str, &str, Role)] = &[$(($file, $name, Role::$role)),+];
    };
}

fixtures! {
    AIORTC_WHEP = "aiortc-whep" as Whep,
    AIORTC_WHIP = "aiortc-whip" as Whip,
    CHROMIUM_APP = "chromium-app" as Meeting,
    CHROMIUM_APP_49 = "chromium-app-49" as Meeting,
    CHROMIUM_APP_BEFORE = "chromium-app-restart-before" as Meeting,
    CHROMIUM_APP_RESTART = "chromium-app-restart" as Meeting,
    CHROMIUM_WHEP = "chromium-whep" as Whep,
    CHROMIUM_WHEP_DATA = "chromium-whep-data-channel" as Whep,
    CHROMIUM_WHIP = "chromium-whip" as Whip,
    CHROMIUM_WHIP_H264 = "chromium-whip-h264" as Whip,
    CHROMIUM_WHIP_SENDRECV = "chromium-whip-sendrecv" as Whip,
    CHROMIUM_WHIP_SIMULCAST = "chromium-whip-simulcast" as Whip,
    CHROMIUM_WHIP_VP8_ONLY = "chromium-whip-vp8-only" as Whip,
    FFMPEG_WHIP = "ffmpeg9-whip" as Whip,
    FFMPEG_WHIP_VIDEO = "ffmpeg9-whip-video-only" as Whip,
    FIREFOX_APP = "firefox-app" as Meeting,
    FIREFOX_APP_49 = "firefox-app-49" as Meeting,
    FIREFOX_APP_BEFORE = "firefox-app-restart-before" as Meeting,
    FIREFOX_APP_RESTART = "firefox-app-restart" as Meeting,
    FIREFOX_WHEP = "firefox-whep" as Whep,
    FIREFOX_WHEP_DATA = "firefox-whep-data-channel" as Whep,
    FIREFOX_WHIP = "firefox-whip" as Whip,
    FIREFOX_WHIP_H264 = "firefox-whip-h264" as Whip,
    FIREFOX_WHIP_SENDRECV = "firefox-whip-sendrecv" as Whip,
    FIREFOX_WHIP_SIMULCAST = "firefox-whip-simulcast" as Whip,
    FIREFOX_WHIP_VP8_ONLY = "firefox-whip-vp8-only" as Whip,
    GSTREAMER_WHIP = "gstreamer-whip-hand-made" as Whip,
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(7)
}

fn credentials(ufrag: &str) -> IceCredentials {
    IceCredentials { ufrag: ufrag.into(), password: "0123456789abcdefghijklmn".into() }
}

fn local() -> Local {
    Local {
        credentials: credentials("00ours"),
        fingerprint: Fingerprint([0xa5; 32]),
        candidates: vec![([192, 0, 2, 9], 8080).into(), ([0xfd00, 0, 0, 0, 0, 0, 0, 9], 8080).into()],
        tcp_candidates: vec![([192, 0, 2, 9], 8080).into()],
        cname: "symposia".into(),
        restarts: 0,
    }
}

fn policy(role: Role) -> Policy {
    Policy { role, video_preference: vec![CodecKind::Vp8], max_video_bits_per_second: None, max_sections: 64 }
}

fn answered(offer: &str, role: Role) -> Answer {
    answer(&Offer::parse(offer).unwrap(), &local(), &policy(role), &mut rng()).unwrap()
}

fn refused(offer: &str, role: Role) -> SdpError {
    Offer::parse(offer).and_then(|offer| answer(&offer, &local(), &policy(role), &mut rng())).unwrap_err()
}

fn received<'a>(plan: &'a SessionPlan, mid: &str) -> &'a ReceivePlan {
    match &section(plan, mid).flow {
        Flow::Receive(receive) => receive,
        other => panic!("section {mid} is {other:?}"),
    }
}

fn sent<'a>(plan: &'a SessionPlan, mid: &str) -> &'a SendPlan {
    match &section(plan, mid).flow {
        Flow::Send(send) => send,
        other => panic!("section {mid} is {other:?}"),
    }
}

fn section<'a>(plan: &'a SessionPlan, mid: &str) -> &'a Section {
    plan.sections.iter().find(|section| section.mid.0 == mid).unwrap()
}

/// The lines of one section of a description.
fn lines_of<'a>(sdp: &'a str, mid: &str) -> Vec<&'a str> {
    let mid = format!("a=mid:{mid}");
    let sections = sdp.split("\r\nm=").skip(1);
    sections.map(|text| text.lines().collect::<Vec<_>>()).find(|lines| lines.contains(&mid.as_str())).unwrap()
}

/// An offer of one video section that sends VP8, to which tests add lines.
fn small_offer(lines: &[&str]) -> String {
    let mut text = "v=0\r\no=- 5 6 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE v\r\n\
        a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n\
        a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1a:1b:1c:1d:1e:1f\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=mid:v\r\na=sendonly\r\na=rtcp-mux\r\n\
        a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n"
        .to_owned();
    for line in lines {
        text.push_str(line);
        text.push_str("\r\n");
    }
    text
}

/// Sections of a kind in which we send.
fn slots(plan: &SessionPlan, kind: Kind) -> usize {
    plan.sections.iter().filter(|section| section.kind == kind && matches!(section.flow, Flow::Send(_))).count()
}
