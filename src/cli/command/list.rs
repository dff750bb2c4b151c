mod codes;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::io::{self, IsTerminal as _, Write};

use clap::ValueEnum;
use serde::{Serialize, Serializer};

use self::codes::Current;
use super::show::Description;
use crate::cli::columns::{self, Shrinks};
use crate::cli::empty::looked_in;
use crate::cli::error::{Error, Result};
use crate::cli::open::Place;
use crate::cli::pattern::{self, Wanted};
use crate::cli::remote::Remote;
use crate::cli::render::{self, Answer, plain, table};
use crate::cli::{Global, candidates, chosen_clock, clock, hints};
use crate::device;
use crate::registry::Device;
use crate::time::{Timestamp, words};
use crate::vault::Kind;

/// List devices, or with --vault those of one vault
///
/// On a terminal, columns fit its width, and long texts are shortened in the middle. Anything else gets all of them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  vmfa list
  vmfa list 'ci/*' --sort last-used
  vmfa list amazon --codes")]
pub(in crate::cli) struct Args {
    /// Devices to list: part of a name, issuer or account, or a pattern for names such as 'ci/*' (`*` and `?` don't match
    /// `/`, `**` does) [default: all]
    #[arg(value_name = "PATTERN", add = candidates::pool())]
    patterns: Vec<String>,
    /// Sort by `name`, `issuer`, `last-used` or `added`; the last two with the newest first
    #[arg(long, value_name = "KEY", default_value = "name", hide_possible_values = true)]
    sort: Sort,
    /// Show the current codes as well. They count as handed out. Counter devices (HOTP) are listed without one: `vmfa code`
    /// gives theirs
    #[arg(long)]
    codes: bool,
    #[command(flatten)]
    clock: chosen_clock::Which,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sort {
    Name,
    Issuer,
    LastUsed,
    Added,
}

/// A device, and what was asked for beside.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Row<'a> {
    #[serde(flatten)]
    device: Description,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    current: Option<&'a Current>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Listed {
    #[cfg_attr(test, schemars(with = "Vec<Row<'_>>"))]
    devices: Shown,
    /// The vault that was asked for and has none, and how many devices there are in others.
    #[serde(skip)]
    elsewhere: Option<(Kind, usize)>,
    #[serde(skip)]
    now: Timestamp,
}

/// What is shown, side by side rather than together: there may be many.
#[derive(Debug)]
struct Shown {
    devices: Vec<Device>,
    last_uses: Vec<Option<Timestamp>>,
    /// The current codes, where they were asked for.
    current: Option<Vec<Option<Current>>>,
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let current = |place: usize| self.current.as_ref()?.get(place)?.as_ref();
        let rows = self.devices.iter().zip(&self.last_uses).enumerate().map(|(place, (device, last_use))| Row {
            device: Description::of(device, None).last_used(*last_use),
            current: current(place),
        });
        serializer.collect_seq(rows)
    }
}

impl Answer for Listed {
    fn human(&self, out: &mut dyn Write) -> io::Result<()> {
        if let Some((kind, others)) = self.elsewhere {
            render::note(&format!("there are no devices in the {kind} vault, and {others} elsewhere"));
            return Ok(());
        }
        let Shown { devices, last_uses, current } = &self.devices;
        if devices.is_empty() {
            render::note(hints::devices::NO_DEVICES);
            looked_in().iter().for_each(|line| render::note(line));
            return Ok(());
        }
        let eyes = io::stdout().is_terminal();
        if let Some(current) = current {
            let row = |(device, current): (_, &Option<Current>)| {
                let [name, issuer, account] = texts(device);
                let [code, left] = current.as_ref().map(Current::columns).unwrap_or_default();
                [name, code.into(), left.into(), issuer, account]
            };
            let rows: Vec<_> = devices.iter().zip(current).map(row).collect();
            return show(out, ["NAME", "CODE", "LEFT", "ISSUER", "ACCOUNT"], rows, eyes);
        }
        let row = |(device, last_use): (_, &Option<Timestamp>)| {
            let [name, issuer, account] = texts(device);
            let used = last_use.map_or("never".into(), |at| last_used(at, self.now, eyes).into());
            [name, issuer, account, device.parameters.kind().into(), device.vault.as_str().into(), used]
        };
        let rows: Vec<_> = devices.iter().zip(last_uses).map(row).collect();
        show(out, ["NAME", "ISSUER", "ACCOUNT", "TYPE", "VAULT", "LAST USED"], rows, eyes)
    }
}

/// Name, issuer and account.
fn texts(device: &Device) -> [Cow<'_, str>; 3] {
    let Device { name, issuer, account, .. } = device;
    let texts = [Some(name.as_str()), issuer.as_deref(), Some(account.as_str())];
    texts.map(|text| plain(text.filter(|text| !text.is_empty()).unwrap_or("-")))
}

