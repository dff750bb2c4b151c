//! The columns of a device, by their places: by name, rusqlite looks for each in each row.

macro_rules! columns {
    ($($column:ident = $name:literal,)+) => {
        /// One of them.
        #[derive(Debug, Clone, Copy)]
        pub(super) enum Column {
            $($column),+
        }

        /// All names, in the order in which they are selected.
        const NAMES: &[&str] = &[$($name),+];

        impl Column {
            /// Its name in the table.
            pub(super) const fn name(self) -> &'static str {
                match self {
                    $(Self::$column => $name),+
                }
            }
        }
    };
}

columns! {
    Id = "id",
    Name = "name",
    State = "state",
    Batch = "batch",
    Replaces = "replaces",
    Until = "until",
    Trashed = "trashed",
    Issuer = "issuer",
    Account = "account",
    Algorithm = "algorithm",
    Digits = "digits",
    Period = "period",
    Counter = "counter",
    Serial = "serial",
    Note = "note",
    Vault = "vault",
    Created = "created",
    DriftSeconds = "drift_seconds",
    DriftPpm = "drift_ppm",
    DriftSince = "drift_since",
    Ledger = "ledger",
    Revision = "revision",
}

impl Column {
    /// Its place in [`selected`].
    pub(super) const fn place(self) -> usize {
        self as usize
    }
}

/// What a `SELECT` names.
pub(super) fn selected() -> String {
    NAMES.join(", ")
}
