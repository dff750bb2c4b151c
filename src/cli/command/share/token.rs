//! `vmfa share token`: who may ask the server, and for which devices.

use std::io::{self, Write};

use serde::Serialize;
use zeroize::Zeroizing;

use super::bearer;
use crate::cli::command::dispense::allowed::Allowed;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::open::Place;
use crate::cli::render::{self, Answer, plain, table};
use crate::cli::{Global, candidates, clock, hints};
use crate::name::Name;
use crate::registry::AccessToken;
use crate::time::Timestamp;

/// Say who may ask for codes, and of which devices
#[derive(Debug, clap::Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  vmfa share token add ci-runners --allow 'ci/*' --expires 30d
  vmfa share token list
  vmfa share token remove ci-runners"
)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Add(Add),
    #[command(visible_alias = "ls")]
    List(List),
    #[command(visible_alias = "rm")]
    Remove(Remove),
}

/// Make an access token and print it, once
///
/// The registry keeps a hash of it, so nobody can read it there. Give it to clients as VMFA_TOKEN, or in a file that VMFA_TOKEN_FILE
/// names.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa share token add ci-runners --allow 'ci/*'
  vmfa share token add deploy --allow prod/deploy --expires never")]
struct Add {
    /// A name for it, by which you remove it
    name: Name,
    /// A device that it may be used for, or a pattern such as 'ci/*' (`*` and `?` don't match `/`, `**` does). Repeat it for more
    #[arg(long, value_name = "PATTERN", required = true, add = candidates::pool())]
    allow: Vec<String>,
    /// How long it is good for, such as 12h or 30d, or `never`
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = expiry)]
    expires: Expiry,
}

/// List access tokens, without the tokens themselves
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa share token list
  vmfa share token list --json")]
struct List {}

/// Remove access tokens. Servers refuse them within 5 seconds
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa share token remove ci-runners
  vmfa share token remove ci-runners deploy")]
struct Remove {
    /// Their names
    #[arg(required = true)]
    name: Vec<Name>,
}

#[derive(Debug, Clone, Copy)]
enum Expiry {
    Never,
    In(u64),
}

/// The longest, in seconds: what is to be good for longer than ten years is good for ever.
const LONGEST: u64 = 3_650 * 86_400;

/// The most patterns that one may have.
const MOST_PATTERNS: usize = 100;

fn expiry(text: &str) -> std::result::Result<Expiry, String> {
    if text == "never" {
        return Ok(Expiry::Never);
    }
    let seconds = crate::time::duration(text).filter(|seconds| (1..=LONGEST).contains(seconds));
    seconds.map(Expiry::In).ok_or_else(|| "expected a time from 1s to 3650d, such as 30d, or `never`".to_owned())
}

/// A new access token.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Made {
    /// The token. It is shown this once.
    #[cfg_attr(test, schemars(with = "String"))]
    token: Zeroizing<String>,
    #[serde(flatten)]
    described: Described,
}

/// What is known of an access token.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Described {
    /// Its name.
    name: String,
    /// Names and patterns of the devices that it may be used for.
    allow: Vec<String>,
    /// When it was made, RFC 3339.
    created: String,
    /// From when on it is refused, RFC 3339; null if it doesn't expire.
    expires: Option<String>,
    /// Whether it is refused already.
    expired: bool,
}

impl Described {
    fn of(token: &AccessToken, now: Timestamp) -> Self {
        Self {
            name: token.name.to_string(),
            allow: token.allow.clone(),
            created: token.created.to_rfc3339(),
            expires: token.expires.map(Timestamp::to_rfc3339),
            expired: token.is_expired(now),
        }
    }
}

/// The access tokens there are.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Listed {
    access_tokens: Vec<Described>,
}

/// The access tokens that were removed.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Removed {
    removed: Vec<String>,
}

impl Answer for Made {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", *self.token)?;
        let expires = self.described.expires.as_ref().map(|at| format!(", until {at}")).unwrap_or_default();
        render::note(&format!("it is shown this once, and is good for {}{expires}", self.described.allow.join(", ")));
        Ok(())
    }
}

impl Answer for Listed {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.access_tokens.is_empty() {
            render::note(hints::share::NO_TOKENS);
            return Ok(());
        }
        let row = |token: &Described| {
            let expires = match (&token.expires, token.expired) {
                (None, _) => "never".to_owned(),
                (Some(at), false) => at.clone(),
                (Some(at), true) => format!("{at} (expired)"),
            };
            vec![plain(&token.name).into_owned(), plain(&token.allow.join(" ")).into_owned(), expires]
        };
        table(out, &["NAME", "ALLOW", "EXPIRES"], &self.access_tokens.iter().map(row).collect::<Vec<_>>())
    }
}

impl Answer for Removed {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        self.removed.iter().try_for_each(|name| writeln!(out, "removed {}", plain(name)))
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        match &self.command {
            Command::Add(add) => add.run(global),
            Command::List(List {}) => list(global),
            Command::Remove(remove) => remove.run(global),
        }
    }
}

impl Add {
    fn run(&self, global: &Global) -> Result<()> {
        if self.allow.len() > MOST_PATTERNS {
            return Err(Error::usage(format!("an access token has at most {MOST_PATTERNS} patterns")));
        }
        Allowed::of(&self.allow)?;
        let now = clock::now();
        let token = bearer::new()?;
        let made = AccessToken {
            name: self.name.clone(),
            hash: bearer::hash(&token),
            allow: self.allow.clone(),
            created: now,
            expires: match self.expires {
                Expiry::Never => None,
                Expiry::In(seconds) => now.plus(seconds),
            },
        };
        Place::find(global)?.registry_for_new()?.add_access_token(&made)?;
        render::print(&Made { token, described: Described::of(&made, now) }, global.json)
    }
}

fn list(global: &Global) -> Result<()> {
    let now = clock::now();
    let tokens = Place::find(global)?.registry()?.access_tokens()?;
    let access_tokens = tokens.iter().map(|token| Described::of(token, now)).collect();
    render::print(&Listed { access_tokens }, global.json)
}

impl Remove {
    fn run(&self, global: &Global) -> Result<()> {
        let registry = Place::find(global)?.registry()?;
        let known = registry.access_tokens()?;
        if let Some(name) = self.name.iter().find(|name| known.iter().all(|token| token.name != **name)) {
            let message = format!("there is no access token named `{name}`");
            return Err(Error::new(Kind::No, "no-such-token", message).hint(hints::share::LIST_TOKENS));
        }
        for name in &self.name {
            registry.remove_access_token(name)?;
        }
        render::print(&Removed { removed: self.name.iter().map(ToString::to_string).collect() }, global.json)
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "share-token-add": Made;
    "share-token-list": Listed;
    "share-token-remove": Removed;
}
