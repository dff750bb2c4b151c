//! TLS: the certificate and its key, read again when their files change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use zeroize::Zeroizing;

use crate::cli::error::{Error, Result};
use crate::cli::render::note;
use crate::cli::{clock, hints};

/// How often it is looked whether the files changed.
const LOOK: Duration = Duration::from_secs(10);

/// The largest file that is read.
const LARGEST: u64 = 1 << 20;

/// What the PEM of a key says that only a passphrase opens.
const ENCRYPTED: &[u8] = b"ENCRYPTED";

/// The files, and what was read from them.
pub(super) struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    current: Mutex<Current>,
    uptime: Box<dyn Fn() -> Duration + Send + Sync>,
}

struct Current {
    acceptor: TlsAcceptor,
    changed: [Option<SystemTime>; 2],
    looked: Duration,
}

impl Tls {
    pub(super) fn read(certificate: &Path, key: &Path) -> Result<Self> {
        let changed = [certificate, key].map(modified);
        let current = Current { acceptor: acceptor(certificate, key)?, changed, looked: Duration::ZERO };
        let uptime = Box::new(clock::stopwatch());
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        Ok(Self { certificate, key, current: Mutex::new(current), uptime })
    }

    /// For the next connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.uptime)();
        if now.saturating_sub(current.looked) > LOOK {
            current.looked = now;
            let changed = [self.certificate.as_path(), self.key.as_path()].map(modified);
            if changed != current.changed {
                match acceptor(&self.certificate, &self.key) {
                    Ok(acceptor) => (current.acceptor, current.changed) = (acceptor, changed),
                    // One may be written after the other.
                    Err(error) => note(&format!("vmfa: the certificate from before is still used: {error}")),
                }
            }
        }
        current.acceptor.clone()
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.metadata().ok()?.modified().ok()
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor> {
    let chain = pem(certificate)?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&chain)
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| unusable(certificate, &error.to_string()))?;
    if chain.is_empty() {
        return Err(unusable(certificate, "it has no certificate"));
    }
    expect_private(key)?;
    let bytes = pem(key)?;
    let private = PrivateKeyDer::from_pem_slice(&bytes).map_err(|_| {
        let encrypted = bytes.windows(ENCRYPTED.len()).any(|text| text == ENCRYPTED);
        unusable(key, if encrypted { "its key is encrypted" } else { "it has no key" })
    })?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
        .map_err(|error| unusable(certificate, &format!("with the key in {}: {error}", key.display())))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// A file's bytes, wiped in the end: it may be the key.
fn pem(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    use std::io::Read as _;
    // Another sort of file may keep its reader waiting.
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return Err(unusable(path, "it is no regular file"));
    }
    let file = std::fs::File::open(path).map_err(|error| Error::unreadable("tls", path, &error))?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(16 << 10));
    file.take(LARGEST).read_to_end(&mut bytes).map_err(|error| Error::unreadable("tls", path, &error))?;
    Ok(bytes)
}

#[cfg(unix)]
fn expect_private(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    if path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o007 != 0) {
        let error = unusable(path, "all users of this machine can read it");
        return Err(error.hint(hints::vaults::chmod(&path.display().to_string())));
    }
    Ok(())
}

#[cfg(not(unix))]
fn expect_private(_: &Path) -> Result<()> {
    Ok(())
}

fn unusable(path: &Path, why: &str) -> Error {
    Error::input("tls", format!("{} can't be used for TLS: {why}", path.display()))
}
