//! What is done with a device that there is: resynchronize, remove, delete.

use super::page::{Problem, Remove, Resync, html, name_of};
use super::visit::{SECURITY, Signed};
use crate::serve::message::Response;

/// Where the second half of a removal was refused.
const LEFT: &str = "The device was deactivated: it is assigned to nobody now. Only its deletion was refused.";

/// What an unassigned device needs.
const ADMINISTRATOR: &str = "Sign in with MFA if you can, or ask an administrator to delete the device.";

pub(super) fn resync_page(signed: &Signed<'_>) -> Response {
    if signed.holds(Some(signed.visit.sent("serial"))) {
        resync_form(signed, 200, None)
    } else {
        signed.no_such_device()
    }
}

fn resync_form(signed: &Signed<'_>, status: u16, problem: Option<Problem>) -> Response {
    let serial = signed.visit.sent("serial");
    html(status, &Resync { shell: signed.shell(problem), serial, name: name_of(serial) })
}

pub(super) fn resync(signed: &Signed<'_>) -> Response {
    let serial = signed.visit.sent("serial");
    if !signed.holds(Some(serial)) {
        return signed.no_such_device();
    }
    match signed.pair("ResyncMFADevice") {
        Ok(_) => signed.done(SECURITY, format!("MFA device {} is in sync.", name_of(serial))),
        Err(fault) => resync_form(signed, fault.status, Some(Problem::of(&fault))),
    }
}

pub(super) fn remove_page(signed: &Signed<'_>) -> Response {
    if signed.holds(Some(signed.visit.sent("serial"))) {
        remove_form(signed, 200, true, None)
    } else {
        signed.no_such_device()
    }
}

pub(super) fn delete_page(signed: &Signed<'_>) -> Response {
    let there = signed.is_there("DeleteVirtualMFADevice", signed.visit.sent("serial"));
    if there { remove_form(signed, 200, false, None) } else { signed.no_such_device() }
}

fn remove_form(signed: &Signed<'_>, status: u16, assigned: bool, problem: Option<Problem>) -> Response {
    let serial = signed.visit.sent("serial");
    html(status, &Remove { shell: signed.shell(problem), serial, name: name_of(serial), assigned })
}

pub(super) fn remove(signed: &Signed<'_>) -> Response {
    let serial = signed.visit.sent("serial");
    if !signed.holds(Some(serial)) {
        return signed.no_such_device();
    }
    let parameters = [("UserName", signed.name.as_str()), ("SerialNumber", serial)];
    if let Err(fault) = signed.act("DeactivateMFADevice", &parameters) {
        return remove_form(signed, fault.status, true, Some(Problem::of(&fault)));
    }
    match signed.act("DeleteVirtualMFADevice", &[("SerialNumber", serial)]) {
        Ok(_) => signed.done(SECURITY, format!("MFA device {} was removed.", name_of(serial))),
        Err(fault) => remove_form(signed, fault.status, false, Some(Problem::of(&fault).advise(LEFT))),
    }
}

pub(super) fn delete(signed: &Signed<'_>) -> Response {
    let serial = signed.visit.sent("serial");
    match signed.act("DeleteVirtualMFADevice", &[("SerialNumber", serial)]) {
        Ok(_) => signed.done(SECURITY, format!("MFA device {} was deleted.", name_of(serial))),
        Err(fault) if fault.code == "NoSuchEntity" => signed.no_such_device(),
        Err(fault) => {
            let problem = Problem::of(&fault);
            let problem = if fault.code == "AccessDenied" { problem.advise(ADMINISTRATOR) } else { problem };
            remove_form(signed, fault.status, false, Some(problem))
        }
    }
}
