//! Singular forms of resource names, to find the fields that name a record (`customers` -> `customer_id`).

/// The singular of a plural noun, by English rules good enough for API names; the last word of a
/// snake_case name is what changes.
pub(crate) fn singular(name: &str) -> String {
    const ODD: [(&str, &str); 8] = [
        ("people", "person"),
        ("children", "child"),
        ("men", "man"),
        ("indices", "index"),
        ("criteria", "criterion"),
        ("movies", "movie"),
        ("cookies", "cookie"),
        ("series", "series"),
    ];
    const WHOLE: [&str; 8] = ["status", "address", "news", "data", "usage", "business", "process", "access"];
    let (head, word) = match name.rfind(['_', '-']) {
        Some(at) => name.split_at_checked(at + 1).unwrap_or(("", name)),
        None => ("", name),
    };
    let changed = |from: &str, to: &str| word.strip_suffix(from).map(|stem| format!("{head}{stem}{to}"));
    if WHOLE.contains(&word) || word.ends_with("ss") {
        return name.to_owned();
    }
    if let Some((_, one)) = ODD.iter().find(|(many, _)| *many == word) {
        return format!("{head}{one}");
    }
    for (from, to) in [
        ("statuses", "status"),
        ("aliases", "alias"),
        ("caches", "cache"),
        ("uses", "use"),
        ("ies", "y"),
        ("sses", "ss"),
        ("shes", "sh"),
        ("ches", "ch"),
        ("xes", "x"),
        ("zes", "ze"),
    ] {
        if let Some(one) = changed(from, to) {
            return one;
        }
    }
    changed("s", "").filter(|one| !one.ends_with('_') && !one.is_empty()).unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_resources() {
        for (many, one) in [
            ("customers", "customer"),
            ("products", "product"),
            ("addons", "addon"),
            ("taxes", "tax"),
            ("quotes", "quote"),
            ("expenses", "expense"),
            ("currencies", "currency"),
            ("companies", "company"),
            ("addresses", "address"),
            ("invoices", "invoice"),
            ("purchases", "purchase"),
            ("recurring_expenses", "recurring_expense"),
            ("branches", "branch"),
            ("statuses", "status"),
            ("subscription_usage", "subscription_usage"),
            ("people", "person"),
            ("address", "address"),
            ("s", "s"),
        ] {
            assert_eq!(singular(many), one, "{many}");
        }
    }
}
