//! A server of `vmfa share`, where `VMFA_URL` names one: it is asked instead of this machine's registry and vault.

use std::io::{self, Read as _, Write};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use ureq::tls::TlsConfig;
use zeroize::Zeroizing;

use super::environment;
use super::error::{Error, Kind, Result};
use super::hints;
use super::proxy;
use super::render::{self, Answer, plain, table};
use crate::aws::https::{ClearText, certificates, may_have_arrived};

/// How long a connection may take to come about, and an answer beyond what was to be waited for.
const CONNECT: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(30);

/// How long nobody is told of a wait.
const QUIET: Duration = Duration::from_secs(1);

/// The largest answer: ten thousand devices have some 5 MiB.
const LARGEST: u64 = 64 << 20;

/// The largest file with a token or certificates.
const LARGEST_FILE: u64 = 1 << 20;

/// A server, and the token to ask it with.
pub(super) struct Remote {
    url: String,
    token: Zeroizing<String>,
    roots: Option<Vec<u8>>,
}

impl Remote {
    /// The server that the environment names; none where it names none.
    ///
    /// # Errors
    ///
    /// A URL that isn't one, or no token.
    pub(super) fn find() -> Result<Option<Self>> {
        let Some(url) = environment::text("VMFA_URL") else { return Ok(None) };
        let about = |error: Error| error.about("VMFA_URL");
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let Some(rest) = rest.filter(|rest| !rest.is_empty()) else {
            return Err(about(Error::usage(format!("`{}` is not an http:// or https:// URL", plain(&url)))));
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(about(Error::usage("it can't have a user or password: it was not used")));
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port),
            _ => (authority, ""),
        };
        if host.is_empty() {
            return Err(about(Error::usage(format!("`{}` names no server", plain(&url)))));
        }
        if !port.is_empty() && port.parse::<u16>().is_err() {
            return Err(about(Error::usage(format!("`{}` has no valid port", plain(&url)))));
        }
        if rest.contains(['?', '#']) {
            return Err(about(Error::usage("it can't have a query or fragment")));
        }
        let url = url.trim_end_matches('/').to_owned();
        let roots = environment::path("VMFA_CA_BUNDLE").map(|path| file("VMFA_CA_BUNDLE", &path)).transpose()?;
        Ok(Some(Self { url, token: token()?, roots: roots.map(|bytes| bytes.to_vec()) }))
    }

    /// Refuses options that the server has no say in.
    ///
    /// # Errors
    ///
    /// The first that is given.
    pub(super) fn expect_none(&self, options: &[(&str, bool)]) -> Result<()> {
        match options.iter().find(|(_, given)| *given) {
            Some((option, _)) => {
                let message = format!("{option} can't be used with the server that VMFA_URL names");
                Err(Error::usage(message).hint(hints::share::UNSET_URL))
            }
            None => Ok(()),
        }
    }

    /// A code of a device.
    ///
    /// # Errors
    ///
    /// What the server refuses with, and an answer without a code.
    pub(super) fn code(&self, question: &Value, wait: u64) -> Result<Passed> {
        let answer = self.post("/v1/codes", question, wait)?;
        self.expect_codes(&answer, &["code"])?;
        Ok(Passed::of(answer, What::Code))
    }

    /// Two codes.
    ///
    /// # Errors
    ///
    /// The same.
    pub(super) fn pair(&self, question: &Value, wait: u64) -> Result<Passed> {
        let answer = self.post("/v1/pairs", question, wait)?;
        self.expect_codes(&answer, &["authentication_code1", "authentication_code2"])?;
        Ok(Passed::of(answer, What::Pair))
    }

    /// Something that is given back.
    ///
    /// # Errors
    ///
    /// What the server refuses with, and an answer that doesn't say what was given back.
    pub(super) fn release(&self, question: &Value) -> Result<Passed> {
        let answer = self.post("/v1/release", question, 0)?;
        match answer.get("released").and_then(Value::as_str) {
            Some("code" | "pair") => Ok(Passed::of(answer, What::Released)),
            _ => Err(self.foreign("it doesn't say what was given back")),
        }
    }

    /// The devices that this client may use; of those, the ones that are wanted.
    ///
    /// # Errors
    ///
    /// What the server refuses with, and an answer that isn't a list of devices.
    pub(super) fn devices(&self, wanted: impl Fn([&str; 3]) -> bool) -> Result<Devices> {
        let answer = self.get("/v1/devices")?;
        let all = answer.get("devices").and_then(Value::as_array);
        let all = all.filter(|all| all.iter().all(|device| !of_device(device, "name").is_empty()));
        let all = all.ok_or_else(|| self.foreign("it lists no devices"))?;
        let wanted = |device: &&Value| wanted(["name", "issuer", "account"].map(|key| of_device(device, key)));
        Ok(Devices { devices: all.iter().filter(wanted).cloned().collect() })
    }

    /// Makes sure that what will be printed is a code: a script would go on with anything else.
    fn expect_codes(&self, answer: &Value, keys: &[&str]) -> Result<()> {
        let is_code = |key: &&str| {
            let text = answer.get(*key).and_then(Value::as_str).unwrap_or_default();
            (5..=10).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        };
        if keys.iter().all(is_code) && !of_device(answer, "device").is_empty() {
            return Ok(());
        }
        Err(self.foreign("its answer has no code"))
    }

    /// What a path answers to a question; it may wait for so many seconds.
    fn post(&self, path: &str, question: &Value, wait: u64) -> Result<Value> {
        let agent = self.agent(Duration::from_secs(wait).saturating_add(PATIENCE))?;
        let request = agent.post(format!("{}{path}", self.url)).header("authorization", &*self.bearer());
        let _over = (wait > 0).then(|| self.tell_of_wait());
        self.answer(request.content_type("application/json").send(question.to_string()))
    }

    /// What a path answers.
    fn get(&self, path: &str) -> Result<Value> {
        let agent = self.agent(PATIENCE)?;
        self.answer(agent.get(format!("{}{path}", self.url)).header("authorization", &*self.bearer()).call())
    }

    /// Says that the server is waited for, unless the result is dropped first.
    fn tell_of_wait(&self) -> mpsc::Sender<()> {
        let (over, waits) = mpsc::channel();
        let message = format!("waiting for a code from {}", plain(&self.url));
        // Without a thread, nothing is said.
        let _ = thread::Builder::new().spawn(move || {
            if waits.recv_timeout(QUIET) == Err(mpsc::RecvTimeoutError::Timeout) {
                render::note(&message);
            }
        });
        over
    }

    fn bearer(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("Bearer {}", *self.token))
    }

    fn agent(&self, limit: Duration) -> Result<ureq::Agent> {
        let config = ureq::Agent::config_builder()
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(limit))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("vmfa/", env!("CARGO_PKG_VERSION")));
        if self.url.starts_with("http://") {
            return Ok(ClearText::Here.agent(config.proxy(None).build()));
        }
        proxy::expect_usable()?;
        let roots = self.roots.as_deref().map(certificates).transpose();
        let roots = roots.map_err(|why| Error::input("certificates", format!("VMFA_CA_BUNDLE {why}")))?;
        Ok(match roots {
            Some(roots) => config.tls_config(TlsConfig::builder().root_certs(roots).build()).build().into(),
            None => config.build().into(),
        })
    }

    fn answer(&self, outcome: std::result::Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value> {
        const USED: &str = "a code that it was giving counts as used";
        let mut response = outcome.map_err(|error| {
            let lost = self.unreachable(&error.to_string());
            if may_have_arrived(&error) { lost.followed_by(USED) } else { lost }
        })?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(LARGEST).read_to_vec();
        let body = Zeroizing::new(body.map_err(|error| {
            let lost = self.unreachable(&error.to_string());
            lost.followed_by(USED)
        })?);
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        match status {
            200 if answer.is_object() => Ok(answer),
            200..300 => Err(self.foreign("its answer isn't JSON")),
            _ => Err(self.refusal(status, &answer)),
        }
    }

    /// What the server said, as this program says it.
    fn refusal(&self, status: u16, answer: &Value) -> Error {
        let Some(error) = answer.get("error").and_then(Value::as_object) else {
            return self.foreign(&format!("it answers with status {status}"));
        };
        let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
        let kind = match status {
            400 | 413 | 415 => Kind::Usage,
            404 | 409 => Kind::No,
            _ => Kind::Remote,
        };
        let failure = Error::told(kind, text("code"), text("message"));
        let wait = error.get("wait_seconds").and_then(Value::as_u64);
        let at = error.get("available_at").and_then(Value::as_str);
        let at = at.and_then(|at| crate::time::Timestamp::parse(at, crate::time::Timestamp::from_unix(0)).ok());
        let failure = match at.zip(wait) {
            Some((at, wait)) => failure.available(at, wait).hint(hints::devices::TIMEOUT),
            None => failure,
        };
        match status {
            401 => failure.hint(hints::share::ASK_FOR_TOKEN),
            404 => failure.hint(hints::devices::LIST_FOR_PATTERN),
            _ => failure,
        }
    }

    fn unreachable(&self, reason: &str) -> Error {
        let reason = reason.strip_prefix("io: ").unwrap_or(reason);
        Error::new(Kind::Remote, "server-unreachable", format!("{} can't be reached: {reason}", plain(&self.url)))
            .hint(hints::share::CHECK_URL)
    }

    fn foreign(&self, what: &str) -> Error {
        let message = format!("{} isn't a server of `vmfa share`: {what}", plain(&self.url));
        Error::new(Kind::Remote, "server-answer", message).hint(hints::share::CHECK_URL)
    }
}

