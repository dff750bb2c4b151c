//! What comes of files, options and the environment.

use std::path::{Path, PathBuf};

use vmfa::aws::profile::{Files, Text};
use vmfa::aws::settings::{Choice, Error, Options, Service, Settings};

use super::scenario;

#[test]
fn every_scenario_ends_as_its_file_says() {
    let mut failures = Vec::new();
    for scenario in scenario::all() {
        let found = scenario.ours();
        assert!(!scenario.expected.is_empty(), "{} expects nothing", scenario.name);
        for (aspect, expected) in &scenario.expected {
            let found = found.get(aspect).map_or("nothing", String::as_str);
            if found != expected {
                failures.push(format!("{}: {aspect} is {found}, not {expected}", scenario.name));
            }
        }
        if !scenario.expected.contains_key("refused")
            && let Some(variant) = found.get("refused")
        {
            failures.push(format!("{}: refused, {variant}", scenario.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Settings from a config file and variables, without a home.
fn settings(options: &Options, variables: &[(&str, &str)], config: &str) -> Result<Settings, Error> {
    let config = Text { name: "config", bytes: Some(config.as_bytes()) };
    let files = Files::parse(&config, &Text { name: "credentials", bytes: None });
    let environment =
        |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Settings::of(options, &environment, Some(Path::new("/home/u")), files)
}

fn profile(name: &str) -> Options {
    Options { profile: Some(name.to_owned()), ..Options::default() }
}

#[test]
fn a_slip_in_a_profiles_name_finds_the_one_that_was_meant() {
    let files = "[profile production]\n[profile test]";
    let nearest = |name: &str| match settings(&profile(name), &[], files) {
        Err(Error::NoProfile { nearest, known, .. }) => (nearest, known),
        other => panic!("{other:?}"),
    };
    let known = vec!["production".to_owned(), "test".to_owned()];
    assert_eq!(nearest("production2"), (Some("production".to_owned()), known.clone()));
    assert_eq!(nearest("x"), (None, known));
    let error = settings(&profile("production2"), &[], files).unwrap_err();
    assert_eq!(error.to_string(), "no profile is named `production2`");
}

#[test]
fn a_profile_in_the_wrong_sort_of_section_is_told_from_one_that_is_not_there() {
    let error = settings(&profile("a"), &[], "[a]\nregion = eu-west-1").unwrap_err();
    assert_eq!(error.to_string(), "no profile is named `a`: the section `[a]` of config must be `[profile a]`");
}

#[test]
fn a_profile_that_may_stand_below_a_broken_line_is_not_called_missing() {
    let error = settings(&profile("a"), &[], "[profile a\nregion = eu-west-1").unwrap_err();
    assert!(matches!(error, Error::File(_)), "{error}");
    assert_eq!(error.to_string(), "config, line 1: a section begins with `[NAME]` on a line of its own");
}

#[test]
fn who_chose_the_profile_is_kept() {
    let config = "[profile a]\n[profile b]";
    let chosen = |options: &Options, variables| {
        let settings = settings(options, variables, config).unwrap();
        (settings.profile().to_owned(), settings.choice())
    };
    assert_eq!(chosen(&profile("a"), &[("AWS_PROFILE", "b")]), ("a".to_owned(), Choice::Option));
    assert_eq!(chosen(&Options::default(), &[("AWS_PROFILE", "b")]), ("b".to_owned(), Choice::Variable));
    assert_eq!(chosen(&Options::default(), &[]), ("default".to_owned(), Choice::Nobody));
}

#[test]
fn certificates_and_attempts_come_from_variables_or_the_profile() {
    let config = "[default]\nca_bundle = ~/ca.pem\nmax_attempts = 4";
    let from_profile = settings(&Options::default(), &[], config).unwrap();
    assert_eq!(from_profile.ca_bundle(), Some(Path::new("/home/u/ca.pem")));
    assert_eq!(from_profile.max_attempts().unwrap().get(), 4);
    let variables = [("AWS_CA_BUNDLE", "/ca.pem"), ("AWS_MAX_ATTEMPTS", "2")];
    let from_variables = settings(&Options::default(), &variables, config).unwrap();
    assert_eq!(from_variables.ca_bundle(), Some(PathBuf::from("/ca.pem").as_path()));
    assert_eq!(from_variables.max_attempts().unwrap().get(), 2);
    for number in ["0", "-1", "many"] {
        let error = settings(&Options::default(), &[("AWS_MAX_ATTEMPTS", number)], "").unwrap_err();
        assert_eq!(error.to_string(), "AWS_MAX_ATTEMPTS is no number from 1");
    }
}

#[test]
fn truth_values_are_words() {
    let error = settings(&Options::default(), &[("AWS_USE_FIPS_ENDPOINT", "1")], "").unwrap_err();
    assert!(matches!(error, Error::Boolean { .. }), "{error}");
    assert!(settings(&Options::default(), &[("AWS_USE_FIPS_ENDPOINT", "False")], "").is_ok());
}

#[test]
fn an_endpoint_of_ones_own_needs_no_fips() {
    let options = Options { endpoint_url: Some("https://fips.example.com".to_owned()), ..Options::default() };
    let settings = settings(&options, &[("AWS_USE_FIPS_ENDPOINT", "true")], "").unwrap();
    assert!(settings.endpoint(Service::Iam).custom);
    assert_eq!(settings.endpoint(Service::Sts).url, "https://fips.example.com");
}

#[test]
fn messages_name_the_place_and_never_what_stands_there() {
    let hidden = "http://user:hidden@example.com/?hidden#hidden";
    let config = format!("[default]\nregion = hidden/\nservices = s\n[services s]\nsts =\n  endpoint_url = {hidden}\n");
    let region = [("AWS_REGION", "eu-west-1")];
    for (error, place) in [
        (settings(&Options::default(), &[], &config), "`region` of profile `default`"),
        (settings(&Options::default(), &region, &config), "`endpoint_url` of sts in `[services s]`"),
        (settings(&Options::default(), &[("AWS_ENDPOINT_URL_IAM", hidden)], ""), "AWS_ENDPOINT_URL_IAM"),
        (settings(&Options::default(), &[("AWS_MAX_ATTEMPTS", "hidden")], ""), "AWS_MAX_ATTEMPTS"),
        (settings(&Options { region: Some("hidden/".to_owned()), ..Options::default() }, &[], ""), "--region"),
    ] {
        let error = error.unwrap_err();
        assert!(error.to_string().starts_with(place), "{error}");
        assert!(!format!("{error} {error:?}").contains("hidden"), "{error:?}");
    }
}
