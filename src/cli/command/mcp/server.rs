//! The protocol's server: what each message is answered with. Each tool call runs in its own thread, so that one that waits
//! holds nothing up.

use std::io::{self, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use serde::Serialize;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::arguments::Asked;
use super::calls::{self, CANCELLED, Call, Calls, NotBegun};
use super::dispense::{Dispenser, Given};
use super::input::{self, Line};
use super::message::{Answer, INTERNAL_ERROR, INVALID_PARAMS, INVALID_REQUEST, Id, METHOD_NOT_FOUND, Message, Refusal};
use super::output::Outbox;
use super::tools;
use crate::cli::command::dispense::audit::Client;
use crate::cli::error::{Error, Kind};
use crate::cli::hints;
use crate::cli::json;
use crate::cli::render::plain;

/// The revisions of the protocol that begin with `initialize`, the newest last. What was added in one is passed over by clients
/// of those before.
const VERSIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

/// The longest name or version of a client that is kept, in characters.
const LONGEST_CLIENT: usize = 128;

/// One client, and what it is served by.
pub(super) struct Server {
    pub(super) dispenser: Arc<Dispenser>,
    pub(super) calls: Arc<Calls>,
    pub(super) outbox: Arc<Outbox>,
    /// Who it is, once it has said so.
    client: Option<Client>,
}

impl Server {
    pub(super) fn new(dispenser: Arc<Dispenser>, calls: Arc<Calls>, outbox: Arc<Outbox>) -> Self {
        Self { dispenser, calls, outbox, client: None }
    }

    /// Answers all that comes, until nothing comes any more, or nothing can be answered.
    ///
    /// # Errors
    ///
    /// Those of reading.
    pub(super) fn serve(&mut self, input: impl io::Read) -> io::Result<()> {
        let mut input = BufReader::new(input);
        let mut line = Vec::new();
        loop {
            let read = match input::next(&mut input, &mut line)? {
                Line::End => return Ok(()),
                Line::Whole if line.trim_ascii().is_empty() => continue,
                Line::Whole => Message::read(&line),
                Line::TooLong => {
                    let message = format!("a message has at most {} bytes", input::LONGEST);
                    Err((Id::None, Refusal::new(INVALID_REQUEST, message)))
                }
            };
            let sent = match read {
                Ok(Message::Request { id, method, params }) => self.request(&id, &method, params),
                Ok(Message::Notification { method, params }) => {
                    self.notification(&method, &params);
                    true
                }
                Ok(Message::Answer) => true,
                Err((id, refusal)) => self.refuse(&id, &refusal),
            };
            if !sent {
                return Ok(());
            }
        }
    }

    /// False where nothing is answered any more.
    fn request(&mut self, id: &Id, method: &str, params: Map<String, Value>) -> bool {
        let result = match method {
            "initialize" => self.initialize(&params),
            "ping" => Ok(json!({})),
            "tools/list" | "tools/call" if self.client.is_none() => {
                Err(Refusal::new(INVALID_REQUEST, "`initialize` comes first"))
            }
            "tools/list" if params.get("cursor").is_some_and(|cursor| !cursor.is_null()) => {
                Err(Refusal::new(INVALID_PARAMS, "there is no such cursor: all tools are on one page"))
            }
            "tools/list" => Ok(tools::list()),
            "tools/call" => match self.call(id, params) {
                Ok(sent) => return sent,
                Err(refusal) => Err(refusal),
            },
            _ => Err(Refusal::new(METHOD_NOT_FOUND, "there is no such method")),
        };
        match result {
            Ok(result) => self.outbox.send(&Answer { id, outcome: Ok(result) }),
            Err(refusal) => self.refuse(id, &refusal),
        }
    }

    fn refuse(&self, id: &Id, refusal: &Refusal) -> bool {
        self.outbox.send(&Answer::<()> { id, outcome: Err(refusal) })
    }

    fn notification(&self, method: &str, params: &Map<String, Value>) {
        if method == "notifications/cancelled"
            && let Some(id) = params.get("requestId").and_then(Id::of)
        {
            self.calls.cancel(&id);
        }
    }

    fn initialize(&mut self, params: &Map<String, Value>) -> Result<Value, Refusal> {
        if self.client.is_some() {
            return Err(Refusal::new(INVALID_REQUEST, "`initialize` comes once"));
        }
        let asked = params.get("protocolVersion").and_then(Value::as_str);
        let asked = asked.ok_or_else(|| Refusal::new(INVALID_PARAMS, "`protocolVersion` has to be a string"))?;
        let [.., newest] = VERSIONS;
        let version = VERSIONS.into_iter().find(|version| *version == asked).unwrap_or(newest);
        let text = |name: &str| {
            let text = params.get("clientInfo").and_then(|info| info.get(name)?.as_str());
            let missing = || Refusal::new(INVALID_PARAMS, format!("`clientInfo.{name}` has to be a string"));
            Ok(text.ok_or_else(missing)?.chars().take(LONGEST_CLIENT).collect::<String>())
        };
        self.client = Some(Client { name: text("name")?, version: text("version")? });
        Ok(json!({
            "protocolVersion": version,
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "vmfa", "title": "vmfa, a virtual MFA device", "version": env!("CARGO_PKG_VERSION") },
            "instructions": tools::INSTRUCTIONS,
        }))
    }

    /// Begins a call. False where nothing is answered any more.
    fn call(&self, id: &Id, mut params: Map<String, Value>) -> Result<bool, Refusal> {
        let invalid = |message: &str| Refusal::new(INVALID_PARAMS, message);
        let Some(Value::String(tool)) = params.remove("name") else {
            return Err(invalid("`name` has to be a tool's name"));
        };
        let arguments = match params.remove("arguments") {
            None => Map::new(),
            Some(Value::Object(arguments)) => arguments,
            Some(_) => return Err(invalid("`arguments` has to be an object")),
        };
        let asked = Asked::of(&tool, arguments).ok_or_else(|| invalid("there is no such tool"))?;
        let asked = match asked {
            Ok(asked) => asked,
            Err(error) => return Ok(self.outbox.send(&Answer { id, outcome: Ok(Outcome::failed(&error)) })),
        };
        let token = params.get("_meta").and_then(|meta| Id::of(meta.get("progressToken")?));
        let progress = token.map(|token| (token, Arc::clone(&self.outbox)));
        let begun = self.calls.begin(id.clone(), progress).map_err(|reason| match reason {
            NotBegun::SameId => Some(Refusal::new(INVALID_REQUEST, "another call with this `id` is being answered")),
            NotBegun::TooMany => None,
        });
        let worker = match begun {
            Ok(call) => self.worker(id, asked, call),
            Err(Some(refusal)) => return Err(refusal),
            Err(None) => Err(io::ErrorKind::ResourceBusy.into()),
        };
        Ok(worker.is_ok() || self.outbox.send(&Answer { id, outcome: Ok(Outcome::failed(&busy())) }))
    }

    /// A thread that answers a call.
    fn worker(&self, id: &Id, asked: Asked, call: Call) -> io::Result<()> {
        let (id, outbox, dispenser) = (id.clone(), Arc::clone(&self.outbox), Arc::clone(&self.dispenser));
        let client = self.client.clone().unwrap_or_default();
        let work = move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| dispenser.answer(&asked, &client, &call)));
            if !call.is_done() {
                return;
            }
            match outcome {
                Ok(Ok(given)) => outbox.send(&Answer { id: &id, outcome: Ok(Outcome::given(given)) }),
                Ok(Err(error)) if error.code() == CANCELLED => true,
                Ok(Err(error)) => outbox.send(&Answer { id: &id, outcome: Ok(Outcome::failed(&error)) }),
                Err(_) => {
                    let refusal = Refusal::new(INTERNAL_ERROR, "the call broke off; a code that it had counts as used");
                    outbox.send(&Answer::<()> { id: &id, outcome: Err(&refusal) })
                }
            };
        };
        thread::Builder::new().name("call".to_owned()).spawn(work).map(|_| ())
    }
}

