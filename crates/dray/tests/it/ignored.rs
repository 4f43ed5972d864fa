//! Answers that `response_actions` says to ignore: where they end a list, and where the rest of it would be lost.

use dray::error::ErrorKind;
use dray_sim::{Fault, Response};
use serde_json::json;

use crate::support::{Told, endpoint, fact, records, script};

/// Three pages of two records, the second answered with `status`, read with these keys of the endpoint.
fn with_a_hole(status: u16, total: bool, keys: &str) -> (Told, u64) {
    let sim = script(move |request| {
        let page: u64 = request.param("page").unwrap_or("0").parse().unwrap();
        let next = if page < 2 { json!(format!("{}", page + 1)) } else { json!(null) };
        let mut body = json!({"rows": records(page * 2..page * 2 + 2), "next": next});
        if total {
            body["total"] = 3.into();
        }
        Response::json(&body)
    });
    sim.fault(Fault::status(status).query("page", "1").always());
    let action = format!("response_actions: [{{status_code: {status}, action: ignore}}]");
    let told = endpoint(&sim, &format!("data_selector: rows, {action}, {keys}"));
    let ignored = told.ignored;
    (told, ignored)
}

#[test]
fn an_ignored_answer_does_not_end_a_list_whose_next_page_was_promised() {
    let cursor = "paginator: {type: cursor, cursor_path: next, cursor_param: page}";
    for (status, total, keys) in [(404, false, cursor), (404, true, "paginator: page_number")] {
        let (told, ignored) = with_a_hole(status, total, keys);
        told.failed(ErrorKind::Response, "the rest of the list would be lost");
        assert_eq!((fact(told.error(), "page"), fact(told.error(), "status"), ignored), ("2", "404", 0));
    }
}

#[test]
fn an_ignored_answer_ends_a_list_that_feels_its_way_if_it_can_mean_no_such_page() {
    for status in [400, 404, 422] {
        let (told, ignored) = with_a_hole(status, false, "paginator: page_number");
        assert_eq!((told.ids(), ignored), (vec![0, 1], 1), "{status}");
    }
    for status in [403, 500] {
        let (told, _) = with_a_hole(status, false, "paginator: page_number");
        told.failed(ErrorKind::Response, "the rest of the list would be lost");
    }
}

#[test]
fn an_ignored_answer_on_the_first_page_means_no_records() {
    let sim = script(|_| Response::json(&json!({"rows": []})));
    sim.fault(Fault::status(403).always());
    let told = endpoint(&sim, "data_selector: rows, response_actions: [{status_code: 403, action: ignore}]");
    assert_eq!((told.ids(), told.ignored), (vec![], 1));
}
