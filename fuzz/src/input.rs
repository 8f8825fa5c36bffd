//! A fuzzer's bytes read as choices: what a sequence of operations is made of. Knows no operations.

/// Reads from the start. Where nothing is left, numbers are 0 and bytes are none.
#[derive(Debug, Clone)]
pub struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    /// Of a fuzzer's bytes.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Whether nothing is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    /// Whether the next byte is odd.
    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// Two bytes, big-endian.
    pub fn short(&mut self) -> u16 {
        u16::from_be_bytes(self.array())
    }

    /// Four bytes, big-endian.
    pub fn word(&mut self) -> u32 {
        u32::from_be_bytes(self.array())
    }

    /// Eight bytes, big-endian.
    pub fn long(&mut self) -> u64 {
        u64::from_be_bytes(self.array())
    }

    /// One of `choices`, by the next byte.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }

    /// As many bytes as the next byte says, and as are left.
    pub fn bytes(&mut self) -> &'a [u8] {
        let wanted = usize::from(self.byte());
        self.take(wanted)
    }

    /// At most so many bytes.
    pub fn take(&mut self, wanted: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(wanted.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let taken = self.take(N);
        array[..taken.len()].copy_from_slice(taken);
        array
    }
}
