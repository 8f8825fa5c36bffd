//! Tests of the listener over real sockets.

use super::*;
use axum::extract::ConnectInfo;
use axum::routing::get;
use axum::serve::ListenerExt as _;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

fn bounds() -> Bounds {
    Bounds {
        sockets: 100,
        sockets_per_address: 10,
        exempt: Vec::new(),
        request: Duration::from_secs(5),
        idle: Duration::from_secs(5),
    }
}

fn serve(tls: Option<Arc<rustls::ServerConfig>>, bounds: Bounds) -> SocketAddr {
    let port = bind(LOOPBACK).unwrap();
    let address = port.address();
    let app = axum::Router::new()
        .route("/", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| format!("hello {}", peer.ip())))
        .route("/slow", get(async || sleep(Duration::from_millis(300)).await));
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let listener = port.listen(tls, bounds, None).tap_io(|_| {});
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

const GET_SLOW: &[u8] = b"GET /slow HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

async fn exchange(mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin, request: &[u8]) -> String {
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

/// Waits until the other side closes.
async fn closed(stream: &mut TcpStream) -> bool {
    let mut byte = [0];
    matches!(tokio::time::timeout(Duration::from_secs(5), stream.read(&mut byte)).await, Ok(Ok(0) | Err(_)))
}

#[tokio::test]
async fn a_second_listener_on_the_port_is_told_so() {
    let first = bind(LOOPBACK).unwrap();
    let error = bind(first.address()).unwrap_err();
    assert!(matches!(error, ListenError::InUse(_)));
    let text = error.to_string();
    assert!(text.contains(&first.address().port().to_string()) && text.contains("--listen"), "{text}");
    let everywhere = SocketAddr::from(([0, 0, 0, 0], first.address().port()));
    assert!(matches!(bind(everywhere), Err(ListenError::InUse(_))), "nor on all addresses");
}

#[tokio::test]
async fn an_address_of_another_machine_is_named() {
    let error = bind("192.0.2.1:0".parse().unwrap()).unwrap_err();
    assert!(matches!(error, ListenError::NoSuchAddress(_)), "{error}");
}

#[tokio::test]
async fn plain_http_is_served_and_handlers_see_who_calls() {
    let address = serve(None, bounds());
    let answer = exchange(TcpStream::connect(address).await.unwrap(), GET).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello 127.0.0.1"), "{answer}");
}

#[tokio::test]
async fn https_is_served_and_plain_http_told_to_use_it() {
    let folder = tempfile::tempdir().unwrap();
    let certificates = Certificates::self_signed(folder.path(), &["localhost".to_owned()], &[]).unwrap();
    let address = serve(Some(certificates.config), bounds());
    let mut roots = rustls::RootCertStore::empty();
    let pem = std::fs::read(folder.path().join("self-signed.pem")).unwrap();
    roots.add(rustls::pki_types::CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
    let client = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(client)).connect(name, stream).await.unwrap();
    let answer = exchange(stream, GET).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let answer = exchange(TcpStream::connect(address).await.unwrap(), GET).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("https://"), "{answer}");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}", body.len())), "{answer}");
}

#[tokio::test]
async fn what_is_no_http_is_closed_at_once() {
    let address = serve(None, bounds());
    for first in [0x00, 0x16, b'g', 0xff] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&[first, 1, 2, 3]).await.unwrap();
        assert!(closed(&mut stream).await, "{first}");
    }
}

// acceptance: SEC7
#[tokio::test]
async fn those_who_dribble_their_first_request_or_say_nothing_are_closed() {
    let address = serve(None, Bounds { request: Duration::from_millis(200), ..bounds() });
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut dribbling = TcpStream::connect(address).await.unwrap();
    dribbling.write_all(b"GET / HTTP/1.1\r\nhost: loc").await.unwrap();
    assert!(closed(&mut silent).await && closed(&mut dribbling).await);
    // A request that came in time may take longer than that to answer.
    let slow = exchange(TcpStream::connect(address).await.unwrap(), GET_SLOW).await;
    assert!(slow.starts_with("HTTP/1.1 200"), "{slow}");
}

// acceptance: SEC7
#[tokio::test]
async fn a_connection_on_which_nothing_happens_any_more_is_closed() {
    let address =
        serve(None, Bounds { idle: Duration::from_millis(100), request: Duration::from_millis(200), ..bounds() });
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = [0; 15];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the idle connection stayed open");
}

// acceptance: SEC7
#[tokio::test]
async fn idle_sockets_of_one_address_leave_room_for_others() {
    let exempt = vec!["127.0.0.2".parse().unwrap()];
    let address = serve(None, Bounds { exempt, ..bounds() });
    let mut idle = Vec::new();
    for _ in 0..10 {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    let mut eleventh = TcpStream::connect(address).await.unwrap();
    assert!(closed(&mut eleventh).await);
    let other = TcpSocket::new_v4().unwrap();
    other.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let answer = exchange(other.connect(address).await.unwrap(), GET).await;
    assert!(answer.ends_with("hello 127.0.0.2"), "{answer}");
    drop(idle);
}
