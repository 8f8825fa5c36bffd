//! Recordings by REST and by the meeting's own commands, with packets put into the tap by hand: who may, what lies on the
//! disk, what players get.

use crate::person::Person;
use crate::support::{Answer, MeetingLinks, Server, bearer};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use signaling::ids::Source;
use signaling::protocol::{Command, Event, RecordingEndReason, RecordingState, RefusalCode, SendSlot};
use std::time::Duration;
use symposia::clock;
use symposia::session::SessionId;
use symposia::session::inbound::Media;
use symposia::session::plan::{Codec, Ssrc};
use symposia::worker::tap::{Packet, Tapped, What};
use tokio::time::sleep;

/// 20 ms of silence, as Opus has it.
const SILENCE: [u8; 3] = [0xf8, 0xff, 0xfe];

/// A meeting with a host who has a session.
struct Hosted {
    server: Server,
    meeting: MeetingLinks,
    host: Person,
    cookie: String,
    session: SessionId,
    seq: u64,
}

impl Hosted {
    async fn new(body: Value) -> Self {
        let server = Server::start().await;
        let meeting = server.meeting(body).await;
        let cookie = server.host_cookie(&meeting).await;
        let mut host = Person::host(&server, &meeting).await;
        let session = open(&server, &mut host).await;
        Self { server, meeting, host, cookie, session, seq: 0 }
    }

    async fn start(&self) -> Value {
        let path = format!("/api/v1/meetings/{}/recordings", self.meeting.id);
        let started = self.server.post(&path, &[("cookie", &self.cookie)], json!({})).await;
        assert_eq!(started.status, StatusCode::CREATED, "{started:?}");
        started.json()
    }

