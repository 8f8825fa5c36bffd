//! Connections over loopback, with a peer that sends what it likes.

use super::*;
use crate::net::udp::SendBatch;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longer than any of these takes, and the longest that a failing test hangs.
const PATIENCE: Duration = Duration::from_secs(5);

struct Fixture {
    connections: Connections,
    now: Instant,
    heard: Vec<Vec<u8>>,
    closed: Vec<SocketAddr>,
    from: Vec<SocketAddr>,
}

impl Fixture {
    fn new() -> Self {
        let connections = Connections::new().unwrap();
        let now = crate::clock::now();
        Self { connections, now, heard: Vec::new(), closed: Vec::new(), from: Vec::new() }
    }

    /// A connection of which this was read already, and its peer.
    fn open(&mut self, read: &[u8], place: Arc<()>) -> TcpStream {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        peer.set_read_timeout(Some(PATIENCE)).unwrap();
        let stream = listener.accept().unwrap().0;
        self.connections.open(self.now, NewConnection::new(stream, read.to_vec(), place).unwrap()).unwrap();
        peer
    }

    fn hear(&mut self) {
        self.connections.poll_ready();
        let (all, closed, sources) = (&mut self.heard, &mut self.closed, &mut self.from);
        while self.connections.hear(|heard| match heard {
            Heard::Datagram { from, to, data } => {
                assert_eq!(to, Some(Ipv4Addr::LOCALHOST.into()));
                sources.push(from);
                all.push(data.to_vec());
            }
            Heard::Closed(address) => closed.push(address),
        }) {}
    }

    /// Hears until it is so.
    fn until(&mut self, done: impl Fn(&Self) -> bool) {
        let end = crate::clock::now() + PATIENCE;
        while !done(self) {
            assert!(crate::clock::now() < end, "{:?}, closed {:?}", self.heard, self.closed);
            self.hear();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn send(&mut self, datagrams: &[Vec<u8>], to: SocketAddr) -> usize {
        let mut batch = SendBatch::new();
        for data in datagrams {
            assert!(batch.push(data, to, None));
        }
        let dropped = self.connections.send(&mut batch);
        assert!(batch.is_empty() && batch.datagrams() == 0);
        dropped
    }
}

fn framed(datagrams: &[&[u8]]) -> Vec<u8> {
    datagrams.iter().flat_map(|data| [&(data.len() as u16).to_be_bytes()[..], data].concat()).collect()
}

/// Reads datagrams until the stream is silent.
fn datagrams_of(peer: &mut TcpStream) -> Vec<Vec<u8>> {
    peer.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
    while let Ok(read @ 1..) = peer.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..read]);
    }
    let (mut at, mut found) = (0, Vec::new());
    while let Some(range) = next(&bytes, at).unwrap() {
        at = range.end;
        found.push(bytes[range].to_vec());
    }
    assert_eq!(at, bytes.len(), "a datagram was cut");
    found
}

#[test]
fn what_was_read_before_halves_and_several_at_once_come_whole_and_in_order() {
    let mut f = Fixture::new();
    let first = framed(&[b"one", b"", b"two"]);
    let mut peer = f.open(&first[..7], Arc::default());
    f.hear();
    assert_eq!(f.heard, [b"one"]);
    peer.write_all(&first[7..9]).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    f.hear();
    assert_eq!(f.heard.len(), 1);
    peer.write_all(&[&first[9..], &framed(&[b"three", &[4; 2048]])[..]].concat()).unwrap();
    f.until(|f| f.heard.len() == 4);
    assert_eq!(f.heard[1..], [b"two".to_vec(), b"three".to_vec(), vec![4; 2048]]);
    assert!(f.from.iter().all(|from| is_tcp(*from) && from.port() == peer.local_addr().unwrap().port()));
}

#[test]
fn more_than_a_turn_comes_in_several() {
    let mut f = Fixture::new();
    let mut peer = f.open(&[], Arc::default());
    let sent: Vec<Vec<u8>> = (0..200).map(|number| vec![number as u8; 1 + number * 7]).collect();
    let bytes: Vec<u8> = sent.iter().flat_map(|data| framed(&[data])).collect();
    peer.write_all(&bytes).unwrap();
    f.until(|f| f.heard.len() == sent.len());
    assert_eq!(f.heard, sent);
}

#[test]
fn lengths_that_no_peer_sends_and_ends_close_the_connection_and_give_its_place_back() {
    for end in [&[0xff, 0xff][..], &[8, 1, 0], &[]] {
        let mut f = Fixture::new();
        let place = Arc::new(());
        let mut peer = f.open(&framed(&[b"hello"]), place.clone());
        f.hear();
        assert_eq!((f.heard.len(), Arc::strong_count(&place)), (1, 2));
        peer.write_all(end).unwrap();
        if end.is_empty() {
            peer.shutdown(std::net::Shutdown::Write).unwrap();
        }
        f.until(|f| !f.closed.is_empty());
        assert_eq!((&f.closed, Arc::strong_count(&place)), (&vec![f.from[0]], 1));
        assert!(f.connections.is_empty());
        assert_eq!(f.send(&[vec![1; 10]], f.from[0]), 1, "what nobody gets was dropped");
        assert_eq!(peer.read(&mut [0]).ok().filter(|read| *read > 0), None);
    }
}

