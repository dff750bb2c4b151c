//! The same work for many things, by several threads; and what several threads want at once, done together by one.

#[cfg(feature = "age")]
use std::sync::mpsc;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// So few things aren't worth a thread.
const LEAST: usize = 8;

/// What `work` gives for each thing, in their order, on at most `most` threads and no more than the machine has cores.
/// Where a thread can't be started, its share is done here.
pub(crate) fn map<T: Sync, R: Send>(things: &[T], most: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(most).max(1);
    shared(things, things.len().div_ceil(threads).max(LEAST), work)
}

/// The same for work that waits for another machine, so that cores don't count.
#[cfg(feature = "dynamodb")]
pub(crate) fn at_once<T: Sync, R: Send>(things: &[T], most: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    shared(things, things.len().div_ceil(most.max(1)).max(1), work)
}

/// By a thread for each share of so many things.
fn shared<T: Sync, R: Send>(things: &[T], share: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let all = |things: &[T]| things.iter().map(&work).collect::<Vec<R>>();
    let (own, others) = things.split_at(things.len().min(share));
    thread::scope(|scope| {
        let all = &all;
        let start = |share| thread::Builder::new().spawn_scoped(scope, move || all(share));
        let started: Vec<_> = others.chunks(share).map(|share| (share, start(share))).collect();
        let mut done = all(own);
        for (share, thread) in started {
            let joined = thread.ok().and_then(|thread| thread.join().ok());
            done.extend(joined.unwrap_or_else(|| all(share)));
        }
        done
    })
}

/// Has `take` the results of `work` for all things, in their order: the next one is worked on while it has one. Where a
/// thread can't be started, all is done here.
#[cfg(feature = "age")]
pub(crate) fn ahead<Things, R: Send, T>(
    things: Things,
    work: impl Fn(Things::Item) -> R + Sync,
    take: impl FnOnce(&mut dyn Iterator<Item = R>) -> T,
) -> T
where
    Things: Iterator + Clone + Send,
{
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(1);
        let (work, own) = (&work, things.clone());
        let started = thread::Builder::new().spawn_scoped(scope, move || {
            // If nobody wants them any more, the others aren't worked on.
            let _: Result<(), _> = things.map(work).try_for_each(|result| sender.send(result));
        });
        match started {
            Ok(_) => take(&mut receiver.into_iter()),
            Err(_) => take(&mut own.map(work)),
        }
    })
}

