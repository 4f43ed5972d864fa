//! What bodies are written in, decided (`endpoint.format`).

/// How a body becomes records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormatPlan {
    /// What it is written in.
    pub kind: FormatKind,
    /// How its bytes spell characters, where that is not left to the answer.
    pub encoding: Option<Encoding>,
    /// Bytes that are not UTF-8 are replaced and NUL bytes left out, in place of a reject.
    pub lossy: bool,
    /// A body that is a gzip or zip file is taken as it is.
    pub packed: bool,
}

/// What a body is written in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum FormatKind {
    /// JSON; one document a line where the answer says so.
    #[default]
    Json,
    /// One JSON document a line.
    Lines,
    /// Rows of fields.
    Csv(CsvPlan),
    /// Elements.
    Xml(XmlPlan),
}

impl FormatKind {
    /// Its name, as in a sentence.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Lines => "one JSON document a line",
            Self::Csv(_) => "CSV",
            Self::Xml(_) => "XML",
        }
    }
}

/// Encodings that a body may be declared to be in, beside UTF-8 and UTF-16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Encoding {
    Utf8,
    Latin1,
    Windows1252,
}

/// How rows are cut into fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvPlan {
    /// Between two fields.
    pub delimiter: u8,
    /// Around a field that holds a delimiter or a line break.
    pub quote: u8,
    /// The first row names the fields.
    pub header: bool,
    /// The fields' names where no row gives them; empty: `column_1`, `column_2`, ...
    pub columns: Vec<String>,
    /// Numbers, `true` and `false` are taken as such.
    pub infer: bool,
}

/// How elements become values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct XmlPlan {
    /// Elements that are lists, however often they stand.
    pub lists: Vec<String>,
    /// The names that lead to the records, outermost first: the last of them is a list, which may be empty.
    pub records: Vec<String>,
    /// Numbers, `true` and `false` are taken as such.
    pub infer: bool,
}
