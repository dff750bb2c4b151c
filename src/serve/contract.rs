//! The input contract of IAM and STS: which parameters an action takes, and within which bounds.
//!
//! The table is a file of facts, generated from the services' public models: `vectors/iam/contract.txt`.

mod pattern;

use std::sync::OnceLock;

use self::pattern::Pattern;
use super::fault::Fault;
use crate::wire::query::{IndexError, Parameters};

const TABLE: &str = include_str!("../../vectors/iam/contract.txt");

/// The actions of the table, each with its service. There are few enough to look through.
#[derive(Debug)]
pub(super) struct Contract(Vec<((&'static str, &'static str), Section)>);

/// What the table says of an action. Most processes are asked for few of them: a section is read when it is first asked
/// for.
#[derive(Debug)]
struct Section {
    /// The table from its first parameter on.
    below: &'static str,
    parameters: OnceLock<Vec<Parameter>>,
}

/// The services word violations differently: IAM leaves the value out, as seen since 2024.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wording {
    Iam,
    Sts,
}

/// What is wrong with a request so far.
#[derive(Debug)]
struct Violations {
    wording: Wording,
    found: Vec<String>,
}

/// A parameter of an action, or a member of one.
#[derive(Debug)]
struct Parameter {
    /// `Tags.member.Key` for the keys of a list of structures.
    name: &'static str,
    kind: Kind,
    required: bool,
    least: Option<u64>,
    most: Option<u64>,
    values: Option<Vec<&'static str>>,
    pattern: Option<Pattern>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Boolean,
    Integer,
    List,
    Structures,
}

impl Kind {
    const fn is_list(self) -> bool {
        matches!(self, Self::List | Self::Structures)
    }
}

impl Contract {
    /// The table; read once.
    pub(super) fn get() -> &'static Self {
        static CONTRACT: OnceLock<Contract> = OnceLock::new();
        CONTRACT.get_or_init(|| Self::read(TABLE))
    }

    fn read(table: &'static str) -> Self {
        let mut actions = Vec::new();
        let mut rest = table;
        while !rest.is_empty() {
            let (line, below) = rest.split_once('\n').unwrap_or((rest, ""));
            rest = below;
            // The head of a section; a checkout may have other line ends.
            let head = line.trim_end().split_once(' ').filter(|_| !line.starts_with([' ', '#']));
            if let Some(action) = head {
                actions.push((action, Section { below, parameters: OnceLock::new() }));
            }
        }
        Self(actions)
    }

    /// Checks what came with a request.
    ///
    /// # Errors
    ///
    /// `ValidationError` with every violation, as AWS words them.
    pub(super) fn check(&self, service: &str, action: &str, input: &Parameters) -> Result<(), Fault> {
        let wording = if service == "iam" { Wording::Iam } else { Wording::Sts };
        let Some((_, section)) = self.0.iter().find(|(of, _)| *of == (service, action)) else { return Ok(()) };
        let mut violations = Violations { wording, found: Vec::new() };
        for parameter in section.parameters() {
            parameter.check(input, &mut violations)?;
        }
        let violations = violations.found;
        if violations.is_empty() {
            return Ok(());
        }
        let count = violations.len();
        let plural = if count == 1 { "" } else { "s" };
        Err(Fault::validation(format!("{count} validation error{plural} detected: {}", violations.join("; "))))
    }
}

impl Section {
    fn parameters(&self) -> &[Parameter] {
        let lines = || self.below.lines().take_while(|line| line.starts_with(' '));
        self.parameters.get_or_init(|| lines().filter_map(Parameter::read).collect())
    }
}

impl Parameter {
    fn read(line: &'static str) -> Option<Self> {
        let mut rest = line.trim();
        let mut word = || {
            let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
            rest = after.trim_start();
            (!word.is_empty()).then_some(word)
        };
        let (name, kind, required, least, most, values) = (word()?, word()?, word()?, word()?, word()?, word()?);
        let given = |text: &'static str| (text != "-").then_some(text);
        Some(Self {
            name,
            kind: match kind {
                "boolean" => Kind::Boolean,
                "integer" => Kind::Integer,
                "list" => Kind::List,
                "structure-list" => Kind::Structures,
                _ => Kind::Text,
            },
            required: required == "required",
            least: given(least).and_then(|number| number.parse().ok()),
            most: given(most).and_then(|number| number.parse().ok()),
            values: given(values).map(|values| values.split('|').collect()),
            pattern: given(rest).map(Pattern::read),
        })
    }

