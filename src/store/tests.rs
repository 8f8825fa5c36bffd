//! Tests of the store, each on a database of its own.

use super::meetings::take_number_for_test;
use super::*;
use std::collections::HashSet;
use tempfile::TempDir;

const NOW: Millis = Millis(1_800_000_000_000);

async fn store() -> (Store, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Store::open(folder.path()).await.unwrap(), folder)
}

fn lesson() -> NewMeeting {
    NewMeeting {
        title: "Lesson".to_owned(),
        passcode_hash: None,
        settings: serde_json::json!({"waitingRoom": true}),
        owner: None,
    }
}

#[tokio::test]
async fn a_meeting_is_found_by_id_and_number_after_a_restart() {
    let (store, folder) = store().await;
    let made = store
        .create_meeting(NewMeeting { passcode_hash: Some("$argon2id$x".to_owned()), ..lesson() }, NOW)
        .await
        .unwrap();
    store.close().await;
    drop(store);
    let store = Store::open(folder.path()).await.unwrap();
    let found = store.meeting_by_id(&made.meeting.id).await.unwrap().unwrap();
    assert_eq!(found.title, "Lesson");
    assert_eq!(found.settings, serde_json::json!({"waitingRoom": true}));
    assert_eq!(found.passcode_hash.as_deref(), Some("$argon2id$x"));
    assert_eq!((found.created_at, found.ended_at), (NOW, None));
    assert!(found.is_join_token(made.meeting.join_token.expose()) && !found.is_join_token(&found.id));
    assert!(found.is_host_secret(made.host_secret.expose()) && !found.is_host_secret(found.join_token.expose()));
    assert_eq!(store.meeting_by_number(found.number).await.unwrap().unwrap().id, found.id);
    assert!(store.meeting_by_id("nobody").await.unwrap().is_none());
}

// acceptance: SEC8
#[tokio::test]
async fn secrets_are_long_and_all_different_and_not_in_the_file() {
    let (store, folder) = store().await;
    let mut seen = HashSet::new();
    let mut hidden = Vec::new();
    for _ in 0..20 {
        let made = store.create_meeting(lesson(), NOW).await.unwrap();
        hidden.push(made.host_secret.clone());
        for secret in [&made.meeting.id, made.meeting.join_token.expose(), made.host_secret.expose()] {
            assert!(secret.len() == 32 && secret.bytes().all(|byte| byte.is_ascii_hexdigit()));
            assert!(seen.insert(secret.to_owned()));
        }
        assert!(seen.insert(made.meeting.number.to_string()));
        assert!(!format!("{made:?}").contains(made.meeting.join_token.expose()));
        hidden.push(store.create_broadcast("b", None, NOW).await.unwrap().stream_key);
    }
    hidden.push(store.create_setup_link(NOW).await.unwrap());
    store.close().await;
    let file = std::fs::read(folder.path().join("symposia.db")).unwrap();
    for secret in hidden {
        assert!(!file.windows(32).any(|window| window == secret.expose().as_bytes()));
    }
}

#[tokio::test]
async fn a_number_is_not_used_again_within_30_days_of_the_end() {
    let (store, _folder) = store().await;
    let ended = store.create_meeting(lesson(), NOW).await.unwrap().meeting;
    let deleted = store.create_meeting(lesson(), NOW).await.unwrap().meeting;
    let take = async |number, now| take_number_for_test(&store, number, now).await.unwrap();
    let late = NOW.plus(10 * NUMBER_HELD_MS);
    assert!(!take(ended.number, late).await, "a running meeting keeps its number");

    assert!(store.end_meeting(&ended.id, NOW).await.unwrap());
    assert!(store.delete_meeting(&deleted.id, NOW).await.unwrap());
    for meeting in [&ended, &deleted] {
        assert!(!take(meeting.number, NOW.plus(NUMBER_HELD_MS - 1)).await);
        assert!(take(meeting.number, NOW.plus(NUMBER_HELD_MS)).await);
        assert!(!take(meeting.number, NOW.plus(NUMBER_HELD_MS)).await, "taken once only");
    }
}

#[tokio::test]
async fn deleting_an_ended_meeting_leaves_the_rest_of_its_number_as_it_was() {
    let (store, _folder) = store().await;
    let meeting = store.create_meeting(lesson(), NOW).await.unwrap().meeting;
    store.end_meeting(&meeting.id, NOW).await.unwrap();
    store.delete_meeting(&meeting.id, NOW.plus(1_000_000)).await.unwrap();
    assert!(take_number_for_test(&store, meeting.number, NOW.plus(NUMBER_HELD_MS)).await.unwrap());
    assert!(store.meeting_by_number(meeting.number).await.unwrap().is_none());
}

