//! Steps that are handed out: each claim is one statement, which takes and writes down at once.

use std::collections::BTreeSet;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::Postgres;
use super::failure::Failure;
use super::link::{Link, Parameter};
use super::values::{from_ranges, of_row, step, steps, value};
use crate::registry::restored::restored_until;
use crate::registry::{AHEAD, Claim, Error, Holder, Run, Taken, Token};
use crate::time::Step;
use crate::vault::Id;

/// Takes the first `$4` of the candidates `$2` that are free, of the ledger `$1`.
///
/// - `book` locks the ledger against [`Postgres::shorten`], which makes runs of steps: whatever it did is seen here,
///   since a row that had to be waited for is read again.
/// - `free` is what nobody has, as far as this statement sees. If another claim takes one of them at the same time, `taken` waits for
///   it and leaves the step out, and the caller asks again for the missing ones. A step that was given back is taken
///   again in its row. Steps are taken in the order of their numbers, so that no two claims wait for each other.
/// - `shown` marks what others have and is shown again, up to the last candidate that was needed.
/// - A claim is on the disk when it is answered, unless it is for steps that are shown again: a session begins with
///   `synchronous_commit` raised from `off`.
///
/// Candidates come with whether each is ready.
const CLAIM: &str = "WITH book AS MATERIALIZED (
        SELECT ledger.runs, CASE WHEN accepted > 0 AND period > 0 THEN accepted / period + $10 END AS restored,
            set_config('synchronous_commit', CASE WHEN $8 THEN 'off' ELSE current_setting('synchronous_commit') END, true)
        FROM vmfa.ledger, vmfa.registry WHERE ledger.id = $1 FOR KEY SHARE OF ledger
    ), candidate AS MATERIALIZED (
        SELECT wanted.step, wanted.ready, wanted.place,
            (SELECT NOT released FROM vmfa.claimed WHERE claimed.ledger = $1 AND claimed.step = wanted.step) AS held
        FROM book, unnest($2::bigint[], $3::boolean[]) WITH ORDINALITY AS wanted (step, ready, place)
        WHERE NOT book.runs @> wanted.step
            AND (book.restored IS NULL OR wanted.step > book.restored OR wanted.step < 0)
    ), free AS MATERIALIZED (
        SELECT step, ready, place FROM candidate WHERE held IS NOT TRUE ORDER BY place LIMIT $4
    ), taken AS (
        INSERT INTO vmfa.claimed AS old (ledger, step, since, token, given)
        SELECT $1, step, $5, $6, ready FROM free ORDER BY step
        ON CONFLICT (ledger, step) DO UPDATE SET since = excluded.since, token = excluded.token,
            given = excluded.given, released = false, retaken = true WHERE old.released
        RETURNING step
    ), shown AS (
        UPDATE vmfa.claimed SET again = true FROM candidate
        WHERE $8 AND claimed.ledger = $1 AND claimed.step = candidate.step AND candidate.held
            AND NOT claimed.released AND NOT claimed.again AND ((SELECT count(*) FROM free) < $4
                OR candidate.place < (SELECT max(place) FROM free))
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM book), ARRAY (SELECT step FROM taken), (SELECT count(*) FROM free),
        EXISTS (SELECT FROM shown),
        EXISTS (SELECT FROM vmfa.claimed WHERE ledger = $1 AND step < $7 AND since < $9)";

/// Takes the step `$2` of the ledger `$1`, where nobody has it: most claims want one, and get the first that they name. It has the
/// rules of [`CLAIM`], in a tenth of its words, which the server would have to go through.
const CLAIM_FIRST: &str = "WITH book AS MATERIALIZED (
        SELECT id FROM vmfa.ledger WHERE id = $1 AND NOT runs @> $2::bigint
            AND ($2 < 0 OR coalesce(period, 0) <= 0 OR coalesce((SELECT $2 > accepted / period + $8 FROM vmfa.registry
                WHERE accepted > 0), true)) FOR KEY SHARE
    )
    INSERT INTO vmfa.claimed AS old (ledger, step, since, token, given) SELECT id, $2, $3, $4, $5 FROM book
    ON CONFLICT (ledger, step) DO UPDATE SET since = excluded.since, token = excluded.token,
        given = excluded.given, released = false, retaken = true WHERE old.released
    RETURNING EXISTS (SELECT FROM vmfa.claimed WHERE ledger = $1 AND step < $6 AND since < $7)";