/// A line of threads that want the same sort of thing. The first one does it for all that stand in the line, while the next line
/// forms: so a flush, or a round trip, is one for many.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
#[derive(Debug)]
pub(crate) struct Together<T, R> {
    line: Mutex<Line<T, R>>,
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
#[derive(Debug)]
struct Line<T, R> {
    waiting: Vec<Arc<Place<T, R>>>,
    /// Whether somebody works; then the first of the line is told when it is its turn.
    busy: bool,
}

/// A thread's place in the line.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
#[derive(Debug)]
struct Place<T, R> {
    stage: Mutex<Stage<T, R>>,
    changed: Condvar,
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
#[derive(Debug)]
enum Stage<T, R> {
    Waits(T),
    /// It is to work for itself and those behind it.
    Leads(T),
    /// Somebody works for it.
    IsServed,
    /// None where that failed.
    Served(Option<R>),
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
impl<T, R> Default for Together<T, R> {
    fn default() -> Self {
        Self { line: Mutex::new(Line { waiting: Vec::new(), busy: false }) }
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
impl<T, R> Place<T, R> {
    fn stage(&self) -> MutexGuard<'_, Stage<T, R>> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it wants; from now on it is served.
    fn taken(&self) -> Option<T> {
        let mut stage = self.stage();
        match std::mem::replace(&mut *stage, Stage::IsServed) {
            Stage::Waits(thing) | Stage::Leads(thing) => Some(thing),
            other => {
                *stage = other;
                None
            }
        }
    }

    fn serve(&self, result: Option<R>) {
        let mut stage = self.stage();
        if matches!(*stage, Stage::IsServed) {
            *stage = Stage::Served(result);
            self.changed.notify_one();
        }
    }

    fn lead(&self) {
        let mut stage = self.stage();
        if let Stage::Waits(_) = *stage
            && let Stage::Waits(thing) = std::mem::replace(&mut *stage, Stage::IsServed)
        {
            *stage = Stage::Leads(thing);
            self.changed.notify_one();
        }
    }

    /// Waits until it was served, or is to lead.
    fn wait(&self) -> Option<Option<R>> {
        let waits = |stage: &mut Stage<T, R>| matches!(stage, Stage::Waits(_) | Stage::IsServed);
        let mut stage = self.changed.wait_while(self.stage(), waits).unwrap_or_else(PoisonError::into_inner);
        match &mut *stage {
            Stage::Served(result) => Some(result.take()),
            _ => None,
        }
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
impl<T, R> Together<T, R> {
    fn line(&self) -> MutexGuard<'_, Line<T, R>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `work` gives for this thing, which does it for at most `most` at once, in order. None where it panicked, in this thread or
    /// another.
    pub(crate) fn join(&self, thing: T, most: usize, work: impl FnOnce(Vec<T>) -> Vec<R>) -> Option<R> {
        let own = Arc::new(Place { stage: Mutex::new(Stage::Waits(thing)), changed: Condvar::new() });
        let first = {
            let mut line = self.line();
            line.waiting.push(Arc::clone(&own));
            !std::mem::replace(&mut line.busy, true)
        };
        if !first && let Some(served) = own.wait() {
            return served;
        }
        let round: Vec<_> = {
            let mut line = self.line();
            let count = line.waiting.len().min(most.max(1));
            line.waiting.drain(..count).collect()
        };
        let round = Round { together: self, places: round };
        let things = round.places.iter().filter_map(|place| place.taken()).collect();
        for (place, result) in round.places.iter().zip(work(things)) {
            place.serve(Some(result));
        }
        drop(round);
        own.wait().flatten()
    }
}

/// Those that are served together. However that ends, nobody is left waiting.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
struct Round<'a, T, R> {
    together: &'a Together<T, R>,
    places: Vec<Arc<Place<T, R>>>,
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
impl<T, R> Drop for Round<'_, T, R> {
    fn drop(&mut self) {
        for place in &self.places {
            place.serve(None);
        }
        let mut line = self.together.line();
        match line.waiting.first() {
            Some(next) => next.lead(),
            None => line.busy = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "age")]
    #[test]
    fn what_is_worked_on_ahead_comes_in_order_and_may_be_left() {
        for count in [0, 1, 2, 100] {
            let things = 0..count;
            let doubled: Vec<usize> = ahead(things.clone(), |thing| thing * 2, |results| results.collect());
            assert_eq!(doubled, things.map(|thing| thing * 2).collect::<Vec<_>>());
        }
        assert_eq!(ahead(0..1_000_000, |thing| thing, |results| results.nth(2)), Some(2));
    }

    #[test]
    fn results_keep_the_order_of_the_things() {
        for count in [0, 1, 7, 8, 9, 100, 1001] {
            let things: Vec<usize> = (0..count).collect();
            assert_eq!(map(&things, 3, |thing| thing * 2), things.iter().map(|thing| thing * 2).collect::<Vec<_>>());
        }
    }

    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
    #[test]
    fn each_thread_gets_its_own_result_and_many_are_served_at_once() {
        let together: Together<usize, usize> = Together::default();
        let rounds = Mutex::new(Vec::new());
        let work = |things: Vec<usize>| {
            rounds.lock().unwrap().push(things.len());
            thread::yield_now();
            things.into_iter().map(|thing| thing * 2).collect()
        };
        thread::scope(|scope| {
            for number in 0..8 {
                let (together, work) = (&together, &work);
                scope.spawn(move || {
                    for round in 0..500 {
                        let thing = number * 1_000 + round;
                        assert_eq!(together.join(thing, 5, work), Some(thing * 2));
                    }
                });
            }
        });
        let rounds = rounds.into_inner().unwrap();
        assert_eq!(rounds.iter().sum::<usize>(), 8 * 500);
        assert!(rounds.iter().all(|count| (1..=5).contains(count)));
    }

    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "dynamodb"))]
    #[test]
    fn who_panics_or_answers_too_little_leaves_nobody_waiting() {
        let together: Together<u8, u8> = Together::default();
        thread::scope(|scope| {
            for number in 0..100_u8 {
                let together = &together;
                scope.spawn(move || {
                    let joined = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                        together.join(number, 7, |things| {
                            assert!(!number.is_multiple_of(3), "on purpose");
                            things.into_iter().take(3).collect()
                        })
                    }));
                    assert!(joined.ok().flatten().is_none_or(|result| result == number));
                });
            }
        });
        assert_eq!(together.join(5, 7, |things| things), Some(5));
    }
}
