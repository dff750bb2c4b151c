//! Virtual MFA devices: create, enable, resynchronize, deactivate, delete, list, tag.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use crate::oath::relying_party::Refusal;
use crate::oath::{Code, Parameters};
use crate::provision::draw::Drawing;
use crate::provision::{Enrolment, uri};
use crate::secret::Secret;
use crate::serve::account::authenticator::ahead;
use crate::serve::account::index::in_either;
use crate::serve::account::{Account, Arrival, Device, Keys, Tags, User};
use crate::serve::call::{Call, Section, no_device};
use crate::serve::fault::Fault;
use crate::wire::xml::Writer;

/// How long a seed is, in bytes. Measured at AWS: 64 characters of base32.
const SEED: usize = 40;

/// How many devices a user may have.
pub(in crate::serve) const DEVICES_PER_USER: usize = 8;

/// Who AWS says it is, in QR codes.
const ISSUER: &str = "Amazon Web Services";

/// How wide AWS draws its QR codes, in pixels; ours are as wide as whole modules allow.
const QR_PIXELS: u32 = 250;

/// How many characters a device's name may have: with the longest serial number that other actions take, 256, and no path.
/// AWS's model gives no bound, and its console has this one.
const NAME: usize = 226;

const INVALID_CODE: &str = "Authentication code for device is not valid.";
const NOT_THIS_USERS: &str = "MFA Device invalid for user.";

/// What `GetMFADevice` answers about a virtual device.
const ONLY_FIDO: &str = "The MFA device serial number sent in the request is invalid or not supported by this API. \
                         Currently, only hardware FIDO security keys are supported. Please use the compatible device or \
                         API.";
const NEEDS_MFA: &str = "To complete this action, please ensure that you are authenticated with an MFA device that is enabled for this user.";

pub(in crate::serve) fn create_virtual_mfa_device(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let (serial, uri) = create(call, call.required("VirtualMFADeviceName")?.to_owned())?;
    let png = picture(&uri)?;
    let seed = call.device(&serial)?.seed.to_base32();
    let tags = call.device(&serial)?.tags.clone();
    out.open("VirtualMFADevice", |out| {
        out.text("SerialNumber", &serial);
        out.text("Base32StringSeed", &base64(seed.as_bytes()));
        out.text("QRCodePNG", &base64(&png));
        super::write_tags(out, &tags);
    });
    Ok(())
}

fn base64(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(BASE64_STANDARD.encode(bytes))
}

/// Makes a device; its serial number and the key URI of its seed.
///
/// # Errors
///
/// One of that name, tags that can't be, or no random numbers.
pub(in crate::serve) fn create(call: &mut Call<'_>, name: String) -> Result<(String, Zeroizing<String>), Fault> {
    if name.chars().nth(NAME).is_some() {
        return Err(Fault::validation(format!(
            "1 validation error detected: Value at 'virtualMFADeviceName' failed to satisfy constraint: Member must have \
             length less than or equal to {NAME}"
        )));
    }
    let serial = call.account.arn("mfa", call.path(), &name);
    if call.account.devices.contains(&serial) {
        return Err(Fault::already_exists("MFA device already exists.").because(orphan(call.account, &serial)));
    }
    let tags = call.tags(Keys::Exact)?;
    let mut bytes = vec![0; SEED];
    call.random.fill(&mut bytes)?;
    let seed = Secret::new(bytes).map_err(|error| Fault::failure(error.to_string()))?;
    let uri = key_uri(call.account, &name, &seed);
    call.account.sweep_authenticators(call.instant);
    call.account.authenticators.edit_or_new(&serial).reseed();
    let device = Device { serial: serial.clone(), name, seed, tags, assigned: None };
    call.account.devices.insert(serial.clone(), device);
    Ok((serial, uri))
}

/// What the existing device of that serial number is.
fn orphan(account: &Account, serial: &str) -> String {
    let assigned = account.devices.get(serial).and_then(|device| device.assigned.as_ref());
    match assigned.and_then(|assigned| account.users.get(&assigned.user)) {
        Some(user) => format!("{serial} is enabled for user {}", user.name),
        None => format!(
            "{serial} is left unassigned by an earlier enrolment: anybody who still has its seed can enable it, or else an \
             administrator deletes it: aws iam delete-virtual-mfa-device --serial-number {serial}"
        ),
    }
}