    fn check(&self, input: &Parameters, violations: &mut Violations) -> Result<(), Fault> {
        if let Some((list, member)) = self.name.split_once(".member") {
            return self.check_members(&lower(list), list, member, input, violations);
        }
        if !self.kind.is_list() {
            if !self.required && input.get(self.name).is_none() {
                return Ok(());
            }
            return self.check_value(&lower(self.name), input.get(self.name), violations);
        }
        let indices = input.indices(self.name)?;
        let count = indices.last().copied().unwrap_or_default();
        if let Some(missing) = gap(&indices).filter(|_| self.kind == Kind::Structures) {
            violations.null(&format!("{}.{missing}.member", lower(self.name)));
        }
        if self.required && count == 0 && input.get(self.name).is_none() {
            violations.null(&lower(self.name));
        }
        if let Some(most) = self.most.filter(|most| u64::from(count) > *most) {
            let name = lower(self.name);
            violations.add("", &name, &format!("have length less than or equal to {most}"));
        }
        Ok(())
    }

    /// The members of a list, or one field of each of its structures.
    fn check_members(
        &self,
        shown: &str,
        list: &str,
        member: &str,
        input: &Parameters,
        violations: &mut Violations,
    ) -> Result<(), Fault> {
        let indices = input.indices(list)?;
        let Some(field) = member.strip_prefix('.') else {
            // One violation for all members, with everything that each has to satisfy.
            let values = input.list(list);
            let mut found = Violations { wording: violations.wording, found: Vec::new() };
            for value in &values {
                self.check_value(shown, Some(value), &mut found)?;
            }
            if gap(&indices).is_some() || !found.found.is_empty() {
                let constraints = format!("satisfy constraint: [{}]", self.constraints().join(", "));
                violations.add(&format!(" '[{}]'", values.join(", ")), shown, &constraints);
            }
            return Ok(());
        };
        for (index, item) in (1..).zip(input.structs(list)) {
            let shown = format!("{shown}.{index}.member.{}", lower(field));
            match field.split_once(".member") {
                Some((inner, member)) => self.check_members(&shown, inner, member, &item, violations)?,
                None if self.kind.is_list() => {
                    item.indices(field)?;
                }
                None if !has_around(&item, field) => {}
                None => self.check_value(&shown, item.get(field), violations)?,
            }
        }
        Ok(())
    }

    fn check_value(&self, shown: &str, value: Option<&str>, violations: &mut Violations) -> Result<(), Fault> {
        let Some(value) = value else {
            if self.required {
                violations.null(shown);
            }
            return Ok(());
        };
        let wording = violations.wording;
        let mut violated = |constraint: &str| violations.add(&format!(" '{value}'"), shown, constraint);
        match self.kind {
            Kind::Boolean if !matches!(value, "true" | "false" | "1" | "0") => {
                return Err(malformed("").because(format!("{shown} is neither true nor false")));
            }
            Kind::Boolean | Kind::List | Kind::Structures => {}
            Kind::Integer => {
                let number: i32 = value.parse().map_err(|_| match value {
                    "" => malformed("missing value for decimal type"),
                    _ => malformed("").because(format!("{shown} is no whole number of 32 bits")),
                })?;
                let number = i64::from(number);
                let bound = |bound: Option<u64>| bound.and_then(|bound| i64::try_from(bound).ok());
                if let Some(least) = bound(self.least).filter(|least| number < *least) {
                    violated(&format!("have value greater than or equal to {least}"));
                }
                if let Some(most) = bound(self.most).filter(|most| number > *most) {
                    violated(&format!("have value less than or equal to {most}"));
                }
            }
            Kind::Text => {
                // Blanks are within the pattern of keys, and still no key.
                let blank = self.name == "Tags.member.Key" && value.trim().is_empty();
                if let Some(pattern) = &self.pattern
                    && (blank || !pattern.matches(value))
                {
                    if wording == Wording::Iam
                        && let Some(text) = special(shown)
                    {
                        return Err(Fault::validation(format!("The specified value for {shown} is invalid. {text}")));
                    }
                    violated(&format!("satisfy regular expression pattern: {}", pattern.text));
                }
                let length = u64::try_from(value.chars().count()).unwrap_or(u64::MAX);
                if let Some(most) = self.most.filter(|most| length > *most) {
                    violated(&format!("have length less than or equal to {most}"));
                }
                if let Some(least) = self.least.filter(|least| length < *least) {
                    violated(&format!("have length greater than or equal to {least}"));
                }
                if let Some(values) = self.values.as_ref().filter(|values| !values.contains(&value)) {
                    violations.add_enum(value, shown, values);
                }
            }
        }
        Ok(())
    }

