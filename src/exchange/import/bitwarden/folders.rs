//! Folders, which Bitwarden nests by their names: `Work/Servers`.

/// The folders of a name, outermost first.
pub(super) fn nested(name: &str) -> impl Iterator<Item = String> {
    name.split('/').map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned)
}
