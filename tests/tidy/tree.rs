//! The files of the repository, without what is built or fetched. Knows no rules.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders that are not ours: built, fetched, or data.
const FOREIGN: &[&str] = &["target", "node_modules", "dist", "data", "corpus", "artifacts"];

/// A text file of the repository.
pub struct File {
    /// From the root, with slashes.
    pub path: String,
    /// All of it.
    pub text: String,
}

impl File {
    /// Whether it is only compiled into tests.
    pub fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let folders = ["/tests/", "/test/"].iter().any(|folder| format!("/{}", self.path).contains(folder));
        folders || name == "tests.rs" || name.ends_with("_tests.rs") || name.contains(".test.")
    }

    /// Whether it becomes part of the program.
    pub fn is_source(&self) -> bool {
        self.path.starts_with("src/")
            || self.path.starts_with("signaling/src/")
            || self.path.starts_with("recordings/src/")
    }

    /// Without the `mod tests { … }` at its end.
    pub fn without_tests(&self) -> &str {
        let starts = self.text.rmatch_indices("\n#[cfg(test)]\nmod ").map(|(at, _)| self.text.split_at(at));
        let inline = |rest: &str| rest.lines().nth(2).is_some_and(|line| line.ends_with('{'));
        starts.into_iter().find(|(_, rest)| inline(rest)).map_or(&self.text, |(code, _)| code)
    }

    /// Whether its name ends so.
    pub fn has_ending(&self, endings: &[&str]) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, ending)| endings.contains(&ending))
    }
}

/// Where the repository begins.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All text files; those that begin with a dot too, folders that do only where they are ours.
pub fn files() -> Vec<File> {
    let mut found = Vec::new();
    walk(&root(), &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// All Rust files.
pub fn rust_files() -> Vec<File> {
    let found: Vec<File> = files().into_iter().filter(|file| file.has_ending(&["rs"])).collect();
    assert!(found.iter().any(|file| file.path == "src/lib.rs"), "the sources were found");
    found
}

fn walk(folder: &Path, found: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("a readable folder").flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let kind = entry.file_type().expect("a kind");
        if kind.is_dir() {
            let hidden = name.starts_with('.') && ![".ci", ".cargo", ".config", ".github"].contains(&name.as_str());
            if !hidden && !FOREIGN.contains(&name.as_str()) {
                walk(&path, found);
            }
        } else if kind.is_file()
            && let Ok(text) = fs::read_to_string(&path)
        {
            let path = path.strip_prefix(root()).unwrap_or(&path).to_string_lossy().into_owned();
            found.push(File { path, text });
        }
    }
}
