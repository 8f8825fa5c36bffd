//! Every endpoint of the OpenAPI document against one table of who may what.

use crate::support::{Answer, MeetingLinks, Server, bearer};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use symposia::store::{AccountRole, Recording, RecordingState, Visibility};

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// A stranger.
    Nobody,
    /// With the link of the broadcast.
    Viewer,
    /// With a seat in the meeting: a browser that knows its link.
    Participant,
    /// Host of another meeting.
    OtherHost,
    /// Host of this one.
    Host,
    /// Signed in, to take part.
    Member,
    /// Signed in, with meetings of his own that are not this one.
    Colleague,
    /// Signed in, and made this meeting.
    Owner,
    /// Signed in as administrator.
    Administrator,
    /// A program with an API token.
    Program,
    /// An encoder with the stream key.
    Encoder,
}

const ALL: [Who; 11] = [
    Who::Nobody,
    Who::Viewer,
    Who::Participant,
    Who::OtherHost,
    Who::Host,
    Who::Member,
    Who::Colleague,
    Who::Owner,
    Who::Administrator,
    Who::Program,
    Who::Encoder,
];

/// Whom an endpoint lets pass; all others get 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    Everybody,
    /// Whoever runs the server.
    Administration,
    /// And all who are signed in and not only to take part.
    Hosts,
    /// And who made that very thing.
    Owner,
    /// And the host of that very meeting, by its link or because he made it.
    Host,
    /// Who is signed in, whatever he may.
    SignedIn,
    /// The same, of the recording; others do not learn whether it exists.
    Recorded,
    /// A program; the web app's own pages do not read it.
    Operation,
    Encoder,
    /// With the key of a test that runs: none of these.
    Tester,
}

impl For {
    fn lets(self, who: Who) -> bool {
        let administration = matches!(who, Who::Administrator | Who::Program);
        match self {
            For::Everybody => true,
            For::Administration => administration,
            For::Hosts => administration || matches!(who, Who::Colleague | Who::Owner),
            For::Owner => administration || who == Who::Owner,
            For::Host | For::Recorded => administration || matches!(who, Who::Host | Who::Owner),
            For::SignedIn => matches!(who, Who::Member | Who::Colleague | Who::Owner | Who::Administrator),
            For::Operation => who == Who::Program,
            For::Encoder => who == Who::Encoder,
            For::Tester => false,
        }
    }
}

