//! Tests of a connection without a socket.

use super::*;
use proptest::prelude::*;

/// An encoder as OBS and ffmpeg are ones, as far as bytes go.
struct Encoder {
    session: Session,
    now: Instant,
    outputs: Vec<Output>,
}

fn instant() -> Instant {
    crate::clock::now()
}

impl Encoder {
    fn new() -> Self {
        let now = instant();
        Self { session: Session::new(now, 1 << 20), now, outputs: Vec::new() }
    }

    fn greeted() -> Self {
        let mut encoder = Self::new();
        encoder.give(&[3]).unwrap();
        encoder.give(&[7; GREETING]).unwrap();
        let Some(Output::Send(answer)) = encoder.outputs.first() else { panic!("{:?}", encoder.outputs) };
        assert_eq!((answer.len(), answer[0], &answer[1 + GREETING..]), (1 + 2 * GREETING, 3, &[7; GREETING][..]));
        encoder.give(&[0; GREETING]).unwrap();
        encoder.outputs.clear();
        encoder
    }

    fn give(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        let result = self.session.handle_bytes(self.now, bytes);
        self.outputs.extend(std::iter::from_fn(|| self.session.poll_output()));
        result
    }

    fn message(&mut self, kind: u8, time: u32, payload: Vec<u8>) -> Result<(), Malformed> {
        let mut bytes = Vec::new();
        chunk::write(&mut bytes, 4, &Message { kind, stream: 1, time, payload: payload.into() }, 128);
        self.give(&bytes)
    }

    fn command(&mut self, values: &[Value]) -> Result<(), Malformed> {
        let mut payload = Vec::new();
        values.iter().for_each(|value| value.write(&mut payload));
        self.message(COMMAND, 0, payload)
    }

    fn connect(&mut self, app: &str) {
        let about = Value::object([("app", Value::text(app)), ("flashVer", Value::text("FMLE/3.0"))]);
        self.command(&[Value::text("connect"), Value::Number(1.0), about]).unwrap();
        self.command(&[Value::text("createStream"), Value::Number(4.0), Value::Null]).unwrap();
    }

    fn publish(&mut self, name: &str) -> Option<String> {
        self.command(&[
            Value::text("publish"),
            Value::Number(5.0),
            Value::Null,
            Value::text(name),
            Value::text("live"),
        ])
        .unwrap();
        self.outputs.iter().find_map(|output| match output {
            Output::Publish { key, .. } => Some(key.clone()),
            _ => None,
        })
    }

    /// The commands that came back: name and last value.
    fn answers(&self) -> Vec<(String, Value)> {
        let mut reader = Reader::new(1 << 20);
        reader.set_size(chunk::OUR_SIZE as u32).unwrap();
        let mut found = Vec::new();
        for output in &self.outputs {
            let Output::Send(bytes) = output else { continue };
            let mut bytes = bytes.as_slice();
            while let Some(message) = reader.handle_bytes(&mut bytes).unwrap() {
                if message.kind == COMMAND {
                    let values = amf::read(&message.payload).unwrap();
                    found.push((values[0].as_text().unwrap().to_owned(), values.last().unwrap().clone()));
                }
            }
        }
        found
    }

    fn code(&self) -> String {
        let answers = self.answers();
        answers.last().unwrap().1.member("code").and_then(Value::as_text).unwrap().to_owned()
    }
}

#[test]
fn an_encoder_connects_publishes_and_stops() {
    let mut encoder = Encoder::greeted();
    encoder.connect("live");
    let names: Vec<_> = encoder.answers().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["_result", "_result"]);
    assert_eq!(encoder.publish("0123").as_deref(), Some("0123"));
    // Nothing is taken before the key was looked at.
    encoder.message(SOUND, 5, vec![1, 2]).unwrap();
    assert!(!encoder.outputs.iter().any(|output| matches!(output, Output::Tag { .. })));
    encoder.session.accept(encoder.now).unwrap();
    encoder.message(SOUND, 7, vec![3; 300]).unwrap();
    let early = Output::Tag { sound: true, time: 5, body: Bytes::from_static(&[1, 2]) };
    assert!(encoder.outputs.contains(&early), "not all wait for the answer");
    encoder.outputs.retain(|output| *output != early);
    assert_eq!(encoder.code(), "NetStream.Publish.Start");
    let tag = Output::Tag { sound: true, time: 7, body: Bytes::from(vec![3; 300]) };
    assert_eq!(encoder.outputs.pop(), Some(tag));
    let about = Value::object([("encoder", Value::text("obs\u{1}-output"))]);
    let mut payload = Vec::new();
    for value in [Value::text("@setDataFrame"), Value::text("onMetaData"), about] {
        value.write(&mut payload);
    }
    encoder.message(DATA, 0, payload).unwrap();
    assert_eq!(encoder.outputs.pop(), Some(Output::Encoder("obs-output".to_owned())));
    encoder.command(&[Value::text("deleteStream"), Value::Number(6.0), Value::Null, Value::Number(1.0)]).unwrap();
    assert_eq!(encoder.outputs.pop(), Some(Output::End));
    encoder.message(SOUND, 9, vec![1]).unwrap();
    assert!(!matches!(encoder.outputs.pop(), Some(Output::Tag { .. })));
}

