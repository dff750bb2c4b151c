//! Codes of many counters and of many secrets, by every back-end that this processor has.

use proptest::prelude::*;
use vmfa::oath::hotp::{self, Backend, Keyed};
use vmfa::oath::{Algorithm, Code, Digits, Parameters};
use vmfa::secret::Secret;

use crate::oath::{rfc_secret, rows};

const ALL: &[&str] = &["portable", "avx512", "sha-ni", "avx2", "neon"];

/// Checks the back-end of a name, or says that this processor lacks it.
fn with(name: &str, check: impl Fn(Backend)) {
    match Backend::named(name) {
        Some(backend) => {
            check(backend);
            eprintln!("{name}: checked");
        }
        None => eprintln!("{name}: NOT checked, this processor lacks it, or the feature `lanes` is off"),
    }
}

fn one_by_one(secret: &Secret, counters: impl Iterator<Item = u64>, parameters: &Parameters) -> Vec<(u64, Code)> {
    counters.map(|counter| (counter, hotp::code(secret, counter, parameters))).collect()
}

fn parameters(algorithm: Algorithm, digits: Digits) -> Parameters {
    Parameters { algorithm, digits, ..Parameters::DEFAULT }
}

fn secret() -> impl Strategy<Value = Secret> {
    prop::collection::vec(any::<u8>(), 1..150).prop_map(|bytes| Secret::new(bytes).unwrap())
}

/// Where words, batches and counters begin and end, and anywhere.
fn counter() -> impl Strategy<Value = u64> {
    let near = |edge: u64| (0..200_u64).prop_map(move |distance| edge.wrapping_add(distance).wrapping_sub(100));
    prop_oneof![any::<u64>(), near(100), near(u64::MAX - 100), near(1 << 32), near(59_640_480)]
}

fn digits() -> impl Strategy<Value = Digits> {
    prop_oneof![(6..=10_u8).prop_map(|count| Digits::new(count).unwrap()), Just(Digits::STEAM)]
}

fn check_ranges(backend: Backend) {
    proptest!(ProptestConfig::with_cases(150), |(secret in secret(), first in counter(), more in 0..200_u64, digits in digits())| {
        let last = first.saturating_add(more);
        let keyed = Keyed::new(&secret, Algorithm::Sha1);
        let found: Vec<_> = keyed.codes_by(backend, first..=last, digits).collect();
        prop_assert_eq!(&found, &one_by_one(&secret, first..=last, &parameters(Algorithm::Sha1, digits)));
        let mut folded = Vec::new();
        keyed.codes_by(backend, first..=last, digits).for_each(|code| folded.push(code));
        prop_assert_eq!(found, folded);
    });
}

fn check_fleets(backend: Backend) {
    let fleet = prop::collection::vec((secret(), 0..8_u8), 0..150);
    proptest!(ProptestConfig::with_cases(60), |(fleet in fleet, counter in counter(), digits in digits())| {
        let algorithm = |kind| match kind { 0 => Algorithm::Sha256, 1 => Algorithm::Sha512, _ => Algorithm::Sha1 };
        let keyed: Vec<_> = fleet.iter().map(|(secret, kind)| Keyed::new(secret, algorithm(*kind))).collect();
        let wanted: Vec<_> = fleet
            .iter()
            .map(|(secret, kind)| hotp::code(secret, counter, &parameters(algorithm(*kind), digits)))
            .collect();
        prop_assert_eq!(hotp::codes_of_by(backend, &keyed, counter, digits).collect::<Vec<_>>(), wanted);
        for algorithm in [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512] {
            let secrets = fleet.iter().map(|(secret, _)| secret);
            let found: Vec<_> = hotp::codes_of_secrets_by(backend, secrets, algorithm, counter, digits).collect();
            let wanted: Vec<_> =
                fleet.iter().map(|(secret, _)| hotp::code(secret, counter, &parameters(algorithm, digits))).collect();
            prop_assert_eq!(found, wanted);
        }
    });
}

