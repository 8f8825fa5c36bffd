//! Manifests and timelines as a power cut, or a hand, may leave them.

#![no_main]

use libfuzzer_sys::fuzz_target;
use recordings::manifest::{Manifest, is_file_name, is_id};
use recordings::timeline;

// acceptance: SEC2, SEC10
fuzz_target!(|bytes: &[u8]| {
    for entry in timeline::read(bytes) {
        let _ = format!("{entry:?}");
    }
    if let Some(manifest) = Manifest::read(bytes) {
        let _ = manifest.duration_ms();
        for file in &manifest.files {
            let name = manifest.file_name(file.file);
            assert!(name.is_none_or(|name| !name.contains(['/', '\\', '\0']) && name != ".." && name != "."));
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let leads_out = text.contains(['/', '\\', '\0']) || text == "." || text == "..";
        assert!(!leads_out || (!is_file_name(text) && !is_id(text)));
    }
});
