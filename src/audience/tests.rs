//! Tests of the room: what is taken, held, told and kept, with a time that the test says; and of what the audience stores.

use super::Audience;
use super::protocol::{FromViewer, Refused, ShownComment, ToViewer};
use super::room::{KEPT, LIKES_AT_ONCE, Now, Room, Viewer};
use super::settings::Settings;
use crate::clock;
use crate::store::{CommentState, KeptAudience, Store};
use futures_util::FutureExt;
use signaling::ids::Millis;
use std::time::{Duration, Instant};

struct Stage {
    room: Room,
    start: Instant,
    now: Now,
}

fn stage(settings: Settings) -> Stage {
    let start = clock::now();
    let kept = KeptAudience { settings: serde_json::to_string(&settings).ok(), ..KeptAudience::default() };
    let now = Now { instant: start, unix: Millis(1_800_000_000_000) };
    Stage { room: Room::new(kept, 500, start), start, now }
}

fn viewer(number: u8) -> Viewer {
    Viewer { author: [number; 32], name: None, moderator: false }
}

fn host() -> Viewer {
    Viewer { author: [255; 32], name: Some("Hana".to_owned()), moderator: true }
}

impl Stage {
    fn after(&mut self, time: Duration) {
        self.now.instant += time;
        self.now.unix = self.now.unix.plus(u64::try_from(time.as_millis()).expect("short"));
    }

    fn says(&mut self, viewer: &Viewer, text: &str) -> Result<bool, Refused> {
        self.room.comment(self.now, viewer, Some("Ana"), text).map(|taken| taken.held).map_err(|(why, _)| why)
    }

    /// What viewers and what moderators are told now.
    fn news(&mut self) -> (Option<ToViewer>, Option<ToViewer>) {
        match self.room.poll_news() {
            Some(news) => (news.viewers, Some(news.moderators)),
            None => (None, None),
        }
    }
}

fn texts(news: Option<&ToViewer>) -> Vec<&str> {
    match news {
        Some(ToViewer::News { comments, .. } | ToViewer::Welcome { comments, .. }) => {
            comments.iter().map(|comment| comment.text.as_str()).collect()
        }
        _ => Vec::new(),
    }
}

fn comments(message: &ToViewer) -> &[ShownComment] {
    match message {
        ToViewer::News { comments, .. } | ToViewer::Welcome { comments, .. } => comments,
        _ => &[],
    }
}

#[test]
fn what_is_held_only_moderators_see_until_it_is_shown() {
    let mut stage = stage(Settings { words: vec!["spam".to_owned()], ..Settings::default() });
    assert_eq!(stage.says(&viewer(1), "hello"), Ok(false));
    assert_eq!(stage.says(&viewer(1), "buy SPAM"), Ok(true));
    assert_eq!(stage.says(&host(), "no spam please"), Ok(false), "a moderator is not looked at");
    let (viewers, moderators) = stage.news();
    assert_eq!(texts(viewers.as_ref()), ["hello", "no spam please"]);
    assert_eq!(texts(moderators.as_ref()), ["hello", "buy SPAM", "no spam please"]);
    let held = comments(moderators.as_ref().expect("news")).iter().find(|one| one.held).expect("one").id;
    assert_eq!(texts(Some(&stage.room.welcome(&viewer(2)))), ["hello", "no spam please"]);
    assert_eq!(texts(Some(&stage.room.welcome(&host()))).len(), 3);
    assert_eq!(stage.news(), (None, None), "told once");

    let (mut unsaved, _) = stage.room.take_unsaved().expect("three");
    let one = unsaved.iter_mut().find(|one| one.id == held).expect("it");
    one.state = CommentState::Shown;
    stage.room.judged(one);
    assert_eq!(texts(stage.news().0.as_ref()), ["buy SPAM"]);
    one.state = CommentState::Deleted;
    stage.room.judged(one);
    let (viewers, _) = stage.news();
    assert!(matches!(viewers, Some(ToViewer::News { ref deleted, .. }) if *deleted == [held]), "{viewers:?}");
    assert_eq!(texts(Some(&stage.room.welcome(&host()))).len(), 2);
}

