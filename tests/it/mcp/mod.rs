//! `vmfa mcp` over real stdio: a client that says what it is told to, and the reference client from PyPI.

mod audit;
mod client;
mod ends;
mod hostile;
mod protocol;
mod reference;
mod tools;
