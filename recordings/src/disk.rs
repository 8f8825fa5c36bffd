//! What the recorder wants on the disk, and in which order that is written and synced: data before its folder, files
//! before the manifest that names them. Plain data, so that a test can cut the order anywhere. Knows no file system.

use crate::journal::Journal;

/// One thing to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Bytes at the end of a media file; where `at` is 0 it is made.
    Append {
        /// Its name in the folder.
        file: String,
        /// Its length before.
        at: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// Bytes in the place of others. The file is complete afterwards.
    Complete {
        /// Its name in the folder.
        file: String,
        /// Where.
        at: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// Lines at the end of a journal; where `at` is 0 it is made.
    Note {
        /// Which.
        journal: Journal,
        /// Its length before.
        at: u64,
        /// What.
        bytes: Vec<u8>,
    },
}

/// What one tick of a recording writes, for all its tracks. Doing it again does no harm.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    /// Counted from 1.
    pub number: u64,
    /// In their order.
    pub ops: Vec<Op>,
}

/// One call to the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// Writes bytes to a place of a file.
    Write {
        /// Its name in the folder.
        file: &'a str,
        /// Where.
        at: u64,
        /// What.
        bytes: &'a [u8],
        /// Whether it is made, if it is not there.
        make: bool,
    },
    /// What was written to a file is on the disk afterwards.
    Sync(&'a str),
    /// The names of files that were made are on the disk afterwards.
    SyncFolder,
}

impl Batch {
    /// In which order it is done. When all are done, all of it survives a power cut; when only some are, the manifest
    /// still names no file that is not there.
    #[must_use]
    pub fn steps(&self) -> Vec<Step<'_>> {
        let mut steps = self.phase(|op| !matches!(op, Op::Note { .. }));
        steps.extend(self.phase(|op| matches!(op, Op::Note { .. })));
        steps
    }

    /// Writes, then syncs each file once, then the folder where one was made.
    fn phase(&self, which: impl Fn(&Op) -> bool) -> Vec<Step<'_>> {
        let mut steps = Vec::new();
        let mut files: Vec<&str> = Vec::new();
        let mut made = false;
        for op in self.ops.iter().filter(|op| which(op)) {
            let (file, at, bytes, make) = op.parts();
            steps.push(Step::Write { file, at, bytes, make });
            made |= make;
            if !files.contains(&file) {
                files.push(file);
            }
        }
        steps.extend(files.into_iter().map(Step::Sync));
        steps.extend(made.then_some(Step::SyncFolder));
        steps
    }

    /// The files that grow, and how long they were before: what a failure is undone to.
    pub(crate) fn before(&self) -> Vec<(&str, u64)> {
        let mut before: Vec<(&str, u64)> = Vec::new();
        for op in self.ops.iter().filter(|op| !matches!(op, Op::Complete { .. })) {
            let (file, at, ..) = op.parts();
            if before.iter().all(|(known, _)| *known != file) {
                before.push((file, at));
            }
        }
        before
    }
}

impl Op {
    fn parts(&self) -> (&str, u64, &[u8], bool) {
        match self {
            Op::Append { file, at, bytes } => (file, *at, bytes, *at == 0),
            Op::Complete { file, at, bytes } => (file, *at, bytes, false),
            Op::Note { journal, at, bytes } => (journal.file(), *at, bytes, *at == 0),
        }
    }

    /// How many bytes it writes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts().2.len()
    }

    /// Whether it writes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