/// The URI that AWS draws.
pub(in crate::serve) fn key_uri(account: &Account, name: &str, seed: &Secret) -> Zeroizing<String> {
    uri::format(&Enrolment {
        issuer: Some(ISSUER.to_owned()),
        account: format!("{name}@{}", account.shown_as()),
        secret: seed.clone(),
        parameters: Parameters::DEFAULT,
        serial: None,
    })
}

/// The PNG of a key URI.
///
/// # Errors
///
/// A URI too long for a QR code; names aren't.
pub(in crate::serve) fn picture(uri: &str) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let drawing = Drawing::new(uri).map_err(|error| Fault::failure(error.to_string()))?;
    let scale = QR_PIXELS.checked_div(drawing.side()).unwrap_or(1).max(1);
    drawing.to_png(scale).map_err(|error| Fault::failure(error.to_string()))
}

pub(in crate::serve) fn enable_mfa_device(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let (user_key, user) = call.named_user()?;
    let (name, held) = (user.name.clone(), user.devices.len());
    let serial = call.required("SerialNumber")?.to_owned();
    let codes = codes(call)?;
    if held > 0 {
        own_devices_need_mfa(call, &user_key)?;
    }
    let device = call.device(&serial)?;
    match &device.assigned {
        Some(assigned) if assigned.user == user_key => {
            return Err(Fault::already_exists(format!("MFA Device for user {name} already exists.")));
        }
        Some(_) => return Err(Fault::already_exists("MFA Device is already in use.")),
        None => {}
    }
    if held >= DEVICES_PER_USER {
        return Err(Fault::limit_exceeded(format!("Cannot exceed quota for MFADevicesPerUser: {DEVICES_PER_USER}")));
    }
    let why = pair(call, &serial, codes)?;
    let arrival = Arrival::of_enabling(call.instant);
    call.account.assign(&user_key, &serial, call.instant, arrival);
    call.why = Some(format!("{why}; STS and the sign-in page accept its codes from {} on", arrival.known()));
    Ok(())
}

pub(in crate::serve) fn resync_mfa_device(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let serial = call.required("SerialNumber")?.to_owned();
    let codes = codes(call)?;
    let id = holder(call, &serial)?.1.id.clone();
    let why = pair(call, &serial, codes)?;
    let (now, seed) = (call.instant, call.device(&serial)?.seed.clone());
    let arrival = Arrival::of_change(now);
    call.account.authenticators.edit_or_new(&serial).bind(Some(&id), &seed, arrival, now);
    call.why = Some(format!("{why}; STS and the sign-in page go by that from {} on", arrival.known()));
    Ok(())
}

pub(in crate::serve) fn deactivate_mfa_device(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let (user_key, _) = call.named_user()?;
    let serial = call.required("SerialNumber")?.to_owned();
    own_devices_need_mfa(call, &user_key)?;
    holder(call, &serial)?;
    let now = call.instant;
    let arrival = Arrival::of_change(now);
    if let Some(device) = call.account.devices.edit(&serial) {
        device.assigned = None;
        let seed = device.seed.clone();
        call.account.authenticators.edit_or_new(&serial).bind(None, &seed, arrival, now);
    }
    call.edit_user(&user_key)?.devices.retain(|held| *held != serial);
    call.why = Some(format!("STS and the sign-in page accept its codes until {}", arrival.known()));
    Ok(())
}

pub(in crate::serve) fn delete_virtual_mfa_device(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let serial = call.required("SerialNumber")?.to_owned();
    if call.device(&serial)?.assigned.is_some() {
        return Err(Fault::delete_conflict("MFA VirtualDevice in use. Must deactivate first."));
    }
    call.account.devices.remove(&serial);
    call.account.sweep_authenticators(call.instant);
    Ok(())
}

pub(in crate::serve) fn list_mfa_devices(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let (_, user) = call.named_user()?;
    let devices = user.devices.iter().filter_map(|serial| call.account.devices.get(serial));
    call.page(out, "MFADevices", devices.map(|device| (device.serial.clone(), device)), |out, device| {
        out.text("UserName", &user.name);
        out.text("SerialNumber", &device.serial);
        if let Some(assigned) = &device.assigned {
            out.time("EnableDate", assigned.at);
        }
    })
}

