//! Everything about authorization in the account at once: `GetAccountAuthorizationDetails`.

use super::{boundaries, documents, groups, policies, roles, versions};
use crate::serve::account::{Account, Grants, Group, ManagedPolicy, Role, Usage, User, managed};
use crate::serve::call::{Call, Page, Section};
use crate::serve::fault::Fault;
use crate::wire::xml::Writer;

/// One entry of the four lists, in the order in which pages tell them.
#[derive(Clone, Copy)]
enum Entry<'a> {
    User(&'a User),
    Group(&'a Group),
    Role(&'a Role),
    Policy(&'a ManagedPolicy),
}

pub(in crate::serve) fn get_account_authorization_details(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let account = &*call.account;
    let filter = call.input.list("Filter");
    let wanted = |kind: &str| filter.is_empty() || filter.contains(&kind);
    let usage_of = |policy: &ManagedPolicy| account.index.usage(&policy.arn);
    let users = Section::new("1", |from| account.users.from(from).map(|(key, user)| (key, Entry::User(user))));
    let groups = Section::new("2", |from| account.groups.from(from).map(|(key, group)| (key, Entry::Group(group))));
    let roles = Section::new("3", |from| account.roles.from(from).map(|(key, role)| (key, Entry::Role(role))));
    // Of AWS's own, those that are in use; their ARNs come after the account's own.
    let (local, aws) = (wanted("LocalManagedPolicy"), wanted("AWSManagedPolicy"));
    let policies = Section::new("4", |from| {
        let first = from.to_owned();
        let local = account.policies.from(from).map(|(_, policy)| policy).filter(move |_| local);
        let used = |arn: &&str| account.index.usage(arn) != Usage::default();
        let aws = managed::arns().filter(move |arn| aws && **arn >= *first).filter(used).filter_map(managed::policy);
        local.chain(aws).map(|policy| (&policy.arn, Entry::Policy(policy)))
    });
    let sections = [
        wanted("User").then_some(users),
        wanted("Group").then_some(groups),
        wanted("Role").then_some(roles),
        (local || aws).then_some(policies),
    ];
    let Page { items, rest } = call.slice_sections(sections.into_iter().flatten())?;
    let some = |of: fn(&Entry<'_>) -> bool| items.iter().filter(move |entry| of(entry));
    out.list("UserDetailList", some(|entry| matches!(entry, Entry::User(_))), |out, entry| {
        write(out, account, entry, usage_of);
    });
    out.list("GroupDetailList", some(|entry| matches!(entry, Entry::Group(_))), |out, entry| {
        write(out, account, entry, usage_of);
    });
    out.list("RoleDetailList", some(|entry| matches!(entry, Entry::Role(_))), |out, entry| {
        write(out, account, entry, usage_of);
    });
    out.list("Policies", some(|entry| matches!(entry, Entry::Policy(_))), |out, entry| {
        write(out, account, entry, usage_of);
    });
    rest.write(out);
    Ok(())
}

fn write(out: &mut Writer, account: &Account, entry: &Entry<'_>, usage_of: impl Fn(&ManagedPolicy) -> Usage) {
    match entry {
        Entry::User(user) => write_user(out, account, user),
        Entry::Group(group) => {
            groups::write(out, account, group);
            write_inline(out, "GroupPolicyList", &group.grants);
            write_attached(out, account, &group.grants);
        }
        Entry::Role(role) => {
            roles::write_named(out, account, role);
            out.texts("InstanceProfileList", [""; 0]);
            write_inline(out, "RolePolicyList", &role.grants);
            write_attached(out, account, &role.grants);
            write_boundary(out, role.boundary.as_deref());
            out.list("Tags", role.tags.iter(), super::write_tag);
            roles::write_last_used(out, role);
        }
        Entry::Policy(policy) => {
            policies::write(out, policy, usage_of(policy));
            out.optional("Description", policy.description.as_deref());
            out.list("PolicyVersionList", policy.versions.iter().rev(), |out, (number, version)| {
                out.text("Document", &documents::encoded(&version.document));
                versions::write(out, policy, *number, version);
            });
        }
    }
}

fn write_user(out: &mut Writer, account: &Account, user: &User) {
    out.text("Path", &user.path);
    out.text("UserName", &user.name);
    out.text("UserId", &user.id);
    out.text("Arn", &account.user_arn(user));
    out.time("CreateDate", user.created);
    write_inline(out, "UserPolicyList", &user.grants);
    let groups = user.groups.iter().filter_map(|key| account.groups.get(key));
    out.texts("GroupList", groups.map(|group| &group.name));
    write_attached(out, account, &user.grants);
    write_boundary(out, user.boundary.as_deref());
    out.list("Tags", user.tags.iter(), super::write_tag);
}

fn write_inline(out: &mut Writer, name: &str, grants: &Grants) {
    out.list(name, &grants.inline, |out, (name, document)| {
        out.text("PolicyName", name);
        out.text("PolicyDocument", &documents::encoded(document));
    });
}

fn write_attached(out: &mut Writer, account: &Account, grants: &Grants) {
    let attached = grants.attached.iter().filter_map(|arn| account.policy(arn));
    out.list("AttachedManagedPolicies", attached, |out, policy| {
        out.text("PolicyName", &policy.name);
        out.text("PolicyArn", &policy.arn);
    });
}

fn write_boundary(out: &mut Writer, arn: Option<&str>) {
    if let Some(arn) = arn {
        boundaries::write(out, arn);
    }
}
