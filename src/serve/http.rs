//! The only socket: HTTP/1.1 (RFC 9112) around a [`Stand`].
//!
//! Everything from outside is bounded before it is worked on: heads, bodies, how many bodies at once, how long a peer
//! may take over each.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, SemaphorePermit};
use zeroize::Zeroizing;

use super::control;
use super::message::{Request, Response};
use super::stand::{Outcome, Stand};
use super::upstream::Upstream;

/// Bytes of a body for IAM and STS, whose largest parameter has 131,072 characters.
const BODY: usize = 1_048_576;

/// Bytes of a body that is passed on.
const FOREIGN_BODY: usize = 33_554_432;

/// Bytes of a body that needs no leave: nobody is kept out by those who send large ones slowly.
const SMALL: usize = 16_384;

/// Bytes of all larger bodies together.
const BODIES: usize = 134_217_728;

/// Bytes of a request's head.
const HEAD: usize = 65_536;

/// How many connections are open at once.
const CONNECTIONS: usize = 16_384;

/// How many requests of the console are worked on at once: each may hash a password, in 4 MiB and some milliseconds of a
/// processor that other requests want too.
const CONSOLE: usize = 4;

/// How long a peer may take over the head of a request, idling before it included.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// How long a peer may take over a body.
const BODY_TIME: Duration = Duration::from_secs(30);

/// How long open requests may take when the server ends.
const GRACE: Duration = Duration::from_secs(5);

/// How long accepting rests when the system has no more file descriptors.
const REST: Duration = Duration::from_millis(50);

/// What is served where.
#[derive(Debug)]
pub struct Server {
    stand: Arc<Stand>,
    upstream: Option<Upstream>,
    bodies: Semaphore,
    console: Semaphore,
    connections: Arc<Semaphore>,
}

/// What goes out: our own, or what another server sends.
pub(super) type Body = Either<Full<Bytes>, Incoming>;

/// Why a body isn't read.
enum BodyError {
    TooLarge,
    TooManyAtOnce,
    TooSlow,
    Broken,
}

impl Server {
    /// A server around a stand-in; calls for other services go to `upstream`.
    #[must_use]
    pub fn new(stand: Arc<Stand>, upstream: Option<Upstream>) -> Self {
        Self {
            stand,
            upstream,
            bodies: Semaphore::new(BODIES),
            console: Semaphore::new(CONSOLE),
            connections: Arc::new(Semaphore::new(CONNECTIONS)),
        }
    }

    /// Serves a listening socket until `end` is ready; then lets open requests end.
    ///
    /// # Errors
    ///
    /// Where the system doesn't let it run.
    pub fn run(self, listener: std::net::TcpListener, end: impl Future<Output = ()>) -> io::Result<()> {
        listener.set_nonblocking(true)?;
        // One thread: the account is asked one request at a time anyway, and waking others costs more than an answer does.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let server = Arc::new(self);
        runtime.block_on(server.accept(listener, end))?;
        runtime.shutdown_timeout(GRACE);
        Ok(())
    }

