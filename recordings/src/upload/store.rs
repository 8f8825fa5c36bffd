//! The object store: a folder, or a bucket that speaks S3. Copies files there, verifies them, and reads them. Knows no
//! queue.

use super::connector::Connector;
use super::ledger::Object;
use crate::manifest::is_id;
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig};
use ring::digest::{Context, SHA256};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Files are sent in pieces of this: what S3 takes at least is 5 MiB, and each piece is in memory.
const PIECE: usize = 8 << 20;
/// How long the store may be silent while something is read.
const SILENCE: Duration = Duration::from_secs(60);

/// How a bucket is reached, where the environment (`AWS_…`) does not say it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// `https://…` of a server that is not Amazon's; `http://…` is taken as it is.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// Id and secret of the key.
    pub key: Option<(String, String)>,
}

impl std::fmt::Debug for Access {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = self.key.as_ref().map(|(id, _)| id);
        let Self { endpoint, region, .. } = self;
        f.debug_struct("Access").field("endpoint", endpoint).field("region", region).field("key", &key).finish()
    }
}

/// Where recordings are kept.
#[derive(Debug, Clone)]
pub struct Store {
    store: Arc<dyn ObjectStore>,
    prefix: Key,
}

impl Store {
    /// Opens `s3://bucket/prefix`, or a folder by `file:///path` or its absolute path. Speaks to nobody yet.
    ///
    /// # Errors
    /// When the address is none, or the folder can't be made.
    pub fn open(url: &str, access: &Access) -> io::Result<Self> {
        let wrong = |why: &str| io::Error::new(ErrorKind::InvalidInput, format!("{url}: {why}"));
        if let Some(rest) = url.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() {
                return Err(wrong("it names no bucket"));
            }
            let prefix = Key::parse(prefix.trim_matches('/')).map_err(|error| wrong(&error.to_string()))?;
            return Ok(Self { store: Arc::new(bucket_of(bucket, access)?), prefix });
        }
        let folder = url.strip_prefix("file://").unwrap_or(url);
        if !folder.starts_with('/') {
            return Err(wrong("it is neither s3://bucket/prefix nor a folder"));
        }
        std::fs::create_dir_all(folder)?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(other)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), prefix: Key::default() })
    }

    fn key(&self, recording: &str, name: &str) -> io::Result<Key> {
        if !is_id(recording) {
            return Err(ErrorKind::InvalidInput.into());
        }
        Ok(self.prefix.clone().join(recording).join(name))
    }

    /// Copies a file whose length is known, and asks the store how long it is there. Each request is signed with the
    /// checksum of its content, which a store compares.
    ///
    /// # Errors
    /// When the store does not take it, or the file here is not as long as it should be.
    pub(super) async fn put(&self, recording: &str, name: &str, from: &Path, bytes: u64) -> io::Result<Object> {
        let key = self.key(recording, name)?;
        let file = File::open(from)?;
        let len = file.metadata()?.len();
        if len != bytes {
            return Err(io::Error::other(format!("{name} has {len} bytes instead of {bytes}")));
        }
        let mut sum = Context::new(&SHA256);
        let (mut file, first) = read_piece(file).await?;
        sum.update(&first);
        if first.len() < PIECE {
            self.store.put(&key, PutPayload::from(first)).await.map_err(other)?;
        } else {
            let mut upload = self.store.put_multipart(&key).await.map_err(other)?;
            let mut piece = first;
            let sent: io::Result<()> = async {
                while !piece.is_empty() {
                    upload.put_part(PutPayload::from(piece)).await.map_err(other)?;
                    (file, piece) = read_piece(file).await?;
                    sum.update(&piece);
                }
                upload.complete().await.map_err(other)?;
                Ok(())
            }
            .await;
            if let Err(error) = sent {
                // Pieces that nobody completes cost money; where this fails too, the bucket's own rules remove them.
                let _ = upload.abort().await;
                return Err(error);
            }
        }
        let there = self.store.head(&key).await.map_err(other)?.size;
        if there != bytes {
            return Err(io::Error::other(format!("{name} has {there} bytes in the store instead of {bytes}")));
        }
        Ok(Object { name: name.to_owned(), bytes, sha256: hex(sum.finish().as_ref()) })
    }

    /// Reads an object back and compares length and checksum.
    ///
    /// # Errors
    /// When it can't be read, or is another one ([`ErrorKind::InvalidData`]).
    pub(super) async fn verify(&self, recording: &str, object: &Object) -> io::Result<()> {
        let mut stream = self.stream(recording, &object.name, None).await?;
        let (mut sum, mut bytes) = (Context::new(&SHA256), 0);
        while let Some(piece) = stream.try_next().await? {
            sum.update(&piece);
            bytes += piece.len() as u64;
        }
        if bytes == object.bytes && hex(sum.finish().as_ref()) == object.sha256 {
            return Ok(());
        }
        let why = format!("{} is another one in the store than here", object.name);
        Err(io::Error::new(ErrorKind::InvalidData, why))
    }

    /// Bytes of an object.
    ///
    /// # Errors
    /// When it is not there ([`ErrorKind::NotFound`]), or the store is away.
    pub async fn read(
        &self,
        recording: &str,
        name: &str,
        range: Range<u64>,
    ) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        self.stream(recording, name, Some(range)).await
    }

    async fn stream(
        &self,
        recording: &str,
        name: &str,
        range: Option<Range<u64>>,
    ) -> io::Result<BoxStream<'static, io::Result<Bytes>>> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let found = self.store.get_opts(&self.key(recording, name)?, options).await.map_err(other)?;
        let pieces = found.into_stream();
        let patient = futures_util::stream::unfold(Some(pieces), |pieces| async {
            let mut pieces = pieces?;
            match tokio::time::timeout(SILENCE, pieces.next()).await {
                Ok(piece) => Some((piece?.map_err(other), Some(pieces))),
                Err(_) => Some((Err(ErrorKind::TimedOut.into()), None)),
            }
        });
        Ok(patient.boxed())
    }

    /// Brings an object to a file, which must not be there.
    ///
    /// # Errors
    /// As [`Store::read`], and when it can't be written.
    pub async fn fetch(&self, recording: &str, name: &str, to: &Path) -> io::Result<()> {
        let mut stream = self.stream(recording, name, None).await?;
        let mut file = File::create_new(to)?;
        while let Some(piece) = stream.try_next().await? {
            file = blocking(move || file.write_all(&piece).map(|()| file)).await?;
        }
        Ok(())
    }

    /// Removes all objects of a recording.
    ///
    /// # Errors
    /// When the store is away; then some may still be there.
    pub async fn remove(&self, recording: &str) -> io::Result<()> {
        if !is_id(recording) {
            return Err(ErrorKind::InvalidInput.into());
        }
        let folder = self.prefix.clone().join(recording);
        let keys: Vec<Key> =
            self.store.list(Some(&folder)).map_ok(|found| found.location).try_collect().await.map_err(other)?;
        for key in keys {
            match self.store.delete(&key).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(other(error)),
            }
        }
        Ok(())
    }
}

