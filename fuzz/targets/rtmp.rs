//! A connection that publishes by RTMP: bytes as they come, cut anywhere, and messages that are in order as chunks.

#![no_main]

use fuzz::ingest::rtmp::amf;
use fuzz::ingest::rtmp::chunk::{self, Message, Reader};
use fuzz::ingest::rtmp::session::{Output, Session};
use fuzz::{Input, START};
use libfuzzer_sys::fuzz_target;

/// Bytes of a message.
const BOUND: usize = 4096;
/// Commands, data, control, media, and something that nobody knows.
const KINDS: [u8; 12] = [1, 2, 4, 5, 8, 9, 15, 17, 18, 20, 22, 99];

// acceptance: SEC2
fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let mut session = Session::new(*START, BOUND);
    let choice = input.byte();
    if choice & 1 == 1 {
        let greeting = [&[3][..], &[0; 1536], &[0; 1536]].concat();
        session.handle_bytes(*START, &greeting).expect("a greeting is in order");
    }
    let mut accepted = false;
    let mut sent = 0;
    let mut tags = 0;
    while !input.is_empty() {
        let how = input.byte();
        let piece = if how & 1 == 1 {
            input.bytes().to_vec()
        } else {
            let mut out = Vec::new();
            let (kind, time) = (input.pick(&KINDS), input.word());
            let payload = input.bytes().to_vec();
            let message = Message { kind, stream: 1, time, payload: payload.into() };
            chunk::write(&mut out, 2 + (how >> 4), &message, 128);
            out
        };
        sent += piece.len();
        let mut alive = session.handle_bytes(*START, &piece).is_ok();
        while let Some(output) = session.poll_output() {
            match output {
                Output::Publish { encoder, .. } => {
                    assert!(!accepted && encoder.chars().count() <= 64);
                    if how & 2 == 2 {
                        session.refuse(fuzz::ingest::media::Refused::WrongKey);
                    } else {
                        alive &= session.accept(*START).is_ok();
                        accepted = true;
                    }
                }
                Output::Tag { body, .. } => {
                    assert!(accepted && body.len() <= BOUND, "nothing is taken of whom nobody knows");
                    tags += body.len();
                }
                Output::Send(_) | Output::Encoder(_) | Output::End => {}
            }
        }
        if !alive {
            break;
        }
    }
    assert!(tags <= sent, "more came out than in");
    read_values(bytes);
    read_messages(bytes);
});

/// What is read is written, and read again as the same.
fn read_values(bytes: &[u8]) {
    let Ok(values) = amf::read(bytes) else { return };
    let mut out = Vec::new();
    values.iter().for_each(|value| value.write(&mut out));
    let again = amf::read(&out).expect("we write what we read");
    // Numbers that are none are equal to nothing.
    assert_eq!(format!("{again:?}"), format!("{values:?}"));
}

/// Cut anywhere, the same messages come.
fn read_messages(bytes: &[u8]) {
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut reader = Reader::new(BOUND);
        let mut found = Vec::new();
        for mut piece in pieces {
            loop {
                match reader.handle_bytes(&mut piece) {
                    Ok(Some(message)) => found.push(message),
                    Ok(None) => break,
                    Err(_) => return found,
                }
            }
        }
        found
    };
    assert_eq!(read(&mut std::iter::once(bytes)), read(&mut bytes.chunks(3)));
}
