//! RTP and RTCP as bytes: parse, rewrite, count. Pure; knows no sessions, sockets or keys.
