//! AWS's settings and credentials; and the flows against the stand-in: in this process and on virtual time, with faults on the
//! way, and by the program itself against a server.

#[cfg(all(feature = "cli", target_os = "linux"))]
mod batch;
#[cfg(feature = "cli")]
mod botocore;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod careful;
mod credentials;
#[cfg(feature = "serve")]
mod denied;
#[cfg(feature = "serve")]
mod explained;
#[cfg(feature = "serve")]
mod flows;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod kill;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod messages;
#[cfg(feature = "cli")]
mod moto;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod over;
mod process;
mod profiles;
#[cfg(feature = "cli")]
mod proxy;
mod scenario;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod sessions;
mod settings;
#[cfg(all(feature = "cli", target_os = "linux"))]
mod standing;
#[cfg(feature = "serve")]
mod support;
