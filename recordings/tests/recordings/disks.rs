//! Disks that are full, slow or read-only: what can be kept is kept, people are told, and it goes on by itself.

use crate::media::SMALL;
use crate::players::play;
use crate::rig::{Folder, Rig, manifest, record, taken};
use recordings::manifest::{EndReason, GapReason};
use recordings::recovery::read;
use recordings::{Batch, Codec, Container, Settings, State, Trouble, Writer, Written};
use std::io::Cursor;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

const FREE: Option<u64> = Some(u64::MAX);

#[test]
fn a_slow_disk_costs_nothing_but_time() {
    let mut folder = Folder::new();
    let mut rig = Rig::new(Settings::default());
    rig.add_all();
    let mut due = None;
    // 50 ms for each call to the system.
    let mut slow = |now: Instant, batch: &Batch| {
        let ready = *due.get_or_insert(now + Duration::from_millis(50) * batch.steps().len() as u32);
        (now >= ready).then(|| due = None).and_then(|()| record(&mut folder, batch))
    };
    rig.run(Duration::from_secs(8), &mut slow);
    rig.stop(&mut slow);
    let manifest = manifest(&folder);
    assert_eq!((manifest.gaps.len(), manifest.end.expect("an end").dropped), (0, 0), "{:?}", rig.states);
    assert!(manifest.closed.iter().all(|closed| closed.end_ms >= 7_900), "{:?}", manifest.closed);
}

#[test]
fn what_counts_as_written_can_be_read() {
    let mut folder = Folder::new();
    let mut rig = Rig::new(Settings::default());
    rig.add_all();
    let (began, mut due) = (rig.now, None);
    for step in 0..120 {
        // A disk that takes a batch in 0.7 s, then one that takes it at once.
        let takes = Duration::from_millis(if step < 60 { 700 } else { 0 });
        rig.run(Duration::from_millis(100), |now, batch| {
            let ready = *due.get_or_insert(now + takes);
            (now >= ready).then(|| due = None).and_then(|()| record(&mut folder, batch))
        });
        let (written, passed) = (rig.recorder.written_ms(), (rig.now - began).as_millis() as u64);
        assert!(written + 2_000 > passed, "{written} of {passed}");
        // Before anything was, there is no manifest.
        for file in if written > 0 { manifest(&folder).files } else { Vec::new() } {
            let scan = Container::scan(file.codec, &mut Cursor::new(&folder[&file.name])).expect("memory");
            let end = file.codec.ms(scan.end());
            assert!(end + 340 > written, "{}: {end} of {written}", file.name);
        }
    }
}

#[test]
fn a_disk_that_stands_still_fills_a_bound_and_is_told_of() {
    let mut folder = Folder::new();
    let mut rig = Rig::new(Settings { max_waiting: 20_000, ..Settings::default() });
    rig.add_all();
    rig.run(Duration::from_secs(1), |_, batch| record(&mut folder, batch));
    rig.run(Duration::from_secs(6), |_, _| None);
    assert_eq!(rig.states, [State::Suspended(Trouble::Slow)]);
    let dropped = rig.recorder.dropped();
    assert!(dropped > 100, "{dropped}");
    rig.run(Duration::from_secs(3), |_, batch| record(&mut folder, batch));
    rig.stop(|_, batch| record(&mut folder, batch));
    assert_eq!(rig.states[1..], [State::Recording, State::Stopping, State::Finished(Ok(()))]);
    let manifest = manifest(&folder);
    assert_eq!(manifest.gaps.iter().map(|gap| gap.why).collect::<Vec<_>>(), [GapReason::Slow]);
    // Some more, while what waited was written.
    assert!(manifest.end.is_some_and(|end| (dropped..dropped + 100).contains(&end.dropped)), "{:?}", manifest.end);
    assert!(manifest.closed.iter().all(|closed| closed.end_ms > 9_500), "{:?}", manifest.closed);
}

#[test]
fn a_recording_as_large_as_it_may_be_ends_whole() {
    let mut folder = Folder::new();
    let mut rig = Rig::new(Settings { quota: 60_000, ..Settings::default() });
    rig.add_all();
    rig.run(Duration::from_secs(20), |_, batch| record(&mut folder, batch));
    assert_eq!(rig.states.last(), Some(&State::Finished(Ok(()))));
    let manifest = manifest(&folder);
    assert_eq!(manifest.end.map(|end| end.why), Some(EndReason::Quota));
    assert_eq!(manifest.closed.len(), 5);
    let size: usize = folder.values().map(Vec::len).sum();
    assert!((60_000..120_000).contains(&size), "{size}");
}

#[test]
fn room_that_is_to_stay_free_stays_free() {
    let mut rig = Rig::new(Settings { reserve: 1_000_000, ..Settings::default() });
    rig.add(Codec::Opus, SMALL);
    let mut free = 1_200_000_u64;
    let mut written = 0;
    let mut disk = |_: Instant, batch: &Batch| {
        let len: usize = batch.ops.iter().map(recordings::Op::len).sum();
        written += len;
        free = free.saturating_sub(len as u64 * 40);
        Some(Written { number: batch.number, result: Ok(()), free: Some(free) })
    };
    rig.run(Duration::from_secs(20), &mut disk);
    assert_eq!(rig.states, [State::Suspended(Trouble::DiskFull)]);
    assert!(written < 10_000, "{written}");
    rig.run(Duration::from_secs(2), |_, batch| taken(batch));
    assert_eq!(rig.states.last(), Some(&State::Recording));
}

