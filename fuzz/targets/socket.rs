//! WebSocket messages as text: any message alone, and meetings of several sockets in lines. A line is
//! `3 {…}` for a message on socket 3, `-3` for its end, `+500` for milliseconds, `!` for a restart.

#![no_main]

use fuzz::Guests;
use libfuzzer_sys::fuzz_target;
use signaling::ids::ParticipantId;
use signaling::meeting::Entry;
use signaling::protocol::{ClientMessage, Join, ServerMessage};

// acceptance: SEC2
fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = read(text);
    // Pages and bots read these.
    if let Ok(message) = serde_json::from_str::<ServerMessage>(text) {
        let again = serde_json::to_string(&message).expect("serializes");
        assert_eq!(serde_json::from_str::<ServerMessage>(&again).ok(), Some(message), "{again}");
    }
    let mut guests = Guests::new(0, true);
    let mut sockets = [None; 10];
    for line in text.lines() {
        play(&mut guests, &mut sockets, line);
    }
});

fn read(text: &str) -> Option<ClientMessage> {
    let message = serde_json::from_str::<ClientMessage>(text).ok()?;
    let again = serde_json::to_string(&message).expect("serializes");
    assert_eq!(serde_json::from_str::<ClientMessage>(&again).as_ref().ok(), Some(&message), "{again}");
    Some(message)
}

fn play(guests: &mut Guests, sockets: &mut [Option<ParticipantId>; 10], line: &str) {
    if let Some(milliseconds) = line.strip_prefix('+') {
        guests.pass(milliseconds.parse::<u32>().map_or(0, u64::from));
        return;
    }
    if line == "!" {
        guests.restart();
        *sockets = [None; 10];
        return;
    }
    let closes = line.starts_with('-');
    let mut rest = line.trim_start_matches('-').chars();
    let Some(digit) = rest.next().and_then(|first| first.to_digit(10)) else { return };
    let socket = &mut sockets[digit as usize];
    if closes {
        if let Some(who) = socket.take() {
            guests.disconnect(who);
        }
        return;
    }
    match (*socket, read(rest.as_str().trim_start())) {
        (None, Some(ClientMessage::Hello { join, name, .. })) => {
            let taken_up = enter(guests, &join, name.as_deref().unwrap_or_default(), digit);
            if let Some(who) = taken_up {
                // An older socket of the seat is closed without the meeting being told.
                sockets.iter_mut().filter(|other| **other == Some(who)).for_each(|other| *other = None);
                sockets[digit as usize] = Some(who);
            }
        }
        (Some(who), Some(ClientMessage::Command { id, command })) => guests.command(who, id, command),
        _ => {}
    }
}

/// As the server does once it has checked the right.
fn enter(guests: &mut Guests, join: &Join, name: &str, digit: u32) -> Option<ParticipantId> {
    let entry = match join {
        Join::Link { .. } => Entry::Link,
        Join::Number { .. } => Entry::Number,
        Join::Host { .. } => Entry::Host,
        Join::Resume { seat, last_event, .. } => return guests.resume(seat, *last_event).ok(),
    };
    guests.knock(name, entry, Some(format!("browser-{digit}"))).ok()
}
