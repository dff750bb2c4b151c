//! Whose secrets they are: identities that decrypt, recipients that are encrypted to.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use age::secrecy::{ExposeSecret, SecretString};
use age::{Encryptor, scrypt, ssh, x25519};
use zeroize::Zeroizing;

use super::super::Error;
use super::files::{self, MAX_FILE};
use super::header;
use super::plugin::{self, Plugins, Stub};
use super::recipients::Recipients;
use super::sealing::{reason, sealed};
use crate::file::Streams;

/// The most work, as a power of two, that a passphrase-protected identity may ask for: 4 GiB and some ten seconds.
const MAX_WORK_FACTOR: u8 = 22;

/// Answers with the passphrase of the file that it is given the name of.
pub type Passphrase = Arc<dyn Fn(&str) -> Result<Zeroizing<String>, Error> + Send + Sync>;

/// Fetches the text of an identity from where it is kept.
pub type Fetch = Arc<dyn Fn() -> Result<Zeroizing<String>, Error> + Send + Sync>;

/// What decrypts.
pub(super) type Keys = Vec<Box<dyn age::Identity + Send + Sync>>;

/// Where the identity comes from. It is not read before it is needed.
#[derive(Clone)]
pub enum Identity {
    /// A file: age identities in plain text, some of which plugins may hold; the same encrypted with a passphrase; or an SSH
    /// private key.
    File {
        /// Which.
        path: PathBuf,
        /// Asked only if the file turns out to need one, and once.
        passphrase: Passphrase,
    },
    /// The text of an identity file that needs no passphrase.
    Text(Zeroizing<String>),
    /// Kept elsewhere, as the text of an identity file that needs no passphrase; fetched when it is needed.
    Kept(Fetch),
    /// None: secrets can be stored, but not read.
    None,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, .. } => path.display().fmt(f),
            Self::Text(_) | Self::Kept(_) => f.write_str("the age identity"),
            Self::None => f.write_str("no identity"),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({self})")
    }
}

impl Identity {
    /// Its content as it is stored, and how to ask for a passphrase.
    fn content(&self) -> Result<(Zeroizing<Vec<u8>>, Option<&Passphrase>), Error> {
        match self {
            Self::File { path, passphrase } => Ok((read_identity(path)?, Some(passphrase))),
            Self::Text(text) => Ok((Zeroizing::new(text.as_bytes().to_vec()), None)),
            Self::Kept(fetch) => Ok((Zeroizing::new(fetch()?.as_bytes().to_vec()), None)),
            Self::None => Err(Error::NoIdentity),
        }
    }

    pub(super) fn keys(&self, plugins: &Plugins) -> Result<Keys, Error> {
        let (bytes, passphrase) = self.content()?;
        parsed(&bytes, &self.to_string(), passphrase, plugins)
    }

    /// What it takes to open it.
    pub(super) fn needs(&self) -> Result<Needs, Error> {
        let (bytes, _) = self.content()?;
        let from = self.to_string();
        let protected = match Form::of(&bytes) {
            Form::Encrypted => true,
            Form::Ssh => matches!(ssh_key(&bytes, &from)?, ssh::Identity::Encrypted(_)),
            Form::Plain => {
                let plugins = Plain::read(&bytes, &from)?.plugins();
                return Ok(if plugins.is_empty() { Needs::Nothing } else { Needs::Plugins(plugins) });
            }
        };
        Ok(if protected { Needs::Passphrase } else { Needs::Nothing })
    }
}

/// What it takes to open an identity.
pub(super) enum Needs {
    Nothing,
    Passphrase,
    /// These plugins, which may need somebody to touch or type something.
    Plugins(Vec<String>),
}

/// Identities in plain text.
struct Plain {
    native: Vec<x25519::Identity>,
    held: Vec<Held>,
}

/// An identity that a plugin holds.
struct Held {
    stub: Stub,
    /// The recipient that the file names for it.
    recipient: Option<String>,
}

