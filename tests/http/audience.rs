//! The audience of a broadcast: viewers write and like by their sockets, whoever manages it moderates by REST.

use crate::support::{Server, bearer};
use axum::http::{Method, StatusCode};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use symposia::meetings::rate::Rate;
use symposia::store::AccountRole;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::Request;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const PATIENCE: Duration = Duration::from_secs(10);
/// Of the accounts that `Server::account` makes.
const PASSWORD: &str = "correct horse battery";

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Somebody who watches, with what his page would show.
struct Viewer {
    writer: SplitSink<Socket, Message>,
    reader: SplitStream<Socket>,
    welcome: Value,
    asked: u32,
    /// The text of each comment that is shown, by its number.
    shown: std::collections::BTreeMap<u64, (String, bool)>,
    likes: u64,
}

fn handshake(server: &Server, broadcast: &str, headers: &[(&'static str, &str)]) -> Request<()> {
    let address = format!("ws://{}/api/v1/broadcasts/{broadcast}/audience", server.address);
    let mut request = address.into_client_request().expect("a request");
    let ours = format!("http://{}", server.address);
    let all = [("sec-websocket-protocol", "symposia.audience.v1"), ("origin", ours.as_str())];
    for (name, value) in all.into_iter().chain(headers.iter().copied()) {
        request.headers_mut().insert(name, value.parse().expect("a header"));
    }
    request
}

/// The status with which a handshake is refused; 101 where it is not.
async fn refused(request: Request<()>) -> u16 {
    match connect_async(request).await {
        Ok(_) => 101,
        Err(Error::Http(response)) => response.status().as_u16(),
        Err(error) => panic!("{error}"),
    }
}

impl Viewer {
    /// With the cookie of a browser or an account.
    async fn join(server: &Server, broadcast: &str, cookie: &str) -> Self {
        let (socket, _) = connect_async(handshake(server, broadcast, &[("cookie", cookie)])).await.expect("a socket");
        let (writer, reader) = socket.split();
        let (shown, likes) = Default::default();
        let mut viewer = Self { writer, reader, welcome: Value::Null, asked: 0, shown, likes };
        viewer.until(|viewer, _| !viewer.welcome.is_null()).await;
        viewer
    }

    async fn browser(server: &Server, broadcast: &str, number: u32) -> Self {
        Self::join(server, broadcast, &format!("symposia_browser={number:032x}")).await
    }

    async fn say(&mut self, message: Value) {
        self.writer.send(Message::text(message.to_string())).await.expect("an open socket");
    }

    /// The next message; none where the server closed.
    async fn next(&mut self) -> Option<Value> {
        loop {
            match timeout(PATIENCE, self.reader.next()).await.expect("something within ten seconds") {
                Some(Ok(Message::Text(text))) => break Some(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(Message::Close(_)) | Err(_)) | None => break None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Reads until it is so.
    async fn until(&mut self, so: impl Fn(&Self, &Value) -> bool) -> Value {
        loop {
            let message = self.next().await.expect("an open socket");
            match message["type"].as_str() {
                Some("welcome") => {
                    self.shown.clear();
                    self.welcome = message.clone();
                }
                Some("news") => {
                    for id in message["deleted"].as_array().into_iter().flatten() {
                        self.shown.remove(&id.as_u64().expect("a number"));
                    }
                }
                _ => {}
            }
            for comment in message["comments"].as_array().into_iter().flatten() {
                let (id, text) = (comment["id"].as_u64().expect("a number"), comment["text"].as_str().expect("a text"));
                self.shown.insert(id, (text.to_owned(), comment["held"] == true));
            }
            self.likes = message["likes"].as_u64().unwrap_or(self.likes);
            if so(self, &message) {
                return message;
            }
        }
    }

    /// Writes, and what came of it: whether it is held, or why not.
    async fn writes(&mut self, name: &str, text: &str) -> Result<bool, String> {
        self.asked += 1;
        let asked = self.asked;
        self.say(json!({"type": "comment", "id": asked, "name": name, "text": text})).await;
        let answer = self.until(|_, message| message["id"] == asked).await;
        match answer["code"].as_str() {
            Some(code) => Err(code.to_owned()),
            None => Ok(answer["held"] == true),
        }
    }

    async fn sees(&mut self, text: &str) -> u64 {
        let number = |viewer: &Self| viewer.shown.iter().find(|(_, (shown, _))| shown == text).map(|(id, _)| *id);
        if number(self).is_none() {
            self.until(|viewer, _| number(viewer).is_some()).await;
        }
        number(self).expect("it is shown")
    }

    async fn sees_not(&mut self, id: u64) {
        if self.shown.contains_key(&id) {
            self.until(|viewer, _| !viewer.shown.contains_key(&id)).await;
        }
    }

    /// All that was told until now has been read: what others wrote before this is here.
    async fn texts(&mut self) -> Vec<String> {
        self.shown.values().map(|(text, _)| text.clone()).collect()
    }
}

async fn broadcast(server: &Server, cookie: &str) -> String {
    server.post("/api/v1/broadcasts", &[("cookie", cookie)], json!({})).await.text("id")
}

// acceptance: L11
#[tokio::test]
async fn who_may_not_watch_reads_and_writes_nothing() {
    let server = Server::start().await;
    let mia = server.account("Mia", AccountRole::Host).await;
    let id = broadcast(&server, &mia).await;
    let mut viewer = Viewer::browser(&server, &id, 1).await;
    assert_eq!(viewer.writes("Ana", "hello").await, Ok(false));
    let path = format!("/api/v1/broadcasts/{id}/comments");
    assert_eq!(server.get(&path, &[]).await.json()["comments"][0]["text"], "hello");
    assert_eq!(refused(handshake(&server, "none", &[])).await, 404);
    let foreign = handshake(&server, &id, &[("origin", "https://evil.example")]);
    assert_eq!(refused(foreign).await, 403);
    assert_eq!(refused(handshake(&server, &id, &[("sec-websocket-protocol", "symposia.v1")])).await, 400);

    let ended = server.call(Method::DELETE, &format!("/api/v1/broadcasts/{id}"), &[bearer()], None).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    while viewer.next().await.is_some() {}
    assert_eq!(refused(handshake(&server, &id, &[])).await, 404, "it is over for good");
    assert_eq!(server.get(&path, &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn moderators_hold_show_delete_and_mute() {
    let server = Server::start().await;
    let mia = server.account("Mia", AccountRole::Host).await;
    let id = broadcast(&server, &mia).await;
    let path = |more: &str| format!("/api/v1/broadcasts/{id}/{more}");
    let headers = [("cookie", mia.as_str())];
    let judge = async |comment: u64, state: &str| {
        let path = path(&format!("comments/{comment}"));
        server.call(Method::PATCH, &path, &headers, Some(json!({"state": state}))).await.status
    };
    let (mut host, mut ana, mut bo) = (
        Viewer::join(&server, &id, &mia).await,
        Viewer::browser(&server, &id, 1).await,
        Viewer::browser(&server, &id, 2).await,
    );
    assert_eq!((&host.welcome["moderator"], &host.welcome["name"]), (&json!(true), &json!("Mia")));
    assert_eq!((&ana.welcome["moderator"], &ana.welcome["name"]), (&json!(false), &Value::Null));

    let rules = server.call(Method::PUT, &path("comment-rules"), &headers, Some(json!({"words": ["Spam"]}))).await;
    assert_eq!(rules.json(), json!({"open": true, "hold": false, "slow": 0, "words": ["spam"]}));
    assert_eq!(ana.writes("Ana", "buy SPAM now").await, Ok(true));
    let held = host.sees("buy SPAM now").await;
    assert!(host.shown[&held].1, "it is marked");
    assert_eq!(bo.writes("Bo", "good morning").await, Ok(false));
    bo.sees("good morning").await;
    assert_eq!(bo.texts().await, ["good morning"], "what is held others do not get");
    let listed = server.get(&path("comments"), &[]).await.json();
    assert_eq!(listed["comments"].as_array().expect("a list").len(), 1);
    assert_eq!(server.get(&path("comments"), &headers).await.json()["comments"][1]["state"], "held");
    assert_eq!(judge(held, "shown").await, StatusCode::NO_CONTENT);
    assert_eq!(bo.sees("buy SPAM now").await, held);
    assert_eq!(judge(held, "deleted").await, StatusCode::NO_CONTENT);
    for viewer in [&mut host, &mut ana, &mut bo] {
        viewer.sees_not(held).await;
    }
    assert_eq!(
        (judge(999, "deleted").await, judge(held, "held").await),
        (StatusCode::NOT_FOUND, StatusCode::BAD_REQUEST)
    );

    let (_, answer) = connect_async(handshake(&server, &id, &[])).await.expect("a socket");
    let cookie = answer.headers()["set-cookie"].to_str().expect("text");
    assert!(cookie.starts_with("symposia_browser=") && cookie.contains("HttpOnly"), "of its own, to be told apart");
    let morning = bo.sees("good morning").await;
    let muted = server.call(Method::POST, &path(&format!("comments/{morning}/mute")), &headers, None).await;
    assert_eq!(muted.status, StatusCode::NO_CONTENT);
    bo.until(|_, message| message["muted"] == true).await;
    assert_eq!(bo.writes("Not Bo", "again").await, Err("muted".to_owned()));
    let mut again = Viewer::browser(&server, &id, 2).await;
    assert_eq!(again.welcome["muted"], true, "the same browser, after a reload");
    assert_eq!(ana.writes("Ana", "still here").await, Ok(false), "others write on");
    let list = server.get(&path("mutes"), &headers).await.json();
    assert_eq!(list["mutes"][0]["name"], "Bo");
    let one = path(&format!("mutes/{}", list["mutes"][0]["id"]));
    assert_eq!(server.call(Method::DELETE, &one, &headers, None).await.status, StatusCode::NO_CONTENT);
    for tab in [&mut bo, &mut again] {
        tab.until(|_, message| message["muted"] == false).await;
    }
    assert_eq!(again.writes("Bo", "sorry").await, Ok(false));

    let put = async |rules: Value| server.call(Method::PUT, &path("comment-rules"), &headers, Some(rules)).await;
    assert_eq!(put(json!({"slow": 601})).await.status, StatusCode::BAD_REQUEST);
    put(json!({"slow": 60})).await;
    assert_eq!(ana.writes("Ana", "two at once").await, Err("too-soon".to_owned()));
    put(json!({"hold": true})).await;
    assert_eq!((bo.writes("Bo", "first").await, host.writes("", "mine").await), (Ok(true), Ok(false)));
    put(json!({"open": false})).await;
    assert_eq!(bo.writes("Bo", "second").await, Err("closed".to_owned()));
    let told = bo.until(|_, message| message["rules"]["open"] == false).await;
    assert_eq!(told["rules"], json!({"open": false, "hold": false, "slow": 0}), "the words are told to nobody");
}

#[tokio::test]
async fn a_restart_forgets_nothing_that_was_written_liked_or_decided() {
    let server = Server::start().await;
    let id = server.post("/api/v1/broadcasts", &[bearer()], json!({})).await.text("id");
    let mut ana = Viewer::browser(&server, &id, 1).await;
    for text in ["one", "two", "three"] {
        ana.writes("Ana", text).await.expect("taken");
    }
    ana.say(json!({"type": "like", "count": 7})).await;
    ana.until(|viewer, _| viewer.likes == 7).await;
    let path = |more: &str| format!("/api/v1/broadcasts/{id}/{more}");
    let two = ana.sees("two").await;
    let deleted = json!({"state": "deleted"});
    server.call(Method::PATCH, &path(&format!("comments/{two}")), &[bearer()], Some(deleted)).await;
    server.call(Method::POST, &path(&format!("comments/{two}/mute")), &[bearer()], None).await;
    server.call(Method::PUT, &path("comment-rules"), &[bearer()], Some(json!({"slow": 5}))).await;

    let server = server.restart().await;
    let mut back = Viewer::browser(&server, &id, 1).await;
    assert_eq!(back.texts().await, ["one", "three"]);
    assert_eq!((&back.welcome["likes"], &back.welcome["muted"]), (&json!(7), &json!(true)));
    assert_eq!(back.welcome["rules"]["slow"], 5);
    let mut bo = Viewer::browser(&server, &id, 2).await;
    bo.writes("Bo", "four").await.expect("taken");
    assert_eq!(bo.sees("four").await, 4, "numbers go on");
    let pages = server.get(&path("comments?limit=2"), &[]).await.json();
    let texts = |list: &Value| -> Vec<_> {
        list["comments"].as_array().expect("a list").iter().map(|one| one["text"].clone()).collect()
    };
    assert_eq!(texts(&pages), ["four", "three"]);
    let older = server.get(&path(&format!("comments?before={}", pages["next"])), &[]).await.json();
    assert_eq!((texts(&older), &older["next"]), (vec![json!("one")], &Value::Null));
}

// acceptance: SEC8
#[tokio::test]
async fn who_moderated_as_somebody_is_nobody_once_that_is_shut_out() {
    let server = Server::start().await;
    let mia = server.account("Mia", AccountRole::Host).await;
    let id = broadcast(&server, &mia).await;
    server
        .call(
            Method::PUT,
            &format!("/api/v1/broadcasts/{id}/comment-rules"),
            &[("cookie", &mia)],
            Some(json!({"hold": true})),
        )
        .await;
    let mut host = Viewer::join(&server, &id, &mia).await;
    let account = server.get("/api/v1/accounts", &[bearer()]).await.json()["accounts"][0]["id"].clone();
    let out = json!({"disabled": true});
    server.call(Method::PATCH, &format!("/api/v1/accounts/{account}"), &[bearer()], Some(out)).await;
    host.until(|_, message| message["type"] == "welcome" && message["moderator"] == false).await;
    let mut ana = Viewer::browser(&server, &id, 1).await;
    assert_eq!(ana.writes("Ana", "for the host's eyes").await, Ok(true));
    host.say(json!({"type": "like", "count": 1})).await;
    host.until(|viewer, _| viewer.likes == 1).await;
    assert_eq!(host.texts().await, Vec::<String>::new());
}

// acceptance: SEC8
#[tokio::test]
async fn who_signed_out_or_has_another_password_moderates_nothing_more() {
    let server = Server::start().await;
    let mia = server.account("Mia", AccountRole::Host).await;
    let id = broadcast(&server, &mia).await;
    let sign_in = async |password: &str| {
        let answer = server.post("/api/v1/sign-in", &[], json!({"name": "Mia", "password": password})).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        answer.cookie("symposia_session=").expect("a cookie")
    };
    let (own, other) = (sign_in(PASSWORD).await, sign_in(PASSWORD).await);
    let mut tabs = [
        Viewer::join(&server, &id, &mia).await,
        Viewer::join(&server, &id, &own).await,
        Viewer::join(&server, &id, &other).await,
    ];
    assert!(tabs.iter().all(|tab| tab.welcome["moderator"] == true));
    let is_moderator =
        async |tab: &mut Viewer| tab.until(|_, message| message["type"] == "welcome").await["moderator"] == true;

    assert_eq!(server.post("/api/v1/sign-out", &[("cookie", &mia)], json!({})).await.status, StatusCode::NO_CONTENT);
    assert!(!is_moderator(&mut tabs[0]).await, "signed out in another tab");
    assert!(is_moderator(&mut tabs[1]).await && is_moderator(&mut tabs[2]).await, "others still are");
    let change = json!({"old": PASSWORD, "new": "another password"});
    assert_eq!(server.post("/api/v1/me/password", &[("cookie", &own)], change).await.status, StatusCode::NO_CONTENT);
    assert!(is_moderator(&mut tabs[1]).await, "who changed it stays");
    assert!(!is_moderator(&mut tabs[2]).await, "it was signed in with the old one");

    let list = server.get("/api/v1/me/sign-ins", &[("cookie", &sign_in("another password").await)]).await.json();
    let first = list["sign_ins"].as_array().expect("a list").iter().find(|one| one["current"] == false).expect("own");
    let path = format!("/api/v1/me/sign-ins/{}", first["id"]);
    let last = sign_in("another password").await;
    assert_eq!(server.call(Method::DELETE, &path, &[("cookie", &last)], None).await.status, StatusCode::NO_CONTENT);
    assert!(!is_moderator(&mut tabs[1]).await, "that sign-in was ended");

    let mut tab = Viewer::join(&server, &id, &last).await;
    let account = server.get("/api/v1/accounts", &[bearer()]).await.json()["accounts"][0]["id"].clone();
    let link = server.post(&format!("/api/v1/accounts/{account}/reset"), &[bearer()], json!({})).await.text("url");
    let token = link.split('#').nth(1).expect("a token");
    let accept = json!({"token": token, "name": "Mia", "password": "the third password"});
    assert_eq!(server.post("/api/v1/invitations/accept", &[], accept).await.status, StatusCode::NO_CONTENT);
    assert!(!is_moderator(&mut tab).await, "a link to a new password was used");
}

// acceptance: SEC7
#[tokio::test]
async fn an_address_and_a_socket_write_only_so_much() {
    let server = Server::with(|_, bounds| bounds.comments = Rate::per_minute(3)).await;
    let id = server.post("/api/v1/broadcasts", &[bearer()], json!({})).await.text("id");
    let mut taken = 0;
    for number in 0..6 {
        let mut viewer = Viewer::browser(&server, &id, number).await;
        taken += u32::from(viewer.writes("Ana", "hello").await.is_ok());
    }
    assert_eq!(taken, 3, "six browsers behind one address");
    for nonsense in ["{}".to_owned(), "[".repeat(2_000), format!("\"{}\"", "x".repeat(20_000))] {
        let mut viewer = Viewer::browser(&server, &id, 9).await;
        let _ = viewer.writer.send(Message::text(nonsense)).await;
        while viewer.next().await.is_some() {}
    }
    let mut flood = Viewer::browser(&server, &id, 10).await;
    for _ in 0..200 {
        let _ = flood.writer.send(Message::text(r#"{"type":"like","count":1}"#)).await;
    }
    while flood.next().await.is_some() {}
}

// acceptance: L8
// The load itself, with its times, is a row of `make bench`.
#[tokio::test]
async fn sixty_viewers_get_every_comment_once_and_the_same_count_of_likes() {
    const VIEWERS: u32 = 60;
    const COMMENTS: u32 = 4;
    const LIKES: u32 = 25;
    let server = Server::with(|_, bounds| bounds.comments = Rate::per_minute(1_000_000)).await;
    let id = server.post("/api/v1/broadcasts", &[bearer()], json!({})).await.text("id");
    let mut viewers = Vec::new();
    for number in 0..VIEWERS {
        viewers.push(Viewer::browser(&server, &id, number).await);
    }
    let all = viewers.into_iter().enumerate().map(|(number, mut viewer)| async move {
        for round in 0..COMMENTS {
            viewer.say(json!({"type": "comment", "id": round, "name": "V", "text": format!("{number}.{round}")})).await;
            viewer.say(json!({"type": "like", "count": LIKES / 5})).await;
        }
        viewer.say(json!({"type": "like", "count": LIKES / 5})).await;
        let total = u64::from(VIEWERS * LIKES);
        let mut news = Vec::new();
        while viewer.shown.len() < (VIEWERS * COMMENTS) as usize || viewer.likes < total {
            let message = viewer.until(|_, _| true).await;
            let comments = message["comments"].as_array().into_iter().flatten();
            news.extend(comments.map(|comment| comment["id"].as_u64().expect("a number")));
        }
        assert_eq!(viewer.likes, total);
        let mut once = news.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(news.len(), once.len(), "each once");
        assert!(news.is_sorted(), "in the order in which they were written");
    });
    futures_util::future::join_all(all).await;
}
