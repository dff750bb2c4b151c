//! Sessions of browsers: kept in memory, known by a cookie, bounded in number and time.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::serve::account::{Account, Login};
use crate::serve::caller::{Caller, Who};
use crate::serve::random::{self, Random};
use crate::time::Timestamp;

/// The name of the cookie.
pub(super) const COOKIE: &str = "vmfa_console";

/// How long a session lasts, in seconds.
const LIFETIME: u64 = 43_200;

/// How long it lasts without a request, in seconds.
const IDLE: u64 = 3_600;

/// How many there are at most. Past that, one in which nobody signed in makes room, or else the longest unused.
const MOST: usize = 4_096;

/// Bytes of an id and of a form's token: 256 bits.
const BYTES: usize = 32;

/// All sessions, under the hashes of their ids: a lookup's pace tells nothing about an id.
#[derive(Default)]
pub(super) struct Sessions(Mutex<HashMap<Key, Session>>);

/// The hash of a session's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 32]);

/// A browser's session.
#[derive(Clone)]
pub(super) struct Session {
    /// What every form of it carries.
    pub(super) token: Zeroizing<String>,
    begun: Timestamp,
    used: Timestamp,
    /// Said once, on the next page.
    pub(super) notice: Option<String>,
    /// Whose it is; nobody's before a right password.
    pub(super) person: Option<Person>,
}

/// How far somebody has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The password was right; a code is asked for.
    Code,
    /// A new password is asked for before anything else.
    NewPassword,
    /// Signed in.
    In,
}

/// A user with a right password.
#[derive(Clone)]
pub(super) struct Person {
    /// The key of the user.
    pub(super) user: String,
    /// The user's id.
    pub(super) id: String,
    /// When the password was given.
    pub(super) since: Timestamp,
    /// When a code was accepted.
    pub(super) authenticated: Option<Timestamp>,
    pub(super) stage: Stage,
    /// The device that is being set up.
    pub(super) enrolment: Option<Enrolment>,
    /// The access key that was created, until it is shown.
    pub(super) fresh_key: Option<FreshKey>,
    /// Serial numbers of the devices that were created in this session.
    pub(super) created: Vec<String>,
    password: Password,
}

/// Which password it was, without saying so: another one, or the same set again, is not equal to it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Password(Zeroizing<Vec<u8>>);

/// A device that was created, with what its creation told and nothing tells again.
#[derive(Clone)]
pub(super) struct Enrolment {
    pub(super) serial: String,
    pub(super) name: String,
    /// The secret key, base32.
    pub(super) seed: Zeroizing<String>,
    /// Its picture, base64 of a PNG.
    pub(super) png: Zeroizing<String>,
}

/// An access key with its secret.
#[derive(Clone)]
pub(super) struct FreshKey {
    pub(super) id: String,
    pub(super) secret: Zeroizing<String>,
}

impl Sessions {
    fn all(&self) -> MutexGuard<'_, HashMap<Key, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins one. Returns its id, which only the browser keeps, and its key.
    ///
    /// # Errors
    ///
    /// Without random numbers.
    pub(super) fn begin(
        &self,
        person: Option<Person>,
        now: Timestamp,
        random: &mut dyn Random,
    ) -> Result<(Zeroizing<String>, Key, Session), random::Error> {
        let id = random::text(random, BYTES)?;
        let token = random::text(random, BYTES)?;
        let session = Session { token, begun: now, used: now, notice: None, person };
        let key = Key::of(&id);
        let mut all = self.all();
        if all.len() >= MOST {
            all.retain(|_, session| !session.is_over(now));
        }
        if all.len() >= MOST {
            let first = all.iter().min_by_key(|(_, session)| (session.person.is_some(), session.used));
            if let Some(key) = first.map(|(key, _)| *key) {
                all.remove(&key);
            }
        }
        all.insert(key, session.clone());
        Ok((id, key, session))
    }

    /// The session of an id, which is used by asking.
    pub(super) fn find(&self, id: &str, now: Timestamp) -> Option<(Key, Session)> {
        let key = Key::of(id);
        let mut all = self.all();
        if all.get(&key)?.is_over(now) {
            all.remove(&key);
            return None;
        }
        let session = all.get_mut(&key)?;
        session.used = session.used.max(now);
        Some((key, session.clone()))
    }

    /// Changes one, where it still is there.
    pub(super) fn edit<T>(&self, key: Key, edit: impl FnOnce(&mut Session) -> T) -> Option<T> {
        self.all().get_mut(&key).map(edit)
    }

    /// Ends one; whether it was there. If two callers end the same one, one of them gets true.
    pub(super) fn end(&self, key: Key) -> bool {
        self.all().remove(&key).is_some()
    }
}

impl Key {
    fn of(id: &str) -> Self {
        Self(Sha256::digest(id.as_bytes()).into())
    }
}

