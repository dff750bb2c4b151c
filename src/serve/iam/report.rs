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

/// How long a report takes, in seconds. After one answer that it isn't ready, the next call gets it, so that a
/// client that waits for it comes to an end while virtual time stands.
const TAKES: u64 = 2;

pub(in crate::serve) fn generate_credential_report(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    match report(call) {
        Report::Ready(_) => out.text("State", "COMPLETE"),
        Report::InProgress => {
            out.text("State", "INPROGRESS");
            call.account.edit_settings().credential_report_awaited = true;
        }
        Report::Expired(_) | Report::Missing => {
            out.text("State", "STARTED");
            out.text("Description", "No report exists. Starting a new report generation task");
            let ready = call.now.plus(TAKES).unwrap_or(call.now);
            let settings = call.account.edit_settings();
            settings.credential_report = Some(ready);
            settings.credential_report_awaited = false;
        }
    }
    Ok(())
}

pub(in crate::serve) fn get_credential_report(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    // AWS gives no messages.
    let at = match report(call) {
        Report::Ready(at) => at,
        Report::InProgress => {
            call.account.edit_settings().credential_report_awaited = true;
            let why = "the report isn't ready: it takes 2 s, or one more call";
            return Err(Fault::new("ReportInProgress", 404, "").because(why));
        }
        Report::Expired(at) => {
            return Err(Fault::new("ReportExpired", 410, "").because(format!("the report of {at} is too old")));
        }
        Report::Missing => return Err(Fault::new("ReportNotPresent", 410, "").because("no report was generated")),
    };
    out.text("Content", &BASE64_STANDARD.encode(content(call.account)));
    out.text("ReportFormat", "text/csv");
    out.time("GeneratedTime", at);
    Ok(())
}

/// What became of the last report.
enum Report {
    Missing,
    InProgress,
    /// With when it was generated.
    Ready(Timestamp),
    Expired(Timestamp),
}

fn report(call: &Call<'_>) -> Report {
    let settings = call.account.settings();
    match settings.credential_report {
        None => Report::Missing,
        Some(at) if call.now < at && !settings.credential_report_awaited => Report::InProgress,
        Some(at) if call.now.as_unix().saturating_sub(at.as_unix()) < LIFETIME => Report::Ready(at),
        Some(at) => Report::Expired(at),
    }
}

fn content(account: &Account) -> String {
    let mut lines = vec![COLUMNS.to_owned(), root(account)];
    lines.extend(account.users.values().map(|user| row(account, user)));
    lines.join("\n")
}

/// The root user has no password and no device here.
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
    fields.extend(access_keys(account.root_access_keys().collect()));
    fields.extend(certificates());
    fields.join(",")
}

fn row(account: &Account, user: &User) -> String {
    let mut fields = vec![user.name.clone(), account.user_arn(user), user.created.to_rfc3339()];
    fields.push(user.login.is_some().to_string());
    match &user.login {
        Some(login) => {
            fields.push(user.signed_in.map_or_else(|| "no_information".to_owned(), Timestamp::to_rfc3339));
            fields.push(login.since().to_rfc3339());
            fields.push(account.password_ends(login).map_or_else(|| NOT_THERE.to_owned(), Timestamp::to_rfc3339));
        }
        None => fields.extend([NOT_THERE; 3].map(str::to_owned)),
    }
    fields.push((!user.devices.is_empty()).to_string());
    let held = user.access_keys.iter().filter_map(|id| account.access_keys.get(id));
    fields.extend(access_keys(held.collect()));
    fields.extend(certificates());
    fields.iter().map(|field| quoted(field)).collect::<Vec<String>>().join(",")
}

/// Two of them, the active ones first.
fn access_keys(mut held: Vec<&AccessKey>) -> Vec<String> {
    held.sort_by_key(|access_key| !access_key.active);
    let mut held = held.into_iter();
    [held.next(), held.next()].map(access_key).concat()
}

fn access_key(access_key: Option<&AccessKey>) -> Vec<String> {
    let used = access_key.and_then(|access_key| access_key.used.as_ref());
    let or = |text: Option<String>| text.unwrap_or_else(|| NOT_THERE.to_owned());
    vec![
        access_key.is_some_and(|access_key| access_key.active).to_string(),
        or(access_key.map(|access_key| access_key.created.to_rfc3339())),
        or(used.map(|used| used.at.to_rfc3339())),
        or(used.map(|used| used.region.clone())),
        or(used.map(|used| used.service.clone())),
    ]
}

fn certificates() -> impl Iterator<Item = String> {
    ["false", NOT_THERE, "false", NOT_THERE].into_iter().map(str::to_owned)
}

/// RFC 4180, section 2: names of users may have commas.
fn quoted(field: &str) -> String {
    if field.contains([',', '"']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
}
