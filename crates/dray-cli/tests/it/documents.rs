//! The configurations that the documentation shows are right, and the first one loads what it says.

use std::path::Path;
use std::process::Command;

use dray_sim::{Api, Options, Sim};

use crate::support::Bench;

/// What the documentation takes from the environment.
const SECRETS: [&str; 7] =
    ["API_KEY", "CLIENT_ID", "CLIENT_SECRET", "ACCOUNT_ID", "USERNAME", "PASSWORD", "REFRESH_TOKEN"];

/// The documents whose configurations are checked.
pub(crate) const SHOWING: [&str; 3] = ["README.md", "docs/configuration.md", "docs/cookbook.md"];

pub(crate) fn document(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)).unwrap()
}

/// The YAML blocks of a document.
pub(crate) fn blocks(document: &str) -> Vec<&str> {
    document.split("```yaml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0).collect()
}

fn indented(text: &str, by: usize) -> String {
    text.lines().map(|line| format!("{:by$}{line}\n", "")).collect()
}

/// A block with what it leaves out around it.
pub(crate) fn completed(block: &str) -> String {
    const CLIENT: &str = "client: {base_url: 'https://api.example.com/'}\n";
    let first = block.split([':', ' ']).next().unwrap();
    match first {
        _ if block.contains("resources:") => block.to_owned(),
        "client" => {
            let base = "client:\n  base_url: https://api.example.com/\n";
            format!("{}resources: [posts]\n", block.replacen("client:\n", base, 1))
        }
        "columns" => format!(
            "{CLIENT}resources:\n  - name: posts\n    primary_key: id\n    write_disposition: merge\n{}",
            indented(block, 4)
        ),
        "endpoint" | "processing_steps" => {
            format!("{CLIENT}resources:\n  - name: posts\n{}", indented(block, 4))
        }
        "-" => format!("{CLIENT}resources:\n  - invoices\n{}", indented(block, 2)),
        _ => format!(
            "{CLIENT}resources:\n  - name: posts\n    endpoint:\n      path: posts\n{}",
            indented(block, 6)
        ),
    }
}

#[test]
fn every_configuration_in_the_documentation_is_right() {
    let folder = tempfile::tempdir().unwrap();
    // A list that an example names.
    std::fs::write(folder.path().join("metrics.txt"), "visits\n").unwrap();
    let mut checked = 0;
    for name in SHOWING {
        for block in blocks(&document(name)) {
            let file = folder.path().join("shown.yaml");
            std::fs::write(&file, completed(block)).unwrap();
            let output = Command::new(env!("CARGO_BIN_EXE_dray"))
                .current_dir(folder.path())
                .envs(SECRETS.map(|name| (name, "swordfish-4242")))
                .args(["check", "shown.yaml"])
                .output()
                .unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(0), "{name}:\n{}\n{said}", completed(block));
            checked += 1;
        }
    }
    assert!(checked >= 9, "{checked}");
}

#[test]
fn the_first_configuration_of_the_readme_loads_what_it_says() {
    let bench = Bench::new(Sim::start(Options { api: Api::Orb, size: 40, ..Options::default() }).unwrap());
    bench.write("orb.yaml", blocks(&document("README.md"))[0]);
    bench.run("orb.yaml", &[]).succeeded();
    for table in ["customers", "credits_ledger_entries"] {
        let rows = bench.number(&format!("SELECT count(*) FROM test_dataset.{table}"));
        assert_eq!(rows, bench.sim.expected(table).len() as u64, "{table}");
    }
    let orphans = "SELECT count(*) FROM test_dataset.credits_ledger_entries AS l WHERE NOT EXISTS \
                   (SELECT 1 FROM test_dataset.customers AS c WHERE c.id = l._customers_id)";
    assert_eq!(bench.number(orphans), 0);
}
