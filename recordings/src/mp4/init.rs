//! `ftyp` and `moov` of a file with one track. Knows no frames.

use super::{Sets, TRACK, encode};
use crate::codec::Config;
use crate::codec::{aac, hevc};
use mp4_atom::esds::{DecoderConfig, DecoderSpecific, EsDescriptor, SLConfig};
use mp4_atom::{
    Atom, Audio, Av01, Av1c, Avc1, Avc3, Avcc, Dinf, Dops, Dref, DrefEntry, Esds, FourCC, Ftyp, Hdlr, Hvc1, HvcCArray,
    Hvcc, Matrix, Mdhd, Mdia, Mehd, Minf, Moov, Mp4a, Mvex, Mvhd, Opus, Smhd, Stbl, Stco, Stsc, Stsd, Stsz, Stts, Tkhd,
    Trak, Trex, Url, Visual, Vmhd, Vp09, VpcC,
};

/// What a file of this configuration begins with.
pub(super) fn write(config: &Config, sets: Sets) -> Vec<u8> {
    let brands = [b"iso6", b"iso5", b"mp41", b"dash"].map(FourCC::new).to_vec();
    let ftyp = Ftyp { major_brand: FourCC::new(b"iso6"), minor_version: 0, compatible_brands: brands };
    let mut bytes = encode(&ftyp);
    bytes.extend(encode(&moov(config, sets)));
    bytes
}

fn moov(config: &Config, sets: Sets) -> Moov {
    let rate = config.codec().rate();
    let (width, height) = config.size().unwrap_or_default();
    let audio = config.codec().is_audio();
    let stbl = Stbl {
        stsd: Stsd { codecs: vec![sample_entry(config, sets)] },
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
    let mdhd = Mdhd { timescale: rate / super::scale(config) as u32, language: "und".to_owned(), ..Mdhd::default() };
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

fn sample_entry(config: &Config, sets: Sets) -> mp4_atom::Codec {
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
        Config::H264(h264) => {
            let mut avcc = Avcc::new(&h264.sequence, &[]).unwrap_or_default();
            avcc.picture_parameter_sets.clone_from(&h264.pictures);
            match sets {
                Sets::InFrames => mp4_atom::Codec::Avc3(Avc3 { visual, avcc, ..Avc3::default() }),
                Sets::InHead => mp4_atom::Codec::Avc1(Avc1 { visual, avcc, ..Avc1::default() }),
            }
        }
        // Players that know no hev1 know hvc1; what both of them allow is that the frames repeat the sets.
        Config::Hevc(hevc) => mp4_atom::Codec::Hvc1(Hvc1 { visual, hvcc: hvcc(hevc), ..Hvc1::default() }),
        Config::Aac(aac) => mp4_atom::Codec::Mp4a(mp4a(aac)),
        Config::Vp8(_) => mp4_atom::Codec::Unknown(<mp4_atom::Vp08 as Atom>::KIND, Vec::new()),
    }
}

fn hvcc(hevc: &hevc::Config) -> Hvcc {
    let profile = &hevc.profile;
    // A video, a sequence and a picture parameter set: types 32 to 34.
    let array = |kind| HvcCArray {
        completeness: true,
        nal_unit_type: kind,
        nalus: hevc.sets.iter().filter(|set| hevc::kind(set) == kind).cloned().collect(),
    };
    Hvcc {
        general_profile_space: profile[0] >> 6,
        general_tier_flag: profile[0] & 0x20 != 0,
        general_profile_idc: profile[0] & 0x1f,
        general_profile_compatibility_flags: [profile[1], profile[2], profile[3], profile[4]],
        general_constraint_indicator_flags: [profile[5], profile[6], profile[7], profile[8], profile[9], profile[10]],
        general_level_idc: profile[11],
        chroma_format_idc: hevc.chroma,
        bit_depth_luma_minus8: hevc.depth.0 - 8,
        bit_depth_chroma_minus8: hevc.depth.1 - 8,
        num_temporal_layers: hevc.layers,
        temporal_id_nested: hevc.nested,
        length_size_minus_one: 3,
        arrays: (32..=34).map(array).collect(),
        ..Hvcc::new()
    }
}

fn mp4a(aac: &aac::Config) -> Mp4a {
    let dec_specific = Some(DecoderSpecific { raw: aac.record.clone(), ..DecoderSpecific::default() });
    let dec_config = DecoderConfig {
        // MPEG-4 audio.
        object_type_indication: 0x40,
        // An audio stream.
        stream_type: 5,
        dec_specific,
        ..DecoderConfig::default()
    };
    let es_desc = EsDescriptor { dec_config, sl_config: SLConfig::default(), ..EsDescriptor::default() };
    Mp4a {
        audio: Audio {
            data_reference_index: 1,
            channel_count: if aac.channels == 0 { 2 } else { aac.channels.into() },
            sample_size: 16,
            // The record says it where it does not fit.
            sample_rate: u16::try_from(aac.rate).unwrap_or(0).into(),
        },
        esds: Esds { es_desc },
        btrt: None,
        taic: None,
    }
}
