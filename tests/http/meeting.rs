//! People in a meeting: they come, wait, are let in, write, are sent out, lose their line, come back.

use crate::person::Person;
use crate::support::{Server, bearer};
use axum::http::{Method, StatusCode};
use serde_json::json;
use signaling::protocol::{
    Audience, ClientMessage, Command, Event, Join, OutReason, Outcome, RefusalCode, ServerMessage,
};
use std::time::Duration;

fn left_with(messages: &[ServerMessage]) -> Option<OutReason> {
    messages.iter().find_map(|message| match message {
        ServerMessage::Event { event: Event::Out { reason }, .. } => Some(*reason),
        _ => None,
    })
}

// acceptance: M3
#[tokio::test]
async fn somebody_knocks_waits_hears_nothing_and_is_let_in() {
    let server = Server::start().await;
    let meeting = server.meeting(json!({"title": "Physics"})).await;
    let mut host = Person::host(&server, &meeting).await;
    let (mut guest, event) = Person::by_link(&server, &meeting, "Gus").await;
    let Event::Waiting { meeting: info, host_present, .. } = event else { panic!("{event:?}") };
    assert!(host_present && info.title == "Physics" && info.join_url.is_none());

    let person = host.event(|event| match event {
        Event::Knocked { person } => Some(person.clone()),
        _ => None,
    });
    let person = person.await;
    assert_eq!((person.name.as_str(), person.id), ("Gus", guest.you));
    let chat = Command::SendChat { to: Audience::Everyone, text: "before you".to_owned() };
    host.ask(chat).await.expect("a host writes");
    assert_eq!(guest.within(Duration::from_millis(200)).await, [], "who waits hears nothing");
    assert_eq!(guest.ask(Command::SetHand { raised: true }).await, Err(RefusalCode::NotAdmitted));

    host.ask(Command::Admit { participant: guest.you }).await.expect("a host admits");
    let (participants, chat) = guest
        .event(|event| match event {
            Event::Welcome { participants, chat, .. } => Some((participants.len(), chat.len())),
            _ => None,
        })
        .await;
    assert_eq!((participants, chat), (2, 0), "the chat from before is not his");

    let chat = Command::SendChat { to: Audience::Everyone, text: "hello".to_owned() };
    assert_eq!(guest.ask(chat).await, Ok(Outcome::Done));
    let text = host.event(|event| match event {
        Event::Chat { message } if message.text == "hello" => Some(message.name.clone()),
        _ => None,
    });
    assert_eq!(text.await, "Gus");
}

// acceptance: M5
#[tokio::test]
async fn who_is_removed_is_out_and_may_knock_again_unless_banned() {
    let server = Server::start().await;
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    let mut host = Person::host(&server, &meeting).await;
    let join = || Join::Link { meeting: meeting.id.clone(), token: meeting.token.clone() };
    let cookie = "symposia_browser=0123456789abcdef0123456789abcdef";
    for (ban, reason, again) in
        [(false, OutReason::Removed, Ok(())), (true, OutReason::Banned, Err(RefusalCode::Banned))]
    {
        let (mut guest, _) = Person::join(&server, join(), "Gus", cookie).await.expect("he may come");
        host.ask(Command::Remove { participant: guest.you, ban }).await.expect("a host removes");
        let (messages, closed) = guest.rest().await;
        assert_eq!((left_with(&messages), closed), (Some(reason), Some(4000)));
        let resumed = Person::join(&server, guest.resume(&meeting), "", cookie).await.map(|_| ());
        let gone = if ban { RefusalCode::Banned } else { RefusalCode::SeatGone };
        assert_eq!(resumed, Err(gone), "the seat's secret opens nothing");
        let knocked = Person::join(&server, join(), "Gus", cookie).await.map(|_| ());
        assert_eq!(knocked, again);
    }
}

