//! Encoders by RTMP against the control side: keys, second publishers, what is told of a push. The encoder here speaks
//! just enough RTMP; real ones are in tests/encoders.

use crate::support::{Server, bearer};
use axum::http::{Method, StatusCode};
use bytes::Bytes;
use serde_json::{Value as Json, json};
use std::net::SocketAddr;
use std::time::Duration;
use symposia::ingest::rtmp::amf::{self, Value};
use symposia::ingest::rtmp::chunk::{self, Message, Reader};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

const COMMAND: u8 = 20;
const SOUND: u8 = 8;
const PICTURE: u8 = 9;

struct Encoder {
    socket: TcpStream,
    reader: Reader,
}

impl Encoder {
    /// Connects and asks to publish; the code that comes back.
    async fn publish(server: &Server, key: &str) -> (Self, String) {
        let socket = TcpStream::connect(server.state.ingest.rtmp_address().expect("a port")).await.expect("a server");
        let mut reader = Reader::new(1 << 20);
        reader.set_size(chunk::OUR_SIZE as u32).expect("a size");
        let mut encoder = Self { socket, reader };
        encoder.socket.write_all(&[&[3][..], &[0; 1536]].concat()).await.expect("a greeting");
        encoder.socket.read_exact(&mut [0; 1 + 2 * 1536]).await.expect("an answer");
        encoder.socket.write_all(&[0; 1536]).await.expect("its echo");
        let about = Value::object([("app", Value::text("live")), ("flashVer", Value::text("test/1"))]);
        encoder.command(&[Value::text("connect"), Value::Number(1.0), about]).await;
        encoder.command(&[Value::text("createStream"), Value::Number(2.0), Value::Null]).await;
        encoder.command(&[Value::text("publish"), Value::Number(3.0), Value::Null, Value::text(key)]).await;
        let code = encoder.status().await.expect("a status");
        (encoder, code)
    }

    async fn command(&mut self, values: &[Value]) {
        let mut payload = Vec::new();
        values.iter().for_each(|value| value.write(&mut payload));
        self.send(COMMAND, 0, payload).await;
    }

    async fn send(&mut self, kind: u8, time: u32, payload: Vec<u8>) {
        let mut bytes = Vec::new();
        chunk::write(&mut bytes, 3, &Message { kind, stream: 1, time, payload: Bytes::from(payload) }, 128);
        let _ = self.socket.write_all(&bytes).await;
    }

    /// The next `onStatus`; `None` when the connection ends.
    async fn status(&mut self) -> Option<String> {
        let mut buffer = [0; 4096];
        let read = async {
            loop {
                let len = self.socket.read(&mut buffer).await.ok().filter(|len| *len > 0)?;
                let mut bytes = &buffer[..len];
                while let Some(message) = self.reader.handle_bytes(&mut bytes).expect("RTMP") {
                    let values =
                        if message.kind == COMMAND { amf::read(&message.payload).expect("AMF") } else { continue };
                    if values[0].as_text() == Some("onStatus") {
                        return values[3].member("code").and_then(Value::as_text).map(str::to_owned);
                    }
                }
            }
        };
        timeout(Duration::from_secs(20), read).await.expect("within 20 s")
    }

    /// A second of H.264 without a picture in it, and AAC.
    async fn media(&mut self) {
        // x264 at 1920 × 1080.
        self.send(PICTURE, 0, AVC.to_vec()).await;
        self.send(SOUND, 0, vec![0xaf, 0, 0x12, 0x10]).await;
        for time in (0..1000).step_by(40) {
            // Every other picture is shown later than the one after it.
            let later = if time % 80 == 0 { 90 } else { 0 };
            self.send(PICTURE, time, vec![0x17, 1, 0, 0, later, 0, 0, 0, 1, 5]).await;
            self.send(SOUND, time, vec![0xaf, 1, 9, 9]).await;
        }
    }
}

const AVC: &[u8] = &[
    0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x28, 0xff, 0xe1, 0, 26, 0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27,
    0xe5, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc6, 0x58, 1, 0, 2, 0x68,
    0xeb,
];

