//! The account itself: its alias, and a summary of what is in it.

use super::quotas;
use crate::serve::account::{Usage, managed};
use crate::serve::call::Call;
use crate::serve::fault::Fault;
use crate::wire::xml::Writer;

pub(in crate::serve) fn create_account_alias(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let alias = call.required("AccountAlias")?.to_owned();
    if call.account.alias() == Some(&alias) {
        return Err(Fault::already_exists(format!("The account alias {alias} already exists.")));
    }
    // An account has one alias; AWS was seen to replace it without a word.
    call.account.edit_settings().alias = Some(alias);
    Ok(())
}

pub(in crate::serve) fn delete_account_alias(call: &mut Call<'_>, _out: &mut Writer) -> Result<(), Fault> {
    let alias = call.required("AccountAlias")?;
    if call.account.alias() != Some(alias) {
        return Err(Fault::no_such_entity(format!("The account alias {alias} cannot be found.")));
    }
    call.account.edit_settings().alias = None;
    Ok(())
}

pub(in crate::serve) fn list_account_aliases(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    call.page_texts(out, "AccountAliases", call.account.alias())
}

pub(in crate::serve) fn get_account_summary(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    let account = &call.account;
    let in_use = |arn: &&str| account.index.usage(arn) != Usage::default();
    let versions = account.policies.values().map(|policy| policy.versions.len());
    let of_aws = managed::arns().filter(in_use).count();
    let entries = [
        ("Users", account.users.len()),
        ("UsersQuota", quotas::USERS),
        ("Groups", account.groups.len()),
        ("GroupsQuota", quotas::GROUPS),
        ("GroupsPerUserQuota", quotas::GROUPS_OF_USER),
        ("Roles", account.roles.len()),
        ("RolesQuota", quotas::ROLES),
        ("Policies", account.policies.len()),
        ("PoliciesQuota", quotas::POLICIES),
        ("PolicySizeQuota", quotas::POLICY_SIZE),
        ("PolicyVersionsInUse", versions.fold(of_aws, usize::saturating_add)),
        ("PolicyVersionsInUseQuota", 10_000),
        ("VersionsPerPolicyQuota", quotas::VERSIONS),
        ("AttachedPoliciesPerUserQuota", quotas::ATTACHED),
        ("AttachedPoliciesPerGroupQuota", quotas::ATTACHED),
        ("AttachedPoliciesPerRoleQuota", quotas::ATTACHED),
        ("UserPolicySizeQuota", quotas::USER_POLICY_SIZE),
        ("GroupPolicySizeQuota", quotas::GROUP_POLICY_SIZE),
        ("RolePolicySizeQuota", quotas::ROLE_POLICY_SIZE),
        ("AssumeRolePolicySizeQuota", quotas::TRUST_POLICY_SIZE),
        ("AccessKeysPerUserQuota", quotas::ACCESS_KEYS),
        ("SigningCertificatesPerUserQuota", 2),
        ("InstanceProfiles", 0),
        ("InstanceProfilesQuota", 1_000),
        ("ServerCertificates", 0),
        ("ServerCertificatesQuota", 20),
        ("Providers", 0),
        ("MFADevices", account.devices.len()),
        ("MFADevicesInUse", account.index.assigned.len()),
        // Of the root user, who has neither password nor devices here.
        ("AccountMFAEnabled", 0),
        ("AccountAccessKeysPresent", usize::from(account.root_access_keys().next().is_some())),
        ("AccountPasswordPresent", 0),
        ("AccountSigningCertificatesPresent", 0),
        ("GlobalEndpointTokenVersion", 1),
    ];
    out.open("SummaryMap", |out| {
        for (name, count) in entries {
            out.open("entry", |out| {
                out.text("key", name);
                out.text("value", &count.to_string());
            });
        }
    });
    Ok(())
}
