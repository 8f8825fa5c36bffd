//! Session keys from master keys: the AES-CM pseudo-random function of RFC 3711 §4.3. Knows no packets.

use super::{MasterKeys, Profile};
use aes::cipher::{BlockEncrypt, KeyInit};
use aes::{Aes128, Aes256};

/// What a derived key is for (RFC 3711 §4.3.1, §4.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Label {
    RtpKey = 0,
    RtpAuthentication = 1,
    RtpSalt = 2,
    RtcpKey = 3,
    RtcpAuthentication = 4,
    RtcpSalt = 5,
}

/// Fills `out` with the key of that label. The key derivation rate is 0 as DTLS-SRTP has it (RFC 5764 §4.1.2).
pub(super) fn derive(master: &MasterKeys, label: Label, out: &mut [u8]) {
    match master.profile {
        Profile::AeadAes256Gcm => expand(&Aes256::new(&master.key.into()), &master.salt, label, out),
        Profile::AeadAes128Gcm | Profile::Aes128CmHmacSha1_80 => {
            let key: [u8; 16] = std::array::from_fn(|i| master.key[i]);
            expand(&Aes128::new(&key.into()), &master.salt, label, out);
        }
    }
}

fn expand<C>(cipher: &C, salt: &[u8; 14], label: Label, out: &mut [u8])
where
    C: BlockEncrypt<BlockSize = aes::cipher::consts::U16>,
{
    for (counter, chunk) in (0u16..).zip(out.chunks_mut(16)) {
        let mut block = [0u8; 16];
        block[..14].copy_from_slice(salt);
        // The label stands 48 bits (the index over the rate, which is 0) above the salt's end.
        block[7] ^= label as u8;
        block[14..].copy_from_slice(&counter.to_be_bytes());
        let mut block = block.into();
        cipher.encrypt_block(&mut block);
        chunk.copy_from_slice(&block[..chunk.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::hex;
    use super::*;

    fn derived(master: &MasterKeys, label: Label, len: usize) -> Vec<u8> {
        let mut out = vec![0; len];
        derive(master, label, &mut out);
        out
    }

    #[test]
    fn derives_the_keys_of_rfc_3711_appendix_b_3() {
        let master = MasterKeys::new(
            Profile::Aes128CmHmacSha1_80,
            &hex("E1F97A0D3E018BE0D64FA32C06DE4139"),
            &hex("0EC675AD498AFEEBB6960B3AABE6"),
        )
        .unwrap();
        assert_eq!(derived(&master, Label::RtpKey, 16), hex("C61E7A93744F39EE10734AFE3FF7A087"));
        assert_eq!(derived(&master, Label::RtpSalt, 14), hex("30CBBC08863D8C85D49DB34A9AE1"));
        assert_eq!(
            derived(&master, Label::RtpAuthentication, 96),
            hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCE\
                 E049646C43D9327AD175578EF72270986371C10C9A369AC2F94A8C5FBCDDDC25\
                 6D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2DC68")
        );
    }

    /// RFC 6188 §7.2 gives AES-256 vectors with a 112-bit salt; AES-256-GCM cuts it to 96 bits, so
    /// the vector is run below the cut.
    #[test]
    fn derives_the_keys_of_rfc_6188_section_7_2() {
        let mut master = MasterKeys::new(
            Profile::AeadAes256Gcm,
            &hex("F0F04914B513F2763A1B1FA130F10E2998F6F6E43E4309D1E622A0E332B9F1B6"),
            &hex("3B04803DE51EE7C96423AB5B"),
        )
        .unwrap();
        master.salt[12..].copy_from_slice(&hex("78D2"));
        assert_eq!(
            derived(&master, Label::RtpKey, 32),
            hex("5BA1064E30EC51613CAD926C5A28EF731EC7FB397F70A960653CAF06554CD8C4")
        );
        assert_eq!(derived(&master, Label::RtpSalt, 14), hex("FA31791685CA444A9E07C6C64E93"));
        assert_eq!(derived(&master, Label::RtpAuthentication, 20), hex("FD9C32D39ED5FBB5A9DC96B30818454D1313DC05"));
    }
}
