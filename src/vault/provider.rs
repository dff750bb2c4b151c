//! Who offers the Secret Service of a Linux desktop.

use std::fmt;

/// The program behind `org.freedesktop.secrets`, by the name of its process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Provider {
    /// `gnome-keyring-daemon`.
    GnomeKeyring,
    /// KWallet: `kwalletd5` or `kwalletd6`, and `ksecretd` since Plasma 6.4.
    KWallet(KWallet),
    /// `keepassxc`.
    KeePassXc,
    /// `oo7-daemon`.
    Oo7,
    /// A program that isn't known, by the name of its process.
    Other(String),
    /// Nobody could be told.
    #[default]
    Unknown,
}

/// Which of KWallet's daemons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KWallet {
    /// `kwalletd5`
    Five,
    /// `kwalletd6`
    Six,
    /// `ksecretd`
    KSecretD,
}

/// What Linux keeps of a process's name.
const LONGEST: usize = 15;

impl Provider {
    /// The provider whose process has this name, which Linux cuts off after 15 bytes.
    #[must_use]
    pub fn of_process(name: &str) -> Self {
        let known = [
            ("gnome-keyring-daemon", Self::GnomeKeyring),
            ("kwalletd5", Self::KWallet(KWallet::Five)),
            ("kwalletd6", Self::KWallet(KWallet::Six)),
            ("ksecretd", Self::KWallet(KWallet::KSecretD)),
            ("keepassxc", Self::KeePassXc),
            ("oo7-daemon", Self::Oo7),
        ];
        let is = |whole: &str| name == whole.get(..LONGEST).unwrap_or(whole);
        let found = known.into_iter().find(|(whole, _)| is(whole)).map(|(_, provider)| provider);
        found.unwrap_or_else(|| match name {
            "" => Self::Unknown,
            // The name is the process's own to choose.
            name => Self::Other(name.chars().filter(|c| c.is_ascii_graphic()).collect()),
        })
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GnomeKeyring => "GNOME Keyring",
            Self::KWallet(KWallet::Five | KWallet::Six) => "KWallet",
            Self::KWallet(KWallet::KSecretD) => "KWallet, ksecretd",
            Self::KeePassXc => "KeePassXC",
            Self::Oo7 => "oo7-daemon",
            Self::Other(name) => name,
            Self::Unknown => "Secret Service",
        })
    }
}

/// How errors name a provider, behind "the keyring".
pub(super) struct Named<'a>(pub(super) &'a Provider);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Provider::Unknown => Ok(()),
            provider => write!(f, " ({provider})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_known_by_what_linux_keeps_of_its_name() {
        assert_eq!(Provider::of_process("gnome-keyring-d"), Provider::GnomeKeyring);
        assert_eq!(Provider::of_process("ksecretd"), Provider::KWallet(KWallet::KSecretD));
        assert_eq!(Provider::of_process("kwalletd5"), Provider::KWallet(KWallet::Five));
        assert_eq!(Provider::of_process("keepassxc"), Provider::KeePassXc);
        assert_eq!(Provider::of_process("pass\u{1b}[2Jd"), Provider::Other("pass[2Jd".to_owned()));
        assert_eq!(Provider::of_process(""), Provider::Unknown);
    }
}
