//! The same work for many things, by several threads.

#[cfg(feature = "age")]
use std::sync::mpsc;
use std::thread;

/// So few things aren't worth a thread.
const LEAST: usize = 8;

/// What `work` gives for each thing, in their order, on at most `most` threads and no more than the machine has cores.
/// Where a thread can't be started, its share is done here.
pub(crate) fn map<T: Sync, R: Send>(things: &[T], most: usize, work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(most).max(1);
    let share = things.len().div_ceil(threads).max(LEAST);
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
}
