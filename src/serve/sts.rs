//! The Security Token Service: temporary credentials, for a code or without.

use crate::oath::Code;
use crate::policy::{self, Context, Request, Source, mfa};
use crate::serve::account::authenticator::{Unverified, ahead};
use crate::serve::account::{Keys, PolicyDocument, Role, Session, SessionOf, Tags, key};
use crate::serve::authorize;
use crate::serve::call::Call;
use crate::serve::caller::Who;
use crate::serve::fault::Fault;
use crate::serve::iam::documents;
use crate::serve::random;
use crate::time::Timestamp;
use crate::wire::xml::Writer;

/// Seconds that credentials of `GetSessionToken` last: at least, by default, at most.
const SESSION: (u64, u64, u64) = (900, 43_200, 129_600);

/// Seconds that the root user's last, by default and at most.
const ROOT_SESSION: u64 = 3_600;

/// Seconds that credentials of `AssumeRole` last: at least, and by default. At most, what the role says.
const ROLE_SESSION: (u64, u64) = (900, 3_600);

/// Seconds that they last at most where temporary credentials asked for them, a role's or those of `GetSessionToken`.
const CHAINED_SESSION: u64 = 3_600;

/// As AWS writes it, the space at the end included.
const BAD_CODE: &str = "MultiFactorAuthentication failed with invalid MFA one time pass code. ";

/// As AWS writes it, for four causes.
const UNABLE: &str = "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial \
                      number is valid and associated with this user.";

/// Where one of the two is missing.
const BOTH: &str = "MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.";

/// How much room there is for session policies, and how much for session tags, in bytes. AWS packs both together in a
/// way that it doesn't tell.
const PACKED: usize = 2_048;

pub(super) fn get_caller_identity(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    out.text("UserId", &call.caller.user_id(call.account));
    out.text("Account", call.account.id());
    out.text("Arn", &call.caller.arn(call.account));
    Ok(())
}

pub(super) fn get_access_key_info(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let id = call.required("AccessKeyId")?;
    if !call.account.access_keys.contains(id) && !call.account.sessions.contains(id) {
        return Err(Fault::validation(format!("Access key {id} is not valid")));
    }
    out.text("Account", call.account.id());
    Ok(())
}

pub(super) fn get_session_token(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    if call.caller.issued.is_some() {
        return Err(Fault::access_denied("Cannot call GetSessionToken with session credentials"));
    }
    let (least, default, most) = SESSION;
    let (default, most) = match call.caller.who {
        Who::Root => (ROOT_SESSION, ROOT_SESSION),
        _ => (default, most),
    };
    let duration = call.number("DurationSeconds").unwrap_or(default);
    let duration = match call.caller.who {
        // AWS shortens what root asks for in excess
        Who::Root => duration.min(most),
        _ => duration,
    };
    if duration < least {
        return Err(too_short(duration, least));
    }
    let authenticated = multi_factor(call)?;
    let of = match &call.caller.who {
        Who::User { key, id } => SessionOf::User { id: id.clone(), user: key.clone() },
        _ => SessionOf::Root,
    };
    let session = new_session(call, of, duration, authenticated)?;
    let id = keep(call, &session)?;
    write_credentials(out, &id, &session);
    Ok(())
}

