use std::fmt::{self, Write as _};

use super::{MAX_EXPIRES, SKEW, TERMINATOR};
use crate::wire::percent::Malformed;

/// Why a request is not accepted as signed.
///
/// `Display` is what AWS answers, word for word: as measured at STS and other Query services where that is on record, else
/// from IAM's common errors and S3's error responses. [`Error::why`] says the same in plain words, for the operator of the service.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Neither an `Authorization` header nor the `X-Amz-Algorithm` of a presigned request.
    #[error("Request is missing Authentication Token")]
    Unsigned,
    /// A request that was presigned by Signature Version 2.
    #[error("The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")]
    Version2,
    /// Both of them; the measured answer has no message.
    #[error("")]
    Both,
    /// An `Authorization` header of another kind.
    #[error("Unsupported AWS 'algorithm': '{algorithm}'.")]
    Algorithm {
        /// The header's first word.
        algorithm: String,
    },
    /// A part of the `Authorization` header that isn't `name=value`.
    #[error("'{part}' not a valid key=value pair (missing equal-sign) in Authorization header: '{header}'.")]
    NotAPair {
        /// The part.
        part: String,
        /// The header.
        header: String,
    },
    /// An `Authorization` header without all that it needs.
    #[error("{} Authorization={header}", in_header(missing))]
    HeaderIncomplete {
        /// `Credential`, `Signature`, `SignedHeaders`, or `Date`: no header with a date.
        missing: Vec<&'static str>,
        /// The header.
        header: String,
    },
    /// A presigned request without all parameters that it needs.
    #[error("{} Re-examine the query-string parameters.", in_query(missing))]
    QueryIncomplete {
        /// `X-Amz-Credential` and so on.
        missing: Vec<&'static str>,
    },
    /// A date that is none.
    #[error("Date must be in ISO-8601 'basic format'. Got '{date}'. See http://en.wikipedia.org/wiki/ISO_8601")]
    Date {
        /// What was given.
        date: String,
    },
    /// A credential without exactly five parts.
    #[error(
        "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
    )]
    Credential {
        /// What was given.
        credential: String,
    },
    /// An `X-Amz-Expires` that is no time of 1 second to a week.
    #[error("{}", expires(value))]
    Expires {
        /// What was given.
        value: String,
    },
    /// A signature that doesn't cover `host`.
    #[error("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")]
    HostNotSigned,
    /// S3 only: `x-amz-*` headers that the signature doesn't cover.
    #[error("There were headers present in the request which were not signed")]
    HeadersNotSigned {
        /// Their names.
        names: Vec<String>,
    },
    /// Signed too long ago.
    #[error("Signature expired: {date} is now earlier than {earliest} ({now} - {} min.)", SKEW / 60)]
    Expired {
        /// When it was signed, `YYYYMMDDTHHMMSSZ` as the others.
        date: String,
        /// The earliest date that is taken.
        earliest: String,
        /// The service's time.
        now: String,
    },
    /// Signed in the future.
    #[error("Signature not yet current: {date} is still later than {latest} ({now} + {} min.)", SKEW / 60)]
    NotYetCurrent {
        /// When it was signed, `YYYYMMDDTHHMMSSZ` as the others.
        date: String,
        /// The latest date that is taken.
        latest: String,
        /// The service's time.
        now: String,
    },
    /// S3 only: a presigned request past its `X-Amz-Expires`.
    #[error("Request has expired")]
    PresignedExpired {
        /// When it was signed, `YYYYMMDDTHHMMSSZ` as the others.
        date: String,
        /// For how many seconds.
        expires: u64,
        /// The service's time.
        now: String,
    },
    /// Signed for something else; all that is wrong, in AWS's order.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<String>())]
    Scope(Vec<ScopeFault>),
    /// A broken escape in the query string.
    #[error(transparent)]
    Escape(#[from] Malformed),
    /// A broken escape in the path of a request to S3.
    #[error("Couldn't parse the specified URI.")]
    PathEscape(Malformed),
    /// A body signed in chunks, which is not supported here.
    #[error("A header you provided implies functionality that is not implemented")]
    Streaming,
    /// S3 only: the hash in `x-amz-content-sha256` is not the body's.
    #[error("The provided 'x-amz-content-sha256' header does not match what was computed.")]
    ContentHash {
        /// What the header has.
        stated: String,
        /// What the body has.
        computed: String,
    },
    /// More than the [`limits`](crate::wire::limits) allow.
    #[error("Your request header and query parameters used to make the request exceed the maximum allowed size.")]
    TooLong {
        /// What.
        what: &'static str,
        /// The limit that was passed.
        limit: usize,
    },
    /// The signature is not the one that the key gives.
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
         and signing method. Consult the service documentation for details."
    )]
    Mismatch(Box<Mismatch>),
}

