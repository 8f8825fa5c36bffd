//! RTMP's chunks (Adobe, "Real Time Messaging Protocol", December 2012, §5.3): messages put together, and taken apart.
//! Keeps of what a stranger sends no more than its bounds. Knows no command and no media.

use super::Malformed;
use bytes::{BufMut, Bytes, BytesMut};

/// Chunk streams that one peer may use; encoders use 4.
const MOST_STREAMS: usize = 16;
/// The longest head of a chunk: 3 of the stream, 11 of the message, 4 of a late timestamp.
const LONGEST_HEAD: usize = 18;
/// A timestamp that stands in four bytes of its own.
const EXTENDED: u32 = 0xff_ffff;
/// Before anybody says otherwise (§5.4.1).
pub const FIRST_SIZE: usize = 128;
/// Bytes of a chunk that we send.
pub const OUR_SIZE: usize = 4096;

/// What a message is (§5.4, §7.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The message type id.
    pub kind: u8,
    /// The message stream id.
    pub stream: u32,
    /// Milliseconds, of 2^32.
    pub time: u32,
    /// Whole.
    pub payload: Bytes,
}

/// One chunk stream as it comes in.
#[derive(Debug)]
struct Stream {
    id: u32,
    kind: u8,
    message_stream: u32,
    len: usize,
    time: u32,
    /// What a chunk without a time adds; absolute after one with a whole head.
    delta: u32,
    extended: bool,
    /// Of the message that is under way; as much as came.
    partial: BytesMut,
    under_way: bool,
}

/// Puts messages together. Holds at most one chunk's head and `bound` bytes of messages.
#[derive(Debug)]
pub struct Reader {
    streams: Vec<Stream>,
    size: usize,
    bound: usize,
    held: usize,
    head: [u8; LONGEST_HEAD],
    head_len: usize,
    /// The stream whose chunk comes, and how much of that is left.
    body: Option<(usize, usize)>,
}

impl Reader {
    /// For messages of at most `bound` bytes, all that are under way together.
    #[must_use]
    pub const fn new(bound: usize) -> Self {
        Self { streams: Vec::new(), size: FIRST_SIZE, bound, held: 0, head: [0; LONGEST_HEAD], head_len: 0, body: None }
    }

    /// Another bound.
    pub const fn set_bound(&mut self, bound: usize) {
        self.bound = bound;
    }

    /// The peer says how long its chunks are (§5.4.1).
    ///
    /// # Errors
    /// It says none, or sets the bit that must be 0.
    pub fn set_size(&mut self, size: u32) -> Result<(), Malformed> {
        if size == 0 || size > i32::MAX as u32 {
            return Err(Malformed::ChunkSize);
        }
        self.size = size as usize;
        Ok(())
    }

    /// The peer gives up the message that is under way on a chunk stream (§5.4.2).
    pub fn abort(&mut self, id: u32) {
        if let Some(stream) = self.streams.iter_mut().find(|stream| stream.id == id) {
            self.held -= stream.partial.len();
            stream.partial = BytesMut::new();
            stream.under_way = false;
        }
    }

    /// Takes bytes off the front until a message is whole or none are left.
    ///
    /// # Errors
    /// What cannot be read, or is more than the bounds allow. Nothing after it can be.
    pub fn handle_bytes(&mut self, bytes: &mut &[u8]) -> Result<Option<Message>, Malformed> {
        loop {
            let (index, left) = match self.body {
                Some(body) => body,
                None => match self.read_head(bytes)? {
                    Some(body) => body,
                    None => return Ok(None),
                },
            };
            let now = left.min(bytes.len());
            let (data, rest) = bytes.split_at(now);
            *bytes = rest;
            self.held += now;
            if self.held > self.bound {
                return Err(Malformed::TooLong);
            }
            let stream = &mut self.streams[index];
            stream.partial.put_slice(data);
            if now < left {
                self.body = Some((index, left - now));
                return Ok(None);
            }
            self.body = None;
            if stream.partial.len() == stream.len {
                stream.under_way = false;
                self.held -= stream.len;
                let payload = std::mem::take(&mut stream.partial).freeze();
                return Ok(Some(Message {
                    kind: stream.kind,
                    stream: stream.message_stream,
                    time: stream.time,
                    payload,
                }));
            }
        }
    }

    /// Reads on until the head of a chunk is whole: its stream, and how long its body is.
    fn read_head(&mut self, bytes: &mut &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
        loop {
            if let Some(len) = self.head_is(self.head_len)
                && len == self.head_len
            {
                self.head_len = 0;
                return self.begin(len).map(Some);
            }
            let Some((byte, rest)) = bytes.split_first() else { return Ok(None) };
            *bytes = rest;
            self.head[self.head_len] = *byte;
            self.head_len += 1;
        }
    }