// acceptance: SEC8
#[tokio::test]
async fn a_ban_outlives_the_server_and_a_lock_too() {
    let server = Server::start().await;
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    let mut host = Person::host(&server, &meeting).await;
    let join = || Join::Link { meeting: meeting.id.clone(), token: meeting.token.clone() };
    let cookie = "symposia_browser=0123456789abcdef0123456789abcdef";
    let (guest, _) = Person::join(&server, join(), "Gus", cookie).await.expect("he may come");
    let (mut other, welcome) = Person::join(&server, join(), "Olga", "").await.expect("she may come");
    host.ask(Command::Remove { participant: guest.you, ban: true }).await.expect("a host bans");
    let Event::Welcome { mut policy, .. } = welcome else { panic!("{welcome:?}") };
    policy.locked = true;
    host.ask(Command::SetPolicy { policy }).await.expect("a host locks");
    other.ask(Command::SetHand { raised: true }).await.expect("she raises her hand");

    let server = server.restart().await;
    let (messages, closed) = other.rest().await;
    assert_eq!((left_with(&messages), closed), (Some(OutReason::ServerStopping), Some(4005)));
    let refused = Person::join(&server, join(), "Gus", cookie).await.map(|_| ());
    assert_eq!(refused, Err(RefusalCode::Banned));
    let refused = Person::join(&server, join(), "Nils", "").await.map(|_| ());
    assert_eq!(refused, Err(RefusalCode::MeetingLocked));
    let (_, event) = Person::join(&server, other.resume(&meeting), "", "").await.expect("her seat was kept");
    let Event::Welcome { you, participants, .. } = event else { panic!("{event:?}") };
    assert_eq!(you, other.you);
    let olga = participants.iter().find(|participant| participant.id == you).expect("she is there");
    assert!(olga.hand_raised_at.is_some());
}

// acceptance: M8
#[tokio::test]
async fn a_lost_line_keeps_the_seat_and_what_was_missed_is_told() {
    let server = Server::start().await;
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    let mut host = Person::host(&server, &meeting).await;
    let (guest, _) = Person::by_link(&server, &meeting, "Gus").await;
    let (you, join, last_event) = (guest.you, guest.resume_where_left(&meeting), guest.last_event);
    guest.drop_line().await;
    let connected = host.event(|event| match event {
        Event::Updated { participant } if participant.id == you => Some(participant.connected),
        _ => None,
    });
    assert!(!connected.await);
    let chat = Command::SendChat { to: Audience::Everyone, text: "missed".to_owned() };
    host.ask(chat).await.expect("a host writes");

    let mut guest = Person::connect(&server, "").await;
    guest.you = you;
    guest.say(&ClientMessage::Hello { version: 1, join, name: None }).await;
    let missed = guest.event(|event| match event {
        Event::Chat { message } => Some(message.text.clone()),
        Event::Welcome { .. } => panic!("everything afresh although little was missed"),
        _ => None,
    });
    assert_eq!(missed.await, "missed");
    assert!(guest.last_event > last_event);
}

#[tokio::test]
async fn a_newer_connection_of_a_seat_replaces_the_older() {
    let server = Server::start().await;
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    let (mut first, _) = Person::by_link(&server, &meeting, "Gus").await;
    let (mut second, event) = Person::join(&server, first.resume(&meeting), "", "").await.expect("the seat is his");
    assert!(matches!(event, Event::Welcome { you, .. } if you == first.you));
    let (messages, closed) = first.rest().await;
    assert_eq!((left_with(&messages), closed), (Some(OutReason::Replaced), Some(4001)));
    assert_eq!(second.ask(Command::SetHand { raised: true }).await, Ok(Outcome::Done), "the newer one works");
}

#[tokio::test]
async fn a_command_sent_twice_is_carried_out_once() {
    let server = Server::start().await;
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    let mut host = Person::host(&server, &meeting).await;
    let chat = Command::SendChat { to: Audience::Everyone, text: "once".to_owned() };
    assert_eq!(host.ask_as(7, chat.clone()).await, Ok(Outcome::Done));
    assert_eq!(host.ask_as(7, chat).await, Ok(Outcome::Done));
    let messages = host.within(Duration::from_millis(200)).await;
    let chats =
        messages.iter().filter(|message| matches!(message, ServerMessage::Event { event: Event::Chat { .. }, .. }));
    assert_eq!(chats.count(), 1);
}

