//! The account's rules for passwords: get, update, delete.

use crate::serve::account::{PasswordPolicy, Tags};
use crate::serve::call::Call;
use crate::serve::fault::Fault;
use crate::wire::xml::Writer;

/// How long passwords have to be in rules that don't say.
const LENGTH: u64 = 6;

pub(in crate::serve) fn get_account_password_policy(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let why = call.allowed_to_users("iam:GetAccountPasswordPolicy", "*", None, &Tags::default())?;
    call.why = Some(why);
    let policy = call.account.password_policy().ok_or_else(|| {
        let account = call.account.id();
        Fault::no_such_entity(format!("The Password Policy with domain name {account} cannot be found."))
    })?;
    out.open("PasswordPolicy", |out| {
        out.number("MinimumPasswordLength", policy.minimum_length);
        out.flag("RequireSymbols", policy.symbols);
        out.flag("RequireNumbers", policy.numbers);
        out.flag("RequireUppercaseCharacters", policy.uppercase);
        out.flag("RequireLowercaseCharacters", policy.lowercase);
        out.flag("AllowUsersToChangePassword", policy.users_may_change);
        out.flag("ExpirePasswords", policy.max_age.is_some());
        if let Some(days) = policy.max_age {
            out.number("MaxPasswordAge", days);
        }
        if let Some(count) = policy.reuse_prevention {
            out.number("PasswordReusePrevention", count);
        }
        if policy.hard_expiry {
            out.flag("HardExpiry", true);
        }
    });
    Ok(())
}

/// What isn't said becomes the default: nothing of the earlier rules stays.
pub(in crate::serve) fn update_account_password_policy(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let flag = |name| call.flag(name).unwrap_or_default();
    let policy = PasswordPolicy {
        minimum_length: call.number("MinimumPasswordLength").unwrap_or(LENGTH),
        symbols: flag("RequireSymbols"),
        numbers: flag("RequireNumbers"),
        uppercase: flag("RequireUppercaseCharacters"),
        lowercase: flag("RequireLowercaseCharacters"),
        users_may_change: flag("AllowUsersToChangePassword"),
        max_age: call.number("MaxPasswordAge"),
        reuse_prevention: call.number("PasswordReusePrevention"),
        hard_expiry: flag("HardExpiry"),
    };
    call.account.edit_settings().password_policy = Some(policy);
    Ok(())
}

pub(in crate::serve) fn delete_account_password_policy(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    if call.account.password_policy().is_none() {
        return Err(Fault::no_such_entity("The account policy with name PasswordPolicy cannot be found."));
    }
    call.account.edit_settings().password_policy = None;
    Ok(())
}
