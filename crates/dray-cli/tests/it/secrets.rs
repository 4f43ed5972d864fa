//! Credentials are in no output, no report and no database, however a run ends.

use dray_sim::{Api, Fault, Options, Sim};

use crate::support::Bench;

fn stripe() -> Bench {
    let bench = Bench::new(Sim::start(Options { api: Api::Stripe, size: 30, ..Options::default() }).unwrap());
    bench.write("shop.yaml", CONFIG);
    bench
}

const CONFIG: &str = "\
client:
  base_url: https://api.stripe.com/v1/
  auth: {type: bearer, token: \"${secrets.api_key}\"}
  retry: {max_retries: 1, backoff_factor: 0.01}
resource_defaults:
  endpoint: {data_selector: data, paginator: {type: cursor, cursor_field: id, cursor_param: starting_after, has_more_path: has_more}}
resources: [charges, customers]
";

const LOUD: [&str; 1] = ["-vvv"];

#[test]
fn a_run_that_loads() {
    let bench = stripe();
    let ran = bench.run("shop.yaml", &LOUD);
    ran.succeeded();
    assert!(ran.stderr.contains("DEBUG") || ran.stderr.contains("TRACE"), "{}", ran.stderr);
    bench.assert_no_secret(&ran);
}

#[test]
fn a_run_that_is_refused() {
    for status in [401, 403, 503] {
        let bench = stripe();
        // An API that says in its answer what it was sent.
        let key = bench.sim.secrets().remove(0).1;
        let body = format!("{{\"error\":\"bad key {key}\"}}");
        bench.sim.fault(Fault::status(status).body(body).on("/v1/charges").always());
        let ran = bench.run("shop.yaml", &LOUD);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert_eq!(ran.report["resources"]["charges"]["status"], "failed");
        assert_eq!(ran.report["resources"]["customers"]["status"], "succeeded");
        assert!(ran.stderr.contains(&status.to_string()), "{}", ran.stderr);
        bench.assert_no_secret(&ran);
    }
}

#[test]
fn a_file_that_is_wrong() {
    let bench = stripe();
    let ran = bench.run("shop.yaml", &["--set", "client.auth.tokken=${secrets.api_key}"]);
    assert_eq!(ran.code, 2);
    bench.assert_no_secret(&ran);
}

/// Everything but the configuration itself, which holds the credential here.
fn literal(config: &str, expected: i32) {
    let bench = stripe();
    let key = bench.sim.secrets().remove(0).1;
    let text = config.replace("${secrets.api_key}", &key);
    assert!(text.contains(&key));
    let file = if text.starts_with('{') { "shop.json" } else { "shop.yaml" };
    bench.write(file, &text);
    let ran = bench.run(file, &LOUD);
    assert_eq!(ran.code, expected, "{}", ran.stderr);
    bench.write(file, "");
    bench.assert_no_secret(&ran);
}

#[test]
fn a_credential_in_the_file() {
    literal(CONFIG, 0);
}

#[test]
fn a_credential_in_a_file_that_is_wrong() {
    literal(&CONFIG.replace("base_url", "base_ulr"), 2);
    literal(&CONFIG.replace("{type: bearer, token", "{type: bearer, tokken"), 2);
    literal(&CONFIG.replace("{type: bearer, token: ", "{type: baerer, token: "), 2);
    literal(
        &CONFIG.replace("\"${secrets.api_key}\"}", "\"${secrets.api_key}\", token: \"${secrets.api_key}\"}"),
        2,
    );
    // The line where the file stops being YAML is the credential's.
    literal(&CONFIG.replace("\"${secrets.api_key}\"}", "\"${secrets.api_key}\""), 2);
    literal("{\"client\": {\"auth\": {\"type\": \"bearer\", \"token\": \"${secrets.api_key}\",}}}", 2);
}

#[test]
fn a_credential_in_headers_and_parameters() {
    let bench = stripe();
    let key = bench.sim.secrets().remove(0).1;
    let given = format!("  headers: {{Authorization: Bearer {key}, X-Shop: shop-no-secret}}\n  retry");
    let config = CONFIG
        .replace("  auth: {type: bearer, token: \"${secrets.api_key}\"}\n", "")
        .replace("  retry", &given);
    bench.write("shop.yaml", &config);
    let plan = String::from_utf8(bench.dray(&["plan", "shop.yaml"]).stdout).unwrap();
    assert!(plan.contains("X-Shop: shop-no-secret") && plan.contains("Authorization: ***"), "{plan}");
    assert!(!plan.contains(&key));
    bench.sim.fault(Fault::status(401).body(format!("{{\"error\":\"{key}\"}}")).on("/v1/charges").always());
    let ran = bench.run("shop.yaml", &LOUD);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert_eq!(ran.report["resources"]["customers"]["status"], "succeeded");
    bench.write("shop.yaml", "");
    bench.assert_no_secret(&ran);
}

#[test]
fn a_credential_on_the_command_line() {
    let bench = stripe();
    let key = bench.sim.secrets().remove(0).1;
    let ran = bench.run("shop.yaml", &["-vvv", "--set", &format!("client.auth.token={key}")]);
    ran.succeeded();
    bench.assert_no_secret(&ran);
    let ran = bench.run("shop.yaml", &["--set", &format!("client.auth.tokken={key}")]);
    assert_eq!(ran.code, 2);
    bench.assert_no_secret(&ran);
    let ran =
        bench.run("shop.yaml", &["--set", &format!("client.base_url=https://user:{key}@example.com/{{x}}")]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    bench.assert_no_secret(&ran);
}

#[cfg(unix)]
#[test]
fn a_file_of_secrets_that_others_can_read_is_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = stripe();
    let key = bench.sim.secrets().remove(0).1;
    std::fs::create_dir(bench.path(".dlt")).unwrap();
    bench.write(".dlt/secrets.toml", &format!("proof_key = '{key}'\n"));
    bench.write("shop.yaml", &CONFIG.replace("api_key", "proof_key"));
    let warned = |mode: u32| {
        let file = std::fs::File::open(bench.path(".dlt/secrets.toml")).unwrap();
        file.set_permissions(std::fs::Permissions::from_mode(mode)).unwrap();
        let ran = bench.run("shop.yaml", &[]);
        ran.succeeded();
        assert!(!ran.stderr.contains(&key));
        ran.stderr.contains("chmod 600 .dlt/secrets.toml")
    };
    assert!(warned(0o644) && warned(0o640) && warned(0o604));
    assert!(!warned(0o600) && !warned(0o400));
}
