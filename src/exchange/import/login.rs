//! A login of a password manager: a title, a user name, and a one-time password as a text.

use super::entry::{self, Fields};
use crate::exchange::csv::{Record, Table};
use crate::exchange::{Entries, Entry, Error, Flaw, MOST_ENTRIES};
use crate::provision::uri;

/// What Steam's secrets begin with at 1Password and Bitwarden.
const STEAM: &str = "steam://";

/// Whose it is, and where it is filed.
#[derive(Debug, Default)]
pub(super) struct Login<'a> {
    pub(super) title: Option<&'a str>,
    pub(super) user: Option<&'a str>,
    pub(super) groups: Vec<String>,
}

impl<'a> Login<'a> {
    /// Its entry, by an otpauth URI, a `steam://` link, or a secret as base32. What a URI's label leaves out, the login has.
    pub(super) fn entry(self, otp: &str) -> Result<Entry, Flaw> {
        let otp = otp.trim();
        if !uri::is_uri(otp) {
            let steam = otp.get(..STEAM.len()).is_some_and(|head| head.eq_ignore_ascii_case(STEAM));
            let secret = if steam { otp.get(STEAM.len()..) } else { Some(otp) };
            let fields = Fields { kind: steam.then_some("steam"), ..self.fields() };
            return fields.with_base32(secret);
        }
        let mut entry = entry::of_uri(otp)?;
        let filled = |text: Option<&str>| text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        let user = filled(self.user).unwrap_or_default();
        // KeePassXC's word in labels where a login has no user name.
        let nobody = entry.enrolment.account == "none" && user.is_empty();
        if entry.enrolment.account.is_empty() || nobody {
            entry.enrolment.account = user;
        }
        // A login whose title is its account names no issuer.
        let issuer = filled(self.title).filter(|title| *title != entry.enrolment.account);
        entry.enrolment.issuer = entry.enrolment.issuer.or(issuer);
        Ok(Entry { enrolment: entry::settled(entry.enrolment)?, groups: self.groups })
    }

    /// Its fields, for a one-time password that isn't a text. A login whose title is its account names no issuer.
    pub(super) fn fields(self) -> Fields<'a> {
        let trimmed = |text: Option<&'a str>| text.map(str::trim).filter(|text| !text.is_empty());
        let issuer = self.title.filter(|title| Some(title.trim()) != trimmed(self.user));
        Fields { issuer, account: self.user, groups: self.groups, ..Fields::default() }
    }

    /// Whose it is, for a failure: as the login says, else as the URI's label does.
    pub(super) fn whose(&self, otp: &str) -> String {
        let whose = entry::whose(self.title, self.user);
        if whose.is_empty() && uri::is_uri(otp) { uri::whose(otp) } else { whose }
    }
}

/// The logins of a CSV file with the columns `Title` and `Username`, one a record.
pub(super) fn of_table(
    mut table: Table<'_>,
    otp: &str,
    groups: impl Fn(&Table<'_>, &Record) -> Vec<String>,
) -> Result<Entries, Error> {
    let [title, user, otp] = ["title", "username", otp].map(|name| table.column(name));
    let mut found = Entries::default();
    while let Some(record) = table.next() {
        let record = record?;
        if found.count().saturating_add(found.without) >= MOST_ENTRIES {
            return Err(Error::TooMany { limit: MOST_ENTRIES });
        }
        let login = Login { title: record.get(title), user: record.get(user), groups: groups(&table, &record) };
        match record.get(otp) {
            Some(otp) => {
                let whose = login.whose(otp);
                found.push(whose, login.entry(otp));
            }
            None => found.without = found.without.saturating_add(1),
        }
    }
    Ok(found)
}
