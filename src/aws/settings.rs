//! Where IAM and STS are.

/// The two services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Identity and Access Management, 2010-05-08.
    Iam,
    /// Security Token Service, 2011-06-15.
    Sts,
}

/// Where a service is, and for which region requests to it are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `https://…`, without a slash at its end.
    pub url: String,
    /// The region of the credential scope.
    pub signing_region: String,
    /// Whether somebody named it.
    pub custom: bool,
}
