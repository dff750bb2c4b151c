//! Manual pages: what clap knows of a command, and the sections that a manual has besides (man-pages(7)).

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use super::clock::RELEASED;
use super::help::{TOPICS, Topic};

/// The longest line of a page's source that `mandoc -T lint` accepts.
const LONGEST: usize = 80;

/// A page: `vmfa-add`, section 1, and its source.
pub(super) struct Page {
    pub(super) name: String,
    pub(super) section: u8,
    pub(super) text: String,
}

impl Page {
    /// Its place below a directory of manuals: `man1/vmfa-add.1`.
    pub(super) fn path(&self) -> std::path::PathBuf {
        format!("man{}/{}.{}", self.section, self.name, self.section).into()
    }
}

const EXIT: &[(&str, &str)] = &[
    ("0", "Done."),
    ("1", "The answer is no: no such device, the name is taken, AWS refuses a code or a call."),
    ("2", "The command line is wrong."),
    ("3", "The vault or the registry: locked, not there, not writable, damaged."),
    ("4", "A server doesn't answer, or not in a way that can be read."),
    ("5", "Input that can't be read."),
    ("128+N", "Signal N ended a wait."),
];

const EXIT_OF_EXEC: &[(&str, &str)] =
    &[("126", "The command can't be run."), ("127", "There is no such command. Else the exit code is the command's.")];

const ENVIRONMENT: &[(&str, &str)] = &[
    ("VMFA_HOME", "One directory for all files of vmfa."),
    ("VMFA_VAULT", "The vault for new devices: keyring, age or shared."),
    ("VMFA_IDENTITY_FILE", "The identity that opens the age vault; /dev/stdin reads it from a pipe."),
    ("VMFA_KEYRING_TIMEOUT", "How many seconds to wait for the keyring."),
    ("VMFA_PLUGIN_TIMEOUT", "How many seconds to wait for an age plugin."),
    ("VMFA_CLOCK", "The clock to make codes by, as --clock."),
];

const ENVIRONMENT_OF_AWS: &[(&str, &str)] = &[
    ("AWS_PROFILE", "The profile, if --profile isn't given."),
    ("AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN", "The keys that sign."),
    ("AWS_REGION, AWS_DEFAULT_REGION", "The region."),
    ("AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_IAM, AWS_ENDPOINT_URL_STS", "Another server than AWS."),
];

const FILES: &[(&str, &str)] = &[
    ("~/.config/vmfa/config.toml", "What vmfa init chose."),
    ("~/.local/share/vmfa/items/", "The age vault."),
    ("~/.local/state/vmfa/registry.sqlite3", "Devices without their secrets, and which codes were handed out."),
];

const FILES_OF_AWS: &[(&str, &str)] =
    &[("~/.aws/config, ~/.aws/credentials", "Profiles and keys, as the AWS CLI has them.")];

/// All pages, that of the whole first.
pub(super) fn pages(mut whole: Command) -> std::io::Result<Vec<Page>> {
    whole.build();
    let mut pages = Vec::new();
    add(&whole, None, &mut pages)?;
    pages.extend(TOPICS.iter().map(of_topic));
    Ok(pages)
}

fn add(command: &Command, parent: Option<&str>, pages: &mut Vec<Page>) -> std::io::Result<()> {
    pages.push(of_command(command, parent)?);
    let name = name_of(command);
    shown(command).try_for_each(|inner| add(inner, Some(&name), pages))
}

/// The commands below one that have pages.
fn shown(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help")
}

fn name_of(command: &Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}

fn of_command(command: &Command, parent: Option<&str>) -> std::io::Result<Page> {
    let name = name_of(command);
    let without_help = command.clone().disable_help_subcommand(true);
    let man = Man::new(without_help).title(name.to_uppercase()).date(date()).source(source()).manual("vmfa");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;

    let of_aws = name.starts_with("vmfa-aws");
    let mut roff = Roff::new();
    if shown(command).next().is_some() {
        roff.control("SH", ["COMMANDS"]);
        for inner in shown(command) {
            let about = inner.get_about().map(ToString::to_string).unwrap_or_default();
            entry(&mut roff, vec![bold(name_of(inner)), roman("(1)")], &about);
        }
    }
    list(&mut roff, "EXIT STATUS", EXIT, if name == "vmfa-aws-exec" { EXIT_OF_EXEC } else { &[] });
    list(&mut roff, "ENVIRONMENT", ENVIRONMENT, if of_aws { ENVIRONMENT_OF_AWS } else { &[] });
    list(&mut roff, "FILES", FILES, if of_aws { FILES_OF_AWS } else { &[] });
    let below = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    examples(&mut roff, &below);
    let siblings = parent.map(|parent| (parent.to_owned(), 1));
    let inner = shown(command).map(|inner| (name_of(inner), 1));
    see_also(&mut roff, siblings.into_iter().chain(inner).chain(TOPICS.iter().map(|topic| (page_of(topic), 7))));
    roff.to_writer(&mut text)?;
    Ok(Page { name, section: 1, text: tidy(&String::from_utf8_lossy(&text)) })
}