impl Plain {
    fn read(bytes: &[u8], from: &str) -> Result<Self, Error> {
        let failed = || Error::Identity(format!("{from} {NO_IDENTITY}"));
        let text = std::str::from_utf8(bytes).map_err(|_| failed())?;
        let (mut native, mut held) = (Vec::new(), Vec::new());
        let mut named = None;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if let Some(comment) = line.strip_prefix('#') {
                // `# recipient: age1…` or `# public key: age1…`: plugins write it above their identity.
                let word = comment.rsplit(|c: char| c.is_whitespace()).next();
                named = word.and_then(|word| Some((word, plugin::of_recipient(word)?))).or(named);
            } else if let Some(plugin) = plugin::of_identity(line) {
                let recipient = named.take().filter(|(_, of)| *of == plugin).map(|(text, _)| text.to_owned());
                held.push(Held { stub: Stub { plugin, text: Zeroizing::new(line.to_owned()) }, recipient });
            } else if line.starts_with("age1") {
                return Err(Error::Identity(format!("{from} has a recipient in it, and {EMPTY}")));
            } else {
                native.push(line.parse::<x25519::Identity>().map_err(|_| failed())?);
                named = None;
            }
        }
        if native.is_empty() && held.is_empty() {
            return Err(Error::Identity(format!("{from} {EMPTY}")));
        }
        Ok(Self { native, held })
    }

    /// The plugins that it takes, each once.
    fn plugins(&self) -> Vec<String> {
        let mut plugins: Vec<String> = self.held.iter().map(|held| held.stub.plugin.clone()).collect();
        plugins.sort_unstable();
        plugins.dedup();
        plugins
    }

    /// Those that need no plugin first.
    fn keys(self, plugins: &Plugins) -> Keys {
        let names = self.plugins();
        let mut keys: Keys = Vec::with_capacity(self.native.len().saturating_add(names.len()));
        keys.extend(self.native.into_iter().map(|identity| Box::new(identity) as _));
        for plugin in names {
            let its = self.held.iter().filter(|held| held.stub.plugin == plugin);
            let identities = its.map(|held| held.stub.clone()).collect();
            keys.push(Box::new(plugin::Identities { plugin, identities, plugins: plugins.clone() }));
        }
        keys
    }

    fn recipients(self) -> Recipients {
        let mut recipients = Recipients::default();
        recipients.texts.extend(self.native.iter().map(|identity| identity.to_public().to_string()));
        for Held { stub, recipient } in self.held {
            match recipient {
                Some(text) => recipients.texts.push(text),
                None => recipients.held.push(stub),
            }
        }
        recipients
    }
}

/// The recipients that belong to an identity.
pub(super) fn recipients_of(identity: &Identity) -> Result<Recipients, Error> {
    let (bytes, passphrase) = identity.content()?;
    let from = identity.to_string();
    let bytes = match Form::of(&bytes) {
        Form::Encrypted => decrypted(&bytes, &from, passphrase, MAX_FILE)?,
        _ => bytes,
    };
    match Form::of(&bytes) {
        Form::Ssh => ssh::Recipient::try_from(ssh_key(&bytes, &from)?)
            .map(|recipient| Recipients { texts: vec![recipient.to_string()], held: Vec::new() })
            .map_err(|_| Error::Identity(format!("{from}: age can't encrypt to an SSH key of this type"))),
        _ => Ok(Plain::read(&bytes, &from)?.recipients()),
    }
}

/// A new X25519 identity, as the text `AGE-SECRET-KEY-1…`, and the recipient that belongs to it.
#[must_use]
pub fn generate() -> (Zeroizing<String>, String) {
    let identity = x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    (Zeroizing::new(identity.to_string().expose_secret().to_owned()), recipient)
}

/// The recipients that belong to an identity, one of them a line's worth of text each. None where only a plugin knows one,
/// since the identity's file doesn't name it: what is encrypted to the identity itself is encrypted to all of them.
///
/// # Errors
///
/// [`Error::Identity`] if it can't be read, or has none that can be named without its passphrase and it isn't given.
pub fn recipient_of(identity: &Identity) -> Result<Vec<String>, Error> {
    let Recipients { texts, held } = recipients_of(identity)?;
    Ok(if held.is_empty() { texts } else { Vec::new() })
}

