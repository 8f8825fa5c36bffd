//! The TLS configuration: a certificate from files, or one made here and kept. Knows no sockets.

use crate::config::{hex, sha256};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use std::fs;
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// Why there is no TLS.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// A file cannot be read, or written.
    #[error("cannot use the TLS file {}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds no PEM of that kind.
    #[error("the TLS file {} holds no {what} in PEM", path.display())]
    Pem {
        /// Which.
        path: PathBuf,
        /// What was looked for.
        what: &'static str,
    },
    /// Certificate and key do not fit, or are of a kind that is not supported.
    #[error("cannot use the TLS certificate {} with its key: {source}", path.display())]
    Unusable {
        /// The certificate's file.
        path: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// No certificate could be made.
    #[error("cannot make a TLS certificate: {0}")]
    Making(#[from] rcgen::Error),
}

/// A certificate chain and its key, ready to serve.
#[derive(Debug)]
pub struct Certificates {
    /// For [`super::Port::listen`].
    pub config: Arc<ServerConfig>,
    /// SHA-256 of the certificate, as browsers show it: `AB:CD:…`.
    pub fingerprint: String,
}

impl Certificates {
    /// From PEM files.
    ///
    /// # Errors
    /// When a file is unreadable, holds something else, or the two do not fit.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        let read =
            |path: &Path| fs::read(path).map_err(|source| CertificateError::File { path: path.to_owned(), source });
        let no = |path: &Path, what| CertificateError::Pem { path: path.to_owned(), what };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&read(certificate)?)
            .collect::<Result<_, _>>()
            .map_err(|_| no(certificate, "certificate"))?;
        let leaf = chain.first().ok_or_else(|| no(certificate, "certificate"))?;
        let digits = hex(&sha256(leaf)).to_uppercase();
        let pairs: Vec<&str> = (0..digits.len()).step_by(2).filter_map(|at| digits.get(at..at + 2)).collect();
        let fingerprint = pairs.join(":");
        let private = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|_| no(key, "private key"))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
            .map_err(|source| CertificateError::Unusable { path: certificate.to_owned(), source })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), fingerprint })
    }

    /// The one kept in `folder`; made, for these names and addresses, when there is none. It stays the
    /// same when addresses change: browsers warn of it anyway, and those who trusted it need not again.
    ///
    /// # Errors
    /// When it cannot be made, written or read.
    pub fn self_signed(folder: &Path, names: &[String], addresses: &[IpAddr]) -> Result<Self, CertificateError> {
        let (certificate, key) = (folder.join("self-signed.pem"), folder.join("self-signed.key.pem"));
        if !(certificate.exists() && key.exists()) {
            let names: Vec<String> = names.iter().cloned().chain(addresses.iter().map(IpAddr::to_string)).collect();
            let mut params = CertificateParams::new(names)?;
            params.distinguished_name = DistinguishedName::new();
            params.distinguished_name.push(DnType::CommonName, "Symposia (self-signed)");
            let pair = KeyPair::generate()?;
            let made = params.self_signed(&pair)?;
            write(&key, &pair.serialize_pem())?;
            write(&certificate, &made.pem())?;
        }
        Self::load(&certificate, &key)
    }
}

/// Writes a file that only its owner may read.
fn write(path: &Path, text: &str) -> Result<(), CertificateError> {
    let all = || -> io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    all().map_err(|source| CertificateError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_self_signed_certificate_is_made_once_and_kept_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let make =
            || Certificates::self_signed(folder.path(), &["localhost".to_owned()], &[[192, 0, 2, 1].into()]).unwrap();
        let first = make().fingerprint;
        assert_eq!(first.split(':').count(), 32);
        assert_eq!(make().fingerprint, first);
        let mode = fs::metadata(folder.path().join("self-signed.key.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn wrong_files_are_named() {
        let folder = tempfile::tempdir().unwrap();
        Certificates::self_signed(folder.path(), &["a".to_owned()], &[]).unwrap();
        let (certificate, key) = (folder.path().join("self-signed.pem"), folder.path().join("self-signed.key.pem"));
        let other = tempfile::tempdir().unwrap();
        Certificates::self_signed(other.path(), &["a".to_owned()], &[]).unwrap();
        let says = |certificate: &Path, key: &Path| Certificates::load(certificate, key).unwrap_err().to_string();
        assert!(says(&folder.path().join("missing.pem"), &key).contains("missing.pem"));
        assert!(says(&key, &key).contains("holds no certificate"));
        assert!(says(&certificate, &certificate).contains("holds no private key"));
        assert!(says(&certificate, &other.path().join("self-signed.key.pem")).contains("with its key"));
    }
}