fn bucket_of(bucket: &str, access: &Access) -> io::Result<object_store::aws::AmazonS3> {
    let plain = access.endpoint.as_deref().is_some_and(|endpoint| endpoint.starts_with("http://"));
    // Our own queue tries again, so that it can tell how it stands.
    let retry = RetryConfig { max_retries: 0, ..RetryConfig::default() };
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_retry(retry)
        .with_allow_http(plain)
        .with_http_connector(Connector::new(plain)?);
    if let Some(endpoint) = &access.endpoint {
        builder = builder.with_endpoint(endpoint.as_str());
    }
    if let Some(region) = &access.region {
        builder = builder.with_region(region.as_str());
    }
    if let Some((id, secret)) = &access.key {
        builder = builder.with_access_key_id(id.as_str()).with_secret_access_key(secret.as_str());
    }
    builder.build().map_err(other)
}

fn other(error: object_store::Error) -> io::Error {
    let kind = match &error {
        object_store::Error::NotFound { .. } => ErrorKind::NotFound,
        object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
            ErrorKind::PermissionDenied
        }
        _ => ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The next piece of a file; a shorter one is the last.
async fn read_piece(mut file: File) -> io::Result<(File, Bytes)> {
    blocking(move || {
        let mut piece = Vec::new();
        (&mut file).take(PIECE as u64).read_to_end(&mut piece)?;
        Ok((file, Bytes::from(piece)))
    })
    .await
}

/// The disk may be slow: nobody else waits for it.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
