//! The ciphers of the profiles on bytes in place: AES-GCM (RFC 7714) and AES-CM with HMAC-SHA1
//! (RFC 3711 §4). Knows no replay and no state. Keys are scheduled once, here, and never per packet.

use super::derive::{Label, derive};
use super::{MasterKeys, Profile, RTCP_HEADER, RTCP_INDEX, Refused, word};
use aes::Aes128;
use aes::cipher::generic_array::GenericArray;
use aes::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper};
use ctr::CtrCore;
use ctr::flavors::Ctr128BE;
use hmac::{Hmac, Mac};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha1::Sha1;

/// The bit that says that an SRTCP packet is encrypted (RFC 3711 §3.4).
pub(super) const ENCRYPTED: u32 = 1 << 31;

const GCM_TAG: usize = 16;
const SHA1_TAG: usize = 10;

/// One direction's keys for RTP, or for RTCP.
#[expect(clippy::large_enum_variant, reason = "every packet needs the large one, almost nobody has the other")]
pub(super) enum Transform {
    Gcm(Gcm),
    CmSha1(Box<CmSha1>),
}

pub(super) struct Gcm {
    key: LessSafeKey,
    salt: [u8; 12],
}

pub(super) struct CmSha1 {
    cipher: Aes128,
    salt: [u8; 14],
    /// Keyed; cloned for each packet, which copies two digest states and hashes nothing.
    mac: Hmac<Sha1>,
}

impl Transform {
    /// The keys for RTP and for RTCP.
    pub(super) fn pair(master: &MasterKeys) -> (Self, Self) {
        (
            Self::derived(master, Label::RtpKey, Label::RtpAuthentication, Label::RtpSalt),
            Self::derived(master, Label::RtcpKey, Label::RtcpAuthentication, Label::RtcpSalt),
        )
    }

    fn derived(master: &MasterKeys, key: Label, authentication: Label, salt: Label) -> Self {
        let mut cipher_key = [0u8; 32];
        let mut mac_key = [0u8; 20];
        let mut cipher_salt = [0u8; 14];
        let profile = master.profile();
        derive(master, key, &mut cipher_key[..profile.key_len()]);
        derive(master, authentication, &mut mac_key);
        derive(master, salt, &mut cipher_salt[..profile.salt_len()]);
        Self::with_session_keys(profile, &cipher_key, &mac_key, &cipher_salt)
    }

    /// From session keys; of longer arrays the profile's share is taken.
    pub(super) fn with_session_keys(profile: Profile, key: &[u8; 32], mac_key: &[u8; 20], salt: &[u8; 14]) -> Self {
        let gcm = |algorithm| {
            let unbound = UnboundKey::new(algorithm, &key[..profile.key_len()]);
            Self::Gcm(Gcm {
                key: LessSafeKey::new(unbound.expect("the length is the algorithm's")),
                salt: std::array::from_fn(|i| salt[i]),
            })
        };
        match profile {
            Profile::AeadAes128Gcm => gcm(&AES_128_GCM),
            Profile::AeadAes256Gcm => gcm(&AES_256_GCM),
            Profile::Aes128CmHmacSha1_80 => {
                let key: [u8; 16] = std::array::from_fn(|i| key[i]);
                Self::CmSha1(Box::new(CmSha1 {
                    cipher: Aes128::new(&key.into()),
                    salt: *salt,
                    mac: <Hmac<Sha1> as Mac>::new_from_slice(mac_key).expect("HMAC takes a key of any length"),
                }))
            }
        }
    }

    /// Seals `packet[..plain]`, of which the first `header` bytes stay readable. `None` where the
    /// room behind is missing or the lengths do not fit together.
    pub(super) fn seal_rtp(
        &self,
        packet: &mut [u8],
        header: usize,
        plain: usize,
        ssrc: u32,
        index: u64,
    ) -> Option<usize> {
        let (body, room) = packet.split_at_mut_checked(plain)?;
        match self {
            Self::Gcm(gcm) => {
                let tag_room = room.first_chunk_mut::<GCM_TAG>()?;
                let (header, payload) = body.split_at_mut_checked(header)?;
                let nonce = gcm.rtp_nonce(ssrc, index);
                let tag = gcm.key.seal_in_place_separate_tag(nonce, Aad::from(&*header), payload).ok()?;
                tag_room.copy_from_slice(tag.as_ref());
                Some(plain + GCM_TAG)
            }
            Self::CmSha1(cm) => {
                let tag_room = room.first_chunk_mut::<SHA1_TAG>()?;
                cm.apply(ssrc, index, body.get_mut(header..)?);
                *tag_room = cm.tag(&[body, &rollover(index)]);
                Some(plain + SHA1_TAG)
            }
        }
    }

