//! An engine of DynamoDB's API in a temporary directory, that ends with the test: dynalite, which is written in JavaScript, and
//! Dynoxide, which is written in Rust. Both are other people's, and know nothing of this program.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vmfa::aws::client::Transport as _;
use vmfa::aws::https::{ClearText, Https};
use vmfa::registry::Error;
use vmfa::registry::dynamodb::{Address, Answer, Credentials, Keys, Lost, Transport, Way, World};
use vmfa::time::Timestamp;

/// The secret access key, which nothing may show.
pub const SECRET: &str = "hunter2-ddb";

/// Whose key that is.
pub const KEY_ID: &str = "AKIDEXAMPLE";

const REGION: &str = "eu-central-1";

/// Which program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Dynalite,
    Dynoxide,
}

/// Each of them.
pub const ENGINES: [Engine; 2] = [Engine::Dynalite, Engine::Dynoxide];

impl Engine {
    fn command(self, port: u16, data: &Path) -> Command {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).process_group(0);
        match self {
            Self::Dynalite => {
                let installed = root.join("tests/clients/node_modules/dynalite");
                assert!(installed.exists(), "dynalite is missing: tests/run installs it");
                command.arg("node").arg(root.join("tests/clients/dynalite.mjs")).arg(port.to_string());
                command.arg(data.join("dynalite"));
            }
            Self::Dynoxide => {
                let program = root.join("target/crates/bin/dynoxide");
                assert!(program.exists(), "dynoxide is missing: tests/run installs it");
                command.arg(program).args(["--port", &port.to_string(), "--log", "quiet", "--db-path"]);
                command.arg(data.join("dynoxide.db"));
            }
        }
        command
    }
}

/// An engine that runs. Its data is deleted with it.
pub struct Server {
    engine: Engine,
    home: tempfile::TempDir,
    port: u16,
    running: Mutex<Option<Child>>,
}

impl Server {
    pub fn start(engine: Engine) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Self { engine, home: tempfile::tempdir().unwrap(), port, running: Mutex::default() };
        server.go_on();
        server
    }

    /// Starts it over its data.
    pub fn go_on(&self) {
        let log = fs::File::options().create(true).append(true).open(self.home.path().join("log")).unwrap();
        let data = self.data();
        fs::create_dir_all(&data).unwrap();
        let mut command = self.engine.command(self.port, &data);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut child = super::start(&mut command, "nodejs");
        let since = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = || fs::read_to_string(self.home.path().join("log")).unwrap();
            assert!(child.try_wait().unwrap().is_none(), "{:?}: {}", self.engine, log());
            assert!(since.elapsed() < Duration::from_secs(60), "{:?}: {}", self.engine, log());
            std::thread::sleep(Duration::from_millis(20));
        }
        *self.running.lock().unwrap() = Some(child);
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(&self) {
        if let Some(mut child) = self.running.lock().unwrap().take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory with all its files.
    pub fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// The URL of a registry that isn't there yet.
    pub fn url(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let table = format!("vmfa-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        format!("dynamodb://{table}?region={REGION}&endpoint=http://127.0.0.1:{}", self.port)
    }

    /// Asks the engine itself.
    pub fn ask(&self, operation: &str, request: &Value) -> Value {
        let way = way(&format!("http://127.0.0.1:{}", self.port));
        let target = format!("DynamoDB_20120810.{operation}");
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={KEY_ID}/20260101/{REGION}/dynamodb/aws4_request, SignedHeaders=host, Signature=00"
        );
        let headers = [
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", target.as_str()),
            ("x-amz-date", "20260101T000000Z"),
            ("authorization", authorization.as_str()),
        ];
        let answer = way.transport.post(&format!("{}/", way.url), &headers, &request.to_string()).unwrap();
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// All items of a registry's table, whatever it costs.
    pub fn items(&self, url: &str) -> Vec<Value> {
        let table = Address::parse(url).unwrap().table().to_owned();
        let (mut items, mut from) = (Vec::new(), Value::Null);
        loop {
            let mut request = json!({ "TableName": table, "ConsistentRead": true });
            if !from.is_null() {
                request["ExclusiveStartKey"] = from;
            }
            let answer = self.ask("Scan", &request);
            items.extend(answer["Items"].as_array().unwrap().iter().cloned());
            from = answer["LastEvaluatedKey"].clone();
            if from.is_null() {
                return items;
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The way to an endpoint, with the tests' own keys.
pub fn way(url: &str) -> Way {
    let https = Https::new(None, Duration::from_secs(10), ClearText::Here, None).unwrap();
    Way {
        url: url.to_owned(),
        region: REGION.to_owned(),
        transport: Box::new(Over(https)),
        keys: Box::new(Same),
        world: Box::new(Clocks),
    }
}

/// The same to the engine that an address names.
pub fn way_to(address: &Address) -> Way {
    way(address.endpoint().unwrap())
}

#[derive(Debug)]
struct Over(Https);

impl Transport for Over {
    fn post(&self, url: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer, Lost> {
        let incoming = self.0.post(url, headers, body);
        let incoming = incoming.map_err(|lost| Lost { reason: lost.reason, perhaps_arrived: lost.perhaps_arrived })?;
        Ok(Answer { status: incoming.status, date: None, body: incoming.body })
    }
}

#[derive(Debug)]
struct Same;

impl Keys for Same {
    fn fetch(&self, _: &str) -> Result<Credentials, Error> {
        Ok(Credentials::new(KEY_ID, SECRET, None))
    }
}

#[derive(Debug)]
struct Clocks;

impl World for Clocks {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Timestamp::from_unix(since.as_secs())
    }

    fn deadline(&self, limit: Duration) -> Box<dyn Fn() -> bool + Send + Sync> {
        let start = Instant::now();
        Box::new(move || start.elapsed() >= limit)
    }

    fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
