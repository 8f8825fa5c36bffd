//! `ftyp` and `moov` of a file with one track. Knows no frames.

use super::{TRACK, encode};
use crate::codec::Config;
use crate::frame::Codec;
use mp4_atom::{
    Atom, Audio, Av01, Av1c, Avc3, Avcc, Dinf, Dops, Dref, DrefEntry, FourCC, Ftyp, Hdlr, Matrix, Mdhd, Mdia, Mehd,
    Minf, Moov, Mvex, Mvhd, Opus, Smhd, Stbl, Stco, Stsc, Stsd, Stsz, Stts, Tkhd, Trak, Trex, Url, Visual, Vmhd, Vp09,
    VpcC,
};

/// What a file of this configuration begins with.
pub(super) fn write(config: &Config) -> Vec<u8> {
    let brands = [b"iso6", b"iso5", b"mp41", b"dash"].map(FourCC::new).to_vec();
    let ftyp = Ftyp { major_brand: FourCC::new(b"iso6"), minor_version: 0, compatible_brands: brands };
    let mut bytes = encode(&ftyp);
    bytes.extend(encode(&moov(config)));
    bytes
}

fn moov(config: &Config) -> Moov {
    let rate = match config {
        Config::Opus => Codec::Opus.rate(),
        _ => Codec::H264.rate(),
    };
    let (width, height) = config.size().unwrap_or_default();
    let audio = matches!(config, Config::Opus);
    let stbl = Stbl {
        stsd: Stsd { codecs: vec![sample_entry(config)] },
        stts: Stts::default(),
        stsc: Stsc::default(),
        stsz: Stsz::default(),
        stco: Some(Stco::default()),
        ..Stbl::default()
    };
    let minf = Minf {
        vmhd: (!audio).then(Vmhd::default),
        smhd: audio.then(Smhd::default),
        dinf: Dinf { dref: Dref { entries: vec![DrefEntry::Url(Url::default())] } },
        stbl,
        ..Minf::default()
    };
    let handler = if audio { (b"soun", "sound") } else { (b"vide", "picture") };
    let hdlr = Hdlr { handler: FourCC::new(handler.0), name: handler.1.to_owned() };
    let mdhd = Mdhd { timescale: rate, language: "und".to_owned(), ..Mdhd::default() };
    let tkhd = Tkhd {
        track_id: TRACK,
        enabled: true,
        in_movie: true,
        volume: u8::from(audio).into(),
        matrix: Matrix::default(),
        width: width.into(),
        height: height.into(),
        ..Tkhd::default()
    };
    let trak = Trak { tkhd, mdia: Mdia { mdhd, hdlr, minf }, ..Trak::default() };
    let trex = Trex { track_id: TRACK, default_sample_description_index: 1, ..Trex::default() };
    // The length is written over the 0 when it is known.
    let mvex = Mvex { mehd: Some(Mehd { fragment_duration: 0 }), trex: vec![trex] };
    let mvhd = Mvhd { timescale: rate, rate: 1.into(), volume: 1.into(), next_track_id: TRACK + 1, ..Mvhd::default() };
    Moov { mvhd, mvex: Some(mvex), trak: vec![trak], ..Moov::default() }
}

fn sample_entry(config: &Config) -> mp4_atom::Codec {
    let (width, height) = config.size().unwrap_or_default();
    let visual = Visual { data_reference_index: 1, width, height, ..Visual::default() };
    match config {
        Config::Opus => mp4_atom::Codec::Opus(Opus {
            audio: Audio { data_reference_index: 1, channel_count: 2, sample_size: 16, sample_rate: 48_000.into() },
            // No pre-skip: the recording begins in the middle of a stream, and times would shift.
            dops: Dops {
                output_channel_count: 2,
                pre_skip: 0,
                input_sample_rate: 48_000,
                output_gain: 0,
                channel_mapping: None,
            },
            btrt: None,
        }),
        Config::Vp9(vp9) => mp4_atom::Codec::Vp09(Vp09 {
            visual,
            vpcc: VpcC {
                profile: vp9.profile,
                level: vp9.level(),
                bit_depth: vp9.bit_depth,
                chroma_subsampling: vp9.subsampling,
                video_full_range_flag: vp9.full_range,
                // Unspecified: the stream itself says.
                color_primaries: 2,
                transfer_characteristics: 2,
                matrix_coefficients: 2,
                codec_initialization_data: Vec::new(),
            },
            btrt: None,
            colr: None,
            pasp: None,
            spatial: None,
        }),
        Config::Av1(av1) => mp4_atom::Codec::Av01(Av01 {
            visual,
            av1c: Av1c {
                seq_profile: av1.profile,
                seq_level_idx_0: av1.level,
                seq_tier_0: av1.high_tier,
                high_bitdepth: av1.bit_depth > 8,
                twelve_bit: av1.bit_depth == 12,
                monochrome: av1.monochrome,
                chroma_subsampling_x: av1.subsampling.0,
                chroma_subsampling_y: av1.subsampling.1,
                chroma_sample_position: av1.position,
                initial_presentation_delay: None,
                config_obus: av1.sequence.clone(),
            },
            btrt: None,
            ccst: None,
            colr: None,
            pasp: None,
            taic: None,
            spatial: None,
        }),
        // avc3: parameter sets may change at any key frame, which repeats them.
        Config::H264(h264) => mp4_atom::Codec::Avc3(Avc3 {
            visual,
            avcc: Avcc::new(&h264.sequence, &h264.picture).unwrap_or_default(),
            ..Avc3::default()
        }),
        Config::Vp8(_) => mp4_atom::Codec::Unknown(<mp4_atom::Vp08 as Atom>::KIND, Vec::new()),
    }
}