/// What was shown and given back is remembered: giving it back twice doesn't free what another process took.
const RELEASE: &str = "UPDATE vmfa.claimed SET released = true
    WHERE ledger = $1 AND step = $2 AND token = $3 AND NOT again AND NOT released RETURNING 1";

const GIVE: &str = "UPDATE vmfa.claimed SET given = true
    WHERE ledger = $1 AND step = $2 AND token = $3 AND NOT released RETURNING 1";

const HOLDER: &str = "SELECT token, again OR retaken, given FROM vmfa.claimed
    WHERE ledger = $1 AND step = $2 AND NOT released";

const CLAIMED: &str = "SELECT step FROM vmfa.claimed
    WHERE ledger = $1 AND step BETWEEN $2 AND $3 AND NOT released ORDER BY step";

const OF_TOKEN: &str = "SELECT step FROM vmfa.claimed WHERE ledger = $1 AND token = $2 AND NOT released ORDER BY step";

const TAKEN: &str = "SELECT ledger.runs::text, ledger.period, accepted, ARRAY (SELECT step FROM vmfa.claimed
        WHERE claimed.ledger = wanted.id AND step >= wanted.first AND NOT released ORDER BY step)
    FROM unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY AS wanted (id, first, place)
    JOIN vmfa.ledger ON ledger.id = wanted.id CROSS JOIN vmfa.registry ORDER BY place";

/// What one statement did.
struct Round {
    taken: Vec<Step>,
    /// How many were free when it began.
    free: usize,
    shown: bool,
    /// Whether there are steps to be made runs of.
    old: bool,
}

/// The parameters of [`CLAIM_FIRST`].
struct First {
    ledger: uuid::Uuid,
    step: i64,
    ready: bool,
    now: i64,
    token: i64,
    below: i64,
    before: i64,
    ahead: i64,
}

impl First {
    /// None for a claim of several steps, or of some that are shown again.
    fn of(claim: &Claim<'_>) -> Option<Self> {
        let step = *claim.candidates.first().filter(|_| claim.most == 1 && !claim.again)?;
        Some(Self {
            ledger: claim.ledger.uuid(),
            step: step.value().cast_signed(),
            ready: step <= claim.ready,
            now: claim.now.as_unix().cast_signed(),
            token: claim.token.value().cast_signed(),
            below: claim.forget.below.value().cast_signed(),
            before: claim.forget.before.as_unix().cast_signed(),
            ahead: AHEAD.cast_signed(),
        })
    }

    const fn step(&self) -> Step {
        Step::new(self.step.cast_unsigned())
    }

    fn parameters(&self) -> [Parameter<'_>; 8] {
        [
            (&self.ledger, Type::UUID),
            (&self.step, Type::INT8),
            (&self.now, Type::INT8),
            (&self.token, Type::INT8),
            (&self.ready, Type::BOOL),
            (&self.below, Type::INT8),
            (&self.before, Type::INT8),
            (&self.ahead, Type::INT8),
        ]
    }
}

/// The parameters of [`CLAIM`].
struct Asked {
    ledger: uuid::Uuid,
    steps: Vec<i64>,
    ready: Vec<bool>,
    most: i64,
    now: i64,
    token: i64,
    below: i64,
    again: bool,
    before: i64,
    ahead: i64,
}

impl Asked {
    fn of(claim: &Claim<'_>, wanted: &[Step], most: usize) -> Self {
        Self {
            ledger: claim.ledger.uuid(),
            steps: wanted.iter().map(|step| step.value().cast_signed()).collect(),
            ready: wanted.iter().map(|step| *step <= claim.ready).collect(),
            most: i64::try_from(most).unwrap_or(i64::MAX),
            now: claim.now.as_unix().cast_signed(),
            token: claim.token.value().cast_signed(),
            below: claim.forget.below.value().cast_signed(),
            again: claim.again,
            before: claim.forget.before.as_unix().cast_signed(),
            ahead: AHEAD.cast_signed(),
        }
    }

