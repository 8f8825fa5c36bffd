//! A connection that begins with a datagram (RFC 4571): it is read until it is known which media thread it is for. Knows no
//! sessions.

use super::Refused;
use crate::net::tcp::{NewConnection, PREFIX, next};
use crate::places::Place;
use crate::session::ice::MAX_REQUEST;
use crate::worker::Media;
use std::io;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// A connection whose first datagram names a media thread.
#[derive(Debug)]
pub(super) struct First {
    stream: TcpStream,
    read: Vec<u8>,
    worker: usize,
}

impl First {
    /// Reads until the first datagram is whole, and no further than a check may be long.
    pub(super) async fn read(mut stream: TcpStream, media: &Media) -> Result<Self, Option<Refused>> {
        let mut read = Vec::with_capacity(256);
        loop {
            match next(&read, 0) {
                Ok(Some(range)) => {
                    let named = read.get(range).and_then(|datagram| media.worker_named_by(datagram));
                    let worker = named.ok_or(Some(Refused::NotMedia))?;
                    return Ok(Self { stream, read, worker });
                }
                Ok(None) if read.len() < PREFIX + MAX_REQUEST => {}
                _ => return Err(Some(Refused::NotMedia)),
            }
            let room = PREFIX + MAX_REQUEST - read.len();
            let mut limited = (&mut stream).take(room as u64);
            if limited.read_buf(&mut read).await.map_err(|_| None)? == 0 {
                return Err(None);
            }
        }
    }

    /// Gives it to the media thread, with its place.
    pub(super) fn hand_over(self, media: &Media, place: Place) -> io::Result<()> {
        media.take_connection(self.worker, NewConnection::new(self.stream.into_std()?, self.read, place)?);
        Ok(())
    }
}
