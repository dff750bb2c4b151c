//! Prompts: what a provider wants answered before it does something.
//!
//! KeePassXC and KWallet make a prompt of what needs nobody, and complete it at once. So one is given a moment even
//! where nobody may be asked; one that still waits then is meant for a person, and is taken back.

use std::time::Duration;

use zvariant::{OwnedObjectPath, OwnedValue};

use super::Error;
use super::answer::Answer;
use super::session::{PROVIDER, Session};
use crate::bus::{self, BUS, Place};
use crate::time::Deadline;

const PROMPT: &str = "org.freedesktop.Secret.Prompt";
const COMPLETED: &str = "Completed";

/// How long a prompt may take to complete by itself.
const BY_ITSELF: Duration = Duration::from_secs(1);
/// How long a provider may take to take one back.
const TAKE_BACK: Duration = Duration::from_millis(500);

impl Session {
    /// Has the provider's question answered, if there is one ("/" is none).
    pub(super) fn answered(&self, question: &OwnedObjectPath, prompt: bool) -> Result<Answer, Error> {
        if question.as_str() == "/" {
            return Ok(Answer::NotNeeded);
        }
        let to = Place { name: PROVIDER, path: question.as_str(), interface: PROMPT };
        let rule =
            format!("type='signal',sender='{PROVIDER}',path='{question}',interface='{PROMPT}',member='{COMPLETED}'");
        let deadline = if prompt { self.deadline() } else { Deadline::after(BY_ITSELF) };
        let completed = self.with_bus(deadline, |bus| {
            bus.call(BUS, "AddMatch", &(rule.as_str(),))?;
            let asked = bus.call(to, "Prompt", &("",))?;
            loop {
                let signal = bus.signal(to, COMPLETED)?;
                // Others could send one of this name, too.
                if signal.sender() == asked.sender() {
                    let (dismissed, _): (bool, OwnedValue) = signal.body()?;
                    return Ok(dismissed);
                }
            }
        });
        if !prompt && matches!(completed, Err(bus::Error::Late)) {
            // One that can't be taken back was answered meanwhile, or its provider is busy with it.
            let _ = self.with_bus(Deadline::after(TAKE_BACK), |bus| bus.call(to, "Dismiss", &()));
        }
        let _ = self.with_bus(self.deadline(), |bus| bus.call(BUS, "RemoveMatch", &(rule.as_str(),)));
        let dismissed = match completed {
            Err(bus::Error::Late) if !prompt => true,
            completed => completed.map_err(|error| self.said(error))?,
        };
        Ok(if dismissed { Answer::Refused } else { Answer::Completed })
    }
}