#[test]
fn datagrams_for_a_connection_leave_there_and_the_rest_stays() {
    let mut f = Fixture::new();
    let mut peer = f.open(&framed(&[b"x"]), Arc::default());
    f.hear();
    let (tcp, udp) = (f.from[0], SocketAddr::from(([127, 0, 0, 1], 9)));
    let mut batch = SendBatch::new();
    for (data, to) in
        [(&[1; 5][..], udp), (&[2; 5], tcp), (&[3; 5], tcp), (&[4; 3], tcp), (&[5; 5], udp), (&[6; 9], tcp)]
    {
        assert!(batch.push(data, to, None));
    }
    assert_eq!(f.connections.send(&mut batch), 0);
    assert_eq!(batch.iter().map(|sent| (sent.to, sent.data[0])).collect::<Vec<_>>(), [(udp, 1), (udp, 5)]);
    assert_eq!(batch.datagrams(), 2);
    assert_eq!(datagrams_of(&mut peer), [vec![2; 5], vec![3; 5], vec![4; 3], vec![6; 9]]);
}

#[test]
fn a_peer_that_does_not_read_loses_whole_datagrams_and_stops_nobody() {
    let mut f = Fixture::new();
    let mut sloth = f.open(&framed(&[b"x"]), Arc::default());
    f.hear();
    let mut other = f.open(&framed(&[b"y"]), Arc::default());
    f.hear();
    let burst: Vec<Vec<u8>> = (0..40).map(|number| vec![number; 1200]).collect();
    let dropped: usize = (0..400).map(|_| f.send(&burst, f.from[0])).sum();
    assert!(dropped > 8_000, "more than the kernel keeps was dropped: {dropped}");
    assert_eq!(f.send(&burst, f.from[1]), 0);
    assert_eq!(datagrams_of(&mut other), burst);
    // What it gets when it reads again is whole: also the one of which the kernel had taken a part.
    let reader = std::thread::spawn(move || (datagrams_of(&mut sloth), sloth));
    while !reader.is_finished() {
        f.hear();
        std::thread::sleep(Duration::from_millis(1));
    }
    let (came, mut sloth) = reader.join().unwrap();
    assert_eq!(came.len() + dropped, 400 * 40);
    assert!(came.iter().all(|data| data.len() == 1200 && data.iter().all(|byte| *byte == data[0])));
    // And the way is open again.
    assert_eq!(f.send(&burst, f.from[0]), 0);
    assert_eq!(datagrams_of(&mut sloth), burst);
}

// acceptance: SEC7
#[test]
fn one_that_says_much_before_it_is_proved_is_closed() {
    let mut f = Fixture::new();
    let chatter: Vec<&[u8]> = vec![&[1; 1200]; 8];
    let mut peers = [(); 2].map(|()| {
        let peer = f.open(&framed(&[b"x"]), Arc::default());
        f.hear();
        peer
    });
    let (known, stranger) = (f.from[0], f.from[1]);
    for peer in &mut peers {
        peer.write_all(&framed(&chatter)).unwrap();
    }
    f.until(|f| f.heard.len() == 18);
    assert!(!f.connections.is_empty());
    f.connections.judge(|address| address == known);
    assert_eq!(f.send(&[vec![1; 10]], stranger), 1, "it is closed");
    assert_eq!(f.send(&[vec![1; 10]], known), 0);
    peers[0].write_all(&framed(&chatter)).unwrap();
    f.until(|f| f.heard.len() == 26);
    f.connections.judge(|_| false);
    assert_eq!(f.send(&[vec![1; 10]], known), 0, "it was proved, and the sweep looks after it");
}

// acceptance: SEC7
#[test]
fn those_that_no_session_knows_are_closed_when_their_time_is_over() {
    let mut f = Fixture::new();
    let places = [Arc::new(()), Arc::new(())];
    let peers = places.each_ref().map(|place| f.open(&framed(&[b"x"]), place.clone()));
    f.hear();
    let known = f.from[0];
    let counts = |places: &[Arc<()>; 2]| places.each_ref().map(|place| Arc::strong_count(place) - 1);
    f.connections.sweep(f.now, |_| false);
    assert_eq!(counts(&places), [1, 1], "a check is on its way");
    f.connections.sweep(f.now + PROVE_WITHIN, |address| address == known);
    assert_eq!(counts(&places).iter().sum::<usize>(), 1);
    f.connections.sweep(f.now + PROVE_WITHIN, |_| false);
    assert_eq!(counts(&places), [0, 0], "its session is over");
    drop(peers);
}