    /// Opens a packet whose first `header` bytes are readable and gives its new length.
    pub(super) fn open_rtp(&self, packet: &mut [u8], header: usize, ssrc: u32, index: u64) -> Result<usize, Refused> {
        match self {
            Self::Gcm(gcm) => {
                let (header, sealed) = packet.split_at_mut_checked(header).ok_or(Refused::Short)?;
                if sealed.len() < GCM_TAG {
                    return Err(Refused::Short);
                }
                let nonce = gcm.rtp_nonce(ssrc, index);
                let plain = gcm.key.open_in_place(nonce, Aad::from(&*header), sealed).map_err(|_| Refused::Auth)?;
                Ok(header.len() + plain.len())
            }
            Self::CmSha1(cm) => {
                let (body, tag) = packet.split_last_chunk_mut::<SHA1_TAG>().ok_or(Refused::Short)?;
                if header > body.len() {
                    return Err(Refused::Short);
                }
                cm.verify(&[body, &rollover(index)], tag)?;
                cm.apply(ssrc, index, body.get_mut(header..).ok_or(Refused::Short)?);
                Ok(body.len())
            }
        }
    }

    /// Seals `packet[..plain]`.
    pub(super) fn seal_rtcp(&self, packet: &mut [u8], plain: usize, ssrc: u32, index: u32) -> Option<usize> {
        let (body, room) = packet.split_at_mut_checked(plain)?;
        let trailer = (index | ENCRYPTED).to_be_bytes();
        match self {
            Self::Gcm(gcm) => {
                let (tag_room, room) = room.split_first_chunk_mut::<GCM_TAG>()?;
                let trailer_room = room.first_chunk_mut::<RTCP_INDEX>()?;
                let (header, payload) = body.split_first_chunk_mut::<RTCP_HEADER>()?;
                let nonce = gcm.rtcp_nonce(ssrc, index);
                let aad = Aad::from(associated(*header, trailer));
                let tag = gcm.key.seal_in_place_separate_tag(nonce, aad, payload).ok()?;
                tag_room.copy_from_slice(tag.as_ref());
                *trailer_room = trailer;
                Some(plain + GCM_TAG + RTCP_INDEX)
            }
            Self::CmSha1(cm) => {
                let (trailer_room, room) = room.split_first_chunk_mut::<RTCP_INDEX>()?;
                let tag_room = room.first_chunk_mut::<SHA1_TAG>()?;
                cm.apply(ssrc, u64::from(index), body.get_mut(RTCP_HEADER..)?);
                *trailer_room = trailer;
                *tag_room = cm.tag(&[body, &trailer]);
                Some(plain + RTCP_INDEX + SHA1_TAG)
            }
        }
    }

    /// Where in a packet of this length the word of E flag and index stands.
    pub(super) fn rtcp_index_at(&self, len: usize) -> Option<usize> {
        let behind = match self {
            Self::Gcm(_) => RTCP_INDEX,
            Self::CmSha1(_) => RTCP_INDEX + SHA1_TAG,
        };
        let body = match self {
            Self::Gcm(_) => RTCP_HEADER + GCM_TAG,
            Self::CmSha1(_) => RTCP_HEADER,
        };
        len.checked_sub(behind).filter(|at| *at >= body)
    }

    /// Opens a packet whose word of E flag and index is `trailer`, and gives its new length.
    pub(super) fn open_rtcp(&self, packet: &mut [u8], ssrc: u32, trailer: u32) -> Result<usize, Refused> {
        let index = trailer & !ENCRYPTED;
        let encrypted = trailer & ENCRYPTED != 0;
        match self {
            Self::Gcm(gcm) => {
                let (body, trailer) = packet.split_last_chunk_mut::<RTCP_INDEX>().ok_or(Refused::Short)?;
                let nonce = gcm.rtcp_nonce(ssrc, index);
                if encrypted {
                    let (header, sealed) = body.split_first_chunk_mut::<RTCP_HEADER>().ok_or(Refused::Short)?;
                    let aad = Aad::from(associated(*header, *trailer));
                    let plain = gcm.key.open_in_place(nonce, aad, sealed).map_err(|_| Refused::Auth)?;
                    return Ok(RTCP_HEADER + plain.len());
                }
                // All is associated data, and its last word is brought to it over the tag (RFC 7714 §9.3).
                let plain = body.len().checked_sub(GCM_TAG).ok_or(Refused::Short)?;
                let trailer = *trailer;
                let (text, tag) = body.split_at_mut_checked(plain).ok_or(Refused::Short)?;
                let tag = tag.first_chunk_mut::<GCM_TAG>().ok_or(Refused::Short)?;
                let mut sealed = *tag;
                tag[..RTCP_INDEX].copy_from_slice(&trailer);
                let text = text.len();
                let aad = Aad::from(body.get(..text + RTCP_INDEX).ok_or(Refused::Short)?);
                gcm.key.open_in_place(nonce, aad, &mut sealed).map_err(|_| Refused::Auth)?;
                Ok(plain)
            }
            Self::CmSha1(cm) => {
                let (signed, tag) = packet.split_last_chunk_mut::<SHA1_TAG>().ok_or(Refused::Short)?;
                cm.verify(&[signed], tag)?;
                let plain = signed.len().checked_sub(RTCP_INDEX).ok_or(Refused::Short)?;
                if encrypted {
                    cm.apply(ssrc, u64::from(index), signed.get_mut(RTCP_HEADER..plain).ok_or(Refused::Short)?);
                }
                Ok(plain)
            }
        }
    }
}

