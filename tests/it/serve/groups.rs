//! Groups and who is in them.

use super::support::*;

#[test]
fn a_group_is_created_changed_and_deleted() {
    let aws = Aws::new();
    let root = aws.root();
    let created = root.ok("CreateGroup", &[("GroupName", "Staff"), ("Path", "/a/")]);
    assert!(created.text("GroupId").starts_with("AGPA"));
    assert_eq!(created.text("Arn"), format!("arn:aws:iam::{ACCOUNT}:group/a/Staff"));
    let (code, status, message) = root.refused("CreateGroup", &[("GroupName", "staff")]);
    assert_eq!((code.as_str(), status), ("EntityAlreadyExists", 409));
    assert_eq!(message, "Group with name staff already exists.");
    assert_eq!(root.ok("ListGroups", &[("PathPrefix", "/a/")]).all("GroupName"), ["Staff"]);
    for action in ["GetGroup", "UpdateGroup", "DeleteGroup", "ListGroupPolicies", "ListAttachedGroupPolicies"] {
        let (code, status, message) = root.refused(action, &[("GroupName", "Ops")]);
        assert_eq!((code.as_str(), status), ("NoSuchEntity", 404), "{action}");
        assert_eq!(message, "The group with name Ops cannot be found.", "{action}");
    }
    root.ok("CreateGroup", &[("GroupName", "ops")]);
    let (_, _, message) = root.refused("UpdateGroup", &[("GroupName", "ops"), ("NewGroupName", "STAFF")]);
    assert_eq!(message, "Group with name STAFF already exists.");
    root.ok("DeleteGroup", &[("GroupName", "STAFF")]);
    assert_eq!(root.ok("ListGroups", &[]).all("GroupName"), ["ops"]);
}

#[test]
fn members_stay_in_a_group_that_is_renamed() {
    let aws = Aws::new();
    let root = aws.root();
    root.ok("CreateGroup", &[("GroupName", "staff")]);
    root.ok("PutGroupPolicy", &[("GroupName", "staff"), ("PolicyName", "all"), ("PolicyDocument", ALLOW_ALL)]);
    let alice = aws.user("alice");
    for name in ["bob", "carol"] {
        root.ok("CreateUser", &[("UserName", name)]);
    }
    for name in ["alice", "bob", "carol", "carol"] {
        root.ok("AddUserToGroup", &[("GroupName", "staff"), ("UserName", name)]);
    }
    root.ok("UpdateGroup", &[("GroupName", "staff"), ("NewGroupName", "crew"), ("NewPath", "/x/")]);
    let page = root.ok("GetGroup", &[("GroupName", "crew"), ("MaxItems", "2")]);
    assert_eq!(page.text("Arn"), format!("arn:aws:iam::{ACCOUNT}:group/x/crew"));
    assert_eq!(page.all("UserName"), ["alice", "bob"]);
    let rest = root.ok("GetGroup", &[("GroupName", "crew"), ("Marker", &page.text("Marker"))]);
    assert_eq!(rest.all("UserName"), ["carol"]);
    assert_eq!(root.ok("ListGroupsForUser", &[("UserName", "alice")]).all("GroupName"), ["crew"]);
    alice.ok("ListUsers", &[]);
    root.ok("RemoveUserFromGroup", &[("GroupName", "crew"), ("UserName", "alice")]);
    root.ok("RemoveUserFromGroup", &[("GroupName", "crew"), ("UserName", "alice")]);
    assert_eq!(alice.refused("ListUsers", &[]).0, "AccessDenied");
}

#[test]
fn a_user_who_is_not_there_is_missed_before_the_group() {
    let aws = Aws::new();
    let both = [("UserName", "any-user"), ("GroupName", "any-group")];
    for action in ["AddUserToGroup", "RemoveUserFromGroup"] {
        let (code, status, message) = aws.root().refused(action, &both);
        assert_eq!((code.as_str(), status), ("NoSuchEntity", 404));
        assert_eq!(message, "The user with name any-user cannot be found.");
    }
}

#[test]
fn a_user_is_in_ten_groups_at_most() {
    let aws = Aws::new();
    let root = aws.root();
    root.ok("CreateUser", &[("UserName", "alice")]);
    for number in 0..11 {
        let name = format!("g{number}");
        root.ok("CreateGroup", &[("GroupName", &name)]);
        let parameters = [("UserName", "alice"), ("GroupName", name.as_str())];
        if number < 10 {
            root.ok("AddUserToGroup", &parameters);
        } else {
            let (code, status, message) = root.refused("AddUserToGroup", &parameters);
            assert_eq!((code.as_str(), status), ("LimitExceeded", 409));
            assert_eq!(message, "Cannot exceed quota for GroupsPerUser: 10");
        }
    }
}

#[test]
fn a_group_is_deleted_when_nothing_is_left() {
    let aws = Aws::new();
    let root = aws.root();
    let group = ("GroupName", "staff");
    let arn = ("PolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess");
    root.ok("CreateGroup", &[group]);
    root.ok("CreateUser", &[("UserName", "alice")]);
    root.ok("AddUserToGroup", &[group, ("UserName", "alice")]);
    root.ok("AttachGroupPolicy", &[group, arn]);
    root.ok("PutGroupPolicy", &[group, ("PolicyName", "all"), ("PolicyDocument", ALLOW_ALL)]);
    for (conflict, action, parameters) in [
        ("must remove users from group first", "RemoveUserFromGroup", [group, ("UserName", "alice")]),
        ("must detach all policies first", "DetachGroupPolicy", [group, arn]),
        ("must delete policies first", "DeleteGroupPolicy", [group, ("PolicyName", "all")]),
    ] {
        let (code, status, message) = root.refused("DeleteGroup", &[group]);
        assert_eq!((code.as_str(), status), ("DeleteConflict", 409));
        assert_eq!(message, format!("Cannot delete entity, {conflict}."));
        root.ok(action, &parameters);
    }
    root.ok("DeleteGroup", &[group]);
}
