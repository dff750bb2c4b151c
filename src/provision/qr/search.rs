//! The attempts on a picture, on all cores, until enough was found. What is found doesn't depend on how many there are.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use super::attempts::{AT_FULL_SIZE, Attempt, STAGES};
use super::find::Find;
use super::pictures::{Picture, Pictures};
use crate::provision::Error;

/// The name of the threads that decode.
pub const WORKER: &str = "vmfa-qr";

/// The stack of a worker, in bytes: the standard library's default.
pub(super) const STACK: usize = 2 << 20;

/// Pixels to look at for further codes, once one that enrols was found: the first three stages on
/// a screenshot of 1080p, the first two on one of 4K.
const FURTHER: usize = 64 << 20;

/// More threads than that aren't worth their memory.
const THREADS: usize = 4;

/// What the views of all threads may take, in bytes, and how many of a picture's size one of them makes at most: with white
/// around codes, an inverted one, a black and white one, and what hangs together.
const VIEWS: usize = 128 << 20;
const AT_ONCE: usize = 7;

/// So small pictures are done before a thread is started.
const SMALL: usize = 1 << 18;

/// Makes the attempts on all pictures, stage by stage, and sends what each finds.
pub(super) fn climb(
    pictures: Pictures,
    all: bool,
    expired: &(dyn Fn() -> bool + Sync),
    sender: &Sender<Result<Vec<Find>, Error>>,
) {
    climb_on(thread::available_parallelism().map_or(1, usize::from), pictures, all, expired, sender);
}

/// The same on so many cores.
pub(super) fn climb_on(
    cores: usize,
    pictures: Pictures,
    all: bool,
    expired: &(dyn Fn() -> bool + Sync),
    sender: &Sender<Result<Vec<Find>, Error>>,
) {
    let Pictures { full_size, mut usual } = pictures;
    usual.retain(|picture| !picture.is_plain());
    let mut search = Search { expired, sender, all, seen: Vec::new(), alone: false, spent: 0, cores };
    if let Some(picture) = full_size {
        let attempts = AT_FULL_SIZE.iter().map(|attempt| (attempt, &picture));
        if search.over(attempts, usize::MAX).is_break() || search.alone {
            return;
        }
        // Seen enough of: the rest is done at half the size, and its memory is needed.
    }
    for stage in STAGES {
        let most = search.most();
        // The next stage takes more than the ones before it together: where most is used up, it would be cut off soon.
        if search.alone || search.spent.saturating_mul(5) > most.saturating_mul(3) {
            return;
        }
        let attempts = stage.iter().flat_map(|attempt| usual.iter().map(move |picture| (attempt, picture)));
        if search.over(attempts, most).is_break() {
            return;
        }
    }
}

/// What was found so far, and what it took.
struct Search<'a> {
    expired: &'a (dyn Fn() -> bool + Sync),
    sender: &'a Sender<Result<Vec<Find>, Error>>,
    /// Whether every attempt is made as long as there is time.
    all: bool,
    seen: Vec<Seen>,
    /// A code fills the image.
    alone: bool,
    /// In pixels that readers were shown.
    spent: usize,
    cores: usize,
}

/// A code that was found.
#[derive(PartialEq, Eq)]
enum Seen {
    Enrolment,
    Other,
    Part { index: u8, count: u8, parity: u8 },
}

/// The attempts of a stage, which several threads take from.
struct Round<'s, 'a> {
    search: &'s mut Search<'a>,
    most: usize,
    /// How many were taken.
    taken: usize,
    /// What those found that were made, and the pixels they were shown.
    made: Vec<Option<(Vec<Find>, usize)>>,
    /// How many of them, from the first on, are in the search's account.
    counted: usize,
    /// The pixels of all that were made, in the account or not.
    shown: usize,
    /// No more attempts are made: time is up, or enough was done, or nobody wants to know.
    late: bool,
    over: bool,
}