    /// How long the head is, as far as its first `have` bytes tell.
    fn head_is(&self, have: usize) -> Option<usize> {
        let first = *self.head[..have].first()?;
        let basic = basic_len(first);
        if have < basic {
            return None;
        }
        let message = message_len(first);
        let extended = if message == 0 {
            self.streams.iter().find(|stream| stream.id == self.head_id()).is_some_and(|stream| stream.extended)
        } else if have < basic + 3 {
            return None;
        } else {
            number(&self.head[basic..basic + 3]) == EXTENDED
        };
        Some(basic + message + if extended { 4 } else { 0 })
    }

    fn head_id(&self) -> u32 {
        match self.head[0] & 0x3f {
            0 => 64 + u32::from(self.head[1]),
            1 => 64 + u32::from(self.head[1]) + 256 * u32::from(self.head[2]),
            id => id.into(),
        }
    }

    fn begin(&mut self, len: usize) -> Result<(usize, usize), Malformed> {
        let id = self.head_id();
        let basic = basic_len(self.head[0]);
        let message = message_len(self.head[0]);
        let fields = &self.head[basic..basic + message];
        let index = match self.streams.iter().position(|stream| stream.id == id) {
            Some(index) => index,
            // Only a whole head says all that the later ones leave out.
            None if message == 11 && self.streams.len() < MOST_STREAMS => {
                self.streams.push(Stream {
                    id,
                    kind: 0,
                    message_stream: 0,
                    len: 0,
                    time: 0,
                    delta: 0,
                    extended: false,
                    partial: BytesMut::new(),
                    under_way: false,
                });
                self.streams.len() - 1
            }
            None => return Err(Malformed::ChunkStream),
        };
        let stream = &mut self.streams[index];
        if stream.under_way && message != 0 {
            // A new message before the old one is whole: nobody sends this, and what it would mean is unclear.
            return Err(Malformed::ChunkStream);
        }
        if message > 0 {
            stream.extended = len > basic + message;
            stream.delta =
                if stream.extended { number(&self.head[basic + message..len]) } else { number(&fields[..3]) };
        }
        if message >= 7 {
            stream.len = number(&fields[3..6]) as usize;
            stream.kind = fields[6];
            if stream.len > self.bound {
                return Err(Malformed::TooLong);
            }
        }
        if message == 11 {
            // The one number of RTMP with its lowest byte first.
            stream.message_stream = u32::from_le_bytes([fields[7], fields[8], fields[9], fields[10]]);
        }
        if !stream.under_way {
            stream.time = if message == 11 { stream.delta } else { stream.time.wrapping_add(stream.delta) };
            stream.under_way = true;
        }
        Ok((index, (stream.len - stream.partial.len()).min(self.size)))
    }
}

fn basic_len(first: u8) -> usize {
    match first & 0x3f {
        0 => 2,
        1 => 3,
        _ => 1,
    }
}

