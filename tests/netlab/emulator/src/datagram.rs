//! IPv4 packets with UDP inside, read and changed in place. Knows no protocol above UDP.

const UDP: u8 = 17;

/// Whether it is UDP over IPv4, also a fragment of it.
#[must_use]
pub fn is_udp(packet: &[u8]) -> bool {
    packet.first().is_some_and(|first| first >> 4 == 4) && packet.get(9) == Some(&UDP)
}

/// Where things stand in a whole, unfragmented UDP packet over IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Udp {
    header: usize,
}

impl Udp {
    /// Finds the UDP header; `None` for everything else.
    #[must_use]
    pub fn find(packet: &[u8]) -> Option<Self> {
        let (&first, &protocol) = (packet.first()?, packet.get(9)?);
        let fragment = u16::from_be_bytes([*packet.get(6)?, *packet.get(7)?]) & 0x3fff;
        let header = usize::from(first & 0xf) * 4;
        (first >> 4 == 4 && protocol == UDP && fragment == 0 && packet.len() >= header + 8).then_some(Self { header })
    }

    /// What the datagram carries.
    #[must_use]
    pub fn payload(self, packet: &[u8]) -> &[u8] {
        packet.get(self.header + 8..).unwrap_or_default()
    }

    /// The same, to be changed; the checksum is taken out, which IPv4 allows (RFC 768).
    pub fn payload_mut(self, packet: &mut [u8]) -> &mut [u8] {
        self.clear_checksum(packet);
        packet.get_mut(self.header + 8..).unwrap_or_default()
    }

    /// Where it comes from.
    #[must_use]
    pub fn source_port(self, packet: &[u8]) -> u16 {
        self.port(packet, 0)
    }

    /// Where it goes.
    #[must_use]
    pub fn destination_port(self, packet: &[u8]) -> u16 {
        self.port(packet, 2)
    }

    /// Lets it come from elsewhere.
    pub fn set_source_port(self, packet: &mut [u8], port: u16) {
        self.set_port(packet, 0, port);
    }

    /// Sends it elsewhere.
    pub fn set_destination_port(self, packet: &mut [u8], port: u16) {
        self.set_port(packet, 2, port);
    }

    fn port(self, packet: &[u8], at: usize) -> u16 {
        let at = self.header + at;
        u16::from_be_bytes([packet[at], packet[at + 1]])
    }

    fn set_port(self, packet: &mut [u8], at: usize, port: u16) {
        let at = self.header + at;
        packet[at..at + 2].copy_from_slice(&port.to_be_bytes());
        self.clear_checksum(packet);
    }

    fn clear_checksum(self, packet: &mut [u8]) {
        packet[self.header + 6..self.header + 8].fill(0);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A UDP packet over IPv4 with a checksum that is not none.
    pub(crate) fn packet(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, UDP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        packet.extend(source.to_be_bytes());
        packet.extend(destination.to_be_bytes());
        packet.extend(((payload.len() + 8) as u16).to_be_bytes());
        packet.extend([0xab, 0xcd]);
        packet.extend(payload);
        packet
    }

    #[test]
    fn ports_and_payload_are_found_and_changed() {
        let mut bytes = packet(1000, 2000, b"hello");
        let udp = Udp::find(&bytes).unwrap();
        assert_eq!(
            (udp.source_port(&bytes), udp.destination_port(&bytes), udp.payload(&bytes)),
            (1000, 2000, &b"hello"[..])
        );
        udp.set_source_port(&mut bytes, 3000);
        assert_eq!((udp.source_port(&bytes), &bytes[26..28]), (3000, &[0, 0][..]));
    }

    #[test]
    fn tcp_fragments_and_stumps_are_not_udp() {
        let whole = packet(1, 2, b"x");
        let with = |at: usize, byte: u8| {
            let mut other = whole.clone();
            other[at] = byte;
            other
        };
        for other in [with(9, 6), with(7, 1), with(0, 0x65), whole[..27].to_vec(), Vec::new()] {
            assert_eq!(Udp::find(&other), None);
        }
    }
}
