//! Links, cookies, numbers and passcodes that are wrong, forged, expired or of another meeting.

use crate::person::Person;
use crate::support::{Server, bearer, request};
use axum::http::{Method, StatusCode, header};
use serde_json::json;
use signaling::ids::Millis;
use signaling::protocol::{Join, RefusalCode};
use std::time::{Duration, Instant};
use symposia::clock;
use symposia::meetings::rate::Rate;
use symposia::meetings::stored::StoredSettings;

async fn refusal(server: &Server, join: Join, cookies: &str) -> Option<RefusalCode> {
    Person::join(server, join, "Mallory", cookies).await.err()
}

// acceptance: SEC8
#[tokio::test]
async fn tokens_that_are_forged_or_of_another_meeting_open_nothing() {
    let server = Server::start().await;
    let (ours, other) = (server.meeting(json!({})).await, server.meeting(json!({})).await);
    let link = |meeting: &str, token: &str| Join::Link { meeting: meeting.to_owned(), token: token.to_owned() };
    for (meeting, token) in [
        (ours.id.as_str(), other.token.as_str()),
        (&ours.id, ""),
        (&ours.id, &ours.host_secret),
        (&ours.id, &ours.token[..31]),
        ("", &ours.token),
        ("' OR 1=1 --", "' OR 1=1 --"),
        (&ours.id, "eyJhbGciOiJub25lIn0.eyJyb2xlIjoiaG9zdCJ9."),
    ] {
        assert_eq!(refusal(&server, link(meeting, token), "").await, Some(RefusalCode::WrongLink), "{meeting} {token}");
    }
    let long = "x".repeat(100_000);
    assert_eq!(refusal(&server, link(&long, &long), "").await, Some(RefusalCode::WrongLink));

    let host = |meeting: &str| Join::Host { meeting: meeting.to_owned() };
    let cookie = server.host_cookie(&other).await;
    assert_eq!(refusal(&server, host(&ours.id), &cookie).await, Some(RefusalCode::WrongLink), "another meeting's");
    let renamed = cookie.replace(&other.id, &ours.id);
    assert_eq!(refusal(&server, host(&ours.id), &renamed).await, Some(RefusalCode::WrongLink), "renamed");
    assert_eq!(refusal(&server, host(&ours.id), "").await, Some(RefusalCode::WrongLink));
    assert_eq!(refusal(&server, host(&other.id), &cookie).await, None, "its own");

    let record = server.state.store.meeting_by_id(&ours.id).await.expect("a store").expect("a meeting");
    let settings = StoredSettings::read(&record.settings);
    let expired = settings.host_cookie((&ours.id, 0), Millis(clock::unix().0 - 8 * 24 * 3_600_000));
    let expired = format!("symposia_host_{}={expired}", ours.id);
    assert_eq!(refusal(&server, host(&ours.id), &expired).await, Some(RefusalCode::WrongLink), "expired");

    let path = format!("/api/v1/meetings/{}/host", ours.id);
    for secret in [other.host_secret.as_str(), &ours.token, ""] {
        let answer = server.post(&path, &[], json!({"secret": secret})).await;
        assert_eq!((answer.status, answer.text("code").as_str()), (StatusCode::NOT_FOUND, "wrong-link"));
        assert!(!answer.headers.contains_key(header::SET_COOKIE));
    }
}

// acceptance: SEC8
#[tokio::test]
async fn a_seat_of_one_meeting_opens_no_other() {
    let server = Server::start().await;
    let (ours, other) = (server.meeting(json!({})).await, server.meeting(json!({})).await);
    let (person, _) = Person::by_link(&server, &ours, "Gus").await;
    let (_other, _) = Person::by_link(&server, &other, "Olga").await;
    assert_eq!(refusal(&server, person.resume(&other), "").await, Some(RefusalCode::SeatGone));
    let forged = |seat: &str| Join::Resume { meeting: ours.id.clone(), seat: seat.to_owned(), last_event: 1 };
    for seat in ["", "1", &person.seat[..31], &ours.token] {
        assert_eq!(refusal(&server, forged(seat), "").await, Some(RefusalCode::SeatGone), "{seat}");
    }
    assert_eq!(refusal(&server, person.resume(&ours), "").await, None);
}