fn message_len(first: u8) -> usize {
    [11, 7, 3, 0][usize::from(first >> 6)]
}

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// Writes a message in chunks of `size`, each with as whole a head as it may have.
///
/// # Panics
/// Never: ids of chunk streams are 2 to 63.
pub fn write(out: &mut Vec<u8>, id: u8, message: &Message, size: usize) {
    debug_assert!((2..64).contains(&id));
    out.push(id);
    let extended = message.time >= EXTENDED;
    out.extend_from_slice(&message.time.min(EXTENDED).to_be_bytes()[1..]);
    out.extend_from_slice(&(message.payload.len() as u32).to_be_bytes()[1..]);
    out.push(message.kind);
    out.extend_from_slice(&message.stream.to_le_bytes());
    for (place, part) in message.payload.chunks(size).enumerate() {
        if place > 0 {
            out.push(0xc0 | id);
        }
        if extended {
            out.extend_from_slice(&message.time.to_be_bytes());
        }
        out.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(kind: u8, time: u32, payload: &[u8]) -> Message {
        Message { kind, stream: 1, time, payload: Bytes::copy_from_slice(payload) }
    }

    fn read(reader: &mut Reader, mut bytes: &[u8]) -> Result<Vec<Message>, Malformed> {
        let mut found = Vec::new();
        while let Some(message) = reader.handle_bytes(&mut bytes)? {
            found.push(message);
        }
        Ok(found)
    }

    proptest! {
        #[test]
        fn what_is_taken_apart_is_put_together(
            messages in prop::collection::vec((2_u8..6, any::<u32>(), prop::collection::vec(any::<u8>(), 1..600)), 1..8),
            size in 1_usize..300,
            cut in 1_usize..50,
        ) {
            let mut bytes = Vec::new();
            let mut sent = Vec::new();
            for (id, time, payload) in messages {
                let message = message(9, time, &payload);
                write(&mut bytes, id, &message, size);
                sent.push(message);
            }
            let mut reader = Reader::new(1000);
            reader.set_size(size as u32).unwrap();
            let mut found = Vec::new();
            for piece in bytes.chunks(cut) {
                found.extend(read(&mut reader, piece).unwrap());
            }
            prop_assert_eq!(found, sent);
            prop_assert_eq!(reader.held, 0);
        }

        #[test]
        fn no_bytes_panic_and_none_are_held_beyond_the_bound(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let mut reader = Reader::new(500);
            let _ = read(&mut reader, &bytes);
            prop_assert!(reader.streams.iter().map(|stream| stream.partial.len()).sum::<usize>() <= 501);
        }
    }

    #[test]
    fn short_heads_say_what_changed() {
        let mut reader = Reader::new(1000);
        let whole = [4, 0, 0, 100, 0, 0, 2, 8, 1, 0, 0, 0, b'a', b'b'];
        let seven = [0x44, 0, 0, 20, 0, 0, 1, 9, b'c'];
        let three = [0x84, 0, 0, 5, b'd'];
        let none = [0xc4, b'e'];
        let found = read(&mut reader, &[&whole[..], &seven, &three, &none].concat()).unwrap();
        let told: Vec<_> = found.iter().map(|m| (m.kind, m.stream, m.time, m.payload.as_ref())).collect();
        assert_eq!(
            told,
            [(8, 1, 100, &b"ab"[..]), (9, 1, 120, &b"c"[..]), (9, 1, 125, &b"d"[..]), (9, 1, 130, &b"e"[..])]
        );
    }

    #[test]
    fn chunks_of_two_messages_alternate() {
        let mut reader = Reader::new(1000);
        reader.set_size(2).unwrap();
        let sound = [4, 0, 0, 1, 0, 0, 3, 8, 1, 0, 0, 0, 1, 2];
        let picture = [6, 0, 0, 1, 0, 0, 4, 9, 1, 0, 0, 0, 5, 6];
        let rest = [0xc4, 3, 0xc6, 7, 8];
        let found = read(&mut reader, &[&sound[..], &picture, &rest].concat()).unwrap();
        assert_eq!(found[0].payload.as_ref(), [1, 2, 3]);
        assert_eq!(found[1].payload.as_ref(), [5, 6, 7, 8]);
    }

    #[test]
    fn bounds_hold() {
        let too_long = [4, 0, 0, 0, 0, 3, 233, 8, 1, 0, 0, 0];
        assert_eq!(read(&mut Reader::new(1000), &too_long), Err(Malformed::TooLong));
        assert_eq!(read(&mut Reader::new(1000), &[0xc4]), Err(Malformed::ChunkStream), "nothing came before");
        let mut reader = Reader::new(1000);
        for id in 2..18 {
            assert_eq!(read(&mut reader, &[id, 0, 0, 0, 0, 0, 1, 8, 1, 0, 0, 0, 7]).unwrap().len(), 1);
        }
        assert_eq!(read(&mut reader, &[18, 0, 0, 0, 0, 0, 1, 8, 1, 0, 0, 0]), Err(Malformed::ChunkStream));
        // Partial messages of all streams together.
        let mut reader = Reader::new(100);
        let part = |id: u8| [&[id, 0, 0, 0, 0, 0, 90, 8, 1, 0, 0, 0][..], &[0; 60]].concat();
        assert_eq!(read(&mut reader, &part(3)), Ok(Vec::new()));
        reader.body = None;
        assert_eq!(read(&mut reader, &part(4)), Err(Malformed::TooLong));
    }

    #[test]
    fn what_is_given_up_is_forgotten() {
        let mut reader = Reader::new(1000);
        reader.set_size(2).unwrap();
        read(&mut reader, &[4, 0, 0, 1, 0, 0, 3, 8, 1, 0, 0, 0, 1, 2]).unwrap();
        reader.abort(4);
        reader.abort(99);
        let found = read(&mut reader, &[4, 0, 0, 9, 0, 0, 1, 8, 1, 0, 0, 0, 5]).unwrap();
        assert_eq!((found[0].time, found[0].payload.as_ref()), (9, &[5][..]));
        assert!(reader.set_size(0).is_err() && reader.set_size(1 << 31).is_err());
    }
}
