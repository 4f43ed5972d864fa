//! What can go wrong in a run: one error with a kind, a context and a chain of causes.
//!
//! Problems in a configuration are many and located; they are [`crate::config::Diagnostics`].

use std::fmt;

/// The result of anything that a run does.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync + 'static>;

/// Which kind of thing went wrong; callers and exit codes depend on this alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration is wrong.
    Config,
    /// The API refused the credentials, or no token could be had.
    Auth,
    /// No usable answer came, after all attempts.
    Request,
    /// The answer cannot be used: not JSON, no records where they must be, too large.
    Response,
    /// The pages do not make a chain that ends.
    Pagination,
    /// A record does not fit the schema or its contract.
    Schema,
    /// The database refused something.
    Destination,
    /// Another process holds the database.
    Locked,
    /// What an earlier run stored cannot be used.
    State,
    /// A stored position leads nowhere any more: its pass must start over.
    Stale,
    /// The user stopped the run.
    Cancelled,
    /// A promise of this program does not hold.
    Bug,
}

/// A failure of a run. `Display` prints its own message and context, never the source;
/// whoever prints it walks the chain.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    context: Vec<(&'static str, String)>,
    hint: Option<String>,
    source: Option<Source>,
}

impl Error {
    /// An error of `kind`; the message is lower case, without a full stop, and says what was attempted.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), context: Vec::new(), hint: None, source: None }))
    }

    /// Adds a fact. Keys: resource, table, column, method, url, status, page, attempt, elapsed, path, load_id, file, body.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        self.0.context.push((key, value.to_string()));
        self
    }

    /// Adds what the user can do about it, written as an action.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Names the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The facts added with [`Error::with`], in order.
    #[must_use]
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }

    /// The first fact of this key.
    #[must_use]
    pub fn fact(&self, key: &str) -> Option<&str> {
        self.0.context.iter().find(|(own, _)| *own == key).map(|(_, value)| value.as_str())
    }

    /// What the user can do about it.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The error and all its causes on one line.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        for (index, (key, value)) in self.0.context.iter().enumerate() {
            write!(f, "{}{key}: {value}", if index == 0 { " (" } else { ", " })?;
        }
        if self.0.context.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| source.as_ref() as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_has_no_source_and_chain_has_it_once() {
        let cause = Error::new(ErrorKind::Request, "connection reset");
        let error = Error::new(ErrorKind::Response, "cannot read page").with("page", 3).caused_by(cause);
        assert_eq!(error.to_string(), "cannot read page (page: 3)");
        assert_eq!(error.chain(), "cannot read page (page: 3): connection reset");
    }
}
