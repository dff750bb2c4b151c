//! Hints about `vmfa share`, for who runs it and for its clients.

// Where it listens.

pub(in crate::cli) const TLS: &str = "give a certificate: --tls-cert FILE --tls-key FILE";
pub(in crate::cli) const LOOPBACK: &str = "or listen on this machine alone: --listen 127.0.0.1:8443";
pub(in crate::cli) const PROXY: &str = "or, behind a proxy that has TLS: --plain-http";

// Access tokens.

pub(in crate::cli) const NO_TOKENS: &str = "there are no access tokens yet: vmfa share token add NAME --allow PATTERN";
pub(in crate::cli) const LIST_TOKENS: &str = "list them: vmfa share token list";
pub(in crate::cli) const ASK_FOR_TOKEN: &str =
    "ask its operator for an access token: vmfa share token add NAME --allow PATTERN";
pub(in crate::cli) const BEARER: &str = "send it as `Authorization: Bearer vmfa_…`";

// Requests.

pub(in crate::cli) const DESCRIPTION: &str = "GET /v1/openapi.json describes all requests";
pub(in crate::cli) const LATER: &str = "try again in a second";

// What a client does.

pub(in crate::cli) const UNSET_URL: &str = "to use this machine's own devices: unset VMFA_URL";
pub(in crate::cli) const CHECK_URL: &str = "check VMFA_URL, and that the server runs: curl \"$VMFA_URL/healthz\"";
pub(in crate::cli) const CLAIM: &str = "name what it was handed out with: --claim CLAIM, as --json shows it";

pub(in crate::cli) const OTHER_PATTERN: &str = "GET /v1/devices lists the devices that you may use";
