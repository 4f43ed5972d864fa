//! Types of columns: as the schema has them, and as DuckDB writes them.

use crate::schema::DataType;

/// DuckDB's name of a type.
pub(super) fn sql_type(data_type: DataType) -> String {
    match data_type {
        DataType::Text => "VARCHAR".to_owned(),
        DataType::Bigint => "BIGINT".to_owned(),
        DataType::Double => "DOUBLE".to_owned(),
        DataType::Bool => "BOOLEAN".to_owned(),
        DataType::Timestamp => "TIMESTAMP WITH TIME ZONE".to_owned(),
        DataType::Date => "DATE".to_owned(),
        DataType::Time => "TIME".to_owned(),
        DataType::Decimal { scale } => format!("DECIMAL(38,{scale})"),
        DataType::Json => "JSON".to_owned(),
        DataType::Binary => "BLOB".to_owned(),
    }
}

/// The type that a column must be given so that it can hold `wanted`, where it has `present` and is too narrow.
/// Everything else that differs is left alone: whoever made the column chose its type.
pub(super) fn widened(present: &str, wanted: DataType) -> Option<String> {
    let wider = match wanted {
        DataType::Double => present == "BIGINT",
        DataType::Decimal { scale } => decimal_scale(present).is_some_and(|present| present < scale),
        _ => false,
    };
    wider.then(|| sql_type(wanted))
}

fn decimal_scale(sql: &str) -> Option<i8> {
    let (_, scale) = sql.strip_prefix("DECIMAL(")?.strip_suffix(')')?.split_once(',')?;
    scale.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_narrow_numbers_are_widened() {
        assert_eq!(widened("BIGINT", DataType::Double).as_deref(), Some("DOUBLE"));
        assert_eq!(
            widened("DECIMAL(38,2)", DataType::Decimal { scale: 9 }).as_deref(),
            Some("DECIMAL(38,9)")
        );
        assert_eq!(widened("DECIMAL(38,9)", DataType::Decimal { scale: 2 }), None);
        assert_eq!(widened("VARCHAR", DataType::Double), None);
        assert_eq!(widened("DOUBLE", DataType::Bigint), None);
    }
}