    fn parameters(&self) -> [Parameter<'_>; 10] {
        [
            (&self.ledger, Type::UUID),
            (&self.steps, Type::INT8_ARRAY),
            (&self.ready, Type::BOOL_ARRAY),
            (&self.most, Type::INT8),
            (&self.now, Type::INT8),
            (&self.token, Type::INT8),
            (&self.below, Type::INT8),
            (&self.again, Type::BOOL),
            (&self.before, Type::INT8),
            (&self.ahead, Type::INT8),
        ]
    }
}

impl Postgres {
    /// A claim whose answer was lost counts: its steps are taken by nobody, and others are asked for.
    pub(super) fn claim_steps(&self, claim: &Claim<'_>) -> Result<Vec<Step>, Error> {
        match First::of(claim) {
            None => self.claim_any(claim),
            Some(first) => {
                let rows = self.again(&mut |link| link.ask(CLAIM_FIRST, &first.parameters()))?;
                self.first_or_any(claim, first.step(), &rows)
            }
        }
    }

    /// The first candidate, where this took it; else any.
    fn first_or_any(&self, claim: &Claim<'_>, first: Step, rows: &[Row]) -> Result<Vec<Step>, Error> {
        let Some(row) = rows.first() else { return self.claim_any(claim) };
        let old: bool = of_row(&self.place, row, 0).map_err(|failure| failure.into_error(&self.place))?;
        if old {
            self.forget_old(claim);
        }
        Ok(vec![first])
    }

    fn claim_any(&self, claim: &Claim<'_>) -> Result<Vec<Step>, Error> {
        let mut seen = BTreeSet::new();
        let mut candidates: Vec<Step> = claim.candidates.iter().copied().filter(|step| seen.insert(*step)).collect();
        let mut taken = BTreeSet::new();
        let (mut changed, mut old) = (false, false);
        // Each round that isn't the last one met somebody who was faster, and doesn't see that step as free again.
        for _ in 0..=candidates.len() {
            let most = claim.most.saturating_sub(taken.len());
            let round = self.again(&mut |link| self.round(link, claim, &candidates, most))?;
            (changed, old) = (changed | round.shown | !round.taken.is_empty(), old | round.old);
            let missed = round.taken.len() < round.free;
            candidates.retain(|step| !round.taken.contains(step));
            taken.extend(round.taken);
            if !missed {
                break;
            }
        }
        if changed && old {
            self.forget_old(claim);
        }
        let mut given = BTreeSet::new();
        Ok(claim.candidates.iter().copied().filter(|step| taken.contains(step) && given.insert(*step)).collect())
    }

