//! Four hashes in turn by the SHA extensions: each instruction has to wait for the one before it of the same hash, not of the others.

use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_extract_epi32, _mm_or_si128, _mm_set_epi32, _mm_set1_epi32, _mm_setzero_si128,
    _mm_sha1msg1_epu32, _mm_sha1msg2_epu32, _mm_sha1nexte_epu32, _mm_sha1rnds4_epu32, _mm_xor_si128,
};

use std::ops::Range;

use super::schedule::{END, INNER_BITS, OUTER_BITS, schedule};
use super::work::{KeyColumns, LOWEST, ROOM, Work};
use crate::oath::chaining::{Chaining, halves};
use crate::oath::truncation::truncate_words;

pub(super) const LANES: usize = 4;

/// Four words of each hash, the first one highest.
type Words = [__m128i; LANES];

/// Chaining values: a to d, and e as the first of four words whose others are zeros.
#[derive(Clone, Copy)]
struct States {
    abcd: Words,
    e: Words,
}

/// The truncated numbers of the wanted lanes of the work, and of those that fill a group with them.
///
/// Precondition: the processor has the features that it is compiled with.
#[target_feature(enable = "sha,ssse3,sse4.1")]
pub(super) fn run(work: &Work<'_>, wanted: Range<usize>, numbers: &mut [u32; ROOM]) {
    let until = numbers.as_chunks_mut().0.iter_mut().zip(0..).take(wanted.end.div_ceil(LANES));
    let groups = until.skip(wanted.start / LANES);
    match work {
        Work::Counters(pads, first) => {
            let (inner, outer) = (alike(&pads.inner), alike(&pads.outer));
            for ((numbers, _), lanes) in groups.zip((0..=LOWEST).step_by(LANES).skip(wanted.start / LANES)) {
                let message = |lane| counter(first | lanes | lane);
                let (zero, length) = (all(_mm_setzero_si128()), all(four([0, 0, 0, INNER_BITS])));
                let messages = [message(0), message(1), message(2), message(3)];
                *numbers = finish(outer, compressed(inner, [messages, zero, zero, length]));
            }
        }
        Work::Pads(pads, counter) => {
            let schedule = schedule_of(*counter);
            for (numbers, group) in groups {
                let (inner, outer) = (columns(&pads.inner, group), columns(&pads.outer, group));
                *numbers = finish(outer, of_schedule(inner, &schedule));
            }
        }
        Work::Keys(keys, counter) => {
            let (initial, schedule) = (alike(&<[u32; 5]>::INITIAL), schedule_of(*counter));
            for (numbers, group) in groups {
                let inner = compressed(initial, key(keys, group, 0x3636_3636));
                let outer = compressed(initial, key(keys, group, 0x5c5c_5c5c));
                *numbers = finish(outer, of_schedule(inner, &schedule));
            }
        }
    }
}

/// The chaining values after another block.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn compressed(states: States, [w0, w1, w2, w3]: [Words; 4]) -> States {
    let (x, y) = begin(states, w0);
    let (x, y) = step::<0>(x, y, w1);
    let (x, y) = step::<0>(x, y, w2);
    let (x, y) = step::<0>(x, y, w3);
    let w0 = next(w0, w1, w2, w3);
    let (x, y) = step::<0>(x, y, w0);
    let w1 = next(w1, w2, w3, w0);
    let (x, y) = step::<1>(x, y, w1);
    let w2 = next(w2, w3, w0, w1);
    let (x, y) = step::<1>(x, y, w2);
    let w3 = next(w3, w0, w1, w2);
    let (x, y) = step::<1>(x, y, w3);
    let w0 = next(w0, w1, w2, w3);
    let (x, y) = step::<1>(x, y, w0);
    let w1 = next(w1, w2, w3, w0);
    let (x, y) = step::<1>(x, y, w1);
    let w2 = next(w2, w3, w0, w1);
    let (x, y) = step::<2>(x, y, w2);
    let w3 = next(w3, w0, w1, w2);
    let (x, y) = step::<2>(x, y, w3);
    let w0 = next(w0, w1, w2, w3);
    let (x, y) = step::<2>(x, y, w0);
    let w1 = next(w1, w2, w3, w0);
    let (x, y) = step::<2>(x, y, w1);
    let w2 = next(w2, w3, w0, w1);
    let (x, y) = step::<2>(x, y, w2);
    let w3 = next(w3, w0, w1, w2);
    let (x, y) = step::<3>(x, y, w3);
    let w0 = next(w0, w1, w2, w3);
    let (x, y) = step::<3>(x, y, w0);
    let w1 = next(w1, w2, w3, w0);
    let (x, y) = step::<3>(x, y, w1);
    let w2 = next(w2, w3, w0, w1);
    let (x, y) = step::<3>(x, y, w2);
    let w3 = next(w3, w0, w1, w2);
    let (x, y) = step::<3>(x, y, w3);
    sum(states, x, y)
}

