//! The sound of everybody as one file: made of what the recorder wrote, decoded by the installed ffmpeg, and judged by what is
//! heard in it.

use crate::export::painted::{Heard, tone, tone_of};
use crate::export::{ID, Person, installed, lay, lesson};
use crate::rig::{Folder, Rig, record};
use recordings::manifest::Manifest;
use recordings::mix::{FILE, Mixer, Settings, make};
use recordings::{Codec, Container};
use std::fs::{self, File};
use std::io::{BufReader, ErrorKind};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::channel;
use std::time::Duration;

/// Length and codec, by ffprobe, which must have nothing to say.
fn judge_container(file: &Path, length: f64) {
    let fields = "format=duration:stream=codec_name,channels,start_time";
    let output =
        Command::new("ffprobe").args(["-v", "warning", "-of", "json", "-show_entries", fields]).arg(file).output();
    let output = output.expect("ffprobe");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let number = |value: &serde_json::Value| value.as_str().and_then(|text| text.parse::<f64>().ok());
    assert_eq!(found["streams"][0]["codec_name"], "opus");
    assert_eq!(number(&found["streams"][0]["start_time"]), Some(0.0), "{found}");
    assert!((number(&found["format"]["duration"]).expect("a length") - length).abs() <= 0.03, "{length} s: {found}");
}

/// Makes it in the folder, as the server does.
fn mix(folder: &Path) -> bool {
    let manifest = Manifest::read(&fs::read(folder.join("manifest.jsonl")).expect("there")).expect("a manifest");
    make(folder, &manifest, |name| Ok(folder.join(name)), || true).expect("made")
}

#[test]
fn a_mix_has_each_voice_at_its_times_as_loud_as_it_was_and_keeps_gaps() {
    if !installed() {
        return;
    }
    let mut folder = Folder::new();
    lesson(&mut folder);
    let recordings = tempfile::tempdir().expect("a folder");
    lay(&folder, recordings.path());
    let at = recordings.path().join(ID);
    assert!(mix(&at));
    let length = Manifest::read(&folder["manifest.jsonl"]).expect("a manifest").duration_ms() as f64 / 1000.0;
    let file = at.join(FILE);
    judge_container(&file, length);
    let heard = Heard::of(&file);
    for (hz, times) in
        [(440, vec![(0.0, 6.0)]), (880, vec![(2.0, 8.0), (10.0, 13.0)]), (1_500, vec![(5.0, 8.0), (10.0, 16.0)])]
    {
        let spans = heard.spans(hz);
        assert_eq!(spans.len(), times.len(), "{hz} Hz: {spans:?}");
        for ((from, to), (is_from, is_to)) in times.iter().zip(&spans) {
            assert!((from - is_from).abs() <= 0.04 && (to - is_to).abs() <= 0.1, "{hz} Hz: {spans:?}");
            let loud = heard.level(hz, (from + to) / 2.0);
            assert!(loud.abs() < 1.0, "{hz} Hz is {loud} dB louder than it was");
        }
    }
    assert!(heard.peak(8.3, 9.8) < 0.001, "a pause is silent: {}", heard.peak(8.3, 9.8));
    // Small: 32 kbit/s, and what stands around the packets.
    let bytes = fs::metadata(&file).expect("there").len() as f64;
    assert!(bytes < length * 6_000.0, "{bytes} bytes for {length} s");
}

#[test]
fn parts_meet_without_a_sound_also_where_a_crash_was_between_them_and_any_place_is_found_by_the_index() {
    if !installed() {
        return;
    }
    let mut folder = Folder::new();
    let mut rig = Rig::new(recordings::Settings::default());
    let ana = Person(1, "Ana");
    ana.joins(&mut rig);
    ana.sends(&mut rig, "microphone", tone_of(440, 40));
    rig.run(Duration::from_millis(34_500), |_, batch| record(&mut folder, batch));
    rig.stop(|_, batch| record(&mut folder, batch));
    let recordings = tempfile::tempdir().expect("a folder");
    lay(&folder, recordings.path());
    let at = recordings.path().join(ID);
    let manifest = Manifest::read(&folder["manifest.jsonl"]).expect("a manifest");
    // The server dies after the second part, in the middle of writing the third.
    let unfinished = at.join("mix.part");
    let parts = |bytes: Vec<u8>| bytes.windows(4).filter(|four| four == b"moof").count();
    let until_two = || fs::read(&unfinished).map_or(true, |bytes| parts(bytes) < 2);
    let stopped = make(&at, &manifest, |name| Ok(at.join(name)), until_two).expect_err("stopped");
    assert_eq!((stopped.kind(), at.join(FILE).exists()), (ErrorKind::Interrupted, false));
    let whole = fs::read(&unfinished).expect("there");
    fs::write(&unfinished, [&whole[..], &whole[whole.len() - 500..]].concat()).expect("written");
    assert!(mix(&at));
    assert!(!unfinished.exists());
    let file = at.join(FILE);
    assert_eq!(fs::read(&file).expect("there")[1_200..whole.len()], whole[1_200..], "what was made stays");
    judge_container(&file, 34.5);
    let heard = Heard::of(&file);
    for (from, to, most) in [(1.0, 19.9, 1.0), (19.9, 20.2, 3.0), (20.2, 34.0, 1.0)] {
        let (low, high) = heard.bounds(440, from, to);
        assert!(low > -most && high < most, "at {from} s: from {low} to {high} dB");
    }
    assert!(heard.steps(440, 1.0, 34.0) < 1.3, "{}", heard.steps(440, 1.0, 34.0));

    // The index: offsets that add up to the file, each at a part.
    let bytes = fs::read(&file).expect("there");
    let index = bytes.windows(4).position(|four| four == b"sidx").expect("an index");
    let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four"));
    let count = word(index + 24) as usize & 0xffff;
    let mut place = index - 4 + word(index - 4) as usize;
    assert_eq!(count, 4);
    for part in 0..count {
        assert_eq!(&bytes[place + 4..place + 8], b"moof", "part {part}");
        place += word(index + 28 + part * 12) as usize;
    }
    assert_eq!(place, bytes.len());
}