/// What the verifier signed, for comparison. Session tokens are left out, and the right signature is not in here: it would
/// be one that is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// What was seen to be wrong besides, in plain words.
    pub note: Option<String>,
    /// The canonical request.
    pub canonical_request: String,
    /// The string to sign.
    pub string_to_sign: String,
}

/// What is wrong with a scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeFault {
    /// Another region.
    #[error("Credential should be scoped to a valid region, not '{region}'. ")]
    Region {
        /// What was given.
        region: String,
    },
    /// Another service.
    #[error("Credential should be scoped to correct service: '{service}'. ")]
    Service {
        /// The right one.
        service: String,
    },
    /// Another ending.
    #[error("Credential should be scoped with a valid terminator: '{TERMINATOR}', not '{terminator}'. ")]
    Terminator {
        /// What was given.
        terminator: String,
    },
    /// Another day than that of the request.
    #[error(
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
         '{scope}' != '{day}', from '{date}'."
    )]
    Date {
        /// The scope's day.
        scope: String,
        /// The request's day.
        day: String,
        /// The request's date.
        date: String,
    },
}

impl Error {
    /// The code that AWS answers with.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unsigned => "MissingAuthenticationToken",
            Self::Version2 => "InvalidRequest",
            Self::Algorithm { .. }
            | Self::NotAPair { .. }
            | Self::HeaderIncomplete { .. }
            | Self::QueryIncomplete { .. }
            | Self::Date { .. }
            | Self::Credential { .. } => "IncompleteSignature",
            Self::Both
            | Self::HostNotSigned
            | Self::Expired { .. }
            | Self::NotYetCurrent { .. }
            | Self::Scope(_)
            | Self::Mismatch(_) => "SignatureDoesNotMatch",
            Self::Expires { .. } => "AuthorizationQueryParametersError",
            Self::HeadersNotSigned { .. } | Self::PresignedExpired { .. } => "AccessDenied",
            Self::Escape(_) => "MalformedQueryString",
            Self::PathEscape(_) => "InvalidURI",
            Self::Streaming => "NotImplemented",
            Self::ContentHash { .. } => "XAmzContentSHA256Mismatch",
            Self::TooLong { .. } => "RequestHeaderSectionTooLarge",
        }
    }

    /// The HTTP status that goes with it.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self.code() {
            "SignatureDoesNotMatch" | "MissingAuthenticationToken" | "AccessDenied" => 403,
            "MalformedQueryString" => 404,
            "NotImplemented" => 501,
            _ => 400,
        }
    }

    /// The cause in plain words, for the service's log. Never holds a key or a session token.
    #[must_use]
    pub fn why(&self) -> String {
        match self {
            Self::Unsigned => "the request has no signature, neither in a header nor in the query string".into(),
            Self::Both => "the request has two signatures, one in a header and one in the query string".into(),
            Self::Version2 => {
                "the request was presigned by a version 2 signature (`AWSAccessKeyId`): sign by version 4, \
                               `signature_version=\"s3v4\"` with boto3"
                    .into()
            }
            Self::Algorithm { algorithm } if algorithm == "AWS" => {
                "the request has a version 2 signature: sign by version 4".into()
            }
            Self::Algorithm { algorithm } => {
                format!("the request is authorized by `{algorithm}`, not by a version 4 signature")
            }
            Self::NotAPair { part, .. } => format!("`{part}` in the Authorization header has no equals sign"),
            Self::HeaderIncomplete { missing, .. } => {
                format!("the signature in the header lacks {}", missing.join(", "))
            }
            Self::QueryIncomplete { missing } => format!("the presigned request lacks {}", missing.join(", ")),
            Self::Date { date } => format!("`{date}` is no date of a request"),
            Self::Credential { credential } => format!("the credential `{credential}` doesn't have five parts"),
            Self::Expires { value } => {
                format!("`{value}` is no time of 1 to {MAX_EXPIRES} seconds to be presigned for")
            }
            Self::HostNotSigned => "the signature doesn't cover the host header".into(),
            Self::HeadersNotSigned { names } => format!("the signature doesn't cover {}", names.join(", ")),
            Self::Expired { date, now, .. } => {
                format!(
                    "the request was signed at {date}, more than {SKEW} seconds before {now}; is the client's clock slow?"
                )
            }
            Self::NotYetCurrent { date, now, .. } => {
                format!(
                    "the request was signed at {date}, more than {SKEW} seconds after {now}; is the client's clock fast?"
                )
            }
            Self::PresignedExpired { date, expires, now } => {
                format!("the request was presigned at {date} for {expires} seconds, and it is {now}")
            }
            Self::Scope(faults) => {
                let faults: Vec<_> = faults.iter().map(ScopeFault::why).collect();
                format!("the request is signed for something else: {}", faults.join(", "))
            }
            Self::Escape(_) => "the query string has a broken percent escape".into(),
            Self::PathEscape(_) => "the path has a broken percent escape".into(),
            Self::Streaming => "the body is signed in chunks, which is not supported here".into(),
            Self::ContentHash { stated, computed } => {
                format!("x-amz-content-sha256 says {stated}, and the body's hash is {computed}")
            }
            Self::TooLong { what, limit } => format!("the request's {what} is larger than {limit}"),
            Self::Mismatch(mismatch) => {
                let mut why = "the signature is not the one that the key gives".to_owned();
                if let Some(note) = &mismatch.note {
                    // Writing to a string can't fail.
                    let _ = write!(why, " ({note})");
                }
                let Mismatch { canonical_request, string_to_sign, .. } = &**mismatch;
                let _ = write!(why, "\ncanonical request:\n{canonical_request}\nstring to sign:\n{string_to_sign}");
                why
            }
        }
    }
}

impl ScopeFault {
    fn why(&self) -> String {
        match self {
            Self::Region { region } => format!("region `{region}`"),
            Self::Service { service } => format!("a service other than `{service}`"),
            Self::Terminator { terminator } => format!("`{terminator}` at the end"),
            Self::Date { scope, day, .. } => format!("the day {scope}, and its date is of {day}"),
        }
    }
}

fn in_header(missing: &[&str]) -> String {
    let sentence = |what: &&str| match *what {
        "Date" => "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".to_owned(),
        what => format!("Authorization header requires '{what}' parameter."),
    };
    missing.iter().map(sentence).collect::<Vec<_>>().join(" ")
}

fn in_query(missing: &[&str]) -> String {
    let sentence = |what: &&str| format!("AWS query-string parameters must include '{what}'.");
    missing.iter().map(sentence).collect::<Vec<_>>().join(" ")
}

/// S3's three sentences.
fn expires(value: &str) -> impl fmt::Display {
    match value.parse::<i128>() {
        Err(_) => "X-Amz-Expires should be a number".to_owned(),
        Ok(..1) => "X-Amz-Expires must be non-negative".to_owned(),
        Ok(1..) => format!(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than {MAX_EXPIRES} seconds"
        ),
    }
}
