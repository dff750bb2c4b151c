//! Issuer and account: what the label and the issuer parameter say together.

use super::text::{decode, short_text};
use crate::provision::warning::warn_once;
use crate::provision::{Error, Warning, tidy};

/// Issuer and account of a label, given what the issuer parameter says.
///
/// A label that begins with the parameter and a colon is split there, so that an issuer may be `127.0.0.1:8000` or a
/// URL. Else a colon as it stands separates before an encoded one does.
pub(super) fn read(
    label: &str,
    parameter: Option<&str>,
    warnings: &mut Vec<Warning>,
) -> Result<(Option<String>, String), Error> {
    let parameter = parameter.map(str::trim).filter(|text| says_something(text));
    if let Some(parameter) = parameter
        && let whole = decoded(label, warnings)?
        && let Some((issuer, account)) = split_by(&whole, parameter)
    {
        return Ok((Some(short_text(&issuer, "issuer")?), short_text(account, "label")?));
    }
    let encoded_colon = || label.to_ascii_lowercase().find("%3a");
    let (issuer, account) = match label.find(':').map(|at| (at, 1)).or_else(|| encoded_colon().map(|at| (at, 3))) {
        Some((at, length)) => {
            (label.get(..at).unwrap_or_default(), label.get(at.saturating_add(length)..).unwrap_or_default())
        }
        None => ("", label),
    };
    let issuer = short_text(&decoded(issuer, warnings)?, "label")?;
    let account = short_text(&decoded(account, warnings)?, "label")?;
    settle(Some(issuer).filter(|text| says_something(text)), parameter, warnings).map(|issuer| (issuer, account))
}

fn settle(
    label: Option<String>,
    parameter: Option<&str>,
    warnings: &mut Vec<Warning>,
) -> Result<Option<String>, Error> {
    let Some(parameter) = parameter else {
        return Ok(label);
    };
    let parameter = short_text(parameter, "issuer")?;
    match label {
        // RFC 3986 leaves `+` a plus; forms write spaces so. The label tells which it was.
        Some(label) if parameter.replace('+', " ") == label => Ok(Some(label)),
        Some(label) if label != parameter => {
            warnings.push(Warning::IssuersDisagree { label, parameter: parameter.clone() });
            Ok(Some(parameter))
        }
        _ => Ok(Some(parameter)),
    }
}

/// Whether a text names an issuer; colons alone don't.
fn says_something(text: &str) -> bool {
    text.chars().any(|character| character != ':' && !character.is_whitespace())
}

/// The issuer as the label has it, and what follows its colon.
fn split_by<'a>(label: &'a str, parameter: &str) -> Option<(String, &'a str)> {
    [parameter.to_owned(), parameter.replace('+', " ")].into_iter().find_map(|issuer| {
        let account = label.trim_start().strip_prefix(&issuer)?.trim_start().strip_prefix(':')?;
        Some((issuer, account.trim()))
    })
}

/// Percent-decoded, without what takes no room and blanks at its ends.
fn decoded(part: &str, warnings: &mut Vec<Warning>) -> Result<String, Error> {
    let text = decode(part).ok_or_else(|| Error::PercentEncoding { place: "label".to_owned() })?;
    let visible = tidy::visible(&text);
    if visible.is_some() {
        warn_once(warnings, Warning::Invisible);
    }
    Ok(visible.as_ref().map_or(text.as_ref(), |visible| visible.as_str()).trim().to_owned())
}
