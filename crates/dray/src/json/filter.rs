//! A condition on one record, in the language of JSONPath filters: `@.automatic == true`.

use std::fmt;

use super::{Document, NodeId, Path, PathError};

/// A compiled condition.
#[derive(Clone, Debug)]
pub struct Filter {
    written: String,
    /// The path that chooses a record from a list of it alone.
    path: Path,
}

impl Filter {
    /// Compiles a condition on `@`, or on `$`, which is the record too.
    ///
    /// # Errors
    /// Where the text is no condition, or is one of nothing in the record.
    pub fn parse(written: &str) -> Result<Self, PathError> {
        let condition = of_the_record(written);
        if !condition.contains('@') {
            return Err(PathError::new(format!(
                "`{written}` says nothing of the record, which is `@`: `@.automatic == true`"
            )));
        }
        let path = Path::parse(&format!("$[?({condition})]"))
            .map_err(|error| PathError::new(format!("`{written}` is not a condition: {error}")))?;
        Ok(Self { written: written.to_owned(), path })
    }

    /// Whether a record fulfils it; one without the fields that it names does not.
    #[must_use]
    pub fn matches(&self, document: &Document, record: NodeId) -> bool {
        self.path.finds_in(&serde_json::Value::Array(vec![document.value(record)]))
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// `$` outside of texts as `@`.
fn of_the_record(written: &str) -> String {
    let mut quote = None;
    let mut escaped = false;
    let each = written.trim().chars().map(|letter| {
        match (quote, letter) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), letter) if open == letter => quote = None,
            (None, '\'' | '"') => quote = Some(letter),
            (None, '$') => return '@',
            _ => {}
        }
        letter
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(condition: &str) -> Vec<i64> {
        let body = br#"[{"id":1,"automatic":true,"s":"a$"},{"id":2,"automatic":false,"n":null},{"id":3,"p":{"x":5}}]"#;
        let document = Document::parse(body.to_vec()).unwrap();
        let filter = Filter::parse(condition).unwrap();
        let records = document.items(document.root()).filter(|record| filter.matches(&document, *record));
        records.map(|record| Path::key("id").value(&document, record).unwrap().as_i64().unwrap()).collect()
    }

    #[test]
    fn conditions_on_a_record() {
        assert_eq!(matches("@.automatic == true"), [1]);
        assert_eq!(matches("$.automatic == true"), [1]);
        assert_eq!(matches("@.automatic != true"), [2, 3]);
        assert_eq!(matches("@.automatic"), [1, 2]);
        assert_eq!(matches("!@.automatic && @.p.x > 4"), [3]);
        assert_eq!(matches("$.s == 'a$' || $.n == null"), [1, 2]);
        assert_eq!(matches("@.id >= 2 & @.id < 3"), [2]);
    }

    #[test]
    fn what_is_no_condition_is_an_error() {
        assert!(
            Filter::parse("automatic == true").unwrap_err().to_string().contains("the record, which is `@`")
        );
        assert!(Filter::parse("@.a ==").unwrap_err().to_string().contains("`@.a ==` is not a condition"));
        assert!(Filter::parse("@.a)] || $[?(@.b").is_err());
    }
}
