use crate::provision;

/// Why an export can't be read. Never holds text of the export: it might be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No importer knows it.
    #[error("the file is not an export that vmfa can read")]
    Unrecognized,
    /// More than any export has.
    #[error("the file has more than {limit} bytes")]
    TooLarge {
        /// The limit that was passed, in bytes.
        limit: usize,
    },
    /// More accounts than are taken at once.
    #[error("the export has more than {limit} entries")]
    TooMany {
        /// The limit that was passed.
        limit: usize,
    },
    /// Cut off, changed, or never whole.
    #[error("the export is damaged: {reason}")]
    Damaged {
        /// What is wrong, in a few words.
        reason: String,
    },
    /// A version of the format that isn't known.
    #[error("the export has version {version} of its format; vmfa reads {known}")]
    Version {
        /// Which.
        version: String,
        /// Which are read, such as "1 to 4".
        known: &'static str,
    },
    /// The password doesn't open it.
    #[error("the password is wrong")]
    WrongPassword,
    /// Neither can be told from the other: the format has no check of its own.
    #[error("the password is wrong, or the export is damaged")]
    WrongPasswordOrDamaged,
    /// A key derivation that asks for more than is given.
    #[error("the export asks for {asked} to derive its key; at most {limit} is allowed")]
    Costly {
        /// What it asks for, such as "64 GiB of memory".
        asked: String,
        /// The most that is done.
        limit: String,
    },
    /// A variant that isn't read, with the way out.
    #[error("the export is {what}")]
    Unsupported {
        /// What it is, such as "encrypted with the account's key, which only Bitwarden has".
        what: &'static str,
    },
    /// A format that can't hold an entry.
    #[error("{reason}")]
    Unfit {
        /// Its place among those that were to be exported, counted from 0.
        entry: usize,
        /// What the format can't hold.
        reason: &'static str,
    },
    /// The OS gives no random numbers.
    #[error("the OS gives no random numbers: {0}")]
    Random(String),
    /// Parts of a set of QR codes are missing.
    #[error("the export has {of} QR codes, and number {missing} is missing")]
    PartMissing {
        /// Which, counted from 1.
        missing: usize,
        /// How many there are.
        of: usize,
    },
    /// Parts of different sets.
    #[error("the QR codes are parts of different exports")]
    PartsDisagree,
}

impl Error {
    /// A stable name for `--json`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unrecognized => "unrecognized",
            Self::TooLarge { .. } | Self::TooMany { .. } => "too-large",
            Self::Damaged { .. } => "damaged",
            Self::Version { .. } => "version",
            Self::WrongPassword => "wrong-password",
            Self::WrongPasswordOrDamaged => "wrong-password-or-damaged",
            Self::Costly { .. } => "costly",
            Self::Unsupported { .. } => "unsupported",
            Self::Unfit { .. } => "unfit",
            Self::Random(_) => "random",
            Self::PartMissing { .. } | Self::PartsDisagree => "parts",
        }
    }

    /// [`Error::Damaged`], for this reason.
    #[must_use]
    pub fn damaged(reason: impl Into<String>) -> Self {
        Self::Damaged { reason: reason.into() }
    }
}

/// What is wrong with one entry. Never holds its secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// As with a URI: secret, algorithm, digits, period, counter, or a kind of code that isn't made.
    #[error(transparent)]
    Enrolment(#[from] provision::Error),
    /// A field that isn't there.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// A field of the wrong type or with a value that isn't taken.
    #[error("its {0} is not valid")]
    Invalid(&'static str),
    /// A type of code that isn't known.
    #[error("its type is `{0}`, which vmfa doesn't know")]
    Type(String),
    /// Its own encryption or check fails, while the rest of the file is whole.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
}

impl Flaw {
    /// A stable name for `--json`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Enrolment(provision::Error::Unsupported(_)) | Self::Type(_) => "unsupported",
            Self::Enrolment(_) | Self::Invalid(_) => "invalid",
            Self::Missing(_) => "missing",
            Self::Damaged(_) => "damaged",
        }
    }
}
