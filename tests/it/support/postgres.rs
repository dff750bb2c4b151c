//! A PostgreSQL server in a temporary directory, the real program, that ends with the test.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Who owns it, with all rights in it.
pub const OWNER: &str = "postgres";

/// The password of every user, which nothing may show.
pub const PASSWORD: &str = "hunter2-pg";

/// A server. Its data is deleted with it.
pub struct Server {
    home: tempfile::TempDir,
    port: u16,
    running: Mutex<Option<Child>>,
}

/// A program of the server, which Debian keeps out of `PATH`.
fn program(name: &str) -> PathBuf {
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .map(|version| version.unwrap().path().join("bin").join(name))
        .filter(|path| path.exists())
        .collect();
    versions.sort();
    versions.pop().unwrap_or_else(|| panic!("{name} is missing (Debian package `postgresql`)"))
}

/// A command as a user whom PostgreSQL lets run it, which root isn't; killed with the test's process, however that ends.
fn unprivileged(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if rustix::process::geteuid().is_root() {
        command.args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]);
    }
    command.args(["--pdeathsig", "KILL"]).arg(program).env("LC_ALL", "C").process_group(0);
    command
}

/// The processes that a process started.
fn children(parent: u32) -> Vec<i32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|process| process.file_name().to_str()?.parse::<i32>().ok());
    let started = |number: &i32| {
        let stat = fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
        fields.split(' ').nth(1) == Some(&parent.to_string())
    };
    numbers.filter(started).collect()
}

impl Server {
    /// A new one, with a database `postgres` and whatever a line of its configuration says.
    pub fn start(configuration: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let data = home.path().join("data");
        fs::create_dir(&data).unwrap();
        for path in [home.path(), &data] {
            if rustix::process::geteuid().is_root() {
                std::os::unix::fs::chown(path, Some(65_534), Some(65_534)).unwrap();
            }
        }
        fs::write(home.path().join("password"), PASSWORD).unwrap();
        let mut initdb = unprivileged(&program("initdb"));
        initdb.args(["--no-sync", "--auth=scram-sha-256", "--encoding=UTF8", "--username", OWNER]);
        initdb.arg("--pwfile").arg(home.path().join("password")).arg("--pgdata").arg(&data);
        let made = initdb.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut text = fs::read_to_string(data.join("postgresql.conf")).unwrap();
        text += &format!(
            "\nlisten_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{}'\n{configuration}\n",
            home.path().display()
        );
        fs::write(data.join("postgresql.conf"), text).unwrap();
        let server = Self { home, port, running: Mutex::default() };
        server.go_on();
        server
    }

    /// Starts it over its data. Processes of one that was killed may live a moment longer, and then it ends at once.
    pub fn go_on(&self) {
        let since = Instant::now();
        let mut child = self.spawn();
        while !self.answers() {
            assert!(since.elapsed() < Duration::from_secs(60), "{}", fs::read_to_string(self.log()).unwrap());
            if child.try_wait().unwrap().is_some() {
                child = self.spawn();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        *self.running.lock().unwrap() = Some(child);
    }

    fn spawn(&self) -> Child {
        let mut postgres = unprivileged(&program("postgres"));
        postgres.arg("-D").arg(self.home.path().join("data"));
        let log = fs::File::options().create(true).append(true).open(self.log()).unwrap();
        postgres.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
    }

    fn log(&self) -> PathBuf {
        self.home.path().join("log")
    }

    fn answers(&self) -> bool {
        let ready = fs::read_to_string(self.home.path().join("data/postmaster.pid"));
        ready.is_ok_and(|text| text.lines().nth(7).is_some_and(|line| line.trim() == "ready"))
            && TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    /// Ends it and all its processes at once, as a power cut would.
    pub fn kill(&self) {
        if let Some(mut child) = self.running.lock().unwrap().take() {
            // Those that it started leave its group.
            let others = children(child.id());
            child.kill().unwrap();
            for other in others.into_iter().filter_map(rustix::process::Pid::from_raw) {
                let _ = rustix::process::kill_process(other, rustix::process::Signal::KILL);
            }
            child.wait().unwrap();
        }
        let _ = fs::remove_file(self.home.path().join("data/postmaster.pid"));
    }

    /// Has it speak TLS by a certificate, too.
    pub fn protect(&self, certificate: &str, key: &str) {
        let own = |from: &str, name: &str| {
            let to = self.home.path().join("data").join(name);
            fs::copy(from, &to).unwrap();
            fs::set_permissions(&to, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
            if rustix::process::geteuid().is_root() {
                std::os::unix::fs::chown(&to, Some(65_534), Some(65_534)).unwrap();
            }
        };
        own(certificate, "server.crt");
        own(key, "server.key");
        self.sql(OWNER, "ALTER SYSTEM SET ssl = on");
        self.sql(OWNER, "SELECT pg_reload_conf()");
        let since = Instant::now();
        while self.sql(OWNER, "SHOW ssl") != "on" {
            assert!(since.elapsed() < Duration::from_secs(20), "no TLS: {}", fs::read_to_string(self.log()).unwrap());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The directory with all its files.
    pub fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// The directory with its socket.
    pub fn sockets(&self) -> &Path {
        self.home.path()
    }

    /// Runs SQL as the owner and gives what it answers, unaligned.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", OWNER]);
        psql.args(["-p", &self.port.to_string(), "-d", database, "-c", sql]).env("PGPASSWORD", PASSWORD);
        let ran = psql.output().expect("psql (Debian package `postgresql-client`)");
        assert!(ran.status.success(), "{sql}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap().trim_end().to_owned()
    }

    /// A database of its own, with nothing in it.
    pub fn database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("d{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.sql(OWNER, &format!("CREATE DATABASE {name}"));
        name
    }

    /// Where a database is, with the password.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{OWNER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// The same without.
    pub fn open_url(&self, database: &str) -> String {
        format!("postgres://{OWNER}@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
