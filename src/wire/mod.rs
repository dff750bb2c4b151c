//! What IAM and STS speak on the wire, in both directions: the AWS Query protocol ([`query`] in, [`xml`] out) and AWS
//! Signature Version 4 ([`sigv4`]), as the IAM User Guide ("AWS Signature Version 4 for API requests") has it.
//!
//! Nothing here opens a connection or reads a clock: a request is borrowed text, a time is an argument.

mod percent;
pub mod query;
pub mod sigv4;
pub mod xml;

/// Limits that are checked before any other work: anybody who can reach the endpoint can send anything.
pub mod limits {
    /// Bytes of a form body or a query string.
    pub const BYTES: usize = 1_048_576;
    /// Parameters of a form body or a query string.
    pub const PARAMETERS: usize = 2_000;
    /// Members that a list may leave out in one place, as IAM was seen to take it.
    pub const GAP: u32 = 10;
    /// Bytes of a method.
    pub const METHOD: usize = 32;
    /// Bytes of a path.
    pub const PATH: usize = 8_192;
    /// Headers of a request.
    pub const HEADERS: usize = 200;
    /// Bytes of all headers, names and values.
    pub const HEADER_BYTES: usize = 65_536;
    /// Bytes of the text that names a signature: an `Authorization` header, or a query parameter.
    pub const AUTHORIZATION: usize = 8_192;
    /// Headers that a signature may cover.
    pub const SIGNED_HEADERS: usize = 100;
    /// Bytes of a session token.
    pub const TOKEN: usize = 16_384;
    /// Bytes of an answer in which an error is looked for.
    pub const ERROR_BYTES: usize = 65_536;
    /// Levels of such an answer; the deepest form has four.
    pub const ERROR_DEPTH: usize = 16;
}
