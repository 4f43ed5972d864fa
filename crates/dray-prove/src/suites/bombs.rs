//! R13: answers made to exhaust a machine, against the command line in a process of its own.

use std::time::Duration;

use crate::load::Folder;
use crate::measured::{self, Measured};
use crate::pack::{ENCODINGS, pack, pack_repeated};
use crate::raw::{Answer, Raw, Step};
use crate::suite::{Bench, Outcome, Scale, Suite};

/// The suite.
pub(super) const SUITE: Suite = Suite {
    id: "R13",
    name: "resource bombs",
    criterion: "below 512 MiB and 10 s with the default limits, and either loaded without loss or refused with the limit",
    dlt: "a gzip bomb of 0.5 MB takes 6.1 GB, 27 KB of sparse keys 12.6 GB; a body that drips is read for ever",
    run,
};

/// MiB that a run may take.
const CEILING: u64 = 512;
/// How long a run may take.
const LONGEST: Duration = Duration::from_secs(10);

/// A bomb.
struct Bomb {
    name: String,
    /// Further keys of the client.
    client: &'static str,
    expect: Expect,
    steps: Answer,
}

/// What must come of it.
enum Expect {
    /// The resource fails and says this.
    Fails(&'static str),
    /// So many rows and rejects.
    Loads { rows: u64, rejected: u64 },
}

use Expect::{Fails, Loads};

const JSON: &str = "Content-Type: application/json";

fn run(bench: &Bench) -> Outcome {
    let mut outcome = Outcome::default();
    let bombs = match bombs(bench) {
        Ok(bombs) => bombs,
        Err(error) => {
            outcome.case("making the bombs", Err(error.to_string()));
            return outcome;
        }
    };
    let (mut highest, mut longest) = ((0, String::new()), (Duration::ZERO, String::new()));
    for Bomb { name, client, expect, steps } in bombs {
        let measured = explode(bench, client, steps);
        if let Ok(measured) = &measured {
            highest = highest.max((measured.peak.unwrap_or_default(), name.clone()));
            longest = longest.max((measured.took, name.clone()));
        }
        outcome.case(&name, measured.and_then(|measured| judge(&measured, &expect)));
    }
    outcome.figure("highest peak", format!("{} MiB ({})", highest.0, highest.1));
    outcome.figure("longest run", format!("{:.1} s ({})", longest.0.as_secs_f64(), longest.1));
    outcome
}

fn explode(bench: &Bench, client: &str, steps: Answer) -> Result<Measured, String> {
    let server = Raw::start(move |_| steps.clone()).map_err(|error| error.to_string())?;
    let folder = Folder::new().map_err(|error| error.to_string())?;
    let config = format!(
        "client:\n  base_url: {}\n  retry: {{max_retries: 0}}\n{client}\
         resources:\n  - {{name: bomb, endpoint: {{path: bomb, paginator: single_page}}}}\n",
        server.base_url()
    );
    measured::run(&bench.program, &folder, &config, LONGEST)
}

fn judge(measured: &Measured, expect: &Expect) -> Result<(), String> {
    let (status, error) = (measured.fact("bomb", "status"), measured.fact("bomb", "error"));
    match expect {
        Fails(words) => {
            if status != "failed" || !error.contains(words) || !error.contains("resource: bomb, page: 1") {
                return Err(format!("no `{words}`, resource or page in: {status} {error}"));
            }
        }
        Loads { rows, rejected } => {
            let found = (measured.fact("bomb", "rows"), measured.fact("bomb", "rejected"));
            if status != "succeeded" || found != (rows.to_string(), rejected.to_string()) {
                return Err(format!("{status} with {} rows and {} rejects: {error}", found.0, found.1));
            }
        }
    }
    measured.below(CEILING)
}

fn encoded(encoding: &str, bytes: Vec<u8>) -> Answer {
    Answer::whole("200 OK", &[JSON, &format!("Content-Encoding: {encoding}")], bytes)
}

/// Records of one object each, made by number.
fn records(count: usize, record: impl Fn(usize) -> String) -> Answer {
    let records: Vec<String> = (0..count).map(record).collect();
    Answer::json(format!("[{}]", records.join(",")))
}

fn bombs(bench: &Bench) -> std::io::Result<Vec<Bomb>> {
    let mut bombs = Vec::new();
    let mut add = |name: &str, client, expect, steps| {
        bombs.push(Bomb { name: name.to_owned(), client, expect, steps });
    };
    // What unpacks to much.
    let pieces = u64::try_from(bench.of(48, 1024)).unwrap_or(u64::MAX);
    let zeros = vec![b'0'; 1 << 20];
    for encoding in ENCODINGS {
        let packed = pack_repeated(encoding, &zeros, pieces)?;
        add(&format!("{encoding}_bomb"), "", Fails("client.limits.ratio"), encoded(encoding, packed));
    }
    let lists = pack_repeated("gzip", &b"0,".repeat(1 << 19), pieces)?;
    add("gzip_of_a_list", "", Fails("client.limits.ratio"), encoded("gzip", lists));
    let twice = pack("gzip", &pack_repeated("gzip", &zeros, pieces)?)?;
    add("gzip_in_gzip", "", Fails("encoding that is not read"), encoded("gzip, gzip", twice));
    let empty = pack("gzip", b"")?.repeat(bench.of(10_000, 500_000));
    add("gzip_of_nothing", "", Fails("empty"), encoded("gzip", empty));
    let window = vec![0x28, 0xB5, 0x2F, 0xFD, 0x00, 0xA8, 0, 0, 0];
    add("zstd_window_of_2_gb", "", Fails("compression is broken"), encoded("zstd", window));
    // What does not end.
    let forever = |piece: Vec<u8>| {
        let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
        chunk.extend_from_slice(&piece);
        chunk.extend_from_slice(b"\r\n");
        Answer::head("200 OK", &[JSON, "Transfer-Encoding: chunked"]).then(Step::Repeat(chunk, u64::MAX))
    };
    // A share of the cases takes as much of the default limits.
    let endless = match bench.scale {
        Scale::Share => "  limits: {wire: 32MB, body: 32MB}\n",
        Scale::Full => "",
    };
    add("endless_list", endless, Fails("client.limits."), forever(b"0,".repeat(1 << 19)));
    add("endless_space", endless, Fails("client.limits."), forever(vec![b' '; 1 << 20]));
    let open = Answer::head("200 OK", &[JSON, "Connection: close"]);
    add("endless_text", endless, Fails("client.limits."), open.then(Step::Repeat(zeros, u64::MAX)));
    let announced = Answer::head("200 OK", &[JSON, "Content-Length: 1000000000000"]);
    add("announced_terabyte", "", Fails("client.limits.wire"), announced.then(Step::Hold));
    let quick = "  timeout: {first_byte: 1s, total: 2s}\n";
    let drip = || Step::Drip(b"[1,".to_vec(), Duration::from_millis(20));
    let body = Answer::head("200 OK", &[JSON, "Connection: close"]).then(drip());
    add("dripping_body", quick, Fails("client.timeout.total"), body);
    let head = Answer::default().then(Step::Send(b"HTTP/1.1 200 OK\r\nX-".to_vec())).then(drip());
    add("dripping_head", quick, Fails("client.timeout.first_byte"), head);
    // Heads.
    let many: Vec<String> = (0..10_000).map(|n| format!("X-{n}: {n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    add("many_headers", "", Fails("client.limits.headers"), Answer::whole("200 OK", &many, "[]"));
    let long = format!("X-Long: {}", "x".repeat(4 << 20));
    add("long_header", "", Fails("cannot reach"), Answer::whole("200 OK", &[&long], "[]"));
    // Shapes.
    let deep = "[".repeat(bench.of(1_000_000, 5_000_000));
    let closed = "]".repeat(deep.len());
    let record = format!(r#"[{{"id":1}},{{"id":2,"a":{deep}{closed}}}]"#);
    add("deep_lists", "", Loads { rows: 1, rejected: 1 }, Answer::json(record));
    let objects = bench.of(100_000, 1_000_000);
    let record = format!(r#"[{{"id":1}},{}1{}]"#, r#"{"a":"#.repeat(objects), "}".repeat(objects));
    add("deep_objects", "", Loads { rows: 1, rejected: 1 }, Answer::json(record));
    let unclosed = "[".repeat(bench.of(1_000_000, 50_000_000));
    add("unclosed_lists", "", Fails("not JSON"), Answer::json(unclosed));
    let sparse = bench.of(2_000, 10_000);
    let rows = u64::try_from(sparse).unwrap_or(u64::MAX);
    let all = || Loads { rows, rejected: 0 };
    add("sparse_keys", "", all(), records(sparse, |n| format!(r#"{{"k{n}":{n}}}"#)));
    add("sparse_lists", "", all(), records(sparse, |n| format!(r#"{{"k{n}":[{n}]}}"#)));
    add("sparse_objects", "", all(), records(sparse, |n| format!(r#"{{"k{n}":{{"a":{n}}}}}"#)));
    let wide = |count: usize| -> String {
        let keys: Vec<String> = (0..count).map(|key| format!(r#""k{key}":1"#)).collect();
        format!("{{{}}}", keys.join(","))
    };
    let object = format!("[{},{{\"id\":1}}]", wide(bench.of(200_000, 1_000_000)));
    add("wide_object", "", Loads { rows: 1, rejected: 1 }, Answer::json(object));
    let keys = bench.of(20, 100);
    let objects: Vec<String> = (0..keys).map(|n| wide(9_000).replace("\"k", &format!("\"r{n}k"))).collect();
    let rows = u64::try_from(keys).unwrap_or(u64::MAX);
    add(
        "many_wide_objects",
        "",
        Loads { rows, rejected: 0 },
        Answer::json(format!("[{}]", objects.join(","))),
    );
    let zeros = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
    add("long_list", "", Fails("client.limits.items"), Answer::json(zeros(1_000_001)));
    let most = bench.of(200_000, 999_999);
    let rows = u64::try_from(most).unwrap_or(u64::MAX);
    add("longest_list", "", Loads { rows, rejected: 0 }, Answer::json(zeros(most)));
    let empties = format!("[{}{{}}]", "{\"a\":{\"b\":{}}},".repeat(bench.of(100_000, 999_998)));
    let rows = u64::try_from(bench.of(100_001, 999_999)).unwrap_or(u64::MAX);
    add("empty_objects", "", Loads { rows, rejected: 0 }, Answer::json(empties));
    // Single values.
    let text = |size: usize| {
        let length = format!("Content-Length: {}", size + 2);
        let piece = vec![b'x'; 1 << 20];
        let pieces = u64::try_from(size >> 20).unwrap_or(u64::MAX);
        let head = Answer::head("200 OK", &[JSON, &length]).then(Step::Send(b"\"".to_vec()));
        head.then(Step::Repeat(piece, pieces)).then(Step::Send(b"\"".to_vec()))
    };
    add("text_of_300_mib", endless, Fails("client.limits.wire"), text(300 << 20));
    add("long_text", "", Loads { rows: 1, rejected: 0 }, text(bench.of(16 << 20, 64 << 20)));
    let digits = "7".repeat(bench.of(1_000_000, 20_000_000));
    add("long_number", "", Loads { rows: 1, rejected: 0 }, Answer::json(format!("[{digits}]")));
    let decimal = format!("[0.{digits}]");
    add("long_decimal", "", Loads { rows: 1, rejected: 0 }, Answer::json(decimal));
    let halves = records(bench.of(5_000, 90_000), |_| r#"{"a":"\ud83d"}"#.to_owned());
    add("nothing_but_rejects", "", Fails("client.max_rejects"), halves);
    Ok(bombs)
}
