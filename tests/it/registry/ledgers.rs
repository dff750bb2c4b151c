//! What was handed out and accepted: claims and their owners, pairs, counters, and what is left of all that.

use vmfa::registry::{Claim, Error, Forget, Holder, LastPair, Ledger, Registry, Returnable, Token};

use super::*;

/// The claim of whoever asks first.
const TOKEN: Token = Token::from_value(7);

pub fn claim(registry: &dyn Registry, ledger: Id, candidates: &[u64], most: usize, now: u64) -> Vec<u64> {
    let candidates: Vec<Step> = candidates.iter().copied().map(Step::new).collect();
    let forget = Forget { below: Step::new(100), before: Timestamp::from_unix(1_000) };
    let now = Timestamp::from_unix(now);
    let claim = Claim {
        ledger,
        token: TOKEN,
        candidates: &candidates,
        most,
        ready: Step::new(u64::MAX),
        now,
        again: false,
        forget,
    };
    registry.claim(&claim).unwrap().into_iter().map(Step::value).collect()
}

fn claimed(registry: &dyn Registry, ledger: Id) -> Vec<u64> {
    let steps = registry.claimed(ledger, Step::new(0), Step::new(i64::MAX.unsigned_abs())).unwrap();
    steps.into_iter().map(Step::value).collect()
}

/// A device in the registry, and its ledger.
fn with_ledger(registry: &dyn Registry, name: &str, fingerprint: u8) -> (Device, Id) {
    let device = device(name);
    registry.insert(std::slice::from_ref(&device)).unwrap();
    let ledger = registry.join(device.id, &[fingerprint; 32]).unwrap();
    (device, ledger)
}

#[test]
fn devices_of_one_fingerprint_have_one_ledger() {
    on_all(|registry| {
        let devices = [device("a"), device("b"), device("c")];
        registry.insert(&devices).unwrap();
        let [a, b, c] = devices.each_ref().map(|device| device.id);
        let ledger = registry.join(a, &[1; 32]).unwrap();
        assert_eq!(registry.join(b, &[1; 32]).unwrap(), ledger);
        assert_ne!(registry.join(c, &[2; 32]).unwrap(), ledger);
        assert_eq!(registry.join(a, &[2; 32]).unwrap(), ledger, "a device keeps its ledger");
        let sharers: Vec<String> =
            registry.sharers(ledger).unwrap().into_iter().map(|device| device.name.to_string()).collect();
        assert_eq!(sharers, ["a", "b"]);
        assert!(matches!(registry.join(Id::random(), &[1; 32]), Err(Error::Gone)));
        // A writer that read the device before doesn't take the ledger away.
        registry.update(std::slice::from_ref(&devices[0])).unwrap();
        assert_eq!(registry.find(&devices[0].name).unwrap().unwrap().ledger, Some(ledger));
        // Whoever enrols the same secret later finds what was handed out.
        claim(registry, ledger, &[7], 1, 2_000);
        registry.remove(&[a, b]).unwrap();
        assert_eq!(with_ledger(registry, "a", 1).1, ledger);
        assert_eq!(claimed(registry, ledger), [7]);
    });
}

#[test]
fn the_first_candidates_that_were_never_claimed_are_given() {
    on_all(|registry| {
        let (_, ledger) = with_ledger(registry, "a", 1);
        assert_eq!(claim(registry, ledger, &[500, 499, 501], 1, 2_000), [500]);
        assert_eq!(claim(registry, ledger, &[500, 499, 501], 1, 2_000), [499]);
        assert_eq!(claim(registry, ledger, &[500, 499, 501, 502], 2, 2_000), [501, 502]);
        assert_eq!(claim(registry, ledger, &[500, 499], 2, 2_000), [0_u64; 0]);
        assert_eq!(claim(registry, ledger, &[503, 503], 2, 2_000), [503], "named twice, taken once");
        assert!(registry.release(ledger, Step::new(500), TOKEN).unwrap());
        assert!(!registry.release(ledger, Step::new(500), TOKEN).unwrap());
        assert_eq!(claimed(registry, ledger), [499, 501, 502, 503]);
        let some = registry.claimed(ledger, Step::new(501), Step::new(502)).unwrap();
        assert_eq!(some, [Step::new(501), Step::new(502)]);
        assert_eq!(claim(registry, ledger, &[500, u64::MAX], 2, 2_000), [500, u64::MAX]);
        assert_eq!(claim(registry, ledger, &[u64::MAX], 1, 2_000), [0_u64; 0]);
    });
}