impl Search<'_> {
    /// Makes attempts; breaks off when there is no more to do.
    fn over<'p>(
        &mut self,
        attempts: impl Iterator<Item = (&'static Attempt, &'p Picture)>,
        most: usize,
    ) -> ControlFlow<()> {
        let attempts: Vec<_> = attempts.collect();
        let (expired, threads) = (self.expired, self.threads(&attempts));
        let shown = self.spent;
        let made = attempts.iter().map(|_| None).collect();
        let round = Round { search: self, most, taken: 0, made, counted: 0, shown, late: false, over: false };
        let round = Mutex::new(round);
        let work = || {
            loop {
                // The lock is given back before the attempt.
                let taken = locked(&round).take(&attempts);
                let Some((at, (attempt, picture))) = taken else { break };
                let made = catch_unwind(AssertUnwindSafe(|| attempt.make(picture, expired)));
                locked(&round).enter(at, made.unwrap_or_else(|_| (Vec::new(), FURTHER)));
            }
        };
        thread::scope(|scope| {
            for _ in 1..threads {
                // Where a thread can't be started, the others do its share.
                let _ = thread::Builder::new().name(WORKER.to_owned()).stack_size(STACK).spawn_scoped(scope, work);
            }
            work();
        });
        let round = round.into_inner().unwrap_or_else(PoisonError::into_inner);
        if round.late && !round.over {
            let _ = self.sender.send(Err(Error::QrTimeUp));
            return ControlFlow::Break(());
        }
        if round.over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// How many threads make attempts at once.
    fn threads(&self, attempts: &[(&Attempt, &Picture)]) -> usize {
        let largest = attempts.iter().map(|(_, picture)| picture.luma.pixels().len()).max().unwrap_or(0);
        if largest < SMALL {
            return 1;
        }
        let room = VIEWS.checked_div(largest.saturating_mul(AT_ONCE)).unwrap_or(1);
        self.cores.min(THREADS).min(attempts.len()).min(room).max(1)
    }

    /// Sends what an attempt found; breaks off if nobody takes it.
    fn found(&mut self, finds: Vec<Find>) -> ControlFlow<()> {
        for find in &finds {
            let seen = Seen::of(find);
            if !self.seen.contains(&seen) {
                self.seen.push(seen);
            }
            self.alone |= !self.all && find.place.fills_the_image();
        }
        if !finds.is_empty() && self.sender.send(Ok(finds)).is_err() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// How much may be spent before the search is over.
    fn most(&self) -> usize {
        if self.seen.is_empty() || self.all {
            usize::MAX
        } else if self.seen.contains(&Seen::Enrolment) || self.has_all_parts() {
            FURTHER
        } else {
            FURTHER.saturating_mul(2)
        }
    }

    fn has_all_parts(&self) -> bool {
        self.seen.iter().any(|seen| match *seen {
            Seen::Part { count, parity, .. } => {
                (0..count).all(|index| self.seen.contains(&Seen::Part { index, count, parity }))
            }
            Seen::Enrolment | Seen::Other => false,
        })
    }
}

impl Round<'_, '_> {
    /// The next attempt, if another one is to be made.
    fn take<'t, T>(&mut self, attempts: &'t [T]) -> Option<(usize, &'t T)> {
        let next = attempts.get(self.taken)?;
        // Those before it have used up what there is.
        if self.over || self.late || self.shown >= self.most {
            self.over |= !self.late && self.shown >= self.most;
            return None;
        }
        if (self.search.expired)() {
            self.late = true;
            return None;
        }
        let at = self.taken;
        self.taken = at.saturating_add(1);
        Some((at, next))
    }

    /// Takes down what an attempt found. All are counted in their order, whichever was made first, so that the same are
    /// counted each time.
    fn enter(&mut self, at: usize, made: (Vec<Find>, usize)) {
        self.shown = self.shown.saturating_add(made.1);
        if let Some(place) = self.made.get_mut(at) {
            *place = Some(made);
        }
        while let Some((finds, pixels)) = self.made.get_mut(self.counted).and_then(Option::take) {
            self.counted = self.counted.saturating_add(1);
            if self.search.spent >= self.most {
                self.over = true;
                return;
            }
            self.search.spent = self.search.spent.saturating_add(pixels);
            self.over |= self.search.found(finds).is_break();
        }
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seen {
    fn of(find: &Find) -> Self {
        match &find.part {
            Some(part) => Self::Part { index: part.index, count: part.count, parity: part.parity },
            None if starts_as_otpauth(&find.text) => Self::Enrolment,
            None => Self::Other,
        }
    }
}

fn starts_as_otpauth(text: &str) -> bool {
    text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("otpauth"))
}
