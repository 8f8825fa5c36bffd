//! One browser's peer connection: ICE, DTLS, SRTP, SDP. Knows no meetings, people or sockets.

pub mod plan;
pub mod sdp;
