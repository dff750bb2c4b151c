//! SHA-1 (FIPS 180-4, section 6.1.2), each operation on all lanes.

/// Rounds that share a function and a constant, of one or more hashes in turn; each has its words by a macro. The five variables change
/// places instead of their values; twenty rounds bring them back.
macro_rules! rounds {
    ($f:ident $k:literal; $([$a:ident $b:ident $c:ident $d:ident $e:ident $word:ident $w:tt])+;) => {};
    ($f:ident $k:literal; $([$a:ident $b:ident $c:ident $d:ident $e:ident $word:ident $w:tt])+; $t:tt $($rest:tt)*) => {
        $(
            $e = add(add(add($e, $word!($w $t $k)), $f($b, $c, $d)), rol::<5, 27>($a));
            $b = rol::<30, 2>($b);
        )+
        rounds!($f $k; $([$e $a $b $c $d $word $w])+; $($rest)*);
    };
}

/// A word of the block, and the round's constant.
macro_rules! given {
    ($w:ident $t:tt $k:literal) => {
        add($w[$t], splat(K[$k]))
    };
}

/// A word that follows from four before it, and the round's constant.
macro_rules! scheduled {
    ($w:ident $t:tt $k:literal) => {{
        $w[$t] = before!(follow $w $t);
        add($w[$t], splat(K[$k]))
    }};
}

/// A word of a key's block, of which `$pad` has what all keys are xored with, and the round's constant. The words that follow from an exclusive or
/// are the exclusive or of those that follow from either; so the two blocks of a key have the same `$w`.
macro_rules! padded {
    (($w:ident $pad:ident) $t:tt $k:literal) => {
        add(xor($w[$t], splat($pad[$t])), splat(K[$k]))
    };
}

/// The same where it follows from four before it.
macro_rules! padded_scheduled {
    (($w:ident $pad:ident) $t:tt $k:literal) => {{
        $w[$t] = before!(follow $w $t);
        padded_again!(($w $pad) $t $k)
    }};
}

/// The same where it has followed already, for the key's other block.
macro_rules! padded_again {
    (($w:ident $pad:ident) $t:tt $k:literal) => {{
        $pad[$t] = before!(follow_scalar $pad $t);
        padded!(($w $pad) $t $k)
    }};
}

/// What follows from the words 3, 8, 14 and 16 before a place; sixteen are kept.
macro_rules! before {
    ($follow:ident $w:ident  0) => {
        $follow($w[13], $w[8], $w[2], $w[0])
    };
    ($follow:ident $w:ident  1) => {
        $follow($w[14], $w[9], $w[3], $w[1])
    };
    ($follow:ident $w:ident  2) => {
        $follow($w[15], $w[10], $w[4], $w[2])
    };
    ($follow:ident $w:ident  3) => {
        $follow($w[0], $w[11], $w[5], $w[3])
    };
    ($follow:ident $w:ident  4) => {
        $follow($w[1], $w[12], $w[6], $w[4])
    };
    ($follow:ident $w:ident  5) => {
        $follow($w[2], $w[13], $w[7], $w[5])
    };
    ($follow:ident $w:ident  6) => {
        $follow($w[3], $w[14], $w[8], $w[6])
    };
    ($follow:ident $w:ident  7) => {
        $follow($w[4], $w[15], $w[9], $w[7])
    };
    ($follow:ident $w:ident  8) => {
        $follow($w[5], $w[0], $w[10], $w[8])
    };
    ($follow:ident $w:ident  9) => {
        $follow($w[6], $w[1], $w[11], $w[9])
    };
    ($follow:ident $w:ident 10) => {
        $follow($w[7], $w[2], $w[12], $w[10])
    };
    ($follow:ident $w:ident 11) => {
        $follow($w[8], $w[3], $w[13], $w[11])
    };
    ($follow:ident $w:ident 12) => {
        $follow($w[9], $w[4], $w[14], $w[12])
    };
    ($follow:ident $w:ident 13) => {
        $follow($w[10], $w[5], $w[15], $w[13])
    };
    ($follow:ident $w:ident 14) => {
        $follow($w[11], $w[6], $w[0], $w[14])
    };
    ($follow:ident $w:ident 15) => {
        $follow($w[12], $w[7], $w[1], $w[15])
    };
}

/// A word that is the same in all lanes, its constant included.
macro_rules! same {
    ($w:ident $t:tt $k:literal) => {
        splat($w[$t])
    };
}

