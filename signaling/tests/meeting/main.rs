//! The meeting from outside: what people do, and what everybody is told and forwarded.

mod admission;
mod bounds;
mod chat;
mod connection;
mod life;
mod media;
mod moderation;
mod permissions;
mod property;
mod recording;
mod restart;
mod roles;
mod world;
