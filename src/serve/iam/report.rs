//! The credential report: who has which credentials, as CSV.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::serve::account::{AccessKey, Account, User};
use crate::serve::call::Call;
use crate::serve::fault::Fault;
use crate::time::Timestamp;
use crate::wire::xml::Writer;

/// How long a report is good, in seconds: asked for another one earlier, AWS gives the same.
const LIFETIME: u64 = 4 * 3_600;

const COLUMNS: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
                       password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,\
                       access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,\
                       access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,\
                       access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,\
                       cert_2_active,cert_2_last_rotated";

const NOT_THERE: &str = "N/A";

pub(in crate::serve) fn generate_credential_report(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    if generated(call).is_some_and(|(_, good)| good) {
        out.text("State", "COMPLETE");
        return Ok(());
    }
    out.text("State", "STARTED");
    out.text("Description", "No report exists. Starting a new report generation task");
    call.account.edit_settings().credential_report = Some(call.now);
    Ok(())
}

pub(in crate::serve) fn get_credential_report(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let at = match generated(call) {
        Some((at, true)) => at,
        Some((at, false)) => {
            return Err(Fault::new("ReportExpired", 410, "").because(format!("the report of {at} is too old")));
        }
        // AWS gives no message.
        None => return Err(Fault::new("ReportNotPresent", 410, "").because("no report was generated")),
    };
    out.text("Content", &BASE64_STANDARD.encode(content(call.account)));
    out.text("ReportFormat", "text/csv");
    out.time("GeneratedTime", at);
    Ok(())
}

/// When the last report was generated, and whether it is still good.
fn generated(call: &Call<'_>) -> Option<(Timestamp, bool)> {
    let at = call.account.settings().credential_report?;
    let age = call.now.as_unix().saturating_sub(at.as_unix());
    Some((at, age < LIFETIME))
}

fn content(account: &Account) -> String {
    let mut lines = vec![COLUMNS.to_owned(), root(account)];
    lines.extend(account.users.values().map(|user| row(account, user)));
    lines.join("\n")
}

/// The root user has no password, device or key here.
fn root(account: &Account) -> String {
    let mut fields = vec![
        "<root_account>".to_owned(),
        format!("arn:aws:iam::{}:root", account.id()),
        NOT_THERE.to_owned(),
        "not_supported".to_owned(),
        "no_information".to_owned(),
        "not_supported".to_owned(),
        "not_supported".to_owned(),
        "false".to_owned(),
    ];
    fields.extend(access_key(None));
    fields.extend(access_key(None));
    fields.extend(certificates());
    fields.join(",")
}

fn row(account: &Account, user: &User) -> String {
    let mut fields = vec![user.name.clone(), account.user_arn(user), written(user.created)];
    fields.push(user.login.is_some().to_string());
    match &user.login {
        Some(login) => {
            fields.push(user.signed_in.map_or_else(|| "no_information".to_owned(), written));
            fields.push(written(login.since()));
            fields.push(account.password_ends(login).map_or_else(|| NOT_THERE.to_owned(), written));
        }
        None => fields.extend([NOT_THERE; 3].map(str::to_owned)),
    }
    fields.push((!user.devices.is_empty()).to_string());
    let mut access_keys = user.access_keys.iter().filter_map(|id| account.access_keys.get(id));
    fields.extend(access_key(access_keys.next()));
    fields.extend(access_key(access_keys.next()));
    fields.extend(certificates());
    fields.iter().map(|field| quoted(field)).collect::<Vec<String>>().join(",")
}

fn access_key(access_key: Option<&AccessKey>) -> Vec<String> {
    let used = access_key.and_then(|access_key| access_key.used.as_ref());
    let or = |text: Option<String>| text.unwrap_or_else(|| NOT_THERE.to_owned());
    vec![
        access_key.is_some_and(|access_key| access_key.active).to_string(),
        or(access_key.map(|access_key| written(access_key.created))),
        or(used.map(|used| written(used.at))),
        or(used.map(|used| used.region.clone())),
        or(used.map(|used| used.service.clone())),
    ]
}

fn certificates() -> impl Iterator<Item = String> {
    ["false", NOT_THERE, "false", NOT_THERE].into_iter().map(str::to_owned)
}

/// The report has its own way to write UTC.
fn written(time: Timestamp) -> String {
    let text = time.to_rfc3339();
    text.strip_suffix('Z').map_or_else(|| text.clone(), |bare| format!("{bare}+00:00"))
}

/// RFC 4180, section 2: names of users may have commas.
fn quoted(field: &str) -> String {
    if field.contains([',', '"']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
}
