//! A stand-in's time that stands: whatever is done again says the same again.

use serde_json::Value;

use super::kill::Stage;
use crate::serve::support::ALLOW_ALL;

#[test]
fn enabling_again_while_time_stands_says_the_same() {
    for named in [false, true] {
        let stage = Stage::new(ALLOW_ALL);
        let clock = ["--clock", stage.server.endpoint()];
        let arguments = [&["enable", "--json"][..], if named { &clock[..] } else { &[] }].concat();
        let arguments = arguments.as_slice();
        let stands: Value = serde_json::from_str(&stage.server.get("/_vmfa/time").body).unwrap();
        let first = stage.run(arguments).expect(0);
        assert!(first.stderr.contains(" 14 s ") && first.stderr.contains("stands still"), "{first:#?}");
        assert!(first.stderr.contains("vmfa serve time +14s"), "{first:#?}");
        assert_eq!(first.json()["enabled_at"], stands["time"], "not a second later");
        for _ in 0..2 {
            let again = stage.run(arguments).expect(0);
            assert_eq!((&again.stderr, again.json()["how"].as_str()), (&first.stderr, Some("already")));
            assert_eq!(again.json()["enabled_at"], stands["time"]);
            assert_eq!(again.json()["checked"], false);
        }
        let session = stage.run(&["session", "mfauser", "--json"]).expect(1);
        assert!(session.stderr.contains(" 14 s ") && session.stderr.contains("stands still"), "{session:#?}");
        // As far as the hint says is far enough.
        stage.server.wait(14);
        assert_eq!(stage.run(arguments).expect(0).json()["checked"], true);
    }
}
