//! What a connection goes over: a socket, with or without TLS, that reads no more than an answer may have.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The most that the server may send before it is asked again.
const LARGEST_ANSWER: usize = 64 << 20;

/// `SSLRequest`: its length, and the number that PostgreSQL's protocol has for it (section 55.7).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Reads and writes.
pub(super) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// How much the server may still send.
#[derive(Debug, Clone)]
pub(super) struct Budget(Arc<Left>);

#[derive(Debug)]
struct Left {
    bytes: AtomicUsize,
    exceeded: AtomicBool,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self(Arc::new(Left { bytes: LARGEST_ANSWER.into(), exceeded: false.into() }))
    }

    /// Before something else is asked.
    pub(super) fn renew(&self) {
        self.0.bytes.store(LARGEST_ANSWER, Ordering::Relaxed);
    }

    /// Whether the server sent more, which ended the connection.
    pub(super) fn is_exceeded(&self) -> bool {
        self.0.exceeded.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> io::Result<()> {
        match self.0.bytes.load(Ordering::Relaxed).checked_sub(bytes) {
            Some(left) => {
                self.0.bytes.store(left, Ordering::Relaxed);
                Ok(())
            }
            None => {
                self.0.exceeded.store(true, Ordering::Relaxed);
                Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is too large"))
            }
        }
    }
}

/// A socket that ends where the server sends too much.
pub(super) struct Bounded {
    pub(super) socket: Box<dyn Socket>,
    pub(super) budget: Budget,
}

impl AsyncRead for Bounded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.socket).poll_read(cx, buffer);
        let read = buffer.filled().len().saturating_sub(before);
        match self.budget.take(read) {
            Ok(()) => polled,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

/// Verifies servers by the roots of a PEM file, where there is one, else by the web's own.
pub(super) fn connector(roots: Option<&[u8]>) -> Result<TlsConnector, String> {
    let mut trusted = RootCertStore::empty();
    match roots {
        None => trusted.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem) {
                let certificate = certificate.map_err(|error| format!("sslrootcert: {error}"))?;
                trusted.add(certificate).map_err(|error| format!("sslrootcert: {error}"))?;
            }
            if trusted.is_empty() {
                return Err("sslrootcert has no certificate".to_owned());
            }
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(trusted)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// Asks the server for TLS and begins it. Nothing of what came in clear text is read as if it were protected: one byte
/// is read, and what may follow it can't be a handshake.
pub(super) async fn protect(
    mut socket: Box<dyn Socket>,
    connector: &TlsConnector,
    name: &str,
) -> io::Result<Box<dyn Socket>> {
    let server = ServerName::try_from(name.to_owned())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "no certificate can be for this host's name"))?;
    socket.write_all(&SSL_REQUEST).await?;
    match socket.read_u8().await? {
        b'S' => Ok(Box::new(connector.connect(server, socket).await?)),
        _ => Err(io::Error::new(io::ErrorKind::Unsupported, "the server has no TLS")),
    }
}
