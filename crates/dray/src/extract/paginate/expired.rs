//! A page token that the API no longer takes.

use super::Token;
use crate::error::Error;

/// Whether a request with this token failed in a way that says: the token is no good any more, begin again. Only tokens
/// that the API made itself can expire.
pub(in crate::extract) fn is_expired(token: &Token, error: &Error) -> bool {
    let made_by_api = matches!(token, Token::Cursor(_) | Token::Link(_));
    made_by_api && matches!(error.fact("status"), Some("400" | "404" | "410"))
}

/// The error with what it means on a page after the first.
pub(in crate::extract) fn explained(token: &Token, error: Error) -> Error {
    if is_expired(token, &error) {
        return error.hint(
            "the API gave this page token itself and now refuses it: it may have expired, or what it points at is gone; the next run begins the list anew",
        );
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn only_a_token_of_the_api_that_is_refused_has_expired() {
        let refused = |status: u16| Error::new(ErrorKind::Request, "the API refuses").with("status", status);
        let cursor = Token::Cursor("a".to_owned());
        let link = Token::Link("https://api.example.com/x?page=2".parse().unwrap());
        for (token, status, expected) in [
            (&cursor, 400, true),
            (&cursor, 404, true),
            (&link, 410, true),
            (&cursor, 401, false),
            (&cursor, 500, false),
            (&Token::Offset(10), 400, false),
            (&Token::First, 404, false),
        ] {
            assert_eq!(is_expired(token, &refused(status)), expected, "{token:?} {status}");
        }
        assert!(explained(&cursor, refused(410)).advice().is_some());
        assert!(explained(&Token::Page(2), refused(410)).advice().is_none());
    }
}
