//! Who signed a request: the key, the token and the signature.

use std::collections::HashMap;
use std::sync::Arc;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::account::{Account, ROOT, Use};
use super::caller::{Caller, Who};
use super::fault::Fault;
use crate::time::Timestamp;
use crate::wire::sigv4::{self, Presented, SigningKey};

/// The texts of AWS: one for all invalid keys and tokens.
pub(super) const INVALID_TOKEN: &str = "The security token included in the request is invalid.";
const EXPIRED_TOKEN: &str = "The security token included in the request is expired";

/// How often at most the last use of an access key or a role is written down, in seconds.
const USE_INTERVAL: u64 = 60;

/// Signing keys by what they are derived from, so that a client's next request costs no derivation.
///
/// They open nothing by themselves: a request's access key is looked up in the account first, and a key is used for
/// the secret it came from only. So one that was deleted, made inactive or given another secret helps nobody.
#[derive(Default)]
pub(super) struct SigningKeys {
    /// By access key id.
    kept: HashMap<String, Vec<Kept>>,
    count: usize,
}

/// A signing key; dropped, it is wiped, as is the secret.
struct Kept {
    scope: sigv4::Scope,
    secret: Zeroizing<String>,
    key: Arc<SigningKey>,
}

/// How many signing keys are kept; past that all are forgotten.
const SIGNING_KEYS: usize = 4_096;

impl SigningKeys {
    /// The key for a signature, where it was kept for this secret.
    pub(super) fn get(&self, secret: &Zeroizing<String>, presented: &Presented) -> Option<Arc<SigningKey>> {
        let mut kept = self.kept.get(presented.access_key_id())?.iter();
        let found = kept.find(|kept| kept.scope == *presented.scope())?;
        (found.secret == *secret).then(|| Arc::clone(&found.key))
    }

    /// Keeps the key of a signature that was right: others can't push keys out.
    pub(super) fn keep(&mut self, secret: Zeroizing<String>, presented: &Presented, key: Arc<SigningKey>) {
        if self.count >= SIGNING_KEYS {
            self.kept.clear();
            self.count = 0;
        }
        let kept = self.kept.entry(presented.access_key_id().to_owned()).or_default();
        let others = kept.len();
        kept.retain(|kept| kept.scope != *presented.scope());
        kept.push(Kept { scope: presented.scope().clone(), secret, key });
        self.count = self.count.saturating_add(kept.len()).saturating_sub(others);
    }
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKeys({})", self.count)
    }
}

/// Whose key signed, and the secret to check it by.
///
/// # Errors
///
/// An access key that isn't there or isn't active; a token that isn't its own, or has expired.
pub(super) fn find<'a>(
    account: &'a Account,
    presented: &Presented,
    now: Timestamp,
) -> Result<(Caller, &'a Zeroizing<String>), Fault> {
    let id = presented.access_key_id();
    let refused = |message: &str, why: &str| Fault::new("InvalidClientTokenId", 403, message).because(why);
    if let Some(session) = account.sessions.get(id) {
        let Some(token) = presented.session_token() else {
            return Err(refused(INVALID_TOKEN, "temporary credentials were used without their session token"));
        };
        if !bool::from(token.as_bytes().ct_eq(session.token.as_bytes())) {
            return Err(refused(INVALID_TOKEN, "the session token isn't the one that came with this access key"));
        }
        if session.expires <= now {
            return Err(Fault::new("ExpiredToken", 403, EXPIRED_TOKEN)
                .because(format!("the credentials ended at {}", session.expires)));
        }
        let caller = Caller::temporary(session, id);
        if !caller.exists(account) {
            return Err(refused(INVALID_TOKEN, "the user or role of these credentials no longer exists"));
        }
        return Ok((caller, &session.secret));
    }
    let Some(key) = account.access_keys.get(id) else {
        return Err(refused(INVALID_TOKEN, "no access key has this id"));
    };
    if presented.session_token().is_some() {
        return Err(refused(INVALID_TOKEN, "a session token came with a long-term access key"));
    }
    if !key.active {
        return Err(refused(INVALID_TOKEN, "the access key is inactive"));
    }
    let who = if key.user == ROOT {
        Who::Root
    } else {
        let user = account.users.get(&key.user);
        let user = user.ok_or_else(|| refused(INVALID_TOKEN, "the access key's user no longer exists"))?;
        Who::User { key: key.user.clone(), id: user.id.clone() }
    };
    Ok((Caller::long_term(who, id), &key.secret))
}

impl From<sigv4::Error> for Fault {
    fn from(error: sigv4::Error) -> Self {
        Self::new(error.code(), error.status(), error.to_string()).because(error.why())
    }
}

impl Account {
    /// Notes the use of an access key or of a role, now and then.
    pub(super) fn note_use(&mut self, caller: &Caller, service: &str, region: &str, now: Timestamp) {
        let used = || Use { at: now, service: service.to_owned(), region: region.to_owned() };
        if let Who::Role { key, .. } = &caller.who {
            if self.roles.get(key).is_some_and(|role| is_news(role.used.as_ref(), service, region, now))
                && let Some(role) = self.roles.edit(key)
            {
                role.used = Some(used());
            }
            return;
        }
        let id = &caller.access_key_id;
        if self.access_keys.get(id).is_some_and(|key| is_news(key.used.as_ref(), service, region, now))
            && let Some(key) = self.access_keys.edit(id)
        {
            key.used = Some(used());
        }
    }
}

/// Whether a use is worth writing down.
fn is_news(last: Option<&Use>, service: &str, region: &str, now: Timestamp) -> bool {
    last.is_none_or(|last| {
        let age = now.as_unix().saturating_sub(last.at.as_unix());
        age >= USE_INTERVAL || last.service != service || last.region != region
    })
}
