//! Steam accounts: how they are recognised, and Bitwarden's `steam://`.

use crate::oath::Parameters;
use crate::provision::{Enrolment, Error, base32};

/// The issuer of an account that is nothing but a secret.
const ISSUER: &str = "Steam";

/// Steam's own exports are of type totp, with the issuer alone to tell that a code is five characters.
pub(crate) fn is_issuer(issuer: Option<&str>, account: &str) -> bool {
    const NAMES: [&str; 4] = ["steam", "steam guard", "steamguard", "steampowered.com"];
    let is = |text: &str| NAMES.iter().any(|name| text.trim().eq_ignore_ascii_case(name));
    issuer.map_or_else(|| is(account), is)
}

/// What follows `steam://`: a secret. Steam's own links, such as `steam://run/440`, begin alike.
///
/// # Errors
///
/// A link, and what is no secret.
pub(super) fn account(text: &str) -> Result<Enrolment, Error> {
    let text = text.strip_suffix('/').unwrap_or(text);
    if text.contains('/') {
        return Err(Error::WrongKind { what: "a link that opens Steam" });
    }
    let secret = base32::parse(text)?;
    let issuer = Some(ISSUER.to_owned());
    Ok(Enrolment { issuer, account: String::new(), secret, parameters: Parameters::STEAM, serial: None })
}
