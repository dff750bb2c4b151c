//! Hands on what goes to an engine of DynamoDB's API, and keeps what was asked for and what that cost.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// One request.
#[derive(Debug, Clone)]
pub struct Asked {
    pub operation: String,
    pub request: Value,
    /// In capacity units, as the engine reckons.
    pub units: f64,
}

impl Asked {
    pub fn is_write(&self) -> bool {
        !matches!(self.operation.as_str(), "GetItem" | "BatchGetItem" | "Query" | "Scan" | "DescribeTable")
    }
}

/// Stands before an engine.
pub struct Recorder {
    pub port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Recorder {
    pub fn before(engine: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let all = Arc::clone(&asked);
        thread::spawn(move || {
            for near in listener.incoming() {
                let (near, all) = (near.unwrap(), Arc::clone(&all));
                thread::spawn(move || pass(&near, engine, &all));
            }
        });
        Self { port, asked }
    }

    /// What was asked since this was called last.
    pub fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

/// A head's lines, and the body.
fn read(from: &mut BufReader<&TcpStream>) -> Option<(Vec<String>, Vec<u8>)> {
    let (mut lines, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
            continue;
        }
        lines.push(line);
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    Some((lines, body))
}

fn write(mut to: &TcpStream, lines: &[String], body: &[u8]) -> Option<()> {
    let head = lines.join("\r\n");
    to.write_all(format!("{head}\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes()).ok()?;
    to.write_all(body).ok()
}

fn pass(near: &TcpStream, engine: u16, all: &Mutex<Vec<Asked>>) -> Option<()> {
    let far = TcpStream::connect(("127.0.0.1", engine)).ok()?;
    let (mut from_near, mut from_far) = (BufReader::new(near), BufReader::new(&far));
    loop {
        let (lines, body) = read(&mut from_near)?;
        let target =
            lines.iter().find_map(|line| line.to_lowercase().starts_with("x-amz-target:").then(|| line.clone()));
        let operation = target.unwrap_or_default().rsplit('.').next().unwrap_or_default().to_owned();
        let request: Value = serde_json::from_slice(&body).unwrap();
        let mut priced = request.clone();
        if !matches!(operation.as_str(), "CreateTable" | "DescribeTable") {
            priced["ReturnConsumedCapacity"] = "TOTAL".into();
        }
        write(&far, &lines, priced.to_string().as_bytes())?;
        let (lines, body) = read(&mut from_far)?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        let units = match &answer["ConsumedCapacity"] {
            Value::Array(tables) => tables.iter().filter_map(|table| table["CapacityUnits"].as_f64()).sum(),
            table => table["CapacityUnits"].as_f64().unwrap_or(0.0),
        };
        all.lock().unwrap().push(Asked { operation, request, units });
        write(near, &lines, &body)?;
    }
}
