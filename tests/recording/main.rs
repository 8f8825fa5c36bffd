//! Recordings of the whole server as a process of its own, with Bots whose pictures and sounds are real: what a crash, a
//! full disk and an object store that goes away leave.

#[path = "../bots/mod.rs"]
mod bots;
mod call;
mod crash;
mod disk;
mod files;
mod program;
#[path = "../seat/mod.rs"]
mod seat;
mod store;