#[tokio::test]
async fn an_ended_meeting_keeps_no_snapshot_and_takes_none() {
    let (store, _folder) = store().await;
    let meeting = store.create_meeting(lesson(), NOW).await.unwrap().meeting;
    assert!(store.save_snapshot(&meeting.id, "{\"a\":1}", NOW).await.unwrap());
    assert!(store.save_snapshot(&meeting.id, "{\"a\":2}", NOW.plus(5)).await.unwrap());
    assert_eq!(store.load_snapshot(&meeting.id).await.unwrap(), Some(("{\"a\":2}".to_owned(), NOW.plus(5))));
    assert_eq!(store.meetings_with_snapshot().await.unwrap(), vec![meeting.id.clone()]);

    assert!(store.end_meeting(&meeting.id, NOW.plus(6)).await.unwrap());
    assert!(!store.end_meeting(&meeting.id, NOW.plus(7)).await.unwrap(), "only once");
    assert_eq!(store.meeting_by_id(&meeting.id).await.unwrap().unwrap().ended_at, Some(NOW.plus(6)));
    assert_eq!(store.load_snapshot(&meeting.id).await.unwrap(), None);
    assert!(!store.save_snapshot(&meeting.id, "{}", NOW).await.unwrap());
    assert!(!store.save_snapshot("nobody", "{}", NOW).await.unwrap());
    assert!(store.meetings_with_snapshot().await.unwrap().is_empty());
}

#[tokio::test]
async fn lists_and_counts_leave_out_what_ended() {
    let (store, _folder) = store().await;
    let older = store.create_meeting(lesson(), NOW).await.unwrap().meeting;
    let newer = store.create_meeting(lesson(), NOW.plus(1)).await.unwrap().meeting;
    let ids = async |at_most| -> Vec<String> {
        store.meetings(None, at_most).await.unwrap().into_iter().map(|meeting| meeting.id).collect()
    };
    assert_eq!(ids(10).await, [newer.id.clone(), older.id.clone()]);
    assert_eq!(ids(1).await, vec![newer.id.clone()]);
    store.end_meeting(&newer.id, NOW).await.unwrap();
    assert_eq!(ids(10).await, vec![older.id.clone()]);
    assert_eq!(store.count_meetings().await.unwrap(), 1);
    let changed = NewMeeting { title: "New".to_owned(), ..lesson() };
    assert!(store.change_meeting(&older.id, changed.clone()).await.unwrap());
    assert!(!store.change_meeting(&newer.id, changed).await.unwrap(), "ended");
    assert_eq!(store.meeting_by_id(&older.id).await.unwrap().unwrap().title, "New");
}

#[tokio::test]
async fn a_broadcast_is_found_by_its_stream_key() {
    let (store, _folder) = store().await;
    let made = store.create_broadcast("Show", None, NOW).await.unwrap();
    let by_key = store.broadcast_by_stream_key(made.stream_key.expose()).await.unwrap();
    assert_eq!(by_key.as_ref(), Some(&made.broadcast));
    assert_eq!(store.broadcast_by_id(&made.broadcast.id).await.unwrap(), by_key);
    assert_eq!(store.broadcast_by_stream_key(&made.broadcast.id).await.unwrap(), None);
    let page = BroadcastPage { limit: 9, ..BroadcastPage::default() };
    assert_eq!((store.count_broadcasts().await.unwrap(), store.broadcasts(&page).await.unwrap().len()), (1, 1));
    assert!(store.end_broadcast(&made.broadcast.id, NOW.plus(1)).await.unwrap());
    assert!(!store.end_broadcast(&made.broadcast.id, NOW.plus(2)).await.unwrap());
    let ended = store.broadcast_by_stream_key(made.stream_key.expose()).await.unwrap().unwrap();
    assert_eq!(ended.ended_at, Some(NOW.plus(1)));
    assert_eq!(store.count_broadcasts().await.unwrap(), 0);
}

#[tokio::test]
async fn a_setup_link_makes_one_administrator_once() {
    let (store, _folder) = store().await;
    assert!(store.needs_setup().await.unwrap());
    let old = store.create_setup_link(NOW).await.unwrap();
    let link = store.create_setup_link(NOW).await.unwrap();
    assert!(!store.is_setup_link(old.expose()).await.unwrap(), "replaced");
    assert!(store.is_setup_link(link.expose()).await.unwrap());
    assert_eq!(store.create_admin(old.expose(), "ana", "hash", NOW).await.unwrap(), None);
    let ana = store.create_admin(link.expose(), "Ana", "hash", NOW).await.unwrap().unwrap();
    assert!(!store.needs_setup().await.unwrap());
    assert_eq!(store.create_admin(link.expose(), "eve", "hash", NOW).await.unwrap(), None, "used up");
    assert_eq!(store.account_by_name("ANA").await.unwrap(), Some(ana));
    assert_eq!(store.account_by_name("eve").await.unwrap(), None);

    let again = store.create_setup_link(NOW).await.unwrap();
    assert_eq!(store.create_admin(again.expose(), "ana", "other", NOW).await.unwrap(), None, "the name is taken");
    assert!(store.is_setup_link(again.expose()).await.unwrap(), "a refused name leaves the link usable");
}

