//! Signing in: password, code, a new password where one is wanted; signing out.

use super::page::{self, Device, Offer, Password, Problem, SignIn, html};
use super::session::{Person, Stage};
use super::visit::{Signed, Visit, place, with_cookie, without_cookie};
use crate::oath;
use crate::serve::account::{Account, Login, PasswordHash, key};
use crate::serve::call::Call;
use crate::serve::fault::Fault;
use crate::serve::iam::login;
use crate::serve::message::Response;
use crate::serve::stand::State;
use crate::serve::sts;
use crate::time::Timestamp;
use crate::wire::query::Parameters;

/// One sentence for everything that can be wrong, so that nobody learns which names there are.
const WRONG: &str = "The account, the user name or the password is wrong.";

/// For a user who gave the right one.
const EXPIRED: &str = "Your password has expired. An administrator has to set another one.";

pub(super) fn page(visit: &Visit<'_>) -> Response {
    let account = visit.stand.state().account.shown_as().to_owned();
    if visit.session.is_some() {
        return form(visit, 200, &account, "", None);
    }
    let begun = visit.stand.console.sessions.begin(None, visit.now, visit.stand.state().random.as_mut());
    match begun {
        Ok((id, key, session)) => {
            let visit = Visit { session: Some((key, session)), input: Parameters::default(), ..*visit };
            with_cookie(form(&visit, 200, &account, "", None), &id)
        }
        Err(error) => visit.fail(&error.into()),
    }
}

fn form(visit: &Visit<'_>, status: u16, account: &str, user: &str, problem: Option<Problem>) -> Response {
    let wrong = problem.is_some();
    html(status, &SignIn { shell: visit.shell("", problem), account, user, wrong })
}

pub(super) fn submit(visit: &Visit<'_>) -> Response {
    let (account, user) = (visit.sent("account").trim(), visit.sent("username").trim());
    let look = || check_password(visit, account, user, visit.sent("password"));
    match visit.guess(&key(user), |fault| fault.message == WRONG, look) {
        Ok(person) => {
            let arn = visit.name_and_arn(&person).1;
            let next = match person.stage {
                Stage::Code => "the password is right; the user has MFA devices, so a code is asked for",
                Stage::NewPassword => "the password is right; a new one has to be chosen",
                Stage::In => "the password is right; the user has no MFA device",
            };
            visit.note("ConsoleLogin", Some(&arn), Ok(next));
            enter(visit, person, None)
        }
        Err(fault) if matches!(fault.status, 403 | 429) => {
            visit.note("ConsoleLogin", None, Err(&fault));
            form(visit, fault.status, account, user, Some(Problem::new(&fault.message)))
        }
        Err(fault) => visit.fail(&fault),
    }
}

/// Whose password it is. Hashing takes its time, the same for names that there are and that there aren't, and the
/// account isn't held meanwhile.
fn check_password(visit: &Visit<'_>, account: &str, user: &str, password: &str) -> Result<Person, Fault> {
    let wrong = |why: &str| Fault::new("FailedAuthentication", 403, WRONG).because(why);
    let user_key = key(user);
    let (known, login) = {
        let state = visit.stand.state();
        let ours = account == state.account.id() || state.account.alias() == Some(account);
        let user = state.account.users.get(&user_key).filter(|_| ours);
        (user.is_some(), user.and_then(|user| user.login.clone()))
    };
    let Some(login) = login else {
        let _ = PasswordHash::new(password, [0; 16]);
        return Err(wrong(if known { "the user has no password" } else { "no such account or no such user" }));
    };
    if !login.password.matches(password) {
        return Err(wrong("the password is wrong"));
    }
    let state = visit.stand.state();
    let user = state.account.users.get(&user_key).ok_or_else(|| wrong("the user was deleted meanwhile"))?;
    let hard = state.account.password_policy().is_some_and(|policy| policy.hard_expiry);
    if hard && has_ended(&state.account, &login, visit.now) {
        return Err(Fault::new("FailedAuthentication", 403, EXPIRED).because("the password policy has hard expiry"));
    }
    let next = next_stage(&state.account, &login, visit.now);
    let stage = if user.devices.is_empty() { next } else { Stage::Code };
    // Of the password that was checked: should it have been changed since, the session is over with its first request.
    Ok(Person::new(user_key, user.id.clone(), &login, stage, visit.now))
}

fn has_ended(account: &Account, login: &Login, now: Timestamp) -> bool {
    account.password_ends(login).is_some_and(|end| end <= now)
}

/// What comes once no code is missing any more.
fn next_stage(account: &Account, login: &Login, now: Timestamp) -> Stage {
    if login.reset_required || has_ended(account, login, now) { Stage::NewPassword } else { Stage::In }
}

/// Lets somebody go on; once no code is missing any more, the password counts as used.
fn enter(visit: &Visit<'_>, person: Person, notice: Option<&str>) -> Response {
    if person.stage != Stage::Code {
        let mut state = visit.stand.state();
        if let Some(user) = state.account.users.edit(&person.user) {
            user.signed_in = Some(visit.now);
        }
        if let Err(fault) = state.store() {
            drop(state);
            return visit.fail(&fault);
        }
    }
    visit.renew(person, notice)
}