/// The permission table.
#[rustfmt::skip]
const TABLE: &[(&str, &str, For)] = &[
    ("get",    "/api/v1/openapi.json",          For::Everybody),
    ("get",    "/api/v1/me",                    For::Everybody),
    ("post",   "/api/v1/setup",                 For::Everybody),
    ("post",   "/api/v1/sign-in",               For::Everybody),
    ("post",   "/api/v1/sign-out",              For::Everybody),
    ("post",   "/api/v1/me/password",           For::SignedIn),
    ("get",    "/api/v1/me/sign-ins",           For::SignedIn),
    ("delete", "/api/v1/me/sign-ins/{id}",      For::SignedIn),
    ("get",    "/api/v1/accounts",              For::Administration),
    ("patch",  "/api/v1/accounts/{id}",         For::Administration),
    ("delete", "/api/v1/accounts/{id}",         For::Administration),
    ("post",   "/api/v1/accounts/{id}/reset",   For::Administration),
    ("get",    "/api/v1/invitations",           For::Administration),
    ("post",   "/api/v1/invitations",           For::Administration),
    ("delete", "/api/v1/invitations/{id}",      For::Administration),
    ("post",   "/api/v1/invitations/open",      For::Everybody),
    ("post",   "/api/v1/invitations/accept",    For::Everybody),
    ("post",   "/api/v1/meetings",              For::Hosts),
    ("get",    "/api/v1/meetings",              For::Hosts),
    ("get",    "/api/v1/meetings/{id}",         For::Host),
    ("delete", "/api/v1/meetings/{id}",         For::Host),
    ("post",   "/api/v1/meetings/{id}/host",    For::Everybody),
    // Everybody may try a link; `recordings.rs` tries wrong ones.
    ("post",   "/api/v1/meetings/{id}/door",    For::Everybody),
    ("post",   "/api/v1/meetings/{id}/recordings",                   For::Host),
    ("get",    "/api/v1/recordings",                                 For::Hosts),
    ("get",    "/api/v1/recordings/{id}",                            For::Recorded),
    ("patch",  "/api/v1/recordings/{id}",                            For::Recorded),
    ("delete", "/api/v1/recordings/{id}",                            For::Recorded),
    ("post",   "/api/v1/recordings/{id}/stop",                       For::Recorded),
    ("post",   "/api/v1/recordings/{id}/pause",                      For::Recorded),
    ("post",   "/api/v1/recordings/{id}/resume",                     For::Recorded),
    ("post",   "/api/v1/recordings/{id}/link",                       For::Recorded),
    ("post",   "/api/v1/recordings/{id}/export",                     For::Recorded),
    ("get",    "/api/v1/recordings/{id}/exports",                    For::Recorded),
    ("delete", "/api/v1/recordings/{id}/exports/{layout}",           For::Recorded),
    ("get",    "/api/v1/recordings/{id}/exports/{layout}/file",      For::Recorded),
    ("post",   "/api/v1/recordings/{id}/open",                       For::Everybody),
    ("get",    "/api/v1/recordings/{id}/mix",                        For::Recorded),
    ("get",    "/api/v1/recordings/{id}/timeline",                   For::Recorded),
    ("get",    "/api/v1/recordings/{id}/tracks/{track}",             For::Recorded),
    ("get",    "/api/v1/recordings/{id}/tracks/{track}/segments",    For::Recorded),
    ("post",   "/api/v1/broadcasts",            For::Hosts),
    ("get",    "/api/v1/broadcasts",            For::Hosts),
    ("get",    "/api/v1/broadcasts/{id}",       For::Everybody),
    ("delete", "/api/v1/broadcasts/{id}",       For::Owner),
    ("get",    "/api/v1/broadcasts/{id}/comments",                   For::Everybody),
    ("patch",  "/api/v1/broadcasts/{id}/comments/{comment}",         For::Owner),
    ("post",   "/api/v1/broadcasts/{id}/comments/{comment}/mute",    For::Owner),
    ("get",    "/api/v1/broadcasts/{id}/mutes",                      For::Owner),
    ("delete", "/api/v1/broadcasts/{id}/mutes/{mute}",               For::Owner),
    ("get",    "/api/v1/broadcasts/{id}/comment-rules",              For::Owner),
    ("put",    "/api/v1/broadcasts/{id}/comment-rules",              For::Owner),
    ("post",   "/api/v1/broadcasts/{id}/stream-key",                 For::Owner),
    ("delete", "/api/v1/broadcasts/{id}/stream-key",                 For::Owner),
    ("post",   "/api/v1/network-tests",         For::Everybody),
    ("delete", "/api/v1/network-tests",         For::Tester),
    ("post",   "/api/v1/network-tests/publish", For::Tester),
    ("post",   "/api/v1/network-tests/watch",   For::Tester),
    ("post",   "/whip/{broadcast}",             For::Encoder),
    ("patch",  "/whip/{broadcast}/{resource}",  For::Encoder),
    ("delete", "/whip/{broadcast}/{resource}",  For::Encoder),
    ("post",   "/whep/{broadcast}",             For::Everybody),
    ("patch",  "/whep/{broadcast}/{resource}",  For::Everybody),
    ("delete", "/whep/{broadcast}/{resource}",  For::Everybody),
    ("get",    "/hls/{broadcast}/index.m3u8",   For::Everybody),
    ("get",    "/hls/{broadcast}/rewind.m3u8",  For::Everybody),
    ("get",    "/healthz",                      For::Everybody),
    ("get",    "/readyz",                       For::Operation),
    ("get",    "/metrics",                      For::Operation),
];

struct Fixture {
    server: Server,
    meeting: MeetingLinks,
    host: String,
    other_host: String,
    administrator: String,
    member: String,
    colleague: String,
    owner: String,
    broadcast: String,
    stream_key: String,
    recording: String,
}

impl Fixture {
    async fn new() -> Self {
        let server = Server::with(|_, bounds| {
            bounds.sign_ins_by_address = symposia::meetings::rate::Rate::per_minute(1_000);
        })
        .await;
        let link = server.state.store.create_setup_link(symposia::clock::unix()).await.expect("a link");
        let setup = json!({"token": link.expose(), "name": "Ada", "password": "correct horse battery"});
        let administrator =
            server.post("/api/v1/setup", &[], setup).await.cookie("symposia_session=").expect("signed in");
        let member = server.account("Mia", AccountRole::Member).await;
        let colleague = server.account("Cem", AccountRole::Host).await;
        let owner = server.account("Oda", AccountRole::Host).await;
        let meeting = server.meeting_by(&[("cookie", &owner)], json!({})).await;
        let other = server.meeting_by(&[("cookie", &colleague)], json!({})).await;
        let (host, other_host) = (server.host_cookie(&meeting).await, server.host_cookie(&other).await);
        let made = server.post("/api/v1/broadcasts", &[("cookie", &owner)], json!({})).await;
        let (broadcast, stream_key) = (made.text("id"), made.text("stream_key"));
        let recording = Recording {
            id: format!("{}-1800000000000", meeting.id),
            meeting: meeting.id.clone(),
            title: String::new(),
            state: RecordingState::Finished,
            started_at: signaling::ids::Millis(1_800_000_000_000),
            duration_ms: 0,
            bytes: 0,
            participants: Vec::new(),
            visibility: Visibility::Host,
            link_token: None,
            link_expires: None,
        };
        assert!(server.state.store.add_recording(&recording).await.expect("a store"));
        let recording = recording.id;
        Self {
            server,
            meeting,
            host,
            other_host,
            administrator,
            member,
            colleague,
            owner,
            broadcast,
            stream_key,
            recording,
        }
    }

