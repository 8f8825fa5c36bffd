//! The rules of this code base, as tests. A rule with exceptions lists them; the lists may only shrink.

#[path = "tidy/licences.rs"]
mod licences;
#[path = "tidy/order.rs"]
mod order;
#[path = "tidy/tree.rs"]
mod tree;

use tree::{File, files, rust_files};

/// Where a file must end, tests not counted. At 400 look for the seam.
const LONGEST: usize = 600;

/// Where `ARCHITECTURE.md` must end: a map that takes longer to read than the code is none.
const LONGEST_MAP: usize = 200;

/// Every row of the acceptance table that a test may name.
const ACCEPTANCE: &[(&str, u32)] = &[("M", 10), ("P", 8), ("N", 7), ("R", 7), ("L", 11), ("SEC", 13), ("D", 2)];

/// Exceptions: rule and file. Take out what is no longer needed; put in nothing.
const EXCEPTIONS: &[(&str, &str)] = &[];

/// Fails with all violations of a rule, and with exceptions that nobody needs any more.
fn judge(rule: &str, violations: impl IntoIterator<Item = (String, String)>) {
    let excepted: Vec<&str> = EXCEPTIONS.iter().filter(|(of, _)| *of == rule).map(|(_, path)| *path).collect();
    let (forgiven, wrong): (Vec<_>, Vec<_>) =
        violations.into_iter().partition(|(path, _)| excepted.contains(&path.as_str()));
    let mut text: Vec<String> = wrong.into_iter().map(|(path, why)| format!("{path}: {why}")).collect();
    let unneeded = excepted.iter().filter(|path| !forgiven.iter().any(|(of, _)| of == *path));
    text.extend(unneeded.map(|path| format!("{path}: keeps the rule now; take it out of EXCEPTIONS")));
    assert!(text.is_empty(), "{rule}:\n{}", text.join("\n"));
}

#[test]
fn every_file_says_what_it_is() {
    let silent = rust_files().into_iter().filter(|file| !file.text.starts_with("//! "));
    judge("first line", silent.map(|file| (file.path, "begins without a `//! ` line".to_owned())));
}

#[test]
fn no_file_is_long() {
    let length = |file: &File| if file.is_test() { 0 } else { file.without_tests().lines().count() };
    let web =
        files().into_iter().filter(|file| file.path.starts_with("web/src/") && file.has_ending(&["ts", "tsx", "css"]));
    let long = rust_files().into_iter().chain(web).filter(|file| length(file) > LONGEST);
    judge("length", long.map(|file| (file.path.clone(), format!("{} lines; {LONGEST} are allowed", length(&file)))));
}

#[test]
fn modules_use_only_what_comes_before_them() {
    judge("order", order::violations(&rust_files()));
}

#[test]
fn unsafe_code_stays_in_one_place() {
    // The system calls of batches; and the allocator that counts for P8, which Rust has no safe way to write.
    let places = ["src/net/udp", "tests/media/allocations.rs"];
    let outside = |file: &&File| !places.iter().any(|place| file.path.starts_with(place));
    let words =
        [["unsa", "fe {"], ["unsa", "fe fn"], ["unsa", "fe impl"], ["unsa", "fe extern"], ["(unsa", "fe_code)"]];
    judge("unsafe", mentions(&rust_files().iter().filter(outside).collect::<Vec<_>>(), &words));
}

#[test]
fn one_file_reads_the_clock() {
    let sources = rust_files();
    let cores: Vec<&File> =
        sources.iter().filter(|file| file.is_source() && file.path != "src/clock.rs" && !file.is_test()).collect();
    judge("clock", mentions(&cores, &[["Instant::", "now("], ["SystemTime::", "now("], [".elap", "sed("]]));
}

#[test]
fn the_meeting_itself_does_no_input_and_output() {
    let sources = rust_files();
    let pure: Vec<&File> =
        sources.iter().filter(|file| file.path.starts_with("signaling/src/") && !file.is_test()).collect();
    assert!(!pure.is_empty());
    let words =
        [["std::", "fs"], ["std::", "net"], ["std::", "time"], ["std::", "thread"], ["std::", "env"], ["tok", "io::"]];
    judge("signaling is pure", mentions(&pure, &words));
}

