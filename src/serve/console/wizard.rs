//! The wizard that assigns an MFA device: a name, then the QR code and two codes.
//!
//! The device exists from the first step on. Cancelling the second leaves it behind, assigned to nobody, as at AWS.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::page::{Assign, Problem, Register, html, name_of};
use super::session::Enrolment;
use super::visit::{SECURITY, Signed};
use crate::serve::message::Response;

/// How many devices of a session are remembered as its own.
const REMEMBERED: usize = 64;

/// What can be done where the name is taken.
const TAKEN: &str = "If that device is left from a set-up that was not finished, the page of security credentials lists it under \
                     unassigned devices: enter its codes there, or have it deleted. Or choose another name.";

pub(super) fn page(signed: &Signed<'_>) -> Response {
    form(signed, 200, "", None)
}

fn form(signed: &Signed<'_>, status: u16, name: &str, problem: Option<Problem>) -> Response {
    html(status, &Assign { shell: signed.shell(problem), name, user: &signed.name })
}

pub(super) fn create(signed: &Signed<'_>) -> Response {
    let name = signed.visit.sent("device-name").trim();
    let answer = match signed.act("CreateVirtualMFADevice", &[("VirtualMFADeviceName", name)]) {
        Ok(answer) => answer,
        Err(fault) => {
            let problem = Problem::of(&fault);
            let problem = if fault.code == "EntityAlreadyExists" { problem.advise(TAKEN) } else { problem };
            return form(signed, fault.status, name, Some(problem));
        }
    };
    let serial = answer.text("SerialNumber").to_owned();
    let seed = BASE64_STANDARD.decode(answer.text("Base32StringSeed")).map(Zeroizing::new).unwrap_or_default();
    let enrolment = Enrolment {
        serial: serial.clone(),
        name: name.to_owned(),
        seed: Zeroizing::new(str::from_utf8(&seed).unwrap_or_default().to_owned()),
        png: Zeroizing::new(answer.text("QRCodePNG").to_owned()),
    };
    signed.edit(|person| {
        person.enrolment = Some(enrolment);
        person.created.push(serial);
        if person.created.len() > REMEMBERED {
            person.created.remove(0);
        }
    });
    Response::redirect("/console/mfa/register")
}

pub(super) fn register_page(signed: &Signed<'_>) -> Response {
    let serial = match (signed.visit.input.get("serial"), &signed.person.enrolment) {
        (Some(serial), _) => serial,
        (None, Some(enrolment)) => &enrolment.serial,
        (None, None) => return Response::redirect(SECURITY),
    };
    if signed.is_there("EnableMFADevice", serial) {
        codes_form(signed, 200, serial, None)
    } else {
        signed.no_such_device()
    }
}

fn codes_form(signed: &Signed<'_>, status: u16, serial: &str, problem: Option<Problem>) -> Response {
    let begun = signed.person.enrolment.as_ref().filter(|enrolment| enrolment.serial == serial);
    let enrolment = begun.filter(|enrolment| is_unfinished(signed, enrolment));
    html(status, &Register { shell: signed.shell(problem), serial, name: name_of(serial), enrolment })
}

/// Whether the device is still the one that was created, and nobody's: it may have been enabled, or deleted and created again, elsewhere.
fn is_unfinished(signed: &Signed<'_>, enrolment: &Enrolment) -> bool {
    let state = signed.visit.stand.state();
    let device = state.account.devices.get(&enrolment.serial).filter(|device| device.assigned.is_none());
    device.is_some_and(|device| device.seed.to_base32() == enrolment.seed)
}

pub(super) fn register(signed: &Signed<'_>) -> Response {
    let serial = signed.visit.sent("serial");
    match signed.pair("EnableMFADevice") {
        Ok(_) => {
            forget(signed, serial);
            let name = name_of(serial);
            let next = match signed.person.authenticated {
                Some(_) => "",
                None => " Sign out and in again with a code to be signed in with MFA.",
            };
            signed.done(SECURITY, format!("MFA device {name} is assigned to you.{next}"))
        }
        Err(fault) if fault.code == "NoSuchEntity" => signed.no_such_device(),
        Err(fault) => codes_form(signed, fault.status, serial, Some(Problem::of(&fault))),
    }
}

pub(super) fn cancel(signed: &Signed<'_>) -> Response {
    let serial = signed.visit.sent("serial");
    let begun = signed.person.enrolment.as_ref().is_some_and(|enrolment| enrolment.serial == serial);
    if !begun {
        return Response::redirect(SECURITY);
    }
    forget(signed, serial);
    signed.done(
        SECURITY,
        format!(
            "Cancelled. The device {} was created and is assigned to nobody; its secret key is not shown again.",
            name_of(serial)
        ),
    )
}

/// The secret key isn't needed any more.
fn forget(signed: &Signed<'_>, serial: &str) {
    signed.edit(|person| {
        if person.enrolment.as_ref().is_some_and(|enrolment| enrolment.serial == serial) {
            person.enrolment = None;
        }
    });
}
