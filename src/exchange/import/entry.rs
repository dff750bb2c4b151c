//! An entry out of the fields that apps write: the same rules for all of them.

use crate::exchange::{Entry, Flaw};
use crate::oath::{Algorithm, Digits, MovingFactor, Parameters};
use crate::provision::{self, Enrolment, base32, uri};
use crate::secret::Secret;
use crate::time::Period;

/// What an app says of one account, as it says it. `None` is what it leaves out: the key URI format's default.
#[derive(Default)]
pub(super) struct Fields<'a> {
    pub(super) issuer: Option<&'a str>,
    pub(super) account: Option<&'a str>,
    /// `totp`, `hotp` or `steam`, in any case; absent is `totp`.
    pub(super) kind: Option<&'a str>,
    pub(super) algorithm: Option<&'a str>,
    pub(super) digits: Option<u64>,
    pub(super) period: Option<u64>,
    pub(super) counter: Option<u64>,
    pub(super) groups: Vec<String>,
}

impl Fields<'_> {
    /// With the secret as base32 text, read as generously as a pasted one.
    pub(super) fn with_base32(self, secret: Option<&str>) -> Result<Entry, Flaw> {
        let secret = secret.filter(|secret| !secret.trim().is_empty()).ok_or(Flaw::Missing("secret"))?;
        let secret = base32::parse(secret)?;
        self.with_secret(secret)
    }

    /// With the secret as bytes.
    pub(super) fn with_bytes(self, secret: Vec<u8>) -> Result<Entry, Flaw> {
        self.with_secret(Secret::new(secret).map_err(provision::Error::from)?)
    }

    fn with_secret(self, secret: Secret) -> Result<Entry, Flaw> {
        let kind = self.kind.unwrap_or("totp").to_ascii_lowercase();
        let algorithm = match self.algorithm.filter(|name| !name.is_empty()) {
            Some(name) => name.parse::<Algorithm>().map_err(provision::Error::from)?,
            None => Algorithm::Sha1,
        };
        let digits = match self.digits {
            Some(count) => u8::try_from(count).ok().and_then(Digits::new).ok_or(Flaw::Invalid("number of digits"))?,
            None => Digits::SIX,
        };
        let factor = match kind.as_str() {
            "totp" => {
                let period = self.period.map_or(Some(Period::DEFAULT), Period::new);
                MovingFactor::Time { period: period.ok_or(Flaw::Invalid("period"))? }
            }
            "hotp" => MovingFactor::Counter { next: self.counter.ok_or(Flaw::Missing("counter"))? },
            "steam" => return Err(provision::Error::Unsupported(provision::Unsupported::Steam).into()),
            "yandex" | "yaotp" => return Err(provision::Error::Unsupported(provision::Unsupported::Yandex).into()),
            "motp" => return Err(provision::Error::Unsupported(provision::Unsupported::Motp).into()),
            _ => return Err(Flaw::Type(crate::exchange::shown(&kind))),
        };
        let parameters = Parameters { algorithm, digits, factor };
        let named = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let (issuer, account) = (named(self.issuer), named(self.account).unwrap_or_default());
        for text in issuer.iter().chain([&account]) {
            if text.chars().any(char::is_control) || text.chars().count() > uri::MAX_TEXT {
                return Err(Flaw::Invalid("name"));
            }
        }
        let enrolment = Enrolment { issuer, account, secret, parameters, serial: None };
        Ok(Entry { enrolment, groups: self.groups })
    }

    /// Whose it is, for a failure.
    pub(super) fn whose(&self) -> String {
        whose(self.issuer, self.account)
    }
}

/// Whose an entry is, for a failure: `ISSUER: ACCOUNT`, or what there is of the two.
pub(super) fn whose(issuer: Option<&str>, account: Option<&str>) -> String {
    let [issuer, account] = [issuer, account].map(|text| text.map(str::trim).filter(|text| !text.is_empty()));
    match (issuer, account) {
        (Some(issuer), Some(account)) => format!("{issuer}: {account}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => String::new(),
    }
}

/// An entry of an otpauth URI, as the key URI format has it.
pub(super) fn of_uri(text: &str) -> Result<Entry, Flaw> {
    let found = uri::parse(text.trim())?;
    found.enrolments.into_iter().next().map(Entry::from).ok_or(Flaw::Missing("secret"))
}
