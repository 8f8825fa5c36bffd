//! Offers, gates and the end of media, as the worker and people see them.

use crate::person::Person;
use crate::support::{Server, fixture};
use crate::worker::Seen;
use serde_json::json;
use signaling::ids::{Source, TrackId};
use signaling::protocol::{
    Cause, Command, Condition, Connection, Event, Link, MediaEvent, OutReason, Outcome, Quality, RefusalCode,
    SendLimit, SendSlot, ServerMessage, SessionState, Wish,
};
use std::time::{Duration, Instant};
use symposia::clock;
use symposia::session::quality::Conditions;
use symposia::worker::api::Event as WorkerEvent;

/// As the web app names what the first sections of its offer carry.
fn sends() -> Vec<SendSlot> {
    [("0", Source::Microphone), ("1", Source::Camera), ("2", Source::Screen), ("3", Source::ScreenAudio)]
        .map(|(mid, source)| SendSlot { mid: mid.to_owned(), source })
        .to_vec()
}

fn offer() -> Command {
    Command::Offer { sdp: fixture("chromium-app"), sends: sends() }
}

/// The two of a meeting without a waiting room.
async fn host_and_guest() -> (Server, Person, Person) {
    let server = Server::start().await;
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    let host = Person::host(&server, &meeting).await;
    let (guest, _) = Person::by_link(&server, &meeting, "Gus").await;
    (server, host, guest)
}