fn busy() -> Error {
    let message = format!("{} calls are being answered already", calls::MOST);
    Error::new(Kind::No, "busy", message).hint(hints::agents::BUSY)
}

/// The result of a call.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    content: [Text; 1],
    structured_content: Structured,
    is_error: bool,
}

/// What people and models read.
#[derive(Serialize)]
struct Text {
    r#type: &'static str,
    text: Zeroizing<String>,
}

/// What programs read.
#[derive(Serialize)]
#[serde(untagged)]
enum Structured {
    Given(Given),
    Failed(Map<String, Value>),
}

impl Outcome {
    /// The text is the same as JSON, for clients that know no structured content.
    fn given(given: Given) -> Self {
        // Room for all of it from the start: what grows leaves copies of codes behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(16 << 10));
        // Nothing that is written to memory fails, and a number or a text is always JSON.
        let _ = json::write(&mut *bytes, &given);
        let text = Zeroizing::new(String::from_utf8(std::mem::take(&mut *bytes)).unwrap_or_default());
        Self::of(text, Structured::Given(given), false)
    }

    fn failed(error: &Error) -> Self {
        let hints = error.hints().iter().map(|hint| format!("\nhint: {}", plain(hint)));
        let text = std::iter::once(plain(error.message()).into_owned()).chain(hints).collect();
        let mut fields = match serde_json::to_value(error.fields()) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        if let Some(code) = fields.remove("code") {
            fields.insert("kind".to_owned(), code);
        }
        Self::of(Zeroizing::new(text), Structured::Failed(fields), true)
    }

    fn of(text: Zeroizing<String>, structured_content: Structured, is_error: bool) -> Self {
        Self { content: [Text { r#type: "text", text }], structured_content, is_error }
    }
}
