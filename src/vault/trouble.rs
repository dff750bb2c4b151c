//! What goes wrong with a program that somebody else wrote.

/// What an age plugin (`age-plugin-NAME`) did instead of its work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// It isn't there.
    #[error("is not in PATH")]
    Missing,
    /// It is there, and the OS doesn't start it.
    #[error("can't be started: {0}")]
    NotStarted(String),
    /// No answer in time.
    #[error("gave no answer within {}", crate::time::words(*seconds))]
    TimedOut {
        /// The limit.
        seconds: u64,
    },
    /// It asked a question that nobody could be asked.
    #[error("asks for something, and nobody can be asked here: {question}")]
    Asks {
        /// What it said.
        question: String,
    },
    /// The secret that it asked for was a wrong one.
    #[error("was given a wrong secret")]
    WrongSecret,
    /// It ended too early.
    #[error("ended before it had answered ({0})")]
    Ended(String),
    /// It said what no plugin says.
    #[error("gave an answer that is not of age's plugin protocol")]
    Nonsense,
    /// It said why it can't.
    #[error("says: {0}")]
    Says(String),
}
