//! What comes from elsewhere, and enrols nothing or isn't read: told by name, so that a message can say what it is.

mod json;
mod text;

pub(super) use json::of_json;
pub(super) use text::{is_page, link, no_secret, of_text, of_xml_root, starts_with};

use std::fmt;

/// A file of another program, or a form of text, that isn't read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Foreign {
    /// Aegis, in clear text.
    Aegis,
    /// Aegis, under a password.
    AegisEncrypted,
    /// 2FAS, in clear text or under a password.
    TwoFas,
    /// Bitwarden, or its Authenticator.
    Bitwarden,
    /// Bitwarden, under a password or the account's key.
    BitwardenEncrypted,
    /// Proton Authenticator.
    ProtonAuthenticator,
    /// Proton Pass.
    ProtonPass,
    /// Raivo OTP.
    Raivo,
    /// Stratum, before that Authenticator Pro.
    Stratum,
    /// andOTP.
    AndOtp,
    /// Ente Auth, encrypted; its plain export is a list of URIs.
    EnteEncrypted,
    /// FreeOTP+.
    FreeOtpPlus,
    /// LastPass Authenticator.
    LastPass,
    /// Duo Mobile.
    Duo,
    /// Authy, by one of the scripts that get something out of it.
    Authy,
    /// FIDO's Credential Exchange Format.
    CredentialExchange,
    /// The browser extension Authenticator.
    BrowserExtension,
    /// JSON that nobody here knows.
    OtherJson {
        /// Whether there is an otpauth URI in it.
        has_uri: bool,
    },
    /// KeePass 2 and its like.
    KeePassXml,
    /// WinAuth.
    WinAuth,
    /// RFC 6030.
    Pskc,
    /// Apple's.
    PropertyList,
    /// Android's settings, such as FreeOTP's.
    AndroidSettings,
    /// An error of AWS.
    AwsError,
    /// Any other XML.
    OtherXml,
    /// Passwords as a table.
    Csv,
    /// Any other table.
    OtherTable,
    /// Lines of names and values, as configurations have them.
    Settings,
    /// A page, without an otpauth link.
    WebPage,
    /// A drawing of block characters, `##`, or colours, in which no QR code is found.
    TerminalQr,
    /// OpenPGP.
    Pgp,
    /// age.
    Age,
    /// `openssl enc` and CryptoJS.
    OpenSsl,
    /// A private key, of age or SSH.
    PrivateKey,
    /// Rich text.
    Rtf,
}

impl Foreign {
    /// Whether it is an export whose accounts `exchange` reads.
    #[must_use]
    pub const fn is_imported(self) -> bool {
        matches!(
            self,
            Self::Aegis
                | Self::AegisEncrypted
                | Self::TwoFas
                | Self::Bitwarden
                | Self::BitwardenEncrypted
                | Self::ProtonAuthenticator
                | Self::Raivo
                | Self::Stratum
                | Self::AndOtp
                | Self::EnteEncrypted
                | Self::FreeOtpPlus
                | Self::LastPass
                | Self::CredentialExchange
                | Self::Pskc
        )
    }

    /// What it is, with its article.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Aegis => "an Aegis export",
            Self::AegisEncrypted => "an encrypted Aegis export",
            Self::TwoFas => "a 2FAS backup",
            Self::Bitwarden => "a Bitwarden export",
            Self::BitwardenEncrypted => "an encrypted Bitwarden export",
            Self::ProtonAuthenticator => "a Proton Authenticator export",
            Self::ProtonPass => "a Proton Pass export",
            Self::Raivo => "a Raivo export",
            Self::Stratum => "a Stratum (Authenticator Pro) backup",
            Self::AndOtp => "an andOTP backup",
            Self::EnteEncrypted => "an encrypted Ente Auth export",
            Self::FreeOtpPlus => "a FreeOTP+ export",
            Self::LastPass => "a LastPass Authenticator export",
            Self::Duo => "a Duo Mobile export",
            Self::Authy => "an Authy export",
            Self::CredentialExchange => "a FIDO credential exchange file",
            Self::BrowserExtension => "an export of the browser extension Authenticator",
            Self::OtherJson { .. } => "JSON, but not of a kind that vmfa reads",
            Self::KeePassXml => "a KeePass XML export",
            Self::WinAuth => "a WinAuth file",
            Self::Pskc => "a PSKC file (RFC 6030)",
            Self::PropertyList => "a property list",
            Self::AndroidSettings => "an Android settings file",
            Self::AwsError => "an error response of AWS",
            Self::OtherXml => "XML, but not of a kind that vmfa reads",
            Self::Csv => "a CSV table of passwords",
            Self::OtherTable => "a table (CSV or the like), not one secret key",
            Self::Settings => "text with names and values, not a secret key alone",
            Self::WebPage => "a web page, and has no otpauth link",
            Self::TerminalQr => "a drawing in characters, in which no QR code is found",
            Self::Pgp => "a PGP message",
            Self::Age => "an age file",
            Self::OpenSsl => "an encrypted file (OpenSSL, CryptoJS)",
            Self::PrivateKey => "a private key",
            Self::Rtf => "an RTF document",
        }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
