//! Login profiles: the console passwords of users, and how users change their own.
//!
//! Deriving a password's hash takes milliseconds, and nobody else is answered meanwhile: an action derives one at most, and
//! `ChangePassword` that of the old one besides.

use crate::serve::account::{Login, PasswordHash, User, key};
use crate::serve::call::{Call, no_user};
use crate::serve::caller::Who;
use crate::serve::fault::Fault;
use crate::wire::xml::Writer;

/// What [`change_password`] says of a wrong one.
pub(in crate::serve) const OLD_PASSWORD_WRONG: &str = "The old password was incorrect.";

pub(in crate::serve) fn create_login_profile(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let (user_key, user) = call.named_user()?;
    let name = user.name.clone();
    let password = call.input.get("Password").ok_or_else(|| {
        Fault::validation(
            "1 validation error detected: Value at 'password' failed to satisfy constraint: Member must not be null",
        )
    })?;
    if user.login.is_some() {
        return Err(Fault::already_exists(format!("Login Profile for user {name} already exists.")));
    }
    check(call, user, password)?;
    let reset = call.flag("PasswordResetRequired").unwrap_or_default();
    let salt = salt(call)?;
    let login = Login::new(PasswordHash::new(call.required("Password")?, salt), call.now, reset);
    out.open("LoginProfile", |out| write(out, &name, &login));
    edit(call, &user_key)?.login = Some(login);
    Ok(())
}

pub(in crate::serve) fn get_login_profile(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let (_, user) = call.named_user()?;
    let login = login(user)?;
    out.open("LoginProfile", |out| write(out, &user.name, login));
    Ok(())
}

pub(in crate::serve) fn update_login_profile(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let salt = salt(call)?;
    let user = call.user(call.required("UserName")?)?;
    let user_key = key(&user.name);
    let login = login(user)?;
    let changed = call.input.get("Password").map(|password| another(call, user, login, password, salt)).transpose()?;
    let (reset, now) = (call.flag("PasswordResetRequired"), call.now);
    if let Some(login) = &mut edit(call, &user_key)?.login {
        if let Some(password) = changed {
            login.change(password, now);
        }
        login.reset_required = reset.unwrap_or(login.reset_required);
    }
    Ok(())
}

pub(in crate::serve) fn delete_login_profile(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let (user_key, user) = call.named_user()?;
    login(user)?;
    edit(call, &user_key)?.login = None;
    Ok(())
}

pub(in crate::serve) fn change_password(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let Who::User { key: user_key, .. } = &call.caller.who else {
        return Err(Fault::new("InvalidUserType", 400, "Only IAM Users can change their own password"));
    };
    let user_key = user_key.clone();
    let salt = salt(call)?;
    let user = call.user(&user_key)?;
    let why = may_change_password(call, user)?;
    let login = login(user)?;
    if !login.password.matches(call.required("OldPassword")?) {
        return Err(Fault::access_denied(OLD_PASSWORD_WRONG));
    }
    if call.required("NewPassword")? == call.required("OldPassword")? {
        return Err(Fault::access_denied("The new password must differ from the old password."));
    }
    let (password, now) = (another(call, user, login, call.required("NewPassword")?, salt)?, call.now);
    if let Some(login) = &mut edit(call, &user_key)?.login {
        login.change(password, now);
        login.reset_required = false;
    }
    call.why = Some(why);
    Ok(())
}

/// Whether a user may choose another password.
///
/// # Errors
///
/// `AccessDenied`.
pub(in crate::serve) fn may_change_password(call: &Call<'_>, user: &User) -> Result<String, Fault> {
    let shown = Some(format!("user {}", user.name));
    call.allowed_to_users("iam:ChangePassword", &call.account.user_arn(user), shown, &user.tags)
}

fn edit<'a>(call: &'a mut Call<'_>, user_key: &str) -> Result<&'a mut User, Fault> {
    call.account.users.edit(user_key).ok_or_else(|| no_user(user_key))
}

fn login(user: &User) -> Result<&Login, Fault> {
    let missing = || Fault::no_such_entity(format!("Login Profile for User {} cannot be found.", user.name));
    user.login.as_ref().ok_or_else(missing)
}

/// That the rules of the account have nothing against a password.
fn check(call: &Call<'_>, user: &User, password: &str) -> Result<(), Fault> {
    call.account.password_objection(password, user).map_or(Ok(()), |objection| Err(violation(objection)))
}

/// The hash of a password instead of the one there is, where the rules of the account have nothing against it.
fn another(call: &Call<'_>, user: &User, login: &Login, password: &str, salt: [u8; 16]) -> Result<PasswordHash, Fault> {
    check(call, user, password)?;
    let derived = login.password.derive(password);
    match call.account.reuse_objection(&derived, login) {
        None => Ok(derived.hash(salt)),
        Some(objection) => Err(violation(objection)),
    }
}

fn salt(call: &mut Call<'_>) -> Result<[u8; 16], Fault> {
    let mut salt = [0; 16];
    call.random.fill(&mut salt)?;
    Ok(salt)
}

fn violation(objection: String) -> Fault {
    Fault::new("PasswordPolicyViolation", 400, "Password does not conform to the account password policy.")
        .because(objection)
}

fn write(out: &mut Writer, name: &str, login: &Login) {
    out.text("UserName", name);
    out.time("CreateDate", login.created);
    out.flag("PasswordResetRequired", login.reset_required);
}
