//! Reads our fragmented MP4 as far as it is whole. Takes no more memory than one part; trusts nothing.

use super::TRAILER;
use crate::checksum::Checksum;
use crate::scan::{Entry, Scan};
use mp4_atom::{Decode, Ftyp, Moof, Moov};
use std::io::{Read, Result, Seek, SeekFrom};

/// The longest head or part that we look at: a minute of the fastest picture would not fill it.
const LONGEST: u32 = 64 << 20;

/// Reads a file from its start; parts count whose checksum is right.
///
/// # Errors
/// When it can't be read; what stands in it is never an error.
pub fn scan(file: &mut (impl Read + Seek)) -> Result<Scan> {
    scan_on(file, Scan::default())
}

/// Goes on behind what was found before in the same file.
///
/// # Errors
/// As [`scan`].
pub fn scan_on(file: &mut (impl Read + Seek), mut found: Scan) -> Result<Scan> {
    file.seek(SeekFrom::Start(found.whole))?;
    if found.init.is_empty() {
        let (Some(ftyp), Some(moov)) = (next_box(file, b"ftyp")?, next_box(file, b"moov")?) else { return Ok(found) };
        let readable = Ftyp::decode(&mut ftyp.as_slice()).is_ok() && Moov::decode(&mut moov.as_slice()).is_ok();
        if !readable {
            return Ok(found);
        }
        found.init = [ftyp, moov].concat();
        found.whole = found.init.len() as u64;
    }
    let scale = scale(&found.init);
    while let Some(entry) = next_part(file, found.whole, scale)? {
        found.whole += entry.len;
        found.parts.push(entry);
    }
    Ok(found)
}

/// Ticks of the codec, which those of the whole are, in one of the track; read from `ftyp` and `moov`.
fn scale(init: &[u8]) -> u64 {
    let moov = init.split_first_chunk::<4>().and_then(|(size, _)| init.get(u32::from_be_bytes(*size) as usize..));
    let Some(Ok(moov)) = moov.map(|mut moov| Moov::decode(&mut moov)) else { return 1 };
    let track = moov.trak.first().map_or(0, |trak| trak.mdia.mdhd.timescale);
    u64::from(moov.mvhd.timescale.checked_div(track).unwrap_or(1).max(1))
}

fn next_part(file: &mut impl Read, offset: u64, scale: u64) -> Result<Option<Entry>> {
    let Some(moof) = next_box(file, b"moof")? else { return Ok(None) };
    let Some(mdat) = next_box(file, b"mdat")? else { return Ok(None) };
    let Some(free) = next_box(file, b"free")? else { return Ok(None) };
    let mut sum = Checksum::new();
    sum.add(&moof);
    sum.add(&mdat);
    if free.len() != TRAILER || free.get(8..) != Some(&sum.get().to_be_bytes()) {
        return Ok(None);
    }
    let len = (moof.len() + mdat.len() + free.len()) as u64;
    Ok(describe(&moof, mdat.len() - 8, scale).map(|(time, duration, independent, frames)| Entry {
        offset,
        len,
        time,
        duration,
        independent,
        frames,
    }))
}

/// Time, duration, whether it begins with a key frame, and frames of a part that has so many bytes of them.
fn describe(moof: &[u8], bytes: usize, scale: u64) -> Option<(u64, u64, bool, usize)> {
    let moof = Moof::decode(&mut &*moof).ok()?;
    let [traf] = moof.traf.as_slice() else { return None };
    let time = traf.tfdt.as_ref()?.base_media_decode_time.checked_mul(scale)?;
    let samples: Vec<_> = traf.trun.iter().flat_map(|trun| trun.samples.iter()).collect();
    let (mut duration, mut size) = (0_u64, 0_u64);
    for sample in &samples {
        duration += u64::from(sample.duration?) * scale;
        size += u64::from(sample.size?);
    }
    let independent = samples.first()?.flags? & 0x0001_0000 == 0;
    time.checked_add(duration)?;
    (size == bytes as u64).then_some((time, duration, independent, samples.len()))
}

/// The frames of a part, with how long each is; none where it is not whole.
#[must_use]
pub fn samples(part: &[u8]) -> Vec<(u32, &[u8])> {
    let Some(size) = part.first_chunk().map(|size| u32::from_be_bytes(*size) as usize) else { return Vec::new() };
    let moof = part.get(..size).and_then(|mut moof| Moof::decode(&mut moof).ok());
    let (Some(moof), Some(mut data)) = (moof, part.get(size + 8..)) else { return Vec::new() };
    let samples = moof.traf.iter().flat_map(|traf| &traf.trun).flat_map(|trun| trun.samples.iter());
    let each = samples.map_while(|sample| {
        let (frame, rest) = data.split_at_checked(sample.size? as usize)?;
        data = rest;
        Some((sample.duration?, frame))
    });
    each.collect()
}

/// The next box with its head, where it is of this kind and whole.
fn next_box(file: &mut impl Read, kind: &[u8; 4]) -> Result<Option<Vec<u8>>> {
    let mut bytes = Vec::with_capacity(8);
    file.take(8).read_to_end(&mut bytes)?;
    let Some((size, found)) = bytes.split_first_chunk::<4>() else { return Ok(None) };
    let size = u32::from_be_bytes(*size);
    if found != kind || !(8..=LONGEST).contains(&size) {
        return Ok(None);
    }
    file.take(u64::from(size) - 8).read_to_end(&mut bytes)?;
    Ok((bytes.len() == size as usize).then_some(bytes))
}
