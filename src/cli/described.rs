//! Whose a secret is and how its codes are made: what the answers of several commands tell of it.

use serde::Serialize;

use super::render::plain;
use crate::oath::{MovingFactor, Parameters};

/// A part of an answer.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Described {
    /// Who gave the secret.
    pub(super) issuer: Option<String>,
    /// For which account; may be empty.
    pub(super) account: String,
    /// `totp`, `hotp` or `steam`.
    pub(super) r#type: &'static str,
    /// `SHA1`, `SHA256` or `SHA512`.
    algorithm: &'static str,
    /// How many digits a code has, or how many characters one of Steam Guard.
    digits: u8,
    /// TOTP and Steam Guard: the period in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<u64>,
    /// HOTP: the next counter.
    #[serde(skip_serializing_if = "Option::is_none")]
    counter: Option<u64>,
}

impl Described {
    pub(super) fn of(issuer: Option<&str>, account: &str, parameters: &Parameters) -> Self {
        let (period, counter) = match parameters.factor {
            MovingFactor::Time { period } => (Some(period.seconds()), None),
            MovingFactor::Counter { next } => (None, Some(next)),
        };
        Self {
            issuer: issuer.map(str::to_owned),
            account: account.to_owned(),
            r#type: parameters.kind(),
            algorithm: parameters.algorithm.as_str(),
            digits: parameters.digits.count(),
            period,
            counter,
        }
    }

    /// Issuer, account and codes, to be shown one under the other.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let or_dash = |text: &str| plain(if text.is_empty() { "-" } else { text }).into_owned();
        vec![
            ("issuer", or_dash(self.issuer.as_deref().unwrap_or_default())),
            ("account", or_dash(&self.account)),
            ("codes", self.codes()),
        ]
    }

    /// `TOTP, SHA1, 6 digits, every 30 s`.
    fn codes(&self) -> String {
        let Self { algorithm, digits, .. } = self;
        let moving = match (self.period, self.counter) {
            (Some(period), _) => format!("every {period} s"),
            (None, Some(counter)) => format!("counter {counter}"),
            (None, None) => String::new(),
        };
        match self.r#type {
            "steam" => format!("Steam Guard, {algorithm}, {digits} characters, {moving}"),
            kind => format!("{}, {algorithm}, {digits} digits, {moving}", kind.to_uppercase()),
        }
    }
}