/// A word that differs by lanes in some bits, unless it is one that doesn't, and the round's constant: of shared words it is in `$w`.
macro_rules! offset {
    (($w:ident $offsets:ident) $t:tt $k:literal) => {
        if const { SHARED[$t] } { splat($w[$t]) } else { add(xor(splat($w[$t]), load(&$offsets[$t])), splat(K[$k])) }
    };
}

/// Two chaining values after another block each, of whose words none follows from others. The two don't wait for each other.
macro_rules! compressed_both {
    ($x:expr, $y:expr, $word:ident $v:tt $u:tt) => {{
        let [mut a, mut b, mut c, mut d, mut e] = $x;
        let [mut f, mut g, mut h, mut i, mut j] = $y;
        rounds!(choose 0; [a b c d e $word $v] [f g h i j $word $u];
            0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19);
        rounds!(parity 1; [a b c d e $word $v] [f g h i j $word $u];
            20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39);
        rounds!(majority 2; [a b c d e $word $v] [f g h i j $word $u];
            40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59);
        rounds!(parity 3; [a b c d e $word $v] [f g h i j $word $u];
            60 61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76 77 78 79);
        [sum($x, [a, b, c, d, e]), sum($y, [f, g, h, i, j])]
    }};
}

/// A kernel of the operations `load`, `store`, `splat`, `add`, `xor`, `rol`, `choose`, `majority`, `parity`, `spread` and `funnel`
/// beside it, which are functions of the same `$features`. It has twice as many lanes as a vector.
macro_rules! kernel {
    ($features:literal, $vector:ty, $width:literal) => {
        pub(super) const LANES: usize = 2 * $width;

        static OFFSETS: Offsets<$width, { ROOM / LANES }> = offsets();

        /// The truncated numbers of the wanted lanes of the work, and of those that fill a group with them.
        ///
        /// Precondition: the processor has the features that it is compiled with.
        #[target_feature(enable = $features)]
        pub(super) fn run(work: &Work<'_>, wanted: Range<usize>, numbers: &mut [u32; ROOM]) {
            let before = wanted.start / LANES;
            let groups = numbers.as_chunks_mut().0.as_chunks_mut().0;
            let groups = groups.iter_mut().zip(0..).take(wanted.end.div_ceil(LANES)).skip(before);
            match work {
                Work::Counters(pads, counter) => {
                    let (inner, outer) = (splat_all(&pads.inner), splat_all(&pads.outer));
                    let schedule = schedule(*counter, &SHARED_CONSTANTS);
                    for ((numbers, _), offsets) in groups.zip(OFFSETS.iter().skip(before)) {
                        finish(numbers, [outer, outer], of_offsets(inner, &schedule, offsets));
                    }
                }
                Work::Pads(pads, counter) => {
                    let schedule = schedule(*counter, &CONSTANTS);
                    for (numbers, group) in groups {
                        let (inner, outer) = (columns(&pads.inner, group), columns(&pads.outer, group));
                        finish(numbers, outer, of_schedule(inner, &schedule));
                    }
                }
                Work::Keys(keys, counter) => {
                    let schedule = schedule(*counter, &CONSTANTS);
                    for (numbers, group) in groups {
                        let [x, y] = columns(&keys.rows, group);
                        let ([x_inner, x_outer], [y_inner, y_outer]) = (of_key(x), of_key(y));
                        let inner = of_schedule([x_inner, y_inner], &schedule);
                        finish(numbers, [x_outer, y_outer], inner);
                    }
                }
            }
        }

        /// The inner hashes of counters that differ in the lowest bits, after the key's block.
        #[inline(never)]
        #[target_feature(enable = $features)]
        fn of_offsets(
            inner: [$vector; 5],
            w: &[u32; 80],
            [v, u]: &[[[u32; $width]; 80]; 2],
        ) -> [[$vector; 5]; 2] {
            compressed_both!(inner, inner, offset (w v) (w u))
        }

        /// The inner hashes of one counter, after the keys' blocks.
        #[inline(never)]
        #[target_feature(enable = $features)]
        fn of_schedule([x, y]: [[$vector; 5]; 2], w: &[u32; 80]) -> [[$vector; 5]; 2] {
            compressed_both!(x, y, same w w)
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn finish(numbers: &mut [[u32; $width]; 2], outer: [[$vector; 5]; 2], inner: [[$vector; 5]; 2]) {
            let ([x, y], [first, second]) = (outer, inner);
            let [lower, upper] = numbers;
            store(lower, truncated(x, first));
            store(upper, truncated(y, second));
        }

        /// The chaining values after the two blocks of a key.
        #[inline(never)]
        #[target_feature(enable = $features)]
        fn of_key(mut w: [$vector; 16]) -> [[$vector; 5]; 2] {
            let initial = splat_all(&<[u32; 5]>::INITIAL);
            let (mut inner, mut outer) = ([0x3636_3636; 16], [0x5c5c_5c5c; 16]);
            let [mut a, mut b, mut c, mut d, mut e] = initial;
            let [mut f, mut g, mut h, mut i, mut j] = initial;
            rounds!(choose 0; [a b c d e padded (w inner)] [f g h i j padded (w outer)];
                0 1 2 3 4 5 6 7 8 9 10 11 12 13 14);
            rounds!(choose 0; [a b c d e padded (w inner)] [f g h i j padded (w outer)]; 15);
            rounds!(choose 0; [e a b c d padded_scheduled (w inner)] [j f g h i padded_again (w outer)]; 0 1 2 3);
            rounds!(parity 1; [a b c d e padded_scheduled (w inner)] [f g h i j padded_again (w outer)];
                4 5 6 7 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7);
            rounds!(majority 2; [a b c d e padded_scheduled (w inner)] [f g h i j padded_again (w outer)];
                8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 8 9 10 11);
            rounds!(parity 3; [a b c d e padded_scheduled (w inner)] [f g h i j padded_again (w outer)];
                12 13 14 15 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
            [sum(initial, [a, b, c, d, e]), sum(initial, [f, g, h, i, j])]
        }

        /// The outer hash, truncated (RFC 4226, section 5.3).
        #[inline(never)]
        #[target_feature(enable = $features)]
        fn truncated(outer: [$vector; 5], inner: [$vector; 5]) -> $vector {
            let zero = splat(0);
            let [a, b, c, d, e] = inner;
            let mut w = [
                a, b, c, d, e, splat(END), zero, zero, zero, zero, zero, zero, zero, zero, zero, splat(OUTER_BITS),
            ];
            let [mut a, mut b, mut c, mut d, mut e] = outer;
            rounds!(choose 0; [a b c d e given w]; 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14);
            rounds!(choose 0; [a b c d e given w]; 15);
            rounds!(choose 0; [e a b c d scheduled w]; 0 1 2 3);
            rounds!(parity 1; [a b c d e scheduled w]; 4 5 6 7 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7);
            rounds!(majority 2; [a b c d e scheduled w]; 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 8 9 10 11);
            rounds!(parity 3; [a b c d e scheduled w]; 12 13 14 15 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
            let [a, b, c, d, e] = sum(outer, [a, b, c, d, e]);
            // As `truncate_words` does it.
            let two = spread::<28>(e);
            let one = spread::<29>(e);
            let (a, b, c) = (choose(two, c, a), choose(two, d, b), choose(two, e, c));
            let (a, b) = (choose(one, b, a), choose(one, c, b));
            funnel(a, b, e)
        }

        /// A word of the schedule.
        #[inline]
        #[target_feature(enable = $features)]
        fn follow(w3: $vector, w8: $vector, w14: $vector, w16: $vector) -> $vector {
            rol::<1, 31>(xor(parity(w8, w14, w16), w3))
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn sum(x: [$vector; 5], y: [$vector; 5]) -> [$vector; 5] {
            [add(x[0], y[0]), add(x[1], y[1]), add(x[2], y[2]), add(x[3], y[3]), add(x[4], y[4])]
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn splat_all(x: &[u32; 5]) -> [$vector; 5] {
            [splat(x[0]), splat(x[1]), splat(x[2]), splat(x[3]), splat(x[4])]
        }

        /// The words of a group of columns.
        #[inline]
        #[target_feature(enable = $features)]
        fn columns<const ROWS: usize>(rows: &[[u32; ROOM]; ROWS], group: usize) -> [[$vector; ROWS]; 2] {
            let (mut lower, mut upper) = ([splat(0); ROWS], [splat(0); ROWS]);
            for ((lower, upper), row) in lower.iter_mut().zip(&mut upper).zip(rows) {
                if let Some([x, y]) = row.as_chunks().0.as_chunks().0.get(group) {
                    (*lower, *upper) = (load(x), load(y));
                }
            }
            [lower, upper]
        }
    };
}
