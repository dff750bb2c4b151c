//! Prompts: what a provider wants answered before it does something.
//!
//! KeePassXC and KWallet make a prompt of what needs nobody, and complete it at once. So one is given a moment even
//! where nobody may be asked; one that still waits then is meant for a person, and is taken back.

use std::time::Duration;

use async_io::Timer;
use zbus::Proxy;
use zbus::zvariant::{OwnedObjectPath, OwnedValue};

use super::answer::Answer;
use super::{Error, PROVIDER, Session, said, wait};

const PROMPT: &str = "org.freedesktop.Secret.Prompt";

/// How long a prompt may take to complete by itself.
const BY_ITSELF: Duration = Duration::from_secs(1);
/// How long a provider may take to take one back.
const TAKE_BACK: Duration = Duration::from_millis(500);

impl Session {
    /// Has the provider's question answered, if there is one ("/" is none).
    pub(super) fn answered(&self, question: &OwnedObjectPath, prompt: bool) -> Result<Answer, Error> {
        use futures_lite::{StreamExt as _, future};
        if question.as_str() == "/" {
            return Ok(Answer::NotNeeded);
        }
        let bus = self.bus()?;
        let asked = async {
            let proxy = Proxy::new(bus, PROVIDER, question.as_str(), PROMPT).await?;
            let mut completed = proxy.receive_signal("Completed").await?;
            let answer = async {
                proxy.call_method("Prompt", &("",)).await?;
                // None comes when the connection was closed.
                Ok::<_, zbus::Error>(completed.next().await)
            };
            if prompt {
                return answer.await;
            }
            let too_late = async {
                Timer::after(BY_ITSELF).await;
                let taken_back = async { proxy.call_method("Dismiss", &()).await.map(drop) };
                let given_up = async {
                    Timer::after(TAKE_BACK).await;
                    Ok(())
                };
                // One that can't be taken back was answered meanwhile, or its provider is busy with it.
                let _ = future::or(taken_back, given_up).await;
                Ok(None)
            };
            future::or(answer, too_late).await
        };
        let Some(signal) = wait(bus, asked).map_err(said)? else { return Ok(Answer::Refused) };
        let (dismissed, _): (bool, OwnedValue) = signal.body().deserialize().map_err(said)?;
        Ok(if dismissed { Answer::Refused } else { Answer::Completed })
    }
}
