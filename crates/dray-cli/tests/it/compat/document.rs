//! `docs/compatibility.md`: its table of differences is made from the cases.

use std::fmt::Write;
use std::path::Path;

use super::case::{Case, yaml};

const BEGIN: &str =
    "<!-- differences: made from compat/differences.yaml and the cases; `make compat` renews it -->\n";
const END: &str = "<!-- end of differences -->\n";

/// The document says what the cases say, and every difference is shown by a case.
pub(super) fn is_current(compat: &Path, cases: &[Case]) {
    let path = compat.join("../docs/compatibility.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (made, after) = rest.split_once(END).unwrap();
    let wanted = table(compat, cases);
    if made != wanted && std::env::var_os("DRAY_COMPAT_WRITE").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{wanted}{END}{after}")).unwrap();
        return;
    }
    assert_eq!(made, wanted, "docs/compatibility.md is not current: run `make compat`");
}

fn table(compat: &Path, cases: &[Case]) -> String {
    let differences = yaml(&std::fs::read_to_string(compat.join("differences.yaml")).unwrap());
    let differences = differences.as_object().unwrap();
    let mut table = String::from("| difference | dlt | dray | cases |\n|---|---|---|---|\n");
    for (name, difference) in differences {
        let text = |key: &str| {
            difference[key]
                .as_str()
                .unwrap_or_else(|| panic!("{name} has no {key} in compat/differences.yaml"))
        };
        let mut named: Vec<String> = cases
            .iter()
            .filter(|case| case.differences().any(|(_, meant)| meant["because"] == name.as_str()))
            .map(|case| format!("`{}`", case.name))
            .collect();
        if difference["everywhere"] == true {
            named.push("all with a key".to_owned());
        }
        assert!(!named.is_empty(), "no case shows the difference {name}");
        writeln!(table, "| `{name}` | {} | {} | {} |", text("dlt"), text("dray"), named.join(", ")).unwrap();
    }
    for case in cases {
        assert!(!case.about().is_empty(), "{} does not say what it is about", case.name);
        for (kind, meant) in case.differences() {
            let because =
                meant["because"].as_str().unwrap_or_else(|| panic!("{}: {kind} has no reason", case.name));
            assert!(
                differences.contains_key(because),
                "{}: {because} is not in compat/differences.yaml",
                case.name
            );
        }
    }
    table
}