#[test]
fn rules_hold_for_viewers_and_not_for_moderators() {
    let mut stage = stage(Settings { slow: 30, ..Settings::default() });
    assert_eq!(stage.says(&viewer(1), "one"), Ok(false));
    stage.after(Duration::from_millis(29_500));
    let refused = stage.room.comment(stage.now, &viewer(1), Some("Ana"), "two");
    assert_eq!(refused.err(), Some((Refused::TooSoon, Some(1))));
    assert_eq!(stage.says(&viewer(2), "another's"), Ok(false));
    assert_eq!((stage.says(&host(), "a"), stage.says(&host(), "b")), (Ok(false), Ok(false)));
    stage.after(Duration::from_millis(500));
    assert_eq!(stage.says(&viewer(1), "two"), Ok(false));

    stage.room.set_muted(viewer(2).author, true);
    assert_eq!(stage.says(&viewer(2), "again"), Err(Refused::Muted));
    assert!(matches!(stage.room.welcome(&viewer(2)), ToViewer::Welcome { muted: true, .. }));
    stage.room.set_muted(viewer(2).author, false);
    stage.after(Duration::from_secs(60));
    assert_eq!(stage.says(&viewer(2), "again"), Ok(false));

    stage.news();
    stage.room.set_settings(Settings { open: false, ..Settings::default() });
    assert!(matches!(stage.news().0, Some(ToViewer::News { rules: Some(rules), .. }) if !rules.open));
    assert_eq!(stage.says(&viewer(1), "three"), Err(Refused::Closed));
    assert_eq!(stage.says(&host(), "that is all"), Ok(false));
}

// acceptance: SEC12
#[test]
fn what_people_type_is_bounded_and_cleaned() {
    let mut stage = stage(Settings::default());
    for text in ["", "   ", "\u{202e}\u{200f}", &"x".repeat(501)] {
        assert_eq!(stage.says(&viewer(1), text), Err(Refused::BadText), "{text:?}");
    }
    for name in ["", &"x".repeat(65), "\u{0}"] {
        let refused = stage.room.comment(stage.now, &viewer(1), Some(name), "hello");
        assert_eq!(refused.err(), Some((Refused::BadName, None)), "{name:?}");
    }
    assert_eq!(stage.room.comment(stage.now, &viewer(1), None, "hello").err(), Some((Refused::BadName, None)));
    assert_eq!(stage.says(&viewer(1), " a\u{202e}b\n\n c\u{7} "), Ok(false));
    assert_eq!(texts(stage.news().0.as_ref()), ["ab c"], "one line that turns nothing around");
    let signed_in = Viewer { name: Some("Mia".to_owned()), ..viewer(3) };
    stage.room.comment(stage.now, &signed_in, Some("Hana"), "hello").expect("taken");
    let (viewers, _) = stage.news();
    let shown = &comments(viewers.as_ref().expect("news"))[0];
    assert_eq!((shown.name.as_str(), shown.guest), ("Mia", false), "under the account's name");
}

// acceptance: SEC7
#[test]
fn nobody_writes_or_likes_faster_than_people_do() {
    let mut stage = stage(Settings::default());
    let taken = (0..100).filter(|_| stage.says(&viewer(1), "spam").is_ok()).count();
    assert_eq!(taken, 5);
    assert_eq!(stage.room.like(stage.now.instant, &viewer(1), u32::MAX), LIKES_AT_ONCE);
    assert_eq!(stage.room.like(stage.now.instant, &viewer(1), 1), 0);
    stage.after(Duration::from_secs(1));
    assert_eq!(stage.room.like(stage.now.instant, &viewer(1), 50), 20);
    // A thousand together: more than anybody reads is not taken.
    let all = (0..2_000_u16)
        .filter(|n| {
            let mut author = [0; 32];
            author[..2].copy_from_slice(&n.to_be_bytes());
            stage.says(&Viewer { author, ..viewer(0) }, "now").is_ok()
        })
        .count();
    assert!((490..=500).contains(&all), "{all}");
    assert!(stage.start < stage.now.instant);
}

