//! Keys out of passwords, at a bounded cost: a file says how much work its key is, and nobody works for a hostile one.

use hmac::Hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use super::Error;

/// The most rounds of PBKDF2: ten times what any app uses, some seconds of work.
pub(super) const MOST_ROUNDS: u64 = 10_000_000;

/// The most memory of scrypt and Argon2, in KiB.
pub(super) const MOST_KIB: u64 = 1 << 20;

/// The most block operations of scrypt and Argon2: memory in KiB times passes.
const MOST_WORK: u64 = 16 << 20;

/// The most memory of scrypt's blocks, in KiB.
const MOST_BLOCKS_KIB: u64 = MOST_KIB >> 4;

/// The longest salt, in bytes.
const MOST_SALT: usize = 1 << 10;

/// Whether a fuzzer runs this: cargo-fuzz sets `fuzzing` for all crates. Keys then cost the least that their functions allow, so that
/// files are tried and not hashes, and memory is the importers'. What a file asks for is bounded as ever.
pub(super) const FUZZED: bool = cfg!(fuzzing);

#[cfg(all(fuzzing, feature = "cli"))]
compile_error!("keys that cost nothing are for fuzzers, and not for the program");

/// The hash under PBKDF2 (RFC 8018, section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prf {
    Sha1,
    Sha256,
    Sha512,
}

/// A derivation whose cost was checked when it was made.
#[derive(Debug, Clone)]
pub(super) struct Kdf {
    salt: Vec<u8>,
    how: How,
}

#[derive(Debug, Clone)]
enum How {
    Pbkdf2 { prf: Prf, rounds: u32 },
    Scrypt(scrypt::Params),
    Argon2 { kind: argon2::Algorithm, params: argon2::Params },
}

impl Kdf {
    /// PBKDF2 with a number of rounds.
    pub(super) fn pbkdf2(prf: Prf, salt: &[u8], rounds: u64) -> Result<Self, Error> {
        bounded(rounds, MOST_ROUNDS, "rounds of PBKDF2")?;
        let rounds = u32::try_from(rounds).ok().filter(|rounds| *rounds > 0);
        let rounds = rounds.ok_or_else(|| Error::damaged("its key derivation has no rounds"))?;
        Ok(Self { salt: salted(salt)?, how: How::Pbkdf2 { prf, rounds: if FUZZED { 1 } else { rounds } } })
    }

    /// scrypt (RFC 7914) with N as it is, not its logarithm.
    pub(super) fn scrypt(salt: &[u8], n: u64, r: u64, p: u64) -> Result<Self, Error> {
        let kib = n.saturating_mul(r).div_ceil(8);
        within_memory(kib, p)?;
        // Beside the memory of one run, there is a block of 128 * r bytes for each of them.
        let blocks = p.saturating_mul(r).div_ceil(8);
        if blocks > MOST_BLOCKS_KIB {
            return Err(Error::Costly { asked: memory(blocks), limit: memory(MOST_BLOCKS_KIB) });
        }
        let log_n = u8::try_from(n.trailing_zeros()).ok().filter(|_| n.is_power_of_two() && n > 1);
        let (r, p) = (u32::try_from(r), u32::try_from(p));
        let of = |log_n, r, p| scrypt::Params::new(log_n, r, p, scrypt::Params::RECOMMENDED_LEN).ok();
        let params = match (log_n, r, p) {
            (Some(log_n), Ok(r), Ok(p)) => {
                of(log_n, r, p).and_then(|params| if FUZZED { of(1, 1, 1) } else { Some(params) })
            }
            _ => None,
        };
        let params = params.ok_or_else(|| Error::damaged("its scrypt parameters are not valid"))?;
        Ok(Self { salt: salted(salt)?, how: How::Scrypt(params) })
    }

    /// Argon2 (RFC 9106), version 1.3.
    pub(super) fn argon2(
        kind: argon2::Algorithm,
        salt: &[u8],
        kib: u64,
        passes: u64,
        lanes: u64,
    ) -> Result<Self, Error> {
        within_memory(kib, passes)?;
        let numbers = (u32::try_from(kib), u32::try_from(passes), u32::try_from(lanes));
        let of = |kib, passes, lanes| argon2::Params::new(kib, passes, lanes, None).ok();
        let params = match numbers {
            (Ok(kib), Ok(passes), Ok(lanes)) => {
                of(kib, passes, lanes).and_then(|params| if FUZZED { of(8, 1, 1) } else { Some(params) })
            }
            _ => None,
        };
        let params = params.ok_or_else(|| Error::damaged("its Argon2 parameters are not valid"))?;
        let salt = salted(salt)?;
        if salt.len() < argon2::MIN_SALT_LEN {
            return Err(Error::damaged("its salt is too short"));
        }
        Ok(Self { salt, how: How::Argon2 { kind, params } })
    }

