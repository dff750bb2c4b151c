//! A server between a client and the stand-in: it loses, breaks or holds what it is told to.

use std::io::{self, BufRead, BufReader, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use vmfa::wire::xml;

pub use super::support::Fate;

/// What is done with a request, by its number, counted from 0, and action.
pub type Chooser = Box<dyn Fn(usize, &str) -> Act + Send + Sync>;

/// What is done with a request.
pub enum Act {
    /// As a fate has it; a lost one ends the connection.
    Fate(Fate),
    /// It is taken and never answered.
    Silence,
    /// Something happens before it goes on.
    Before(Box<dyn FnOnce() + Send>),
    /// It goes on, and something happens before its answer goes back.
    Between(Box<dyn FnOnce() + Send>),
    /// It goes on, and something happens while its answer is on its way.
    Meanwhile(Box<dyn FnOnce() + Send>),
    /// It is answered with this instead.
    Answer(String),
    /// Its answer goes back, and something happens at once.
    After(Box<dyn FnOnce() + Send>),
}

pub struct Proxy {
    pub address: SocketAddr,
    /// The actions that were sent, in order; whatever became of them.
    pub sent: Arc<Mutex<Vec<String>>>,
    ended: Arc<AtomicBool>,
}

struct Shared {
    server: SocketAddr,
    choose: Chooser,
    count: AtomicUsize,
    sent: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub fn start(server: SocketAddr, choose: impl Fn(usize, &str) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sent, ended) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let count = AtomicUsize::new(0);
        let shared = Arc::new(Shared { server, choose: Box::new(choose), count, sent: Arc::clone(&sent) });
        let over = Arc::clone(&ended);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    break;
                }
                let (stream, shared) = (stream.unwrap(), Arc::clone(&shared));
                thread::spawn(move || {
                    // A client that was killed is none of its business.
                    let _ = shared.serve(&stream);
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
        });
        Self { address, sent, ended }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream);
        while let Some(request) = message(&mut reader)? {
            let text = String::from_utf8_lossy(&request);
            let action = text.split_once("\r\n\r\nAction=").map(|(_, rest)| rest.split('&').next().unwrap_or_default());
            // The time of a stand-in isn't counted.
            let Some(action) = action.map(str::to_owned) else {
                let answer = self.forward(&request)?;
                (&*stream).write_all(&answer)?;
                continue;
            };
            self.sent.lock().unwrap().push(action.clone());
            let act = (self.choose)(self.count.fetch_add(1, Ordering::SeqCst), &action);
            let answer = match act {
                Act::Fate(Fate::Good) => self.forward(&request)?,
                Act::Fate(Fate::LostBefore) => return Ok(()),
                Act::Fate(Fate::LostAfter) => return self.forward(&request).map(drop),
                Act::Fate(Fate::FailsBefore) => broken(500, "ServiceFailure"),
                Act::Fate(Fate::Throttled) => broken(400, "Throttling"),
                Act::Fate(Fate::FailsAfter) => self.forward(&request).map(|_| broken(503, "ServiceUnavailable"))?,
                Act::Silence => {
                    // Until the client has had enough.
                    return io::copy(&mut reader, &mut io::sink()).map(drop);
                }
                Act::Before(work) => {
                    work();
                    return Ok(());
                }
                Act::Between(work) => {
                    self.forward(&request)?;
                    work();
                    return Ok(());
                }
                Act::Meanwhile(work) => {
                    let answer = self.forward(&request)?;
                    work();
                    answer
                }
                Act::Answer(body) => answer(200, "OK", &body),
                Act::After(work) => {
                    let answer = self.forward(&request)?;
                    (&*stream).write_all(&answer)?;
                    work();
                    return Ok(());
                }
            };
            (&*stream).write_all(&answer)?;
        }
        Ok(())
    }

    /// By a connection of its own.
    fn forward(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(self.server)?;
        stream.set_nodelay(true)?;
        stream.write_all(request)?;
        message(&mut BufReader::new(&stream))?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

/// One message with its body, as bytes; none where the connection ended.
fn message(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let mut length = 0;
    loop {
        let start = bytes.len();
        if reader.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&bytes[start..]).to_ascii_lowercase();
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().map_err(|_| io::ErrorKind::InvalidData)?;
        }
    }
    let head = bytes.len();
    bytes.resize(head + length, 0);
    reader.read_exact(&mut bytes[head..])?;
    Ok(Some(bytes))
}

fn broken(status: u16, code: &str) -> Vec<u8> {
    answer(status, "Broken", &xml::error(xml::IAM, status, code, "injected", "id"))
}

fn answer(status: u16, words: &str, body: &str) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} {words}\r\ncontent-type: text/xml\r\ncontent-length: {}", body.len());
    format!("{head}\r\n\r\n{body}").into_bytes()
}
