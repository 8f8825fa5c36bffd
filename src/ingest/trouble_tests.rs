//! Tests of what is told of a push.

use super::*;
use bytes::Bytes;

/// A push of 25 pictures and about 47 sounds a second, which may go wrong.
struct Push {
    watch: Watch,
    began: Instant,
    ms: u64,
    key_every_ms: u64,
    b_frames: bool,
    bytes: usize,
    /// What its clock shows for a second.
    says_ms: u64,
    sound: bool,
}

impl Push {
    fn new() -> Self {
        let now = crate::clock::now();
        let mut watch = Watch::new(now, 4_000_000);
        let format = |codec, record: &'static [u8]| Format { codec, record: Bytes::from_static(record) };
        watch.handle_format(&format(Codec::H264, &[]));
        watch.handle_format(&format(Codec::Aac, &[0x11, 0x90]));
        Self { watch, began: now, ms: 0, key_every_ms: 2000, b_frames: false, bytes: 5000, says_ms: 1000, sound: true }
    }

    fn now(&self) -> Instant {
        self.began + Duration::from_millis(self.ms)
    }

    fn run(&mut self, ms: u64) -> Report {
        let end = self.ms + ms;
        while self.ms < end {
            let says = self.ms * self.says_ms / 1000;
            // Shown a picture later, and every other one two.
            let composition = if self.b_frames { [3600, 10_800, 0][(self.ms / 40 % 3) as usize] } else { 0 };
            let key = self.ms.is_multiple_of(self.key_every_ms);
            let data = Bytes::from(vec![0; self.bytes]);
            let picture = Frame { codec: Codec::H264, time: says * 90, composition, key, data };
            self.watch.handle_frame(self.now(), &picture);
            for part in [0, 20].into_iter().filter(|_| self.sound) {
                let (time, data) = ((says + part) * 28_224, Bytes::from(vec![0; 400]));
                let sound = Frame { codec: Codec::Aac, time, composition: 0, key: true, data };
                self.watch.handle_frame(self.now(), &sound);
            }
            self.ms += 40;
        }
        self.watch.report(self.now())
    }
}

fn troubles(change: impl FnOnce(&mut Push), ms: u64) -> Vec<Trouble> {
    let mut push = Push::new();
    change(&mut push);
    push.run(ms).troubles
}

#[test]
fn a_good_push_has_no_trouble_and_is_told_of() {
    let report = Push::new().run(10_000);
    assert_eq!(report.troubles, []);
    let video = report.video.unwrap();
    assert_eq!((video.codec, video.key_frame_interval_ms), ("h264", Some(2000)));
    assert!((950_000..1_050_000).contains(&video.bits_per_second), "{video:?}");
    assert!((24.5..=25.5).contains(&video.frames_per_second), "{video:?}");
    let audio = report.audio.unwrap();
    assert_eq!((audio.codec, audio.rate, audio.channels), ("aac", 48_000, 2));
}

#[test]
fn b_frames_are_told_at_once() {
    assert_eq!(troubles(|push| push.b_frames = true, 200), [Trouble::BFrames]);
}

#[test]
fn rare_key_frames_are_told_when_one_is_late() {
    assert_eq!(troubles(|push| push.key_every_ms = 4000, 20_000), []);
    assert_eq!(troubles(|push| push.key_every_ms = 10_000, 4500), [Trouble::KeyFrameInterval { seconds: 4 }]);
    let trouble = Trouble::KeyFrameInterval { seconds: 10 };
    assert_eq!(troubles(|push| push.key_every_ms = 10_000, 11_000), [trouble]);
}

#[test]
fn silence_is_told_within_three_seconds() {
    assert_eq!(troubles(|push| push.sound = false, 3000), [Trouble::NoAudio]);
    let mut push = Push::new();
    push.run(5000);
    push.ms += 2600;
    assert_eq!(push.watch.report(push.now()).troubles, [Trouble::NoAudio, Trouble::NoVideo]);
    assert_eq!(push.run(100).troubles.iter().filter(|t| matches!(t, Trouble::NoAudio | Trouble::NoVideo)).count(), 0);
}

#[test]
fn what_is_not_taken_is_told_instead_of_missing() {
    let name = "MP3".to_owned();
    let ignored = Ignored::Codec { sound: true, name: name.clone() };
    let wrong = |push: &mut Push| {
        push.sound = false;
        push.watch.handle_ignored(ignored);
        push.watch.handle_ignored(Ignored::MoreTracks);
    };
    assert_eq!(troubles(wrong, 3000), [Trouble::UnsupportedCodec { audio: true, name }, Trouble::MoreTracks]);
}

#[test]
fn too_many_bits_are_told() {
    let found = troubles(|push| push.bytes = 25_000, 2500);
    assert!(matches!(found[..], [Trouble::Bitrate { bits_per_second: 5_000_000.., limit: 4_000_000 }]), "{found:?}");
}

#[test]
fn a_clock_that_runs_wrong_is_told() {
    let drift = |says_ms, ms| match troubles(|push| push.says_ms = says_ms, ms)[..] {
        [] => None,
        [Trouble::ClockDrift { parts_per_million }] => Some(parts_per_million),
        ref other => panic!("{other:?}"),
    };
    // A machine that makes 17 pictures a second instead of 25 is told of within four seconds.
    let found = drift(700, 4000).unwrap();
    assert!((250_000..350_000).contains(&found), "{found}");
    let found = drift(1200, 4000).unwrap();
    assert!((-250_000..-150_000).contains(&found), "{found}");
    assert_eq!(drift(999, 200_000), None, "a thousandth is not seen in a minute");
    let found = drift(999, 1_200_000).unwrap();
    assert!((900..1100).contains(&found), "but in twenty: {found}");
}

#[test]
fn jumps_are_told() {
    assert_eq!(troubles(|push| push.watch.handle_jumps(1), 100), [Trouble::TimeJumps]);
}

#[test]
fn codes_are_words() {
    let text =
        serde_json::to_string(&[Trouble::BFrames, Trouble::KeyFrameInterval { seconds: 9 }, Trouble::NoAudio]).unwrap();
    assert_eq!(text, r#"[{"code":"b-frames"},{"code":"key-frame-interval","seconds":9},{"code":"no-audio"}]"#);
}
