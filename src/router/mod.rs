//! Forwards packets among the tracks of one meeting. Knows no sockets, keys or people.

pub mod allocation;
pub mod pace;
pub mod slots;
pub mod subscribers;
pub mod track;
pub mod voices;
