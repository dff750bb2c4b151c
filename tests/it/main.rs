//! Behaviour, one module a subject, through the real binary where there is something to run; one crate,
//! so that it is linked once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, clippy::disallowed_methods, clippy::print_stderr, unreachable_pub)]
#![allow(clippy::print_stdout, clippy::cast_possible_truncation)]

#[cfg(feature = "aws")]
mod aws;
mod backends;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod backup;
#[cfg(feature = "cli")]
mod bad_input;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod book;
#[cfg(feature = "cli")]
mod clock;
#[cfg(feature = "cli")]
mod codes;
#[cfg(feature = "cli")]
mod commands;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod completions;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod desktop;
#[cfg(feature = "cli")]
mod documents;
#[cfg(feature = "cli")]
mod drawing;
#[cfg(feature = "cli")]
mod drift;
#[cfg(feature = "cli")]
mod edit;
#[cfg(feature = "qr")]
mod embedded;
#[cfg(all(feature = "cli", feature = "testing"))]
mod examples;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod exchange;
#[cfg(all(feature = "cli", unix))]
mod export;
#[cfg(all(feature = "cli", feature = "postgres", target_os = "linux"))]
mod fleet;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod hygiene;
#[cfg(feature = "cli")]
mod import;
#[cfg(feature = "cli")]
mod init;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod killed;
mod layers;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod leases;
mod lifecycle;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod lifeline;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod list;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod mcp;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod node;
mod oath;
#[cfg(feature = "cli")]
mod oracle;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod packages;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod pages;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod parts;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod picker;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod plugins;
mod policy;
mod provision;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod python;
#[cfg(feature = "qr")]
mod qr;
#[cfg(feature = "cli")]
mod recipients;
mod registry;
mod relying_party;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod schemas;
#[cfg(feature = "serve")]
mod serve;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod share;
#[cfg(feature = "cli")]
mod slips;
#[cfg(feature = "cli")]
mod sources;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod steam;
#[cfg(feature = "cli")]
mod story;
mod support;
#[cfg(feature = "testing")]
mod testing;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod trash;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod unlock;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod vault;
#[cfg(feature = "cli")]
mod verify;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod watch;
mod wire;
#[cfg(feature = "cli")]
mod words;