/// Whether the content of an identity file is encrypted, with a passphrase.
#[must_use]
pub fn is_encrypted(content: &[u8]) -> bool {
    matches!(Form::of(content), Form::Encrypted)
}

/// The plugins that hold the identities of an identity file in plain text: what follows `age-plugin-` in their names.
#[must_use]
pub fn plugins_of(content: &[u8]) -> Vec<String> {
    match Form::of(content) {
        Form::Plain => Plain::read(content, "").map(|plain| plain.plugins()).unwrap_or_default(),
        Form::Encrypted | Form::Ssh => Vec::new(),
    }
}

/// The text of an identity file as if it had no passphrase, which is asked for.
///
/// # Errors
///
/// [`Error::Identity`] where the passphrase is wrong, or the file is none of age's; and those of reading it.
pub fn unlocked(identity: &Identity) -> Result<Zeroizing<String>, Error> {
    let (bytes, passphrase) = identity.content()?;
    let from = identity.to_string();
    let bytes = if is_encrypted(&bytes) { decrypted(&bytes, &from, passphrase, MAX_FILE)? } else { bytes };
    Plain::read(&bytes, &from)?;
    let text = std::str::from_utf8(&bytes);
    text.map(|text| Zeroizing::new(text.to_owned())).map_err(|_| Error::Identity(format!("{from}: is not UTF-8")))
}

/// An identity's text encrypted with a passphrase, as the bytes of an age file that any age program reads.
///
/// Without a work factor (a power of two), one is measured that takes about a second here.
///
/// # Errors
///
/// [`Error::Identity`] if the work factor is beyond what is read back.
pub fn encrypt_identity(
    identity: &Zeroizing<String>,
    passphrase: &Zeroizing<String>,
    work_factor: Option<u8>,
) -> Result<Vec<u8>, Error> {
    let mut recipient = scrypt::Recipient::new(SecretString::from(passphrase.as_str()));
    if let Some(factor) = work_factor {
        if !(1..=MAX_WORK_FACTOR).contains(&factor) {
            return Err(Error::Identity(format!("a work factor is 1 to {MAX_WORK_FACTOR}, not {factor}")));
        }
        recipient.set_work_factor(factor);
    }
    let failed = |_| Error::Identity("the identity can't be encrypted".to_owned());
    let encryptor = Encryptor::with_recipients(std::iter::once(&recipient as _)).map_err(failed)?;
    sealed(encryptor, identity.as_bytes()).map_err(|_| Error::Identity("the identity can't be encrypted".to_owned()))
}

/// What an identity file is, by how it begins.
enum Form {
    Encrypted,
    Ssh,
    Plain,
}

impl Form {
    fn of(bytes: &[u8]) -> Self {
        let bytes = bytes.trim_ascii_start();
        if bytes.starts_with(b"age-encryption.org/") || bytes.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----") {
            Self::Encrypted
        } else if bytes.starts_with(b"-----BEGIN ") {
            Self::Ssh
        } else {
            Self::Plain
        }
    }
}

/// Whether there is something in a file that opens what is encrypted.
fn holds_identity(content: &[u8]) -> bool {
    match Form::of(content) {
        Form::Encrypted | Form::Ssh => true,
        Form::Plain => {
            let begins =
                |line: &[u8], key: &[u8]| line.get(..key.len()).is_some_and(|part| part.eq_ignore_ascii_case(key));
            let mut lines = content.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
            lines.any(|line| begins(line, b"AGE-SECRET-KEY-") || begins(line, b"AGE-PLUGIN-"))
        }
    }
}

