//! Whatever a power cut leaves plays up to its last whole part, and loses no more than a second.

use crate::media::SMALL;
use crate::players::{play, put};
use crate::rig::{Folder, Rig, apply, manifest, record};
use proptest::prelude::*;
use recordings::manifest::{EndReason, Manifest};
use recordings::recovery::recover;
use recordings::{Codec, Container, Scan, Settings, Step, Written};
use std::collections::BTreeSet;
use std::io::Cursor;
use std::sync::LazyLock;
use std::time::Duration;

/// A recording of one track of each codec, and the names of its files.
static RECORDED: LazyLock<Folder> = LazyLock::new(|| {
    let mut folder = Folder::new();
    let mut rig = Rig::new(Settings::default());
    rig.add_all();
    rig.run(Duration::from_millis(1_600), |_, batch| record(&mut folder, batch));
    rig.stop(|_, batch| record(&mut folder, batch));
    folder
});

fn file_of(codec: Codec) -> &'static [u8] {
    let manifest = manifest(&RECORDED);
    &RECORDED[&manifest.files.iter().find(|file| file.codec == codec).expect("a file").name]
}

fn scan(codec: Codec, bytes: &[u8]) -> Scan {
    Container::scan(codec, &mut Cursor::new(bytes)).expect("memory")
}