    async fn call(&self, who: Who, method: &str, path: &str) -> Answer {
        let id = match path.split('/').nth(3) {
            Some("broadcasts") => &self.broadcast,
            Some("recordings") => &self.recording,
            _ => &self.meeting.id,
        };
        let path = path
            .replace("{id}", id)
            .replace("{broadcast}", &self.broadcast)
            .replace("{comment}", "1")
            .replace("{mute}", "1")
            .replace("{track}", "1")
            .replace("{layout}", "grid")
            .replace("{resource}", "0123456789abcdef0123456789abcdef");
        let method: Method = method.to_uppercase().parse().expect("a method");
        let mut request = Request::builder().method(method).uri(path.as_str());
        let browser = "symposia_browser=0123456789abcdef0123456789abcdef";
        match who {
            Who::Nobody | Who::Viewer => {}
            // The cookie under the name of this meeting, so that only its worth can save us.
            Who::OtherHost => {
                let value = self.other_host.split_once('=').expect("a pair").1;
                let renamed = format!("{}; symposia_host_{}={value}", self.other_host, self.meeting.id);
                request = request.header("cookie", renamed);
            }
            Who::Participant => request = request.header("cookie", browser),
            Who::Host => request = request.header("cookie", &self.host),
            Who::Member => request = request.header("cookie", &self.member),
            Who::Colleague => request = request.header("cookie", &self.colleague),
            Who::Owner => request = request.header("cookie", &self.owner),
            Who::Administrator => request = request.header("cookie", &self.administrator),
            Who::Program => request = request.header("authorization", bearer().1),
            Who::Encoder => request = request.header("authorization", format!("Bearer {}", self.stream_key)),
        }
        let body = if path.starts_with("/wh") {
            request = request.header("content-type", "application/sdp");
            Body::from("no SDP")
        } else {
            request = request.header("content-type", "application/json");
            Body::from("{}")
        };
        // From outside, since some endpoints answer this machine.
        let stranger = SocketAddr::from(([203, 0, 113, 7], 40_000));
        self.server.send_from(stranger, request.body(body).expect("a request")).await
    }
}

fn documented(document: &Value) -> BTreeSet<(String, String)> {
    let paths = document["paths"].as_object().expect("paths");
    paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().expect("methods").keys();
            methods.map(|method| (method.clone(), path.clone())).collect::<Vec<_>>()
        })
        .collect()
}

// acceptance: SEC11
#[tokio::test]
async fn every_endpoint_lets_pass_whom_the_table_names_and_nobody_else() {
    let fixture = Fixture::new().await;
    let document = fixture.server.get("/api/v1/openapi.json", &[]).await.json();
    let table: BTreeSet<_> = TABLE.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(documented(&document), table, "each endpoint stands in the table");

    let mut differences = Vec::new();
    for (method, path, allowed) in TABLE {
        // What would change the fixture for those after it is asked by the refused first.
        let (refused, passed): (Vec<_>, Vec<_>) = ALL.into_iter().partition(|who| !allowed.lets(*who));
        for who in refused {
            let answer = fixture.call(who, method, path).await;
            let refusal = if *allowed == For::Recorded { StatusCode::NOT_FOUND } else { StatusCode::UNAUTHORIZED };
            if answer.status != refusal {
                differences.push(format!("{who:?} {method} {path}: {} instead of a refusal", answer.status));
            }
        }
        for who in passed {
            let ends = *method == "delete" && path.starts_with("/api") || path.ends_with("stream-key");
            let fresh;
            let fixture = if ends || path.ends_with("sign-out") {
                fresh = Fixture::new().await;
                &fresh
            } else {
                &fixture
            };
            let answer = fixture.call(who, method, path).await;
            let no_refusal = !matches!(answer.status, StatusCode::UNAUTHORIZED | StatusCode::METHOD_NOT_ALLOWED)
                || answer.headers.get("content-type").is_none();
            let wrong_password = answer.status == StatusCode::UNAUTHORIZED && path.ends_with("sign-in");
            if !no_refusal && !wrong_password || answer.status.is_server_error() {
                differences.push(format!("{who:?} {method} {path}: {}", answer.status));
            }
        }
    }
    assert!(differences.is_empty(), "{differences:#?}");
}

#[tokio::test]
async fn the_document_names_every_schema_that_it_uses() {
    let server = Server::start().await;
    let document = server.get("/api/v1/openapi.json", &[]).await;
    let text = String::from_utf8(document.body.clone()).expect("text");
    let document = document.json();
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    for used in text.split("#/components/schemas/").skip(1) {
        let name: String = used.chars().take_while(|character| character.is_alphanumeric()).collect();
        assert!(schemas.contains_key(&name), "{name}");
    }
    assert!(schemas.contains_key("CreatedMeeting") && schemas.contains_key("ErrorBody"));
}