fn check_the_tables(backend: Backend) {
    let secret = rfc_secret(20);
    let keyed = Keyed::new(&secret, Algorithm::Sha1);
    let found: Vec<_> = keyed.codes_by(backend, 0..=9, Digits::SIX).map(|(_, code)| code.to_string()).collect();
    let wanted: Vec<_> = rows("rfc4226-appendix-d.txt").into_iter().map(|row| row[4].clone()).collect();
    assert_eq!(found, wanted, "RFC 4226, appendix D");
    let eight = Digits::new(8).unwrap();
    for row in rows("rfc6238-appendix-b.txt").into_iter().filter(|row| row[3] == "SHA1") {
        let step = u64::from_str_radix(&row[1], 16).unwrap();
        let one: Vec<_> = keyed.codes_by(backend, step..=step, eight).map(|(_, code)| code.to_string()).collect();
        assert_eq!(one, [row[2].as_str()], "RFC 6238, appendix B");
        let of_secrets = hotp::codes_of_secrets_by(backend, [&secret], Algorithm::Sha1, step, eight);
        let of_keyed = hotp::codes_of_by(backend, std::slice::from_ref(&keyed), step, eight);
        let both: Vec<_> = of_secrets.chain(of_keyed).map(|code| code.to_string()).collect();
        assert_eq!(both, [row[2].as_str(); 2], "RFC 6238, appendix B");
    }
}

/// All of it.
fn check(name: &str) {
    with(name, check_the_tables);
    with(name, check_ranges);
    with(name, check_fleets);
}

#[test]
fn portable_codes_are_those_of_single_ones() {
    assert!(Backend::named("portable").is_some());
    check("portable");
}

#[test]
fn avx512_codes_are_those_of_single_ones() {
    check("avx512");
}

#[test]
fn sha_ni_codes_are_those_of_single_ones() {
    check("sha-ni");
}

#[test]
fn avx2_codes_are_those_of_single_ones() {
    check("avx2");
}

#[test]
fn neon_codes_are_those_of_single_ones() {
    check("neon");
}

#[test]
fn each_back_end_has_a_test_and_the_best_one_is_the_first() {
    let available = Backend::available();
    assert!(available.iter().all(|backend| ALL.contains(&backend.name())), "{available:?}");
    assert!(available.contains(&Backend::PORTABLE));
    assert_eq!(available.first(), Some(&Backend::best()));
    assert!(available.iter().all(|backend| Backend::named(backend.name()) == Some(*backend)));
    assert_eq!(Backend::named("mmx"), None);
}

/// What the processor has is asked of the system, so that a back-end that isn't found any more is noticed.
#[cfg(all(feature = "lanes", target_arch = "x86_64", target_os = "linux"))]
#[test]
fn what_the_system_says_of_the_processor_is_available() {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap();
    let flags = text.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    for (flag, name) in [("avx512f", "avx512"), ("sha_ni", "sha-ni"), ("avx2", "avx2")] {
        let has = flags.split_whitespace().any(|word| word == flag);
        assert_eq!(Backend::named(name).is_some(), has, "{name}");
    }
}

#[test]
fn few_codes_and_none_are_those_of_single_ones() {
    let secret = rfc_secret(20);
    for algorithm in [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512] {
        let keyed = Keyed::new(&secret, algorithm);
        for count in [0, 1, 2, 3, 7, 15, 16, 17, 63, 64, 65, 200] {
            let parameters = parameters(algorithm, Digits::SIX);
            let wanted = vec![hotp::code(&secret, 7, &parameters); count];
            let many = vec![keyed.clone(); count];
            assert_eq!(hotp::codes_of(&many, 7, Digits::SIX).collect::<Vec<_>>(), wanted);
            let secrets = std::iter::repeat_n(&secret, count);
            assert_eq!(hotp::codes_of_secrets(secrets, algorithm, 7, Digits::SIX).collect::<Vec<_>>(), wanted);
        }
    }
}
