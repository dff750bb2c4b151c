//! The paths of the server: what each is asked with, and what it answers. `openapi.json` beside this file describes them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use super::access::{Access, Holder, Stranger};
use super::bearer;
use super::calls::Calls;
use super::desk::{Caller, Desk};
use super::metrics::{Given, Metrics};
use super::rates::Rate;
use super::reply::{self, Reply};
use super::wishes;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::hints;

/// How many requests for codes are answered at once; most of them wait for their time step.
pub(super) const MOST_CALLS: usize = 1_024;

/// How often the tokens are read again.
const OFTEN: Duration = Duration::from_secs(2);

/// What is served at `/v1/openapi.json`.
const DESCRIPTION: &str = include_str!("openapi.json");

/// What answers requests.
pub(super) struct Routes {
    pub(super) desk: Arc<Desk>,
    pub(super) access: Arc<Access>,
    pub(super) calls: Arc<Calls>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) open: Open,
    pub(super) rate: Rate,
    pub(super) room: Arc<Semaphore>,
    /// Whose turn it is, of those whose tokens aren't known.
    pub(super) strangers: Semaphore,
    pub(super) uptime: Box<dyn Fn() -> Duration + Send + Sync>,
}

/// Requests that are being worked on, each until its work is done.
#[derive(Debug, Default)]
pub(super) struct Open(Arc<()>);

impl Open {
    fn one(&self) -> Arc<()> {
        Arc::clone(&self.0)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        Arc::strong_count(&self.0).saturating_sub(1)
    }
}

/// A path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Path {
    Health,
    Metrics,
    Description,
    Devices,
    Codes,
    Pairs,
    Release,
}

impl Path {
    fn of(text: &str) -> Option<Self> {
        Some(match text {
            "/healthz" => Self::Health,
            "/metrics" => Self::Metrics,
            "/v1/openapi.json" => Self::Description,
            "/v1/devices" => Self::Devices,
            "/v1/codes" => Self::Codes,
            "/v1/pairs" => Self::Pairs,
            "/v1/release" => Self::Release,
            _ => return None,
        })
    }

    /// The method that it has.
    const fn method(self) -> &'static str {
        match self {
            Self::Health | Self::Metrics | Self::Description | Self::Devices => "GET",
            Self::Codes | Self::Pairs | Self::Release => "POST",
        }
    }
}

impl Routes {
    /// Answers a request. The body is read by the caller, within its bounds, once it is known to be wanted.
    pub(super) async fn answer<F>(&self, head: &Parts, peer: IpAddr, body: F) -> Reply
    where
        F: Future<Output = Result<Zeroizing<Vec<u8>>>>,
    {
        match self.respond(head, peer, body).await {
            Ok(reply) => reply,
            Err(error) => {
                self.metrics.refused(error.code());
                let error = self.desk.trouble.told_to_clients(error);
                match error.code() {
                    "method" => {
                        let path = Path::of(head.uri.path());
                        reply::wrong_method(&error, path.map_or("GET", Path::method))
                    }
                    _ => reply::error(&error),
                }
            }
        }
    }

    async fn respond<F>(&self, head: &Parts, peer: IpAddr, body: F) -> Result<Reply>
    where
        F: Future<Output = Result<Zeroizing<Vec<u8>>>>,
    {
        let path = Path::of(head.uri.path()).ok_or_else(|| {
            Error::new(Kind::No, "no-such-path", "there is no such path").hint(hints::share::DESCRIPTION)
        })?;
        let method = &head.method;
        if method.as_str() != path.method() && !(method == Method::HEAD && path.method() == "GET") {
            let message = format!("this path is asked by {}", path.method());
            return Err(Error::new(Kind::Usage, "method", message).hint(hints::share::DESCRIPTION));
        }
        match path {
            Path::Health => {
                self.desk.probe()?;
                return Ok(reply::json(StatusCode::OK, &serde_json::json!({ "status": "ok" })));
            }
            Path::Description => return Ok(reply::text("application/json", DESCRIPTION)),
            Path::Metrics | Path::Devices | Path::Codes | Path::Pairs | Path::Release => {}
        }
        let holder = self.holder(head).await?;
        if !holder.bucket.takes(self.rate, (self.uptime)()) {
            let message = "this access token makes too many requests";
            return Err(Error::new(Kind::Remote, "rate-limit", message).hint(hints::share::LATER));
        }
        let desk = Arc::clone(&self.desk);
        let open = self.open.one();
        match path {
            Path::Metrics => {
                let seen = blocking(open, move || desk.seen()).await?;
                Ok(reply::text("text/plain; version=0.0.4; charset=utf-8", self.metrics.text(seen)))
            }
            Path::Devices => {
                let listed = blocking(open, move || desk.list(&holder)).await?;
                Ok(reply::json(StatusCode::OK, &listed))
            }
            _ => {
                drop(open);
                self.give(path, head, peer, holder, body).await
            }
        }
    }