// acceptance: SEC8
#[tokio::test]
async fn a_sign_in_holds_until_it_is_ended_or_unused_for_too_long() {
    let (store, _folder) = store().await;
    let link = store.create_setup_link(NOW).await.unwrap();
    let ana = store.create_admin(link.expose(), "ana", "hash", NOW).await.unwrap().unwrap();
    let secret = store.create_sign_in(&ana, "Firefox", NOW).await.unwrap().unwrap();
    let holds = async |secret: &str, now| store.verify_sign_in(secret, now).await.unwrap().is_some();
    assert!(!holds("forged", NOW).await);
    let almost = NOW.plus(SIGN_IN_LIFETIME_MS - 1);
    assert!(holds(secret.expose(), almost).await);
    assert!(holds(secret.expose(), almost.plus(SIGN_IN_LIFETIME_MS - 1)).await, "using it renews it");
    assert!(!holds(secret.expose(), almost.plus(3 * SIGN_IN_LIFETIME_MS)).await, "ran out");

    let secret = store.create_sign_in(&ana, "Firefox", NOW).await.unwrap().unwrap();
    store.end_sign_in(secret.expose()).await.unwrap();
    assert!(!holds(secret.expose(), NOW).await, "signed out");

    let secret = store.create_sign_in(&ana, "Firefox", NOW).await.unwrap().unwrap();
    assert!(store.change_password(&ana, "other", None).await.unwrap());
    assert!(!holds(secret.expose(), NOW).await, "the password was changed");
    assert_eq!(store.account_by_name("ana").await.unwrap().unwrap().password_hash, "other");
}

// acceptance: SEC8
#[tokio::test]
async fn a_password_found_right_opens_nothing_once_it_is_another() {
    let (store, _folder) = store().await;
    let link = store.create_setup_link(NOW).await.unwrap();
    // As found before the hash was computed, which takes a while.
    let found = store.create_admin(link.expose(), "ana", "hash", NOW).await.unwrap().unwrap();
    assert!(store.change_password(&found, "other", None).await.unwrap());
    assert!(store.create_sign_in(&found, "Firefox", NOW).await.unwrap().is_none(), "signs nobody in");
    assert!(!store.change_password(&found, "third", None).await.unwrap(), "undoes no new password");
    let now = store.account_by_name("ana").await.unwrap().unwrap();
    assert_eq!(now.password_hash, "other");

    let (_, secret) = store.invite(AccountRole::Administrator, "", NOW).await.unwrap();
    assert!(matches!(store.accept(secret.expose(), "bea", "hash", NOW).await.unwrap(), Accepted::Account(_)));
    let out = AccountChange { disabled: Some(true), ..AccountChange::default() };
    assert_eq!(store.change_account(now.id, &out, NOW).await.unwrap(), Changed::Done { cut: Vec::new() });
    assert!(store.create_sign_in(&now, "Firefox", NOW).await.unwrap().is_none(), "who is shut out meanwhile, too");
    assert!(store.invite_to_reset(&now, NOW).await.unwrap().is_none());
}

// acceptance: SEC8
#[tokio::test]
async fn nobody_else_may_read_the_database() {
    use std::os::unix::fs::PermissionsExt as _;
    let (store, folder) = store().await;
    store.create_meeting(lesson(), NOW).await.unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap().flatten() {
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", entry.file_name());
        seen += 1;
    }
    assert_eq!(seen, 4, "lock, database, log and index");
}

#[tokio::test]
async fn a_second_server_is_kept_out_of_the_folder() {
    let (store, folder) = store().await;
    let error = Store::open(folder.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("--data"), "{error}");
    drop(store);
    assert!(Store::open(folder.path()).await.is_ok());
}

#[tokio::test]
async fn a_newer_database_is_refused_and_left_alone() {
    let (store, folder) = store().await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', TRUE, x'00', 0)",
    )
    .execute(&store.pool)
    .await
    .unwrap();
    store.close().await;
    drop(store);
    let error = Store::open(folder.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::Newer { migration: 9999, .. }), "{error}");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let error = Store::open(&missing).await.unwrap_err();
    assert!(matches!(error, StoreError::Unwritable { .. }), "{error}");
    assert!(error.to_string().contains("missing"), "{error}");
    std::fs::write(folder.path().join("symposia.db"), "this is no database, whatever its name says").unwrap();
    let error = Store::open(folder.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::Opening { .. }), "{error}");
}

#[tokio::test]
async fn numbers_are_made_at_the_same_time_without_a_clash() {
    let (store, _folder) = store().await;
    let making: Vec<_> = (0..40)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.create_meeting(lesson(), NOW).await.unwrap().meeting.number })
        })
        .collect();
    let mut numbers = HashSet::new();
    for task in making {
        assert!(numbers.insert(task.await.unwrap()));
    }
}

#[test]
fn numbers_are_read_as_people_type_them() {
    let number = |text: &str| text.parse::<MeetingNumber>().map(|number| number.to_string());
    assert_eq!(number("123 456 789").as_deref(), Ok("123456789"));
    assert_eq!(number("123-456-789").as_deref(), Ok("123456789"));
    for wrong in ["", "12345678", "1234567890", "012345678", "12345678a", "+12345678", "１２３４５６７８９"] {
        assert!(number(wrong).is_err(), "{wrong}");
    }
}
