use std::path::PathBuf;

use crate::cli::error::{Error, Kind, Result};
use crate::cli::{Global, render, whole};

/// The manual page; with --dir, one for each command too
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// Write vmfa.1, vmfa-add.1 and so on to this directory
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Args {
    pub(super) fn run(&self, _global: &Global) -> Result<()> {
        match &self.dir {
            None => render::answer(|out| clap_mangen::Man::new(whole()).render(&mut &mut *out)),
            Some(dir) => std::fs::create_dir_all(dir)
                .and_then(|()| clap_mangen::generate_to(whole(), dir))
                .map_err(|error| Error::new(Kind::Storage, "io", format!("{}: {error}", dir.display()))),
        }
    }
}