async fn server() -> Server {
    with(false).await
}

async fn with(takeover: bool) -> Server {
    let server = Server::with(|config, _| config.ingest.takeover = takeover).await;
    server.state.ingest.listen_rtmp(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a port");
    server
}

async fn broadcast(server: &Server) -> (String, String) {
    let made = server.post("/api/v1/broadcasts", &[bearer()], json!({})).await;
    let (id, key) = (made.text("id"), made.text("stream_key"));
    let port = server.state.ingest.rtmp_address().expect("a port").port();
    assert_eq!(made.text("rtmp_url"), format!("rtmp://localhost:{port}/live/{key}"));
    (id, key)
}

async fn shown(server: &Server, id: &str, headers: &[(&str, &str)]) -> Json {
    server.get(&format!("/api/v1/broadcasts/{id}"), headers).await.json()
}

/// Asks until the publisher is as wanted.
async fn until(server: &Server, id: &str, wanted: impl Fn(&Json) -> bool) -> Json {
    for _ in 0..200 {
        let publisher = shown(server, id, &[bearer()]).await["publisher"].clone();
        if wanted(&publisher) {
            return publisher;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("the publisher is never as wanted: {}", shown(server, id, &[bearer()]).await);
}

#[tokio::test]
async fn what_is_pushed_is_told_to_who_may_know_it() {
    let server = server().await;
    let (id, key) = broadcast(&server).await;
    let (mut encoder, code) = Encoder::publish(&server, &key).await;
    assert_eq!(code, "NetStream.Publish.Start");
    encoder.media().await;
    let publisher = until(&server, &id, |publisher| !publisher["audio"].is_null()).await;
    assert_eq!((&publisher["protocol"], &publisher["encoder"]), (&json!("rtmp"), &json!("test/1")));
    let video = &publisher["video"];
    assert_eq!((&video["codec"], &video["width"], &video["height"]), (&json!("h264"), &json!(1920), &json!(1080)));
    assert_eq!((&publisher["audio"]["codec"], &publisher["audio"]["rate"]), (&json!("aac"), &json!(44_100)));
    let publisher = until(&server, &id, |publisher| publisher["troubles"].to_string().contains("b-frames")).await;
    // It is a live stream of exactly that.
    let live = server.state.live.get(&id).expect("a live stream");
    let playlist =
        timeout(Duration::from_secs(20), live.multivariant(false)).await.expect("within 20 s").expect("a playlist");
    let playlist = String::from_utf8(playlist.to_vec()).expect("text");
    assert!(playlist.contains("avc1.640028") && playlist.contains("mp4a.40.2"), "{playlist}");
    assert!(publisher["since"].as_u64().is_some_and(|since| since > 1_700_000_000_000));

    let by_key = format!("Bearer {key}");
    assert!(shown(&server, &id, &[("authorization", &by_key)]).await["publisher"].is_object());
    let viewer = shown(&server, &id, &[]).await;
    assert_eq!((&viewer["live"], &viewer["publisher"]), (&json!(true), &Json::Null));
    let other = format!("Bearer {}", broadcast(&server).await.1);
    assert!(shown(&server, &id, &[("authorization", &other)]).await["publisher"].is_null());

    drop(encoder);
    until(&server, &id, Json::is_null).await;
    assert_eq!(shown(&server, &id, &[]).await["live"], false);
}

// acceptance: L4
#[tokio::test]
async fn a_wrong_key_and_a_second_publisher_are_told_why() {
    let server = server().await;
    let (id, key) = broadcast(&server).await;
    let (mut stranger, code) = Encoder::publish(&server, &"0".repeat(32)).await;
    assert_eq!(code, "NetStream.Publish.Denied");
    assert_eq!(stranger.status().await, None, "and its connection ends");

    let (mut first, _) = Encoder::publish(&server, &key).await;
    let (_, code) = Encoder::publish(&server, &key).await;
    assert_eq!(code, "NetStream.Publish.BadName");
    first.media().await;
    until(&server, &id, |publisher| publisher["video"].is_object()).await;

    let path = format!("/api/v1/broadcasts/{id}");
    assert_eq!(server.call(Method::DELETE, &path, &[bearer()], None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(first.status().await.as_deref(), Some("NetStream.Publish.Denied"), "its broadcast is over");
    let (_, code) = Encoder::publish(&server, &key).await;
    assert_eq!(code, "NetStream.Publish.Denied");
}

// acceptance: L3
#[tokio::test]
async fn who_lost_the_network_comes_back_before_the_old_connection_ends() {
    let server = server().await;
    let (id, key) = broadcast(&server).await;
    let (mut lost, _) = Encoder::publish(&server, &key).await;
    lost.media().await;
    until(&server, &id, |publisher| publisher["video"].is_object()).await;
    // Nothing comes of it any more, and nobody says that it is gone.
    let mut codes = Vec::new();
    for _ in 0..20 {
        let (_encoder, code) = Encoder::publish(&server, &key).await;
        let back = code == "NetStream.Publish.Start";
        codes.push(code);
        if back {
            break;
        }
        sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(codes.first().map(String::as_str), Some("NetStream.Publish.BadName"));
    assert_eq!(codes.last().map(String::as_str), Some("NetStream.Publish.Start"));
    assert_eq!(lost.status().await.as_deref(), Some("NetStream.Publish.Denied"));
}

#[tokio::test]
async fn a_second_publisher_takes_over_where_the_settings_say_so() {
    let server = with(true).await;
    let (_, key) = broadcast(&server).await;
    let (mut first, _) = Encoder::publish(&server, &key).await;
    let (_second, code) = Encoder::publish(&server, &key).await;
    assert_eq!(code, "NetStream.Publish.Start");
    assert_eq!(first.status().await.as_deref(), Some("NetStream.Publish.Denied"));
}

#[tokio::test]
async fn a_stream_key_is_changed_and_taken_away() {
    let server = server().await;
    let (id, old) = broadcast(&server).await;
    let path = format!("/api/v1/broadcasts/{id}/stream-key");
    let (mut encoder, _) = Encoder::publish(&server, &old).await;
    let changed = server.post(&path, &[bearer()], json!({})).await;
    assert_eq!((changed.status, changed.header("cache-control")), (StatusCode::OK, "no-store"));
    let new = changed.text("stream_key");
    assert!(changed.text("rtmp_url").ends_with(&format!("/live/{new}")));
    assert_eq!(encoder.status().await.as_deref(), Some("NetStream.Publish.Denied"), "who has the old one is cut");
    assert_eq!(Encoder::publish(&server, &old).await.1, "NetStream.Publish.Denied");
    let (encoder, code) = Encoder::publish(&server, &new).await;
    assert_eq!(code, "NetStream.Publish.Start");
    drop(encoder);

    assert_eq!(server.call(Method::DELETE, &path, &[bearer()], None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(Encoder::publish(&server, &new).await.1, "NetStream.Publish.Denied");
    let nowhere = server.post(&path.replace(&id, &"0".repeat(32)), &[bearer()], json!({})).await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
}

// acceptance: SEC7
#[tokio::test]
async fn strangers_cannot_take_every_place() {
    let server = Server::with(|config, _| config.limits.encoder_sockets_per_address = 3).await;
    let address = server.state.ingest.listen_rtmp(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a port");
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(TcpStream::connect(address).await.expect("a socket"));
        // Taken in the order in which they come.
        sleep(Duration::from_millis(20)).await;
    }
    let mut more = TcpStream::connect(address).await.expect("a socket");
    assert_eq!(more.read(&mut [0]).await.unwrap_or(0), 0, "closed at once");
    drop(open);
    let (_, key) = broadcast(&server).await;
    for _ in 0..100 {
        let mut socket = TcpStream::connect(address).await.expect("a socket");
        let _ = socket.write_all(&[&[3][..], &[0; 1536]].concat()).await;
        if socket.read(&mut [0]).await.is_ok_and(|len| len == 1) {
            assert_eq!(Encoder::publish(&server, &key).await.1, "NetStream.Publish.Start");
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("places are not given back");
}
