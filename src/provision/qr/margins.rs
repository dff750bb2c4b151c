//! Margins for codes that lack one: a quiet zone (ISO/IEC 18004, section 5.3.8) is what readers find a code by.
//!
//! On a dark page, in a black frame, or at the edge of a cut-out the outer modules run into what is around them.
//! Nothing here knows what a code looks like; it paints margins where a code would need one, and the reader decides.

#![expect(clippy::arithmetic_side_effects, reason = "coordinates within a picture whose size was checked")]

use std::iter;

use zeroize::Zeroizing;

use super::luma::Luma;

/// More runs of light pixels than any page has: noise, which would cost memory and show nothing.
const MOST_RUNS: usize = 1 << 20;

/// The shortest side of a code, in pixels: the 21 modules of version 1.
const SHORTEST: usize = 21;

/// The widest margin that is painted, in pixels.
const MARGIN: usize = 48;

impl Luma {
    /// The shade up to which a dark page has its darkest one: for a code whose modules are darker than the page
    /// by a little. `None` for pages that aren't dark, or have one dark shade only.
    pub(super) fn darkest_on_dark(&self) -> Option<u8> {
        const DARK: u8 = 64;
        let shades = self.histogram();
        let all: u64 = shades.iter().sum();
        let dark = || (0..DARK).zip(shades);
        let (darkest, _) = dark().find(|(_, count)| count * 2000 > all)?;
        let (page, count) = dark().filter(|(shade, _)| *shade > darkest).max_by_key(|(_, count)| *count)?;
        (count * 10 > all).then(|| darkest + (page - darkest - 1) / 2)
    }

    /// White around everything that may be a code: light that hangs together, about as wide as high, with dark in it.
    /// For codes that touch a page or frame as dark as their own modules.
    pub(super) fn white_around_codes(&self) -> Option<Self> {
        let binary = self.otsu();
        let (width, height) = (self.width(), self.height());
        let whole = |area: &Area| area.right - area.left == width && area.bottom - area.top == height;
        let likely: Vec<Area> =
            areas(&binary)?.into_iter().filter(|area| area.may_be_a_code() && !whole(area)).collect();
        // A page around a frame isn't the code.
        let within = |area: &&Area| !likely.iter().any(|inner| area.is_around(inner));
        let boxes: Vec<Area> = likely.iter().filter(within).copied().collect();
        if boxes.is_empty() {
            return None;
        }
        let mut pixels = Zeroizing::new(vec![u8::MAX; self.pixels().len()]);
        for Area { left, top, right, bottom, .. } in boxes {
            let rows = pixels.chunks_exact_mut(self.width()).zip(binary.rows()).take(bottom).skip(top);
            for (to, from) in rows {
                if let (Some(to), Some(from)) = (to.get_mut(left..right), from.get(left..right)) {
                    to.copy_from_slice(from);
                }
            }
        }
        Self::new(self.width(), self.height(), pixels)?.framed(MARGIN)
    }

    /// Where the picture's edge cuts through the outer modules of a code, they are made whole, and a margin is added.
    /// `None` where no edge does.
    pub(super) fn completed(&self) -> Option<Self> {
        let binary = self.otsu();
        let module = module(&binary)?;
        let missing = |lines: Vec<usize>| module.checked_sub(first_run(lines)).filter(|lacking| lacking * 8 >= module);
        let rows = |backwards: bool| binary.rows().map(|row| run(row.iter(), backwards)).collect();
        let columns = |backwards: bool| column_runs(&binary, backwards);
        let sides = [missing(rows(false)), missing(rows(true)), missing(columns(false)), missing(columns(true))];
        if sides.iter().all(Option::is_none) {
            return None;
        }
        let [left, right, above, below] = sides.map(Option::unwrap_or_default);
        binary.edges_repeated(left, right, above, below)?.framed((4 * module).min(MARGIN))
    }

    /// The outermost rows and columns repeated, this many times at each side.
    fn edges_repeated(&self, left: usize, right: usize, above: usize, below: usize) -> Option<Self> {
        let (width, height) = (self.width() + left + right, self.height() + above + below);
        let (first, last) = (self.rows().next()?, self.rows().last()?);
        let rows = iter::repeat_n(first, above).chain(self.rows()).chain(iter::repeat_n(last, below));
        let mut pixels = Zeroizing::new(Vec::with_capacity(width * height));
        for row in rows {
            pixels.extend(iter::repeat_n(row.first().copied()?, left));
            pixels.extend_from_slice(row);
            pixels.extend(iter::repeat_n(row.last().copied()?, right));
        }
        Self::new(width, height, pixels)
    }
}

