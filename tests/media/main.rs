//! The media plane as a whole: Bots against a worker's core in virtual time, and once through real sockets.

#[path = "../bots/mod.rs"]
mod bots;

mod allocations;
mod attacks;
mod bounds;
mod bursts;
mod calls;
mod connections;
mod gates;
mod layers;
mod links;
mod recording;
mod scalable;
mod sockets;
mod thin;
mod traces;
mod workers;