async fn open(person: &mut Person) -> String {
    match person.ask(offer()).await {
        Ok(Outcome::Answer { sdp }) => sdp,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_offer_opens_a_session_with_the_gates_of_what_is_on() {
    let server = Server::start().await;
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    let (mut guest, _) = Person::by_link(&server, &meeting, "Gus").await;
    guest.ask(Command::SetSource { source: Source::Microphone, on: true }).await.expect("he may");
    let answer = open(&mut guest).await;
    assert!(answer.starts_with("v=0\r\n") && answer.contains("a=ice-lite"));
    let you = guest.you;
    let (session, sends, gates) = server
        .worker
        .wait(|seen| match seen {
            Seen::OpenSession { session, participant, sends, gates, .. } if *participant == you => {
                Some((*session, sends.clone(), gates.clone()))
            }
            _ => None,
        })
        .await;
    assert_eq!(gates, [Source::Microphone]);
    assert_eq!(sends[1], ("1".to_owned(), Source::Camera));
    guest.ask(Command::SetSource { source: Source::Camera, on: true }).await.expect("he may");
    server.worker.wait(|seen| (*seen == Seen::SetGate(session, Source::Camera, true)).then_some(())).await;
    let wish = Wish { track: TrackId { participant: you, source: Source::Camera }, height: 360 };
    assert_eq!(guest.ask(Command::Watch { videos: vec![wish] }).await, Ok(Outcome::Done));
    server.worker.wait(|seen| (*seen == Seen::Watch(session, vec![wish])).then_some(())).await;
    let many = vec![wish; 500];
    assert_eq!(guest.ask(Command::Watch { videos: many }).await, Err(RefusalCode::TooMany));
    let candidate = Command::Candidate { candidate: String::new() };
    assert_eq!(guest.ask(candidate).await, Ok(Outcome::Done));
}

#[tokio::test]
async fn new_credentials_restart_ice_and_a_new_connection_replaces_the_session() {
    let server = Server::start().await;
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    let (mut guest, _) = Person::by_link(&server, &meeting, "Gus").await;
    let first = open(&mut guest).await;
    let session = server.worker.session_of(guest.you).await;
    let ssrc = |sdp: &str| sdp.lines().find(|line| line.starts_with("a=ssrc:")).map(str::to_owned);

    let restarted = fixture("chromium-app").replace("a=ice-ufrag:BdSW", "a=ice-ufrag:NeWu");
    let answer = guest.ask(Command::Offer { sdp: restarted, sends: sends() }).await.expect("an answer");
    let Outcome::Answer { sdp } = answer else { panic!("{answer:?}") };
    assert_eq!(ssrc(&sdp), ssrc(&first), "the streams stay");
    let ours = server.worker.wait(|seen| match seen {
        Seen::RestartIce { session: of, local, remote } if *of == session && remote == "NeWu" => Some(local.clone()),
        _ => None,
    });
    assert!(sdp.contains(&format!("a=ice-ufrag:{}", ours.await)));

    let reloaded = fixture("chromium-app").replace("o=- 8495074248996202042", "o=- 1234567890123456789");
    guest.ask(Command::Offer { sdp: reloaded, sends: sends() }).await.expect("an answer");
    server.worker.wait(|seen| (*seen == Seen::CloseSession(session)).then_some(())).await;
    server.worker.session_after(guest.you, Some(session)).await;
}

// acceptance: M3
#[tokio::test]
async fn who_waits_gets_no_session_and_wrong_offers_say_why() {
    let server = Server::start().await;
    let meeting = server.meeting(json!({})).await;
    let (mut waiting, _) = Person::by_link(&server, &meeting, "Gus").await;
    assert_eq!(waiting.ask(offer()).await, Err(RefusalCode::NotAdmitted));
    assert_eq!(waiting.ask(Command::Watch { videos: Vec::new() }).await, Err(RefusalCode::NotAdmitted));
    assert_eq!(server.worker.all(), [], "the worker heard nothing of it");

    let mut host = Person::host(&server, &meeting).await;
    let of = |sdp: &str, mid: &str, source| {
        let sends = vec![SendSlot { mid: mid.to_owned(), source }];
        Command::Offer { sdp: sdp.to_owned(), sends }
    };
    let sdp = fixture("chromium-app");
    for wrong in [
        of("", "0", Source::Microphone),
        of("v=0\r\nthis is no SDP", "0", Source::Microphone),
        of(&sdp, "99", Source::Microphone),
        of(&sdp, "0", Source::Camera),
        of(&sdp, "4", Source::Camera),
    ] {
        assert_eq!(host.ask(wrong).await, Err(RefusalCode::BadOffer));
    }
    for _ in 0..40 {
        if host.ask(of("", "0", Source::Microphone)).await == Err(RefusalCode::TooMany) {
            return;
        }
    }
    panic!("renegotiations are not limited");
}

// acceptance: M4
#[tokio::test]
async fn a_mute_is_acknowledged_by_the_worker_before_anybody_hears_of_it() {
    let (server, mut host, mut guest) = host_and_guest().await;
    guest.ask(Command::SetSource { source: Source::Microphone, on: true }).await.expect("he may");
    open(&mut guest).await;
    let session = server.worker.session_of(guest.you).await;
    host.ask(Command::Mute { participant: guest.you, source: Source::Microphone }).await.expect("a host mutes");
    assert!(server.worker.all().contains(&Seen::SetGate(session, Source::Microphone, false)));
    guest.event(|event| matches!(event, Event::Muted { source: Source::Microphone, .. }).then_some(())).await;
}

// acceptance: M5
#[tokio::test]
async fn a_removal_waits_for_the_worker_but_not_longer_than_a_second() {
    let server = Server::start().await;
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    let mut host = Person::host(&server, &meeting).await;
    let (mut guest, _) = Person::by_link(&server, &meeting, "Gus").await;
    let (mut other, _) = Person::by_link(&server, &meeting, "Olga").await;
    open(&mut guest).await;
    let session = server.worker.session_of(guest.you).await;
    server.worker.hang();
    let start: Instant = clock::now();
    host.ask(Command::Remove { participant: guest.you, ban: false }).await.expect("a host removes");
    let took = clock::now() - start;
    assert!(took >= Duration::from_millis(900), "it did not wait for the worker: {took:?}");
    assert!(server.worker.all().contains(&Seen::CloseSession(session)));
    let (messages, closed) = guest.rest().await;
    assert!(messages.iter().any(|message| matches!(
        message,
        ServerMessage::Event { event: Event::Out { reason: OutReason::Removed }, .. }
    )));
    assert_eq!(closed, Some(4000));
    other.event(|event| matches!(event, Event::Left { participant } if *participant == guest.you).then_some(())).await;
}

// acceptance: M3
#[tokio::test]
async fn who_is_sent_back_to_the_waiting_room_gets_nothing_more_of_media() {
    let (server, mut host, mut guest) = host_and_guest().await;
    open(&mut host).await;
    open(&mut guest).await;
    let session = server.worker.session_of(guest.you).await;
    let unsteady = Condition { quality: Quality::Fair, cause: Some(Cause::Loss { link: Link::Uplink, percent: 12 }) };
    let conditions = Conditions { uplink: unsteady, ..Conditions::default() };
    let quality = |participant| WorkerEvent::Quality { participant, conditions };
    server.worker.report(quality(host.you)).await;
    guest.media(|media| matches!(media, MediaEvent::Quality { .. })).await;

    host.ask(Command::SendToWaitingRoom { participant: guest.you }).await.expect("a host may");
    assert!(server.worker.all().contains(&Seen::CloseSession(session)), "before the host heard that it is done");
    guest.event(|event| matches!(event, Event::Waiting { .. }).then_some(())).await;
    let router = server.worker.router();
    let speakers = WorkerEvent::Speakers { router, participants: vec![host.you] };
    server.worker.report(speakers).await;
    let slots = WorkerEvent::Slots { session, participant: guest.you, slots: Vec::new() };
    server.worker.report(slots).await;
    host.media(|media| matches!(media, MediaEvent::Speakers { .. })).await;
    assert_eq!(guest.within(Duration::from_millis(200)).await, []);
    assert_eq!(guest.ask(offer()).await, Err(RefusalCode::NotAdmitted));

    host.ask(Command::Admit { participant: guest.you }).await.expect("a host admits");
    guest.event(|event| matches!(event, Event::Welcome { .. }).then_some(())).await;
    open(&mut guest).await;
    // The second admission has a session of its own.
    server.worker.session_after(guest.you, Some(session)).await;
}

// acceptance: M3
#[tokio::test]
async fn who_waits_hears_of_nobody_s_connection_also_where_his_own_session_had_failed() {
    let (server, mut host, mut guest) = host_and_guest().await;
    open(&mut host).await;
    open(&mut guest).await;
    let session = server.worker.session_of(guest.you).await;
    let failed = WorkerEvent::Session { session, participant: guest.you, state: SessionState::Failed };
    server.worker.report(failed).await;
    host.media(|media| matches!(media, MediaEvent::Quality { .. })).await;
    host.ask(Command::SendToWaitingRoom { participant: guest.you }).await.expect("a host may");
    guest.event(|event| matches!(event, Event::Waiting { .. }).then_some(())).await;
    let unsteady = Condition { quality: Quality::Fair, cause: Some(Cause::Loss { link: Link::Uplink, percent: 12 }) };
    let conditions = Conditions { uplink: unsteady, ..Conditions::default() };
    server.worker.report(WorkerEvent::Quality { participant: host.you, conditions }).await;
    let expected = vec![Connection { participant: host.you, condition: unsteady }];
    host.media(|media| *media == MediaEvent::Quality { connections: expected.clone(), downlink_kbps: None }).await;
    assert_eq!(guest.within(Duration::from_millis(200)).await, []);
}

#[tokio::test]
async fn what_limits_a_browser_is_said_to_others_only_so_often() {
    let server = Server::start().await;
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    let mut host = Person::host(&server, &meeting).await;
    open(&mut host).await;
    for kbps in 1..=10 {
        let limit = Some(SendLimit::Bandwidth { kbps: kbps * 100 });
        if host.ask(Command::TellLimit { limit }).await == Err(RefusalCode::TooMany) {
            assert!(kbps > 3, "a change of mind is allowed");
            return;
        }
    }
    panic!("as often as one likes");
}

#[tokio::test]
async fn others_are_told_why_somebody_s_connection_is_not_good() {
    let (server, mut host, mut guest) = host_and_guest().await;
    open(&mut host).await;
    open(&mut guest).await;
    let limit = SendLimit::Bandwidth { kbps: 400 };
    assert_eq!(guest.ask(Command::TellLimit { limit: Some(limit) }).await, Ok(Outcome::Done));
    let participant = guest.you;
    let told = |quality, cause, downlink_kbps| {
        let connections = vec![Connection { participant, condition: Condition { quality, cause } }];
        MediaEvent::Quality { connections, downlink_kbps }
    };
    let thin = |link, kbps| Some(Cause::Thin { link, kbps });
    let uplink = told(Quality::Fair, thin(Link::Uplink, 400), None);
    host.media(|media| *media == uplink).await;
    guest.media(|media| *media == uplink).await;
    assert_eq!(guest.ask(Command::TellLimit { limit: None }).await, Ok(Outcome::Done));
    host.media(|media| *media == MediaEvent::Quality { connections: vec![], downlink_kbps: None }).await;
    let downlink = Condition { quality: Quality::Fair, cause: thin(Link::Downlink, 300) };
    let conditions = Conditions { downlink, downlink_kbps: Some(300), ..Conditions::default() };
    server.worker.report(WorkerEvent::Quality { participant: guest.you, conditions }).await;
    guest.media(|media| *media == told(Quality::Fair, thin(Link::Downlink, 300), Some(300))).await;
    let for_host = host.within(Duration::from_millis(100)).await;
    assert_eq!(for_host, [], "whose download is thin concerns nobody else");
    let session = server.worker.session_of(guest.you).await;
    let gone = WorkerEvent::Session { session, participant: guest.you, state: SessionState::Disconnected };
    server.worker.report(gone).await;
    host.media(|media| *media == told(Quality::Lost, None, None)).await;
}

#[tokio::test]
async fn reports_reach_whom_they_concern() {
    let (server, mut host, mut guest) = host_and_guest().await;
    open(&mut host).await;
    open(&mut guest).await;
    let session = server.worker.session_of(guest.you).await;
    let connected = WorkerEvent::Session { session, participant: guest.you, state: SessionState::Connected };
    server.worker.report(connected).await;
    guest.media(|media| *media == MediaEvent::Session { state: SessionState::Connected }).await;
    let track = TrackId { participant: guest.you, source: Source::Camera };
    server.worker.report(WorkerEvent::Wanted { router: server.worker.router(), track, height: 720 }).await;
    guest.media(|media| *media == MediaEvent::Wanted { source: Source::Camera, height: 720 }).await;
    let for_host = host.within(Duration::from_millis(100)).await;
    assert!(!for_host.iter().any(|message| matches!(message, ServerMessage::Media { .. })), "{for_host:?}");
    let failed = WorkerEvent::Session { session, participant: guest.you, state: SessionState::Failed };
    server.worker.report(failed).await;
    server.worker.wait(|seen| (*seen == Seen::CloseSession(session)).then_some(())).await;
    open(&mut guest).await;
}