    /// What a member of a list has to satisfy.
    fn constraints(&self) -> Vec<String> {
        let most = self.most.map(|most| format!("Member must have length less than or equal to {most}"));
        let least = self.least.map(|least| format!("Member must have length greater than or equal to {least}"));
        let pattern = self.pattern.as_ref().map(|pattern| pattern.text);
        let pattern = pattern.map(|text| format!("Member must satisfy regular expression pattern: {text}"));
        let values = self.values.as_ref();
        let values = values.map(|values| format!("Member must satisfy enum value set: [{}]", values.join(", ")));
        [most, least, pattern, values].into_iter().flatten().collect()
    }
}

/// The first member that the numbers of a list leave out.
fn gap(indices: &[u32]) -> Option<u32> {
    (1..).zip(indices).find_map(|(number, index)| (number != *index).then_some(number))
}

impl From<IndexError> for Fault {
    fn from(error: IndexError) -> Self {
        malformed(&error.to_string())
    }
}

impl Violations {
    /// `value` is quoted, with a space in front.
    fn add(&mut self, value: &str, shown: &str, constraint: &str) {
        let value = if self.wording == Wording::Iam { "" } else { value };
        self.found.push(format!("Value{value} at '{shown}' failed to satisfy constraint: Member must {constraint}"));
    }

    /// The one violation that IAM shows the value of.
    fn add_enum(&mut self, value: &str, shown: &str, values: &[&str]) {
        let values = values.join(", ");
        self.found.push(format!(
            "Value '{value}' at '{shown}' failed to satisfy constraint: Member must satisfy enum value set: [{values}]"
        ));
    }

    fn null(&mut self, shown: &str) {
        self.add(" null", shown, "not be null");
    }
}

/// AWS has no message, except for a number that is empty.
fn malformed(message: &str) -> Fault {
    Fault::new("MalformedInput", 400, message)
}

/// Whether the structure is there that a field is required in.
fn has_around(item: &Parameters, field: &str) -> bool {
    let Some((around, _)) = field.rsplit_once('.') else { return true };
    item.iter().any(|(name, _)| name.strip_prefix(around).is_some_and(|rest| rest.starts_with('.')))
}

/// IAM's own words for names and paths that have other characters.
fn special(shown: &str) -> Option<&'static str> {
    match shown {
        "userName"
        | "newUserName"
        | "groupName"
        | "newGroupName"
        | "roleName"
        | "policyName"
        | "virtualMFADeviceName" => Some("It must contain only alphanumeric characters and/or the following: +=,.@_-"),
        "path" | "newPath" => {
            Some("It must begin and end with / and contain only alphanumeric characters and/or / characters.")
        }
        "pathPrefix" => {
            Some("It must begin with the / character and contain only alphanumeric characters and/or / characters.")
        }
        "accessKeyId" => Some("It must contain only alphanumeric characters."),
        "serialNumber" => Some("It must contain only alphanumeric characters and/or the following: +=/:,.@_-"),
        "policyDocument" => Some("It must contain only printable ASCII characters."),
        _ => None,
    }
}

/// AWS names the members of its own model, which begin with a small letter.
fn lower(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_actions_that_are_implemented() {
        let implemented: std::collections::BTreeSet<(&str, &str)> =
            super::super::actions::Action::all().iter().map(|action| (action.service.name(), action.name)).collect();
        let described: std::collections::BTreeSet<(&str, &str)> =
            Contract::get().0.iter().map(|(action, _)| *action).collect();
        assert_eq!(implemented, described);
    }

    #[test]
    fn the_table_is_read_with_any_line_ends() {
        let of = |table: &'static str| {
            let Contract(actions) = Contract::read(table);
            let names = |(action, section): &((&'static str, &'static str), Section)| {
                (action.1, section.parameters().iter().map(|parameter| parameter.name).collect::<Vec<_>>())
            };
            actions.iter().map(names).collect::<Vec<_>>()
        };
        let read = [("One", vec!["A", "B"]), ("Two", vec![])];
        assert_eq!(of("# x y\n\niam One\n  A string required 1 2 - -\n  B list optional - - - -\n\nsts Two"), read);
        let windows =
            "# x y\r\n\r\niam One\r\n  A string required 1 2 - -\r\n  B list optional - - - -\r\n\r\nsts Two\r\n";
        assert_eq!(of(windows), read);
    }

    #[test]
    fn every_parameter_of_the_table_is_read() {
        let read: usize = Contract::get().0.iter().map(|(_, section)| section.parameters().len()).sum();
        assert_eq!(read, TABLE.lines().filter(|line| line.starts_with(' ')).count());
    }
}
