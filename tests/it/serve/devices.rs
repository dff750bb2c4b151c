//! Virtual MFA devices in lists and under tags, and what their names and codes may be like.

use super::support::*;

#[test]
fn lists_show_assigned_unassigned_or_by_default_any_without_seeds_and_tags() {
    let aws = Aws::new();
    let (_, device) = aws.user_with_device("alice");
    let tags = [("VirtualMFADeviceName", "spare"), ("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")];
    let spare = Device::of(&aws.root().ok("CreateVirtualMFADevice", &tags)).serial;
    let list = |status: Option<&str>| {
        let parameters: Vec<(&str, &str)> = status.map(|status| ("AssignmentStatus", status)).into_iter().collect();
        aws.root().ok("ListVirtualMFADevices", &parameters)
    };
    assert_eq!(list(None).all("SerialNumber"), [device.serial.clone(), spare.clone()]);
    assert_eq!(list(Some("Any")).all("SerialNumber"), [device.serial.clone(), spare.clone()]);
    assert_eq!(list(Some("Assigned")).all("SerialNumber"), [device.serial.as_str()]);
    assert_eq!(list(Some("Unassigned")).all("SerialNumber"), [spare]);
    let all = list(None);
    for absent in ["Base32StringSeed", "QRCodePNG", "Tags"] {
        assert!(!all.has(absent), "{absent}");
    }
    assert_eq!(all.all("UserName"), ["alice"]);
    assert_eq!(all.all("EnableDate").len(), 1);
}

#[test]
fn lists_come_in_pages() {
    let aws = Aws::new();
    let serials: Vec<String> = (0..7).map(|number| aws.root().device(&format!("d{number}")).serial).collect();
    let (mut found, mut marker) = (Vec::new(), None::<String>);
    let mut pages = 0;
    loop {
        let mut parameters = vec![("MaxItems", "3")];
        parameters.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let page = aws.root().ok("ListVirtualMFADevices", &parameters);
        found.extend(page.all("SerialNumber"));
        pages += 1;
        if page.text("IsTruncated") == "false" {
            assert!(!page.has("Marker"));
            break;
        }
        marker = Some(page.text("Marker"));
    }
    assert_eq!((pages, found), (3, serials));
    let refused = aws.root().refused("ListVirtualMFADevices", &[("Marker", "nonsense!")]);
    assert_eq!(said(&refused), ("ValidationError", 400, "Invalid Marker."));
}

#[test]
fn a_users_devices_come_in_pages() {
    let aws = Aws::new();
    aws.user("alice");
    let serials: Vec<String> = (1..=3)
        .map(|number| {
            let device = aws.root().device(&format!("d{number}"));
            aws.root().enable("alice", &device);
            device.serial
        })
        .collect();
    let list = |more: &[(&str, &str)]| aws.root().ok("ListMFADevices", &[&[("UserName", "alice")], more].concat());
    let all = list(&[]);
    assert_eq!((all.all("SerialNumber"), all.text("IsTruncated").as_str()), (serials.clone(), "false"));
    let first = list(&[("MaxItems", "2")]);
    assert_eq!((first.all("SerialNumber").as_slice(), first.text("IsTruncated").as_str()), (&serials[..2], "true"));
    let last = list(&[("MaxItems", "2"), ("Marker", &first.text("Marker"))]);
    assert_eq!((last.all("SerialNumber").as_slice(), last.text("IsTruncated").as_str()), (&serials[2..], "false"));
    assert!(!last.has("Marker"));
    let refused = aws.root().refused("ListMFADevices", &[("UserName", "alice"), ("Marker", "nonsense!")]);
    assert_eq!(said(&refused), ("ValidationError", 400, "Invalid Marker."));
}

#[test]
fn a_page_has_a_hundred_devices_by_default() {
    let aws = Aws::new();
    let serials: Vec<String> = (0..101).map(|number| aws.root().device(&format!("d{number:03}")).serial).collect();
    let page = aws.root().ok("ListVirtualMFADevices", &[]);
    assert_eq!((page.all("SerialNumber").as_slice(), page.text("IsTruncated").as_str()), (&serials[..100], "true"));
    let rest = aws.root().ok("ListVirtualMFADevices", &[("Marker", &page.text("Marker"))]);
    assert_eq!((rest.all("SerialNumber").as_slice(), rest.text("IsTruncated").as_str()), (&serials[100..], "false"));
    let whole = aws.root().ok("ListVirtualMFADevices", &[("MaxItems", "1000")]);
    assert_eq!(whole.all("SerialNumber"), serials);
}