pub(super) fn assume_role(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    if call.caller.who == Who::Root {
        return Err(Fault::access_denied("Roles may not be assumed by root accounts."));
    }
    let arn = call.required("RoleArn")?.to_owned();
    let name = call.required("RoleSessionName")?.to_owned();
    // Only a text that is no ARN gets its own message; the ARN of a missing role is refused like one of a role that mayn't be assumed.
    if !arn.starts_with("arn:") || arn.split(':').count() < 6 {
        return Err(Fault::validation(format!("{arn} is invalid")));
    }
    let (policies, policy_arns) = session_policies(call)?;
    let tags = call.tags(Keys::AnyCase)?;
    let packed = packed(&policies, &policy_arns, &tags)?;
    let (role_key, role) = find_role(call, &arn)?;
    let (role_id, role_name, most) = (role.id.clone(), role.name.clone(), role.max_session);
    let (least, default) = ROLE_SESSION;
    let duration = call.number("DurationSeconds").unwrap_or(default.min(most));
    if duration < least {
        return Err(too_short(duration, least));
    }
    if duration > most {
        return Err(Fault::validation(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    if call.caller.issued.is_some() && duration > CHAINED_SESSION {
        return Err(Fault::validation(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        ));
    }
    // With a code, the request counts as made with MFA: whether that would help is decided before the code is used up.
    let given = call.input.get("TokenCode").is_some() && call.input.get("SerialNumber").is_some();
    let why = trusted(call, &arn, &name, given, &tags)?;
    multi_factor(call)?;
    let of = SessionOf::Role { id: role_id.clone(), role: role_key, name: name.clone() };
    // What a role's session does isn't done with MFA, even where assuming it was: the documentation of AssumeRole.
    let mut session = new_session(call, of, duration, None)?;
    (session.policies, session.policy_arns, session.tags) = (policies, policy_arns, tags);
    let id = keep(call, &session)?;
    write_credentials(out, &id, &session);
    out.open("AssumedRoleUser", |out| {
        out.text("AssumedRoleId", &format!("{role_id}:{name}"));
        let account = call.account.id();
        out.text("Arn", &format!("arn:aws:sts::{account}:assumed-role/{role_name}/{name}"));
    });
    if packed > 0 {
        out.text("PackedPolicySize", &packed.to_string());
    }
    if let Some(identity) = call.input.get("SourceIdentity") {
        out.text("SourceIdentity", identity);
    }
    call.why = Some(match call.why.take() {
        Some(code) => format!("{why}; {code}"),
        None => why,
    });
    Ok(())
}

fn too_short(duration: u64, least: u64) -> Fault {
    Fault::validation(format!(
        "1 validation error detected: Value '{duration}' at 'durationSeconds' failed to satisfy constraint: Member must \
         have value greater than or equal to {least}"
    ))
}

/// The role of an ARN, with its key. A role that isn't there is refused in the words of one that mayn't be assumed.
fn find_role<'a>(call: &'a Call<'_>, arn: &str) -> Result<(String, &'a Role), Fault> {
    let role_key = key(arn.rsplit('/').next().unwrap_or_default());
    let role = call.account.roles.get(&role_key).filter(|role| call.account.role_arn(role) == arn);
    role.map(|role| (role_key, role)).ok_or_else(|| {
        Fault::access_denied(format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}",
            call.caller.arn(call.account)
        ))
        .because("there is no such role")
    })
}

/// Whether the caller's policies and the role's trust policy let the caller assume it.
fn trusted(call: &Call<'_>, arn: &str, session_name: &str, with_code: bool, tags: &Tags) -> Result<String, Fault> {
    let (_, role) = find_role(call, arn)?;
    let mut context = Context::new();
    call.origin.describe(call.now, &mut context);
    call.caller.describe(call.account, call.now, &mut context);
    if with_code {
        mfa::Credentials::Temporary { authenticated: Some(call.now) }.apply(call.now, &mut context);
    }
    context.set("sts:RoleSessionName", [session_name]);
    if let Some(id) = call.input.get("ExternalId") {
        context.set("sts:ExternalId", [id]);
    }
    if let Some(identity) = call.input.get("SourceIdentity") {
        context.set("sts:SourceIdentity", [identity]);
    }
    authorize::describe_tags(&mut context, tags);
    authorize::describe_resource(&mut context, &role.tags);
    let Some(mut policies) = call.caller.policies(call.account) else {
        return Err(Fault::access_denied(format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}",
            call.caller.arn(call.account)
        )));
    };
    policies.trust = Some(Source { name: &role.name, document: role.trust.document() });
    let mut request = Request {
        action: "sts:AssumeRole".to_owned(),
        resources: vec![arn.to_owned()],
        principal: call.caller.principal(call.account),
        context,
    };
    let mut reasons = vec![authorize::judge_role(call.account, call.caller, &policy::evaluate(&policies, &request))?];
    if !tags.is_empty() {
        "sts:TagSession".clone_into(&mut request.action);
        let evaluation = policy::evaluate(&policies, &request);
        reasons.push(authorize::judge_role(call.account, call.caller, &evaluation)?);
    }
    Ok(reasons.join("; "))
}

/// When a code was accepted: now, or never where none came with the request.
fn multi_factor(call: &mut Call<'_>) -> Result<Option<Timestamp>, Fault> {
    let (serial, code) = match (call.input.get("SerialNumber"), call.input.get("TokenCode")) {
        (None, None) => return Ok(None),
        (Some(serial), Some(code)) => (serial.to_owned(), code),
        (Some(_), None) => {
            return Err(Fault::access_denied(BOTH).because("a serial number came without a code"));
        }
        (None, Some(_)) => {
            return Err(Fault::access_denied(BOTH).because("a code came without the serial number of its device"));
        }
    };
    let code: Code = code.parse().map_err(|_| Fault::access_denied(BAD_CODE))?;
    let user = match &call.caller.who {
        Who::User { id, .. } => id.clone(),
        _ => {
            return Err(Fault::access_denied(UNABLE).because("only users have devices here"));
        }
    };
    let why = verify(call, &serial, &user, code)?;
    call.why = Some(why);
    Ok(Some(call.now))
}