#[test]
fn the_key_is_the_last_part_of_the_address() {
    let key = |app: &str, name: &str| {
        let mut encoder = Encoder::greeted();
        encoder.connect(app);
        encoder.publish(name).unwrap()
    };
    assert_eq!(key("live", "0123"), "0123");
    assert_eq!(key("live", "0123?backup=1"), "0123");
    assert_eq!(key("0123", ""), "0123");
    assert_eq!(key("live/0123", ""), "0123");
    assert_eq!(key("live/0123/", ""), "0123");
    assert_eq!(key("", ""), "");
}

#[test]
fn the_refused_are_told_why() {
    for (why, code) in [
        (Refused::WrongKey, "NetStream.Publish.Denied"),
        (Refused::Busy, "NetStream.Publish.BadName"),
        (Refused::Unavailable, "NetStream.Publish.Rejected"),
    ] {
        let mut encoder = Encoder::greeted();
        encoder.connect("live");
        encoder.publish("0123");
        encoder.session.refuse(why);
        encoder.give(&[]).unwrap();
        assert_eq!(encoder.code(), code);
        encoder.message(SOUND, 0, vec![1]).unwrap();
        assert!(!encoder.outputs.iter().any(|output| matches!(output, Output::Tag { .. })));
    }
}

#[test]
fn whoever_wants_to_watch_is_told_that_nobody_can() {
    let mut encoder = Encoder::greeted();
    encoder.connect("live");
    encoder.command(&[Value::text("play"), Value::Number(5.0), Value::Null, Value::text("x")]).unwrap();
    assert_eq!(encoder.code(), "NetStream.Play.StreamNotFound");
    assert_eq!(encoder.outputs.last(), Some(&Output::End));
}

// acceptance: SEC7
#[test]
fn patience_ends() {
    let mut encoder = Encoder::new();
    assert_eq!(encoder.session.poll_timeout(), encoder.now + UNTIL_PUBLISH);
    encoder.give(&[3; 100]).unwrap();
    encoder.now += UNTIL_PUBLISH;
    assert_eq!(encoder.give(&[3]), Err(Malformed::Late), "bytes do not buy time");

    let mut encoder = Encoder::greeted();
    encoder.connect("live");
    encoder.publish("0123");
    encoder.session.accept(encoder.now).unwrap();
    for _ in 0..5 {
        encoder.now += SILENCE / 2;
        encoder.message(PICTURE, 0, vec![1]).unwrap();
    }
    encoder.now += SILENCE;
    assert_eq!(encoder.session.handle_timeout(encoder.now), Err(Malformed::Late));
}

#[test]
fn strangers_have_little_room() {
    assert_eq!(Encoder::new().give(&[6]), Err(Malformed::Version));
    let mut encoder = Encoder::greeted();
    assert_eq!(encoder.message(COMMAND, 0, vec![5; STRANGERS_BOUND + 1]), Err(Malformed::TooLong));
    let mut encoder = Encoder::greeted();
    let nothing = [Value::text("nothing"), Value::Number(0.0)];
    for _ in 0..MOST_COMMANDS {
        encoder.command(&nothing).unwrap();
    }
    assert_eq!(encoder.command(&nothing), Err(Malformed::TooLong));
    let mut encoder = Encoder::greeted();
    assert_eq!(encoder.command(&[Value::Null]), Err(Malformed::Amf));
    assert_eq!(Encoder::greeted().message(SET_CHUNK_SIZE, 0, vec![1]), Err(Malformed::Control));
}

#[test]
fn pings_are_answered_and_bytes_acknowledged() {
    let mut encoder = Encoder::greeted();
    encoder.message(USER_CONTROL, 0, vec![0, 6, 1, 2, 3, 4]).unwrap();
    let Some(Output::Send(pong)) = encoder.outputs.pop() else { panic!() };
    assert!(pong.ends_with(&[0, 7, 1, 2, 3, 4]));
    encoder.message(WINDOW_SIZE, 0, 5000_u32.to_be_bytes().to_vec()).unwrap();
    encoder.message(99, 0, vec![0; 5000]).unwrap();
    let Some(Output::Send(acknowledgement)) = encoder.outputs.pop() else { panic!() };
    assert_eq!(acknowledgement[acknowledgement.len() - 4..], encoder.session.received.to_be_bytes());
}

proptest! {
    #[test]
    fn no_bytes_panic(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 0..20)) {
        let mut encoder = Encoder::greeted();
        for piece in pieces {
            if encoder.give(&piece).is_err() {
                break;
            }
        }
    }
}
