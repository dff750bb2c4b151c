//! The operation of a method and path, for the protocols that have it there.

use super::input::{Objection, decoded};
use super::operations::{Model, Operation};

/// What a path has in a template's labels.
pub(super) type Labels = Vec<(String, String)>;

/// The operations of a method, path and query string, each with its labels: those whose templates fit the most closely.
///
/// None where another server may see another operation, since it undoes escapes before it looks at the slashes.
///
/// # Errors
///
/// A path that servers normalize in different ways.
pub(super) fn find(
    models: &'static [Model],
    method: &str,
    path: &str,
    query: &[(String, String)],
) -> Result<Vec<(Operation, Labels)>, Objection> {
    let path = path.strip_prefix('/').ok_or(Objection("the path doesn't begin with a slash"))?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let raw: Vec<String> = path.split('/').map(decoded).collect::<Result<_, _>>()?;
    let plain = raw.join("/");
    if plain.split('/').any(|part| matches!(part, "." | "..")) || (raw.len() > 1 && raw.iter().any(String::is_empty)) {
        return Err(Objection("the path has an empty part, `.` or `..`"));
    }
    let found = best(models, method, &raw, query);
    let decoded: Vec<String> = plain.split('/').map(str::to_owned).collect();
    let name = |operations: &[(Operation, Labels)]| operations.first().map(|(operation, _)| operation.name);
    let other = name(&best(models, method, &decoded, query));
    if other.is_some() && other != name(&found) { Ok(Vec::new()) } else { Ok(found) }
}

fn best(
    models: &'static [Model],
    method: &str,
    parts: &[String],
    query: &[(String, String)],
) -> Vec<(Operation, Labels)> {
    let mut best = Vec::new();
    let mut nearest = usize::MAX;
    for operation in models.iter().filter(|model| model.is_rest()).flat_map(Model::operations) {
        if operation.method != method {
            continue;
        }
        let (template, fixed) = operation.uri.split_once('?').unwrap_or((operation.uri, ""));
        let fixed: Vec<&str> = fixed.split('&').filter(|part| !part.is_empty()).collect();
        let has = |part: &&str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            query.iter().any(|(other, given)| other == name && given == value)
        };
        if !fixed.iter().all(has) {
            continue;
        }
        let Some(labels) = fits(template, parts) else { continue };
        // The fewer labels, and the more of the query string is fixed, the nearer.
        let distance = labels.len().saturating_mul(100).saturating_add(50).saturating_sub(fixed.len());
        let distance = if template.contains("+}") { distance.saturating_add(10) } else { distance };
        if distance < nearest {
            nearest = distance;
            best.clear();
        }
        if distance == nearest {
            best.push((operation, labels));
        }
    }
    best
}

/// What a path has in a template's labels; `None` where it doesn't fit.
fn fits(template: &str, parts: &[String]) -> Option<Labels> {
    let template = template.strip_prefix('/').unwrap_or(template);
    let template = template.strip_suffix('/').unwrap_or(template);
    let mut labels = Labels::new();
    let mut wanted = template.split('/').peekable();
    let mut parts = parts.iter();
    while let Some(segment) = wanted.next() {
        if let Some(name) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix("+}")) {
            let behind = wanted.clone().count();
            let take = parts.len().checked_sub(behind).filter(|count| *count > 0)?;
            let taken: Vec<&str> = parts.by_ref().take(take).map(String::as_str).collect();
            labels.push((name.to_owned(), taken.join("/")));
            continue;
        }
        let part = parts.next()?;
        let Some((before, rest)) = segment.split_once('{') else {
            if segment != part {
                return None;
            }
            continue;
        };
        // Some labels are only a part of what stands between two slashes.
        let (name, after) = rest.split_once('}')?;
        let value = part.strip_prefix(before)?.strip_suffix(after).filter(|value| !value.is_empty())?;
        labels.push((name.to_owned(), value.to_owned()));
    }
    parts.next().is_none().then_some(labels)
}

#[cfg(test)]
mod tests {
    use super::super::operations::models;
    use super::*;

    fn read(service: &str, method: &str, path: &str) -> Result<(Option<&'static str>, Labels), Objection> {
        let found = find(models(service), method, path, &[])?;
        Ok(found.into_iter().next().map_or((None, Labels::new()), |(operation, labels)| (Some(operation.name), labels)))
    }

    #[test]
    fn paths_name_operations_the_nearest_template_first() {
        let name = |method, path| read("lambda", method, path).unwrap().0;
        assert_eq!(name("GET", "/2015-03-31/functions"), Some("ListFunctions"));
        assert_eq!(name("GET", "/2015-03-31/functions/"), Some("ListFunctions"));
        assert_eq!(name("GET", "/2015-03-31/functions/f"), Some("GetFunction"));
        assert_eq!(name("POST", "/2015-03-31/functions/f/invocations"), Some("Invoke"));
        assert_eq!(name("PATCH", "/2015-03-31/functions/f"), None);
        let (_, labels) = read("lambda", "GET", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Ax").unwrap();
        assert_eq!(labels, [("FunctionName".to_owned(), "arn:aws:lambda:x".to_owned())]);
    }

    #[test]
    fn what_servers_split_differently_is_no_operation() {
        let name = |path| read("lambda", "GET", path).map(|(name, _)| name);
        assert_eq!(name("/2015-03-31/functions/f%2Fpolicy"), Ok(None));
        assert_eq!(name("/2015-03-31/functions%2Ff"), Ok(None));
        for odd in
            ["/2015-03-31//functions", "/2015-03-31/functions/../f", "/a/%2e%2e/b", "/a/x%2F..%2Fb", "//a", "/a/%zz"]
        {
            assert!(name(odd).is_err(), "{odd}");
        }
    }
}
