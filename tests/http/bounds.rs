//! What strangers may ask of the control side is bounded by the settings.

use crate::person::Person;
use crate::support::{Server, bearer, fixture};
use axum::http::StatusCode;
use serde_json::json;
use signaling::ids::Source;
use signaling::protocol::{Audience, Command, Outcome, RefusalCode, SendSlot};
use symposia::config::Limits;
use symposia::http::limits::Bounds;

/// A server with these bounds.
async fn bounded(change: impl FnOnce(&mut Limits)) -> Server {
    Server::with(|config, bounds| {
        change(&mut config.limits);
        *bounds = Bounds::from(&config.limits);
    })
    .await
}

async fn host(server: &Server) -> Person {
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    Person::host(server, &meeting).await
}

fn offer(sources: &[(&str, Source)]) -> Command {
    let sends = sources.iter().map(|(mid, source)| SendSlot { mid: (*mid).to_owned(), source: *source }).collect();
    Command::Offer { sdp: fixture("chromium-app"), sends }
}

#[tokio::test]
async fn tracks_of_a_session() {
    let server = bounded(|limits| limits.tracks = 1).await;
    let mut host = host(&server).await;
    let two = offer(&[("0", Source::Microphone), ("1", Source::Camera)]);
    assert_eq!(host.ask(two).await, Err(RefusalCode::TooMany));
    assert!(matches!(host.ask(offer(&[("0", Source::Microphone)])).await, Ok(Outcome::Answer { .. })));
}

#[tokio::test]
async fn sections_of_an_offer() {
    let mut host = host(&bounded(|limits| limits.sections = 3).await).await;
    assert_eq!(host.ask(offer(&[("0", Source::Microphone)])).await, Err(RefusalCode::BadOffer));
}

#[tokio::test]
async fn offers_of_a_session() {
    let mut host = host(&bounded(|limits| limits.renegotiations_per_minute = 2).await).await;
    for _ in 0..2 {
        assert!(matches!(host.ask(offer(&[("0", Source::Microphone)])).await, Ok(Outcome::Answer { .. })));
    }
    assert_eq!(host.ask(offer(&[("0", Source::Microphone)])).await, Err(RefusalCode::TooMany));
}

#[tokio::test]
async fn characters_of_a_chat_message_and_messages_of_a_participant() {
    let server = bounded(|limits| {
        limits.chat_characters = 5;
        limits.chat_per_minute = 12;
    });
    let mut host = host(&server.await).await;
    let mut say = async |text: &str| {
        host.ask(Command::SendChat { to: Audience::Everyone, text: text.to_owned() }).await.map(|_| ())
    };
    assert_eq!(say("sixsix").await, Err(RefusalCode::BadText));
    assert_eq!(say("fünf5").await, Ok(()));
    // A sixth of a minute's at once; who asks too often is told so.
    let mut refused = Vec::new();
    for _ in 0..4 {
        refused.extend(say("again").await.err());
    }
    assert!(!refused.is_empty() && refused.iter().all(|code| *code == RefusalCode::TooMany), "{refused:?}");
}

#[tokio::test]
async fn meetings_made_by_an_address() {
    let server = bounded(|limits| limits.creations_per_minute_per_address = 2).await;
    for _ in 0..2 {
        server.meeting(json!({})).await;
    }
    let third = server.post("/api/v1/meetings", &[bearer()], json!({})).await;
    assert_eq!(third.status, StatusCode::TOO_MANY_REQUESTS, "{third:?}");
}

#[tokio::test]
async fn bytes_of_a_body_and_of_an_offer() {
    let server = bounded(|limits| {
        limits.body_bytes = 4_096;
        limits.offer_bytes = 4_096;
    })
    .await;
    let large = server.post("/api/v1/meetings", &[bearer()], json!({"title": "x".repeat(5_000)})).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE, "{large:?}");
    let made = server.post("/api/v1/broadcasts", &[bearer()], json!({"title": "Concert"})).await;
    let path = format!("/whip/{}", made.text("stream_key"));
    let offer = axum::http::Request::post(path).header("content-type", "application/sdp");
    let large = server.send(offer.body("x".repeat(5_000).into()).expect("a request")).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE, "{large:?}");
}

#[tokio::test]
async fn bits_of_an_encoder() {
    let server = bounded(|limits| limits.encoder_bits_per_second = 1_234_000).await;
    let made = server.post("/api/v1/broadcasts", &[bearer()], json!({"title": "Concert"})).await;
    let path = format!("/whip/{}", made.text("stream_key"));
    let offer = axum::http::Request::post(path).header("content-type", "application/sdp");
    let answer = server.send(offer.body(fixture("chromium-whip").into()).expect("a request")).await;
    let sdp = String::from_utf8_lossy(&answer.body);
    assert!(sdp.contains("b=TIAS:1234000") || sdp.contains("b=AS:1234"), "{sdp}");
}
