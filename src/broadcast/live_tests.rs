//! Publishers that come and go, and viewers who wait: live streams without a network.

use super::super::{Broadcasts, Input, Rewind, TrackNumber};
use super::*;
use crate::capture::tests::media::{SMALL, Source as Film};
use crate::clock;
use recordings::Codec;
use std::path::Path;
use std::pin::pin;

fn all() -> Broadcasts {
    Broadcasts::new(Settings::default(), 10)
}

fn publish(all: &Broadcasts, source: Source, takeover: bool) -> Result<Input, Busy> {
    all.publish("a-broadcast", source, takeover, clock::now())
}

/// So many pictures, and sound beside them where there is one; from this millisecond on.
fn push(input: &mut Input, picture: Option<&Film>, sound: Option<&Film>, (from, ms): (u64, u64)) {
    for at in (from..from + ms).step_by(20) {
        if let Some(film) = picture
            && at % 40 == 0
        {
            input.handle_frame(TrackNumber(0), Frame { time: at * 90, ..film.frame(at / 40, 0) });
        }
        if let Some(film) = sound {
            input.handle_frame(TrackNumber(1), Frame { time: at * 48, ..film.frame(at / 20, 0) });
        }
    }
}

// acceptance: L3
#[tokio::test]
async fn viewers_find_the_end_and_what_comes_then_is_another_stream() {
    let (all, film) = (all(), Film::new(Codec::H264, SMALL));
    let mut input = publish(&all, Source::Rtmp, false).expect("nobody is there");
    push(&mut input, Some(&film), None, (0, 3_000));
    let live = all.get("a-broadcast").expect("it is live");
    let ended = |text: &[u8]| text.ends_with(b"#EXT-X-ENDLIST\n");
    assert!(!ended(&live.playlist(Kind::Picture, Wanted::default()).await.expect("a playlist")));
    all.end("a-broadcast");
    assert!(input.cut().is_cancelled() && !input.handle_frame(TrackNumber(0), film.frame(90, 0)));
    let found = all.get("a-broadcast").expect("viewers find its end");
    assert!(ended(&found.playlist(Kind::Picture, Wanted::default()).await.expect("a playlist")));
    let _again = publish(&all, Source::Rtmp, false).expect("it is over");
    assert_ne!(all.get("a-broadcast").expect("it is live").session(), live.session());
}

#[tokio::test]
async fn who_waits_for_what_does_not_come_any_more_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = kept(folder.path(), 0);
    let (film, sound) = (Film::new(Codec::H264, SMALL), Film::new(Codec::Opus, SMALL));
    let mut first = publish(&all, Source::Whip, false).expect("nobody is there");
    push(&mut first, Some(&film), Some(&sound), (0, 3_000));
    drop(first);
    let live = all.get("a-broadcast").expect("it is live");
    let mut second = publish(&all, Source::Whip, false).expect("nobody is there");
    second.expect(Expected { picture: false, sound: true });
    let next = live.view(Kind::Picture).borrow().as_ref().map_or(0, |view| view.next.0);
    let mut waits = pin!(live.playlist(Kind::Picture, Wanted { msn: Some(next), part: None, skip: false }));
    assert!(futures_util::poll!(waits.as_mut()).is_pending());
    let mut goes_back = pin!(live.rewind(Kind::Picture, Wanted { msn: Some(next), ..Wanted::default() }));
    assert!(futures_util::poll!(goes_back.as_mut()).is_pending());
    push(&mut second, None, Some(&sound), (0, 4_000));
    assert_eq!(waits.await, Err(Refused::Gone));
    assert_eq!(goes_back.await, Err(Refused::Gone));
    assert!(live.rewind(Kind::Picture, Wanted::default()).await.is_ok(), "what there was can be gone back to");
    assert_eq!(live.playlist(Kind::Picture, Wanted::default()).await, Err(Refused::Gone));
    let offered = live.multivariant(false).await.expect("there is sound");
    assert!(!String::from_utf8_lossy(&offered).contains("RESOLUTION"), "who asks anew is told what there is");
}