    /// So many packets of silence from somebody's microphone, in time.
    async fn sound(&mut self, session: SessionId, packets: u64) {
        for _ in 0..packets {
            self.seq += 1;
            self.give(session, Source::Microphone, Codec::Opus, 960, &SILENCE);
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn give(&self, session: SessionId, source: Source, codec: Codec, step: u64, payload: &[u8]) {
        let media = Media {
            track: None,
            layer: 0,
            ssrc: Ssrc(session.0 as u32),
            seq: self.seq,
            timestamp: (self.seq * step) as u32,
            marker: false,
            codec,
            key_start: false,
            heights: symposia::rtp::scalability::Heights::default(),
            orientation: None,
            audio_level: None,
            vp8: None,
            scalability: symposia::rtp::scalability::Scalability::NONE,
            descriptor: &[],
            payload,
            bytes: payload.len(),
            missed: [None; _],
        };
        let captured = self.server.state.media.server_ns(clock::now());
        let packet = Packet::of(&media, Some(captured), 1).expect("it is short");
        let tapped = Tapped { session, source, layer: 0, what: What::Packet(packet) };
        for tap in self.server.worker.taps().iter() {
            assert!(tap.ring.push(tapped.clone()), "a full ring");
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.server.get(path, &[("cookie", &self.cookie)]).await
    }

    /// As it is when it is in this state.
    async fn when(&self, id: &str, state: &str) -> Value {
        for _ in 0..300 {
            let shown = self.server.get(&format!("/api/v1/recordings/{id}"), &[bearer()]).await;
            if shown.status == StatusCode::OK && shown.json()["state"] == state {
                return shown.json();
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("never {state}");
    }
}

async fn open(server: &Server, person: &mut Person) -> SessionId {
    let sends = [("0", Source::Microphone), ("1", Source::Camera)];
    let sends = sends.map(|(mid, source)| SendSlot { mid: mid.to_owned(), source }).to_vec();
    person.ask(Command::Offer { sdp: crate::support::fixture("chromium-app"), sends }).await.expect("an answer");
    server.worker.session_of(person.you).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_is_recorded_by_rest_and_its_files_play() {
    let mut hosted = Hosted::new(json!({"title": "Weekly", "waiting_room": false})).await;
    let started = hosted.start().await;
    let id = started["id"].as_str().expect("an id").to_owned();
    assert_eq!((&started["state"], &started["title"]), (&json!("recording"), &json!("Weekly")));
    let event = hosted.host.event(|event| match event {
        Event::RecordingChanged { recording: Some(recording), .. } => Some(recording.clone()),
        _ => None,
    });
    assert_eq!(event.await.id, id, "everybody is told");
    let again = format!("/api/v1/meetings/{}/recordings", hosted.meeting.id);
    let again = hosted.server.post(&again, &[bearer()], json!({})).await;
    assert_eq!((again.status, again.text("code")), (StatusCode::CONFLICT, "already-recording".to_owned()));

    let session = hosted.session;
    hosted.sound(session, 100).await;
    let said = Command::SendChat { to: signaling::protocol::Audience::Everyone, text: "hello".into() };
    hosted.host.ask(said).await.expect("he may");
    hosted.host.ask(Command::Mark { text: "Question".into() }).await.expect("he may");
    let running = hosted.get(&format!("/api/v1/recordings/{id}")).await.json();
    assert!(running["duration_ms"].as_u64() > Some(1_500) && running["bytes"].as_u64() > Some(100), "{running}");
    assert_eq!(running["tracks"].as_array().map(Vec::len), Some(1), "also while it runs: {running}");
    assert!(running["written_ms"].as_u64() < running["duration_ms"].as_u64(), "some is on its way: {running}");
    assert_eq!(running["tracks"][0]["complete"], json!(false));
    let grows = format!("{}/segments", running["tracks"][0]["url"].as_str().expect("a path"));
    let before = hosted.get(&grows).await.json();
    let last = before["segments"].as_array().and_then(|list| list.last()).expect("a segment")[0].clone();
    let deleted = hosted.server.call(Method::DELETE, &format!("/api/v1/recordings/{id}"), &[bearer()], None).await;
    assert_eq!(deleted.status, StatusCode::CONFLICT);

    let stopped = hosted.server.post(&format!("/api/v1/recordings/{id}/stop"), &[bearer()], json!({})).await;
    assert_eq!(stopped.status, StatusCode::OK, "{stopped:?}");
    let shown = hosted.when(&id, "finished").await;
    assert_eq!((&shown["ended"], &shown["participants"]), (&json!("stopped"), &json!(["Hana"])));
    assert_eq!(hosted.server.worker.taps().len(), 0, "nothing is given to it any more");
    let track = &shown["tracks"][0];
    assert_eq!(
        (&track["name"], &track["source"], &track["codec"]),
        (&json!("Hana"), &json!("microphone"), &json!("opus"))
    );
    assert!((1_900..=6_000).contains(&track["duration_ms"].as_u64().expect("a number")), "{track}");

    let url = track["url"].as_str().expect("a path");
    let file = hosted.get(url).await;
    assert_eq!(
        (file.status, file.header("content-type"), file.header("accept-ranges")),
        (StatusCode::OK, "audio/mp4", "bytes")
    );
    assert_eq!(file.body.len() as u64, track["bytes"].as_u64().expect("a number"));
    let part = hosted.server.get(url, &[bearer(), ("range", "bytes=4-7")]).await;
    assert_eq!((part.status, &part.body[..]), (StatusCode::PARTIAL_CONTENT, &b"ftyp"[..]));
    assert_eq!(part.header("content-range"), format!("bytes 4-7/{}", file.body.len()));
    let saved = hosted.get(&format!("{url}?download=1")).await;
    assert!(saved.header("content-disposition").contains("filename=\"Weekly 0001-microphone.mp4\""), "{saved:?}");
    let segments = hosted.get(&format!("{url}/segments")).await.json();
    let mut at = segments["init"].as_u64().expect("a number");
    for segment in segments["segments"].as_array().expect("a list") {
        assert_eq!(segment[0].as_u64(), Some(at), "one after the other");
        at += segment[1].as_u64().expect("a number");
    }
    assert_eq!(at, file.body.len() as u64, "to the end");
    // Who had some of it while it grew gets the last again, and what came after.
    let later = hosted.get(&format!("{grows}?from={last}")).await.json();
    let (all, more) = (segments["segments"].as_array().expect("a list"), later["segments"].as_array().expect("a list"));
    assert_eq!(more[0][0], last);
    assert_eq!(more[..], all[all.len() - more.len()..]);
    assert_eq!((&shown["written_ms"], &track["complete"]), (&shown["duration_ms"], &json!(true)));
    let timeline = hosted.get(&format!("/api/v1/recordings/{id}/timeline")).await.json();
    let events: Vec<_> = timeline["entries"].as_array().expect("a list").iter().map(|entry| &entry["event"]).collect();
    assert_eq!(events, ["joined", "chat", "mark"]);
    let later = hosted.get(&format!("/api/v1/recordings/{id}/timeline?from=2")).await.json();
    assert_eq!(later["entries"].as_array().map(Vec::len), Some(1));
    let none = hosted.get(&format!("/api/v1/recordings/{id}/timeline?from=9")).await.json();
    assert_eq!(none["entries"], json!([]));

    // The sound of everybody, made a moment later.
    let path = format!("/api/v1/recordings/{id}");
    let mut mix = Value::Null;
    for _ in 0..3_000 {
        mix = hosted.get(&path).await.json()["mix"].clone();
        if mix != Value::Null {
            break;
        }
        sleep(Duration::from_millis(20)).await;
    }
    let url = mix["url"].as_str().expect("a path").to_owned();
    let file = hosted.get(&url).await;
    assert_eq!((file.status, file.header("content-type")), (StatusCode::OK, "audio/mp4"));
    assert_eq!(Some(file.body.len() as u64), mix["bytes"].as_u64());
    let part = hosted.server.get(&url, &[bearer(), ("range", "bytes=4-7")]).await;
    assert_eq!((part.status, &part.body[..]), (StatusCode::PARTIAL_CONTENT, &b"ftyp"[..]));
    let saved = hosted.get(&format!("{url}?download=1")).await;
    assert!(saved.header("content-disposition").contains("filename=\"Weekly mix.mp4\""), "{saved:?}");
    assert_eq!(hosted.server.get(&url, &[("x-nobody", "1")]).await.status, StatusCode::NOT_FOUND);

    let url = track["url"].as_str().expect("a path");
    let deleted = hosted.server.call(Method::DELETE, &format!("/api/v1/recordings/{id}"), &[bearer()], None).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    assert_eq!(hosted.get(url).await.status, StatusCode::NOT_FOUND);
    assert!(hosted.server.state.recordings.library().ids().is_empty(), "nothing stays on the disk");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_pause_and_of_who_was_removed_nothing_is_kept() {
    let mut hosted = Hosted::new(json!({"waiting_room": false})).await;
    let (mut ana, _) = Person::by_link(&hosted.server, &hosted.meeting, "Ana").await;
    let hers = open(&hosted.server, &mut ana).await;
    hosted.host.ask(Command::StartRecording).await.expect("he may");
    let own = hosted.session;
    hosted.sound(own, 50).await;
    hosted.host.ask(Command::PauseRecording).await.expect("he may");
    let kept = |hosted: &Hosted| {
        let id = hosted.server.state.recordings.library().ids().remove(0);
        hosted.server.state.recordings.status(&id).map(|status| status.bytes)
    };
    sleep(Duration::from_millis(700)).await;
    let before = kept(&hosted);
    hosted.sound(own, 50).await;
    assert_eq!(kept(&hosted), before, "nothing was kept");
    hosted.host.ask(Command::ResumeRecording).await.expect("he may");
    hosted.sound(hers, 25).await;
    hosted.host.ask(Command::Remove { participant: ana.you, ban: false }).await.expect("he may");
    // A worker gone mad goes on giving.
    hosted.sound(hers, 100).await;
    hosted.host.ask(Command::StopRecording).await.expect("he may");
    let id = hosted.server.state.recordings.library().ids().remove(0);
    let shown = hosted.when(&id, "finished").await;
    let tracks = shown["tracks"].as_array().expect("a list");
    assert_eq!(tracks.len(), 2, "{shown}");
    let lasted = tracks[1]["duration_ms"].as_u64().expect("a number");
    assert_eq!(tracks[1]["name"], "Ana");
    // On a busy machine 500 ms take longer, but not as long as what came after.
    assert!((400..1_500).contains(&lasted), "{lasted} ms of who was removed after 500");
    assert_eq!(shown["gaps"][0]["why"], "paused");
}

#[tokio::test(flavor = "multi_thread")]
async fn publishers_are_asked_for_their_best_picture_and_hear_when_it_is_over() {
    let mut hosted = Hosted::new(json!({"waiting_room": false, "record_height": 720})).await;
    hosted.host.ask(Command::StartRecording).await.expect("he may");
    let wanted = |height: u16| move |media: &signaling::protocol::MediaEvent| matches!(media, signaling::protocol::MediaEvent::Wanted { source: Source::Camera, height: of } if *of == height);
    hosted.host.media(wanted(720)).await;
    let (mut late, _) = Person::by_link(&hosted.server, &hosted.meeting, "Late").await;
    open(&hosted.server, &mut late).await;
    late.media(wanted(720)).await;
    hosted.host.ask(Command::StopRecording).await.expect("he may");
    late.media(wanted(0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_meeting_that_ends_ends_its_recording_and_a_server_that_stops_ends_all() {
    let mut hosted = Hosted::new(json!({"waiting_room": false, "auto_record": true})).await;
    let recording = hosted.host.event(|event| match event {
        Event::RecordingChanged { recording: Some(recording), .. } => Some(recording.clone()),
        _ => None,
    });
    let first = recording.await;
    assert_eq!(first.state, RecordingState::Recording, "by itself, when the first person was in");
    let session = hosted.session;
    hosted.sound(session, 30).await;
    let Hosted { server, meeting, cookie, .. } = hosted;
    let server = server.restart().await;
    let shown = server.get(&format!("/api/v1/recordings/{}", first.id), &[bearer()]).await.json();
    assert_eq!((&shown["state"], &shown["ended"]), (&json!("finished"), &json!("stopped")), "whole: {shown}");
    assert!(shown["tracks"][0]["duration_ms"].as_u64() > Some(500), "{shown}");

    let mut host = Person::host(&server, &meeting).await;
    let second = host.event(|event| match event {
        Event::RecordingChanged { recording: Some(recording), .. } => Some(recording.id.clone()),
        _ => None,
    });
    let second = second.await;
    let hosted = Hosted { session: SessionId(0), seq: 0, server, meeting, host, cookie };
    let mut hosted = hosted;
    hosted.host.ask(Command::End).await.expect("he may");
    let ended = hosted.host.event(|event| match event {
        Event::RecordingChanged { ended: Some(ended), .. } => Some(ended.clone()),
        _ => None,
    });
    assert_eq!(ended.await.why, RecordingEndReason::MeetingEnded);
    hosted.when(&second, "finished").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_opens_a_link_is_told_before_joining_that_he_will_be_recorded() {
    let mut hosted = Hosted::new(json!({"title": "Choir", "waiting_room": false})).await;
    let token = json!({"token": hosted.meeting.token});
    async fn door(server: &Server, id: &str, who: (&str, &str), body: &Value) -> Answer {
        server.post(&format!("/api/v1/meetings/{id}/door"), &[who], body.clone()).await
    }
    let (id, guest) = (hosted.meeting.id.clone(), ("x-nobody", "1"));
    let said = |answer: &Answer| (answer.status.as_u16(), answer.json()["recording"].clone());
    let before = door(&hosted.server, &id, guest, &token).await;
    assert_eq!((said(&before), before.text("title")), ((200, Value::Null), "Choir".to_owned()));
    hosted.host.ask(Command::StartRecording).await.expect("he may");
    assert_eq!(said(&door(&hosted.server, &id, guest, &token).await), (200, json!("running")));
    hosted.host.ask(Command::PauseRecording).await.expect("he may");
    assert_eq!(said(&door(&hosted.server, &id, guest, &token).await), (200, json!("running")), "it may go on");
    // Who leads it needs no link, and nobody else learns whether it is there.
    let cookie = hosted.cookie.clone();
    assert_eq!(said(&door(&hosted.server, &id, ("cookie", &cookie), &json!({})).await), (200, json!("running")));
    for (id, body) in [(id.as_str(), json!({})), (&id, json!({"token": "wrong"})), ("missing00", token.clone())] {
        let refused = door(&hosted.server, id, guest, &body).await;
        assert_eq!((refused.status, refused.text("code")), (StatusCode::NOT_FOUND, "wrong-link".to_owned()), "{body}");
    }
    hosted.host.ask(Command::StopRecording).await.expect("he may");
    assert_eq!(said(&door(&hosted.server, &id, guest, &token).await), (200, Value::Null));
    hosted.host.ask(Command::End).await.expect("he may");
    let over = door(&hosted.server, &id, guest, &token).await;
    assert_eq!((over.status, over.text("code")), (StatusCode::GONE, "meeting-ended".to_owned()));

    // One that records by itself: before anybody is there, while it does, and after the host has stopped that.
    let server = hosted.server;
    let meeting = server.meeting(json!({"waiting_room": false, "auto_record": true})).await;
    let token = json!({"token": meeting.token});
    assert_eq!(said(&door(&server, &meeting.id, guest, &token).await), (200, json!("planned")));
    let mut host = Person::host(&server, &meeting).await;
    host.event(|event| matches!(event, Event::RecordingChanged { recording: Some(_), .. }).then_some(())).await;
    assert_eq!(said(&door(&server, &meeting.id, guest, &token).await), (200, json!("running")));
    host.ask(Command::StopRecording).await.expect("he may");
    assert_eq!(said(&door(&server, &meeting.id, guest, &token).await), (200, Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_ends_by_rest_also_what_nobody_may_see() {
    let mut hosted = Hosted::new(json!({"waiting_room": false})).await;
    let id = hosted.start().await["id"].as_str().expect("an id").to_owned();
    let session = hosted.session;
    hosted.sound(session, 20).await;
    let path = format!("/api/v1/recordings/{id}");
    let hidden = hosted.server.call(Method::PATCH, &path, &[bearer()], Some(json!({"visibility": "nobody"}))).await;
    assert_eq!(hidden.status, StatusCode::OK);
    let host = ("cookie", hosted.cookie.as_str());
    for (order, state) in [("pause", "paused"), ("resume", "recording"), ("stop", "finished")] {
        let stranger = hosted.server.post(&format!("{path}/{order}"), &[("x-nobody", "1")], json!({})).await;
        assert_eq!(stranger.status, StatusCode::NOT_FOUND, "{order}");
        let done = hosted.server.post(&format!("{path}/{order}"), &[host], json!({})).await;
        assert_eq!((done.status, &done.json()["manage"]), (StatusCode::OK, &json!(false)), "{order}: {done:?}");
        hosted.when(&id, state).await;
    }
    assert_eq!(hosted.get(&path).await.status, StatusCode::NOT_FOUND, "and sees nothing of it");
    let deleted = hosted.server.call(Method::DELETE, &path, &[host], None).await;
    assert_eq!(deleted.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_see_a_recording_is_the_hosts_choice_and_others_see_nothing() {
    let mut hosted = Hosted::new(json!({"title": "Secret plans", "waiting_room": false})).await;
    let browser = "symposia_browser=00112233445566778899aabbccddeeff";
    let join =
        signaling::protocol::Join::Link { meeting: hosted.meeting.id.clone(), token: hosted.meeting.token.clone() };
    let (there, _) = Person::join(&hosted.server, join, "Ana", browser).await.expect("the link is right");
    let id = hosted.start().await["id"].as_str().expect("an id").to_owned();
    let session = hosted.session;
    hosted.sound(session, 60).await;
    let path = format!("/api/v1/recordings/{id}");
    let stranger = ("cookie", "symposia_browser=ffffffffffffffffffffffffffffffff");
    let (ana, host) = (("cookie", browser), ("cookie", hosted.cookie.as_str()));
    let missing = hosted.server.get("/api/v1/recordings/00000000-1", &[stranger]).await;
    // While it goes on, and when it is over.
    let rows = [("host", 404, 200), ("participants", 200, 200), ("link", 404, 200), ("nobody", 404, 404)];
    for (index, (visibility, anas, hosts)) in rows.into_iter().chain(rows).enumerate() {
        if index == rows.len() {
            hosted.server.post(&format!("{path}/stop"), &[bearer()], json!({})).await;
            hosted.when(&id, "finished").await;
        }
        let change = json!({"visibility": visibility, "title": visibility});
        let changed = hosted.server.call(Method::PATCH, &path, &[bearer()], Some(change)).await;
        assert_eq!((changed.status, changed.text("title")), (StatusCode::OK, visibility.to_owned()));
        for (who, expected) in [(ana, anas), (host, hosts), (stranger, 404), (("x-nobody", "1"), 404)] {
            for below in ["", "/timeline", "/tracks/1", "/tracks/1/segments"] {
                let shown = hosted.server.get(&format!("{path}{below}"), &[who]).await;
                assert_eq!(shown.status.as_u16(), expected, "{visibility} {who:?} {below}");
                if expected == 404 {
                    assert_eq!(shown.body, missing.body, "the same as for one that is not there");
                }
            }
            for (method, below) in [
                (Method::PATCH, ""),
                (Method::DELETE, ""),
                (Method::POST, "/stop"),
                (Method::POST, "/pause"),
                (Method::POST, "/resume"),
                (Method::POST, "/link"),
            ] {
                if who != host {
                    let answer =
                        hosted.server.call(method.clone(), &format!("{path}{below}"), &[who], Some(json!({}))).await;
                    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {below} {who:?}");
                }
            }
        }
    }
    let seen = hosted.server.call(Method::PATCH, &path, &[bearer()], Some(json!({"visibility": "participants"}))).await;
    assert_eq!(seen.json()["manage"], json!(true));
    assert_eq!(hosted.server.get(&path, &[ana]).await.json()["manage"], json!(false));
    assert_eq!(hosted.server.get("/api/v1/recordings", &[host]).await.status, StatusCode::UNAUTHORIZED);

    // Who is banned was never there.
    let ban = Command::Remove { participant: there.you, ban: true };
    hosted.host.ask(ban).await.expect("he may");
    assert_eq!(hosted.server.get(&path, &[ana]).await.status, StatusCode::NOT_FOUND, "she was banned");
    let seen = hosted.server.get(&path, &[host]).await;
    assert_eq!(seen.json()["visibility"], json!("participants"), "the others see it as before");

    // A link opens it until another one is made, or its time is over.
    let made = hosted.server.post(&format!("{path}/link"), &[host], json!({})).await;
    let token = made.text("url").split_once('#').expect("a fragment").1.to_owned();
    let open = |token: String| hosted.server.post_owned(format!("{path}/open"), json!({"token": token}));
    assert_eq!(open("0".repeat(32)).await.status, StatusCode::NOT_FOUND);
    let opened = open(token.clone()).await;
    assert_eq!(opened.status, StatusCode::NO_CONTENT);
    let cookie = opened.cookie("symposia_recording_").expect("a cookie");
    assert_eq!(hosted.server.get(&path, &[("cookie", &cookie)]).await.status, StatusCode::OK);
    hosted.server.post(&format!("{path}/link"), &[host], json!({})).await;
    assert_eq!(hosted.server.get(&path, &[("cookie", &cookie)]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(open(token).await.status, StatusCode::NOT_FOUND);
    let made = hosted.server.post(&format!("{path}/link"), &[host], json!({})).await;
    let token = made.text("url").split_once('#').expect("a fragment").1.to_owned();
    hosted.server.call(Method::PATCH, &path, &[host], Some(json!({"link_expires_at": 1}))).await;
    assert_eq!(open(token).await.status, StatusCode::NOT_FOUND, "it is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_searched_and_read_in_pages() {
    let hosted = Hosted::new(json!({"title": "Plan % of _ things", "waiting_room": false})).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let id = hosted.start().await["id"].as_str().expect("an id").to_owned();
        hosted.server.post(&format!("/api/v1/recordings/{id}/stop"), &[bearer()], json!({})).await;
        hosted.when(&id, "finished").await;
        ids.insert(0, id);
    }
    let list = async |query: &str| hosted.server.get(&format!("/api/v1/recordings?{query}"), &[bearer()]).await.json();
    let named = |list: &Value| -> Vec<String> {
        let all = list["recordings"].as_array().expect("a list").iter();
        all.map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!(named(&list("").await), ids, "newest first");
    let first = list("limit=2").await;
    assert_eq!(named(&first), ids[..2]);
    let next = first["next"].as_str().expect("there are more");
    let second = list(&format!("limit=2&before={next}")).await;
    assert_eq!((named(&second), &second["next"]), (ids[2..].to_vec(), &Value::Null));
    for (query, found) in [("plan%20%25", 3), ("HANA", 3), ("%25%25", 0), ("nobody", 0)] {
        assert_eq!(named(&list(&format!("query={query}")).await).len(), found, "{query}");
    }
    let wrong = hosted.server.get("/api/v1/recordings?before=x", &[bearer()]).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_recorded_is_refused_with_the_reason() {
    let server = Server::start().await;
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    let path = format!("/api/v1/meetings/{}/recordings", meeting.id);
    let refused = async |headers: &[(&str, &str)]| {
        let answer = server.post(&path, headers, json!({})).await;
        (answer.status.as_u16(), answer.text("code"))
    };
    assert_eq!(refused(&[bearer()]).await, (409, "nobody-there".to_owned()));
    assert_eq!(refused(&[]).await, (401, "sign-in-needed".to_owned()));
    let (mut guest, _) = Person::by_link(&server, &meeting, "Gus").await;
    assert_eq!(guest.ask(Command::StartRecording).await, Err(RefusalCode::NotPermitted));
    let made = server.post("/api/v1/meetings", &[bearer()], json!({"record_height": 333})).await;
    assert_eq!(made.status, StatusCode::BAD_REQUEST);
    // A folder that can't be made: told at once, and the meeting goes on.
    let folder = server.state.recordings.library().root().to_owned();
    std::fs::write(&folder, b"in the way").expect("a file");
    let mut host = Person::host(&server, &meeting).await;
    host.ask(Command::StartRecording).await.expect("he may");
    let ended = host.event(|event| match event {
        Event::RecordingChanged { ended: Some(ended), .. } => Some(ended.why),
        _ => None,
    });
    assert_eq!(ended.await, RecordingEndReason::Failed);
}

// acceptance: SEC10
#[tokio::test(flavor = "multi_thread")]
async fn no_path_leads_out_of_the_folder_of_recordings() {
    let mut hosted = Hosted::new(json!({"waiting_room": false})).await;
    let id = hosted.start().await["id"].as_str().expect("an id").to_owned();
    let session = hosted.session;
    hosted.sound(session, 30).await;
    hosted.host.ask(Command::StopRecording).await.expect("he may");
    hosted.when(&id, "finished").await;
    let folder = hosted.server.state.recordings.library().root().join(&id);
    let ids = ["..", "%2e%2e", "..%2f..%2f", "%2e%2e%2fsymposia.db", "....//", "%00", "..%5c", ".", "a/../../b"];
    for wrong in ids {
        for path in [
            format!("/api/v1/recordings/{wrong}"),
            format!("/api/v1/recordings/{wrong}/tracks/1"),
            format!("/api/v1/recordings/{id}/tracks/{wrong}"),
            format!("/api/v1/recordings/{id}/tracks/{wrong}/segments"),
            format!("/api/v1/recordings/{wrong}/timeline"),
        ] {
            let answer = hosted.server.get(&path, &[bearer()]).await;
            assert!(matches!(answer.status.as_u16(), 400 | 404), "{path}: {answer:?}");
        }
    }
    // A manifest changed by hand, and a link where a file was, give out nothing else.
    let secret = folder.parent().expect("a parent").parent().expect("a parent").join("symposia.db");
    let media = folder.join("0001-microphone.mp4");
    std::fs::remove_file(&media).expect("it was there");
    std::os::unix::fs::symlink(&secret, &media).expect("a link");
    let answer = hosted.server.get(&format!("/api/v1/recordings/{id}/tracks/1"), &[bearer()]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "a link leads out");
    let outside = hosted.server.state.config.data.join("outside");
    std::fs::write(&outside, b"stays").expect("a file");
    let _ = std::fs::remove_file(folder.join("0002-camera.webm"));
    std::os::unix::fs::symlink(&outside, folder.join("0002-camera.webm")).expect("a link");
    let deleted = hosted.server.call(Method::DELETE, &format!("/api/v1/recordings/{id}"), &[bearer()], None).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    assert!(!folder.exists() && outside.exists() && secret.exists(), "what links name stays");
}
