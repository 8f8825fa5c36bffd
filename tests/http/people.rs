//! Accounts by invitation: made, changed, shut out, given a new password; what their owners see and may.

use crate::person::Person;
use crate::support::{Answer, MeetingLinks, Server, bearer};
use axum::http::{Method, StatusCode, header};
use serde_json::{Value, json};
use signaling::protocol::{Command, Event, Join, OutReason, Outcome, RefusalCode, ServerMessage};
use symposia::store::AccountRole;

const PASSWORD: &str = "correct horse battery";

fn token(made: &Answer) -> String {
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    made.text("url").split_once("/invitation#").expect("a secret in the fragment").1.to_owned()
}

async fn sign_in(server: &Server, name: &str, password: &str) -> Answer {
    let agent = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0");
    server.post("/api/v1/sign-in", &[agent], json!({"name": name, "password": password})).await
}

async fn me(server: &Server, cookie: &str) -> Value {
    server.get("/api/v1/me", &[("cookie", cookie)]).await.json()
}

async fn accounts(server: &Server) -> Vec<Value> {
    let list = server.get("/api/v1/accounts", &[bearer()]).await.json();
    list["accounts"].as_array().expect("a list").clone()
}

async fn id_of(server: &Server, name: &str) -> i64 {
    let found = accounts(server).await.into_iter().find(|account| account["name"] == name).expect("an account");
    found["id"].as_i64().expect("a number")
}

async fn change(server: &Server, id: i64, what: Value) -> Answer {
    server.call(Method::PATCH, &format!("/api/v1/accounts/{id}"), &[bearer()], Some(what)).await
}

