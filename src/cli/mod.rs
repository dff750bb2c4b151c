//! The command line: a command parses into domain types, makes one call, renders one result.

#[cfg(target_os = "linux")]
mod agent;
mod argv;
mod bundle;
mod bytes;
mod candidates;
mod chosen_clock;
mod chosen_registry;
mod clipboard;
mod clock;
mod columns;
mod command;
mod complete;
mod config;
#[cfg(feature = "postgres")]
mod database;
mod described;
#[cfg(feature = "dynamodb")]
mod dynamodb;
mod empty;
mod environment;
mod error;
mod filter;
mod global;
mod help;
mod hints;
mod home;
mod hygiene;
mod interrupt;
mod json;
mod lifeline;
mod lines;
mod manual;
mod note;
mod open;
mod password;
mod pattern;
mod picker;
mod places;
mod plugins;
mod private_file;
mod progress;
mod prompt;
mod proxy;
mod registry_words;
mod remote;
mod render;
#[cfg(test)]
mod schema;
mod screen;
mod server_time;
mod slips;
mod source;
mod stand_in;
#[cfg(unix)]
mod terminal;
mod usage;
mod wait;
mod world;

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser};

use error::{Error, Kind};
use global::Global;

/// A virtual MFA device that can be scripted.
///
/// It reads the QR code or secret key that a service shows, keeps the secret in the OS keyring, and gives RFC 6238 codes to
/// you, your scripts, and your tests.
#[derive(Debug, Parser)]
#[command(name = "vmfa", version, max_term_width = help::WIDTH, arg_required_else_help = true)]
#[command(after_help = help::WHOLE)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: command::Command,
}

/// The command that test suites start over and over, by itself: all commands together take longer to describe than a server
/// takes to begin. What it can't read is read by [`Cli`], which knows what to say.
#[derive(Debug, Parser)]
#[command(name = "vmfa")]
struct Serving {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: command::Serving,
}

/// The arguments, read.
fn read(arguments: &[OsString]) -> Result<Cli, clap::Error> {
    if arguments.get(1).is_some_and(|command| command == "serve")
        && let Ok(Serving { global, command: command::Serving::Serve(args) }) = Serving::try_parse_from(arguments)
    {
        return Ok(Cli { global, command: command::Command::Serve(args) });
    }
    Cli::try_parse_from(arguments)
}

/// Runs the program with this process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    hygiene::harden();
    let arguments: Vec<_> = environment::arguments();
    if let Some(question) = complete::Question::of(&arguments) {
        // An error is no help to somebody who presses TAB.
        return if question.answer(Cli::command()).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    if let [_, command, seconds] = arguments.as_slice()
        && command == clipboard::KEEPER
    {
        return clipboard::keep(seconds);
    }
    #[cfg(target_os = "linux")]
    if let [_, command, socket, seconds] = arguments.as_slice()
        && command == agent::KEEPER
    {
        return agent::hold(socket, seconds);
    }
    let json = arguments.iter().any(|argument| argument == "--json");
    let refused = argv::refuse_secrets(&arguments).and_then(|()| argv::refuse_secrets_in(environment::own()));
    match refused.and_then(|()| run(&arguments, json)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.print(json);
            error.exit_code()
        }
    }
}

fn run(arguments: &[OsString], json: bool) -> Result<(), Error> {
    match read(arguments) {
        Ok(cli) => {
            if cli.global.exit_with_stdin {
                if cli.command.speaks_on_stdin() {
                    return Err(Error::usage("vmfa mcp ends with stdin by itself: leave out --exit-with-stdin"));
                }
                lifeline::watch(arguments, cli.global.passphrase_fd)?;
            }
            prompt::take_over(cli.global.passphrase_fd);
            open::of_environment().and_then(|_| cli.command.run(&cli.global, Cli::command))
        }
        Err(error) if let Some(topic) = help::asked(&error, arguments) => {
            render::answer(|out| out.write_all(topic.text.as_bytes()))
        }
        Err(error) => match usage::with_chosen(&error, arguments, Cli::command(), json)? {
            Some(completed) => run(&completed, json),
            None => parse_failure(&error, arguments, json),
        },
    }
}

/// Help and version are answers; everything else is an error of usage.
fn parse_failure(error: &clap::Error, arguments: &[OsString], json: bool) -> Result<(), Error> {
    use clap::error::ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion};
    match error.kind() {
        DisplayHelp | DisplayVersion => render::answer(|out| write!(out, "{}", error.render())),
        DisplayHelpOnMissingArgumentOrSubcommand if !json => {
            let _ = write!(std::io::stderr(), "{}", error.render());
            Err(Error::silent(Kind::Usage))
        }
        _ => Err(usage::error(error, arguments, Cli::command())),
    }
}
