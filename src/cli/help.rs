//! Help topics, and the text below the main help.

use std::ffi::OsString;

use clap::error::ErrorKind;

/// How wide help is at most: a terminal's usual width.
pub(super) const WIDTH: usize = 80;

/// The text below the main help.
pub(super) const WHOLE: &str = "\
Topics (vmfa help TOPIC):
  sources      What `vmfa add NAME SOURCE` and `--from SOURCE` read
  import       Which exports of other authenticators `vmfa import` reads
  vaults       Where secrets are kept, and what opens them
  time         Which time codes are made for, and how long a code lasts
  exit-codes   What the exit code says
  environment  Variables that vmfa reads
  aws          Keys, endpoints and sessions of `vmfa aws`

Examples:
  vmfa add alice qr.png
  vmfa code alice
  vmfa aws exec alice -- aws s3 ls
  vmfa demo                               # everything, without an account";

/// The text below the help of `vmfa aws`.
pub(super) const AWS: &str = "\
Keys, endpoints and sessions: vmfa help aws

Examples:
  vmfa aws enable
  vmfa aws exec alice -- aws s3 ls
  vmfa aws status
  vmfa aws resync alice";

/// A text that `vmfa help NAME` prints: a first line that says what it is about, paragraphs, examples.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) name: &'static str,
    pub(super) text: &'static str,
}

/// All topics. Two have the name of a command, whose own help is `vmfa aws --help`.
pub(super) const TOPICS: [Topic; 7] = [
    Topic { name: "sources", text: include_str!("help/sources.txt") },
    Topic { name: "import", text: include_str!("help/import.txt") },
    Topic { name: "vaults", text: include_str!("help/vaults.txt") },
    Topic { name: "time", text: include_str!("help/time.txt") },
    Topic { name: "exit-codes", text: include_str!("help/exit-codes.txt") },
    Topic { name: "environment", text: include_str!("help/environment.txt") },
    Topic { name: "aws", text: include_str!("help/aws.txt") },
];

impl Topic {
    /// Its first line.
    pub(super) fn about(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default()
    }
}

/// The topic of `vmfa help TOPIC`. For clap it is a command: one that doesn't exist, except for `aws`.
pub(super) fn asked(error: &clap::Error, arguments: &[OsString]) -> Option<&'static Topic> {
    let words: Vec<_> = arguments.iter().skip(1).filter(|word| !word.to_string_lossy().starts_with('-')).collect();
    match (error.kind(), words.as_slice()) {
        (ErrorKind::InvalidSubcommand | ErrorKind::DisplayHelp, [help, name]) if *help == "help" => {
            TOPICS.iter().find(|topic| *name == topic.name)
        }
        _ => None,
    }
}

/// The same command line with topics below `help`, for completions.
pub(super) fn with_topics(mut whole: clap::Command) -> clap::Command {
    whole.build();
    let topics = TOPICS.iter().filter(|topic| whole.find_subcommand(topic.name).is_none());
    // Built as the others are.
    let command = |topic: &Topic| clap::Command::new(topic.name).bin_name(format!("vmfa help {}", topic.name));
    let topics: Vec<_> = topics.map(|topic| command(topic).about(topic.about())).collect();
    whole.mut_subcommand("help", |help| help.subcommands(topics))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::cli::Cli;

    /// All commands, each with its words.
    fn commands(command: &clap::Command, path: &str, into: &mut Vec<(String, clap::Command)>) {
        into.push((path.to_owned(), command.clone()));
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            commands(inner, &format!("{path} {}", inner.get_name()), into);
        }
    }

    fn all() -> Vec<(String, clap::Command)> {
        let mut all = Vec::new();
        let mut whole = Cli::command().term_width(WIDTH);
        whole.build();
        commands(&whole, "vmfa", &mut all);
        all
    }

    /// The command lines of a text's examples, without what a shell takes for itself.
    fn examples(text: &str) -> Vec<Vec<String>> {
        let lines = text.split("Examples:\n").nth(1).unwrap_or_default().lines();
        let lines = lines.take_while(|line| line.starts_with("  "));
        lines.map(|line| shlex::split(line).unwrap_or_else(|| panic!("{line}"))).collect()
    }

    /// The words of vmfa alone: behind variables, in `$(…)`, before a pipe or a redirection.
    fn of_vmfa(words: Vec<String>) -> Vec<String> {
        if let [eval, inner] = words.as_slice()
            && eval == "eval"
        {
            let inner = inner.trim_start_matches("$(").trim_end_matches(')');
            return shlex::split(inner).unwrap();
        }
        let end = |word: &String| !matches!(word.as_str(), "|" | ">" | "<");
        words.into_iter().skip_while(|word| word.starts_with("VMFA_")).take_while(end).collect()
    }

    fn check(name: &str, text: &str) {
        let found = examples(text);
        assert!(!found.is_empty(), "{name} has no examples");
        for words in found {
            let line = words.join(" ");
            let words = of_vmfa(words);
            assert_eq!(words.first().map(String::as_str), Some("vmfa"), "{name}: {line}");
            if let Err(error) = Cli::try_parse_from(&words) {
                panic!("{name}: {line}: {error}");
            }
        }
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{name} is wider than {WIDTH} columns: {line}");
        }
    }

    #[test]
    fn every_help_has_examples_that_parse_and_fits_a_terminal() {
        let all = all();
        assert!(all.len() > 25, "only {} commands", all.len());
        for (name, mut command) in all {
            check(&name, &command.render_long_help().to_string());
        }
        for topic in &TOPICS {
            check(topic.name, topic.text);
        }
    }

    #[test]
    fn every_topic_is_listed_by_its_first_line() {
        let listed: Vec<&str> =
            WHOLE.lines().skip(1).take_while(|line| !line.is_empty()).map(|line| line.trim()).collect();
        let wanted: Vec<String> = TOPICS.iter().map(|topic| format!("{:11}  {}", topic.name, topic.about())).collect();
        assert_eq!(listed, wanted);
    }

    #[test]
    fn a_summary_is_one_line_and_an_option_says_first_what_it_sets() {
        for (name, command) in all() {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(about.len() <= 76 && !about.ends_with('.') || name == "vmfa", "{name}: {about}");
            let ours = |argument: &&clap::Arg| !["help", "version"].contains(&argument.get_id().as_str());
            for argument in command.get_arguments().filter(ours) {
                let short = argument.get_help().map(ToString::to_string).unwrap_or_default();
                let long = argument.get_long_help().map(ToString::to_string).unwrap_or_else(|| short.clone());
                let id = argument.get_id();
                assert!(!short.is_empty(), "{name} {id}");
                assert!(long.starts_with(&short), "{name} {id}: {long}");
            }
        }
    }
}
