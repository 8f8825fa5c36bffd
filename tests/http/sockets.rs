//! Sockets that misbehave, and handshakes that are refused.

use crate::person::{Person, handshake, knock_status};
use crate::support::{Server, fixture};
use serde_json::json;
use signaling::ids::Source;
use signaling::protocol::{ClientMessage, Command, Event, Join, Outcome, RefusalCode, SendSlot, ServerMessage};
use std::time::Duration;
use symposia::meetings::rate::Rate;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::http::StatusCode;

fn refused(messages: &[ServerMessage]) -> Option<RefusalCode> {
    messages.iter().find_map(|message| match message {
        ServerMessage::Refused { code, .. } => Some(*code),
        _ => None,
    })
}

// acceptance: SEC8
#[tokio::test]
async fn foreign_origins_and_hosts_open_no_socket() {
    let server = Server::start().await;
    assert_eq!(knock_status(handshake(&server, &[])).await, StatusCode::SWITCHING_PROTOCOLS);
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost.evil.example"] {
        let status = knock_status(handshake(&server, &[("origin", origin)])).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{origin}");
    }
    for host in ["evil.example", "evil.example:8080", "127.0.0.1.evil.example"] {
        let origin = format!("http://{host}");
        let status = knock_status(handshake(&server, &[("host", host), ("origin", &origin)])).await;
        assert_eq!(status, StatusCode::MISDIRECTED_REQUEST, "{host}");
    }
    let mut without = handshake(&server, &[]);
    without.headers_mut().remove("origin");
    assert_eq!(knock_status(without).await, StatusCode::SWITCHING_PROTOCOLS, "a program is no page");
}

#[tokio::test]
async fn another_subprotocol_or_version_is_refused() {
    let server = Server::start().await;
    let status = knock_status(handshake(&server, &[("sec-websocket-protocol", "symposia.v9")])).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let meeting = server.meeting(json!({})).await;
    let join = Join::Link { meeting: meeting.id, token: meeting.token };
    let mut person = Person::connect(&server, "").await;
    person.say(&ClientMessage::Hello { version: 2, join, name: None }).await;
    let (messages, closed) = person.rest().await;
    assert_eq!((refused(&messages), closed), (Some(RefusalCode::UnsupportedVersion), Some(4004)));
}

// acceptance: SEC7
#[tokio::test]
async fn what_is_no_message_of_the_protocol_closes_the_socket() {
    let server = Server::start().await;
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let deep_object = format!("{{\"type\":\"hello\",\"version\":1,\"join\":{}", "{\"a\":".repeat(90_000));
    for text in ["", "no JSON", "{}", "{\"type\":\"nothing\"}", &deep, &deep_object] {
        let mut person = Person::connect(&server, "").await;
        person.say_raw(Message::text(text)).await;
        let (messages, closed) = person.rest().await;
        assert_eq!(refused(&messages), Some(RefusalCode::BadMessage), "{:.40}", text);
        assert_eq!(closed, Some(4004), "{:.40}", text);
    }
    let mut person = Person::connect(&server, "").await;
    person.say(&ClientMessage::Ping { nonce: 1 }).await;
    let (messages, _) = person.rest().await;
    assert_eq!(refused(&messages), Some(RefusalCode::OutOfOrder), "a hello comes first");
    let mut person = Person::connect(&server, "").await;
    person.say_raw(Message::binary(vec![0; 10])).await;
    assert_eq!(person.rest().await, (Vec::new(), Some(4003)));
}

// acceptance: SEC7
#[tokio::test]
async fn a_message_that_is_too_large_closes_the_socket() {
    let server = Server::start().await;
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    let (mut guest, _) = Person::by_link(&server, &meeting, "Gus").await;
    let mut other = Person::host(&server, &meeting).await;
    guest.say_raw(Message::text("x".repeat(600 * 1024))).await;
    let (_, closed) = guest.rest().await;
    assert!(matches!(closed, Some(4003) | None), "{closed:?}");
    assert!(other.ask(Command::SetHand { raised: true }).await.is_ok(), "others notice nothing");
}

// acceptance: SEC7
#[tokio::test]
async fn who_sends_too_fast_is_closed_and_keeps_the_seat() {
    let server = Server::with(|_, bounds| bounds.messages = Rate::new(50, Duration::from_millis(100))).await;
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    let (mut guest, _) = Person::by_link(&server, &meeting, "Gus").await;
    for nonce in 0..200 {
        guest.say(&ClientMessage::Ping { nonce }).await;
    }
    let (messages, closed) = guest.rest().await;
    let pongs = messages.iter().filter(|message| matches!(message, ServerMessage::Pong { .. })).count();
    assert!((45..60).contains(&pongs), "{pongs}");
    assert_eq!((refused(&messages), closed), (Some(RefusalCode::TooMany), Some(4003)));
    let back = Person::join(&server, guest.resume(&meeting), "", "").await;
    assert!(back.is_ok_and(|(back, _)| back.you == guest.you), "the seat is kept");
}

// acceptance: SEC7
#[tokio::test]
async fn a_flood_of_one_client_does_not_keep_others_from_joining() {
    let server = Server::start().await;
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    let floods: Vec<_> = (0..4)
        .map(|_| {
            let request = handshake(&server, &[]);
            let join = Join::Link { meeting: meeting.id.clone(), token: meeting.token.clone() };
            tokio::spawn(async move {
                let mut person = Person::over(request).await;
                let _ = person.hello(join, "Flood").await;
                for nonce in 0..10_000 {
                    person.say(&ClientMessage::Ping { nonce }).await;
                }
                person.rest().await.1
            })
        })
        .collect();
    let joined = tokio::time::timeout(Duration::from_secs(5), Person::by_link(&server, &meeting, "Gus")).await;
    assert!(joined.is_ok());
    for flood in floods {
        let closed = flood.await.expect("no panic");
        assert!(matches!(closed, Some(4003) | None), "the offender is closed: {closed:?}");
    }
}

