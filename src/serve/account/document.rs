//! Policy documents as an account keeps them: the text as it came, and what it says.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::policy::{self, Document, Kind};

/// A policy document; copies share it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub(in crate::serve) struct PolicyDocument(Arc<(String, Document)>);

/// What is stored of it.
#[derive(Serialize, Deserialize)]
struct Stored {
    text: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    trust: bool,
}

impl PolicyDocument {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// What is wrong with it, and where.
    pub(in crate::serve) fn new(text: &str, kind: Kind) -> Result<Self, policy::Error> {
        Ok(Self(Arc::new((text.to_owned(), Document::parse(text, kind)?))))
    }

    /// As it was handed in.
    pub(in crate::serve) fn text(&self) -> &str {
        &self.0.0
    }

    pub(in crate::serve) fn document(&self) -> &Document {
        &self.0.1
    }
}

impl TryFrom<Stored> for PolicyDocument {
    type Error = policy::Error;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        Self::new(&stored.text, if stored.trust { Kind::Trust } else { Kind::Identity })
    }
}

impl From<PolicyDocument> for Stored {
    fn from(document: PolicyDocument) -> Self {
        Self { text: document.text().to_owned(), trust: document.document().kind() == Kind::Trust }
    }
}