impl Session {
    fn is_over(&self, now: Timestamp) -> bool {
        let seconds = |since: Timestamp| now.as_unix().saturating_sub(since.as_unix());
        seconds(self.begun) >= LIFETIME || seconds(self.used) >= IDLE
    }
}

impl Person {
    /// Somebody whose password was right just now.
    pub(super) fn new(user: String, id: String, login: &Login, stage: Stage, now: Timestamp) -> Self {
        Self {
            user,
            id,
            since: now,
            authenticated: None,
            stage,
            enrolment: None,
            fresh_key: None,
            created: Vec::new(),
            password: Password::of(login),
        }
    }

    /// As policies see them.
    pub(super) fn caller(&self) -> Caller {
        self.caller_since(self.authenticated)
    }

    /// As policies would see them after a code.
    pub(super) fn caller_with_mfa(&self, at: Timestamp) -> Caller {
        self.caller_since(Some(at))
    }

    fn caller_since(&self, authenticated: Option<Timestamp>) -> Caller {
        let who = Who::User { key: self.user.clone(), id: self.id.clone() };
        Caller::in_console(who, self.since, authenticated)
    }

    /// Whether the user is still there, with the password that was given.
    pub(super) fn is_current(&self, account: &Account) -> bool {
        let user = account.users.get(&self.user).filter(|user| user.id == self.id);
        user.and_then(|user| user.login.as_ref()).is_some_and(|login| Password::of(login) == self.password)
    }

    /// Takes over the password that the user has now.
    pub(super) fn take_password(&mut self, account: &Account) {
        if let Some(login) = account.users.get(&self.user).and_then(|user| user.login.as_ref()) {
            self.password = Password::of(login);
        }
    }
}

impl Password {
    pub(super) fn of(login: &Login) -> Self {
        // The salt is a new one each time: that alone tells one setting of a password from another.
        Self(Zeroizing::new(serde_json::to_vec(&login.password).unwrap_or_default()))
    }
}

/// The id that a browser sent. Two cookies of the name may come from two sources: neither is believed.
pub(super) fn id_of(cookies: &str) -> Option<&str> {
    let mut found = cookies.split(';').filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE).then_some(value)
    });
    let id = found.next()?;
    found.next().is_none().then_some(id)
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sessions({})", self.all().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::account::PasswordHash;

    /// Bytes that are never the same.
    struct Counting(u64);

    impl Random for Counting {
        fn fill(&mut self, bytes: &mut [u8]) -> Result<(), random::Error> {
            self.0 = self.0.wrapping_add(1);
            bytes.iter_mut().zip(self.0.to_le_bytes().into_iter().cycle()).for_each(|(byte, value)| *byte = value);
            Ok(())
        }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    fn person() -> Person {
        let login = Login::new(PasswordHash::new("secret", [0; 16]), at(0), false);
        Person::new("alice".to_owned(), "AIDA".to_owned(), &login, Stage::In, at(0))
    }

    #[test]
    fn a_session_ends_after_an_hour_without_a_request_and_after_twelve_in_any_case() {
        let (sessions, mut random) = (Sessions::default(), Counting(0));
        let (idle, _, _) = sessions.begin(None, at(0), &mut random).unwrap();
        assert!(sessions.find(&idle, at(3_599)).is_some());
        assert!(sessions.find(&idle, at(7_199)).is_none());
        assert!(sessions.find(&idle, at(0)).is_none(), "it is gone for good");
        let (busy, _, _) = sessions.begin(None, at(0), &mut random).unwrap();
        for time in (0..43_200).step_by(3_599) {
            assert!(sessions.find(&busy, at(time)).is_some());
        }
        assert!(sessions.find(&busy, at(43_200)).is_none());
    }

    #[test]
    fn strangers_make_room_first_and_then_the_longest_unused() {
        let (sessions, mut random) = (Sessions::default(), Counting(0));
        let (signed_in, _, _) = sessions.begin(Some(person()), at(0), &mut random).unwrap();
        let strangers: Vec<_> = (0..MOST).map(|_| sessions.begin(None, at(1), &mut random).unwrap().0).collect();
        assert_eq!(sessions.all().len(), MOST);
        assert!(sessions.find(&signed_in, at(2)).is_some());
        assert_eq!(strangers.iter().filter(|id| sessions.find(id, at(2)).is_none()).count(), 1);
        let person = person();
        for _ in 0..MOST {
            sessions.begin(Some(person.clone()), at(3), &mut random).unwrap();
        }
        assert_eq!(sessions.all().len(), MOST);
        assert!(sessions.find(&signed_in, at(4)).is_none());
    }

    #[test]
    fn of_two_cookies_neither_is_believed() {
        assert_eq!(id_of("vmfa_console=a"), Some("a"));
        assert_eq!(id_of("x=1; vmfa_console=a==; y"), Some("a=="));
        for none in ["", "x=1", "vmfa_console", "vmfa_console=a; vmfa_console=b", "xvmfa_console=a"] {
            assert_eq!(id_of(none), None, "{none}");
        }
    }
}
