//! Calls of services that aren't stood in for, with nobody behind.

use vmfa::wire::sigv4::Credentials;

use super::socket::*;

#[test]
fn what_a_call_of_another_service_asks_for_may_be_unknown_and_is_denied_in_doubt() {
    let server = Server::start(&[]);
    let (admin, now) = (server.administrator(), server.now());
    let json = |keys: &Credentials, target: &str| {
        let body = "{}";
        let request = server.signed_body(keys, "dynamodb", "application/x-amz-json-1.0", body, now);
        let text = String::from_utf8(request).unwrap();
        let text = text.replacen("host:", &format!("x-amz-target: DynamoDB_20120810.{target}\r\nhost:"), 1);
        server.raw(text.as_bytes()).unwrap()
    };
    assert_eq!(json(&admin, "TransactWriteItems").status, 501);
    server.call(&admin, "CreateUser", &[("UserName", "alice")]);
    let all = "arn:aws:iam::aws:policy/AdministratorAccess";
    server.call(&admin, "AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", all)]);
    let deny =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"dynamodb:DeleteItem","Resource":"*"}}"#;
    let put = [("UserName", "alice"), ("PolicyName", "deny"), ("PolicyDocument", deny)];
    assert_eq!(server.call(&admin, "PutUserPolicy", &put).status, 200);
    let key = server.call(&admin, "CreateAccessKey", &[("UserName", "alice")]);
    let alice = Credentials::new(&key.text("AccessKeyId"), &key.text("SecretAccessKey"), None);
    assert_eq!(json(&alice, "GetItem").status, 501);
    for denied in ["DeleteItem", "TransactWriteItems", "ExecuteStatement", ""] {
        let reply = json(&alice, denied);
        assert!(reply.status == 400 && reply.body.contains("explicit deny"), "{denied}: {}", reply.body);
    }
}

#[test]
fn a_call_of_another_service_that_is_allowed_and_goes_nowhere_is_not_implemented() {
    let server = Server::start(&[]);
    let body = "Action=DescribeInstances&Version=2016-11-15";
    let reply = server.raw(&server.signed_form(&server.administrator(), "ec2", body, server.now())).unwrap();
    assert_eq!((reply.status, reply.text("Code").as_str()), (501, "NotImplemented"));
    assert!(reply.text("Message").contains("--upstream URL"), "{}", reply.body);
}
