use crate::cli::error::Result;
use crate::cli::render;

/// Print a completion script for a shell
///
/// It completes commands, options, and the names of your devices, pools and AWS profiles. For that, each TAB runs `vmfa`,
/// which reads names and no secrets.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa completions bash > ~/.local/share/bash-completion/completions/vmfa
  vmfa completions fish > ~/.config/fish/completions/vmfa.fish")]
pub(in crate::cli) struct Args {
    /// Which shell: `bash`, `elvish`, `fish`, `nushell`, `powershell`, or `zsh`
    #[arg(hide_possible_values = true)]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    Nushell,
    Powershell,
    Zsh,
}

impl Shell {
    const fn script(self) -> &'static str {
        match self {
            Self::Bash => include_str!("../completions/vmfa.bash"),
            Self::Elvish => include_str!("../completions/vmfa.elv"),
            Self::Fish => include_str!("../completions/vmfa.fish"),
            Self::Nushell => include_str!("../completions/vmfa.nu"),
            Self::Powershell => include_str!("../completions/vmfa.ps1"),
            Self::Zsh => include_str!("../completions/vmfa.zsh"),
        }
    }
}

impl Args {
    pub(super) fn run(&self) -> Result<()> {
        render::answer(|out| out.write_all(self.shell.script().as_bytes()))
    }
}
