//! One key package: a device, and the key in it.

use zeroize::Zeroizing;

use super::seal::Opener;
use crate::exchange::element::Element;
use crate::exchange::encoding;
use crate::exchange::import::entry::{Fields, whose};
use crate::exchange::{Entry, Flaw};

/// What the algorithms of RFC 6030, section 10, begin with.
const ALGORITHMS: &str = "urn:ietf:params:xml:ns:keyprov:pskc:";

pub(super) struct Package<'a>(pub(super) &'a Element);

impl<'a> Package<'a> {
    fn key(&self) -> Option<&'a Element> {
        self.0.child("Key")
    }

    /// The name of the algorithm, without what all of them begin with.
    fn algorithm(&self) -> &'a str {
        let uri = self.key().and_then(|key| key.attribute("Algorithm")).unwrap_or_default();
        uri.strip_prefix(ALGORITHMS).unwrap_or(uri)
    }

    /// Whether it has a key, and that isn't a PIN.
    pub(super) fn is_otp(&self) -> bool {
        self.key().is_some() && self.algorithm() != "pin"
    }

    fn issuer(&self) -> Option<&'a str> {
        let issuer = self.key().and_then(|key| key.text_at(&["Issuer"]));
        issuer.or_else(|| self.0.text_at(&["DeviceInfo", "Manufacturer"]))
    }

    /// Whose it is: the name or user that it was given to; else what is printed on the token.
    fn account(&self) -> Option<&'a str> {
        let key = self.key()?;
        key.text_at(&["FriendlyName"])
            .or_else(|| key.text_at(&["UserId"]))
            .or_else(|| self.0.text_at(&["DeviceInfo", "SerialNo"]))
            .or_else(|| key.attribute("Id"))
    }

    pub(super) fn whose(&self) -> String {
        whose(self.issuer(), self.account())
    }

    /// A number of the key's data, in clear text.
    fn number(&self, name: &'static str, what: &'static str) -> Result<Option<u64>, Flaw> {
        let Some(value) = self.key().and_then(|key| key.find(&["Data", name])) else { return Ok(None) };
        let text = value.text_at(&["PlainValue"]).ok_or(Flaw::Invalid(what))?;
        text.parse().map(Some).map_err(|_| Flaw::Invalid(what))
    }

    pub(super) fn secret(&self, opener: Option<&Opener>) -> Result<Zeroizing<Vec<u8>>, Flaw> {
        let secret = self.key().and_then(|key| key.find(&["Data", "Secret"])).ok_or(Flaw::Missing("secret"))?;
        if let Some(text) = secret.text_at(&["PlainValue"]) {
            return encoding::base64(text).ok_or(Flaw::Invalid("secret"));
        }
        let sealed = secret.child("EncryptedValue").ok_or(Flaw::Missing("secret"))?;
        opener.ok_or(Flaw::Missing("secret"))?.open(sealed, secret.text_at(&["ValueMAC"]))
    }

    pub(super) fn entry(&self, secret: Zeroizing<Vec<u8>>) -> Result<Entry, Flaw> {
        let parameters = self.key().and_then(|key| key.child("AlgorithmParameters"));
        let format = parameters.and_then(|parameters| parameters.child("ResponseFormat"));
        let said = |name: &str| format.and_then(|format| format.attribute(name));
        if said("Encoding").is_some_and(|encoding| !encoding.eq_ignore_ascii_case("decimal")) {
            return Err(Flaw::Invalid("encoding of codes"));
        }
        // A check digit behind the code; the RFC's schema and its text differ in the name.
        if ["CheckDigit", "CheckDigits"].iter().any(|name| matches!(said(name), Some("true" | "1"))) {
            return Err(Flaw::Invalid("check digit"));
        }
        let digits = said("Length").map(|length| length.parse().map_err(|_| Flaw::Invalid("number of digits")));
        let fields = Fields {
            issuer: self.issuer(),
            account: self.account(),
            kind: Some(self.algorithm()),
            algorithm: parameters.and_then(|parameters| parameters.text_at(&["Suite"])),
            digits: digits.transpose()?,
            period: self.number("TimeInterval", "period")?,
            // Figure 7 of the RFC leaves the counter of a new token out.
            counter: Some(self.number("Counter", "counter")?.unwrap_or(0)),
            groups: Vec::new(),
        };
        fields.with_bytes(secret.to_vec())
    }
}
