//! One action, asked for by somebody: authorized, then run.

use zeroize::Zeroizing;

use super::account::Account;
use super::actions::Action;
use super::authenticate;
use super::authorize::{self, Origin};
use super::call::Call;
use super::caller::Caller;
use super::events::Event;
use super::fault::Fault;
use super::random::Random;
use super::time::Instant;
use crate::wire::query::Parameters;
use crate::wire::xml;

/// What somebody asks for.
pub(super) struct Asked<'a> {
    pub(super) caller: &'a Caller,
    pub(super) origin: &'a Origin,
    pub(super) input: &'a Parameters,
    pub(super) now: Instant,
    pub(super) request_id: &'a str,
}

impl Asked<'_> {
    /// Authorizes and runs an action.
    ///
    /// # Errors
    ///
    /// What the policies or the handler have against it.
    pub(super) fn call(
        &self,
        action: &'static Action,
        account: &mut Account,
        random: &mut dyn Random,
        event: &mut Event,
    ) -> Result<Zeroizing<String>, Fault> {
        let Self { caller, origin, input, now: instant, request_id } = *self;
        let now = instant.timestamp();
        if caller.without_mfa() && !action.without_mfa() {
            return Err(Fault::new("InvalidClientTokenId", 403, authenticate::INVALID_TOKEN)
                .because("credentials of GetSessionToken without a code call AssumeRole and GetCallerIdentity only"));
        }
        account.note_use(caller, action.service.name(), &origin.region, now);
        if let Some(wish) = action.wish(account, caller, input) {
            if let Some(tagging) = action.tagging(&wish, input) {
                authorize::authorize(account, caller, origin, tagging, now)?;
            }
            event.why = Some(authorize::authorize(account, caller, origin, wish, now)?);
        }
        let mut call = Call { account, caller, origin, input, now, instant, random, why: None };
        let namespace = action.service.namespace();
        let mut result = Ok(());
        let mut body = xml::answer(action.name, namespace, request_id, |out| result = (action.run)(&mut call, out));
        if !action.result {
            body = xml::acknowledgement(action.name, namespace, request_id);
        }
        if let Some(why) = call.why {
            event.why = Some(why);
        }
        result.map(|()| body)
    }
}
