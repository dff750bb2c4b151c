//! The AWS flows, against the stand-in: in this process and on virtual time, with faults on the way; and the program
//! itself against a server.

mod denied;
mod flows;
mod support;