// acceptance: SEC7
#[tokio::test]
async fn strangers_who_say_nothing_are_counted_and_bounded() {
    let server = Server::with(|_, bounds| bounds.strangers = 3).await;
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    let (_guest, _) = Person::by_link(&server, &meeting, "Gus").await;
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(Person::connect(&server, "").await);
    }
    assert_eq!(knock_status(handshake(&server, &[])).await, StatusCode::TOO_MANY_REQUESTS);
    silent.pop();
    for _ in 0..100 {
        if knock_status(handshake(&server, &[])).await == StatusCode::SWITCHING_PROTOCOLS {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the place was not given back");
}

// acceptance: SEC7, N4
#[tokio::test]
async fn a_stranger_may_wait_for_his_click_while_there_is_room() {
    let server = Server::with(|_, bounds| {
        bounds.strangers = 4;
        bounds.hello = Duration::from_millis(50);
        bounds.standby = Duration::from_secs(3);
    })
    .await;
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    let join = Join::Link { meeting: meeting.id.clone(), token: meeting.token.clone() };
    let mut patient = Person::connect(&server, "").await;
    let silent = Person::connect(&server, "").await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(patient.hello(join, "Ana").await.is_ok(), "half of the places are free");
    let began = symposia::clock::now();
    let mut crowd = vec![silent, Person::connect(&server, "").await, Person::connect(&server, "").await];
    for stranger in &mut crowd {
        let _ = stranger.rest().await;
    }
    let took = symposia::clock::now().saturating_duration_since(began);
    assert!(took < Duration::from_secs(5), "nobody stays for ever: {took:?}");
    assert!(took > Duration::from_secs(1), "who leaves makes room for the rest: {took:?}");
}

// acceptance: N4
#[tokio::test]
async fn an_offer_travels_packed_with_the_hello_and_so_does_its_answer() {
    let server = Server::start().await;
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    let packed = [("sec-websocket-protocol", "symposia.v1.packed, symposia.v1")];
    let mut person = Person::over(handshake(&server, &packed)).await;
    let join = Join::Link { meeting: meeting.id.clone(), token: meeting.token.clone() };
    person.say(&ClientMessage::Hello { version: 1, join: join.clone(), name: Some("Ana".to_owned()) }).await;
    let sends = vec![SendSlot { mid: "0".to_owned(), source: Source::Microphone }];
    let offer = Command::Offer { sdp: fixture("chromium-app"), sends };
    person.say_packed(&ClientMessage::Command { id: 1, command: offer.clone() }).await;
    assert!(matches!(person.next().await, Ok(ServerMessage::Event { event: Event::Welcome { .. }, .. })));
    let answer = person.next().await;
    let Ok(ServerMessage::Reply { id: 1, result: Outcome::Answer { sdp } }) = answer else { panic!("{answer:?}") };
    assert!(sdp.contains("a=ice-lite"));
    // Whoever did not ask for it gets no packed message, and may send none.
    let mut plain = Person::connect(&server, "").await;
    plain.hello(join, "Bo").await.expect("he is let in");
    plain.say_packed(&ClientMessage::Command { id: 1, command: offer }).await;
    assert_eq!(plain.rest().await.1, Some(4003));
}

// acceptance: SEC7
#[tokio::test]
async fn a_client_that_reads_nothing_is_cut_off_and_the_meeting_goes_on() {
    let server = Server::with(|config, bounds| {
        config.limits.chat_per_minute = 6_000_000;
        config.limits.messages_per_second = 100_000;
        bounds.messages = Rate::new(1_000_000, Duration::from_micros(1));
    })
    .await;
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    let mut host = Person::host(&server, &meeting).await;
    // A socket below tungstenite, so that nobody reads what comes.
    let mut stream = TcpStream::connect(server.address).await.expect("a socket");
    let request = format!(
        "GET /api/v1/socket HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: symposia.v1\r\n\r\n",
        server.address
    );
    stream.write_all(request.as_bytes()).await.expect("written");
    let join = Join::Link { meeting: meeting.id.clone(), token: meeting.token.clone() };
    let hello = ClientMessage::Hello { version: 1, join, name: Some("Sloth".to_owned()) };
    let text = serde_json::to_string(&hello).expect("JSON");
    let length = u8::try_from(text.len().min(126)).expect("short").to_be();
    let mut frame = vec![0x81, 0x80 | length];
    if text.len() >= 126 {
        frame.extend(u16::try_from(text.len()).expect("short").to_be_bytes());
    }
    frame.extend([0, 0, 0, 0]);
    frame.extend(text.as_bytes());
    stream.write_all(&frame).await.expect("written");
    let sloth = host.event(|event| match event {
        signaling::protocol::Event::Joined { participant } => Some(participant.id),
        _ => None,
    });
    let sloth = sloth.await;
    let to = signaling::protocol::Audience::Everyone;
    let mut lost = false;
    'writing: for _ in 0..20_000 {
        let result = host.ask(Command::SendChat { to, text: "x".repeat(4_000) }).await;
        if result == Err(RefusalCode::TooMany) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        for message in host.drain_early() {
            if let ServerMessage::Event { event: signaling::protocol::Event::Updated { participant }, .. } = message
                && participant.id == sloth
                && !participant.connected
            {
                lost = true;
                break 'writing;
            }
        }
    }
    assert!(lost, "a client that reads nothing was never cut off");
    assert!(symposia::meetings::counters::SLOW_CLIENTS.value() >= 1);
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await.expect("it ends");
}
