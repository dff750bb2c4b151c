//! A web server on the loopback interface whose answers have the date that a test wants.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Stops taking connections when dropped… with this process.
pub struct Web {
    pub url: String,
    questions: Arc<AtomicUsize>,
}

impl Web {
    /// A server that answers each request with what `answer` makes.
    pub fn new(answer: impl Fn() -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let questions = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&questions);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                // One request after the other on one connection, as clients like it.
                while lines.by_ref().map_while(Result::ok).any(|line| line.is_empty()) {
                    counted.fetch_add(1, Ordering::SeqCst);
                    let answer = answer();
                    // Nothing is answered by closing.
                    if answer.is_empty() || stream.write_all(answer.as_bytes()).is_err() {
                        break;
                    }
                }
            }
        });
        Self { url, questions }
    }

    /// One whose clock is the system's, so many seconds on.
    pub fn ahead(seconds: i64) -> Self {
        Self::new(move || {
            let now = SystemTime::now();
            let offset = Duration::from_secs(seconds.unsigned_abs());
            dated(if seconds < 0 { now - offset } else { now + offset })
        })
    }

    /// One whose clock stands at a Unix time.
    pub fn standing_at(unix: u64) -> Self {
        Self::new(move || dated(UNIX_EPOCH + Duration::from_secs(unix)))
    }

    pub fn questions(&self) -> usize {
        self.questions.load(Ordering::SeqCst)
    }
}

fn dated(time: SystemTime) -> String {
    let date = httpdate::fmt_http_date(time);
    // That the page isn't there says nothing about the time.
    format!("HTTP/1.1 404 Not Found\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n")
}