#[test]
fn a_disk_that_never_comes_back_lets_a_recording_end() {
    let mut rig = Rig::new(Settings::default());
    rig.add(Codec::Opus, SMALL);
    let broken = |_: Instant, batch: &Batch| {
        let result = Err(Trouble::Failed("input/output error".to_owned()));
        Some(Written { number: batch.number, result, free: FREE })
    };
    rig.run(Duration::from_secs(2), broken);
    rig.stop(broken);
    let Some(State::Finished(Err(trouble))) = rig.states.last() else { panic!("{:?}", rig.states) };
    assert_eq!(trouble.to_string(), "the disk for recordings failed: input/output error");
}

#[test]
fn a_disk_that_neither_takes_anything_nor_says_so_is_told_of_before_anything_is_lost() {
    let mut rig = Rig::new(Settings::default());
    rig.add(Codec::Opus, SMALL);
    rig.run(Duration::from_secs(1), |_, batch| taken(batch));
    rig.run(Duration::from_secs(5), |_, _| None);
    assert_eq!(rig.states, [State::Waiting]);
    rig.stop(|_, _| None);
    assert_eq!(rig.states[1..], [State::Stopping, State::Finished(Err(Trouble::Slow))]);
}

/// A file system of so many KiB for one test; `None` where we may not mount one.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn new(kib: u32) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let mounted = mount(&["-t", "tmpfs", "-o", &format!("size={kib}k"), "symposia-test"], folder.path());
        if !mounted {
            eprintln!("no right to mount a small disk here: not tried");
        }
        mounted.then_some(Self(folder))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

fn mount(arguments: &[&str], on: &Path) -> bool {
    Command::new("mount").args(arguments).arg(on).output().is_ok_and(|output| output.status.success())
}

/// A real disk, each of whose answers is waited for.
fn real_disk(folder: &Path) -> impl FnMut(Instant, &Batch) -> Option<Written> + use<> {
    let (sender, answers) = channel();
    let writer =
        Writer::start(folder, |made| made.expect("a folder"), move |written| sender.send(written).expect("a test"))
            .expect("a folder");
    move |_, batch| {
        writer.write(std::sync::Arc::new(batch.clone()));
        Some(answers.recv().expect("an answer"))
    }
}

// acceptance: R2
#[test]
fn a_full_disk_closes_clean_and_goes_on_when_there_is_room() {
    let Some(disk) = Mounted::new(700) else { return };
    let ballast = disk.0.path().join("ballast");
    std::fs::write(&ballast, vec![1; 500 << 10]).expect("room for that");
    let folder = disk.0.path().join("recordings/recording-1");
    let mut real = real_disk(&folder);
    let mut rig = Rig::new(Settings { reserve: 0, ..Settings::default() });
    rig.add_all();
    let mut full_after = None;
    for tenth in 0..200 {
        rig.run(Duration::from_millis(100), &mut real);
        if rig.states.last() == Some(&State::Suspended(Trouble::DiskFull)) {
            full_after = Some(tenth);
            break;
        }
    }
    assert!(full_after.is_some_and(|tenth| tenth > 10), "told at once: {full_after:?} {:?}", rig.states);
    // As they are now, all files play.
    let files = read(&folder).expect("a manifest").files;
    assert_eq!(files.len(), 5);
    for file in &files {
        play(&folder.join(&file.name));
    }
    rig.run(Duration::from_secs(3), &mut real);
    std::fs::remove_file(&ballast).expect("removed");
    rig.run(Duration::from_secs(4), &mut real);
    assert_eq!(rig.states, [State::Suspended(Trouble::DiskFull), State::Recording]);
    rig.stop(&mut real);
    let manifest = read(&folder).expect("a manifest");
    let [gap] = manifest.gaps.as_slice() else { panic!("{:?}", manifest.gaps) };
    assert!(gap.why == GapReason::DiskFull && (2_000..6_000).contains(&(gap.to_ms - gap.from_ms)), "{gap:?}");
    assert!(manifest.end.is_some_and(|end| end.why == EndReason::Stopped && end.dropped > 50));
    for file in &manifest.files {
        let closed = manifest.closed(file.file).expect("closed");
        assert!(closed.end_ms > gap.to_ms + 1_000, "{file:?} goes on: {closed:?}");
        if let Some((frames, _)) = play(&folder.join(&file.name)) {
            assert_eq!(frames, closed.frames);
        }
    }
}

// acceptance: R2
#[test]
fn a_disk_that_is_read_only_for_a_while_is_told_of_and_loses_only_that() {
    let Some(disk) = Mounted::new(4_000) else { return };
    let folder = disk.0.path().join("recordings/recording-1");
    let mut real = real_disk(&folder);
    let mut rig = Rig::new(Settings { reserve: 0, ..Settings::default() });
    rig.add_all();
    rig.run(Duration::from_millis(1_500), &mut real);
    assert!(mount(&["-o", "remount,ro"], disk.0.path()), "nothing is open between ticks");
    rig.run(Duration::from_secs(3), &mut real);
    assert_eq!(rig.states, [State::Suspended(Trouble::ReadOnly)]);
    assert!(mount(&["-o", "remount,rw"], disk.0.path()));
    rig.run(Duration::from_secs(3), &mut real);
    rig.stop(&mut real);
    assert_eq!(rig.states[1..], [State::Recording, State::Stopping, State::Finished(Ok(()))]);
    let manifest = read(&folder).expect("a manifest");
    assert_eq!(manifest.gaps.iter().map(|gap| gap.why).collect::<Vec<_>>(), [GapReason::ReadOnly]);
    for file in &manifest.files {
        play(&folder.join(&file.name));
    }
}
