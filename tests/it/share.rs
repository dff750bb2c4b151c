//! `vmfa share` over its real socket: codes by HTTP, each once; who may have which; what is refused; and the program as its
//! client.

mod access;
mod client;
mod hostile;
#[cfg(feature = "postgres")]
mod many;
mod requests;
mod schema;
pub mod service;
mod waits;