// acceptance: SEC8
#[tokio::test]
async fn api_tokens_and_foreign_pages_are_refused_everywhere() {
    let server = Server::start().await;
    for token in
        ["Bearer dev", "Bearer ", "Basic YTpi", "Bearer a-token-of-the-api-for-test", "a-token-of-the-api-for-tests"]
    {
        let answer = server.post("/api/v1/meetings", &[("authorization", token)], json!({})).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{token}");
    }
    for origin in ["https://evil.example", "null"] {
        let answer = server.post("/api/v1/meetings", &[bearer(), ("origin", origin)], json!({})).await;
        assert_eq!((answer.status, answer.text("code").as_str()), (StatusCode::FORBIDDEN, "foreign-origin"));
        let answer = server.post("/api/v1/sign-out", &[("origin", origin)], json!({})).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    for path in ["/", "/api/v1/me", "/healthz", "/whep/x"] {
        let answer = server.get(path, &[("host", "evil.example")]).await;
        assert_eq!((answer.status, answer.text("code").as_str()), (StatusCode::MISDIRECTED_REQUEST, "foreign-host"));
    }
}

// acceptance: SEC9
#[tokio::test]
async fn a_missing_number_and_a_wrong_passcode_answer_alike() {
    let server = Server::with(|_, bounds| {
        bounds.guesses_by_address = Rate::per_minute(1_000);
        bounds.guesses_by_number = Rate::per_minute(1_000);
        bounds.guesses_in_all = Rate::per_minute(1_000);
    })
    .await;
    let meeting = server.meeting(json!({"passcode": "4711"})).await;
    let number = |number: &str, passcode: Option<&str>| Join::Number {
        number: number.to_owned(),
        passcode: passcode.map(str::to_owned),
    };
    let missing = if meeting.number == "123456789" { "123456788" } else { "123456789" };
    let mut times = [Vec::new(), Vec::new()];
    let mut answers = Vec::new();
    for round in 0..15 {
        for (at, guess) in
            [number(missing, Some("0000")), number(&meeting.number, Some("0000"))].into_iter().enumerate()
        {
            let mut person = Person::connect(&server, "").await;
            let start: Instant = clock::now();
            let hello =
                signaling::protocol::ClientMessage::Hello { version: 1, join: guess, name: Some("M".to_owned()) };
            person.say(&hello).await;
            let (messages, closed) = person.rest().await;
            if round > 0 {
                times[at].push(clock::now() - start);
            }
            answers.push((format!("{messages:?}"), closed));
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    // The work is the same; what is left is the noise of the machine, which a median bears.
    let [missing_took, wrong_took] = times.map(|mut times| {
        times.sort();
        times[times.len() / 2]
    });
    let (less, more) = (missing_took.min(wrong_took), missing_took.max(wrong_took));
    assert!(more < less * 3 + Duration::from_millis(5), "missing {missing_took:?}, wrong {wrong_took:?}");

    for guess in [
        number(&meeting.number, None),
        number("", None),
        number("12345678", Some("4711")),
        number("1234567890", Some("4711")),
        number("+23456789", Some("4711")),
        number(&"9".repeat(10_000), Some(&"x".repeat(10_000))),
        number(&meeting.number, Some("4711 ")),
    ] {
        assert_eq!(refusal(&server, guess, "").await, Some(RefusalCode::WrongNumberOrPasscode));
    }
    assert_eq!(refusal(&server, number(&meeting.number, Some("4711")), "").await, None);
}

// acceptance: SEC9
#[tokio::test]
async fn guessing_is_limited_for_an_address_and_for_a_number() {
    let server = Server::with(|_, bounds| bounds.guesses_by_address = Rate::per_minute(5)).await;
    let meeting = server.meeting(json!({"passcode": "4711"})).await;
    let guess = |n: u32| Join::Number { number: format!("{}", 100_000_000 + n), passcode: None };
    let mut codes = Vec::new();
    for n in 0..8 {
        codes.push(refusal(&server, guess(n), "").await);
    }
    assert_eq!(codes[..5], [Some(RefusalCode::WrongNumberOrPasscode); 5]);
    assert_eq!(codes[5..], [Some(RefusalCode::TooMany); 3]);
    let right = Join::Number { number: meeting.number.clone(), passcode: Some("4711".to_owned()) };
    assert_eq!(refusal(&server, right, "").await, Some(RefusalCode::TooMany), "also when the next guess is right");

    let server = Server::with(|_, bounds| {
        bounds.guesses_by_address = Rate::per_minute(1_000);
        bounds.guesses_by_number = Rate::per_minute(5);
    })
    .await;
    let meeting = server.meeting(json!({"passcode": "4711"})).await;
    let wrong = || Join::Number { number: meeting.number.clone(), passcode: Some("0000".to_owned()) };
    for _ in 0..5 {
        assert_eq!(refusal(&server, wrong(), "").await, Some(RefusalCode::WrongNumberOrPasscode));
    }
    assert_eq!(refusal(&server, wrong(), "").await, Some(RefusalCode::TooMany));
    let missing = || Join::Number { number: "987654321".to_owned(), passcode: None };
    for _ in 0..5 {
        assert_eq!(refusal(&server, missing(), "").await, Some(RefusalCode::WrongNumberOrPasscode));
    }
    assert_eq!(refusal(&server, missing(), "").await, Some(RefusalCode::TooMany), "a missing number is limited alike");
}

// acceptance: SEC9
#[tokio::test]
async fn joins_of_one_address_are_limited() {
    let server = Server::with(|_, bounds| bounds.joins = Rate::per_minute(3)).await;
    let meeting = server.meeting(json!({})).await;
    let join = || Join::Link { meeting: meeting.id.clone(), token: "wrong".to_owned() };
    for _ in 0..3 {
        assert_eq!(refusal(&server, join(), "").await, Some(RefusalCode::WrongLink));
    }
    assert_eq!(refusal(&server, join(), "").await, Some(RefusalCode::TooMany));
}

#[tokio::test]
async fn making_meetings_is_limited_for_one_address() {
    let server = Server::with(|_, bounds| bounds.creations = Rate::per_minute(2)).await;
    let statuses = [201, 201, 429];
    for status in statuses {
        let answer = server.send(request(Method::POST, "/api/v1/meetings", &[bearer()], Some(json!({})))).await;
        assert_eq!(answer.status.as_u16(), status);
    }
}
