//! Text of other kinds: schemes, pages, drawings, armour.

use super::Foreign;

/// Which kind of link or other scheme a text begins with, in words; each enrols nothing here.
pub(in crate::provision) fn link(text: &str) -> Option<&'static str> {
    const SCHEMES: [(&str, &str); 18] = [
        ("https://s.team/", "a Steam sign-in"),
        ("http://", "a web address"),
        ("https://", "a web address"),
        ("wifi:", "a Wi-Fi sign-in"),
        ("mailto:", "an e-mail address"),
        ("tel:", "a telephone number"),
        ("begin:vcard", "a business card"),
        ("begin:vcalendar", "a calendar entry"),
        ("phonefactor://", "a Microsoft Authenticator activation"),
        ("oktaverify://", "an Okta Verify activation"),
        ("duo://", "a Duo activation"),
        ("motp://", "an mOTP account"),
        ("pushauth://", "a ForgeRock push registration"),
        ("mfauth://", "a ForgeRock push registration"),
        ("com.rsa.securid", "an RSA token"),
        ("lseqr://", "a LinOTP QR token"),
        ("fido:/", "a passkey's sign-in (FIDO)"),
        ("bitcoin:", "a payment"),
    ];
    let text = text.trim_start();
    let by_scheme = SCHEMES.into_iter().find(|(scheme, _)| starts_with(text, scheme)).map(|(_, what)| what);
    by_scheme.or_else(|| is_duo(text).then_some("a Duo activation"))
}

/// Duo's QR codes are an activation code, a dash, and its host in base64: `api-…`.
fn is_duo(text: &str) -> bool {
    text.split_once("-YXBpL").is_some_and(|(code, host)| {
        let word =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'=' | b'+' | b'/'));
        (10..=40).contains(&code.len()) && word(code) && word(host.trim_end())
    })
}

/// A kind of text that isn't read, by how it begins or what it is made of.
pub(in crate::provision) fn of_text(text: &str) -> Option<Foreign> {
    const BEGINNINGS: [(&str, Foreign); 9] = [
        ("-----BEGIN PGP MESSAGE-----", Foreign::Pgp),
        ("-----BEGIN PGP ", Foreign::PrivateKey),
        ("-----BEGIN AGE ENCRYPTED FILE-----", Foreign::Age),
        ("age-encryption.org/", Foreign::Age),
        ("-----BEGIN ", Foreign::PrivateKey),
        ("AGE-SECRET-KEY-", Foreign::PrivateKey),
        ("U2FsdGVkX1", Foreign::OpenSsl),
        ("{\\rtf", Foreign::Rtf),
        ("bplist0", Foreign::PropertyList),
    ];
    if let Some((_, foreign)) = BEGINNINGS.into_iter().find(|(beginning, _)| text.starts_with(beginning)) {
        return Some(foreign);
    }
    is_table(text).then_some(Foreign::Csv)
}

/// A table with a column of otpauth URIs or secrets, as password managers export them.
fn is_table(text: &str) -> bool {
    let head = text.lines().next().unwrap_or_default().to_ascii_lowercase();
    let columns = head.split([',', ';', '\t']).map(|column| column.trim().trim_matches('"'));
    let known = columns
        .clone()
        .any(|column| matches!(column, "otpauth" | "totp" | "login_totp" | "otp" | "otpurl" | "otp_url"));
    known && columns.count() >= 3
}

/// What a text is that would be read as a secret key, where its shape tells that it is something else.
pub(in crate::provision) fn no_secret(text: &str) -> Option<Foreign> {
    const HEADINGS: [&str; 12] = [
        "name",
        "account",
        "issuer",
        "service",
        "user",
        "username",
        "login",
        "secret",
        "secret key",
        "key",
        "seed",
        "url",
    ];
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let first = lines.first().copied().unwrap_or_default();
    // Blanks between groups may be tabs, so those need a heading.
    let rows = |separator: char| {
        let cells = first.matches(separator).count();
        cells > 0 && lines.len() > 1 && lines.iter().all(|line| line.matches(separator).count() == cells)
    };
    let mut cells = first.split([',', ';', '\t', '|']).map(|cell| cell.trim().trim_matches('"').to_ascii_lowercase());
    let headed = cells.clone().count() > 1 && cells.any(|cell| HEADINGS.contains(&cell.as_str()));
    if headed || [',', ';', '|'].into_iter().any(rows) {
        return Some(Foreign::OtherTable);
    }
    let named = |line: &&str| {
        let Some((name, value)) = line.split_once([':', '=']) else { return false };
        let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | ' ');
        let words = name.split_whitespace().count();
        // An `=` may be padding in the wrong place.
        let lower = name.to_ascii_lowercase();
        let told = line.contains(':') || ["_", "secret", "key", "otp", "seed"].iter().any(|word| lower.contains(word));
        (1..=2).contains(&words) && name.chars().all(letter) && told && !value.trim_matches([' ', '=']).is_empty()
    };
    lines.iter().all(|line| named(line) || line.starts_with(['#', ';', '['])).then_some(Foreign::Settings)
}

/// Whether a text that begins with `<` is a page, or a piece of one.
pub(in crate::provision) fn is_page(text: &str) -> bool {
    const ELEMENTS: [&str; 33] = [
        "html", "head", "body", "title", "meta", "link", "script", "style", "div", "span", "p", "a", "img", "table",
        "tr", "td", "tbody", "form", "input", "label", "button", "ul", "ol", "li", "h1", "h2", "h3", "h4", "main",
        "section", "article", "pre", "code",
    ];
    let mut rest = text.trim_start();
    loop {
        // Comments and declarations come before the first element.
        let end = match rest {
            _ if rest.starts_with("<!--") => "-->",
            _ if starts_with(rest, "<!doctype") => {
                let kind = rest.get("<!doctype".len()..).unwrap_or_default().trim_start();
                if starts_with(kind, "html") {
                    return true;
                }
                return false;
            }
            _ if rest.starts_with("<?") => "?>",
            _ => break,
        };
        match rest.split_once(end) {
            Some((_, after)) => rest = after.trim_start(),
            None => return false,
        }
    }
    let name = rest.strip_prefix('<').unwrap_or_default().split(|c: char| !c.is_ascii_alphanumeric()).next();
    name.is_some_and(|name| ELEMENTS.iter().any(|element| element.eq_ignore_ascii_case(name)))
}

/// Whose XML it is, by the name of its first element.
pub(in crate::provision) fn of_xml_root(name: &str) -> Foreign {
    match name {
        "KeePassFile" => Foreign::KeePassXml,
        "WinAuth" => Foreign::WinAuth,
        "KeyContainer" => Foreign::Pskc,
        "plist" => Foreign::PropertyList,
        "map" => Foreign::AndroidSettings,
        "ErrorResponse" | "Response" => Foreign::AwsError,
        _ => Foreign::OtherXml,
    }
}

pub(in crate::provision) fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}
