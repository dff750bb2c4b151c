//! Clocks that codes are made for, and the stand-in, which is one.

// Nobody answers.

/// At an address of this machine.
pub(in crate::cli) const RUNNING_THERE: &str = "start `vmfa serve` there; if it was restarted, export what it prints";
pub(in crate::cli) const RUNNING: &str = "check the endpoint: `vmfa serve` prints it";
/// Anywhere else; not the address that just failed.
pub(in crate::cli) fn any_clock(failed: &str) -> &'static str {
    if failed.to_ascii_lowercase().contains("//sts.amazonaws.com") {
        "any web server with a right clock will do; --clock system takes this machine's"
    } else {
        "any web server with a right clock will do, such as https://sts.amazonaws.com"
    }
}

pub(in crate::cli) const NAME_STAND_IN: &str =
    "give --endpoint-url URL, or set AWS_ENDPOINT_URL as `vmfa serve` prints it";
pub(in crate::cli) const FREE_PORT: &str = "to take a free port: --listen 127.0.0.1:0";

// Time stands still.

pub(in crate::cli) const OTHER_CLOCK: &str = "name a clock that goes on: --clock";
pub(in crate::cli) const SCENARIO: &str = "a scenario is a TOML file with users and policies: docs/serve.md";
pub(in crate::cli) const SERVICES_CLOCK: &str = "leave it out to use the service's own clock";

/// By the command that moves a stand-in's time.
pub(in crate::cli) fn advance(command: &str) -> String {
    format!("advance it: `{command}`, or --jump")
}

// Time can't be moved so.

pub(in crate::cli) const FORCE: &str = "to move it back all the same: --force";

pub(in crate::cli) fn move_on(length: &str, unit: &str) -> String {
    format!("to move it on: vmfa serve time +{length}{unit}")
}

pub(in crate::cli) fn unix_time(seconds: u64) -> String {
    format!("if that is Unix time: vmfa serve time @{seconds}")
}

// A time is finer than a second.

pub(in crate::cli) fn whole_seconds(seconds: impl std::fmt::Display) -> String {
    format!("times are in seconds: {seconds}")
}
