//! The AudioSpecificConfig of AAC (ISO/IEC 14496-3 §1.6.2.1). Decodes no sound.

use crate::bits::Bits;
use crate::frame::Codec;

/// What it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// As it came.
    pub record: Vec<u8>,
    /// The audio object type: 2 is AAC-LC, 5 and 29 are HE-AAC.
    pub object: u8,
    /// Samples per second of what is coded; HE-AAC doubles it when it decodes.
    pub rate: u32,
    /// How many; 0 where the stream itself says.
    pub channels: u8,
    /// Samples of a frame: 1,024, or 960.
    pub samples: u16,
}

/// `samplingFrequencyIndex`
const RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];
/// `channelConfiguration`
const CHANNELS: [u8; 8] = [0, 1, 2, 3, 4, 5, 6, 8];

impl Config {
    /// Of a record; `None` where it is none, or of a rate that does not divide [`Codec::rate`].
    #[must_use]
    pub fn of(record: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(record);
        let mut object = object_type(&mut bits)?;
        let rate = frequency(&mut bits)?;
        let channels = *CHANNELS.get(bits.number(4)? as usize)?;
        let announced = object;
        if matches!(object, 5 | 29) {
            // Said of what is decoded; what is coded follows.
            frequency(&mut bits)?;
            object = object_type(&mut bits)?;
        }
        // What has a frame of this length: main, LC, SSR, LTP, and the error resilient LC.
        if !matches!(object, 1..=4 | 17) {
            return None;
        }
        let samples = if bits.flag()? { 960 } else { 1024 };
        let divides = Codec::Aac.rate().is_multiple_of(rate);
        divides.then(|| Self { record: record.to_vec(), object: announced, rate, channels, samples })
    }

    /// How long a frame is, in ticks of [`Codec::Aac`].
    #[must_use]
    pub const fn frame(&self) -> u64 {
        self.samples as u64 * self.tick()
    }

    /// Ticks of [`Codec::Aac`] from one sample to the next.
    #[must_use]
    pub const fn tick(&self) -> u64 {
        (Codec::Aac.rate() / self.rate) as u64
    }

    pub(super) fn name(&self) -> String {
        format!("mp4a.40.{}", self.object)
    }
}

fn object_type(bits: &mut Bits<'_>) -> Option<u8> {
    match bits.number(5)? {
        31 => Some(32 + bits.number(6)? as u8),
        object => Some(object as u8),
    }
}

fn frequency(bits: &mut Bits<'_>) -> Option<u32> {
    match bits.number(4)? {
        15 => bits.number(24).filter(|rate| (1..=96_000).contains(rate)),
        index => RATES.get(index as usize).copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_channels_and_length_of_frames_are_read() {
        let config = |record: &[u8]| Config::of(record).map(|config| (config.name(), config.rate, config.channels));
        assert_eq!(config(&[0x12, 0x10]), Some(("mp4a.40.2".into(), 44_100, 2)), "as OBS and ffmpeg write it");
        assert_eq!(config(&[0x11, 0x90]), Some(("mp4a.40.2".into(), 48_000, 2)));
        assert_eq!(config(&[0x12, 0x08, 0x56, 0xe5, 0x00]), Some(("mp4a.40.2".into(), 44_100, 1)), "with its end");
        // HE-AAC said openly: 44,100 samples a second decoded, 22,050 coded.
        assert_eq!(config(&[0x2b, 0x92, 0x08, 0x00]), Some(("mp4a.40.5".into(), 22_050, 2)));
        assert_eq!(config(&[0x12]), None);
        assert_eq!(config(&[0x16, 0x90]), None, "no frequency has this number");
        assert_eq!(config(&[]), None);
    }

    #[test]
    fn frames_of_every_rate_are_whole_ticks() {
        for rate in RATES {
            assert_eq!(Codec::Aac.rate() % rate, 0, "{rate}");
        }
        let config = Config::of(&[0x12, 0x10]).expect("a record");
        // An hour of frames of 1,024 samples ends when the samples do.
        assert_eq!(config.frame() * 44_100, u64::from(Codec::Aac.rate()) * 1024);
    }
}
