//! Forwards packets among the tracks of one meeting. Knows no sockets, keys or people.
