//! One's own access keys: list, create, switch off and on, delete.

use zeroize::Zeroizing;

use super::page::{AccessKey, Keys, Problem, html};
use super::session::FreshKey;
use super::visit::Signed;
use crate::serve::message::Response;

const PLACE: &str = "/console/keys";

pub(super) fn page(signed: &Signed<'_>) -> Response {
    list(signed, 200, None)
}

fn list(signed: &Signed<'_>, status: u16, problem: Option<Problem>) -> Response {
    let (keys, keys_problem) = match signed.act("ListAccessKeys", &[("UserName", &signed.name)]) {
        Ok(answer) => {
            let key = |id: &str, status: &str, created: &str| AccessKey {
                id: id.to_owned(),
                status: status.to_owned(),
                created: created.to_owned(),
            };
            let members = answer.members("AccessKeyMetadata").iter();
            let keys = members.map(|one| key(one.text("AccessKeyId"), one.text("Status"), one.text("CreateDate")));
            (keys.collect(), None)
        }
        Err(fault) => (Vec::new(), Some(Problem::of(&fault))),
    };
    // Shown once.
    signed.edit(|person| person.fresh_key = None);
    let (shell, fresh) = (signed.shell(problem), signed.person.fresh_key.as_ref());
    let user = [("UserName", signed.name.as_str())];
    let offer = |action| signed.offer(action, &user, false);
    let (create, update, delete) = (offer("CreateAccessKey"), offer("UpdateAccessKey"), offer("DeleteAccessKey"));
    html(status, &Keys { shell, name: &signed.name, keys, keys_problem, create, update, delete, fresh })
}

pub(super) fn create(signed: &Signed<'_>) -> Response {
    match signed.act("CreateAccessKey", &[("UserName", &signed.name)]) {
        Ok(answer) => {
            let fresh = FreshKey {
                id: answer.text("AccessKeyId").to_owned(),
                secret: Zeroizing::new(answer.text("SecretAccessKey").to_owned()),
            };
            signed.edit(|person| person.fresh_key = Some(fresh));
            Response::redirect(PLACE)
        }
        Err(fault) => list(signed, fault.status, Some(Problem::of(&fault))),
    }
}

pub(super) fn update(signed: &Signed<'_>) -> Response {
    let status = signed.visit.sent("status");
    change(signed, "UpdateAccessKey", &[("Status", status)], status)
}

pub(super) fn delete(signed: &Signed<'_>) -> Response {
    change(signed, "DeleteAccessKey", &[], "deleted")
}

fn change(signed: &Signed<'_>, action: &str, more: &[(&str, &str)], becomes: &str) -> Response {
    let id = signed.visit.sent("id");
    let mut parameters = vec![("UserName", signed.name.as_str()), ("AccessKeyId", id)];
    parameters.extend_from_slice(more);
    match signed.act(action, &parameters) {
        Ok(_) => signed.done(PLACE, format!("Access key {id} is {}.", becomes.to_lowercase())),
        Err(fault) => list(signed, fault.status, Some(Problem::of(&fault))),
    }
}
