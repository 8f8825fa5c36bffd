//! Real sockets over loopback.

use super::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::mpsc;
use std::time::Duration;

/// Longer than any of these takes, and the longest that a failing test hangs.
const PATIENCE: Duration = Duration::from_secs(5);

fn localhost() -> IpAddr {
    Ipv4Addr::LOCALHOST.into()
}

fn bound(ip: impl Into<IpAddr>) -> Socket {
    Socket::bind(SocketAddr::new(ip.into(), 0), false).unwrap()
}

fn port(socket: &Socket) -> u16 {
    socket.local_address().unwrap().port()
}

/// A plain socket of the standard library as peer.
fn peer(ip: impl Into<IpAddr>) -> UdpSocket {
    let socket = UdpSocket::bind(SocketAddr::new(ip.into(), 0)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

fn read(peer: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = [0; 2000];
    let (len, from) = peer.recv_from(&mut buffer).unwrap();
    (buffer[..len].to_vec(), from)
}

fn has_ipv6() -> bool {
    UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

/// What a datagram of these tests holds: its number, then a pattern.
fn datagram(number: usize, len: usize) -> Vec<u8> {
    (0..len).map(|i| if i == 0 { number as u8 } else { (number * 7 + i) as u8 }).collect()
}

/// A datagram that has come.
struct Arrived {
    from: SocketAddr,
    to: Option<IpAddr>,
    data: Vec<u8>,
    place: (usize, usize),
}

/// Receives until so many datagrams have come.
fn receive(socket: &mut Socket, count: usize) -> Vec<Arrived> {
    let mut batch = ReceiveBatch::new();
    let mut received = Vec::new();
    while received.len() < count {
        assert!(socket.wait(None, Some(PATIENCE)).unwrap().readable, "{} of {count} came", received.len());
        socket.receive_batch(&mut batch).unwrap();
        assert_eq!(batch.iter_mut().count(), batch.datagrams());
        received.extend(batch.iter_mut().map(|r| {
            assert!(r.at.is_some());
            Arrived { from: r.from, to: r.to, data: r.data.to_vec(), place: (r.position, r.burst) }
        }));
    }
    received
}

#[test]
fn bursts_arrive_in_order_and_whole_at_a_plain_receiver() {
    let mut socket = bound(localhost());
    let peers: Vec<UdpSocket> = (0..3).map(|_| peer(localhost())).collect();
    let mut batch = SendBatch::new();
    for peer in &peers {
        for number in 0..20 {
            assert!(batch.push(&datagram(number, 1000), peer.local_addr().unwrap(), None));
        }
        assert!(batch.push(&datagram(20, 333), peer.local_addr().unwrap(), Some(localhost())));
        assert!(batch.push(&datagram(21, 333), peer.local_addr().unwrap(), None));
    }
    let report = socket.send_batch(&mut batch);
    assert_eq!((report.datagrams, report.dropped.total()), (66, 0));
    assert!(batch.is_empty());
    for peer in &peers {
        for number in 0..22 {
            let len = if number < 20 { 1000 } else { 333 };
            assert_eq!(read(peer).0, datagram(number, len));
        }
    }
    if socket.has_gso() {
        assert_eq!(report.sends, 9);
        assert_eq!((socket.burst_lengths()[20], socket.burst_lengths()[1]), (3, 6));
    }
}

#[test]
fn unequal_datagrams_leave_apart_and_arrive_as_they_are() {
    let mut socket = bound(localhost());
    let peer = peer(localhost());
    let lengths = [100, 200, 200, 150, 150, 1, 1200, 1200, 1199, 1200];
    let mut batch = SendBatch::new();
    for (number, len) in lengths.into_iter().enumerate() {
        let room = batch.reserve(len + 16).unwrap();
        room[..len].copy_from_slice(&datagram(number, len));
        batch.commit(len, peer.local_addr().unwrap(), None);
    }
    let sends = batch.sends();
    let report = socket.send_batch(&mut batch);
    assert_eq!((report.datagrams, sends), (10, 5));
    for (number, len) in lengths.into_iter().enumerate() {
        assert_eq!(read(&peer).0, datagram(number, len));
    }
}

#[test]
fn what_the_kernel_joined_is_received_split() {
    let mut sender = bound(localhost());
    let mut receiver = bound(localhost());
    let to = receiver.local_address().unwrap();
    let mut batch = SendBatch::new();
    for number in 0..64 {
        assert!(batch.push(&datagram(number, 1000), to, None));
    }
    for number in 64..70 {
        assert!(batch.push(&datagram(number, 500), to, None));
    }
    assert!(batch.push(&datagram(70, 77), to, None));
    assert_eq!(sender.send_batch(&mut batch).datagrams, 71);
    let received = receive(&mut receiver, 71);
    assert_eq!(received.len(), 71);
    for (number, arrived) in received.iter().enumerate() {
        let len = if number < 64 {
            1000
        } else if number < 70 {
            500
        } else {
            77
        };
        assert_eq!((arrived.from, arrived.to), (sender.local_address().unwrap(), Some(localhost())));
        assert_eq!(arrived.data, datagram(number, len));
        assert!(arrived.place.0 < arrived.place.1);
    }
    if sender.has_gso() {
        let places: Vec<_> = received.iter().map(|arrived| arrived.place).collect();
        assert_eq!((places[0], places[63], places[64], places[70]), ((0, 64), (63, 64), (0, 7), (6, 7)));
    }
}

#[test]
fn without_gso_the_same_datagrams_arrive() {
    let mut socket = bound(localhost());
    socket.refuse_gso();
    let peer = peer(localhost());
    let mut batch = SendBatch::new();
    for number in 0..30 {
        assert!(batch.push(&datagram(number, 900), peer.local_addr().unwrap(), None));
    }
    let report = socket.send_batch(&mut batch);
    assert_eq!((report.datagrams, report.sends), (30, 30));
    for number in 0..30 {
        assert_eq!(read(&peer).0, datagram(number, 900));
    }
}

#[test]
fn an_ipv4_peer_of_a_dual_stack_socket_has_an_ipv4_address() {
    let mut socket = bound(Ipv6Addr::UNSPECIFIED);
    assert_eq!(socket.is_ipv6(), has_ipv6());
    let port = port(&socket);
    // 127.0.0.2 and ::1 are this machine too: the answer must leave from where the question went to.
    let mut ways = vec![(localhost(), IpAddr::from([127, 0, 0, 2]))];
    if has_ipv6() {
        ways.push((Ipv6Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()));
    }
    for (ours, theirs) in ways {
        let peer = peer(ours);
        peer.send_to(b"question", (theirs, port)).unwrap();
        let Arrived { from, to, data, .. } = receive(&mut socket, 1).remove(0);
        assert_eq!((from, to, &data[..]), (peer.local_addr().unwrap(), Some(theirs), &b"question"[..]));
        let mut batch = SendBatch::new();
        for number in 0..3 {
            assert!(batch.push(&datagram(number, 100), from, to));
        }
        assert_eq!(socket.send_batch(&mut batch).datagrams, 3);
        for number in 0..3 {
            assert_eq!(read(&peer), (datagram(number, 100), SocketAddr::new(theirs, port)));
        }
    }
}

#[test]
fn sockets_share_a_port_only_where_asked_for() {
    let first = Socket::bind(SocketAddr::new(localhost(), 0), true).unwrap();
    let address = first.local_address().unwrap();
    assert!(Socket::bind(address, true).is_ok());
    assert_eq!(Socket::bind(address, false).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
}

#[test]
fn a_message_that_cannot_be_sent_does_not_stop_the_others() {
    let mut socket = bound(localhost());
    let peer = peer(localhost());
    let to = peer.local_addr().unwrap();
    let mut batch = SendBatch::new();
    assert!(batch.push(b"first", to, None));
    // One for IPv6 on a socket of IPv4, and one from an address that is not ours.
    assert!(batch.push(b"lost", "[::1]:9".parse().unwrap(), None));
    assert!(batch.push(b"lost", to, Some([198, 51, 100, 1].into())));
    assert!(batch.push(b"last", to, None));
    let report = socket.send_batch(&mut batch);
    assert_eq!((report.datagrams, report.dropped.total()), (2, 2));
    assert!(report.dropped.unreachable >= 1);
    assert_eq!((read(&peer).0, read(&peer).0), (b"first".to_vec(), b"last".to_vec()));
}

#[test]
fn a_waker_ends_a_wait_once_from_any_thread() {
    let socket = bound(localhost());
    assert_eq!(socket.wait(None, Some(Duration::ZERO)).unwrap(), Readiness::default());
    let waker = socket.waker();
    let (asked, ask) = mpsc::channel();
    let (queue, queued) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        for number in 0..1000 {
            queue.send(number).unwrap();
            waker.wake();
            if number % 10 == 0 {
                ask.recv_timeout(PATIENCE).unwrap();
            }
        }
    });
    let mut next = 0;
    while next < 1000 {
        assert!(socket.wait(None, Some(PATIENCE)).unwrap().woken, "a call was lost after {next}");
        while let Ok(number) = queued.try_recv() {
            assert_eq!(number, next);
            next += 1;
            if number % 10 == 0 {
                asked.send(()).unwrap();
            }
        }
    }
    thread.join().unwrap();
    socket.wait(None, Some(Duration::ZERO)).unwrap();
    assert_eq!(socket.wait(None, Some(Duration::from_millis(1))).unwrap(), Readiness::default());
}

#[test]
fn nothing_waits_for_a_receiver_that_does_not_read() {
    let (done, finished) = mpsc::channel();
    std::thread::spawn(move || {
        let mut socket = bound(localhost());
        let receiver = bound(localhost());
        let to = receiver.local_address().unwrap();
        let mut batch = SendBatch::new();
        let mut all = 0;
        for _ in 0..40 {
            while !batch.is_full() {
                assert!(batch.push(&[1; 1200], to, None));
            }
            all += batch.datagrams();
            let report = socket.send_batch(&mut batch);
            all -= report.datagrams + report.dropped.total();
        }
        assert_eq!(all, 0);
        let empty = socket.receive_batch(&mut ReceiveBatch::new());
        done.send(empty.is_ok()).unwrap();
    });
    assert_eq!(finished.recv_timeout(PATIENCE), Ok(true));
}

#[test]
fn empty_datagrams_are_left_out() {
    let mut socket = bound(localhost());
    let peer = peer(localhost());
    let to = socket.local_address().unwrap();
    peer.send_to(&[], to).unwrap();
    peer.send_to(b"x", to).unwrap();
    let received = receive(&mut socket, 1);
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].data, b"x");
}

