//! A server for a test, and requests to it.

use crate::worker::Worker;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::serve::ListenerExt;
use serde_json::{Value, json};
use std::net::SocketAddr;
use symposia::config::{Config, Secret};
use symposia::http::limits::Bounds;
use symposia::http::{AppState, router};
use symposia::session::limits::MediaLimits;
use symposia::store::AccountRole;
use symposia::store::Store;
use symposia::worker::Media;
use tempfile::TempDir;
use tower::ServiceExt;

pub const TOKEN: &str = "a-token-of-the-api-for-tests";

pub struct Server {
    pub state: AppState,
    pub worker: Worker,
    pub address: SocketAddr,
    folder: TempDir,
    router: Router,
    serving: tokio::task::JoinHandle<()>,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub fn text(&self, field: &str) -> String {
        self.json()[field].as_str().unwrap_or_else(|| panic!("no {field}: {self:?}")).to_owned()
    }

    pub fn header(&self, name: impl header::AsHeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The pair of a `Set-Cookie`, as a browser sends it back.
    pub fn cookie(&self, begins: &str) -> Option<String> {
        let cookies = self.headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        cookies.filter_map(|cookie| cookie.split(';').next()).find(|pair| pair.starts_with(begins)).map(str::to_owned)
    }
}

pub fn config() -> Config {
    let mut config = Config::default();
    config.api.tokens.push(Secret::new(TOKEN));
    config
}

impl Server {
    pub async fn start() -> Self {
        Self::with(|_, _| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut Config, &mut Bounds)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::within(folder, change).await
    }

    async fn within(folder: TempDir, change: impl FnOnce(&mut Config, &mut Bounds)) -> Self {
        let mut config = config();
        config.data = folder.path().to_owned();
        let mut bounds = Bounds::from(&config.limits);
        change(&mut config, &mut bounds);
        let store = Store::open(folder.path()).await.expect("a store");
        let (media, mut commands) = Media::detached(1, MediaLimits::default()).expect("DTLS");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        // As the real listener does: without it every answer waits 40 ms for an acknowledgement.
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("a TCP option"));
        let base_url = config.base_url(address);
        let state = AppState::with_bounds(config, base_url, store, media, bounds);
        state.directory.restore().await.expect("a store");
        let router = router(state.clone());
        let service = router.clone().into_make_service_with_connect_info::<SocketAddr>();
        let serving = tokio::spawn(async move { axum::serve(listener, service).await.expect("it serves") });
        Self { state, worker: Worker::start(commands.remove(0)), address, folder, router, serving }
    }

    /// Stops as SIGTERM does, and starts again on the same folder.
    pub async fn restart(self) -> Self {
        self.state.drain();
        self.state.directory.stop().await;
        self.state.audience.stop().await;
        self.state.recordings.stop().await;
        self.serving.abort();
        let _ = self.serving.await;
        let Self { state, folder, router, .. } = self;
        state.store.close().await;
        drop((state, router));
        for _ in 0..100 {
            // The lock on the folder goes with the last clone of the store.
            if Store::open(folder.path()).await.is_ok() {
                return Self::within(folder, |_, _| {}).await;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the folder stays locked");
    }

    /// Sends a request as from this machine.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        self.send_from(SocketAddr::from(([127, 0, 0, 1], 50_000)), request).await
    }

    pub async fn send_from(&self, peer: SocketAddr, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(ConnectInfo(peer));
        if !request.headers().contains_key(header::HOST) {
            let host = self.address.to_string().parse().expect("a header");
            request.headers_mut().insert(header::HOST, host);
        }
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.expect("a body").to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// A request with these headers and, if there is one, a JSON body.
    pub async fn call(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
        self.send(request(method, path, headers, body)).await
    }

    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.call(Method::GET, path, headers, None).await
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        self.call(Method::POST, path, headers, Some(body)).await
    }

    /// The same from nobody, for closures.
    pub async fn post_owned(&self, path: String, body: Value) -> Answer {
        self.post(&path, &[], body).await
    }

    /// Makes a meeting with the API token.
    pub async fn meeting(&self, body: Value) -> MeetingLinks {
        self.meeting_by(&[bearer()], body).await
    }

    /// Makes a meeting by another right.
    pub async fn meeting_by(&self, headers: &[(&str, &str)], body: Value) -> MeetingLinks {
        let made = self.post("/api/v1/meetings", headers, body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
        MeetingLinks {
            id: made.text("id"),
            number: made.text("number"),
            token: fragment(&made.text("join_url"), "t"),
            host_secret: fragment(&made.text("host_url"), "h"),
        }
    }

    /// Invites somebody, who chooses a password; the cookie of who is signed in then.
    pub async fn account(&self, name: &str, role: AccountRole) -> String {
        let invited = self.post("/api/v1/invitations", &[bearer()], json!({"role": role.word()})).await;
        assert_eq!(invited.status, StatusCode::CREATED, "{invited:?}");
        let token = invited.text("url").split_once("/invitation#").expect("a secret").1.to_owned();
        let wanted = json!({"token": token, "name": name, "password": "correct horse battery"});
        let accepted = self.post("/api/v1/invitations/accept", &[], wanted).await;
        assert_eq!(accepted.status, StatusCode::NO_CONTENT, "{accepted:?}");
        accepted.cookie("symposia_session=").expect("signed in")
    }

    /// The host's cookie, as the page gets it.
    pub async fn host_cookie(&self, meeting: &MeetingLinks) -> String {
        let path = format!("/api/v1/meetings/{}/host", meeting.id);
        let answer = self.post(&path, &[], json!({"secret": meeting.host_secret})).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
        answer.cookie("symposia_host_").expect("a cookie")
    }
}

pub fn request(method: Method, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = match body {
        Some(body) => {
            request = request.header(header::CONTENT_TYPE, "application/json");
            Body::from(body.to_string())
        }
        None => Body::empty(),
    };
    request.body(body).expect("a request")
}

/// The header of the API token.
pub fn bearer() -> (&'static str, &'static str) {
    ("authorization", const_str())
}

const fn const_str() -> &'static str {
    "Bearer a-token-of-the-api-for-tests"
}

/// What the links of a meeting hold.
#[derive(Debug, Clone)]
pub struct MeetingLinks {
    pub id: String,
    pub number: String,
    pub token: String,
    pub host_secret: String,
}

/// A secret in the fragment of a link.
fn fragment(url: &str, key: &str) -> String {
    let (before, fragment) = url.split_once('#').expect("a fragment");
    assert!(!before.contains('?'), "a secret must not be in a query: {url}");
    fragment.strip_prefix(key).and_then(|rest| rest.strip_prefix('=')).expect("the secret").to_owned()
}

pub fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/sdp/{name}.sdp", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("a fixture")
}
