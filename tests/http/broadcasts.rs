//! Broadcasts: WHIP in, WHEP out, as RFC 9725 and the WHEP draft have it.

use crate::support::{Answer, Server, bearer, fixture, request};
use crate::worker::Seen;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use futures_util::stream;
use recordings::codec::Config;
use recordings::{Codec, Frame};
use serde_json::json;
use signaling::ids::{ParticipantId, Source, TrackId};
use signaling::protocol::{SessionState, Wish};
use symposia::broadcast::{Expected, Source as By, TrackNumber};
use symposia::clock;
use symposia::worker::api::Event as WorkerEvent;
use tokio::sync::oneshot;

struct Broadcast {
    id: String,
    key: String,
}

async fn broadcast(server: &Server) -> Broadcast {
    let made = server.post("/api/v1/broadcasts", &[bearer()], json!({"title": "Concert"})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let id = made.text("id");
    let base = &server.state.base_url;
    assert_eq!(made.text("watch_url"), format!("{base}/w/{id}"));
    assert_eq!(made.text("whip_url"), format!("{base}/whip/{id}"));
    assert_eq!(made.text("whep_url"), format!("{base}/whep/{id}"));
    assert_eq!(made.text("hls_url"), format!("{base}/hls/{id}/index.m3u8"));
    Broadcast { id, key: made.text("stream_key") }
}

async fn sdp(server: &Server, method: Method, path: &str, headers: &[(&str, &str)], body: String) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header(header::CONTENT_TYPE, "application/sdp");
    }
    server.send(request.body(Body::from(body)).expect("a request")).await
}

async fn publish(server: &Server, broadcast: &Broadcast) -> Answer {
    let key = format!("Bearer {}", broadcast.key);
    let path = format!("/whip/{}", broadcast.id);
    sdp(server, Method::POST, &path, &[("authorization", &key)], fixture("ffmpeg9-whip")).await
}

async fn watch(server: &Server, broadcast: &Broadcast) -> Answer {
    sdp(server, Method::POST, &format!("/whep/{}", broadcast.id), &[], fixture("chromium-whep")).await
}

// acceptance: L4
#[tokio::test]
async fn a_key_that_is_changed_while_its_offer_comes_opens_nothing() {
    let server = Server::start().await;
    for ends in [false, true] {
        let broadcast = broadcast(&server).await;
        let (reads, read) = oneshot::channel();
        let (goes_on, rest) = oneshot::channel::<()>();
        let offer = stream::once(async move {
            // The key was looked at.
            reads.send(()).expect("the test waits");
            rest.await.expect("the test says so");
            Ok::<_, std::io::Error>(fixture("ffmpeg9-whip"))
        });
        let request = Request::builder().method(Method::POST).uri(format!("/whip/{}", broadcast.id));
        let request = request.header(header::AUTHORIZATION, format!("Bearer {}", broadcast.key));
        let request = request.header(header::CONTENT_TYPE, "application/sdp");
        let posts = server.send(request.body(Body::from_stream(offer)).expect("a request"));
        let changes = async {
            read.await.expect("the offer is read");
            let path = format!("/api/v1/broadcasts/{}", broadcast.id);
            let changed = if ends {
                server.send(self::request(Method::DELETE, &path, &[bearer()], None)).await
            } else {
                server.post(&format!("{path}/stream-key"), &[bearer()], json!({})).await
            };
            assert!(changed.status.is_success(), "{changed:?}");
            goes_on.send(()).expect("the offer goes on");
        };
        let (answer, ()) = tokio::join!(posts, changes);
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
        assert_eq!(server.state.broadcasts.viewers(&broadcast.id), (false, 0));
    }
}

