//! Why a call was denied: worked out from the message, and from the policies, as far as the caller may read them.
//!
//! What the policies decide is worked out as IAM does, for the request as it was signed and for one by a session with
//! MFA. Nobody outside sees everything: policies of the organization, and condition keys that only the service knows.
//! What couldn't be seen is said, and what depends on it is not known.

mod denial;
mod finding;
mod message;
mod question;
mod reading;
mod weighing;
mod words;

use super::Refusal;
use super::flow::Flow;
use super::settings::Service;
pub use denial::{Bite, Denied, Extent, Kind, Origin, Reason, Rule, Seen, Unread, Why};
use message::Said;

impl Flow<'_> {
    /// Why a call was denied; `None` where the refusal is no denial, or one about a code. The flow has to be signed by
    /// the keys that the call was signed by.
    ///
    /// Reads policies, in 60 calls at most. [`Denied::seen`] says which can't be read.
    #[must_use]
    pub fn explain_denied(&self, refusal: &Refusal) -> Option<Denied> {
        let session = self.caller.credentials.session_token.is_some();
        let denied = Denied {
            action: format!("{}:{}", refusal.service.as_str(), refusal.action),
            resource: None,
            reason: Reason::Policies,
            kind: None,
            explicit: None,
            mfa: Some(session),
            by: Vec::new(),
            allowed_with_mfa: None,
            unknown: Vec::new(),
            seen: Seen::default(),
        };
        match refusal.code.as_str() {
            "AccessDenied" | "AccessDeniedException" => {}
            // IAM takes a session without MFA for no session at all
            "InvalidClientTokenId" if session && refusal.service == Service::Iam => {
                self.caller.identity().ok()?.user()?;
                return Some(Denied { reason: Reason::SessionWithoutMfa, mfa: Some(false), ..denied });
            }
            _ => return None,
        }
        if let Some(reason) = message::rule(&refusal.message) {
            return Some(match reason {
                Reason::OwnDevices => Denied { reason, allowed_with_mfa: Some(true), ..denied },
                Reason::Temporary => Denied { reason, mfa: None, ..denied },
                _ => Denied { reason, ..denied },
            });
        }
        let said = Said::read(&refusal.message)?;
        let denied = Denied {
            action: said.action.clone(),
            resource: said.resource.clone(),
            kind: said.kind,
            explicit: said.explicit,
            ..denied
        };
        Some(self.explain_by_policies(&said, denied))
    }
}
