//! Recordings of the whole server as a process of its own, with Bots whose pictures and sounds are real: what a crash and
//! a full disk leave.

#[path = "../bots/mod.rs"]
mod bots;
mod call;
mod crash;
mod disk;
mod files;
mod program;
#[path = "../seat/mod.rs"]
mod seat;
