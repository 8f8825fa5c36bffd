//! Forwards packets among the tracks of one meeting. Knows no sockets, keys or people.

pub mod allocation;
pub mod slots;
pub mod track;
pub mod voices;