/// `VMFA_TOKEN`, or what is in the file that `VMFA_TOKEN_FILE` names.
fn token() -> Result<Zeroizing<String>> {
    let token = match (environment::text("VMFA_TOKEN"), environment::path("VMFA_TOKEN_FILE")) {
        (Some(token), _) => Zeroizing::new(token),
        (None, Some(path)) => {
            let bytes = file("VMFA_TOKEN_FILE", &path)?;
            Zeroizing::new(String::from_utf8_lossy(&bytes).trim().to_owned())
        }
        (None, None) => {
            let message = "VMFA_URL is set, and neither VMFA_TOKEN nor VMFA_TOKEN_FILE";
            return Err(Error::usage(message).hint(hints::share::ASK_FOR_TOKEN));
        }
    };
    let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    if is_token { Ok(token) } else { Err(Error::usage("that is no access token; it is not repeated here")) }
}

fn file(variable: &str, path: &std::path::Path) -> Result<Zeroizing<Vec<u8>>> {
    let failed = |error: io::Error| Error::unreadable("file", path, &error).about(variable);
    let mut bytes = Zeroizing::new(Vec::with_capacity(4 << 10));
    std::fs::File::open(path).map_err(failed)?.take(LARGEST_FILE).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// What the server answered, passed on.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Passed {
    answer: Value,
    #[serde(skip)]
    what: What,
}