#[test]
fn a_rush_of_comments_is_told_in_parts_that_a_socket_takes() {
    let mut stage = stage(Settings::default());
    for n in 0..250_u8 {
        // As long as can be: four bytes each.
        let text = format!("{n}{}", "\u{1f600}".repeat(497));
        assert_eq!(stage.says(&viewer(n), &text), Ok(false));
    }
    let mut told = Vec::new();
    for most in [100, 100, 50] {
        let (viewers, moderators) = stage.news();
        let news = viewers.expect("news");
        assert_eq!((comments(&news).len(), Some(&news)), (most, moderators.as_ref()));
        assert!(serde_json::to_vec(&news).expect("JSON").len() < 1 << 19, "half of what may wait");
        told.extend(comments(&news).iter().map(|comment| comment.id));
    }
    assert!(told.into_iter().eq(1..=250), "each once, in order");
    assert_eq!(stage.news(), (None, None));
}

#[test]
fn likes_are_counted_exactly_and_told_in_one() {
    let mut stage = stage(Settings::default());
    let mut counted = 0;
    for n in 0..200 {
        counted += u64::from(stage.room.like(stage.now.instant, &viewer(n), 25));
    }
    assert_eq!(counted, 5_000);
    let (viewers, _) = stage.news();
    assert!(matches!(viewers, Some(ToViewer::News { likes: Some(5_000), .. })), "{viewers:?}");
    assert_eq!(stage.room.take_unsaved(), Some((Vec::new(), 5_000)));
    assert_eq!(stage.room.take_unsaved(), None, "kept once");
    stage.room.give_back(Vec::new());
    assert_eq!(stage.room.take_unsaved(), Some((Vec::new(), 5_000)), "the disk had failed");
}

#[test]
fn who_comes_gets_the_newest_and_numbers_go_on() {
    let mut stage = stage(Settings::default());
    for n in 0..KEPT + 20 {
        stage.after(Duration::from_secs(1));
        stage.says(&viewer(1), &n.to_string()).expect("taken");
    }
    let welcome = stage.room.welcome(&viewer(2));
    assert_eq!((texts(Some(&welcome)).len(), texts(Some(&welcome))[0]), (KEPT, "20"));
    let (unsaved, likes) = stage.room.take_unsaved().expect("all");
    let ids: Vec<_> = unsaved.iter().map(|comment| comment.id).collect();
    assert!(ids.iter().copied().eq(1..=120));
    let kept = KeptAudience { last: 120, likes, comments: unsaved, ..KeptAudience::default() };
    let mut again = Room::new(kept, 500, stage.now.instant);
    let taken = again.comment(stage.now, &viewer(1), Some("Ana"), "back").expect("taken");
    assert_eq!(taken.id, 121);
}

#[tokio::test]
async fn what_was_written_is_stored_also_where_whoever_looks_hangs_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).await.expect("a store");
    let made = store.create_broadcast("title", None, clock::unix()).await.expect("a broadcast").broadcast;
    let audience = Audience::new(store.clone(), 500);
    let seat = audience.join(&made.id, viewer(1), None).await.expect("a seat");
    seat.comment(Some("Ana"), "hello").expect("taken");
    // Dropped at its first wait, as a handler is whose client is gone.
    assert!(audience.comments(&made.id, None, 10, true).now_or_never().is_none());
    let stored = async {
        while store.comments(&made.id, None, 10, true).await.expect("a list").is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), stored).await.expect("stored within ten seconds");
}

/// The same files are read by `web/src/client/audience.test.ts`.
#[test]
fn the_fixtures_are_what_is_spoken() {
    fn same<T: serde::Serialize + serde::de::DeserializeOwned>(text: &str) {
        for line in text.lines() {
            let value: T = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert_eq!(serde_json::to_string(&value).expect("JSON"), line);
        }
    }
    same::<FromViewer>(include_str!("../../tests/fixtures/audience/from-viewer.jsonl"));
    same::<ToViewer>(include_str!("../../tests/fixtures/audience/to-viewer.jsonl"));
}
