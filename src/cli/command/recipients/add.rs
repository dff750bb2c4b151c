use super::{Named, change};
use crate::cli::Global;
use crate::cli::error::Result;

/// Let more identities open the secrets
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa recipients add age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p
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