#[tokio::test]
async fn an_encoder_publishes_and_a_viewer_watches() {
    let server = Server::start().await;
    let broadcast = broadcast(&server).await;
    let early = watch(&server, &broadcast).await;
    assert_eq!((early.status, early.text("code").as_str()), (StatusCode::CONFLICT, "not-publishing"));
    assert!(early.headers.contains_key(header::RETRY_AFTER));

    let published = publish(&server, &broadcast).await;
    assert_eq!(published.status, StatusCode::CREATED, "{published:?}");
    assert_eq!(published.header(header::CONTENT_TYPE), "application/sdp");
    assert!(published.header(header::ETAG).starts_with('"'));
    assert!(published.header(header::ACCESS_CONTROL_EXPOSE_HEADERS).contains("Location"));
    let location = published.header(header::LOCATION);
    let resource = location.strip_prefix(&format!("/whip/{}/", broadcast.id)).expect("under the endpoint");
    assert!(resource.len() >= 32 && !location.contains(&broadcast.key));
    assert!(String::from_utf8_lossy(&published.body).contains("a=recvonly"));
    let opened = server.worker.wait(|seen| match seen {
        Seen::OpenSession { participant: ParticipantId(1), sends, gates, .. } => Some((sends.clone(), gates.clone())),
        _ => None,
    });
    let (sends, gates) = opened.await;
    assert_eq!(sends.iter().map(|(_, source)| *source).collect::<Vec<_>>(), [Source::Microphone, Source::Camera]);
    assert_eq!(gates, [Source::Microphone, Source::Camera]);

    let watching = watch(&server, &broadcast).await;
    assert_eq!(watching.status, StatusCode::CREATED, "{watching:?}");
    assert!(String::from_utf8_lossy(&watching.body).contains("a=sendonly"));
    let viewer = server.worker.session_of(ParticipantId(2)).await;
    let track = TrackId { participant: ParticipantId(1), source: Source::Camera };
    let seen = server.worker.wait(|seen| match seen {
        Seen::Watch(session, wishes) if *session == viewer => Some(wishes.clone()),
        _ => None,
    });
    assert!(matches!(seen.await.as_slice(), [Wish { track: of, .. }] if *of == track));
    let shown = server.get(&format!("/api/v1/broadcasts/{}", broadcast.id), &[]).await.json();
    assert_eq!((&shown["live"], &shown["viewers"], &shown["title"]), (&json!(true), &json!(1), &json!("Concert")));

    let resource = watching.header(header::LOCATION).to_owned();
    let stopped = server.call(Method::DELETE, &resource, &[], None).await;
    assert_eq!(stopped.status, StatusCode::OK, "{stopped:?}");
    assert!(server.worker.all().contains(&Seen::CloseSession(viewer)), "acknowledged before the answer");
    assert_eq!(server.call(Method::DELETE, &resource, &[], None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_stream_key_may_stand_in_the_path_and_must_be_right() {
    let server = Server::start().await;
    let (ours, other) = (broadcast(&server).await, broadcast(&server).await);
    let offer = || fixture("chromium-whip");
    for (path, key) in [
        (ours.id.as_str(), ""),
        (&ours.id, "wrong"),
        (&ours.id, &other.key),
        (&ours.id, crate::support::TOKEN),
        ("nothing", &ours.key),
        (&ours.key[..31], ""),
    ] {
        let value = format!("Bearer {key}");
        let headers: &[_] = if key.is_empty() { &[] } else { &[("authorization", value.as_str())] };
        let answer = sdp(&server, Method::POST, &format!("/whip/{path}"), headers, offer()).await;
        assert_eq!((answer.status, answer.text("code").as_str()), (StatusCode::UNAUTHORIZED, "wrong-stream-key"));
    }
    let simple = sdp(&server, Method::POST, &format!("/whip/{}", ours.key), &[], offer()).await;
    assert_eq!(simple.status, StatusCode::CREATED, "{simple:?}");
    let resource = simple.header(header::LOCATION).rsplit('/').next().expect("a resource").to_owned();
    let without_key = format!("/whip/{}/{resource}", ours.id);
    assert_eq!(server.call(Method::DELETE, &without_key, &[], None).await.status, StatusCode::UNAUTHORIZED);
    let with_key = ("authorization", format!("Bearer {}", other.key));
    let with_key = [(with_key.0, with_key.1.as_str())];
    assert_eq!(server.call(Method::DELETE, &without_key, &with_key, None).await.status, StatusCode::UNAUTHORIZED);
    let location = simple.header(header::LOCATION).to_owned();
    assert_eq!(server.call(Method::DELETE, &location, &[], None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn candidates_trickle_by_patch_and_the_ice_session_is_named() {
    let server = Server::start().await;
    let broadcast = broadcast(&server).await;
    publish(&server, &broadcast).await;
    let watching = watch(&server, &broadcast).await;
    let (path, tag) = (watching.header(header::LOCATION).to_owned(), watching.header(header::ETAG).to_owned());
    let offer = fixture("chromium-whep");
    let said = |name: &str| offer.lines().find_map(|line| line.strip_prefix(name)).expect("it is there").to_owned();
    let (ufrag, password) = (&*said("a=ice-ufrag:"), said("a=ice-pwd:"));
    let fragment = |ufrag: &str| {
        format!(
            "a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=end-of-candidates\r\n"
        )
    };
    let kind = ("content-type", "application/trickle-ice-sdpfrag");
    let patch = async |headers: &[(&str, &str)], body: String| sdp(&server, Method::PATCH, &path, headers, body).await;
    assert_eq!(patch(&[kind, ("if-match", &tag)], fragment(ufrag)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(patch(&[kind], fragment(ufrag)).await.status, StatusCode::PRECONDITION_REQUIRED);
    assert_eq!(patch(&[kind, ("if-match", "\"old\"")], fragment(ufrag)).await.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(patch(&[kind, ("if-match", "\"old\"")], fragment("new1")).await.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(patch(&[kind, ("if-match", "*")], "a=ice-ufrag:new1\r\n".to_owned()).await.status.as_u16(), 400);
    assert_eq!(patch(&[kind, ("if-match", &tag)], "{}".to_owned()).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(patch(&[("if-match", &tag)], fragment(ufrag)).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let elsewhere = format!("/whep/{}/0123456789abcdef0123456789abcdef", broadcast.id);
    let unknown = sdp(&server, Method::PATCH, &elsewhere, &[kind, ("if-match", &tag)], fragment(ufrag)).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    let restarted = |seen: &Seen| matches!(seen, Seen::RestartIce { .. });
    assert!(!server.worker.all().iter().any(restarted), "nothing of that is a restart");
}

// acceptance: N5
#[tokio::test]
async fn new_credentials_by_patch_restart_ice_and_name_it_anew() {
    let server = Server::start().await;
    let broadcast = broadcast(&server).await;
    let published = publish(&server, &broadcast).await;
    let watching = watch(&server, &broadcast).await;
    let key = format!("Bearer {}", broadcast.key);
    let kind = ("content-type", "application/trickle-ice-sdpfrag");
    let fragment = |ufrag: &str| {
        format!("a=ice-ufrag:{ufrag}\r\na=ice-pwd:0123456789012345678901\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n")
    };
    for (opened, participant) in [(published, ParticipantId(1)), (watching, ParticipantId(2))] {
        let (path, tag) = (opened.header(header::LOCATION).to_owned(), opened.header(header::ETAG).to_owned());
        let session = server.worker.session_of(participant).await;
        let patch = async |wanted: &str, ufrag: &str| {
            let headers = [kind, ("if-match", wanted), ("authorization", key.as_str())];
            sdp(&server, Method::PATCH, &path, &headers, fragment(ufrag)).await
        };
        let restart = patch("*", "NeWu").await;
        assert_eq!(restart.status, StatusCode::OK, "{restart:?}");
        assert_eq!(restart.header(header::CONTENT_TYPE), kind.1);
        assert!(restart.header(header::ACCESS_CONTROL_EXPOSE_HEADERS).contains("ETag"));
        let second = restart.header(header::ETAG).to_owned();
        assert_ne!(second, tag, "an ICE session of its own");
        let ours = server.worker.wait(|seen| match seen {
            Seen::RestartIce { session: of, local, remote } if *of == session && remote == "NeWu" => {
                Some(local.clone())
            }
            _ => None,
        });
        let (ours, text) = (ours.await, String::from_utf8(restart.body.clone()).expect("text"));
        assert!(text.starts_with("a=ice-lite\r\n") && text.contains("a=candidate:"), "{text}");
        assert!(text.contains(&format!("a=ice-ufrag:{ours}\r\n")), "{text}");

        // The answer was lost: the same question gets the same answer, and nothing restarts twice.
        let again = patch("*", "NeWu").await;
        assert_eq!((again.status, &again.body, again.header(header::ETAG)), (StatusCode::OK, &restart.body, &*second));
        assert_eq!(patch(&tag, "NeWu").await.status, StatusCode::PRECONDITION_FAILED, "that ICE session is over");
        assert_eq!(patch(&second, "NeWu").await.status, StatusCode::NO_CONTENT, "its candidates");
        let third = patch(&second, "Thrd").await;
        assert_eq!(third.status, StatusCode::OK, "who names the present one may restart it, too");
        assert_ne!(third.header(header::ETAG), second);
        // The answer does not wait for the worker.
        let is_third = |seen: &Seen| matches!(seen, Seen::RestartIce { session: of, remote, .. } if *of == session && remote == "Thrd");
        server.worker.wait(|seen| is_third(seen).then_some(())).await;
        let of_this = |seen: &Seen| matches!(seen, Seen::RestartIce { session: of, .. } if *of == session);
        assert_eq!(server.worker.all().iter().filter(|seen| of_this(seen)).count(), 2);
        assert!(!server.worker.all().contains(&Seen::CloseSession(session)), "the session stays");
    }
}

#[tokio::test]
async fn wrong_offers_are_refused_by_the_table() {
    let server = Server::start().await;
    let broadcast = broadcast(&server).await;
    let key = format!("Bearer {}", broadcast.key);
    let path = format!("/whip/{}", broadcast.id);
    let auth = ("authorization", key.as_str());
    let post = async |headers: &[(&str, &str)], body: String| sdp(&server, Method::POST, &path, headers, body).await;
    let offer = || fixture("chromium-whip");
    assert_eq!(post(&[auth, ("content-type", "application/json")], offer()).await.status.as_u16(), 415);
    assert_eq!(post(&[auth, ("accept", "application/json")], offer()).await.status.as_u16(), 406);
    assert_eq!(post(&[auth], "no SDP".to_owned()).await.status.as_u16(), 400);
    assert_eq!(post(&[auth], fixture("chromium-whep")).await.status.as_u16(), 422, "it sends nothing");
    assert_eq!(post(&[auth], "x".repeat(600_000)).await.status.as_u16(), 413);
    for method in [Method::GET, Method::PUT] {
        let answer = sdp(&server, method, &path, &[auth], String::new()).await;
        assert_eq!((answer.status.as_u16(), answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN)), (405, "*"));
    }
    assert_eq!(post(&[auth, ("content-type", "Application/SDP; charset=utf-8")], offer()).await.status.as_u16(), 201);
}

#[tokio::test]
async fn a_second_encoder_is_refused_until_the_first_is_lost() {
    let server = Server::start().await;
    let broadcast = broadcast(&server).await;
    publish(&server, &broadcast).await;
    let first = server.worker.session_of(ParticipantId(1)).await;
    let second = publish(&server, &broadcast).await;
    assert_eq!((second.status, second.text("code").as_str()), (StatusCode::CONFLICT, "already-publishing"));
    let lost =
        WorkerEvent::Session { session: first, participant: ParticipantId(1), state: SessionState::Disconnected };
    server.worker.report(lost).await;
    for _ in 0..100 {
        if publish(&server, &broadcast).await.status == StatusCode::CREATED {
            server.worker.wait(|seen| (*seen == Seen::CloseSession(first)).then_some(())).await;
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the encoder did not come back");
}

#[tokio::test]
async fn the_encoders_own_order_of_codecs_is_kept() {
    let server = Server::start().await;
    for (offer, first) in [("chromium-whip", "VP8"), ("chromium-whip-h264", "H264"), ("firefox-whip", "VP8")] {
        let broadcast = broadcast(&server).await;
        let key = format!("Bearer {}", broadcast.key);
        let path = format!("/whip/{}", broadcast.id);
        let answer = sdp(&server, Method::POST, &path, &[("authorization", &key)], fixture(offer)).await;
        let text = String::from_utf8(answer.body).expect("text");
        let chosen = text.split("m=video").nth(1).and_then(|video| video.split("a=rtpmap:").nth(1));
        assert!(chosen.is_some_and(|line| line.contains(&format!(" {first}/90000"))), "{offer}: {text}");
    }
}

#[tokio::test]
async fn a_viewer_that_cannot_decode_what_is_published_is_told() {
    let server = Server::start().await;
    let broadcast = broadcast(&server).await;
    publish(&server, &broadcast).await; // H.264
    let path = format!("/whep/{}", broadcast.id);
    let without_h264 = sdp(&server, Method::POST, &path, &[], fixture("firefox-whep")).await;
    assert_eq!((without_h264.status.as_u16(), without_h264.text("code").as_str()), (422, "no-common-codec"));
    assert_eq!(watch(&server, &broadcast).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn viewers_are_bounded_and_an_ended_broadcast_is_gone() {
    let server = Server::with(|config, _| config.limits.viewers = 1).await;
    let broadcast = broadcast(&server).await;
    publish(&server, &broadcast).await;
    let first = watch(&server, &broadcast).await;
    assert_eq!(first.status, StatusCode::CREATED);
    let viewing = first.header(header::LOCATION).to_owned();
    let full = watch(&server, &broadcast).await;
    assert_eq!((full.status.as_u16(), full.text("code").as_str()), (503, "broadcast-full"));
    let path = format!("/api/v1/broadcasts/{}", broadcast.id);
    let (publisher, viewer) =
        (server.worker.session_of(ParticipantId(1)).await, server.worker.session_of(ParticipantId(2)).await);
    assert_eq!(server.call(Method::DELETE, &path, &[bearer()], None).await.status, StatusCode::NO_CONTENT);
    for session in [publisher, viewer] {
        assert!(server.worker.all().contains(&Seen::CloseSession(session)), "acknowledged before the answer");
    }
    server.worker.wait(|seen| matches!(seen, Seen::CloseRouter(_)).then_some(())).await;
    let gone = server.call(Method::DELETE, &viewing, &[], None).await;
    assert_eq!((gone.status, gone.text("code").as_str()), (StatusCode::NOT_FOUND, "not-found"));
    assert_eq!(watch(&server, &broadcast).await.status, StatusCode::NOT_FOUND);
    assert_eq!(publish(&server, &broadcast).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(server.get(&path, &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn pages_of_other_sites_may_publish_and_watch() {
    let server = Server::start().await;
    let broadcast = broadcast(&server).await;
    let path = format!("/whep/{}", broadcast.id);
    let origin = ("origin", "https://player.example");
    let preflight = server.send(request(Method::OPTIONS, &path, &[origin], None)).await;
    assert_eq!(preflight.status, StatusCode::NO_CONTENT);
    assert_eq!(preflight.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
    assert!(preflight.header(header::ACCESS_CONTROL_ALLOW_HEADERS).contains("If-Match"));
    assert!(preflight.header(header::ACCESS_CONTROL_ALLOW_METHODS).contains("PATCH"));
    assert_eq!(preflight.header("accept-post"), "application/sdp");
    let answer = sdp(&server, Method::POST, &path, &[origin], fixture("chromium-whep")).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "nobody publishes, but the page was heard");
    assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
}

/// The parameter sets of x264 at 1920 × 1080, as MP4 has them.
const AVC: &[u8] = &[
    1, 0x64, 0, 0x28, 0xff, 0xe1, 0, 26, 0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27, 0xe5, 0x84, 0x00,
    0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc6, 0x58, 1, 0, 2, 0x68, 0xeb,
];

// acceptance: L9
#[tokio::test]
async fn what_left_memory_comes_from_the_disk() {
    let server = Server::start().await;
    let broadcast = broadcast(&server).await;
    let mut input = server.state.live.publish(&broadcast.id, By::Rtmp, false, clock::now()).expect("nobody is there");
    input.expect(Expected { picture: true, sound: false });
    input.handle_format(TrackNumber(0), Config::of_record(Codec::H264, AVC).expect("a record")).expect("a picture");
    for number in 0..900_u64 {
        let (key, unit) = if number % 10 == 0 { (true, 0x65) } else { (false, 0x41) };
        let data = [&[0, 0, 0, 200, unit][..], &[7; 199]].concat().into();
        let frame = Frame { codec: Codec::H264, time: number * 18_000, composition: 0, key, data };
        assert!(input.handle_frame(TrackNumber(0), frame));
    }
    let shown = server.get(&format!("/api/v1/broadcasts/{}", broadcast.id), &[]).await;
    let url = shown.text("rewind_url");
    let path = url.strip_prefix(&server.state.base_url).expect("ours").to_owned();
    let folder = path.strip_suffix("rewind.m3u8").expect("a playlist").to_owned();
    let text = |answer: &Answer| String::from_utf8_lossy(&answer.body).into_owned();
    let offered = text(&server.get(&path, &[]).await);
    let playlist = offered.lines().find(|line| line.ends_with("/rewind-video.m3u8")).expect("a picture");
    let session = playlist.strip_suffix("rewind-video.m3u8").expect("a folder");
    for _ in 0..200 {
        let answer = server.get(&format!("{folder}{playlist}"), &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let text = text(&answer);
        if text.contains("#EXT-X-GAP") {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        }
        let listed: Vec<_> = text.lines().filter(|line| line.ends_with(".m4s")).collect();
        assert!(listed.len() >= 85, "{text}");
        for segment in [listed[0], listed[10], listed[listed.len() - 1]] {
            let request = request(Method::GET, &format!("{folder}{session}{segment}"), &[], None);
            let answer = server.send(request).await;
            assert_eq!((answer.status, answer.header(header::CONTENT_TYPE)), (StatusCode::OK, "video/mp4"));
            assert_eq!(answer.header(header::CONTENT_LENGTH), answer.body.len().to_string());
            assert_eq!(&answer.body[4..8], b"moof", "{segment}");
        }
        return;
    }
    panic!("the disk takes nothing");
}
