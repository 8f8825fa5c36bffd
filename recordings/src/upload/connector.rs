//! HTTP for the object store's client, by hyper and rustls with ring as the server has them: the client's own choice
//! would bring a second library of each. Knows no S3.

use async_trait::async_trait;
use http_body_util::BodyExt;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector as Tcp;
use hyper_util::rt::TokioExecutor;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse, HttpResponseBody,
    HttpService,
};
use std::io;
use std::time::Duration;

/// How long it may take to reach the store.
const CONNECT: Duration = Duration::from_secs(10);
/// How long it may take to send a piece, and until it is answered.
const ANSWER: Duration = Duration::from_secs(120);

/// Makes clients.
#[derive(Debug)]
pub(super) struct Connector {
    client: Client<HttpsConnector<Tcp>, HttpRequestBody>,
}

impl Connector {
    /// With the certificates that the system trusts; `plain` where no TLS is wanted.
    pub(super) fn new(plain: bool) -> io::Result<Self> {
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(CONNECT));
        tcp.set_nodelay(true);
        let provider = rustls::crypto::ring::default_provider();
        let builder = HttpsConnectorBuilder::new();
        let https = if plain {
            let roots = rustls::RootCertStore::empty();
            let config = rustls::ClientConfig::builder_with_provider(provider.into())
                .with_safe_default_protocol_versions()
                .map_err(io::Error::other)?
                .with_root_certificates(roots)
                .with_no_client_auth();
            builder.with_tls_config(config).https_or_http().enable_http1().wrap_connector(tcp)
        } else {
            builder.with_provider_and_native_roots(provider)?.https_only().enable_http1().wrap_connector(tcp)
        };
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(https) })
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Service { client: self.client.clone() }))
    }
}

#[derive(Debug)]
struct Service {
    client: Client<HttpsConnector<Tcp>, HttpRequestBody>,
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = tokio::time::timeout(ANSWER, self.client.request(request));
        let answer = answer.await.map_err(|late| HttpError::new(HttpErrorKind::Timeout, late))?;
        let response = answer.map_err(|error| {
            let kind = if error.is_connect() { HttpErrorKind::Connect } else { HttpErrorKind::Request };
            HttpError::new(kind, Reason::of(&error))
        })?;
        let body = |error| HttpError::new(HttpErrorKind::Interrupted, error);
        Ok(response.map(|incoming| HttpResponseBody::new(incoming.map_err(body))))
    }
}

/// The whole chain of reasons in one sentence: "connection refused" is what people look for.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Reason(String);

impl Reason {
    fn of(error: &dyn std::error::Error) -> Self {
        let mut words = vec![error.to_string()];
        let mut source = error.source();
        while let Some(next) = source {
            words.push(next.to_string());
            source = next.source();
        }
        words.dedup();
        Self(words.join(": "))
    }
}