    /// Derives `length` bytes.
    pub(super) fn derive(&self, password: &[u8], length: usize) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut key = Zeroizing::new(vec![0; length]);
        let failed = |_| Error::damaged("its key derivation is not valid");
        match &self.how {
            How::Pbkdf2 { prf, rounds } => {
                let done = match prf {
                    Prf::Sha1 => pbkdf2::pbkdf2::<Hmac<Sha1>>(password, &self.salt, *rounds, &mut key),
                    Prf::Sha256 => pbkdf2::pbkdf2::<Hmac<Sha256>>(password, &self.salt, *rounds, &mut key),
                    Prf::Sha512 => pbkdf2::pbkdf2::<Hmac<Sha512>>(password, &self.salt, *rounds, &mut key),
                };
                done.map_err(|_| Error::damaged("its key derivation is not valid"))?;
            }
            How::Scrypt(params) => {
                scrypt::scrypt(password, &self.salt, params, &mut key)
                    .map_err(|_| Error::damaged("its key derivation is not valid"))?;
            }
            How::Argon2 { kind, params } => {
                argon2::Argon2::new(*kind, argon2::Version::V0x13, params.clone())
                    .hash_password_into(password, &self.salt, &mut key)
                    .map_err(failed)?;
            }
        }
        Ok(key)
    }
}

fn salted(salt: &[u8]) -> Result<Vec<u8>, Error> {
    if salt.len() > MOST_SALT { Err(Error::damaged("its salt is too long")) } else { Ok(salt.to_vec()) }
}

fn within_memory(kib: u64, passes: u64) -> Result<(), Error> {
    if kib > MOST_KIB {
        return Err(Error::Costly { asked: memory(kib), limit: memory(MOST_KIB) });
    }
    bounded(kib.saturating_mul(passes), MOST_WORK, "KiB of work")
}

fn bounded(asked: u64, limit: u64, unit: &str) -> Result<(), Error> {
    if asked > limit {
        return Err(Error::Costly { asked: format!("{asked} {unit}"), limit: limit.to_string() });
    }
    Ok(())
}

fn memory(kib: u64) -> String {
    const GIB: u64 = 1 << 20;
    if kib >= GIB { format!("{} GiB of memory", kib / GIB) } else { format!("{} MiB of memory", kib >> 10) }
}

#[cfg(test)]
mod tests {
    use argon2::Algorithm::Argon2id;

    use super::*;
    use crate::exchange::encoding::hex;

    fn derived(kdf: Result<Kdf, Error>, length: usize) -> Vec<u8> {
        kdf.unwrap().derive(b"password", length).unwrap().to_vec()
    }

    /// RFC 6070, the third vector; RFC 7914, section 12, the third; and phc-winner-argon2's test of Argon2id.
    #[test]
    fn the_vectors_of_each_function_hold() {
        let sha1 = hex("4b007901b765489abead49d926f721d065a429c1").unwrap();
        assert_eq!(derived(Kdf::pbkdf2(Prf::Sha1, b"salt", 4096), 20), *sha1);
        let scrypt = hex("fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162").unwrap();
        assert_eq!(derived(Kdf::scrypt(b"NaCl", 1024, 8, 16), 32), *scrypt);
        let argon2 = hex("09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7").unwrap();
        assert_eq!(derived(Kdf::argon2(Argon2id, b"somesalt", 65_536, 2, 1), 32), *argon2);
    }

    #[test]
    fn what_costs_too_much_is_refused_before_any_work() {
        let costly = |kdf: Result<Kdf, Error>| assert!(matches!(kdf, Err(Error::Costly { .. })), "{kdf:?}");
        costly(Kdf::pbkdf2(Prf::Sha256, b"salt", MOST_ROUNDS + 1));
        costly(Kdf::pbkdf2(Prf::Sha256, b"salt", u64::MAX));
        costly(Kdf::scrypt(b"salt", 1 << 30, 8, 1));
        costly(Kdf::scrypt(b"salt", 1 << 15, u64::MAX, 1));
        costly(Kdf::scrypt(b"salt", 1 << 15, 8, 1 << 20));
        costly(Kdf::scrypt(b"salt", 2, 4, 16 << 20));
        costly(Kdf::argon2(Argon2id, b"saltsalt", 64 << 20, 1, 1));
        costly(Kdf::argon2(Argon2id, b"saltsalt", 1 << 16, u64::MAX, 1));
    }

    #[test]
    fn parameters_that_mean_nothing_are_damage() {
        let damaged = |kdf: Result<Kdf, Error>| assert!(matches!(kdf, Err(Error::Damaged { .. })), "{kdf:?}");
        damaged(Kdf::pbkdf2(Prf::Sha1, b"salt", 0));
        damaged(Kdf::pbkdf2(Prf::Sha1, &[0; MOST_SALT + 1], 1));
        damaged(Kdf::scrypt(b"salt", 1000, 8, 1));
        damaged(Kdf::scrypt(b"salt", 1, 8, 1));
        damaged(Kdf::scrypt(b"salt", 1024, 0, 1));
        damaged(Kdf::argon2(Argon2id, b"saltsalt", 0, 1, 1));
        damaged(Kdf::argon2(Argon2id, b"saltsalt", 64, 0, 1));
        damaged(Kdf::argon2(Argon2id, b"saltsalt", 64, 1, u64::MAX));
        damaged(Kdf::argon2(Argon2id, b"salt", 64, 1, 1));
    }
}
