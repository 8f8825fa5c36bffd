//! Of which layers of its stream a packet is: by its dependency descriptor where the sender writes one, else by what
//! its codec's payload says. Knows no tracks.

use crate::rtp::codec::vp8::Descriptor as Vp8Descriptor;
use crate::rtp::codec::vp9;
use crate::rtp::dependency::{Dependencies, Indications};
use crate::rtp::scalability::{Heights, MAX_SPATIAL, Scalability};
use crate::session::plan::Codec;

/// What a stream has said of its layers.
#[derive(Debug, Default)]
pub(super) struct Layering {
    dependencies: Option<Box<Dependencies>>,
    /// Of VP9, by its last key picture.
    spatial_layers: u8,
}

/// A packet that is looked at.
pub(super) struct Looked<'a> {
    pub(super) codec: Codec,
    pub(super) marker: bool,
    pub(super) key_start: bool,
    pub(super) payload: &'a [u8],
    pub(super) vp8: Option<&'a Vp8Descriptor>,
    /// The value of the dependency descriptor, where one came.
    pub(super) descriptor: Option<&'a [u8]>,
}

impl Layering {
    /// A packet's layers, and the heights of their pictures where it tells.
    pub(super) fn read(&mut self, packet: &Looked<'_>) -> (Scalability, Heights) {
        if let Some(value) = packet.descriptor {
            let indications = match packet.codec {
                Codec::Av1 | Codec::Vp9 { .. } => Indications::True,
                _ => Indications::All,
            };
            let dependencies = self.dependencies.get_or_insert_default();
            if let Some(descriptor) = dependencies.read(value, indications, packet.marker) {
                return (descriptor.scalability, descriptor.heights);
            }
        }
        match packet.codec {
            Codec::Vp8 => {
                (packet.vp8.map_or(Scalability::NONE, |vp8| vp8.scalability(packet.key_start)), Heights::default())
            }
            Codec::Vp9 { .. } => self.read_vp9(packet),
            _ => (Scalability::NONE, Heights::default()),
        }
    }

    fn read_vp9(&mut self, packet: &Looked<'_>) -> (Scalability, Heights) {
        let Ok(descriptor) = vp9::Descriptor::parse(packet.payload) else {
            return (Scalability::NONE, Heights::default());
        };
        // Who gets the highest layer has nothing to go on with when that ends, until the next key picture.
        if packet.key_start {
            self.spatial_layers = descriptor.spatial_layers.unwrap_or(1).min(MAX_SPATIAL);
        }
        let seen = descriptor.layer.map_or(1, |layer| layer.spatial.min(MAX_SPATIAL - 1) + 1);
        self.spatial_layers = self.spatial_layers.max(seen);
        let heights = if packet.key_start { descriptor.heights } else { Heights::default() };
        (descriptor.scalability(self.spatial_layers, packet.marker), heights)
    }
}
