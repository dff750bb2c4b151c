//! How many there may be of what: the quotas of a new account, as `GetAccountSummary` tells them.

use crate::serve::fault::Fault;

/// Users of an account, where AWS has 5,000: a stand-in is there for load tests too.
pub(super) const USERS: usize = 1_000_000;
/// Groups of an account.
pub(super) const GROUPS: usize = 300;
/// Groups that a user is in.
pub(super) const GROUPS_OF_USER: usize = 10;
/// Roles of an account.
pub(super) const ROLES: usize = 1_000;
/// Customer managed policies of an account.
pub(super) const POLICIES: usize = 1_500;
/// Managed policies attached to one user, group or role.
pub(super) const ATTACHED: usize = 10;
/// Versions of a managed policy.
pub(super) const VERSIONS: usize = 5;
/// Access keys of a user.
pub(super) const ACCESS_KEYS: usize = 2;
/// Characters of a managed policy; blanks don't count, here and below.
pub(super) const POLICY_SIZE: usize = 6_144;
/// Characters of a user's inline policies together.
pub(super) const USER_POLICY_SIZE: usize = 2_048;
/// Characters of a group's inline policies together.
pub(super) const GROUP_POLICY_SIZE: usize = 5_120;
/// Characters of a role's inline policies together.
pub(super) const ROLE_POLICY_SIZE: usize = 10_240;
/// Characters of a trust policy.
pub(super) const TRUST_POLICY_SIZE: usize = 2_048;

/// That a quota is reached, by the name that AWS has for it.
pub(super) fn exceeded(name: &str, most: usize) -> Fault {
    Fault::limit_exceeded(format!("Cannot exceed quota for {name}: {most}"))
}

/// That there are already as many as there may be.
///
/// # Errors
///
/// `LimitExceeded`.
pub(super) fn check(count: usize, name: &str, most: usize) -> Result<(), Fault> {
    if count >= most { Err(exceeded(name, most)) } else { Ok(()) }
}
