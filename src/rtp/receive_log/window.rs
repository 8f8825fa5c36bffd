//! Which of the latest numbers were seen. Knows no time.

/// How far behind the highest number a packet is still told from a duplicate: at 4,000 packets a second it
/// is half a second, at a usual 300 several; the memory is 256 bytes a stream.
pub const WINDOW: u64 = 2048;

const WORDS: usize = (WINDOW / 64) as usize;

/// What became of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Insert {
    /// It was not there; it is now.
    New,
    /// It was there.
    Seen,
    /// It is behind the window.
    Before,
}

/// A bit per number, for the latest [`WINDOW`] of them.
#[derive(Debug)]
pub(super) struct Window {
    seen: [u64; WORDS],
    /// One more than the highest number; 0 before the first.
    end: u64,
}

impl Window {
    pub(super) const fn new() -> Window {
        Window { seen: [0; WORDS], end: 0 }
    }

    pub(super) fn insert(&mut self, number: u64) -> Insert {
        if number + WINDOW < self.end {
            return Insert::Before;
        }
        if number >= self.end {
            self.advance(number + 1);
        }
        let (word, bit) = Window::place(number);
        if self.seen[word] & bit != 0 {
            return Insert::Seen;
        }
        self.seen[word] |= bit;
        Insert::New
    }

    fn advance(&mut self, end: u64) {
        if end - self.end >= WINDOW {
            self.seen = [0; WORDS];
        } else {
            for number in self.end..end {
                let (word, bit) = Window::place(number);
                self.seen[word] &= !bit;
            }
        }
        self.end = end;
    }

    const fn place(number: u64) -> (usize, u64) {
        ((number / 64) as usize % WORDS, 1 << (number % 64))
    }
}