#[test]
fn a_cut_file_is_whole_up_to_its_last_whole_part() {
    for codec in Codec::OF_BROWSERS {
        let file = file_of(codec);
        let whole = scan(codec, file);
        assert!(whole.parts.len() >= 4, "{codec:?}");
        let mut ends = vec![whole.init.len() as u64];
        ends.extend(whole.parts.iter().map(|part| part.offset + part.len));
        assert_eq!(ends.last(), Some(&(file.len() as u64)));
        // Every place near a border, and every few bytes between.
        let near = |cut: &usize| cut.is_multiple_of(61) || ends.iter().any(|end| end.abs_diff(*cut as u64) < 24);
        for cut in (0..=file.len()).filter(near) {
            let expected = ends.iter().rev().find(|end| **end <= cut as u64).copied().unwrap_or(0);
            let found = scan(codec, &file[..cut]);
            assert_eq!(found.whole, expected, "{codec:?} cut at {cut}");
            assert_eq!(found.parts, whole.parts[..ends.iter().filter(|end| **end <= cut as u64).count().max(1) - 1]);
            // One that grows is read on from there, and nothing before it is looked at again.
            let mut grown = vec![0; found.whole as usize];
            grown.extend_from_slice(&file[found.whole as usize..]);
            let on = Container::scan_on(codec, &mut Cursor::new(&grown), found).expect("memory");
            assert_eq!(on, whole, "{codec:?} from {cut} on");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_part_that_is_not_as_it_was_written_does_not_count(
        codec in prop::sample::select(Codec::OF_BROWSERS.to_vec()), place: prop::sample::Index, mask in 1_u8..,
    ) {
        let mut file = file_of(codec).to_vec();
        let whole = scan(codec, &file);
        let at = place.index(file.len() - whole.init.len()) + whole.init.len();
        file[at] ^= mask;
        let found = scan(codec, &file);
        let before = whole.parts.iter().filter(|part| part.offset + part.len <= at as u64).count();
        prop_assert_eq!(found.parts.as_slice(), &whole.parts[..before], "{:?} at {}", codec, at);
    }

    #[test]
    fn a_manifest_is_read_up_to_any_cut(place: prop::sample::Index, garbage in prop::collection::vec(any::<u8>(), 0..40)) {
        let bytes = &RECORDED["manifest.jsonl"];
        let whole = Manifest::read(bytes).expect("whole");
        let cut = place.index(bytes.len() + 1);
        let left = [&bytes[..cut], &garbage].concat();
        // A line is whole without its line feed, too, unless something else follows.
        let ended = bytes.get(cut) == Some(&b'\n') && garbage.first().is_none_or(|byte| *byte == b'\n');
        let lines = bytes[..cut].iter().filter(|byte| **byte == b'\n').count() + usize::from(ended);
        let Some(found) = Manifest::read(&left) else {
            prop_assert_eq!(lines, 0);
            return Ok(());
        };
        prop_assert!(whole.files.starts_with(&found.files) && whole.tracks.starts_with(&found.tracks));
        let records = 1 + found.tracks.len() + found.files.len() + found.sizes.len() + found.closed.len();
        prop_assert_eq!(records + usize::from(found.end.is_some()), lines);
    }

    #[test]
    fn any_folder_whose_files_are_cut_is_completed_and_stays_so(
        places in prop::collection::vec(any::<prop::sample::Index>(), 8),
    ) {
        let on_disk = tempfile::tempdir().expect("a folder");
        let mut folder = RECORDED.clone();
        for ((name, bytes), place) in folder.iter_mut().zip(&places) {
            // The first line of the manifest is there, or there is no recording.
            let least = if name == "manifest.jsonl" { 150 } else { 0 };
            bytes.truncate(place.index(bytes.len() + 1).max(least));
        }
        put(&folder, on_disk.path());
        let found = recover(on_disk.path());
        let manifest = found.manifest.expect("completed");
        let end = manifest.end.expect("an end");
        prop_assert!(!found.completed || end.why == EndReason::Recovered);
        for file in &manifest.files {
            let closed = manifest.closed(file.file).expect("closed");
            let left = std::fs::read(on_disk.path().join(&file.name)).expect("read");
            let whole = scan(file.codec, &left);
            if found.completed && closed.frames > 0 && left.len() as u64 == closed.bytes {
                prop_assert_eq!(whole.whole, closed.bytes);
                prop_assert_eq!(whole.frames() as u64, closed.frames);
            }
        }
        let again = recover(on_disk.path());
        prop_assert!(!again.completed);
        prop_assert_eq!(again.manifest.expect("complete"), manifest);
    }
}

#[test]
fn a_manifest_cut_at_a_line_feed_is_completed_with_all_its_files() {
    let bytes = &RECORDED["manifest.jsonl"];
    let ends = (0..bytes.len()).filter(|at| bytes[*at] == b'\n').skip(1);
    for cut in ends.flat_map(|end| [end - 1, end, end + 1]) {
        let on_disk = tempfile::tempdir().expect("a folder");
        let mut folder = RECORDED.clone();
        folder.insert("manifest.jsonl".into(), bytes[..cut].to_vec());
        put(&folder, on_disk.path());
        let manifest = recover(on_disk.path()).manifest.expect("completed");
        assert!(manifest.end.is_some(), "cut at {cut}");
        for file in &manifest.files {
            assert!(manifest.closed(file.file).is_some(), "{} is closed, cut at {cut}", file.name);
        }
    }
}

/// What the disk may hold of what was not synced when the power went.
#[derive(Debug, Clone, Copy)]
enum Unsynced {
    Nothing,
    /// Lengths were written, contents were not.
    Zeros,
    Half,
    Everything,
}

// acceptance: R1
#[test]
fn the_power_may_go_at_every_sync_and_costs_no_more_than_a_second() {
    // A disk that needs 60 ms for a batch, and the log of what it was told.
    let mut log = Vec::new();
    let mut rig = Rig::new(Settings::default());
    for codec in [Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1, Codec::Opus, Codec::Opus] {
        rig.add(codec, SMALL);
    }
    let began = rig.now;
    let mut due = None;
    let mut disk = |now, batch: &recordings::Batch| {
        let since = *due.get_or_insert(now);
        if now < since + Duration::from_millis(60) {
            return None;
        }
        due = None;
        log.push((now, batch.clone()));
        Some(Written { number: batch.number, result: Ok(()), free: None })
    };
    rig.run(Duration::from_millis(3_500), &mut disk);
    let steps: Vec<_> =
        log.iter().flat_map(|(at, batch)| batch.steps().into_iter().map(move |step| (*at, step))).collect();
    assert!(steps.len() > 80, "{} steps", steps.len());
    for (cut, (_, step)) in steps.iter().enumerate() {
        if !matches!(step, Step::Sync(_) | Step::SyncFolder) {
            continue;
        }
        for unsynced in [Unsynced::Nothing, Unsynced::Zeros, Unsynced::Half, Unsynced::Everything] {
            // The time that passes until the batch behind the cut would have been acknowledged.
            let at = steps[cut].0 - began;
            lose_power(steps[..=cut].iter().map(|(_, step)| *step), unsynced, at, cut);
        }
    }
}

fn lose_power<'a>(steps: impl Iterator<Item = Step<'a>>, unsynced: Unsynced, at: Duration, cut: usize) {
    let (mut written, mut durable) = (Folder::new(), Folder::new());
    let mut named = BTreeSet::new();
    for step in steps {
        apply(&mut written, &step);
        match step {
            Step::Sync(file) => {
                durable.insert(file.to_owned(), written[file].clone());
            }
            Step::SyncFolder => named.extend(written.keys().cloned()),
            Step::Write { .. } => {}
        }
    }
    let mut left = Folder::new();
    for (name, bytes) in &written {
        let safe = durable.get(name).map_or(0, Vec::len);
        let all = bytes.len();
        let mut content = bytes[..safe].to_vec();
        match unsynced {
            Unsynced::Nothing => {}
            Unsynced::Zeros => content.resize(all, 0),
            Unsynced::Half => content.extend_from_slice(&bytes[safe..safe + (all - safe) / 2]),
            Unsynced::Everything => content.clone_from(bytes),
        }
        if named.contains(name) || matches!(unsynced, Unsynced::Everything | Unsynced::Half) {
            left.insert(name.clone(), content);
        }
    }
    let on_disk = tempfile::tempdir().expect("a folder");
    put(&left, on_disk.path());
    let found = recover(on_disk.path());
    let Ok(manifest) = found.manifest else {
        assert!(at < Duration::from_millis(600), "no manifest {at:?} after the start");
        return;
    };
    let at = at.as_millis() as u64;
    assert!(manifest.files.len() == 6 || at < 1_000, "{} files at {at} ms", manifest.files.len());
    for file in &manifest.files {
        let closed = manifest.closed(file.file).expect("closed");
        assert!(left.contains_key(&file.name), "the manifest names {}, which is not there", file.name);
        assert!(
            closed.end_ms + 1_000 >= at,
            "{unsynced:?} at {at} ms, cut {cut}: {} ends at {}",
            file.name,
            closed.end_ms
        );
    }
    // Playing all of them at every cut would take minutes.
    if cut.is_multiple_of(37) {
        for file in manifest.files.iter().filter(|file| manifest.closed(file.file).is_some_and(|c| c.frames > 0)) {
            play(&on_disk.path().join(&file.name));
        }
    }
}