/// Decides about a code as STS does; says what was found.
///
/// # Errors
///
/// `AccessDenied` in AWS's two wordings.
pub(super) fn verify(call: &mut Call<'_>, serial: &str, user: &str, code: Code) -> Result<String, Fault> {
    let now = call.instant;
    let unable = |why: String| Fault::access_denied(UNABLE).because(why);
    if !call.account.authenticators.contains(serial) {
        let kind = if serial.contains(":user/") { ": that is the ARN of a user, not of a device (`mfa/`)" } else { "" };
        return Err(unable(format!("there is no device {serial}{kind}")));
    }
    let enabled = call.account.devices.get(serial).and_then(|device| Some(device.assigned.as_ref()?.at));
    let authenticator = call.account.authenticators.edit_or_new(serial);
    let verified = authenticator.verify(user, code, now);
    let coming = authenticator.next_arrival(now);
    let and_coming = |why: String| match coming {
        Some(when) => format!("{why}; IAM's last word about {serial} reaches STS at {when} only"),
        None => why,
    };
    match verified {
        Ok(found) => Ok(and_coming(format!(
            "the code is of step {}, {:+} from the server's own; the device counts as {}",
            found.moving_factor,
            found.drift,
            ahead(found.adjustment)
        ))),
        Err(Unverified::Code(refusal)) => Err(Fault::access_denied(BAD_CODE).because(and_coming(refusal.to_string()))),
        Err(Unverified::Changing(when)) => Err(unable(format!(
            "IAM's word about {serial} is just reaching STS, and is known there at {when}: until then codes are \
             used up and refused"
        ))),
        Err(Unverified::Unbound) => Err(unable(match (enabled, coming) {
            (Some(at), Some(when)) => format!("{serial} was enabled at {at}, and that reaches STS at {when} only"),
            _ => format!("{serial} is enabled for nobody"),
        })),
        Err(Unverified::Foreign) => Err(unable(format!("{serial} is another user's"))),
        Err(Unverified::NotPropagated(when)) => Err(unable(match enabled {
            Some(at) => format!("{serial} was enabled at {at}, and that reaches STS at {when} only"),
            None => format!("IAM's word about {serial} reaches STS at {when} only"),
        })),
        Err(Unverified::Budget(when)) => {
            Err(unable(format!("nine codes of {serial} were verified in these three minutes: the next is at {when}")))
        }
    }
}

/// `Policy` and `PolicyArns` of a request.
fn session_policies(call: &Call<'_>) -> Result<(Vec<PolicyDocument>, Vec<String>), Fault> {
    let mut policies = Vec::new();
    if let Some(text) = call.input.get("Policy") {
        policies.push(documents::identity(text)?);
    }
    let mut arns = Vec::new();
    for arn in call.input.structs("PolicyArns").iter().filter_map(|item| item.get("arn").map(str::to_owned)) {
        if call.account.policy(&arn).is_none() {
            return Err(Fault::malformed_policy(format!("The policy with ARN {arn} does not exist")));
        }
        arns.push(arn);
    }
    Ok((policies, arns))
}

/// How much of the room for them session policies and tags take up, in percent.
///
/// # Errors
///
/// `PackedPolicyTooLarge`.
fn packed(policies: &[PolicyDocument], arns: &[String], tags: &Tags) -> Result<usize, Fault> {
    let percent = |bytes: usize| bytes.saturating_mul(100).div_ceil(PACKED);
    let too_large = |text: String| Err(Fault::new("PackedPolicyTooLarge", 400, text));
    let texts = percent(policies.iter().map(|policy| policy.text().len()).sum());
    if texts > 100 {
        let text = format!("Packed policy consumes {texts}% of allotted space, please use smaller policy.");
        return too_large(text);
    }
    let tags = percent(tags.iter().map(|(key, value)| key.len().saturating_add(value.len())).sum());
    if tags > 100 {
        return too_large(format!("Packed size of session tags consumes {tags}% of allotted space."));
    }
    let arns = percent(arns.iter().map(String::len).sum());
    // Each of them is within its bounds, and packing saves more than adding them up adds.
    Ok(texts.saturating_add(tags).saturating_add(arns).min(100))
}

fn new_session(
    call: &mut Call<'_>,
    of: SessionOf,
    seconds: u64,
    authenticated: Option<Timestamp>,
) -> Result<Session, Fault> {
    let expires = call.now.plus(seconds).ok_or_else(|| Fault::failure("the clock is at its end"))?;
    Ok(Session {
        secret: random::secret_access_key(call.random)?,
        token: random::text(call.random, 96)?,
        issued: call.now,
        expires,
        authenticated,
        of,
        policies: Vec::new(),
        policy_arns: Vec::new(),
        tags: Tags::default(),
    })
}

/// Keeps a session under a new access key id.
fn keep(call: &mut Call<'_>, session: &Session) -> Result<String, Fault> {
    let id = random::id(call.random, "ASIA", 16)?;
    call.account.add_session(id.clone(), session.clone(), call.now);
    Ok(id)
}

fn write_credentials(out: &mut Writer, id: &str, session: &Session) {
    out.open("Credentials", |out| {
        out.text("AccessKeyId", id);
        out.text("SecretAccessKey", &session.secret);
        out.text("SessionToken", &session.token);
        out.time("Expiration", session.expires);
    });
}
