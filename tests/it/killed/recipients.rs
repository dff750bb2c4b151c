//! A change of the recipients: nobody is locked out meanwhile, and the same command finishes it.

use vmfa::vault::age;

use super::calls::killed_at_every_call;
use super::{LATER, There, again, stays_used, tidy};
use crate::support::{Home, run};

const OTHER: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

#[test]
fn a_change_of_recipients_is_finished_by_the_same_command() {
    let home = Home::new();
    home.add("x");
    home.add_from("y", OTHER);
    home.run(&["code", "x", "--fresh", "--at", LATER]).expect(0);
    let (second, recipient) = age::generate();
    let identity = home.file("second.txt", second.as_bytes());
    #[cfg(unix)]
    std::fs::set_permissions(&identity, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let before = There::of(&home);
    killed_at_every_call(&home, &["recipients", "add", &recipient], |moment| {
        assert_eq!(There::of(&home), before, "{moment}");
        stays_used(&home, "x", moment);
        again(&home, &["recipients", "add", &recipient]).expect(0);
        assert_eq!(home.run(&["recipients", "list", "--json"]).expect(0).json()["complete"], true, "{moment}");
        for name in ["x", "y"] {
            run(home.command().args(["code", name]).env("VMFA_IDENTITY_FILE", &identity), b"").expect(0);
        }
        stays_used(&home, "x", moment);
        tidy(&home, moment);
    });
}