#[test]
fn a_step_is_forgotten_when_it_is_old_and_was_handed_out_long_ago_and_never_given_again() {
    on_all(|registry| {
        let (_, ledger) = with_ledger(registry, "a", 1);
        claim(registry, ledger, &[40, 50, 150], 3, 900);
        claim(registry, ledger, &[60], 1, 1_100);
        assert_eq!(claimed(registry, ledger), [60, 150], "40 and 50 are below 100 and from before 1,000");
        assert_eq!(claim(registry, ledger, &[60, 150], 2, 5_000), [0_u64; 0]);
        // Whatever the clock said when it became a run, and whatever lies between.
        assert_eq!(claim(registry, ledger, &[40, 45, 50, 151], 4, 2_000), [45, 151]);
        assert_eq!(registry.ledger(ledger).unwrap().forgotten.to_string(), "40-40,50-50");
        let other = with_ledger(registry, "b", 2).1;
        assert_eq!(claim(registry, other, &[40], 1, 2_000), [40], "another ledger");
        assert!(matches!(
            registry.claim(&Claim {
                ledger: Id::random(),
                token: TOKEN,
                candidates: &[Step::new(1)],
                most: 1,
                ready: Step::new(1),
                now: UNTIL,
                again: false,
                forget: Forget { below: Step::new(0), before: UNTIL },
            }),
            Err(Error::Gone)
        ));
    });
}

#[test]
fn what_was_handed_out_again_is_not_given_back_by_whoever_waits_for_it() {
    on_all(|registry| {
        let (_, ledger) = with_ledger(registry, "a", 1);
        assert_eq!(claim(registry, ledger, &[500, 501], 2, 2_000), [500, 501]);
        let forget = Forget { below: Step::new(0), before: Timestamp::from_unix(0) };
        let candidates = [500, 502].map(Step::new);
        let (token, ready) = (Token::from_value(8), Step::new(500));
        let again = Claim { ledger, token, candidates: &candidates, most: 2, ready, now: UNTIL, again: true, forget };
        assert_eq!(registry.claim(&again).unwrap(), [Step::new(502)]);
        let holder = |step| registry.holder(ledger, Step::new(step)).unwrap();
        assert_eq!(holder(500), Some(Holder { token: TOKEN, again: true, given: true }));
        assert_eq!(holder(502), Some(Holder { token, again: false, given: false }));
        assert_eq!(holder(503), None);
        assert!(!registry.give(ledger, Step::new(502), TOKEN).unwrap(), "another claim's");
        assert!(registry.give(ledger, Step::new(502), token).unwrap());
        assert_eq!(holder(502), Some(Holder { token, again: false, given: true }));
        let back = |(step, token)| registry.release(ledger, Step::new(step), token).unwrap();
        assert_eq!([(500, TOKEN), (501, token), (502, TOKEN)].map(back), [false, false, false], "shown to another");
        assert_eq!([(501, TOKEN), (502, token)].map(back), [true, true]);
        assert_eq!(claimed(registry, ledger), [500]);
    });
}

#[test]
fn a_ledger_is_changed_by_one_writer_at_a_time() {
    on_all(|registry| {
        let (_, id) = with_ledger(registry, "a", 1);
        let read = registry.ledger(id).unwrap();
        assert_eq!(read, Ledger::new(id));
        let (state, _) = relying_party::accept(
            &relying_party::Rules::AWS,
            &vmfa::secret::Secret::new(vec![1]).unwrap(),
            &Parameters::DEFAULT,
            &relying_party::State::default(),
            UNTIL,
            &["000000".parse().unwrap()],
        );
        let changed = Ledger {
            last_pair: Some(LastPair {
                second: Step::new(u64::MAX),
                token: Token::from_value(u64::MAX),
                given: false,
                returnable: Some(Returnable { claimed: true, before: Some(Step::new(3)) }),
            }),
            counter: Some(u64::MAX),
            relying_party: Some(state),
            changed: UNTIL,
            ..read.clone()
        };
        registry.update_ledger(&changed).unwrap();
        assert!(matches!(registry.update_ledger(&read), Err(Error::LedgerConflict)));
        assert_eq!(registry.ledger(id).unwrap(), Ledger { revision: 1, ..changed.clone() });
        let final_pair = Some(LastPair { second: Step::new(3), token: TOKEN, given: true, returnable: None });
        registry.update_ledger(&Ledger { revision: 1, last_pair: final_pair, ..changed.clone() }).unwrap();
        assert_eq!(registry.ledger(id).unwrap().last_pair, final_pair);
        let nobodys = Id::random();
        assert!(matches!(registry.update_ledger(&Ledger::new(nobodys)), Err(Error::LedgerConflict)));
        assert!(matches!(registry.ledger(nobodys), Err(Error::Gone)));
    });
}

