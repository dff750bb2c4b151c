//! The same work for many things, by several threads.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_of_the_things() {
        for count in [0, 1, 7, 8, 9, 100, 1001] {
            let things: Vec<usize> = (0..count).collect();
            assert_eq!(map(&things, 3, |thing| thing * 2), things.iter().map(|thing| thing * 2).collect::<Vec<_>>());
        }
    }
}
