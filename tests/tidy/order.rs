//! Who may use whom: a straight line from bytes to people, so that each part can be read without the later ones.

use crate::tree::File;

/// Each module of `src/`, and the modules that it may use beside its own.
const MAY_USE: &[(&str, &[&str])] = &[
    // Below everything: no module of ours but each other's as said here.
    ("clock", &[]),
    ("tasks", &[]),
    ("config", &[]),
    ("telemetry", &["config"]),
    ("store", &["config"]),
    ("places", &["config", "telemetry"]),
    // The packet's way. The cores are told time and settings, so they use neither clock nor config.
    ("rtp", &[]),
    ("net", &["rtp", "telemetry"]),
    ("session", &["rtp", "net", "telemetry"]),
    ("router", &["rtp", "net", "session", "telemetry"]),
    ("worker", &["clock", "config", "telemetry", "rtp", "net", "session", "router"]),
    ("capture", &["clock", "rtp", "net", "session", "worker"]),
    ("recordings", &["clock", "config", "telemetry", "store", "rtp", "net", "session", "worker", "capture"]),
    ("broadcast", &["clock", "telemetry", "rtp", "net", "session", "worker", "capture", "recordings"]),
    ("ingest", &["clock", "config", "telemetry", "store", "places", "broadcast"]),
    // People and the outside.
    (
        "meetings",
        &[
            "clock",
            "config",
            "telemetry",
            "store",
            "rtp",
            "net",
            "session",
            "router",
            "worker",
            "capture",
            "recordings",
            "broadcast",
        ],
    ),
    ("audience", &["clock", "tasks", "telemetry", "store", "meetings"]),
    (
        "http",
        &[
            "clock",
            "tasks",
            "config",
            "telemetry",
            "store",
            "places",
            "rtp",
            "net",
            "session",
            "router",
            "worker",
            "recordings",
            "broadcast",
            "ingest",
            "meetings",
            "audience",
        ],
    ),
    (
        "server",
        &[
            "clock",
            "config",
            "telemetry",
            "store",
            "rtp",
            "net",
            "session",
            "router",
            "worker",
            "recordings",
            "broadcast",
            "ingest",
            "meetings",
            "audience",
            "http",
        ],
    ),
];

/// Words without behaviour, which the whole packet's way speaks.
const WORDS: &[&str] = &["session::plan"];

/// Every use of a module that comes later.
pub fn violations(files: &[File]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| !file.is_test()) {
        let Some(path) = file.path.strip_prefix("src/").and_then(|path| path.strip_suffix(".rs")) else { continue };
        let module = path.split('/').next().unwrap_or_default();
        if module == "lib" || module == "main" {
            continue;
        }
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
            found.push((file.path.clone(), format!("module `{module}` has no place in tests/tidy/order.rs")));
            continue;
        };
        for used in uses(file.without_tests()) {
            let first = used.split("::").next().unwrap_or_default();
            let is_word = WORDS.iter().any(|word| used == *word || used.starts_with(&format!("{word}::")));
            if first != module && !allowed.contains(&first) && !is_word {
                found.push((file.path.clone(), format!("`{module}` may not use `crate::{used}`")));
            }
        }
    }
    found
}

/// The paths after each `crate::`, groups in braces taken apart.
fn uses(code: &str) -> Vec<String> {
    let code: String =
        code.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect();
    let is_path = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let path = |text: &str| text.split(|c| !is_path(c)).next().unwrap_or_default().trim_end_matches(':').to_owned();
    let mut found = Vec::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            None => found.push(path(rest)),
            Some(group) => {
                // `a::{b, c}` inside a group uses `a`: only what stands at the group's own depth counts.
                let mut depth = 1;
                let mut item = String::new();
                for c in group.chars() {
                    depth += match c {
                        '{' => 1,
                        '}' => -1,
                        _ => 0,
                    };
                    if depth == 0 || (depth == 1 && c == ',') {
                        found.push(path(item.trim()));
                        item.clear();
                    } else {
                        item.push(c);
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
        }
    }
    // Macros and `pub(crate)` name no module; a module's name is in lower case.
    found.retain(|used| used.starts_with(|c: char| c.is_ascii_lowercase()));
    found
}

#[test]
fn uses_are_found_alone_and_in_groups() {
    let code = "use crate::rtp::Packet;\n// crate::http\nuse crate::{clock, session::{plan, sdp}, net::udp};\n\
                fn f() { crate::store::x(); crate::Thing }\npub(crate) fn g() {}";
    assert_eq!(
        uses(code),
        ["rtp::Packet", "clock", "session::", "net::udp", "store::x"].map(|used| used.trim_end_matches(':'))
    );
}

#[test]
fn a_use_of_a_later_module_is_found() {
    let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
    let wrong = [
        file("src/rtp/packet.rs", "use crate::session::sdp;"),
        file("src/meetings/task.rs", "crate::http::limits::Rate"),
        file("src/newcomer.rs", ""),
    ];
    assert_eq!(violations(&wrong).len(), 3);
    let right = [
        file("src/rtp/codec.rs", "use crate::session::plan::Codec;"),
        file("src/http/mod.rs", "use crate::{meetings, store};"),
        file("src/rtp/a.rs", "x\n#[cfg(test)]\nmod tests {\n use crate::clock; }"),
    ];
    assert!(violations(&right).is_empty());
}
