//! Debian's oathtool as an independent oracle: generated secrets, times and parameters; the program's
//! codes must be the same.

use std::process::Stdio;

use crate::support::{Home, tool};

/// A small generator with a fixed seed (SplitMix64): the cases are the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

fn oathtool(arguments: &[String]) -> Vec<String> {
    let output = tool("oathtool", "oathtool").args(arguments).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "oathtool {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// 2,000 secrets, parameter sets and times, two consecutive codes of each.
#[test]
fn oathtool_and_vmfa_agree_on_two_thousand_totp_cases() {
    let home = Home::new();
    let mut random = Random(6238);
    let mut compared = 0;
    for _ in 0..2000 {
        let length = 1 + random.below(64);
        let bytes: Vec<u8> = (0..length).map(|_| u8::try_from(random.below(256)).unwrap()).collect();
        let seed = base32::encode(base32::Alphabet::Rfc4648 { padding: false }, &bytes);
        let algorithm = random.pick(&["SHA1", "SHA256", "SHA512"]);
        let digits = random.pick(&["6", "7", "8"]);
        let period = random.pick(&["1", "15", "30", "60", "90", "3600"]);
        // To the year 2500 and some.
        let time = random.below(17_000_000_000);
        let uri = format!("otpauth://totp/x?secret={seed}&algorithm={algorithm}&digits={digits}&period={period}");
        let ours = home.run_with(&["code", "--from", "-", "--at", &time.to_string(), "--count", "2"], uri.as_bytes());
        let ours: Vec<String> = ours.expect(0).stdout.lines().map(str::to_owned).collect();
        let theirs = oathtool(&[
            format!("--totp={algorithm}"),
            "-b".to_owned(),
            format!("-d{digits}"),
            format!("-s{period}s"),
            format!("-N@{time}"),
            "-w1".to_owned(),
            seed.clone(),
        ]);
        assert_eq!(ours, theirs, "{algorithm} {digits} {period} at {time}");
        compared += ours.len();
    }
    assert_eq!(compared, 4000);
}

/// Fifty secrets, eight counters each, the counters anywhere in 63 bits.
#[test]
fn oathtool_and_vmfa_agree_on_four_hundred_hotp_codes() {
    let home = Home::new();
    let mut random = Random(4226);
    for _ in 0..50 {
        let bytes: Vec<u8> = (0..20).map(|_| u8::try_from(random.below(256)).unwrap()).collect();
        let seed = base32::encode(base32::Alphabet::Rfc4648 { padding: false }, &bytes);
        let digits = random.pick(&["6", "7", "8"]);
        let counter = random.next() >> (1 + random.below(62));
        let uri = format!("otpauth://hotp/x?secret={seed}&digits={digits}&counter={counter}");
        let ours = home.run_with(&["code", "--from", "-", "--count", "8"], uri.as_bytes()).expect(0);
        let theirs = oathtool(&[
            "--hotp".to_owned(),
            "-b".to_owned(),
            format!("-d{digits}"),
            format!("-c{counter}"),
            "-w7".to_owned(),
            seed.clone(),
        ]);
        assert_eq!(ours.stdout.lines().collect::<Vec<_>>(), theirs, "{digits} at {counter}");
    }
}