/// The inner hash of one counter, whose words are given.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn of_schedule(states: States, [first, rest @ ..]: &[__m128i; 20]) -> States {
    let (mut x, mut y) = begin(states, all(*first));
    let (zeros, rest) = rest.split_at(4);
    for w in zeros {
        (x, y) = step::<0>(x, y, all(*w));
    }
    let (ones, rest) = rest.split_at(5);
    for w in ones {
        (x, y) = step::<1>(x, y, all(*w));
    }
    let (twos, threes) = rest.split_at(5);
    for w in twos {
        (x, y) = step::<2>(x, y, all(*w));
    }
    for w in threes {
        (x, y) = step::<3>(x, y, all(*w));
    }
    sum(states, x, y)
}

/// The outer hashes, truncated (RFC 4226, section 5.3).
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn finish(outer: States, inner: States) -> [u32; LANES] {
    let (zero, length) = (all(_mm_setzero_si128()), all(four([0, 0, 0, OUTER_BITS])));
    // What e is followed by in its vector are zeros.
    let end = four([0, END, 0, 0]);
    let States { abcd, e: [e0, e1, e2, e3] } = inner;
    let rest = [_mm_or_si128(e0, end), _mm_or_si128(e1, end), _mm_or_si128(e2, end), _mm_or_si128(e3, end)];
    let States { abcd: [a0, a1, a2, a3], e: [e0, e1, e2, e3] } = compressed(outer, [abcd, rest, zero, length]);
    [truncated(a0, e0), truncated(a1, e1), truncated(a2, e2), truncated(a3, e3)]
}

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn truncated(abcd: __m128i, e: __m128i) -> u32 {
    let a = _mm_extract_epi32::<3>(abcd).cast_unsigned();
    let b = _mm_extract_epi32::<2>(abcd).cast_unsigned();
    let c = _mm_extract_epi32::<1>(abcd).cast_unsigned();
    let d = _mm_extract_epi32::<0>(abcd).cast_unsigned();
    let e = _mm_extract_epi32::<3>(e).cast_unsigned();
    truncate_words([a, b, c, d, e], e)
}

/// The first four rounds: the newest a to d, and those before.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn begin(States { abcd, e }: States, w: Words) -> (Words, Words) {
    let x = [
        _mm_sha1rnds4_epu32::<0>(abcd[0], _mm_add_epi32(e[0], w[0])),
        _mm_sha1rnds4_epu32::<0>(abcd[1], _mm_add_epi32(e[1], w[1])),
        _mm_sha1rnds4_epu32::<0>(abcd[2], _mm_add_epi32(e[2], w[2])),
        _mm_sha1rnds4_epu32::<0>(abcd[3], _mm_add_epi32(e[3], w[3])),
    ];
    (x, abcd)
}

/// Four rounds further; e follows from the a of four rounds ago.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn step<const F: i32>(x: Words, y: Words, w: Words) -> (Words, Words) {
    let newest = [
        _mm_sha1rnds4_epu32::<F>(x[0], _mm_sha1nexte_epu32(y[0], w[0])),
        _mm_sha1rnds4_epu32::<F>(x[1], _mm_sha1nexte_epu32(y[1], w[1])),
        _mm_sha1rnds4_epu32::<F>(x[2], _mm_sha1nexte_epu32(y[2], w[2])),
        _mm_sha1rnds4_epu32::<F>(x[3], _mm_sha1nexte_epu32(y[3], w[3])),
    ];
    (newest, x)
}