#[test]
fn a_device_is_made_with_at_most_fifty_tags() {
    let aws = Aws::new();
    let create = |name: &str, count: usize| {
        let tags: Vec<(String, String)> = (1..=count)
            .flat_map(|number| {
                let tag = |part: &str| format!("Tags.member.{number}.{part}");
                [(tag("Key"), format!("k{number}")), (tag("Value"), String::new())]
            })
            .collect();
        let mut parameters = vec![("VirtualMFADeviceName", name)];
        parameters.extend(tags.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        aws.root().call("CreateVirtualMFADevice", &parameters)
    };
    create("fifty", 50).unwrap();
    let text = "1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than \
                or equal to 50";
    assert_eq!(create("more", 51).unwrap_err().said(), ("ValidationError", 400, text));
    assert_eq!(aws.root().ok("ListVirtualMFADevices", &[]).all("SerialNumber").len(), 1);
}

#[test]
fn tags_are_added_replaced_listed_and_taken_away() {
    let aws = Aws::new();
    let serial = aws.root().device("alice").serial;
    let admin = aws.root();
    let tag = |pairs: &[(&str, &str)]| {
        let mut parameters = vec![("SerialNumber".to_owned(), serial.clone())];
        for (index, (key, value)) in (1..).zip(pairs) {
            parameters.push((format!("Tags.member.{index}.Key"), (*key).to_owned()));
            parameters.push((format!("Tags.member.{index}.Value"), (*value).to_owned()));
        }
        let borrowed: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        admin.call("TagMFADevice", &borrowed)
    };
    tag(&[("team", "red"), ("Cost", "1")]).unwrap();
    tag(&[("team", "blue")]).unwrap();
    let listed = admin.ok("ListMFADeviceTags", &[("SerialNumber", &serial)]);
    assert_eq!(listed.all("Key"), ["Cost", "team"]);
    assert_eq!(listed.all("Value"), ["1", "blue"]);
    assert_eq!(tag(&[("a", "1"), ("a", "2")]).unwrap_err().code, "InvalidInput");
    tag(&[("TEAM", "1"), ("Team", "2")]).unwrap();
    let others = [("TagKeys.member.1", "TEAM"), ("TagKeys.member.2", "Team"), ("TagKeys.member.3", "cost")];
    admin.ok("UntagMFADevice", &[&[("SerialNumber", &*serial)], &others[..]].concat());
    let many: Vec<String> = (0..49).map(|number| format!("k{number}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|key| (key.as_str(), "")).collect();
    assert_eq!(tag(&many).unwrap_err().code, "LimitExceeded");
    admin
        .ok("UntagMFADevice", &[("SerialNumber", &serial), ("TagKeys.member.1", "team"), ("TagKeys.member.2", "none")]);
    assert_eq!(admin.ok("ListMFADeviceTags", &[("SerialNumber", &serial)]).all("Key"), ["Cost"]);
}

#[test]
fn names_paths_serials_and_codes_are_held_to_the_contract() {
    let aws = Aws::new();
    aws.user("alice");
    let create = |name: &str, path: &str| {
        aws.root().refused("CreateVirtualMFADevice", &[("VirtualMFADeviceName", name), ("Path", path)]).2
    };
    assert!(create("a b", "/").starts_with("The specified value for virtualMFADeviceName is invalid."));
    assert!(create("a", "x").starts_with("The specified value for path is invalid."));
    let long = format!("/{}/", "x".repeat(511));
    let text = "1 validation error detected: Value at 'path' failed to satisfy constraint: Member must have length less than \
                or equal to 512";
    assert_eq!(create("a", &long), text);
    let most = format!("/{}/", "x".repeat(510));
    aws.root().ok("CreateVirtualMFADevice", &[("VirtualMFADeviceName", "a"), ("Path", &most)]);
    let serial = aws.root().device("alice").serial;
    for code in ["12345", "1234567", "12a456", " 12345"] {
        let parameters = [
            ("UserName", "alice"),
            ("SerialNumber", serial.as_str()),
            ("AuthenticationCode1", code),
            ("AuthenticationCode2", "123456"),
        ];
        let (error, status, message) = aws.root().refused("EnableMFADevice", &parameters);
        assert_eq!((error.as_str(), status), ("ValidationError", 400), "{code}: {message}");
        assert!(!message.contains(code), "{message}");
    }
    let (error, _, message) = aws.root().refused("DeleteVirtualMFADevice", &[("SerialNumber", "short")]);
    assert_eq!(error, "ValidationError");
    assert!(message.contains("'serialNumber'") && message.contains("greater than or equal to 9"), "{message}");
}

#[test]
fn what_is_not_implemented_is_an_invalid_action() {
    let aws = Aws::new();
    let refused = aws.root().refused("CreateInstanceProfile", &[("InstanceProfileName", "x")]);
    let text = "Could not find operation CreateInstanceProfile for version 2010-05-08";
    assert_eq!(said(&refused), ("InvalidAction", 400, text));
}