#[test]
fn a_publisher_is_heard_or_has_lost_its_network() {
    let all = all();
    let first = publish(&all, Source::Whip, false).expect("nobody is there");
    assert_eq!(publish(&all, Source::Rtmp, false).err(), Some(Busy { by: Source::Whip }));
    let live = all.get("a-broadcast").expect("it is live");
    let later = clock::unix().0 + LOST_MS;
    assert!(live.publish(Source::Rtmp, false, later).is_ok_and(|place| place.is_some()));
    assert!(first.cut().is_cancelled());
    drop(first);
    assert_eq!(live.publisher(), Some(Source::Rtmp), "whose end is not that of another");
}

#[test]
fn who_was_cut_says_nothing_of_who_took_over() {
    let (all, film) = (all(), Film::new(Codec::Vp8, SMALL));
    let mut first = publish(&all, Source::Whip, false).expect("nobody is there");
    let live = all.get("a-broadcast").expect("it is live");
    assert!(!first.handle_frame(TrackNumber(0), film.frame(0, 0)) && !live.is_in_hls());
    let mut second = publish(&all, Source::Rtmp, true).expect("it takes over");
    let vp8 = Config::of_key_frame(Codec::Vp8, &film.frame(0, 0).data).expect("a key frame");
    assert!(!first.handle_frame(TrackNumber(0), film.frame(1, 0)) && live.is_in_hls());
    assert!(first.handle_format(TrackNumber(0), vp8.clone()).is_err() && live.is_in_hls());
    assert!(second.handle_format(TrackNumber(0), vp8).is_err() && !live.is_in_hls());
}

#[test]
fn no_key_frame_is_asked_of_pictures_that_cannot_be_in_hls() {
    let (all, film) = (all(), Film::new(Codec::Vp8, SMALL));
    let mut input = publish(&all, Source::Whip, false).expect("nobody is there");
    assert!(input.wants_key(Duration::MAX), "nothing has come yet");
    assert!(!input.handle_frame(TrackNumber(0), film.frame(1, 0)));
    assert!(!input.wants_key(Duration::MAX) && !input.wants_key(Duration::ZERO));
}

#[test]
fn who_comes_back_in_time_is_not_ended() {
    let all = all();
    drop(publish(&all, Source::Whip, false).expect("nobody is there"));
    let live = all.get("a-broadcast").expect("it is live");
    let late = clock::now() + COME_BACK + Duration::from_secs(1);
    let back = publish(&all, Source::Whip, false).expect("nobody is there");
    assert!(!live.sweep(late) && !live.is_over());
    drop(back);
    assert!(!live.sweep(late) && live.is_over(), "ended, and not yet forgotten");
    assert!(live.sweep(late + KEEP_ENDED * 2));
}

/// Streams that are kept in this folder.
fn kept(folder: &Path, reserve: u64) -> Broadcasts {
    let (folder, window) = (folder.join("live"), Duration::from_secs(7_200));
    all().with_rewind(Rewind { folder, window, max_bytes: 8 << 30, reserve })
}

/// Five pictures a second, a key frame each two seconds, for so many seconds.
fn push_slowly(input: &mut Input, film: &Film, seconds: u64) {
    for number in 0..seconds * 5 {
        input.handle_frame(TrackNumber(0), Frame { time: number * 200 * 90, ..film.frame(number % 10, 0) });
    }
}

/// What is between two strings.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