/// A transport-wide feedback packet, a receiver report and a media packet as they begin on the wire.
const FEEDBACK: [u8; 12] = [0x8f, 205, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2];
const PADDED_FEEDBACK: [u8; 12] = [0xaf, 205, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2];
const NACK: [u8; 12] = [0x81, 205, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2];
const MEDIA: [u8; 12] = [0x80, 111, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2];
const ONE_BYTE: [u8; 1] = [0x8f];

#[test]
fn feedback_is_kept_apart_and_a_peers_datagrams_all_come_to_one_worker() {
    let ips = [Some(localhost()), has_ipv6().then_some(Ipv6Addr::LOCALHOST.into())];
    for workers in [1, 3] {
        let any = if has_ipv6() { IpAddr::from(Ipv6Addr::UNSPECIFIED) } else { Ipv4Addr::UNSPECIFIED.into() };
        let mut sockets = Socket::bind_group(SocketAddr::new(any, 0), workers).unwrap();
        assert_eq!(sockets.len(), workers);
        assert!(sockets.iter().all(Socket::keeps_feedback), "this kernel has programs that steer");
        let port = port(&sockets[0]);
        for ip in ips.into_iter().flatten().cycle().take(20) {
            let peer = peer(ip);
            for data in [&MEDIA[..], &FEEDBACK, &NACK, &PADDED_FEEDBACK] {
                peer.send_to(data, (ip, port)).unwrap();
            }
            let mut batch = ReceiveBatch::new();
            let mut of = |socket: &mut Socket, feedback: bool| -> Vec<Vec<u8>> {
                let taken =
                    if feedback { socket.receive_feedback(&mut batch) } else { socket.receive_batch(&mut batch) };
                taken.unwrap();
                batch.iter_mut().map(|datagram| datagram.data.to_vec()).collect()
            };
            let came: Vec<_> = sockets.iter_mut().map(|socket| (of(socket, false), of(socket, true))).collect();
            let mut busy = came.into_iter().filter(|(main, feedback)| !main.is_empty() || !feedback.is_empty());
            let (main, feedback) = busy.next().expect("loopback delivers before the send returns");
            assert_eq!(
                (main, feedback),
                (vec![MEDIA.to_vec(), NACK.to_vec()], vec![FEEDBACK.to_vec(), PADDED_FEEDBACK.to_vec()])
            );
            assert!(busy.next().is_none(), "only one worker is this peer's");
        }
        peer(localhost()).send_to(&ONE_BYTE, (localhost(), port)).unwrap();
        let mut batch = ReceiveBatch::new();
        let came = sockets.iter_mut().map(|socket| {
            socket.receive_batch(&mut batch).unwrap();
            batch.datagrams()
        });
        assert_eq!(came.sum::<usize>(), 1, "what is too short to be judged is nobody's feedback");
    }
}

#[test]
fn feedback_ends_no_wait() {
    let mut sockets = Socket::bind_group(SocketAddr::new(localhost(), 0), 1).unwrap();
    let (peer, port) = (peer(localhost()), port(&sockets[0]));
    peer.send_to(&FEEDBACK, (localhost(), port)).unwrap();
    assert_eq!(sockets[0].wait(None, Some(Duration::from_millis(1))).unwrap(), Readiness::default());
    peer.send_to(&MEDIA, (localhost(), port)).unwrap();
    assert!(sockets[0].wait(None, Some(PATIENCE)).unwrap().readable);
    let mut batch = ReceiveBatch::new();
    sockets[0].receive_feedback(&mut batch).unwrap();
    assert_eq!(batch.datagrams(), 1);
}
