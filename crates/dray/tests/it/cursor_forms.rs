//! Cursors that the API writes in a form of its own, and those that it wants in another one.

use dray::error::ErrorKind;
use dray_sim::{Response, Sim};
use serde_json::json;

use crate::support::{Bench, of, params, plan, script, things};

/// Days in the German way, where the order of texts is not that of days.
fn days() -> Sim {
    script(|_| {
        Response::json(&json!([
            {"id": 1, "day": "31.01.2024"}, {"id": 2, "day": "01.02.2024"}, {"id": 3, "day": "30.12.2023"},
        ]))
    })
}

fn resource(incremental: &str) -> String {
    format!(
        "  - {{name: things, primary_key: id, write_disposition: merge, endpoint: {{path: things, paginator: single_page, \
         incremental: {{cursor_path: day, start_param: since, {incremental}}}}}}}"
    )
}

#[test]
fn days_are_compared_as_days_and_sent_as_they_are_written() {
    let sim = days();
    let bench = Bench::new();
    let resource = resource("cursor_format: '%d.%m.%Y', initial_value: 31.12.2023");
    let first = bench.run(plan(&sim, "", &resource));
    // The third one lies before the start.
    assert_eq!((of(&first, "things").rows, of(&first, "things").filtered), (2, 1));
    let second = bench.run(plan(&sim, "", &resource));
    assert_eq!((of(&second, "things").rows, of(&second, "things").filtered), (1, 2));
    assert_eq!(params(&sim, "since"), [Some("31.12.2023".to_owned()), Some("01.02.2024".to_owned())]);
}

#[test]
fn they_may_be_sent_in_another_form() {
    for (keys, sent) in [
        ("cursor_format: '%d.%m.%Y', initial_value: '2024-01-01', format: iso", "2024-01-01T00:00:00Z"),
        ("cursor_format: '%d.%m.%Y', initial_value: '02.01.2024', convert: unix_ms", "1704153600000"),
        ("cursor_format: '%d.%m.%Y', initial_value: '02.01.2024', format: '%Y/%m/%d'", "2024/01/02"),
    ] {
        let sim = days();
        assert_eq!(things(plan(&sim, "", &resource(keys))).ids(), [1, 2], "{keys}");
        assert_eq!(params(&sim, "since"), [Some(sent.to_owned())], "{keys}");
    }
}

#[test]
fn a_cursor_in_another_form_is_an_error_that_shows_it() {
    let told = things(plan(&days(), "", &resource("cursor_format: '%m/%d/%Y', initial_value: '2024-01-01'")));
    told.failed(ErrorKind::Response, "31.01.2024");
    told.failed(ErrorKind::Response, "correct `cursor_format: %m/%d/%Y`");
}
