//! Enrolling, sessions, resynchronizing, disabling: on virtual time.

use vmfa::aws::enroll::How;
use vmfa::aws::explain::Cause;
use vmfa::aws::session::Wanted as Session;
use vmfa::aws::{Error, Interrupted};

use super::support::{ACCOUNT, Aws, Fate, Here, Virtual, Wire, client, wanted};
use crate::serve::support::ALLOW_ALL;

#[test]
fn a_user_enrols_and_has_a_session_once_sts_knows() {
    let aws = Aws::new();
    let user = aws.user("mfauser");
    aws.root().ok("PutUserPolicy", &[("UserName", "mfauser"), ("PolicyName", "all"), ("PolicyDocument", ALLOW_ALL)]);
    let (wire, world, here) = (Wire::good(&aws), Virtual::of(&aws), Here::new());
    let client = client(&wire, &world);
    let flow = here.flow(&client, &user.credentials);
    let identity = flow.caller.identity().unwrap();
    assert_eq!((identity.user(), identity.account.as_str()), (Some("mfauser"), ACCOUNT));

    let enrolled = flow.enroll(&wanted("mfauser")).unwrap();
    assert_eq!(enrolled.how, How::New);
    assert_eq!(world.waited(), 0, "a pair of the past and the present needs no waiting");
    let known = flow.wait_for_sts(&enrolled.device, enrolled.enabled).unwrap();
    assert!(known.is_some());
    assert!((8..=14).contains(&world.waited()), "{}", world.told());
    let session = flow.session(&enrolled.device, &Session::default()).unwrap();
    assert!(session.cached, "what was had while waiting is there for the next who asks");
    assert_eq!(wire.count("GetSessionToken"), 2);
    let again = flow.enroll(&wanted("mfauser")).unwrap();
    assert_eq!(again.how, How::Already);
}

#[test]
fn debug_lines_show_no_code_and_no_secret() {
    let aws = Aws::new();
    let (wire, world, here) = (Wire::good(&aws), Virtual::of(&aws), Here::new());
    aws.user("mfauser");
    let client = client(&wire, &world);
    let flow = here.flow(&client, &aws.administrator);
    flow.enroll(&wanted("mfauser")).unwrap();
    let lines = world.debugged.lock().unwrap().join("\n");
    assert!(lines.contains("AuthenticationCode1=(hidden)"), "{lines}");
    assert!(!lines.contains(aws.administrator.secret_access_key.as_str()));
    let _ = (Fate::Good, Interrupted { signal: 2 });
    let _: Option<(Error, Cause)> = None;
}
