//! The sendmmsg call and the arrays it reads. Knows no errors' meaning: [`super::outcome`] does.

use super::send::{Burst, MAX_BURSTS};
use libc::{cmsghdr, in_addr, in_pktinfo, in6_addr, in6_pktinfo, iovec, mmsghdr, sockaddr_in, sockaddr_in6};
use std::io;
use std::mem::{size_of, zeroed};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::fd::RawFd;
use std::ptr;

/// Room for the control messages of one message: a segment size and a source address.
const CONTROL: usize = 64;

/// Which addresses a socket speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    /// Of IPv6, and dual-stack: IPv4 addresses are mapped.
    V6,
}

/// A socket address in the kernel's form.
#[derive(Clone, Copy)]
#[repr(C)]
union Name {
    v4: sockaddr_in,
    v6: sockaddr_in6,
}

#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL]);

/// What sendmmsg reads, allocated once. The pointers in `headers` and `vectors` mean something only
/// during [`Transmitter::send`], which writes all that the kernel is shown.
pub(super) struct Transmitter {
    headers: Vec<mmsghdr>,
    vectors: Vec<iovec>,
    names: Vec<Name>,
    controls: Vec<Control>,
}

// SAFETY: the raw pointers are written anew by each `send` before they are read, and between two
// calls nothing reads them; so the thread that calls need not be the one that called before.
#[expect(unsafe_code, reason = "a socket is made on one thread and used on another")]
unsafe impl Send for Transmitter {}

impl Transmitter {
    #[expect(unsafe_code, reason = "the kernel's structs have no constructors")]
    pub(super) fn new() -> Self {
        // SAFETY: these are integers and pointers, for which zeros are values.
        let (header, vector, name) = unsafe { (zeroed::<mmsghdr>(), zeroed::<iovec>(), zeroed::<Name>()) };
        Self {
            headers: vec![header; MAX_BURSTS],
            vectors: vec![vector; MAX_BURSTS],
            names: vec![name; MAX_BURSTS],
            controls: vec![Control([0; CONTROL]); MAX_BURSTS],
        }
    }

    /// Sends messages from the arena; those of several datagrams by GSO. Says how many the kernel
    /// took, or the error of the first.
    #[expect(unsafe_code, reason = "the standard library has no sendmmsg")]
    pub(super) fn send(
        &mut self,
        socket: RawFd,
        family: Family,
        messages: &[Burst],
        arena: &[u8],
    ) -> Result<usize, i32> {
        let slots = self.headers.iter_mut().zip(&mut self.vectors).zip(self.names.iter_mut().zip(&mut self.controls));
        let mut count = 0;
        for (message, ((header, vector), (name, control))) in messages.iter().zip(slots) {
            let Some(bytes) = arena.get(message.start..message.start + message.len) else {
                break;
            };
            vector.iov_base = bytes.as_ptr().cast_mut().cast();
            vector.iov_len = bytes.len();
            let header = &mut header.msg_hdr;
            header.msg_namelen = write_name(name, message.to, family);
            header.msg_name = ptr::from_mut(name).cast();
            header.msg_iov = vector;
            header.msg_iovlen = 1;
            header.msg_controllen = write_control(control, message) as _;
            header.msg_control =
                if header.msg_controllen == 0 { ptr::null_mut() } else { control.0.as_mut_ptr().cast() };
            count += 1;
        }
        if count == 0 {
            return Err(libc::EINVAL);
        }
        // SAFETY: the first `count` headers were just written: their pointers lead to a name, a
        // vector and control messages in arrays of `self`, and from the vector to bytes of `arena`,
        // all with their lengths and all alive during the call. The kernel writes `msg_len` only.
        let sent = unsafe { libc::sendmmsg(socket, self.headers.as_mut_ptr(), count, libc::MSG_DONTWAIT) };
        usize::try_from(sent).map_err(|_| io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL))
    }
}

/// Writes a socket address and gives its length.
fn write_name(name: &mut Name, to: SocketAddr, family: Family) -> libc::socklen_t {
    let port = to.port().to_be();
    let v6 = |ip: Ipv6Addr, scope| sockaddr_in6 {
        sin6_family: libc::AF_INET6 as libc::sa_family_t,
        sin6_port: port,
        sin6_flowinfo: 0,
        sin6_addr: in6_addr { s6_addr: ip.octets() },
        sin6_scope_id: scope,
    };
    match (to, family) {
        (SocketAddr::V4(to), Family::V4) => {
            name.v4 = sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: port,
                sin_addr: in_addr { s_addr: u32::from_ne_bytes(to.ip().octets()) },
                sin_zero: [0; 8],
            };
            return size_of::<sockaddr_in>() as libc::socklen_t;
        }
        (SocketAddr::V4(to), Family::V6) => name.v6 = v6(to.ip().to_ipv6_mapped(), 0),
        // On a socket of IPv4 the kernel refuses it as what it is.
        (SocketAddr::V6(to), _) => name.v6 = v6(*to.ip(), to.scope_id()),
    }
    size_of::<sockaddr_in6>() as libc::socklen_t
}

/// Writes the control messages of a message and gives their length.
fn write_control(control: &mut Control, message: &Burst) -> usize {
    let mut end = 0;
    if message.datagrams > 1 {
        let size = u16::try_from(message.segment).unwrap_or(u16::MAX);
        end = append(control, end, libc::SOL_UDP, libc::UDP_SEGMENT, size);
    }
    match message.from {
        Some(IpAddr::V4(ip)) => {
            let source = in_addr { s_addr: u32::from_ne_bytes(ip.octets()) };
            let info = in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: source, ipi_addr: in_addr { s_addr: 0 } };
            append(control, end, libc::IPPROTO_IP, libc::IP_PKTINFO, info)
        }
        Some(IpAddr::V6(ip)) => {
            let info = in6_pktinfo { ipi6_addr: in6_addr { s6_addr: ip.octets() }, ipi6_ifindex: 0 };
            append(control, end, libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info)
        }
        None => end,
    }
}

/// Appends a control message at `end` and gives the new end.
#[expect(unsafe_code, reason = "control messages have no safe form")]
fn append<T: Copy>(control: &mut Control, end: usize, level: libc::c_int, kind: libc::c_int, value: T) -> usize {
    let size = size_of::<T>() as libc::c_uint;
    // SAFETY: these two only compute with their arguments.
    let (len, space) = unsafe { (libc::CMSG_LEN(size) as usize, libc::CMSG_SPACE(size) as usize) };
    assert!(end + space <= CONTROL && end.is_multiple_of(align_of::<cmsghdr>()), "two control messages fit");
    let mut header = cmsghdr { cmsg_len: 0, cmsg_level: level, cmsg_type: kind };
    header.cmsg_len = len as _;
    // SAFETY: `end + space` is within the array, which is aligned for a header at `end`; the value
    // comes `len − size` bytes after the header's begin, which is what CMSG_DATA says, and is written unaligned.
    unsafe {
        let at = control.0.as_mut_ptr().add(end);
        at.cast::<cmsghdr>().write(header);
        at.add(len - size_of::<T>()).cast::<T>().write_unaligned(value);
    }
    end + space
}
