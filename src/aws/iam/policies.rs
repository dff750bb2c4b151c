//! The actions of IAM that tell which policies have a say about somebody.
//!
//! One call each, and one page of a list: the search for a reason counts its calls.

use percent_encoding::percent_decode_str;

use super::VERSION;
use super::holder::Holder;
use crate::aws::Error;
use crate::aws::answer::Element;
use crate::aws::client::{Caller, Effect};
use crate::wire::query::Form;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// What the next page is asked for with; none where this is the last.
    pub next: Option<String>,
}

/// A managed policy that is attached to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
}

/// What counts of a user or a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// Its ARN, path included.
    pub arn: String,
    /// What begins with `AIDA` or `AROA`.
    pub id: String,
    /// The ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// Keys and values.
    pub tags: Vec<(String, String)>,
    /// A role's trust policy: JSON text.
    pub trust: Option<String>,
}

impl Holder {
    fn form(&self, action: &str) -> Form {
        Form::new(action, VERSION).pair(&format!("{}Name", self.kind()), self.name())
    }
}

impl Caller<'_> {
    /// `ListUserPolicies`, `ListGroupPolicies` or `ListRolePolicies`: the names of inline policies.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn list_policies(&self, holder: &Holder, marker: Option<&str>) -> Result<Page<String>, Error> {
        let action = format!("List{}Policies", holder.kind());
        self.page(&action, holder.form(&action), marker, "PolicyNames", |member| member.own_text().map(str::to_owned))
    }

    /// `GetUserPolicy`, `GetGroupPolicy` or `GetRolePolicy`: the JSON text of an inline policy.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn policy(&self, holder: &Holder, name: &str) -> Result<String, Error> {
        let action = format!("Get{}Policy", holder.kind());
        let answer = self.result(&action, &holder.form(&action).pair("PolicyName", name))?;
        document(answer.text("PolicyDocument")).ok_or_else(|| unreadable(&action, "has no document"))
    }

    /// `ListAttachedUserPolicies`, `ListAttachedGroupPolicies` or `ListAttachedRolePolicies`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn list_attached_policies(&self, holder: &Holder, marker: Option<&str>) -> Result<Page<Attached>, Error> {
        let action = format!("ListAttached{}Policies", holder.kind());
        self.page(&action, holder.form(&action), marker, "AttachedPolicies", |member| {
            let (name, arn) = (member.text("PolicyName")?.to_owned(), member.text("PolicyArn")?.to_owned());
            Some(Attached { name, arn })
        })
    }

    /// `ListGroupsForUser`: the names of the groups.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn list_groups_for_user(&self, user: &str, marker: Option<&str>) -> Result<Page<String>, Error> {
        let form = Form::new("ListGroupsForUser", VERSION).pair("UserName", user);
        self.page("ListGroupsForUser", form, marker, "Groups", |member| member.text("GroupName").map(str::to_owned))
    }

    /// `GetPolicy`: which version of a managed policy is in force.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn default_version(&self, arn: &str) -> Result<String, Error> {
        let answer = self.result("GetPolicy", &Form::new("GetPolicy", VERSION).pair("PolicyArn", arn))?;
        let version = answer.child("Policy").and_then(|policy| policy.text("DefaultVersionId"));
        version.map(str::to_owned).ok_or_else(|| unreadable("GetPolicy", "has no version"))
    }

    /// `GetPolicyVersion`: the JSON text of a managed policy.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn policy_version(&self, arn: &str, version: &str) -> Result<String, Error> {
        let form = Form::new("GetPolicyVersion", VERSION).pair("PolicyArn", arn).pair("VersionId", version);
        let answer = self.result("GetPolicyVersion", &form)?;
        let text = answer.child("PolicyVersion").and_then(|version| version.text("Document"));
        document(text).ok_or_else(|| unreadable("GetPolicyVersion", "has no document"))
    }

    /// `GetUser` or `GetRole`; a group has nothing of this.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub fn detail(&self, holder: &Holder) -> Result<Detail, Error> {
        let action = format!("Get{}", holder.kind());
        let answer = self.result(&action, &holder.form(&action))?;
        let found = answer.child(holder.kind()).ok_or_else(|| unreadable(&action, "has nobody"))?;
        let text = |name: &str| found.text(name).map(str::to_owned);
        let tag = |tag: &Element| Some((tag.text("Key")?.to_owned(), tag.text("Value").unwrap_or_default().to_owned()));
        let boundary = found.child("PermissionsBoundary").and_then(|boundary| boundary.text("PermissionsBoundaryArn"));
        Ok(Detail {
            arn: text("Arn").ok_or_else(|| unreadable(&action, "has no ARN"))?,
            id: text(&format!("{}Id", holder.kind())).unwrap_or_default(),
            boundary: boundary.map(str::to_owned),
            tags: found.members("Tags").filter_map(tag).collect(),
            trust: document(found.text("AssumeRolePolicyDocument")),
        })
    }

    fn page<T>(
        &self,
        action: &str,
        form: Form,
        marker: Option<&str>,
        list: &str,
        item: impl Fn(&Element) -> Option<T>,
    ) -> Result<Page<T>, Error> {
        let answer = self.result(action, &form.pair("MaxItems", "1000").optional("Marker", marker))?;
        let items: Option<Vec<T>> = answer.members(list).map(item).collect();
        let next = answer.text("Marker").filter(|_| answer.text("IsTruncated") == Some("true"));
        Ok(Page {
            items: items.ok_or_else(|| unreadable(action, "lists something without a name"))?,
            next: next.map(str::to_owned),
        })
    }

    /// The element around what an action answers.
    fn result(&self, action: &str, form: &Form) -> Result<Element, Error> {
        let answer = self.iam(form, Effect::Asks)?;
        answer.into_child(&format!("{action}Result")).ok_or_else(|| unreadable(action, "has no result"))
    }
}

fn unreadable(action: &str, what: &'static str) -> Error {
    Error::Unreadable { action: action.to_owned(), what }
}

/// Documents are percent-encoded in answers, by RFC 3986.
fn document(text: Option<&str>) -> Option<String> {
    percent_decode_str(text?).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}
