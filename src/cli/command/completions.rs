use clap_complete::Shell;
use zeroize::Zeroizing;

use crate::cli::error::Result;
use crate::cli::render;

/// Completions for a shell: bash, elvish, fish, powershell, zsh
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa completions bash > ~/.local/share/bash-completion/completions/vmfa")]
pub(in crate::cli) struct Args {
    /// Which shell
    #[arg(hide_possible_values = true)]
    shell: Shell,
}

impl Args {
    pub(super) fn run(&self, whole: &mut clap::Command) -> Result<()> {
        let mut script = Zeroizing::new(Vec::new());
        clap_complete::generate(self.shell, whole, "vmfa", &mut *script);
        render::answer(|out| out.write_all(&script))
    }
}
