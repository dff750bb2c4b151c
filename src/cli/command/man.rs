use std::io::{self, Write};
use std::path::PathBuf;

use serde::Serialize;

use crate::cli::error::{Error, Kind, Result};
use crate::cli::render::{self, Answer, plain};
use crate::cli::{Global, manual};

/// Print the manual page, or with --dir write all of them
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa man | man -l -
  vmfa man --dir ~/.local/share/man")]
pub(in crate::cli) struct Args {
    /// Write man1/vmfa.1, man1/vmfa-add.1, man7/vmfa-time.7 and so on below this directory
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    pub(super) fn run(&self, global: &Global, whole: clap::Command) -> Result<()> {
        let failed = |error: io::Error| Error::new(Kind::Storage, "io", error.to_string());
        let pages = manual::pages(whole).map_err(failed)?;
        let Some(dir) = &self.dir else {
            let first = pages.first().map(|page| page.text.as_bytes()).unwrap_or_default();
            return render::answer(|out| out.write_all(first));
        };
        for page in &pages {
            let path = dir.join(page.path());
            let written = path.parent().map_or(Ok(()), std::fs::create_dir_all);
            let written = written.and_then(|()| std::fs::write(&path, &page.text));
            written.map_err(|error| Error::new(Kind::Storage, "io", format!("{}: {error}", path.display())))?;
        }
        render::print(&Written { directory: dir.display().to_string(), pages: pages.len() }, global.json)
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "man": Written;
}
