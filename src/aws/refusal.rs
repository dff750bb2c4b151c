//! A call that a service answered with an error.

use std::fmt;

use super::settings::Service;

/// A call that a service answered with an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Which service.
    pub service: Service,
    /// Which action.
    pub action: String,
    /// Of HTTP.
    pub status: u16,
    /// Its code, such as `AccessDenied`; empty where the answer has none.
    pub code: String,
    /// Its message, to the letter.
    pub message: String,
    /// The service's own number for the call.
    pub request_id: Option<String>,
}

impl Refusal {
    /// Whether the service failed, rather than refused: the call may have had its effect.
    #[must_use]
    pub const fn is_failure(&self) -> bool {
        self.status >= 500
    }

    /// Whether there were too many calls, and this one wasn't looked at.
    #[must_use]
    pub fn is_throttling(&self) -> bool {
        let codes = [
            "Throttling",
            "ThrottlingException",
            "ThrottledException",
            "RequestThrottled",
            "RequestThrottledException",
            "TooManyRequestsException",
            "RequestLimitExceeded",
            "SlowDown",
        ];
        self.status == 429 || codes.contains(&self.code.as_str())
    }

    /// Whether STS says that it is about the code of a device.
    pub(super) fn is_about_code(&self) -> bool {
        self.service == Service::Sts && self.message.starts_with("MultiFactorAuthentication failed")
    }

    /// Whether the signature's time is too far from the service's.
    #[must_use]
    pub fn is_skew(&self) -> bool {
        let text = self.message.to_ascii_lowercase();
        match self.code.as_str() {
            "RequestTimeTooSkewed" | "RequestExpired" | "RequestInTheFuture" => true,
            "SignatureDoesNotMatch" | "InvalidSignatureException" => {
                text.contains("signature expired") || text.contains("signature not yet current")
            }
            _ => false,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, status, code, message, .. } = self;
        match (code.as_str(), message.trim_end()) {
            ("", _) => write!(f, "{action}: status {status}"),
            (code, "") => write!(f, "{action}: {code} ({status})"),
            (code, message) => write!(f, "{action}: {code} ({status}): {message}"),
        }
    }
}

impl std::error::Error for Refusal {}
