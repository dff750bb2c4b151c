//! Lists of what there is none of here, and that clients ask for on their own: before they delete a user or a role, or to
//! show one. The user, group or role they are about has to exist.

use crate::serve::call::Call;
use crate::serve::fault::Fault;
use crate::wire::xml::Writer;

pub(in crate::serve) fn list_signing_certificates(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    call.named_user()?;
    none(call, out, "Certificates")
}

pub(in crate::serve) fn list_ssh_public_keys(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    call.named_user()?;
    none(call, out, "SSHPublicKeys")
}

pub(in crate::serve) fn list_service_specific_credentials(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    if !call.flag("AllUsers").unwrap_or_default() {
        call.named_user()?;
    }
    none(call, out, "ServiceSpecificCredentials")
}

pub(in crate::serve) fn list_instance_profiles_for_role(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    call.role(call.required("RoleName")?)?;
    none(call, out, "InstanceProfiles")
}

pub(in crate::serve) fn list_instance_profiles(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    none(call, out, "InstanceProfiles")
}

pub(in crate::serve) fn list_server_certificates(call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    none(call, out, "ServerCertificateMetadataList")
}

pub(in crate::serve) fn list_open_id_connect_providers(_call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    out.texts("OpenIDConnectProviderList", [""; 0]);
    Ok(())
}

pub(in crate::serve) fn list_saml_providers(_call: &mut Call<'_>, out: &mut Writer) -> Result<(), Fault> {
    out.texts("SAMLProviderList", [""; 0]);
    Ok(())
}

fn none(call: &Call<'_>, out: &mut Writer, name: &str) -> Result<(), Fault> {
    call.page_texts(out, name, [])
}
