//! Who one is, and with what one proves it.

use super::page::{Device, Home, Offer, Problem, Security, html, name_of};
use super::sign_in;
use super::visit::Signed;
use crate::serve::fault::Fault;
use crate::serve::message::Response;

/// How many pages of a list are read, a thousand items each.
const PAGES: usize = 10;

pub(super) fn home(signed: &Signed<'_>) -> Response {
    let person = signed.person;
    html(
        200,
        &Home {
            shell: signed.visit.shell("home", None),
            name: &signed.name,
            arn: &signed.arn,
            since: person.since.to_rfc3339(),
            authenticated: person.authenticated.map(|at| at.to_rfc3339()),
        },
    )
}

pub(super) fn page(signed: &Signed<'_>) -> Response {
    let (password_used, user_problem) = match signed.act("GetUser", &[]) {
        Ok(answer) => (answer.text("PasswordLastUsed").to_owned(), None),
        Err(fault) => (String::new(), Some(Problem::of(&fault))),
    };
    let user = [("UserName", signed.name.as_str())];
    let serial = signed.visit.stand.state().account.arn("mfa", "/", &signed.name);
    let named = [("VirtualMFADeviceName", signed.name.as_str())];
    let enable = [("UserName", signed.name.as_str()), ("SerialNumber", serial.as_str())];
    let second = signed.holds(None);
    let assign = match signed.offer("CreateVirtualMFADevice", &named, second) {
        Offer::Open => signed.offer("EnableMFADevice", &enable, second),
        other => other,
    };
    let (devices, devices_problem) = told(assigned(signed));
    let (unassigned, unassigned_problem) = told(unassigned(signed));
    html(
        200,
        &Security {
            shell: signed.shell(None),
            name: &signed.name,
            arn: &signed.arn,
            password_used,
            user_problem,
            devices,
            devices_problem,
            unassigned,
            unassigned_problem,
            change_password: sign_in::offer_of_change(signed),
            access_keys: signed.offer("ListAccessKeys", &user, false),
            assign,
        },
    )
}

fn told(list: Result<Vec<Device>, Fault>) -> (Vec<Device>, Option<Problem>) {
    match list {
        Ok(devices) => (devices, None),
        Err(fault) => (Vec::new(), Some(Problem::of(&fault))),
    }
}

fn assigned(signed: &Signed<'_>) -> Result<Vec<Device>, Fault> {
    let answer = signed.act("ListMFADevices", &[])?;
    let device = |serial: &str, since: &str| {
        let parameters = [("UserName", signed.name.as_str()), ("SerialNumber", serial)];
        let (first, second) = (
            signed.offer("ResyncMFADevice", &parameters, false),
            signed.offer("DeactivateMFADevice", &parameters, true),
        );
        Device { assigned: since.to_owned(), first, second, ..Device::new(serial) }
    };
    let members = answer.members("MFADevices").iter();
    Ok(members.map(|member| device(member.text("SerialNumber"), member.text("EnableDate"))).collect())
}

/// Devices that are nobody's and concern this person: of the user's own name, or created in this session.
fn unassigned(signed: &Signed<'_>) -> Result<Vec<Device>, Fault> {
    let current = signed.person.enrolment.as_ref().map(|enrolment| enrolment.serial.as_str());
    let concerns = |serial: &str| {
        name_of(serial).eq_ignore_ascii_case(&signed.name) || signed.person.created.iter().any(|own| own == serial)
    };
    let (mut found, mut marker) = (Vec::new(), String::new());
    for _ in 0..PAGES {
        let mut parameters = vec![("AssignmentStatus", "Unassigned"), ("MaxItems", "1000")];
        if !marker.is_empty() {
            parameters.push(("Marker", &marker));
        }
        let answer = signed.act("ListVirtualMFADevices", &parameters)?;
        let serials = answer.members("VirtualMFADevices").iter().map(|member| member.text("SerialNumber"));
        let mine = serials.filter(|serial| concerns(serial));
        found.extend(mine.map(|serial| {
            let parameters = [("UserName", signed.name.as_str()), ("SerialNumber", serial)];
            Device {
                current: current == Some(serial),
                first: signed.offer("EnableMFADevice", &parameters, signed.holds(None)),
                second: signed.offer("DeleteVirtualMFADevice", &parameters, false),
                ..Device::new(serial)
            }
        }));
        answer.text("Marker").clone_into(&mut marker);
        if marker.is_empty() {
            break;
        }
    }
    Ok(found)
}
