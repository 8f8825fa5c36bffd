//! Manifests and timelines as a power cut, or a hand, may leave them.

#![no_main]

use fuzz::crc_32;
use libfuzzer_sys::fuzz_target;
use recordings::export::{Canvas, Layout, Material, chunks, scenes, windows};
use recordings::manifest::{Manifest, is_file_name, is_id};
use recordings::timeline::{self, Entry};
use recordings::{Codec, Entry as Part, Scan};
use std::collections::HashMap;

// acceptance: SEC2, SEC10
fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    // Changed lines, whose checksum was made right again.
    let lines = bytes.split(|byte| *byte == b'\n').filter_map(|line| line.get(9..));
    read(
        &lines.flat_map(|json| [format!("{:08x} ", crc_32(json)).as_bytes(), json, b"\n"].concat()).collect::<Vec<_>>(),
    );
    if let Ok(text) = std::str::from_utf8(bytes) {
        let leads_out = text.contains(['/', '\\', '\0']) || text == "." || text == "..";
        assert!(!leads_out || (!is_file_name(text) && !is_id(text)));
    }
});

fn read(bytes: &[u8]) {
    for entry in timeline::read(bytes) {
        let _ = format!("{entry:?}");
    }
    if let Some(manifest) = Manifest::read(bytes) {
        let _ = manifest.duration_ms();
        for file in &manifest.files {
            let name = manifest.file_name(file.file);
            assert!(name.is_none_or(|name| !name.contains(['/', '\\', '\0']) && name != ".." && name != "."));
        }
        plan(&manifest, &timeline::read(bytes));
    }
}

/// What would be composed of it, with a part where each file says that it begins.
fn plan(manifest: &Manifest, timeline: &[Entry]) {
    let scan = |codec: Codec, at_ms: u64| {
        let time = at_ms.saturating_mul(u64::from(codec.rate()) / 1000);
        let part = Part { offset: 10, len: 10, time, duration: 45_000, independent: true, frames: 1 };
        Scan { init: vec![0; 10], parts: vec![part], whole: 20 }
    };
    let scans: HashMap<u32, Scan> =
        manifest.files.iter().map(|file| (file.file, scan(file.codec, file.at_ms))).collect();
    let material = Material::of(manifest, timeline, &scans, |file| file.name.clone());
    let canvas = Canvas { fps: 10, ..Canvas::default() };
    let frames = canvas.frames(material.duration_ms);
    for layout in Layout::ALL {
        let scenes = scenes(&material, layout, &canvas);
        let painted: u64 = chunks(&scenes, &material, &canvas).iter().map(|chunk| chunk.frames()).sum();
        assert_eq!(painted, frames);
    }
    let mixed: u64 = windows(&material, material.duration_ms).iter().map(|window| window.to - window.from).sum();
    assert_eq!(mixed, material.duration_ms);
}