pub(super) fn code_page(signed: &Signed<'_>) -> Response {
    code_form(signed, 200, None)
}

fn code_form(signed: &Signed<'_>, status: u16, problem: Option<Problem>) -> Response {
    let devices: Vec<Device> = {
        let state = signed.visit.stand.state();
        let user = state.account.users.get(&signed.person.user);
        user.map(|user| user.devices.iter().map(|serial| Device::new(serial)).collect()).unwrap_or_default()
    };
    if devices.is_empty() {
        // The last one was removed meanwhile: from the beginning.
        return sign_out(signed.visit);
    }
    html(status, &page::Code { shell: signed.visit.shell("", problem), devices, chosen: signed.visit.sent("device") })
}

pub(super) fn submit_code(signed: &Signed<'_>) -> Response {
    let visit = signed.visit;
    let code = visit.sent_code("code");
    let six = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
    let Some(code) = code.parse().ok().filter(|_| six) else {
        return code_form(signed, 400, Some(Problem::new("A code has six digits.")));
    };
    match verify(signed, visit.sent("device"), code) {
        Ok(why) => {
            visit.note("CheckMfa", Some(&signed.arn), Ok(&why));
            let mut person = signed.person.clone();
            let state = visit.stand.state();
            let login = state.account.users.get(&person.user).and_then(|user| user.login.as_ref());
            person.stage = login.map_or(Stage::In, |login| next_stage(&state.account, login, visit.now));
            drop(state);
            person.authenticated = Some(visit.now);
            enter(visit, person, None)
        }
        Err(fault) => {
            visit.note("CheckMfa", Some(&signed.arn), Err(&fault));
            code_form(signed, fault.status, Some(Problem::of(&fault)))
        }
    }
}

/// Decides about a code as STS does.
fn verify(signed: &Signed<'_>, serial: &str, code: oath::Code) -> Result<String, Fault> {
    let (caller, origin, input) = (signed.person.caller(), signed.visit.origin(), Parameters::default());
    let mut state = signed.visit.stand.state();
    let State { account, random, .. } = &mut *state;
    let (instant, random) = (signed.visit.stand.clock.instant(), random.as_mut());
    let now = instant.timestamp();
    let mut call = Call { account, caller: &caller, origin: &origin, input: &input, now, instant, random, why: None };
    let verified = sts::verify(&mut call, serial, &signed.person.id, code);
    // A refusal may have cost an attempt: that is stored too.
    state.store()?;
    verified
}

/// The page for another password, wanted or chosen freely.
pub(super) fn password_page(signed: &Signed<'_>) -> Response {
    password_form(signed, 200, None)
}

fn password_form(signed: &Signed<'_>, status: u16, problem: Option<Problem>) -> Response {
    let required = signed.person.stage == Stage::NewPassword;
    let action = if required { place(Some(Stage::NewPassword)) } else { "/console/password" };
    html(status, &Password { shell: signed.shell(problem), user: &signed.name, action, required })
}

/// Whether another password may be chosen.
pub(super) fn offer_of_change(signed: &Signed<'_>) -> Offer {
    let (origin, input) = (signed.visit.origin(), Parameters::default());
    signed.offered(false, |caller| {
        let mut state = signed.visit.stand.state();
        let State { account, random, .. } = &mut *state;
        let (instant, random) = (signed.visit.stand.clock.instant(), random.as_mut());
        let now = instant.timestamp();
        let call = Call { account, caller, origin: &origin, input: &input, now, instant, random, why: None };
        call.user(&signed.person.user).is_ok_and(|user| login::may_change_password(&call, user).is_ok())
    })
}

pub(super) fn change_password(signed: &Signed<'_>) -> Response {
    let visit = signed.visit;
    let (old, new) = (visit.sent("current-password"), visit.sent("new-password"));
    if new != visit.sent("repeated-password") {
        return password_form(signed, 400, Some(Problem::new("The new password was typed in two ways.")));
    }
    let change = || signed.act("ChangePassword", &[("OldPassword", old), ("NewPassword", new)]);
    match visit.guess(&signed.person.user, |fault| fault.message == login::OLD_PASSWORD_WRONG, change) {
        Ok(_) => {
            let mut person = signed.person.clone();
            person.take_password(&visit.stand.state().account);
            person.stage = Stage::In;
            visit.renew(person, Some("Your password was changed."))
        }
        Err(fault) => password_form(signed, fault.status, Some(Problem::of(&fault))),
    }
}

pub(super) fn sign_out(visit: &Visit<'_>) -> Response {
    if let Some((key, _)) = &visit.session {
        visit.stand.console.sessions.end(*key);
    }
    if let Some(person) = visit.person() {
        visit.note("SignOut", Some(&visit.name_and_arn(person).1), Ok("the session is over"));
    }
    without_cookie(Response::redirect(place(None)))
}
