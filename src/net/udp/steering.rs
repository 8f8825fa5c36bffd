//! Which socket of a port a datagram goes to: a program of a few instructions in the kernel. Transport-wide feedback
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1), most of what subscribers send, goes to a socket of its own, which
//! nobody sleeps at: it comes alone, wakes a core for a few microseconds' work, and a few milliseconds do not matter
//! to it. Knows no sessions: it reads what is in clear, the first two bytes of SRTCP (RFC 3711 §3.4).

use libc::{
    BPF_ABS, BPF_ALU, BPF_AND, BPF_B, BPF_H, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_MEM, BPF_MOD, BPF_RET, BPF_RSH,
    BPF_ST, BPF_X, sock_filter, sock_fprog,
};
use std::io;
use std::mem::size_of;
use std::os::fd::RawFd;

/// Version 2 and format 15 of a feedback packet, without the padding bit.
const FEEDBACK_FORMAT: u32 = 0x8f;
const WITHOUT_PADDING_BIT: u32 = 0xdf;

/// RTPFB (RFC 4585 §6.1).
const TRANSPORT_FEEDBACK: u32 = 205;

/// Where the kernel shows the network header (linux/filter.h).
const NETWORK: u32 = -0x10_0000_i32 as u32;

/// Where the UDP header begins with its source port, behind an IPv4 header without options and an IPv6 header
/// without extensions. Behind others stands something else that is constant for a peer, which will do.
const PORT_V4: u32 = 20;
const PORT_V6: u32 = 40;

const fn instruction(code: u32, k: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

/// Goes on after so many instructions more where A is `k`, or where it is not.
const fn unless_equal(k: u32, skip: u8) -> sock_filter {
    sock_filter { code: (BPF_JMP | BPF_JEQ | BPF_K) as u16, jt: 0, jf: skip, k }
}

/// For sockets bound in this order: one for each worker, then one for each worker's feedback. A peer's datagrams
/// all go to one worker, chosen by its port.
fn program(workers: u32) -> Vec<sock_filter> {
    vec![
        // The first of the workers' sockets, or of those for feedback.
        instruction(BPF_LD | BPF_B | BPF_ABS, 0),
        instruction(BPF_ALU | BPF_AND | BPF_K, WITHOUT_PADDING_BIT),
        unless_equal(FEEDBACK_FORMAT, 4),
        instruction(BPF_LD | BPF_B | BPF_ABS, 1),
        unless_equal(TRANSPORT_FEEDBACK, 2),
        instruction(BPF_LD | libc::BPF_IMM, workers),
        instruction(BPF_JMP | libc::BPF_JA, 1),
        instruction(BPF_LD | libc::BPF_IMM, 0),
        instruction(BPF_ST, 0),
        // Which of them.
        instruction(BPF_LD | BPF_B | BPF_ABS, NETWORK),
        instruction(BPF_ALU | BPF_RSH | BPF_K, 4),
        unless_equal(6, 2),
        instruction(BPF_LD | BPF_H | BPF_ABS, NETWORK.wrapping_add(PORT_V6)),
        instruction(BPF_JMP | libc::BPF_JA, 1),
        instruction(BPF_LD | BPF_H | BPF_ABS, NETWORK.wrapping_add(PORT_V4)),
        instruction(BPF_ALU | BPF_MOD | BPF_K, workers),
        instruction(libc::BPF_LDX | BPF_MEM, 0),
        instruction(BPF_ALU | libc::BPF_ADD | BPF_X, 0),
        instruction(BPF_RET | libc::BPF_A, 0),
    ]
}

/// Steers what comes to the port of this socket, one of a group that shares it.
///
/// # Errors
/// The kernel's: it has no such programs, or may not run them.
#[expect(unsafe_code, reason = "neither the standard library nor socket2 offers this option")]
pub(super) fn attach(socket: RawFd, workers: usize) -> io::Result<()> {
    let mut filters = program(u32::try_from(workers).map_err(io::Error::other)?);
    let program = sock_fprog { len: filters.len() as u16, filter: filters.as_mut_ptr() };
    let size = size_of::<sock_fprog>() as libc::socklen_t;
    // SAFETY: the kernel reads the struct and as many filters as it says, all of which live on, and keeps a copy.
    let result = unsafe {
        libc::setsockopt(socket, libc::SOL_SOCKET, libc::SO_ATTACH_REUSEPORT_CBPF, (&raw const program).cast(), size)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
