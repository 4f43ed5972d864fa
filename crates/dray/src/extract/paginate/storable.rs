//! A page token as it may be kept in a database: without the credentials that an API repeats in its links.

use super::Token;
use crate::extract::request::without_query;
use crate::secret::Scrubber;

/// The token without the parameters that carry keys (`signed_by`: every request gets them anew); none where a secret is
/// left in it, because it was not the client that put it there. Such a chain begins again after a crash.
pub(in crate::extract) fn storable<'a>(
    token: &Token,
    signed_by: impl IntoIterator<Item = &'a str>,
    secrets: &Scrubber,
) -> Option<Token> {
    match token {
        Token::Link(url) => {
            let mut url = url.clone();
            for name in signed_by {
                without_query(&mut url, name);
            }
            let decoded =
                url.query_pairs().any(|(name, value)| secrets.finds(&name) || secrets.finds(&value));
            (!decoded && !secrets.finds(url.as_str())).then_some(Token::Link(url))
        }
        Token::Cursor(cursor) => (!secrets.finds(cursor)).then(|| token.clone()),
        Token::First | Token::Offset(_) | Token::Page(_) => Some(token.clone()),
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::secret::Secret;

    fn stored(link: &str) -> Option<String> {
        let secrets = Scrubber::new([&Secret::new("swordfish/42")]);
        match storable(&Token::Link(Url::parse(link).unwrap()), Some("api_key"), &secrets)? {
            Token::Link(url) => Some(url.into()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_link_is_kept_without_the_key() {
        for (link, kept) in [
            ("https://a.example/x?page=2", Some("https://a.example/x?page=2")),
            ("https://a.example/x?api_key=swordfish%2F42&page=2", Some("https://a.example/x?page=2")),
            ("https://a.example/x?page=2&api_key=another", Some("https://a.example/x?page=2")),
            ("https://a.example/x?api_key=swordfish%2F42", Some("https://a.example/x")),
            ("https://a.example/x?k=swordfish/42&page=2", None),
            ("https://a.example/x?k=%73wordfish%2f42", None),
            ("https://a.example/swordfish%2f42?page=2", None),
            ("https://a.example/x?state=c3dvcmRmaXNoLzQy", None),
        ] {
            assert_eq!(stored(link).as_deref(), kept, "{link}");
        }
    }

    #[test]
    fn a_cursor_that_holds_a_secret_is_not_kept() {
        let secrets = Scrubber::new([&Secret::new("swordfish/42")]);
        let kept = |token: Token| storable(&token, None, &secrets) == Some(token);
        assert!(kept(Token::Cursor("abc".to_owned())) && kept(Token::Offset(7)) && kept(Token::First));
        assert!(!kept(Token::Cursor("after:swordfish/42".to_owned())));
    }
}