fn page_of(topic: &Topic) -> String {
    format!("vmfa-{}", topic.name)
}

fn of_topic(topic: &Topic) -> Page {
    let name = page_of(topic);
    let mut roff = Roff::new();
    roff.control("TH", [name.to_uppercase().as_str(), "7", &date(), &source(), "vmfa"]);
    roff.control("SH", ["NAME"]);
    roff.text([roman(format!("{name} - {}", topic.about().replace('`', "")))]);
    roff.control("SH", ["DESCRIPTION"]);
    let body = topic.text.split("\nExamples:\n").next().unwrap_or_default();
    let paragraphs = body.split("\n\n").skip(1);
    for (number, paragraph) in paragraphs.enumerate() {
        if paragraph.starts_with("  ") {
            verbatim(&mut roff, paragraph.lines());
        } else {
            if number > 0 {
                roff.control("PP", []);
            }
            roff.text([roman(paragraph.trim())]);
        }
    }
    examples(&mut roff, topic.text);
    let others = TOPICS.iter().filter(|other| other.name != topic.name).map(|other| (page_of(other), 7));
    see_also(&mut roff, std::iter::once(("vmfa".to_owned(), 1)).chain(others));
    Page { name, section: 7, text: tidy(&roff.render()) }
}

/// The day of the release that these pages are of.
fn date() -> String {
    RELEASED.to_rfc3339().chars().take(10).collect()
}

fn source() -> String {
    format!("vmfa {}", env!("CARGO_PKG_VERSION"))
}

fn entry(roff: &mut Roff, what: Vec<Inline>, text: &str) {
    roff.control("TP", []);
    roff.text(what);
    roff.text([roman(text)]);
}

fn list(roff: &mut Roff, heading: &str, entries: &[(&str, &str)], more: &[(&str, &str)]) {
    roff.control("SH", [heading]);
    for (what, text) in entries.iter().chain(more) {
        entry(roff, vec![bold(*what)], text);
    }
}

/// What stands in a text below `Examples:`.
fn examples(roff: &mut Roff, text: &str) {
    let found = text.split("Examples:\n").nth(1).unwrap_or_default().lines().take_while(|line| line.starts_with("  "));
    roff.control("SH", ["EXAMPLES"]);
    verbatim(roff, found);
}

/// Lines as they are, but for their indentation.
fn verbatim<'a>(roff: &mut Roff, lines: impl Iterator<Item = &'a str>) {
    roff.control("PP", []);
    roff.control("nf", []);
    for line in lines {
        roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
    }
    roff.control("fi", []);
}

fn see_also(roff: &mut Roff, pages: impl Iterator<Item = (String, u8)>) {
    roff.control("SH", ["SEE ALSO"]);
    let mut text = Vec::new();
    for (name, section) in pages {
        if !text.is_empty() {
            text.push(roman(", "));
        }
        text.extend([italic(name), roman(format!("({section})"))]);
    }
    roff.text(text);
}

/// The same page, as `mandoc -T lint` wants it: no definitions, no blanks at the ends of lines, no long lines.
fn tidy(text: &str) -> String {
    let mut tidy = String::new();
    let (mut keep, mut verbatim, mut fresh) = (false, false, true);
    for line in text.lines() {
        if line.starts_with(".ie ") || line.starts_with(".el ") {
            continue;
        }
        match line {
            ".nf" => verbatim = true,
            ".fi" => verbatim = false,
            // A paragraph begins with each heading anyway.
            ".PP" if fresh => continue,
            _ => {}
        }
        fresh = line.starts_with(".SH");
        let line = line.replace("\\*(Aq", "\\(aq");
        let mut rest = line.trim_end();
        // What stands under `.TP` is one line.
        while !keep && !rest.starts_with('.') && rest.len() > LONGEST {
            let room = LONGEST.saturating_sub(2);
            let Some((now, then)) = rest
                .match_indices(' ')
                .map(|(at, _)| at)
                .take_while(|at| *at <= room)
                .last()
                .and_then(|at| Some((rest.get(..at)?, rest.get(at.saturating_add(1)..)?)))
            else {
                break;
            };
            tidy.push_str(now.trim_end());
            // In a line that stays as it is, a backslash goes on.
            tidy.push_str(if verbatim { " \\\n" } else { "\n" });
            rest = then.trim_start();
            if !verbatim && rest.starts_with(['.', '\'']) {
                tidy.push_str("\\&");
            }
        }
        tidy.push_str(rest);
        tidy.push('\n');
        keep = line == ".TP";
    }
    tidy
}