/// An identity file's content, if it is its owner's alone, as ssh demands of a private key.
///
/// # Errors
///
/// Those of the OS, and [`Error::IdentityTooOpen`].
pub fn read_identity(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let file = crate::file::open(path, Streams::Taken).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::IdentityMissing(path.display().to_string()),
        _ => files::at(path)(error),
    })?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let metadata = file.metadata().map_err(files::at(path))?;
        // Someone else's is theirs to mend: what systemd hands to a service belongs to root. What nobody can change is as
        // its mount has it: container runtimes mount secrets read-only, with 0444 or 0440.
        let open =
            metadata.is_file() && metadata.uid() == rustix::process::getuid().as_raw() && metadata.mode() & 0o077 != 0;
        let read_only = || {
            rustix::fs::fstatvfs(&file)
                .is_ok_and(|system| system.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
        };
        if open && !read_only() {
            let content = files::contents(&file, path)?;
            // What isn't one is a slip, which other permissions don't mend.
            if holds_identity(&content) {
                return Err(Error::IdentityTooOpen {
                    path: path.display().to_string(),
                    mode: metadata.mode() & 0o7777,
                });
            }
            return Ok(content);
        }
    }
    files::contents(&file, path)
}

fn parsed(bytes: &[u8], from: &str, passphrase: Option<&Passphrase>, plugins: &Plugins) -> Result<Keys, Error> {
    match Form::of(bytes) {
        Form::Encrypted => {
            let inner = decrypted(bytes, from, passphrase, MAX_FILE)?;
            Ok(Plain::read(&inner, from)?.keys(plugins))
        }
        Form::Plain => Ok(Plain::read(bytes, from)?.keys(plugins)),
        Form::Ssh => {
            let key = match ssh_key(bytes, from)? {
                ssh::Identity::Encrypted(key) => {
                    let passphrase = asked(from, passphrase)?;
                    key.decrypt(passphrase).map_err(|_| wrong_passphrase(from))?.into()
                }
                ssh::Identity::Unsupported(_) => {
                    return Err(Error::Identity(format!("{from}: age can't decrypt with an SSH key of this type")));
                }
                key => key,
            };
            Ok(vec![Box::new(key)])
        }
    }
}

/// What is said of a file without any identity in it.
pub(crate) const EMPTY: &str = "contains no age identity";

/// What is said of a file that is something else.
pub(crate) const NO_IDENTITY: &str = "is neither an age identity nor an SSH key";

fn ssh_key(bytes: &[u8], from: &str) -> Result<ssh::Identity, Error> {
    ssh::Identity::from_buffer(bytes, None).map_err(|_| Error::Identity(format!("{from} is no SSH private key")))
}

/// The content of a file that is encrypted with a passphrase, up to a number of bytes.
pub(super) fn decrypted(
    bytes: &[u8],
    from: &str,
    passphrase: Option<&Passphrase>,
    most: u64,
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let failed = |error: &age::DecryptError| Error::Identity(format!("{from} {}", reason(error)));
    let decryptor = header::read(bytes).map_err(|error| failed(&error))?;
    if !decryptor.is_scrypt() {
        return Err(Error::Identity(format!("{from} is encrypted to another identity, not with a passphrase")));
    }
    let mut key = scrypt::Identity::new(asked(from, passphrase)?);
    key.set_max_work_factor(MAX_WORK_FACTOR);
    let reader = decryptor.decrypt(std::iter::once(&key as _)).map_err(|error| match error {
        age::DecryptError::DecryptionFailed | age::DecryptError::KeyDecryptionFailed => wrong_passphrase(from),
        error => failed(&error),
    })?;
    let mut inner = Zeroizing::new(Vec::with_capacity(bytes.len()));
    reader.take(most).read_to_end(&mut inner).map_err(|_| Error::Identity(format!("{from} is damaged")))?;
    Ok(inner)
}

fn asked(from: &str, passphrase: Option<&Passphrase>) -> Result<SecretString, Error> {
    let ask = passphrase.ok_or_else(|| Error::Identity(format!("{from} is protected by a passphrase")))?;
    ask(from).map(|passphrase| SecretString::from(passphrase.as_str()))
}

fn wrong_passphrase(from: &str) -> Error {
    Error::Identity(format!("{from}: the passphrase is wrong"))
}