// acceptance: L9
#[tokio::test]
async fn viewers_go_back_two_hours_while_it_is_live() {
    let (folder, film) = (tempfile::tempdir().expect("a folder"), Film::new(Codec::H264, SMALL));
    let all = kept(folder.path(), 0);
    let mut input = publish(&all, Source::Whip, false).expect("nobody is there");
    input.expect(Expected { picture: true, sound: false });
    push_slowly(&mut input, &film, 7_800);
    let live = all.get("a-broadcast").expect("it is live");
    let offered = String::from_utf8_lossy(&live.multivariant(true).await.expect("an offer")).into_owned();
    assert!(offered.contains(&format!("{}/rewind-video.m3u8", live.session())), "{offered}");
    let whole = async || {
        let text = live.rewind(Kind::Picture, Wanted::default()).await.expect("a playlist");
        String::from_utf8_lossy(&text).into_owned()
    };
    // The disk is behind: a day of it is written in a moment here.
    let mut text = whole().await;
    for _ in 0..600 {
        if !text.contains("#EXT-X-GAP") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        text = whole().await;
    }
    let lengths = text.lines().filter_map(|line| line.strip_prefix("#EXTINF:")?.strip_suffix(',')?.parse::<f64>().ok());
    let seconds: f64 = lengths.sum();
    assert!((7_190.0..7_210.0).contains(&seconds) && !text.contains("#EXT-X-GAP"), "{seconds}");
    let began = clock::now();
    let text = whole().await;
    let first: u64 = between(&text, "#EXT-X-MEDIA-SEQUENCE:", "\n").and_then(|msn| msn.parse().ok()).expect("a number");
    let Ok(Found::OnDisk { path, bytes }) = live.segment(Kind::Picture, first) else { panic!("{first} is not there") };
    let file = std::fs::read(&path).expect("a file");
    assert_eq!((file.len() as u64, &file[4..8]), (bytes, &b"moof"[..]));
    let head = between(&text, "video/init-", ".mp4").and_then(|head| head.parse().ok()).expect("a head");
    assert!(live.head(Kind::Picture, head).is_ok());
    let took = clock::now() - began;
    assert!(took < Duration::from_secs(1), "{took:?}");
    // Players have loaded a playlist that named it; of those before it nothing is left, as soon as the disk gets to it.
    assert!(matches!(live.segment(Kind::Picture, first - 1), Ok(Found::OnDisk { .. })));
    assert_eq!(live.segment(Kind::Picture, first - 40), Err(Refused::Gone));
    let before = path.with_file_name(format!("video-{}.m4s", first - 40));
    for _ in 0..600 {
        if !before.exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!before.exists());
    // Who goes on there loads little more.
    let delta = live.rewind(Kind::Picture, Wanted { skip: true, ..Wanted::default() }).await.expect("a playlist");
    let delta = String::from_utf8_lossy(&delta).into_owned();
    let skipped = between(&delta, "SKIPPED-SEGMENTS=", "\n").and_then(|count| count.parse::<usize>().ok());
    let listed = delta.matches("#EXTINF").count();
    assert!(listed <= 14, "{delta}");
    assert_eq!(skipped.map(|skipped| skipped + listed), Some(text.matches("#EXTINF").count()));
    // Its end is told, and when it is forgotten nothing stays on the disk.
    all.end("a-broadcast");
    assert!(whole().await.ends_with("#EXT-X-ENDLIST\n"));
    let its_folder = path.parent().expect("a folder").to_owned();
    assert!(its_folder.exists());
    drop((all, input, live));
    for _ in 0..600 {
        if !its_folder.exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("its files stay");
}

#[tokio::test]
async fn a_full_disk_is_a_gap_for_who_goes_back_and_nothing_for_the_others() {
    let (folder, film) = (tempfile::tempdir().expect("a folder"), Film::new(Codec::H264, SMALL));
    let all = kept(folder.path(), u64::MAX);
    let mut input = publish(&all, Source::Whip, false).expect("nobody is there");
    input.expect(Expected { picture: true, sound: false });
    push_slowly(&mut input, &film, 120);
    let live = all.get("a-broadcast").expect("it is live");
    let text = live.rewind(Kind::Picture, Wanted::default()).await.expect("a playlist");
    let text = String::from_utf8_lossy(&text).into_owned();
    let gaps = text.matches("#EXT-X-GAP").count();
    assert!(gaps >= 30 && text.matches("#EXTINF").count() >= gaps + 20, "{text}");
    assert_eq!(live.segment(Kind::Picture, 1), Err(Refused::Gone));
    let playlist = live.playlist(Kind::Picture, Wanted::default()).await.expect("a playlist");
    assert!(!String::from_utf8_lossy(&playlist).contains("#EXT-X-GAP"));
}
