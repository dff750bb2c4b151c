use super::change::{Named, change};
use crate::cli::Global;
use crate::cli::error::Result;

/// Let more identities open the secrets
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa recipients add -R workers.txt")]
pub(super) struct Args {
    #[command(flatten)]
    named: Named,
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let named = self.named.all()?;
        change(global, |mut all| {
            for recipient in named {
                if !all.contains(&recipient) {
                    all.push(recipient);
                }
            }
            Ok(all)
        })
    }
}
