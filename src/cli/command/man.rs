use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serialize;

use crate::cli::Global;
use crate::cli::error::{Error, Kind, Result};
use crate::cli::render::{self, Answer, plain};

/// Print the manual page, or with --dir write one for each command
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Write vmfa.1, vmfa-add.1 and so on to this directory
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Written {
    directory: String,
    pages: usize,
}

impl Answer for Written {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "wrote vmfa.1 and {} more to {}", self.pages.saturating_sub(1), plain(&self.directory))
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global, whole: fn() -> clap::Command) -> Result<()> {
        match &self.dir {
            None => render::answer(|out| clap_mangen::Man::new(whole()).render(&mut &mut *out)),
            Some(dir) => {
                let written = std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(whole(), dir));
                written.map_err(|error| Error::new(Kind::Storage, "io", format!("{}: {error}", dir.display())))?;
                let (directory, pages) = (dir.display().to_string(), pages(&whole()));
                render::print(&Written { directory, pages }, global.json)
            }
        }
    }
}

/// How many pages a command has: one, and one for each below it.
fn pages(command: &clap::Command) -> usize {
    command.get_subcommands().map(pages).fold(1, usize::saturating_add)
}