/// The side of a module: the commonest run of one shade, since half of all runs in a code are one module long.
fn module(binary: &Luma) -> Option<usize> {
    const LONGEST: usize = 64;
    let mut lengths = [0_u32; LONGEST];
    for row in binary.rows().step_by(3) {
        for run in row.chunk_by(|a, b| a == b) {
            if let Some(count) = lengths.get_mut(run.len()) {
                *count += 1;
            }
        }
    }
    let (length, _) = lengths.iter().enumerate().max_by_key(|(_, count)| **count)?;
    (length >= 2).then_some(length)
}

/// How many pixels of one shade a line begins (or ends) with.
fn run<'a>(line: impl DoubleEndedIterator<Item = &'a u8> + Clone, backwards: bool) -> usize {
    let count = |mut line: Box<dyn Iterator<Item = &'a u8> + '_>| match line.next() {
        Some(first) => 1 + line.take_while(|p| *p == first).count(),
        None => 0,
    };
    if backwards { count(Box::new(line.rev())) } else { count(Box::new(line)) }
}

/// The same for each column.
fn column_runs(binary: &Luma, backwards: bool) -> Vec<usize> {
    let rows: Vec<&[u8]> = if backwards { binary.rows().rev().collect() } else { binary.rows().collect() };
    let Some(first) = rows.first() else { return Vec::new() };
    let mut runs = vec![0; first.len()];
    let mut open = vec![true; first.len()];
    for row in &rows {
        for ((p, first), (run, open)) in row.iter().zip(*first).zip(runs.iter_mut().zip(open.iter_mut())) {
            *open = *open && p == first;
            *run += usize::from(*open);
        }
    }
    runs
}

/// The run that a side begins with where a module was cut: the tenth shortest of a hundred, so that specks don't
/// count.
fn first_run(mut lines: Vec<usize>) -> usize {
    lines.sort_unstable();
    lines.get(lines.len() / 10).copied().unwrap_or(0)
}

/// Light pixels that hang together: the box around them, and how many they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Area {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
    pixels: usize,
}

impl Area {
    fn may_be_a_code(&self) -> bool {
        let (wide, high) = (self.right - self.left, self.bottom - self.top);
        let (short, long) = (wide.min(high), wide.max(high));
        let all = wide * high;
        short >= SHORTEST && short * 8 >= long * 7 && self.pixels * 5 >= all && self.pixels * 5 <= all * 4
    }

    /// Whether another lies within it that is no mere eye of a code: those have five modules of at least 21.
    fn is_around(&self, inner: &Self) -> bool {
        let within = self.left <= inner.left
            && self.top <= inner.top
            && self.right >= inner.right
            && self.bottom >= inner.bottom;
        within && self != inner && (inner.right - inner.left) * 10 > (self.right - self.left) * 3
    }

    fn and(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
            pixels: self.pixels + other.pixels,
        }
    }
}

/// All areas of light pixels, which touch at their sides or corners; `None` where there are too many to be a page.
fn areas(binary: &Luma) -> Option<Vec<Area>> {
    let mut forest = Forest::default();
    let mut above: Vec<(usize, usize, usize)> = Vec::new();
    for (y, row) in binary.rows().enumerate() {
        let mut runs = Vec::with_capacity(above.len());
        let mut start = 0;
        for run in row.chunk_by(|a, b| a == b) {
            let end = start + run.len();
            if run.first().is_some_and(|p| *p == u8::MAX) {
                let area = Area { left: start, top: y, right: end, bottom: y + 1, pixels: run.len() };
                runs.push((start, end, forest.plant(area)?));
            }
            start = end;
        }
        let mut older = above.iter().peekable();
        for (start, end, tree) in &runs {
            // Those that end before this run begins end before all later ones too.
            while older.next_if(|(_, older_end, _)| older_end < start).is_some() {}
            for (_, _, beside) in older.clone().take_while(|(older_start, _, _)| older_start <= end) {
                forest.join(*beside, *tree);
            }
        }
        above = runs;
    }
    Some(forest.areas())
}

/// Disjoint sets of runs, each with the area of all its members at its root.
#[derive(Default)]
struct Forest {
    trees: Vec<(usize, Area)>,
}

