//! The socket: HTTP/1.1 (RFC 9112), with TLS or on this machine, around the routes.
//!
//! Everything from outside is bounded before it is worked on: heads, bodies, how many connections and requests at once, how
//! long a peer may take.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use super::access::Access;
use super::calls::Calls;
use super::desk::Desk;
use super::metrics::Metrics;
use super::patient::Patient;
use super::rates::Rate;
use super::reply::Reply;
use super::routes::{MOST_CALLS, Open, Routes};
use super::tls::Tls;
use crate::cli::error::{Error, Result};

/// Bytes of a request's head, and of its body.
const HEAD: usize = 16 << 10;
const BODY: usize = 16 << 10;

/// How many connections are open at once.
const CONNECTIONS: usize = 16_384;

/// How many descriptors are kept from them.
const OWN_DESCRIPTORS: usize = 64;

/// How long a peer may take for the handshake, the head of a request (with the idle time before it), a body, and reading an
/// answer.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
const HEAD_TIME: Duration = Duration::from_secs(60);
const BODY_TIME: Duration = Duration::from_secs(10);
const READ_TIME: Duration = Duration::from_secs(30);

/// How long open requests may take when the server ends, and how long their answers may take to be sent.
const GRACE: Duration = Duration::from_secs(5);
const ON_ITS_WAY: Duration = Duration::from_millis(200);

/// How often open requests are counted then.
const LOOK: Duration = Duration::from_millis(20);

/// How long accepting rests when the system has no more file descriptors.
const REST: Duration = Duration::from_millis(50);

/// Threads for what may wait: all requests for codes, and some for what isn't one.
const THREADS: usize = MOST_CALLS + 64;

/// What is served.
pub(super) struct Server {
    routes: Routes,
    tls: Option<Tls>,
    connections: Arc<Semaphore>,
}

/// A connection, protected or not: one type, so that HTTP is in the program once.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Server {
    pub(super) fn new(
        desk: Arc<Desk>,
        access: Access,
        rate: Rate,
        tls: Option<Tls>,
        descriptors: u64,
        uptime: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        // Some descriptors are for files and databases.
        let left = usize::try_from(descriptors).unwrap_or(usize::MAX).saturating_sub(OWN_DESCRIPTORS);
        let connections = left.clamp(1, CONNECTIONS);
        let routes = Routes {
            desk,
            access: Arc::new(access),
            calls: Arc::new(Calls::default()),
            metrics: Arc::new(Metrics::default()),
            open: Open::default(),
            rate,
            room: Arc::new(Semaphore::new(MOST_CALLS)),
            strangers: Semaphore::new(1),
            uptime: Box::new(uptime),
        };
        Self { routes, tls, connections: Arc::new(Semaphore::new(connections)) }
    }

    /// Serves a listening socket until `end` is ready; then those who wait are told, and open requests end.
    pub(super) fn run(self, listener: std::net::TcpListener, end: impl Future<Output = ()>) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(THREADS).build()?;
        let server = Arc::new(self);
        let outcome = runtime.block_on(Arc::clone(&server).accept(listener, end));
        // A thread that is still busy waits for a disk or a database; no client waits for it.
        runtime.shutdown_timeout(ON_ITS_WAY);
        // Not before: a database says good-bye by a runtime of its own.
        drop(server);
        outcome
    }

    async fn accept(self: Arc<Self>, listener: std::net::TcpListener, end: impl Future<Output = ()>) -> io::Result<()> {
        let listener = TcpListener::from_std(listener)?;
        let graceful = Arc::new(GracefulShutdown::new());
        let server = Arc::clone(&self);
        tokio::spawn(async move { server.routes.keep_fresh().await });
        let mut end = std::pin::pin!(end);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut end => break,
                accepted = listener.accept() => accepted,
            };
            let Ok((stream, peer)) = accepted else {
                tokio::time::sleep(REST).await;
                continue;
            };
            let Ok(permit) = Arc::clone(&self.connections).try_acquire_owned() else {
                drop(stream);
                continue;
            };
            let _ = stream.set_nodelay(true);
            let watcher = graceful.watcher();
            tokio::spawn(Arc::clone(&self).connection(stream, peer, watcher, permit));
        }
        drop(listener);
        self.routes.calls.end();
        if let Some(graceful) = Arc::into_inner(graceful) {
            // Idle connections aren't waited for.
            let answered = async {
                while self.routes.open.count() > 0 {
                    tokio::time::sleep(LOOK).await;
                }
                tokio::time::sleep(ON_ITS_WAY).await;
            };
            tokio::select! {
                () = graceful.shutdown() => {}
                () = answered => {}
                () = tokio::time::sleep(GRACE) => {}
            }
        }
        Ok(())
    }

    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        watcher: hyper_util::server::graceful::Watcher,
        _permit: OwnedSemaphorePermit,
    ) {
        let stream = Patient::new(stream, READ_TIME);
        match self.tls.as_ref().map(Tls::acceptor) {
            None => self.speak(Box::new(stream), peer, watcher).await,
            // A peer that doesn't get through the handshake ends its own connection only.
            Some(acceptor) => {
                if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_TIME, acceptor.accept(stream)).await {
                    self.speak(Box::new(stream), peer, watcher).await;
                }
            }
        }
    }

    async fn speak(
        self: Arc<Self>,
        stream: Box<dyn Stream>,
        peer: SocketAddr,
        watcher: hyper_util::server::graceful::Watcher,
    ) {
        let service = service_fn(move |request| {
            let server = Arc::clone(&self);
            async move { Ok::<_, Infallible>(server.answer(request, peer).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(HEAD)
            .serve_connection(TokioIo::new(stream), service);
        // A peer that goes away or talks nonsense ends its own connection only.
        let _ = watcher.watch(connection).await;
    }

    async fn answer(&self, request: hyper::Request<Incoming>, peer: SocketAddr) -> Reply {
        let (head, body) = request.into_parts();
        let (has_body, was_read) = (!body.is_end_stream(), AtomicBool::new(false));
        let reading = async {
            was_read.store(true, Ordering::Relaxed);
            read(body).await
        };
        let mut reply = self.routes.answer(&head, peer.ip().to_canonical(), reading).await;
        // What comes behind would be taken for the next request.
        if has_body && !was_read.load(Ordering::Relaxed) {
            reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        reply
    }
}

/// Reads a body within its bounds.
async fn read(body: Incoming) -> Result<Zeroizing<Vec<u8>>> {
    let collected = tokio::time::timeout(BODY_TIME, Limited::new(body, BODY).collect()).await;
    let collected = collected.map_err(|_| Error::input("too-slow", "the body took too long"))?;
    let collected = collected.map_err(|error| match error.is::<http_body_util::LengthLimitError>() {
        true => Error::input("too-large", format!("the body is larger than {BODY} bytes")),
        false => Error::input("request", "the body ended early or can't be read"),
    })?;
    Ok(Zeroizing::new(collected.to_bytes().to_vec()))
}