/// Writes rows, for eyes as wide as the terminal.
fn show<const N: usize>(
    out: &mut dyn Write,
    headings: [&str; N],
    mut rows: Vec<[Cow<'_, str>; N]>,
    eyes: bool,
) -> io::Result<()> {
    if eyes {
        let width = terminal_size::terminal_size_of(io::stdout()).map_or(80, |(width, _)| usize::from(width.0));
        fit(headings, &mut rows, width);
    }
    table(out, &headings, &rows)
}

/// How long ago, for eyes; else when.
fn last_used(at: Timestamp, now: Timestamp, eyes: bool) -> String {
    if !eyes {
        return at.to_rfc3339();
    }
    match now.as_unix().saturating_sub(at.as_unix()) {
        0..60 => "just now".to_owned(),
        seconds => {
            // Of the units, the largest.
            let long = words(seconds.max(180));
            let largest: Vec<&str> = long.split(' ').take(2).collect();
            format!("{} ago", largest.join(" "))
        }
    }
}

/// Shortens texts until the table fits.
fn fit<const N: usize>(headings: [&str; N], rows: &mut [[Cow<'_, str>; N]], width: usize) {
    let widest = |column: usize, heading: &str| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| columns::width(cell));
        cells.max().unwrap_or(0).max(columns::width(heading))
    };
    let widths: Vec<usize> = headings.iter().enumerate().map(|(column, heading)| widest(column, heading)).collect();
    let shrinks = |heading: &&str| match *heading {
        "NAME" => Shrinks::Last,
        "ISSUER" | "ACCOUNT" => Shrinks::First,
        _ => Shrinks::Never,
    };
    let shrinks: Vec<Shrinks> = headings.iter().map(shrinks).collect();
    let fitted = columns::fitted(&widths, &shrinks, width);
    for row in rows {
        for ((cell, width), shrinks) in row.iter_mut().zip(&fitted).zip(&shrinks) {
            if *shrinks != Shrinks::Never {
                let cut = match columns::middle_cut(cell, *width) {
                    Cow::Owned(cut) => cut,
                    Cow::Borrowed(_) => continue,
                };
                *cell = cut.into();
            }
        }
    }
}

impl Args {
    pub(super) fn run(&self, global: &Global) -> Result<()> {
        if self.clock.is_given() && !self.codes {
            return Err(Error::usage("--clock needs --codes"));
        }
        if let Some(remote) = Remote::find()? {
            return self.of_server(global, &remote);
        }
        let place = Place::find(global)?;
        if self.codes {
            place.expect_reading();
        }
        let registry = place.registry()?;
        let mut devices = device::active(&*registry)?;
        let all = devices.len();
        let mut elsewhere = None;
        if let Some(kind) = place.explicit() {
            devices.retain(|device| device.vault == kind);
            elsewhere = (all > 0 && devices.is_empty()).then_some((kind, all));
        }
        if !self.patterns.is_empty() {
            let any = !devices.is_empty();
            let wanted = self.patterns.iter().map(|text| Wanted::of(text)).collect::<Result<Vec<_>>>()?;
            devices.retain(|device| wanted.iter().any(|wanted| wanted.has(device)));
            if devices.is_empty() {
                return Err(pattern::none_matches(&self.patterns, any));
            }
        }
        let last_uses = registry.last_uses()?;
        let last_use = |device: &Device| device.ledger.and_then(|ledger| last_uses.get(&ledger)).copied();
        self.sort(&mut devices, last_use);
        let (current, failure) = if self.codes {
            let (current, failure) = codes::current(&place, &*registry, &devices, &self.clock.open(global)?)?;
            (Some(current), failure)
        } else {
            (None, None)
        };
        let last_uses = devices.iter().map(last_use).collect();
        let devices = Shown { devices, last_uses, current };
        let listed = Listed { devices, elsewhere, now: clock::now() };
        render::print(&listed, global.json)?;
        // The process ends here: to free many devices one by one would only take time.
        std::mem::forget(listed);
        failure.map_or(Ok(()), Err)
    }

    /// The devices that the server lets its client use.
    fn of_server(&self, global: &Global, remote: &Remote) -> Result<()> {
        remote.expect_none(&[
            ("--codes", self.codes),
            ("--sort", self.sort != Sort::Name),
            ("--vault", global.vault.is_some()),
        ])?;
        let wanted = self.patterns.iter().map(|text| Wanted::of(text)).collect::<Result<Vec<_>>>()?;
        let is_wanted = |texts: [&str; 3]| wanted.is_empty() || wanted.iter().any(|wanted| wanted.has_described(texts));
        let devices = remote.devices(is_wanted)?;
        if devices.is_empty() && !wanted.is_empty() {
            return Err(pattern::none_matches(&self.patterns, true));
        }
        render::print(&devices, global.json)
    }

    /// Devices come by name.
    fn sort(&self, devices: &mut [Device], last_use: impl Fn(&Device) -> Option<Timestamp>) {
        match self.sort {
            Sort::Name => {}
            // Those without one come last.
            Sort::Issuer => devices.sort_by_cached_key(|device| {
                let issuer = device.issuer.as_deref().map(str::to_lowercase);
                (issuer.is_none(), issuer)
            }),
            Sort::LastUsed => devices.sort_by_key(|device| Reverse(last_use(device))),
            Sort::Added => devices.sort_by_key(|device| Reverse(device.created)),
        }
    }
}

#[cfg(test)]
crate::cli::schema::answers! {
    "list": Listed;
}
