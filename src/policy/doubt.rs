//! What isn't known of a request, and what that means to a statement.

/// What isn't known of a request. Then only what is allowed in every case is allowed, and a statement that
/// denies what it may be about denies it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Doubt {
    /// Which of the service's actions it is: the request's is a stand-in for all of them.
    pub action: bool,
    /// Which resources it is about: the request's are `*`.
    pub resource: bool,
    /// Which character each `?` of its resources is.
    pub characters: bool,
    /// Which condition keys may have a value that the context doesn't have.
    pub keys: Keys,
}

/// Condition keys whose values aren't known. One that the context has is known all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keys {
    /// All are known: a key that the context doesn't have is absent.
    #[default]
    Known,
    /// All but this one.
    Except(&'static str),
    /// Those of the principal, the credentials and the connection are known; those that a service finds out about the
    /// request and its resource, such as `s3:prefix` and `aws:ResourceTag/team`, aren't.
    OfRequester,
}

/// Global keys that are about the request's parameters and its resource.
const OF_SERVICE: [&str; 8] = [
    "aws:resourcetag/",
    "aws:requesttag/",
    "aws:tagkeys",
    "aws:resourceaccount",
    "aws:resourceorgid",
    "aws:resourceorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
];

impl Doubt {
    /// Whether a key may have another value than the context says.
    pub(super) fn is_about(self, key: &str) -> bool {
        match self.keys {
            Keys::Known => false,
            Keys::Except(unknown) => key.eq_ignore_ascii_case(unknown),
            Keys::OfRequester => {
                let key = key.to_ascii_lowercase();
                !key.starts_with("aws:") || OF_SERVICE.iter().any(|of_service| key.starts_with(of_service))
            }
        }
    }
}
