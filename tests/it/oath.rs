//! HOTP and TOTP against the RFCs' own tables, which are the only source of truth here, and against
//! Debian's oathtool.

use std::fs;

use vmfa::oath::{Algorithm, Digits, MovingFactor, Parameters, hotp, totp};
use vmfa::secret::Secret;
use vmfa::time::{Period, Timestamp};

use crate::support::vector;

pub fn rows(name: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(vector(name)).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The digits 1 to 0, repeated to the length that the RFC's reference implementation uses.
pub fn rfc_secret(bytes: usize) -> Secret {
    Secret::new(b"1234567890".iter().copied().cycle().take(bytes).collect()).unwrap()
}

#[test]
fn all_ten_rows_of_rfc_4226_appendix_d_hold_with_their_intermediate_values() {
    let secret = rfc_secret(20);
    let rows = rows("rfc4226-appendix-d.txt");
    assert_eq!(rows.len(), 10);
    for row in rows {
        let counter: u64 = row[0].parse().unwrap();
        let hash = hotp::hmac(&secret, counter, Algorithm::Sha1);
        assert_eq!(hex(&hash), row[1], "HMAC of {counter}");
        assert_eq!(format!("{:08x}", hotp::truncate(&hash)), row[2], "truncation of {counter}");
        assert_eq!(hotp::truncate(&hash).to_string(), row[3], "decimal of {counter}");
        assert_eq!(hotp::code(&secret, counter, &Parameters::DEFAULT).to_string(), row[4], "code of {counter}");
    }
}

#[test]
fn all_eighteen_rows_of_rfc_6238_appendix_b_hold() {
    let rows = rows("rfc6238-appendix-b.txt");
    assert_eq!(rows.len(), 18);
    for row in rows {
        let algorithm: Algorithm = row[3].parse().unwrap();
        let secret = rfc_secret(match algorithm {
            Algorithm::Sha1 => 20,
            Algorithm::Sha256 => 32,
            Algorithm::Sha512 => 64,
        });
        let parameters = Parameters {
            algorithm,
            digits: Digits::new(8).unwrap(),
            factor: MovingFactor::Time { period: Period::DEFAULT },
        };
        let time = Timestamp::from_unix(row[0].parse().unwrap());
        let step = u64::from_str_radix(&row[1], 16).unwrap();
        assert_eq!(parameters.step_at(time).unwrap().value(), step, "T at {}", row[0]);
        assert_eq!(totp::code(&secret, time, totp::EPOCH, &parameters).unwrap().to_string(), row[2], "{row:?}");
    }
}

#[test]
fn ten_digits_are_the_whole_truncated_number_and_nine_all_but_its_first() {
    let secret = rfc_secret(20);
    for row in rows("rfc4226-appendix-d.txt") {
        let counter: u64 = row[0].parse().unwrap();
        let code = |digits| {
            let parameters = Parameters { digits: Digits::new(digits).unwrap(), ..Parameters::DEFAULT };
            hotp::code(&secret, counter, &parameters).to_string()
        };
        let whole = format!("{:0>10}", row[3]);
        assert_eq!(code(10), whole);
        assert_eq!(code(9), whole[1..]);
        assert_eq!(code(7), whole[3..]);
    }
}

#[test]
fn every_code_of_steam_guard_is_what_two_other_programs_compute() {
    let rows = rows("steam/codes.txt");
    assert_eq!(rows.len(), 50);
    for row in rows {
        let bytes =
            row[0].as_bytes().chunks(2).map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap());
        let secret = Secret::new(bytes.collect()).unwrap();
        let time = Timestamp::from_unix(row[1].parse().unwrap());
        let code = totp::code(&secret, time, totp::EPOCH, &Parameters::STEAM).unwrap();
        assert_eq!(code.to_string(), row[2], "{row:?}");
        assert_eq!(row[2].parse(), Ok(code), "{row:?}");
    }
}

#[test]
fn t0_moves_the_count_and_no_year_is_too_far() {
    let secret = rfc_secret(20);
    let at = |time, t0| {
        let (time, t0) = (Timestamp::from_unix(time), Timestamp::from_unix(t0));
        totp::code(&secret, time, t0, &Parameters::DEFAULT).map(|code| code.to_string())
    };
    assert_eq!(at(59, 0), at(159, 100));
    assert_eq!(at(99, 100), Err(vmfa::oath::Error::BeforeT0));
    // The year 2603, and the end of 64 bits.
    assert_eq!(at(20_000_000_000, 0).unwrap(), "353130");
    assert!(at(u64::MAX, 0).is_ok());
}