/// What people see of it.
#[derive(Debug, Clone, Copy)]
enum What {
    Code,
    Pair,
    Released,
    Copied,
}

impl Passed {
    const fn of(answer: Value, what: What) -> Self {
        Self { answer, what }
    }

    /// The same without the code, which was copied.
    pub(super) fn copied(mut self, way: &str) -> Self {
        if let Some(keys) = self.answer.as_object_mut() {
            keys.remove("code");
            keys.remove("codes");
            keys.insert("copied".to_owned(), json!(way));
        }
        Self { what: What::Copied, ..self }
    }

    /// A text of the answer; empty where there is none.
    pub(super) fn text(&self, key: &str) -> &str {
        self.answer.get(key).and_then(Value::as_str).unwrap_or_default()
    }
}

impl Answer for Passed {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        let shown = |key: &str| plain(self.text(key)).into_owned();
        let valid = self.answer.get("validity_seconds").and_then(Value::as_u64);
        let valid = valid.map(|seconds| format!("valid for {seconds} s"));
        match self.what {
            What::Pair => writeln!(out, "{}\n{}", shown("authentication_code1"), shown("authentication_code2")),
            What::Released => writeln!(out, "gave back the {} of {}", shown("released"), shown("device")),
            What::Copied => {
                render::note(&format!("copied the code of {}", shown("device")));
                Ok(())
            }
            What::Code => {
                writeln!(out, "{}", shown("code"))?;
                if render::for_eyes() {
                    let valid = valid.map(|valid| format!(": {valid}")).unwrap_or_default();
                    render::note(&format!("from {}{valid}", shown("device")));
                }
                Ok(())
            }
        }
    }
}

/// The devices that the server lets its client use.
#[derive(Debug, Serialize)]
pub(super) struct Devices {
    devices: Vec<Value>,
}

impl Devices {
    pub(super) fn is_empty(&self) -> bool {
        self.devices.is_empty()
    }
}

fn of_device<'a>(device: &'a Value, key: &str) -> &'a str {
    device.get(key).and_then(Value::as_str).unwrap_or_default()
}

impl Answer for Devices {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.devices.is_empty() {
            render::note("there is no such device that your access token may use");
            return Ok(());
        }
        let cell = |device: &Value, key: &str| match of_device(device, key) {
            "" => "-".to_owned(),
            text => plain(text).into_owned(),
        };
        let row =
            |device: &Value| ["name", "issuer", "account", "type", "last_used"].map(|key| cell(device, key)).to_vec();
        table(
            out,
            &["NAME", "ISSUER", "ACCOUNT", "TYPE", "LAST USED"],
            &self.devices.iter().map(row).collect::<Vec<_>>(),
        )
    }
}

/// What is asked for a code.
pub(super) fn for_code(device: &str, window: Option<Option<u64>>, min_validity: Option<u64>, timeout: u64) -> Value {
    let window = window.map(|steps| steps.map_or_else(|| json!("accepted"), |steps| json!(steps)));
    json!({ "device": device, "window": window, "min_validity": min_validity, "timeout": timeout.min(LONGEST_WAIT) })
}

/// The longest that a server waits.
pub(super) const LONGEST_WAIT: u64 = 3_600;
