use super::change::{Named, change};
use crate::cli::error::{Error, Kind, Result};
use crate::cli::{Global, hints, render};

/// Encrypt the secrets to fewer recipients
///
/// Who could open the secrets before may have read them, and copies of the old files still open. If that matters, have the
/// services make new secrets.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa recipients remove -R worker.txt")]
pub(super) struct Args {
    #[command(flatten)]
    named: Named,
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        let named = self.named.all()?;
        change(global, |mut all| {
            if let Some(unknown) = named.iter().find(|recipient| !all.contains(recipient)) {
                let message = format!("`{unknown}` is not a recipient of the vault");
                return Err(Error::new(Kind::No, "no-such-recipient", message).hint(hints::vaults::LIST_RECIPIENTS));
            }
            all.retain(|recipient| !named.contains(recipient));
            if all.is_empty() {
                return Err(Error::new(
                    Kind::No,
                    "last-recipient",
                    "nobody could open the secrets without any recipient",
                )
                .hint(hints::vaults::ADD_RECIPIENT_FIRST));
            }
            Ok(all)
        })?;
        render::note("a removed recipient may have read the secrets before");
        Ok(())
    }
}