impl Gcm {
    /// RFC 7714 §8.1: two zero bytes, SSRC, rollover counter, sequence number; with the salt.
    fn rtp_nonce(&self, ssrc: u32, index: u64) -> Nonce {
        let mut iv = [0u8; 12];
        iv[2..6].copy_from_slice(&ssrc.to_be_bytes());
        iv[6..].copy_from_slice(&index.to_be_bytes()[2..]);
        self.salted(iv)
    }

    /// RFC 7714 §9.1: two zero bytes, SSRC, two zero bytes, index; with the salt.
    fn rtcp_nonce(&self, ssrc: u32, index: u32) -> Nonce {
        let mut iv = [0u8; 12];
        iv[2..6].copy_from_slice(&ssrc.to_be_bytes());
        iv[8..].copy_from_slice(&index.to_be_bytes());
        self.salted(iv)
    }

    fn salted(&self, iv: [u8; 12]) -> Nonce {
        Nonce::assume_unique_for_key(std::array::from_fn(|i| iv[i] ^ self.salt[i]))
    }
}

impl CmSha1 {
    /// Adds the key stream of RFC 3711 §4.1.1: salt, SSRC and index give the counter block.
    fn apply(&self, ssrc: u32, index: u64, bytes: &mut [u8]) {
        let mut iv = [0u8; 16];
        iv[..14].copy_from_slice(&self.salt);
        for (byte, ssrc) in iv[4..8].iter_mut().zip(ssrc.to_be_bytes()) {
            *byte ^= ssrc;
        }
        for (byte, index) in iv[8..14].iter_mut().zip(&index.to_be_bytes()[2..]) {
            *byte ^= index;
        }
        let core = CtrCore::<_, Ctr128BE>::inner_iv_init(&self.cipher, GenericArray::from_slice(&iv));
        StreamCipherCoreWrapper::from_core(core).apply_keystream(bytes);
    }

    fn tag(&self, parts: &[&[u8]]) -> [u8; SHA1_TAG] {
        let digest = self.digest(parts).finalize().into_bytes();
        std::array::from_fn(|i| digest[i])
    }

    /// In constant time.
    fn verify(&self, parts: &[&[u8]], tag: &[u8; SHA1_TAG]) -> Result<(), Refused> {
        self.digest(parts).verify_truncated_left(tag).map_err(|_| Refused::Auth)
    }

    fn digest(&self, parts: &[&[u8]]) -> Hmac<Sha1> {
        let mut mac = self.mac.clone();
        for part in parts {
            mac.update(part);
        }
        mac
    }
}

/// The rollover counter, which is authenticated with a packet but not sent (RFC 3711 §4.2).
fn rollover(index: u64) -> [u8; 4] {
    word(&index.to_be_bytes(), 2).to_be_bytes()
}

fn associated(header: [u8; RTCP_HEADER], trailer: [u8; RTCP_INDEX]) -> [u8; RTCP_HEADER + RTCP_INDEX] {
    let mut data = [0; RTCP_HEADER + RTCP_INDEX];
    data[..RTCP_HEADER].copy_from_slice(&header);
    data[RTCP_HEADER..].copy_from_slice(&trailer);
    data
}

#[cfg(test)]
mod tests {
    use super::super::tests::hex;
    use super::*;

    /// RFC 3711 appendix B.2: the key stream of a key and a salt with SSRC and index 0.
    #[test]
    fn makes_the_key_stream_of_rfc_3711_appendix_b_2() {
        let mut key = [0; 32];
        key[..16].copy_from_slice(&hex("2B7E151628AED2A6ABF7158809CF4F3C"));
        let salt: [u8; 14] = hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD").try_into().unwrap();
        let Transform::CmSha1(cm) = Transform::with_session_keys(Profile::Aes128CmHmacSha1_80, &key, &[0; 20], &salt)
        else {
            panic!("another transform");
        };
        let mut stream = vec![0u8; 0xff02 * 16];
        cm.apply(0, 0, &mut stream);
        let (start, end) = (&stream[..48], &stream[0xfeff * 16..]);
        assert_eq!(
            start,
            hex("E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB41E95B3BB0A2E8DD477901E4FCA894C0")
        );
        assert_eq!(
            end,
            hex("EC8CDF7398607CB0F2D21675EA9EA1E4362B7C3C6773516318A077D7FC5073AE6A2CC3787889374FBEB4C81B17BA6C44")
        );
    }
}