/// Adds what the rounds began with.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn sum(States { abcd, e }: States, x: Words, y: Words) -> States {
    States {
        abcd: [
            _mm_add_epi32(abcd[0], x[0]),
            _mm_add_epi32(abcd[1], x[1]),
            _mm_add_epi32(abcd[2], x[2]),
            _mm_add_epi32(abcd[3], x[3]),
        ],
        e: [
            _mm_sha1nexte_epu32(y[0], e[0]),
            _mm_sha1nexte_epu32(y[1], e[1]),
            _mm_sha1nexte_epu32(y[2], e[2]),
            _mm_sha1nexte_epu32(y[3], e[3]),
        ],
    }
}

/// The four words that follow sixteen.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn next(w0: Words, w1: Words, w2: Words, w3: Words) -> Words {
    [
        _mm_sha1msg2_epu32(_mm_xor_si128(_mm_sha1msg1_epu32(w0[0], w1[0]), w2[0]), w3[0]),
        _mm_sha1msg2_epu32(_mm_xor_si128(_mm_sha1msg1_epu32(w0[1], w1[1]), w2[1]), w3[1]),
        _mm_sha1msg2_epu32(_mm_xor_si128(_mm_sha1msg1_epu32(w0[2], w1[2]), w2[2]), w3[2]),
        _mm_sha1msg2_epu32(_mm_xor_si128(_mm_sha1msg1_epu32(w0[3], w1[3]), w2[3]), w3[3]),
    ]
}

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn four([a, b, c, d]: [u32; 4]) -> __m128i {
    _mm_set_epi32(a.cast_signed(), b.cast_signed(), c.cast_signed(), d.cast_signed())
}

#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn all(words: __m128i) -> Words {
    [words; LANES]
}

/// One chaining value for all.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn alike([a, b, c, d, e]: &[u32; 5]) -> States {
    States { abcd: all(four([*a, *b, *c, *d])), e: all(four([*e, 0, 0, 0])) }
}

/// A counter and what follows it.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn counter(counter: u64) -> __m128i {
    let [high, low] = halves(counter);
    four([high, low, END, 0])
}

/// The words of the inner block of a counter; the instructions add the constants.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn schedule_of(counter: u64) -> [__m128i; 20] {
    let mut vectors = [_mm_setzero_si128(); 20];
    for (vector, words) in vectors.iter_mut().zip(schedule(counter, &[0; 80]).as_chunks().0) {
        *vector = four(*words);
    }
    vectors
}

/// The chaining values of a group of columns.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn columns([a, b, c, d, e]: &[[u32; ROOM]; 5], group: usize) -> States {
    let [a, b, c, d, e] = [at(a, group), at(b, group), at(c, group), at(d, group), at(e, group)];
    States { abcd: across(a, b, c, d), e: across(e, [0; LANES], [0; LANES], [0; LANES]) }
}

/// The keys of a group of columns as blocks.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn key(KeyColumns { rows, .. }: &KeyColumns, group: usize, pad: u32) -> [Words; 4] {
    let mut blocks = [all(_mm_setzero_si128()); 4];
    let pad = _mm_set1_epi32(pad.cast_signed());
    for (words, [a, b, c, d]) in blocks.iter_mut().zip(rows.as_chunks().0) {
        *words = across(at(a, group), at(b, group), at(c, group), at(d, group));
        for word in words {
            *word = _mm_xor_si128(*word, pad);
        }
    }
    blocks
}

/// The words of a group in one row.
fn at(row: &[u32; ROOM], group: usize) -> [u32; LANES] {
    row.as_chunks().0.get(group).copied().unwrap_or_default()
}

/// Rows to columns.
#[inline]
#[target_feature(enable = "sha,ssse3,sse4.1")]
fn across(a: [u32; LANES], b: [u32; LANES], c: [u32; LANES], d: [u32; LANES]) -> Words {
    [
        four([a[0], b[0], c[0], d[0]]),
        four([a[1], b[1], c[1], d[1]]),
        four([a[2], b[2], c[2], d[2]]),
        four([a[3], b[3], c[3], d[3]]),
    ]
}