#[test]
fn files_that_are_taken_away_while_it_is_mixed_are_fetched() {
    let mut folder = Folder::new();
    let mut rig = Rig::new(recordings::Settings::default());
    let ana = Person(1, "Ana");
    ana.joins(&mut rig);
    ana.sends(&mut rig, "microphone", tone_of(440, 40));
    rig.run(Duration::from_millis(12_000), |_, batch| record(&mut folder, batch));
    rig.stop(|_, batch| record(&mut folder, batch));
    let recordings = tempfile::tempdir().expect("a folder");
    lay(&folder, recordings.path());
    let (at, away) = (recordings.path().join(ID), tempfile::tempdir().expect("a folder"));
    let manifest = Manifest::read(&folder["manifest.jsonl"]).expect("a manifest");
    // Each time that it is found it goes before it is opened.
    let place = |name: &str| {
        let (here, there) = (at.join(name), away.path().join(name));
        if here.exists() {
            fs::rename(&here, &there)?;
            return Ok(here);
        }
        Ok(there)
    };
    assert!(make(&at, &manifest, place, || true).expect("mixed"));
    judge_container(&at.join(FILE), 12.0);
}

#[test]
fn hostile_packets_are_silence_and_the_others_are_heard() {
    if !installed() {
        return;
    }
    let mut folder = Folder::new();
    let mut rig = Rig::new(recordings::Settings::default());
    for (number, name) in [(1, "Ana"), (2, "Mallory")] {
        Person(number, name).joins(&mut rig);
        Person(number, name).sends(&mut rig, "microphone", tone(440 * number));
    }
    rig.run(Duration::from_millis(3_000), |_, batch| record(&mut folder, batch));
    rig.stop(|_, batch| record(&mut folder, batch));
    // Mallory's packets are noise, in parts that are whole: as somebody may send them.
    let name = "0002-microphone.mp4";
    let scan = Container::scan(Codec::Opus, &mut std::io::Cursor::new(&folder[name])).expect("in memory");
    let mut noise = scan.init.clone();
    let mut container = Container::new(&recordings::codec::Config::Opus);
    let mut state = 1_u32;
    for part in &scan.parts {
        let samples = (0..25).map(|_| {
            let mut data: Vec<u8> = (0..60)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                })
                .collect();
            data[0] = 0xf8;
            recordings::Sample { duration: 960, composition: 0, key: true, data: data.into() }
        });
        noise.extend(container.part(&recordings::Part {
            codec: Codec::Opus,
            time: part.time,
            samples: samples.collect(),
        }));
    }
    folder.insert(name.to_owned(), noise);
    let recordings = tempfile::tempdir().expect("a folder");
    lay(&folder, recordings.path());
    let at = recordings.path().join(ID);
    assert!(mix(&at));
    let heard = Heard::of(&at.join(FILE));
    assert!(heard.peak(0.0, 2.9) <= 1.0 && !heard.spans(440).is_empty());
}

#[test]
fn a_mixer_mixes_what_ended_fetches_what_is_away_and_forgets_what_is_deleted() {
    if !installed() {
        return;
    }
    let mut folder = Folder::new();
    lesson(&mut folder);
    let recordings = tempfile::tempdir().expect("a folder");
    lay(&folder, recordings.path());
    let (at, store) = (recordings.path().join(ID), recordings.path().join("store"));
    fs::create_dir(&store).expect("a folder");
    let name = "0002-microphone.mp4";
    fs::rename(at.join(name), store.join(name)).expect("moved");
    let fetch = move |id: &str, name: &str, to: &Path, _: &AtomicBool| {
        assert_eq!(id, ID);
        fs::copy(store.join(name), to).map(|_| ())
    };
    let (told, hear) = channel();
    let done = move |id: &str, made: std::io::Result<bool>| {
        told.send((id.to_owned(), made.is_ok_and(|made| made))).expect("heard")
    };
    let mixer = Mixer::start(recordings.path(), Settings { reserve: 0 }, Box::new(fetch), done).expect("a thread");
    for id in ["../recording-1", ID, ID] {
        mixer.look(id);
    }
    assert_eq!(hear.recv_timeout(Duration::from_secs(120)), Ok((ID.to_owned(), true)));
    let scan = Container::scan(Codec::Opus, &mut BufReader::new(File::open(at.join(FILE)).expect("there")));
    assert!(scan.is_ok_and(|scan| !scan.init.is_empty()));
    let names = fs::read_dir(&at).expect("there").flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let left: Vec<_> = names.filter(|name| name.starts_with("mix")).collect();
    assert_eq!(left, [FILE]);

    // Where servers died twice at one place nothing is tried again; where they came on in between it is.
    fs::remove_file(at.join(FILE)).expect("there");
    for (tries, made) in [("0\n0\n", false), ("1\n2\n3\n4\n", true)] {
        fs::write(at.join("mix.tries"), tries).expect("written");
        mixer.look(ID);
        assert_eq!(hear.recv_timeout(Duration::from_secs(120)), Ok((ID.to_owned(), made)), "{tries}");
    }
    mixer.forget(ID);
    fs::remove_dir_all(&at).expect("nobody uses it");
    mixer.stop();
    mixer.look(ID);
    assert!(hear.recv_timeout(Duration::from_millis(300)).is_err(), "nothing is begun any more");
}