    /// In one transaction, so that all reach the disk by one flush, and one after the other without waiting for answers.
    pub(super) fn claim_steps_of_all(&self, claims: &[Claim<'_>]) -> Vec<Result<Vec<Step>, Error>> {
        let alone = || claims.iter().map(|claim| self.claim_steps(claim)).collect();
        let asked: Vec<First> = claims.iter().filter_map(First::of).collect();
        if claims.len() < 2 || asked.len() < claims.len() {
            return alone();
        }
        let parameters: Vec<_> = asked.iter().map(First::parameters).collect();
        // What doesn't work for all of them, each tries by itself.
        let Ok(answers) = self.change(&mut |link| link.ask_each(CLAIM_FIRST, &parameters)) else { return alone() };
        let wanted = claims.iter().zip(asked.iter().map(First::step));
        wanted.zip(answers).map(|((claim, first), rows)| self.first_or_any(claim, first, &rows)).collect()
    }

    /// The claim stands, whatever becomes of this.
    fn forget_old(&self, claim: &Claim<'_>) {
        let (below, before) = (claim.forget.below.value().cast_signed(), claim.forget.before.as_unix().cast_signed());
        let _ = self.change(&mut |link| self.shorten(link, claim.ledger.uuid(), below, before));
    }

    fn round(&self, link: &mut Link, claim: &Claim<'_>, wanted: &[Step], most: usize) -> Result<Round, Failure> {
        let rows = link.ask(CLAIM, &Asked::of(claim, wanted, most).parameters())?;
        self.round_of(&rows, wanted, most)
    }

    fn round_of(&self, rows: &[Row], wanted: &[Step], most: usize) -> Result<Round, Failure> {
        let place = self.place.as_str();
        if value::<i64>(place, rows, 0)? == 0 {
            return Err(Error::Gone.into());
        }
        let taken: Vec<Step> = value::<Vec<i64>>(place, rows, 1)?.into_iter().map(step).collect();
        let free = usize::try_from(value::<i64>(place, rows, 2)?).unwrap_or_default();
        if taken.len() > most || taken.iter().any(|step| !wanted.contains(step)) {
            let reason = "it answers a claim with steps that nobody asked for".to_owned();
            return Err(Error::Engine { place: place.to_owned(), reason }.into());
        }
        Ok(Round { taken, free, shown: value(place, rows, 3)?, old: value(place, rows, 4)? })
    }

    pub(super) fn release_step(&self, ledger: Id, step: Step, token: Token) -> Result<bool, Error> {
        Ok(!self.of_claim(RELEASE, ledger, step, token)?.is_empty())
    }

    pub(super) fn give_step(&self, ledger: Id, step: Step, token: Token) -> Result<bool, Error> {
        Ok(!self.of_claim(GIVE, ledger, step, token)?.is_empty())
    }

    fn of_claim(&self, sql: &'static str, ledger: Id, step: Step, token: Token) -> Result<Vec<Row>, Error> {
        let (step, token) = (step.value().cast_signed(), token.value().cast_signed());
        self.ask(sql, &[(&ledger.uuid(), Type::UUID), (&step, Type::INT8), (&token, Type::INT8)])
    }

    pub(super) fn holder_of(&self, ledger: Id, step: Step) -> Result<Option<Holder>, Error> {
        self.again(&mut |link| {
            let number = step.value().cast_signed();
            let rows = link.ask(HOLDER, &[(&ledger.uuid(), Type::UUID), (&number, Type::INT8)])?;
            let Some(row) = rows.first() else { return Ok(None) };
            let token = Token::from_value(of_row::<i64>(&self.place, row, 0)?.cast_unsigned());
            let (again, given) = (of_row(&self.place, row, 1)?, of_row(&self.place, row, 2)?);
            Ok(Some(Holder { token, again, given }))
        })
    }

    pub(super) fn claimed_steps(&self, ledger: Id, first: Step, last: Step) -> Result<Vec<Step>, Error> {
        let (first, last) = (first.value().cast_signed(), last.value().cast_signed());
        self.again(&mut |link| {
            let rows = link.ask(CLAIMED, &[(&ledger.uuid(), Type::UUID), (&first, Type::INT8), (&last, Type::INT8)])?;
            steps(&self.place, &rows)
        })
    }

    /// In one question, however many there are.
    pub(super) fn taken_of_several(&self, from: &[(Id, Step)]) -> Result<Vec<Taken>, Error> {
        let ledgers: Vec<uuid::Uuid> = from.iter().map(|(ledger, _)| ledger.uuid()).collect();
        let firsts: Vec<i64> = from.iter().map(|(_, first)| first.value().cast_signed()).collect();
        self.again(&mut |link| {
            let rows = link.ask(TAKEN, &[(&ledgers, Type::UUID_ARRAY), (&firsts, Type::INT8_ARRAY)])?;
            if rows.len() != from.len() {
                return Err(Error::Gone.into());
            }
            rows.iter().zip(from).map(|(row, (ledger, _))| self.taken_in(*ledger, row)).collect()
        })
    }

    fn taken_in(&self, ledger: Id, row: &Row) -> Result<Taken, Failure> {
        let place = self.place.as_str();
        let runs = from_ranges(of_row(place, row, 0)?);
        let mut forgotten = runs.ok_or_else(|| self.damaged_ledger(ledger, "runs"))?;
        let restored = restored_until(of_row(place, row, 2)?, of_row(place, row, 1)?);
        if let Some(last) = restored {
            forgotten.add(Run { first: Step::new(0), last });
        }
        let steps = of_row::<Vec<i64>>(place, row, 3)?.into_iter().map(step).collect();
        Ok(Taken { steps, forgotten, restored })
    }

    pub(super) fn steps_of_claim(&self, ledger: Id, token: Token) -> Result<Vec<Step>, Error> {
        let token = token.value().cast_signed();
        self.again(&mut |link| {
            let rows = link.ask(OF_TOKEN, &[(&ledger.uuid(), Type::UUID), (&token, Type::INT8)])?;
            steps(&self.place, &rows)
        })
    }
}