pub(in crate::serve) fn list_virtual_mfa_devices(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let account = &*call.account;
    let some = |serials| {
        Section::new("", move |from| {
            in_either([Some(serials), None], from).filter_map(|serial| Some((serial, account.devices.get(serial)?)))
        })
    };
    let devices = match call.input.get("AssignmentStatus") {
        Some("Assigned") => some(&account.index.assigned),
        Some("Unassigned") => some(&account.index.unassigned),
        _ => Section::new("", |from| account.devices.from(from)),
    };
    call.page_section(out, "VirtualMFADevices", devices, |out, device| {
        out.text("SerialNumber", &device.serial);
        if let Some(assigned) = &device.assigned {
            out.time("EnableDate", assigned.at);
            if let Some(user) = call.account.users.get(&assigned.user) {
                out.open("User", |out| super::users::write_listed(out, call.account, user));
            }
        }
    })
}

/// `GetMFADevice` is about FIDO security keys, and there are none here.
pub(in crate::serve) fn get_mfa_device(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let serial = call.required("SerialNumber")?;
    call.named_user()?;
    call.device(serial)?;
    Err(Fault::validation(ONLY_FIDO))
}

pub(in crate::serve) fn list_mfa_device_tags(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let tags = &call.device(call.required("SerialNumber")?)?.tags;
    super::page_tags(call, out, tags)
}

pub(in crate::serve) fn tag_mfa_device(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let (serial, tags) = (call.required("SerialNumber")?.to_owned(), call.some_tags(Keys::Exact)?);
    super::add_tags(edit_tags(call, &serial)?, &tags, Keys::Exact)
}

pub(in crate::serve) fn untag_mfa_device(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let serial = call.required("SerialNumber")?.to_owned();
    let keys = super::tags::keys(call);
    super::remove_tags(edit_tags(call, &serial)?, &keys, Keys::Exact);
    Ok(())
}

fn edit_tags<'a>(call: &'a mut Call<'_>, serial: &str) -> Result<&'a mut Tags, Fault> {
    call.account.devices.edit(serial).map(|device| &mut device.tags).ok_or_else(|| no_device(serial))
}

/// From the second device on, a user adds and removes devices only in a session made with one, even if policies allow more.
fn own_devices_need_mfa(call: &Call<'_>, user_key: &str) -> Result<(), Fault> {
    if call.caller.user() == Some(user_key) && !call.caller.authenticated() {
        return Err(Fault::access_denied(NEEDS_MFA).because(
            "a user who has a device adds and removes own devices with a session made with one of them only",
        ));
    }
    Ok(())
}

/// The user that the request names, with the key, who has to hold the device; AWS looks for the user first.
fn holder<'a>(call: &'a Call<'_>, serial: &str) -> Result<(String, &'a User), Fault> {
    let (user_key, user) = call.named_user()?;
    if user.devices.iter().any(|held| held == serial) {
        return Ok((user_key, user));
    }
    let why = match call.device(serial)?.assigned {
        None => format!("{serial} is enabled for nobody"),
        Some(_) => format!("{serial} is another user's"),
    };
    Err(Fault::no_such_entity(NOT_THIS_USERS).because(why))
}

fn codes(call: &Call<'_>) -> Result<[Code; 2], Fault> {
    let code = |name| {
        let text = call.required(name)?;
        text.parse().map_err(|_| Fault::new("InvalidAuthenticationCode", 403, INVALID_CODE))
    };
    Ok([code("AuthenticationCode1")?, code("AuthenticationCode2")?])
}

/// Decides about a pair; says what was found.
fn pair(call: &mut Call<'_>, serial: &str, codes: [Code; 2]) -> Result<String, Fault> {
    let seed = call.device(serial)?.seed.clone();
    let authenticator = call.account.authenticators.edit_or_new(serial);
    let before = authenticator.adjustment();
    match authenticator.pair(&seed, codes, call.now) {
        Ok(found) => {
            let (step, now) = (found.moving_factor, ahead(found.adjustment));
            let then = if found.adjustment == before {
                "as before".to_owned()
            } else {
                format!("before that as {}", ahead(before))
            };
            Ok(format!("the second code is of step {step}; from now on the device counts as {now}, {then}"))
        }
        Err(refusal) => {
            Err(Fault::new("InvalidAuthenticationCode", 403, INVALID_CODE).because(explain(&refusal, before)))
        }
    }
}

/// What was wrong with the codes.
fn explain(refusal: &Refusal, adjustment: i64) -> String {
    match refusal {
        Refusal::NoMatch => format!(
            "no consecutive steps have these codes within −998 to +1000 steps of the device's time, which counts as {}: \
             a wrong secret, a mistyped code, or a clock further off",
            ahead(adjustment)
        ),
        other => other.to_string(),
    }
}
