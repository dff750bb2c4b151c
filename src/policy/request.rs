use super::context::Context;
use super::principal::Principal;

/// A request to decide about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `iam:EnableMFADevice`; knows no case.
    pub action: String,
    /// The ARNs it is about; each must be allowed. An action that is about no resource in particular is on `*`, which
    /// only a policy's `*` takes in; so is one without any here.
    pub resources: Vec<String>,
    /// Who asks.
    pub principal: Principal,
    /// Condition keys and their values; those of the principal, `aws:username` and others, are not made of it.
    pub context: Context,
}
