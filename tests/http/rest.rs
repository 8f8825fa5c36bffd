//! Meetings and people by REST.

use crate::support::{Server, bearer, request};
use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::json;
use std::net::SocketAddr;

#[tokio::test]
async fn a_meeting_is_made_shown_listed_and_ended() {
    let server = Server::start().await;
    let made = server.post("/api/v1/meetings", &[bearer()], json!({"title": "Physics", "passcode": "4711"})).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(made.header(header::CACHE_CONTROL), "no-store");
    let (id, number) = (made.text("id"), made.text("number"));
    assert!(number.len() == 9 && number.bytes().all(|byte| byte.is_ascii_digit()));
    assert!(made.text("join_url").starts_with(&format!("{}/m/{id}#t=", server.state.base_url)));
    assert!(made.text("host_url").starts_with(&format!("{}/m/{id}#h=", server.state.base_url)));

    let path = format!("/api/v1/meetings/{id}");
    let shown = server.get(&path, &[bearer()]).await;
    assert_eq!(shown.status, StatusCode::OK);
    assert_eq!((shown.json()["title"].as_str(), shown.json()["passcode"].as_bool()), (Some("Physics"), Some(true)));
    assert!(!String::from_utf8_lossy(&shown.body).contains("#h="), "the host link is shown once");
    let listed = server.get("/api/v1/meetings", &[bearer()]).await.json();
    assert_eq!(listed["meetings"][0]["id"], id.as_str());

    assert_eq!(server.call(Method::DELETE, &path, &[bearer()], None).await.status, StatusCode::NO_CONTENT);
    assert!(server.get(&path, &[bearer()]).await.json()["ended_at"].is_u64());
    assert_eq!(server.get("/api/v1/meetings", &[bearer()]).await.json()["meetings"], json!([]));
}

