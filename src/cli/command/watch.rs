mod cells;
mod live;
mod model;
mod palette;
mod row;
mod source;
mod table;
mod times;
mod view;

use std::io::{self, IsTerminal as _};

use super::code::a_while;
use crate::cli::clipboard::{self, Way};
use crate::cli::error::{Error, Result};
use crate::cli::pattern::{self, Wanted};
use crate::cli::{Global, candidates, chosen_clock, environment, hints};
use palette::Palette;
use source::Source;

/// Show devices on the full screen, with their codes as they change
///
/// Codes are hidden until you show them, since a code that was shown counts as handed out, as with `vmfa code`. Space shows the
/// selected device's code, Enter copies it, `/` filters, `?` explains the keys, `q` quits.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa watch
  vmfa watch 'ci/*'
  vmfa watch --copy=osc52                 # over SSH")]
pub(in crate::cli) struct Args {
    /// Devices to show: part of a name, issuer or account, or a pattern for names such as 'ci/*' (`*` and `?` don't match
    /// `/`, `**` does) [default: all]
    #[arg(value_name = "PATTERN", add = candidates::pool())]
    patterns: Vec<String>,
    /// How codes are copied: to the `clipboard` of the display, or by `osc52`, which has your terminal do it, also over SSH
    #[arg(long, value_name = "WAY", default_value = "clipboard", hide_possible_values = true)]
    copy: Way,
    /// How long until the clipboard is cleared, if it still holds the code. With --copy=osc52, vmfa can't clear it
    #[arg(long, value_name = "TIME", default_value = clipboard::CLEAR_AFTER, value_parser = a_while)]
    clear_after: u64,
    #[command(flatten)]
    clock: chosen_clock::Which,
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        expect_terminal(global)?;
        let wanted = self.patterns.iter().map(|text| Wanted::of(text)).collect::<Result<Vec<_>>>()?;
        let source = Source::open(global, wanted)?;
        let devices = source.devices()?;
        if devices.is_empty() && !self.patterns.is_empty() {
            return Err(pattern::none_matches(&self.patterns, source.has_any()?));
        }
        let times = times::Times::follow(self.clock.open(global)?);
        live::Live::new(source, times, (self.copy, self.clear_after), Palette::of(has_colours())).run(devices)
    }
}

/// That there is a terminal to draw on.
fn expect_terminal(global: &Global) -> Result<()> {
    let once = hints::usage::CODES_ONCE;
    if global.json {
        return Err(
            Error::usage("`watch` draws on a terminal, and has no answer for --json").hint(hints::usage::CODES_AS_JSON)
        );
    }
    for (name, is_terminal) in [("stdin", io::stdin().is_terminal()), ("stdout", io::stdout().is_terminal())] {
        if !is_terminal {
            return Err(Error::usage(format!("`watch` needs a terminal, and {name} is none")).hint(once));
        }
    }
    if environment::text("TERM").is_some_and(|term| term == "dumb") {
        return Err(Error::usage("`watch` needs a terminal that can move its cursor, and TERM is `dumb`").hint(once));
    }
    Ok(())
}

/// As <https://no-color.org> and <https://bixense.com/clicolors> have it.
fn has_colours() -> bool {
    environment::variable("NO_COLOR").is_none() && environment::text("CLICOLOR").is_none_or(|value| value != "0")
}