    async fn accept(self: Arc<Self>, listener: std::net::TcpListener, end: impl Future<Output = ()>) -> io::Result<()> {
        let listener = TcpListener::from_std(listener)?;
        let graceful = GracefulShutdown::new();
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
            let connection = graceful.watch(self.connection(stream, peer));
            tokio::spawn(async move {
                // A peer that goes away or talks nonsense ends its own connection only.
                let _ = connection.await;
                drop(permit);
            });
        }
        drop(listener);
        let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
        Ok(())
    }

    fn connection(
        self: &Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> impl hyper_util::server::graceful::GracefulConnection + use<> {
        let server = Arc::clone(self);
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .max_buf_size(HEAD)
            // To look for a client that leaves while its request is handled costs a buffer for each request. Another
            // server's answer may take long: what nobody waits for ends there.
            .half_close(self.upstream.is_none())
            .serve_connection(
                TokioIo::new(stream),
                service_fn(move |request| {
                    let server = Arc::clone(&server);
                    async move { Ok::<_, Infallible>(server.answer(request, peer.ip()).await) }
                }),
            )
    }

    async fn answer(&self, request: hyper::Request<Incoming>, peer: IpAddr) -> hyper::Response<Body> {
        let mut response = self.respond(request, peer).await;
        // The server's time is the one that its answers tell.
        if let Ok(date) = HeaderValue::from_str(&self.stand.http_date()) {
            response.headers_mut().insert(hyper::header::DATE, date);
        }
        response
    }

    async fn respond(&self, request: hyper::Request<Incoming>, peer: IpAddr) -> hyper::Response<Body> {
        let (head, body) = request.into_parts();
        let limit = if self.upstream.is_some() { FOREIGN_BODY } else { BODY };
        let (body, _permits) = match self.read(body, limit).await {
            Ok(read) => read,
            Err(error) => return refusal(&error),
        };
        let request = Request {
            method: head.method.as_str().to_owned(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            headers: head
                .headers
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
                .collect(),
            body,
            peer,
        };
        if !request.is_signed() && request.path.split('/').nth(1) == Some("console") {
            return ours(self.console(request).await);
        }
        if !request.is_signed()
            && let Some(response) = self.own(&request)
        {
            return ours(response);
        }
        match self.stand.answer(request) {
            Outcome::Answer(response) => ours(response),
            Outcome::Pass { request, otherwise } => match &self.upstream {
                Some(upstream) => match upstream.pass(request).await {
                    Ok(response) => response.map(Either::Right),
                    Err(error) => ours(Response::text(502, &format!("{error}\n"))),
                },
                None => ours(otherwise),
            },
        }
    }

    /// What isn't the API of AWS.
    fn own(&self, request: &Request) -> Option<Response> {
        match request.path.as_str() {
            "/healthz" => Some(Response::text(200, "ok\n")),
            // Who asks for the time only asks so; it is nobody's call.
            "/" if matches!(request.method.as_str(), "GET" | "HEAD") && request.query.is_empty() => {
                Some(Response::redirect("/console"))
            }
            path if path.starts_with("/_vmfa/") => Some(control::answer(&self.stand, request)),
            _ => None,
        }
    }

    /// A page of the console, on a thread that may take its time.
    async fn console(&self, request: Request) -> Response {
        let stand = Arc::clone(&self.stand);
        let _permit = self.console.acquire().await;
        let answered = tokio::task::spawn_blocking(move || stand.console(&request)).await;
        answered.unwrap_or_else(|_| Response::text(500, "the console failed at this request\n"))
    }

    /// Reads a body within its bounds. The permits are for its bytes, and held while it is worked on.
    async fn read(
        &self,
        body: Incoming,
        limit: usize,
    ) -> Result<(Zeroizing<Vec<u8>>, Vec<SemaphorePermit<'_>>), BodyError> {
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > limit {
            return Err(BodyError::TooLarge);
        }
        match tokio::time::timeout(BODY_TIME, self.collect(body, announced, limit)).await {
            Ok(read) => read,
            Err(_) => Err(BodyError::TooSlow),
        }
    }

    async fn collect(
        &self,
        mut body: Incoming,
        announced: usize,
        limit: usize,
    ) -> Result<(Zeroizing<Vec<u8>>, Vec<SemaphorePermit<'_>>), BodyError> {
        let mut permits = Vec::new();
        // Room for what was announced, within reason, so that secrets aren't copied about.
        let mut bytes = Zeroizing::new(Vec::with_capacity(announced.min(SMALL)));
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
            if bytes.len().saturating_add(data.len()) > limit {
                return Err(BodyError::TooLarge);
            }
            bytes.extend_from_slice(&data);
            // Small ones are bounded by the number of connections.
            if bytes.len() > SMALL {
                let count = u32::try_from(data.len()).map_err(|_| BodyError::TooLarge)?;
                permits.push(self.bodies.try_acquire_many(count).map_err(|_| BodyError::TooManyAtOnce)?);
            }
        }
        Ok((bytes, permits))
    }
}

fn refusal(error: &BodyError) -> hyper::Response<Body> {
    let (status, text) = match error {
        BodyError::TooLarge => (413, "the body is too large\n"),
        BodyError::TooManyAtOnce => (503, "too many large bodies at once: try again\n"),
        BodyError::TooSlow => (408, "the body took too long\n"),
        BodyError::Broken => (400, "the body ended early or can't be read\n"),
    };
    let mut response = ours(Response::text(status, text));
    response.headers_mut().insert(hyper::header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn ours(response: Response) -> hyper::Response<Body> {
    let mut made = hyper::Response::new(Either::Left(Full::new(Bytes::from_owner(response.body))));
    *made.status_mut() = hyper::StatusCode::from_u16(response.status).unwrap_or(hyper::StatusCode::BAD_GATEWAY);
    for (name, value) in response.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            made.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    made
}