#[tokio::test]
async fn an_empty_body_makes_a_meeting_and_a_wrong_one_is_refused() {
    let server = Server::start().await;
    let made = server.call(Method::POST, "/api/v1/meetings", &[bearer()], None).await;
    assert_eq!(made.status, StatusCode::CREATED);
    for (body, status) in [
        (json!({"passcode": "1"}), 400),
        (json!({"title": "x".repeat(201)}), 400),
        (json!({"titel": "x"}), 400),
        (json!({"waiting_room": "yes"}), 400),
    ] {
        let answer = server.post("/api/v1/meetings", &[bearer()], body.clone()).await;
        assert_eq!(answer.status.as_u16(), status, "{body}");
        assert!(!answer.text("code").is_empty() && answer.text("message").len() > 10);
    }
    let form = Request::post("/api/v1/meetings")
        .header("authorization", bearer().1)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from("title=x"));
    assert_eq!(server.send(form.expect("a request")).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let large = json!({"title": "x".repeat(100_000)});
    assert_eq!(server.post("/api/v1/meetings", &[bearer()], large).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn in_dev_anyone_starts_a_meeting_and_otherwise_nobody() {
    let server = Server::start().await;
    let refused = server.post("/api/v1/meetings", &[], json!({})).await;
    assert_eq!((refused.status, refused.text("code").as_str()), (StatusCode::UNAUTHORIZED, "sign-in-needed"));
    assert_eq!(server.get("/api/v1/me", &[]).await.json()["may_create"], false);
    let server = Server::with(|config, _| config.dev = true).await;
    assert_eq!(server.post("/api/v1/meetings", &[], json!({})).await.status, StatusCode::CREATED);
    let me = server.get("/api/v1/me", &[]).await;
    assert_eq!((&me.json()["may_create"], &me.json()["dev"]), (&json!(true), &json!(true)));
    assert!(me.cookie("symposia_browser=").is_some());
}

#[tokio::test]
async fn the_first_administrator_is_made_once_and_signs_in_and_out() {
    let server = Server::start().await;
    assert_eq!(server.get("/api/v1/me", &[]).await.json()["needs_setup"], true);
    let link = server.state.store.create_setup_link(symposia::clock::unix()).await.expect("a link");
    let setup = |token: &str| json!({"token": token, "name": "Ada", "password": "correct horse battery"});
    assert_eq!(server.post("/api/v1/setup", &[], setup("wrong")).await.text("code"), "setup-closed");
    let short = json!({"token": link.expose(), "name": "Ada", "password": "short"});
    assert_eq!(server.post("/api/v1/setup", &[], short).await.text("code"), "bad-password");
    let made = server.post("/api/v1/setup", &[], setup(link.expose())).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert_eq!(server.post("/api/v1/setup", &[], setup(link.expose())).await.text("code"), "setup-closed");
    assert_eq!(server.get("/api/v1/me", &[]).await.json()["needs_setup"], false);

    let wrong = server.post("/api/v1/sign-in", &[], json!({"name": "Ada", "password": "wrong"})).await;
    let missing = server.post("/api/v1/sign-in", &[], json!({"name": "Bob", "password": "wrong"})).await;
    assert_eq!((wrong.status, &wrong.body), (missing.status, &missing.body), "not told apart");
    let right = json!({"name": "ada", "password": "correct horse battery"});
    let signed_in = server.post("/api/v1/sign-in", &[], right).await;
    assert_eq!(signed_in.status, StatusCode::NO_CONTENT);
    let cookie = signed_in.cookie("symposia_session=").expect("a cookie");
    assert!(signed_in.header(header::SET_COOKIE).contains("HttpOnly; SameSite=Strict"));
    let me = server.get("/api/v1/me", &[("cookie", &cookie)]).await.json();
    assert_eq!((&me["name"], &me["may_create"]), (&json!("Ada"), &json!(true)));
    let made = server.post("/api/v1/meetings", &[("cookie", &cookie)], json!({})).await;
    assert_eq!(made.status, StatusCode::CREATED);

    let out = server.call(Method::POST, "/api/v1/sign-out", &[("cookie", &cookie)], None).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    let again = server.post("/api/v1/meetings", &[("cookie", &cookie)], json!({})).await;
    assert_eq!(again.status, StatusCode::UNAUTHORIZED, "the cookie is worth nothing any more");
}

#[tokio::test]
async fn guessing_passwords_is_limited() {
    let server = Server::start().await;
    let try_one = async |n: u32| {
        let body = json!({"name": format!("name{n}"), "password": "x"});
        server.post("/api/v1/sign-in", &[], body).await
    };
    let mut refused = None;
    for n in 0..20 {
        let answer = try_one(n).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            assert!(answer.headers.contains_key(header::RETRY_AFTER));
            refused = Some(n);
            break;
        }
    }
    assert_eq!(refused, Some(10));
}

// acceptance: D1
#[tokio::test]
async fn while_draining_new_meetings_are_refused_at_once() {
    let server = Server::start().await;
    assert_eq!(server.get("/readyz", &[]).await.status, StatusCode::OK);
    server.state.drain();
    let refused = server.post("/api/v1/meetings", &[bearer()], json!({})).await;
    assert_eq!((refused.status, refused.text("code").as_str()), (StatusCode::SERVICE_UNAVAILABLE, "draining"));
    assert_eq!(server.get("/readyz", &[]).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(server.get("/healthz", &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn counters_are_for_this_machine_or_a_token() {
    let server = Server::start().await;
    let here = server.get("/metrics", &[]).await;
    assert_eq!(here.status, StatusCode::OK);
    let text = String::from_utf8_lossy(&here.body).into_owned();
    assert!(text.contains("# TYPE symposia_participants gauge"), "{text}");
    let stranger = SocketAddr::from(([203, 0, 113, 9], 1));
    for path in ["/metrics", "/readyz"] {
        let refused = server.send_from(stranger, request(Method::GET, path, &[], None)).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{path}");
        let proxied = server.get(path, &[("x-forwarded-for", "203.0.113.9")]).await;
        assert_eq!(proxied.status, StatusCode::UNAUTHORIZED, "{path} through a proxy on this machine");
        let allowed = server.send_from(stranger, request(Method::GET, path, &[bearer()], None)).await;
        assert_eq!(allowed.status, StatusCode::OK, "{path}");
    }
}

// acceptance: SEC12
#[tokio::test]
async fn every_answer_bears_the_security_headers() {
    let server = Server::start().await;
    for path in ["/", "/m/abc", "/api/v1/me", "/api/v1/none", "/assets/none.js", "/healthz"] {
        let answer = server.get(path, &[]).await;
        let policy = answer.header(header::CONTENT_SECURITY_POLICY);
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff", "{path}");
        assert_eq!(answer.header(header::REFERRER_POLICY), "no-referrer", "{path}");
        assert!(answer.header("permissions-policy").contains("camera=(self)"), "{path}");
    }
}

#[tokio::test]
async fn addresses_of_the_web_app_are_pages_and_unknown_ones_are_not_found() {
    let server = Server::start().await;
    for path in ["/", "/m/abc", "/w/abc", "/number", "/setup", "/sign-in", "/gallery"] {
        let page = server.get(path, &[]).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.header(header::CONTENT_TYPE).starts_with("text/html"), "{path}");
        assert!(page.cookie("symposia_browser=").is_some(), "{path}");
    }
    for path in ["/nothing", "/api/v1/nothing", "/api/v2/meetings", "/assets/../Cargo.toml"] {
        let answer = server.get(path, &[]).await;
        assert_eq!((answer.status, answer.text("code").as_str()), (StatusCode::NOT_FOUND, "not-found"), "{path}");
    }
}