#[tokio::test]
async fn a_meeting_ended_by_rest_is_over_for_everybody() {
    let server = Server::start().await;
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    let (mut guest, _) = Person::by_link(&server, &meeting, "Gus").await;
    let path = format!("/api/v1/meetings/{}", meeting.id);
    let shown = server.get(&path, &[bearer()]).await.json();
    assert_eq!((&shown["live"], &shown["participants"]), (&json!(true), &json!(1)));
    let cookie = server.host_cookie(&meeting).await;
    let ended = server.call(Method::DELETE, &path, &[("cookie", &cookie)], None).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT, "{ended:?}");
    let (messages, closed) = guest.rest().await;
    assert_eq!((left_with(&messages), closed), (Some(OutReason::Ended), Some(4000)));
    let join = Join::Link { meeting: meeting.id.clone(), token: meeting.token.clone() };
    assert_eq!(Person::join(&server, join, "Gus", "").await.map(|_| ()), Err(RefusalCode::MeetingEnded));
    assert!(server.state.directory.is_empty());
}

// acceptance: M2
#[tokio::test]
async fn a_host_ends_the_meeting_and_its_number_opens_nothing() {
    let server = Server::start().await;
    let meeting = server.meeting(json!({})).await;
    let mut host = Person::host(&server, &meeting).await;
    assert_eq!(host.ask(Command::End).await, Ok(Outcome::Done));
    let (messages, _) = host.rest().await;
    assert_eq!(left_with(&messages), Some(OutReason::Ended));
    let join = Join::Number { number: meeting.number.clone(), passcode: None };
    assert_eq!(Person::join(&server, join, "Gus", "").await.map(|_| ()), Err(RefusalCode::MeetingEnded));
    let shown = server.get(&format!("/api/v1/meetings/{}", meeting.id), &[bearer()]).await.json();
    assert!(shown["ended_at"].is_u64());
}

// acceptance: M2
#[tokio::test]
async fn a_number_with_its_passcode_leads_to_the_waiting_room() {
    let server = Server::start().await;
    let meeting = server.meeting(json!({"passcode": "4711", "waiting_room": false})).await;
    let spaced = format!("{} {}-{}", &meeting.number[..3], &meeting.number[3..6], &meeting.number[6..]);
    let join = Join::Number { number: spaced, passcode: Some("4711".to_owned()) };
    let (_, event) = Person::join(&server, join, "Gus", "").await.expect("both are right");
    assert!(matches!(event, Event::Waiting { .. }), "a number is no secret: {event:?}");
}

// acceptance: D1
#[tokio::test]
async fn while_draining_nobody_new_comes_in_and_who_has_a_seat_comes_back() {
    let server = Server::start().await;
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    let (guest, _) = Person::by_link(&server, &meeting, "Gus").await;
    server.state.drain();
    let join = Join::Link { meeting: meeting.id.clone(), token: meeting.token.clone() };
    assert_eq!(Person::join(&server, join, "Nils", "").await.map(|_| ()), Err(RefusalCode::Draining));
    let join = guest.resume(&meeting);
    guest.drop_line().await;
    let mut back = Person::connect(&server, "").await;
    back.say(&ClientMessage::Hello { version: 1, join, name: None }).await;
    assert!(back.ask(Command::SetHand { raised: true }).await.is_ok());
}

// acceptance: M5
#[tokio::test]
async fn nobody_comes_in_after_the_lock_is_acknowledged() {
    let server = Server::start().await;
    let meeting = server.meeting(json!({"waiting_room": false})).await;
    let mut host = Person::host(&server, &meeting).await;
    let joins: Vec<_> = (0..40)
        .map(|n| {
            let join = Join::Link { meeting: meeting.id.clone(), token: meeting.token.clone() };
            let request = crate::person::handshake(&server, &[]);
            tokio::spawn(async move {
                let mut person = Person::over(request).await;
                let result = person.hello(join, &format!("Guest {n}")).await.map(|_| ());
                (person, result)
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let policy = symposia::meetings::stored::default_policy();
    let policy = signaling::protocol::Policy { waiting_room: false, locked: true, ..policy };
    host.ask(Command::SetPolicy { policy }).await.expect("a host locks");
    let inside = server.state.directory.describe(&meeting.id).await.expect("live").counts.admitted;
    let mut people = Vec::new();
    let mut let_in = 0;
    for join in joins {
        let (person, result) = join.await.expect("no panic");
        assert!(matches!(result, Ok(()) | Err(RefusalCode::MeetingLocked)), "{result:?}");
        let_in += usize::from(result.is_ok());
        people.push(person);
    }
    let later = server.state.directory.describe(&meeting.id).await.expect("live").counts.admitted;
    assert_eq!((later, let_in), (inside, inside - 1), "the host is the one more");
}
