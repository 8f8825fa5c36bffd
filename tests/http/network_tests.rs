//! Tests of one's network: one minute, one publisher, one viewer, by a key.

use crate::support::{Answer, Server, fixture};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::json;

const AT: &str = "/api/v1/network-tests";

async fn call(server: &Server, method: Method, path: &str, key: &str, sdp: String) -> Answer {
    let request = Request::builder().method(method).uri(path).header("authorization", format!("Bearer {key}"));
    server.send(request.header(header::CONTENT_TYPE, "application/sdp").body(Body::from(sdp)).expect("a request")).await
}

#[tokio::test]
async fn a_test_publishes_once_watches_once_and_ends() {
    let server = Server::start().await;
    let begun = server.post(AT, &[], json!({})).await;
    assert_eq!((begun.status, begun.header(header::CACHE_CONTROL)), (StatusCode::CREATED, "no-store"));
    let key = begun.text("key");
    let publish = |key: String, path: String| {
        let server = &server;
        async move { call(server, Method::POST, &path, &key, fixture("ffmpeg9-whip")).await.status }
    };
    let (publishing, watching) = (format!("{AT}/publish"), format!("{AT}/watch"));
    assert_eq!(publish("0".repeat(32), publishing.clone()).await, StatusCode::UNAUTHORIZED);
    assert_eq!(publish(key.clone(), publishing.clone()).await, StatusCode::CREATED);
    assert_eq!(publish(key.clone(), publishing).await, StatusCode::CONFLICT, "nobody takes its place");
    let watched = call(&server, Method::POST, &watching, &key, fixture("chromium-whep")).await;
    assert_eq!((watched.status, watched.header(header::CONTENT_TYPE)), (StatusCode::CREATED, "application/sdp"));
    let again = call(&server, Method::POST, &watching, &key, fixture("chromium-whep")).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "no audience");
    let outside = server.get(&format!("/api/v1/broadcasts/network-test-{key}"), &[]).await;
    assert_eq!(outside.status, StatusCode::NOT_FOUND);
    assert_eq!(server.state.broadcasts.counts(), (1, 2));

    let ended = call(&server, Method::DELETE, AT, &key, String::new()).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    assert_eq!(server.state.broadcasts.counts(), (0, 0), "nothing of it is left");
    assert_eq!(call(&server, Method::DELETE, AT, &key, String::new()).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn no_more_than_a_few_run_at_once_of_one_address() {
    let server = Server::start().await;
    for _ in 0..3 {
        assert_eq!(server.post(AT, &[], json!({})).await.status, StatusCode::CREATED);
    }
    let refused = server.post(AT, &[], json!({})).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers.contains_key(header::RETRY_AFTER));
}
