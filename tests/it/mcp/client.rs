//! A client that sends lines and reads lines.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Home, SEED};

/// How long an answer may take that needs no wait; a machine with much to do takes some seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server, and what it says.
pub struct Client {
    pub child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    next: u64,
}

impl Client {
    /// A server that allows `ci/*`, in a session that has begun.
    pub fn start(home: &Home) -> Self {
        Self::start_with(home, &["--allow", "ci/*"])
    }

    pub fn start_with(home: &Home, arguments: &[&str]) -> Self {
        let mut command = home.command();
        command.arg("mcp").args(arguments);
        Self::begin(&mut command)
    }

    /// The same by a command that ends in the program.
    pub fn begin(command: &mut Command) -> Self {
        let mut client = Self::connect(command);
        client.initialize();
        client
    }

    /// Nothing has been said yet.
    pub fn connect(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        let (said, lines) = channel();
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| said.send(line)));
        Self { child, stdin, lines, next: 0 }
    }

    fn initialize(&mut self) {
        let info = json!({ "name": "test", "version": "1.2" });
        let answer =
            self.ask("initialize", &json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": info }));
        assert_eq!(answer["result"]["protocolVersion"], "2025-06-18", "{answer}");
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    pub fn send(&mut self, message: &Value) {
        self.raw(format!("{message}\n").as_bytes());
    }

    /// The next line.
    pub fn read(&mut self) -> Value {
        let line = self.lines.recv_timeout(PATIENCE).expect("nothing was answered");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// Whether nothing more comes until stdout is closed.
    pub fn is_silent(&mut self) -> bool {
        self.lines.recv_timeout(PATIENCE).is_err_and(|error| error == std::sync::mpsc::RecvTimeoutError::Disconnected)
    }

    pub fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.next += 1;
        let id = self.next;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        let answer = self.read();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    /// Sends a call, under an id of the caller's.
    pub fn call(&mut self, id: &Value, tool: &str, arguments: &Value) {
        let params = json!({ "name": tool, "arguments": arguments, "_meta": { "progressToken": id } });
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }));
    }

    /// A call that will wait, once it has said so.
    pub fn wait(&mut self, id: &Value, tool: &str, arguments: &Value) -> Value {
        self.call(id, tool, arguments);
        let told = self.read();
        assert_eq!(told["method"], "notifications/progress", "{told}");
        assert_eq!(told["params"]["progressToken"], *id, "{told}");
        told["params"].clone()
    }

    pub fn cancel(&mut self, id: &Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": id } }));
    }

    /// The result of a call that is answered at once.
    pub fn tool(&mut self, tool: &str, arguments: &Value) -> Value {
        let answer = self.ask("tools/call", &json!({ "name": tool, "arguments": arguments }));
        let result = &answer["result"];
        let text = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{answer}"));
        if result["isError"] == false {
            assert_eq!(serde_json::from_str::<Value>(text).unwrap(), result["structuredContent"]);
        }
        result.clone()
    }

    /// What a tool answers.
    pub fn given(&mut self, tool: &str, arguments: &Value) -> Value {
        let result = self.tool(tool, arguments);
        assert_eq!(result["isError"], false, "{result}");
        result["structuredContent"].clone()
    }

    /// What it fails with.
    pub fn failure(&mut self, tool: &str, arguments: &Value) -> Value {
        let result = self.tool(tool, arguments);
        assert_eq!(result["isError"], true, "{result}");
        result["structuredContent"].clone()
    }

    pub fn close(&mut self) {
        self.stdin = None;
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// The exit code, and what was said on stderr.
    pub fn ended(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        let mut said = String::new();
        std::io::Read::read_to_string(&mut self.child.stderr.take().unwrap(), &mut said).unwrap();
        (code, said)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Adds a device none of whose codes was given yet.
pub fn add(home: &Home, name: &str, source: &str) {
    home.run_with(&["add", name, "-", "--no-code"], source.as_bytes()).expect(0);
}

/// A home with a device whose step lasts for hours, so that a call for the next one certainly waits.
pub fn slow(name: &str) -> Home {
    let home = Home::new();
    add(&home, name, &format!("otpauth://totp/Example:x?secret={SEED}&period=40000"));
    home
}

/// The step of a fresh code a period from now: the one that a wait takes.
pub fn next_step(home: &Home, name: &str) -> Value {
    home.run(&["code", name, "--fresh", "--at", "+40000s", "--json"]).expect(0).json()["step"].clone()
}