impl Forest {
    fn plant(&mut self, area: Area) -> Option<usize> {
        let at = self.trees.len();
        self.trees.push((at, area));
        (at < MOST_RUNS).then_some(at)
    }

    fn root(&mut self, mut at: usize) -> usize {
        loop {
            let parent = self.trees.get(at).map_or(at, |(parent, _)| *parent);
            if parent == at {
                return at;
            }
            let grandparent = self.trees.get(parent).map_or(parent, |(parent, _)| *parent);
            if let Some((parent, _)) = self.trees.get_mut(at) {
                *parent = grandparent;
            }
            at = grandparent;
        }
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        let (root, leaf) = (one.min(other), one.max(other));
        if root == leaf {
            return;
        }
        let Some(joined) = self.trees.get(leaf).map(|(_, area)| *area) else { return };
        if let Some((parent, _)) = self.trees.get_mut(leaf) {
            *parent = root;
        }
        if let Some((_, area)) = self.trees.get_mut(root) {
            *area = area.and(joined);
        }
    }

    fn areas(self) -> Vec<Area> {
        self.trees.into_iter().enumerate().filter(|(at, (parent, _))| at == parent).map(|(_, (_, area))| area).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(rows: &[&str]) -> Luma {
        let scale = 10;
        let shade = |c: char| match c {
            '#' => 0,
            ':' => 8,
            _ => 255,
        };
        let mut pixels = Vec::new();
        for row in rows {
            let line: Vec<u8> = row.chars().flat_map(|c| iter::repeat_n(shade(c), scale)).collect();
            (0..scale).for_each(|_| pixels.extend_from_slice(&line));
        }
        Luma::new(rows[0].len() * scale, rows.len() * scale, Zeroizing::new(pixels)).unwrap()
    }

    #[test]
    fn light_that_hangs_together_is_one_area() {
        let found = areas(&picture(&["..#..", ".#.#.", "#####", "....."])).unwrap();
        assert_eq!(found.len(), 2, "corners join");
        assert_eq!(found[1], Area { left: 0, top: 30, right: 50, bottom: 40, pixels: 500 });
        let ring = areas(&picture(&[".....", ".###.", ".###.", "....."])).unwrap();
        assert_eq!(ring, [Area { left: 0, top: 0, right: 50, bottom: 40, pixels: 1400 }]);
    }

    #[test]
    fn noise_has_no_areas() {
        let pixels = (0..2048 * 2048).map(|at| if at % 2 == 0 { 255 } else { 0 }).collect();
        assert!(areas(&Luma::new(2048, 2048, Zeroizing::new(pixels)).unwrap()).is_none());
    }

    #[test]
    fn what_may_be_a_code_gets_a_white_margin() {
        let on_black = picture(&["#######", "#.#..##", "##...##", "#..#.##", "##.#.##", "#######"]);
        let lit = on_black.white_around_codes().unwrap();
        let row = |y: usize| lit.rows().nth(y + MARGIN).unwrap()[MARGIN..MARGIN + 70].to_vec();
        assert!(row(5).iter().all(|&p| p == 255));
        assert!(row(15)[20..30].iter().all(|&p| p == 0));
        assert!(row(15)[50..].iter().all(|&p| p == 255));
        assert!(picture(&["#######", "#.....#", "#######", "#######"]).white_around_codes().is_none());
    }

    #[test]
    fn the_darkest_of_a_dark_page_is_told_apart() {
        let page = picture(&[":::::", "::#.:", ":::::"]);
        let apart = page.threshold(page.darkest_on_dark().unwrap());
        assert_eq!(apart.pixels().iter().filter(|&&p| p == 0).count(), 100);
        assert!(picture(&["....", ".##.", "...."]).darkest_on_dark().is_none());
        assert!(picture(&["####", "#.##", "####"]).darkest_on_dark().is_none());
    }

    #[test]
    fn modules_that_an_edge_cut_are_made_whole() {
        let rows = ["##.#.##.#.#", "#.#.#.#.##.", "#.##.#.#..#", ".#.#.#.#.#.", "##.#.#.#.#."];
        let whole = picture(&rows);
        assert!(whole.completed().is_none(), "nothing is cut");
        let pixels: Vec<u8> = whole.rows().skip(4).flat_map(|row| row[3..].to_vec()).collect();
        let cut = Luma::new(107, 46, Zeroizing::new(pixels)).unwrap();
        let completed = cut.completed().unwrap();
        assert_eq!((completed.width(), completed.height()), (110 + 80, 50 + 80));
    }
}
