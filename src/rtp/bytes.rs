//! Big-endian numbers in slices, without a panic. Knows no protocol.

/// One byte.
pub(super) fn u8_at(bytes: &[u8], at: usize) -> Option<u8> {
    bytes.get(at).copied()
}

/// Two bytes.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)
}

/// Three bytes.
pub(super) fn u24_at(bytes: &[u8], at: usize) -> Option<u32> {
    let &[a, b, c] = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes([0, a, b, c]))
}

/// Four bytes.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}

/// Eight bytes.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().copied().map(u64::from_be_bytes)
}

/// Overwrites bytes from `at` on; false, and nothing written, where they do not fit.
pub(super) fn put(bytes: &mut [u8], at: usize, value: &[u8]) -> bool {
    let Some(slot) = at.checked_add(value.len()).and_then(|end| bytes.get_mut(at..end)) else {
        return false;
    };
    slot.copy_from_slice(value);
    true
}