/// Enrolled again after a sweep, a secret goes on where it was: steps that passed, and steps to come that were handed out.
#[test]
fn what_was_handed_out_outlives_the_device_and_every_sweep() {
    on_all(|registry| {
        let (day, slow) = (86_400, Period::new(86_400).unwrap());
        let mut devices = ["kept", "gone", "ahead", "slow", "counter", "nothing"].map(device);
        devices[3].parameters.factor = MovingFactor::Time { period: slow };
        devices[4].parameters.factor = MovingFactor::Counter { next: 0 };
        registry.insert(&devices).unwrap();
        let mut fingerprint = 0;
        let ledgers = devices.each_ref().map(|device| {
            fingerprint += 1;
            registry.join(device.id, &[fingerprint; 32]).unwrap()
        });
        let now = 100 * day;
        let ahead = now / 30 + 2_880;
        for (ledger, step) in ledgers.into_iter().zip([70_000, 70_000, ahead, 95]) {
            claim(registry, ledger, &[step], 1, now - 5 * day);
        }
        let counter = registry.ledger(ledgers[4]).unwrap();
        registry.update_ledger(&Ledger { counter: Some(1), ..counter }).unwrap();
        registry.remove(&devices[1..].iter().map(|device| device.id).collect::<Vec<_>>()).unwrap();
        // Now; and by a clock that runs a month ahead.
        for (now, kept) in [(now, [1, 0, 1, 1, 0]), (now + 30 * day, [1, 0, 0, 1, 0])] {
            registry.sweep(Timestamp::from_unix(now)).unwrap();
            assert_eq!(ledgers.map(|ledger| registry.ledger(ledger).is_ok()), [true, true, true, true, true, false]);
            assert_eq!([0, 1, 2, 3, 4].map(|index: usize| claimed(registry, ledgers[index]).len()), kept);
        }
        for (name, fingerprint, step) in [("gone", 2, 70_000), ("ahead", 3, ahead), ("slow", 4, 95)] {
            let (_, ledger) = with_ledger(registry, name, fingerprint);
            assert_eq!(claim(registry, ledger, &[step, step + 1], 2, now), [step + 1], "{name}");
        }
        let again = with_ledger(registry, "counter", 5).1;
        assert_eq!(registry.ledger(again).unwrap().counter, Some(1));
    });
}

#[test]
fn a_ledger_is_found_by_its_fingerprint_and_what_a_claim_has_by_its_token() {
    on_all(|registry| {
        assert_eq!(registry.ledger_of(&[1; 32]).unwrap(), None);
        let (_, ledger) = with_ledger(registry, "a", 1);
        let (_, other) = with_ledger(registry, "b", 2);
        assert_eq!(registry.ledger_of(&[1; 32]).unwrap(), Some(ledger));
        claim(registry, ledger, &[502, 500], 2, 2_000);
        claim(registry, other, &[501], 1, 2_000);
        let claimed = |token| registry.claimed_by(ledger, token).unwrap();
        assert_eq!(claimed(TOKEN), [500, 502].map(Step::new));
        assert!(claimed(Token::from_value(8)).is_empty());
        assert!(registry.release(ledger, Step::new(500), TOKEN).unwrap());
        assert_eq!(claimed(TOKEN), [502].map(Step::new));
    });
}

#[test]
fn a_place_has_the_key_that_it_was_first_seen_with() {
    on_all(|registry| {
        registry.expect_no_key("age one").unwrap();
        assert!(!registry.knows_key("age one").unwrap());
        registry.see_key("age one", &[1; 32]).unwrap();
        registry.see_key("age two", &[2; 32]).unwrap();
        let refused = |result: Result<(), Error>, gone: bool| match result {
            Err(Error::OtherKey { place, gone: is }) => assert_eq!((place.as_str(), is), ("age one", gone)),
            other => panic!("{other:?}"),
        };
        refused(registry.see_key("age one", &[2; 32]), false);
        refused(registry.expect_no_key("age one"), true);
        assert!(registry.knows_key("age one").unwrap());
        registry.see_key("age one", &[1; 32]).unwrap();
        registry.expect_no_key("keyring").unwrap();
    });
}

#[test]
fn a_token_is_read_as_it_is_written() {
    for value in [1, 0x9f2c_4e6a_b01d_7358, u64::MAX] {
        let token = Token::from_value(value);
        assert_eq!(token.to_string().parse::<Token>(), Ok(token));
        assert_eq!(token.to_string().to_uppercase().parse::<Token>(), Ok(token));
    }
    for text in ["", "1", "0000000000000000", "+123456789abcdef", "123456789abcdefg", "00123456789abcdef"] {
        assert!(text.parse::<Token>().is_err(), "{text}");
    }
}