#[test]
fn the_packet_path_never_waits() {
    let sources = rust_files();
    let on_path = |file: &&File| {
        ["src/rtp/", "src/net/", "src/session/", "src/router/"].iter().any(|folder| file.path.starts_with(folder))
    };
    let path: Vec<&File> = sources.iter().filter(on_path).filter(|file| !file.is_test()).collect();
    judge("packet path", mentions(&path, &[[".aw", "ait"], ["async ", "fn"], ["Mut", "ex<"], ["RwL", "ock<"]]));
}

#[test]
fn no_registry_is_named() {
    // Whoever builds this chooses where packages come from; lock files say which they are.
    let hosts = [
        ["registry.npm", "js.org"],
        ["registry.yarn", "pkg.com"],
        ["index.crates", ".io"],
        ["static.crates", ".io"],
        ["rust-lang/crates", ".io-index"],
        ["pypi", ".org"],
        ["files.python", "hosted.org"],
        ["deb.deb", "ian.org"],
        ["proxy.gol", "ang.org"],
    ];
    let all = files();
    let others: Vec<&File> =
        all.iter().filter(|file| !file.path.ends_with(".lock") && !file.path.ends_with("-lock.json")).collect();
    judge("registries", mentions(&others, &hosts));
}

#[test]
fn tests_name_acceptance_rows_that_exist() {
    let exists = |id: &str| {
        let digits = id.trim_start_matches(|c: char| c.is_ascii_uppercase());
        let series = id.strip_suffix(digits).unwrap_or(id);
        id == "SIM"
            || digits
                .parse::<u32>()
                .is_ok_and(|row| ACCEPTANCE.iter().any(|(name, rows)| *name == series && (1..=*rows).contains(&row)))
    };
    let mut wrong = Vec::new();
    for file in files().into_iter().filter(|file| file.has_ending(&["rs", "ts", "tsx", "mjs", "js"])) {
        let named = file.text.lines().filter_map(|line| line.trim_start().strip_prefix("// acceptance:"));
        for id in named.flat_map(|ids| ids.split([',', ' '])).filter(|id| !id.is_empty()) {
            if !exists(id) {
                wrong.push((file.path.clone(), format!("no acceptance row `{id}`")));
            }
        }
    }
    judge("acceptance", wrong);
}

#[test]
fn the_map_is_short_and_links_lead_somewhere() {
    let documents: Vec<File> = files().into_iter().filter(|file| file.has_ending(&["md"])).collect();
    let mut wrong = Vec::new();
    for file in &documents {
        if file.path == "ARCHITECTURE.md" && file.text.lines().count() > LONGEST_MAP {
            wrong.push((file.path.clone(), format!("longer than {LONGEST_MAP} lines")));
        }
        let folder = tree::root().join(&file.path).parent().map(std::path::Path::to_owned).unwrap_or_default();
        for link in file.text.split("](").skip(1).filter_map(|rest| rest.split([')', '#', ' ']).next()) {
            if !link.is_empty() && !link.contains("://") && !link.starts_with("mailto:") && !folder.join(link).exists()
            {
                wrong.push((file.path.clone(), format!("dead link `{link}`")));
            }
        }
    }
    assert!(documents.iter().any(|file| file.path == "ARCHITECTURE.md"));
    judge("documents", wrong);
}

#[test]
fn dependencies_have_licences_we_allow() {
    judge("licences", licences::violations());
}

/// Lines of code (not comments) that say one of the words. The words come in two halves so that this
/// file does not mention them itself.
fn mentions(files: &[&File], words: &[[&str; 2]]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in files {
        for line in file.without_tests().lines().filter(|line| !line.trim_start().starts_with("//")) {
            for word in words.iter().map(|halves| halves.concat()).filter(|word| line.contains(word.as_str())) {
                found.push((file.path.clone(), format!("`{word}` in `{}`", line.trim())));
            }
        }
    }
    found
}
