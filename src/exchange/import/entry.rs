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
        self.made()?;
        let secret = secret.filter(|secret| !secret.trim().is_empty()).ok_or(Flaw::Missing("secret"))?;
        let secret = base32::parse(secret)?;
        self.with_secret(secret)
    }

    /// With the secret as bytes.
    pub(super) fn with_bytes(self, secret: Vec<u8>) -> Result<Entry, Flaw> {
        self.with_secret(Secret::new(secret).map_err(provision::Error::from)?)
    }

    /// Whether codes of its kind are made; asked before anything else, for such an entry's digits and secret have other rules.
    fn made(&self) -> Result<(), Flaw> {
        let unsupported = |kind: provision::Unsupported| Err(provision::Error::Unsupported(kind).into());
        match self.kind() {
            kind if ["totp", "hotp", "steam"].iter().any(|known| kind.eq_ignore_ascii_case(known)) => Ok(()),
            kind if kind.eq_ignore_ascii_case("motp") => unsupported(provision::Unsupported::Motp),
            kind if ["yandex", "yaotp"].iter().any(|yandex| kind.eq_ignore_ascii_case(yandex)) => {
                unsupported(provision::Unsupported::Yandex)
            }
            kind => Err(Flaw::Type(crate::exchange::entries::shown(kind))),
        }
    }

    fn kind(&self) -> &str {
        self.kind.unwrap_or("totp")
    }

    /// Steam Guard by its type, or by its issuer where it has five digits or says nothing of them.
    fn is_steam(&self) -> bool {
        let issuer = self.issuer.filter(|issuer| !issuer.trim().is_empty());
        let named = uri::is_steam(issuer, self.account.unwrap_or_default());
        let by_issuer = named && self.digits.is_none_or(|digits| digits == 5);
        self.kind().eq_ignore_ascii_case("steam") || (by_issuer && self.kind().eq_ignore_ascii_case("totp"))
    }

    fn with_secret(self, secret: Secret) -> Result<Entry, Flaw> {
        self.made()?;
        let algorithm = match self.algorithm.filter(|name| !name.is_empty()) {
            Some(name) => name.parse::<Algorithm>().map_err(provision::Error::from)?,
            None => Algorithm::Sha1,
        };
        let steam = self.is_steam();
        let digits = match self.digits {
            _ if steam => Digits::STEAM,
            Some(count) => u8::try_from(count).ok().and_then(Digits::new).ok_or(Flaw::Invalid("number of digits"))?,
            None => Digits::SIX,
        };
        let factor = if self.kind().eq_ignore_ascii_case("hotp") {
            MovingFactor::Counter { next: self.counter.ok_or(Flaw::Missing("counter"))? }
        } else {
            let period = self.period.map_or(Some(Period::DEFAULT), Period::new);
            MovingFactor::Time { period: period.ok_or(Flaw::Invalid("period"))? }
        };
        let parameters = Parameters { algorithm, digits, factor };
        if steam && parameters != Parameters::STEAM {
            return Err(Flaw::Invalid("algorithm or period"));
        }
        let named = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let (issuer, account) = (named(self.issuer), named(self.account).unwrap_or_default());
        let enrolment = Enrolment { issuer, account, secret, parameters, serial: None };
        Ok(Entry { enrolment: settled(enrolment)?, groups: self.groups })
    }
}

/// An enrolment as the vault gives it back, which keeps URIs: without what no name has, such as invisible characters.
///
/// # Errors
///
/// A name that no URI has; and the name of Steam beside what isn't Steam's, since URIs tell its codes by that name.
pub(super) fn settled(enrolment: Enrolment) -> Result<Enrolment, Flaw> {
    let found = uri::parse(&uri::format(&enrolment)).map_err(|error| match error {
        error @ provision::Error::NotSteam { .. } => Flaw::Enrolment(error),
        _ => Flaw::Invalid("name"),
    })?;
    let settled = found.enrolments.into_iter().next().ok_or(Flaw::Invalid("name"))?;
    if settled.parameters == enrolment.parameters {
        Ok(settled)
    } else {
        Err(provision::Error::NotSteam { name: "number of digits" }.into())
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