    /// Hands out, or takes back.
    async fn give<F>(&self, path: Path, head: &Parts, peer: IpAddr, holder: Arc<Holder>, body: F) -> Result<Reply>
    where
        F: Future<Output = Result<Zeroizing<Vec<u8>>>>,
    {
        expect_json(head)?;
        let (_room, _own_room) = (room(&self.room)?, room(&holder.room)?);
        let _answering = self.metrics.answering();
        let body = body.await?;
        let open = self.open.one();
        // Dropped with this request, if its client goes away.
        let attended = self.calls.begin(&self.metrics);
        let name = match path {
            Path::Pairs => "/v1/pairs",
            Path::Release => "/v1/release",
            _ => "/v1/codes",
        };
        let caller = Caller { holder, call: attended.call(), peer, path: name };
        let desk = Arc::clone(&self.desk);
        let (reply, what) = match path {
            Path::Pairs => {
                let wanted: wishes::ForPair = wishes::read(&body)?;
                let pair = blocking(open, move || desk.pair(&caller, &wanted)).await?;
                (reply::json(StatusCode::OK, &pair), Given::Pair)
            }
            Path::Release => {
                let wanted: wishes::ForRelease = wishes::read(&body)?;
                let released = blocking(open, move || desk.release(&caller, &wanted)).await?;
                (reply::json(StatusCode::OK, &released), Given::Release)
            }
            _ => {
                let wanted: wishes::ForCode = wishes::read(&body)?;
                let codes = blocking(open, move || desk.code(&caller, &wanted)).await?;
                (reply::json(StatusCode::OK, &codes), Given::Code)
            }
        };
        drop(attended);
        self.metrics.given(what);
        Ok(reply)
    }

    async fn holder(&self, head: &Parts) -> Result<Arc<Holder>> {
        let unauthorized = |message: &str| Error::new(Kind::Remote, "unauthorized", message);
        let mut values = head.headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(unauthorized("an access token is needed").hint(hints::share::BEARER));
        };
        let token = bearer::of_header(value.as_bytes()).map(|token| Zeroizing::new(token.to_owned()));
        let Some(token) = token else {
            return Err(unauthorized("that is no access token of vmfa").hint(hints::share::BEARER));
        };
        let came = self.access.now();
        if let Some(holder) = self.access.holder(&token, came) {
            return Ok(holder?);
        }
        // One at a time, so that guesses hold no threads. One look serves all that were waiting.
        let _turn = self.strangers.acquire().await;
        if let Some(holder) = self.access.holder(&token, came) {
            return Ok(holder?);
        }
        tokio::time::sleep(self.access.pause()).await;
        let access = Arc::clone(&self.access);
        blocking(self.open.one(), move || access.read_again()).await?;
        Ok(self.access.holder(&token, came).unwrap_or(Err(Stranger::Unknown))?)
    }

    /// Rereads access tokens and devices, so that waiting requests notice what was removed.
    pub(super) async fn keep_fresh(&self) {
        loop {
            tokio::time::sleep(OFTEN).await;
            let (access, desk) = (Arc::clone(&self.access), Arc::clone(&self.desk));
            let done = blocking((), move || {
                access.read_again()?;
                desk.tidy()
            })
            .await;
            self.desk.trouble.record(done);
        }
    }
}

fn room(room: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit> {
    Arc::clone(room).try_acquire_owned().map_err(|_| {
        let message = "too many requests are being answered, or wait for their codes";
        Error::new(Kind::Remote, "busy", message).hint(hints::share::LATER)
    })
}

/// Does what may wait for a disk, a database or a time step, where it keeps no other request waiting.
///
/// `kept` is dropped once it is done, even if nobody waits for it any more.
async fn blocking<T: Send + 'static>(
    kept: impl Send + 'static,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(move || {
        let _kept = kept;
        work()
    })
    .await;
    done.unwrap_or_else(|_| Err(Error::new(Kind::Storage, "io", "the server failed at this request")))
}

/// A body that says that it is JSON: no page of a browser sends one to another site unasked.
fn expect_json(head: &Parts) -> Result<()> {
    let value = head.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = value.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Error::input("content-type", "the body has to be JSON, with `Content-Type: application/json`")
        .hint(hints::share::DESCRIPTION))
}