#[tokio::test]
async fn an_invitation_makes_one_account_of_its_role() {
    let server = Server::start().await;
    let made = server.post("/api/v1/invitations", &[bearer()], json!({"role": "host", "name": " Mia "})).await;
    let secret = token(&made);
    let list = server.get("/api/v1/invitations", &[bearer()]).await.json();
    assert_eq!((&list["invitations"][0]["role"], &list["invitations"][0]["name"]), (&json!("host"), &json!("Mia")));
    assert!(!list.to_string().contains(&secret), "the secret is shown once");

    let opened = server.post("/api/v1/invitations/open", &[], json!({"token": secret})).await;
    assert_eq!(opened.json(), json!({"reset": false, "role": "host", "name": "Mia"}));
    let wanted = |name: &str, password: &str| json!({"token": secret, "name": name, "password": password});
    let short = server.post("/api/v1/invitations/accept", &[], wanted("Mia", "short")).await;
    assert_eq!(short.text("code"), "bad-password");
    let nameless = server.post("/api/v1/invitations/accept", &[], wanted("  ", PASSWORD)).await;
    assert_eq!(nameless.text("code"), "bad-name");
    server.account("Cem", AccountRole::Member).await;
    let taken = server.post("/api/v1/invitations/accept", &[], wanted("cem", PASSWORD)).await;
    assert_eq!((taken.status, taken.text("code").as_str()), (StatusCode::CONFLICT, "name-taken"));
    let accepted = server.post("/api/v1/invitations/accept", &[], wanted("Mia", PASSWORD)).await;
    let cookie = accepted.cookie("symposia_session=").expect("signed in");
    assert!(accepted.header(header::SET_COOKIE).contains("HttpOnly; SameSite=Strict"));
    let shown = me(&server, &cookie).await;
    assert_eq!((&shown["name"], &shown["role"]), (&json!("Mia"), &json!("host")));
    assert_eq!((&shown["may_create"], &shown["may_administrate"]), (&json!(true), &json!(false)));

    let again = server.post("/api/v1/invitations/accept", &[], wanted("Eve", PASSWORD)).await;
    assert_eq!((again.status, again.text("code").as_str()), (StatusCode::FORBIDDEN, "invitation-closed"));
    let taken_back = server.post("/api/v1/invitations", &[bearer()], json!({"role": "member"})).await;
    let path = format!("/api/v1/invitations/{}", taken_back.json()["id"]);
    assert_eq!(server.call(Method::DELETE, &path, &[bearer()], None).await.status, StatusCode::NO_CONTENT);
    let body = json!({"token": token(&taken_back)});
    assert_eq!(server.post("/api/v1/invitations/open", &[], body).await.text("code"), "invitation-closed");
    let wrong = server.post("/api/v1/invitations", &[bearer()], json!({"role": "king"})).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_setup_link_makes_nobody_once_there_are_accounts() {
    let server = Server::start().await;
    let link = server.state.store.create_setup_link(symposia::clock::unix()).await.expect("a link");
    server.account("Ada", AccountRole::Administrator).await;
    let setup = json!({"token": link.expose(), "name": "Eve", "password": PASSWORD});
    assert_eq!(server.post("/api/v1/setup", &[], setup).await.text("code"), "setup-closed");
}

#[tokio::test]
async fn guessing_invitations_is_limited() {
    let server = Server::start().await;
    let mut answers = Vec::new();
    for n in 0..12 {
        let guess = json!({"token": format!("{n}"), "name": "Eve", "password": PASSWORD});
        answers.push(server.post("/api/v1/invitations/accept", &[], guess).await.status);
    }
    assert_eq!(answers.last(), Some(&StatusCode::TOO_MANY_REQUESTS));
}

#[tokio::test]
async fn a_link_to_a_new_password_ends_all_that_the_old_one_opened() {
    let server = Server::start().await;
    let before = server.account("Mia", AccountRole::Host).await;
    let path = format!("/api/v1/accounts/{}/reset", id_of(&server, "Mia").await);
    let older = token(&server.call(Method::POST, &path, &[bearer()], None).await);
    let secret = token(&server.call(Method::POST, &path, &[bearer()], None).await);
    let old = server.post("/api/v1/invitations/open", &[], json!({"token": older})).await;
    assert_eq!(old.text("code"), "invitation-closed", "the newer link replaced it");
    let opened = server.post("/api/v1/invitations/open", &[], json!({"token": secret})).await;
    assert_eq!(opened.json(), json!({"reset": true, "role": "host", "name": "Mia"}));
    assert_eq!(server.get("/api/v1/invitations", &[bearer()]).await.json()["invitations"], json!([]));

    let wanted = json!({"token": secret, "name": "Mia", "password": "another long password"});
    let accepted = server.post("/api/v1/invitations/accept", &[], wanted).await;
    let now = accepted.cookie("symposia_session=").expect("signed in");
    assert_eq!(me(&server, &now).await["name"], "Mia");
    assert!(me(&server, &before).await.get("name").is_none(), "who knew the old one is out");
    assert_eq!(sign_in(&server, "Mia", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(sign_in(&server, "mia", "another long password").await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn who_is_shut_out_is_out_at_once_and_can_be_let_in_again() {
    let server = Server::start().await;
    let cookie = server.account("Mia", AccountRole::Host).await;
    let id = id_of(&server, "Mia").await;
    assert_eq!(change(&server, id, json!({"disabled": true})).await.status, StatusCode::NO_CONTENT);
    let refused = server.post("/api/v1/meetings", &[("cookie", &cookie)], json!({})).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    let (out, missing) = (sign_in(&server, "Mia", PASSWORD).await, sign_in(&server, "Nobody", PASSWORD).await);
    assert_eq!((out.status, &out.body), (missing.status, &missing.body), "not told apart");
    let reset = server.call(Method::POST, &format!("/api/v1/accounts/{id}/reset"), &[bearer()], None).await;
    assert_eq!(reset.status, StatusCode::NOT_FOUND);

    assert_eq!(change(&server, id, json!({"disabled": false, "role": "member"})).await.status, StatusCode::NO_CONTENT);
    let back = sign_in(&server, "Mia", PASSWORD).await.cookie("symposia_session=").expect("signed in");
    assert_eq!(me(&server, &back).await["role"], "member");
    let refused = server.post("/api/v1/meetings", &[("cookie", &back)], json!({})).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "a member takes part only");
}

/// Whether a stream key opens a broadcast, asked with an offer of nothing.
async fn publishes(server: &Server, key: &str) -> bool {
    let headers = [("content-type", "application/sdp")];
    let answer = server.call(Method::POST, &format!("/whip/{key}"), &headers, None).await;
    answer.status != StatusCode::UNAUTHORIZED
}

// acceptance: SEC8
#[tokio::test]
async fn who_is_shut_out_keeps_no_seat_no_hosts_cookie_and_no_stream_key() {
    let server = Server::start().await;
    let mia = server.account("Mia", AccountRole::Host).await;
    let id = id_of(&server, "Mia").await;
    let own = server.meeting_by(&[("cookie", &mia)], json!({})).await;
    let others = server.meeting(json!({"waiting_room": false})).await;
    let as_host = server.host_cookie(&own).await;
    let key = server.post("/api/v1/broadcasts", &[("cookie", &mia)], json!({})).await.text("stream_key");
    let by_link = Join::Link { meeting: others.id.clone(), token: others.token.clone() };
    let (mut seated, _) = Person::join(&server, by_link.clone(), "Mia", &mia).await.expect("the link is right");
    let host = Join::Host { meeting: own.id.clone() };
    let (mut hosting, _) = Person::join(&server, host.clone(), "Mia", &mia).await.expect("her own");
    let (mut guest, _) = Person::by_link(&server, &others, "Gus").await;
    // Its page was opened before, and nobody has said hello by it.
    let mut early = Person::connect(&server, &mia).await;
    assert!(publishes(&server, &key).await);

    assert_eq!(change(&server, id, json!({"disabled": true})).await.status, StatusCode::NO_CONTENT);
    for person in [&mut seated, &mut hosting] {
        let (messages, closed) = person.rest().await;
        let out = |message: &ServerMessage| {
            matches!(message, ServerMessage::Event { event: Event::Out { reason: OutReason::Removed }, .. })
        };
        assert!(messages.iter().any(out), "{messages:?} {closed:?}");
    }
    assert_eq!(early.hello(host.clone(), "Mia").await.err(), Some(RefusalCode::WrongLink));
    let by_cookie = Person::join(&server, host, "Mia", &as_host).await;
    assert_eq!(by_cookie.err(), Some(RefusalCode::WrongLink), "the cookie of her host link");
    let path = format!("/api/v1/meetings/{}/host", own.id);
    let by_link = server.post(&path, &[], json!({"secret": own.host_secret})).await;
    assert_eq!(by_link.status, StatusCode::NOT_FOUND, "and the link itself");
    assert!(!publishes(&server, &key).await);
    guest.event(|event| matches!(event, Event::Left { .. }).then_some(())).await;
    assert_eq!(guest.ask(Command::SetHand { raised: true }).await, Ok(Outcome::Done), "others stay");

    // Let in again she hosts what she made, with new links and keys.
    change(&server, id, json!({"disabled": false})).await;
    let back = sign_in(&server, "Mia", PASSWORD).await.cookie("symposia_session=").expect("signed in");
    let list = server.get("/api/v1/broadcasts", &[("cookie", &back)]).await.json();
    let path = format!("/api/v1/broadcasts/{}/stream-key", list["broadcasts"][0]["id"].as_str().expect("hers"));
    let renewed = server.post(&path, &[("cookie", &back)], json!({})).await.text("stream_key");
    assert!(publishes(&server, &renewed).await);
    let path = format!("/api/v1/accounts/{id}");
    assert_eq!(server.call(Method::DELETE, &path, &[bearer()], None).await.status, StatusCode::NO_CONTENT);
    assert!(!publishes(&server, &renewed).await, "who is deleted, too");
    let list = server.get("/api/v1/broadcasts", &[bearer()]).await.json();
    assert_eq!(list["broadcasts"][0]["owner"], Value::Null, "it stays, for administrators");
}

#[tokio::test]
async fn somebody_can_always_run_the_server() {
    let server = Server::start().await;
    server.account("Ada", AccountRole::Administrator).await;
    server.account("Mia", AccountRole::Host).await;
    let ada = id_of(&server, "Ada").await;
    for what in [json!({"role": "host"}), json!({"disabled": true})] {
        let refused = change(&server, ada, what).await;
        assert_eq!((refused.status, refused.text("code").as_str()), (StatusCode::CONFLICT, "last-administrator"));
    }
    let path = format!("/api/v1/accounts/{ada}");
    assert_eq!(server.call(Method::DELETE, &path, &[bearer()], None).await.text("code"), "last-administrator");
    assert_eq!(change(&server, ada, json!({"name": "MIA"})).await.text("code"), "name-taken");
    assert_eq!(change(&server, ada, json!({"name": "ada"})).await.status, StatusCode::NO_CONTENT, "her own");

    server.account("Bea", AccountRole::Administrator).await;
    assert_eq!(server.call(Method::DELETE, &path, &[bearer()], None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(change(&server, ada, json!({})).await.status, StatusCode::NOT_FOUND);
    let names: Vec<_> = accounts(&server).await.into_iter().map(|account| account["name"].clone()).collect();
    assert_eq!(names, ["Bea", "Mia"]);
}

#[tokio::test]
async fn people_see_and_end_their_own_sign_ins_and_change_their_password() {
    let server = Server::start().await;
    let first = server.account("Mia", AccountRole::Member).await;
    let other = server.account("Cem", AccountRole::Member).await;
    let second = sign_in(&server, "Mia", PASSWORD).await.cookie("symposia_session=").expect("signed in");
    let list =
        async |cookie: &str| server.get("/api/v1/me/sign-ins", &[("cookie", cookie)]).await.json()["sign_ins"].clone();
    let mine = list(&second).await;
    assert_eq!(mine.as_array().expect("a list").len(), 2);
    let current = mine.as_array().expect("a list").iter().find(|one| one["current"] == true).expect("this one");
    assert_eq!(current["device"], "Firefox, Linux");
    let away = mine.as_array().expect("a list").iter().find(|one| one["current"] == false).expect("the other");
    let path = format!("/api/v1/me/sign-ins/{}", away["id"]);
    let stranger = server.call(Method::DELETE, &path, &[("cookie", &other)], None).await;
    assert_eq!(stranger.status, StatusCode::NOT_FOUND, "not somebody else's");
    let ended = server.call(Method::DELETE, &path, &[("cookie", &second)], None).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    assert!(me(&server, &first).await.get("name").is_none());

    let third = sign_in(&server, "Mia", PASSWORD).await.cookie("symposia_session=").expect("signed in");
    let new = |old: &str, new: &str| json!({"old": old, "new": new});
    let headers = [("cookie", second.as_str())];
    let wrong = server.post("/api/v1/me/password", &headers, new("not the old one", "another long password")).await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    let short = server.post("/api/v1/me/password", &headers, new(PASSWORD, "short")).await;
    assert_eq!(short.text("code"), "bad-password");
    let changed = server.post("/api/v1/me/password", &headers, new(PASSWORD, "another long password")).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT);
    assert_eq!(me(&server, &second).await["name"], "Mia", "who changed it stays");
    assert!(me(&server, &third).await.get("name").is_none(), "all others are out");
}

// acceptance: SEC8
#[tokio::test]
async fn of_two_new_passwords_for_one_old_one_holds_only_the_first() {
    let server = Server::start().await;
    let (cookie, other) = (server.account("Mia", AccountRole::Member).await, sign_in(&server, "Mia", PASSWORD).await);
    let other = other.cookie("symposia_session=").expect("signed in");
    let new = |new: &str| json!({"old": PASSWORD, "new": new});
    let change = async |cookie: &str, password: &str| {
        server.post("/api/v1/me/password", &[("cookie", cookie)], new(password)).await
    };
    let (first, second) = tokio::join!(change(&cookie, "the owner's new one"), change(&other, "the thief's new one"));
    let mut statuses = [first.status, second.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::NO_CONTENT, StatusCode::UNAUTHORIZED]);
}

#[tokio::test]
async fn hosts_list_and_manage_what_they_made_and_nothing_else() {
    let server = Server::start().await;
    let (mia, cem) = (server.account("Mia", AccountRole::Host).await, server.account("Cem", AccountRole::Host).await);
    let made = |title: &str| json!({"title": title});
    let own: MeetingLinks = server.meeting_by(&[("cookie", &mia)], made("Mia's")).await;
    server.meeting_by(&[("cookie", &cem)], made("Cem's")).await;
    server.meeting(made("A program's")).await;
    let titles = async |headers: &[(&str, &str)]| {
        let list = server.get("/api/v1/meetings", headers).await.json();
        let list = list["meetings"].as_array().expect("a list").iter();
        let mut titles: Vec<_> = list.map(|meeting| meeting["title"].as_str().expect("a title").to_owned()).collect();
        titles.sort();
        titles
    };
    assert_eq!(titles(&[("cookie", &mia)]).await, ["Mia's"]);
    assert_eq!(titles(&[bearer()]).await, ["A program's", "Cem's", "Mia's"]);
    let path = format!("/api/v1/meetings/{}", own.id);
    assert_eq!(server.get(&path, &[("cookie", &mia)]).await.status, StatusCode::OK);
    assert_eq!(server.get(&path, &[("cookie", &cem)]).await.status, StatusCode::UNAUTHORIZED);
    let about = format!("/api/v1/me?meeting={}", own.id);
    assert_eq!(server.get(&about, &[("cookie", &mia)]).await.json()["host"], true, "without the link, too");
    assert_eq!(server.get(&about, &[("cookie", &cem)]).await.json()["host"], false);

    let key = async |path: &str, cookie: &str| server.post(path, &[("cookie", cookie)], json!({})).await;
    let made = key("/api/v1/broadcasts", &mia).await;
    for _ in 0..2 {
        assert_eq!(key("/api/v1/broadcasts", &cem).await.status, StatusCode::CREATED);
    }
    let broadcast = format!("/api/v1/broadcasts/{}", made.text("id"));
    let stream_key = format!("{broadcast}/stream-key");
    let list = async |query: &str, headers: &[(&str, &str)]| {
        server.get(&format!("/api/v1/broadcasts{query}"), headers).await.json()
    };
    let hers = list("", &[("cookie", &mia)]).await;
    assert_eq!(hers["broadcasts"].as_array().expect("a list").len(), 1);
    assert_eq!((&hers["broadcasts"][0]["owner"], &hers["next"]), (&json!("Mia"), &Value::Null));
    let (first, mut seen) = (list("?limit=2", &[bearer()]).await, Vec::new());
    let rest = list(&format!("?before={}", first["next"].as_str().expect("more")), &[bearer()]).await;
    for page in [&first, &rest] {
        let page = page["broadcasts"].as_array().expect("a list").iter();
        seen.extend(page.map(|one| one["owner"].as_str().expect("a name").to_owned()));
    }
    seen.sort();
    assert_eq!(seen, ["Cem", "Cem", "Mia"], "administrators see all, each once");
    assert_eq!(list("?before=nothing", &[bearer()]).await["code"], "bad-message");
    assert_eq!(key(&stream_key, &cem).await.status, StatusCode::UNAUTHORIZED);
    let renewed = key(&stream_key, &mia).await.text("stream_key");
    assert!(publishes(&server, &renewed).await && !publishes(&server, &made.text("stream_key")).await);

    let id = id_of(&server, "Mia").await;
    change(&server, id, json!({"role": "member"})).await;
    assert!(!publishes(&server, &renewed).await, "who may make none sends to none");
    let ended = server.call(Method::DELETE, &broadcast, &[("cookie", &mia)], None).await;
    assert_eq!(ended.status, StatusCode::UNAUTHORIZED);
    change(&server, id, json!({"role": "host"})).await;
    let ended = server.call(Method::DELETE, &broadcast, &[("cookie", &mia)], None).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    assert_eq!(list("", &[("cookie", &mia)]).await["broadcasts"], json!([]));
    change(&server, id, json!({"role": "member"})).await;
    assert_eq!(server.get(&path, &[("cookie", &mia)]).await.status, StatusCode::UNAUTHORIZED, "no host any more");
}
