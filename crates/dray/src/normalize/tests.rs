//! Pages in, tables out: expected values follow dlt.md §3.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use serde_json::{Value, json};

use super::*;
use crate::extract::Position;
use crate::plan::*;

fn plan(load: LoadPlan) -> Plan {
    Plan::for_tests(vec![ResourcePlan::for_tests("things", load)])
}

fn load(disposition: Disposition) -> LoadPlan {
    LoadPlan {
        table: "things".to_owned(),
        disposition,
        primary_key: Vec::new(),
        key_inherited: false,
        fallback_key: None,
        merge_key: Vec::new(),
        columns: Vec::new(),
        max_nesting: None,
        shared: None,
        contract: Contract::default(),
    }
}

fn normalizer(load: LoadPlan) -> Normalizer {
    Normalizer::new(&plan(load), Schema::new("test"), "1.5", fastrand::Rng::with_seed(7))
}

fn page(body: &str) -> Page {
    let document = Document::parse(body.as_bytes().to_vec()).unwrap();
    let records = document.items(document.root()).collect();
    Page {
        resource: 0,
        partition: "".into(),
        number: 1,
        document: Arc::new(document),
        records,
        overlay: None,
        carries: false,
        rejects: Vec::new(),
        position: Position::default(),
        opened: Vec::new(),
    }
}

/// The rows of a table as JSON, without the columns that dlt's layout adds; a type suffix tells non-JSON types apart.
fn rows(flushed: &[Rows], table: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for rows in flushed.iter().filter(|rows| rows.table.name == table) {
        for row in 0..rows.batch.num_rows() {
            let mut object = serde_json::Map::new();
            for (field, array) in rows.batch.schema().fields().iter().zip(rows.batch.columns()) {
                if field.name().starts_with("_d") || array.is_null(row) {
                    continue;
                }
                use arrow_schema::DataType as Arrow;
                let value = match array.data_type() {
                    Arrow::Utf8 => json!(array.as_string::<i32>().value(row)),
                    Arrow::Int64 => json!(array.as_primitive::<Int64Type>().value(row)),
                    Arrow::Float64 => json!(array.as_primitive::<Float64Type>().value(row)),
                    Arrow::Boolean => json!(array.as_boolean().value(row)),
                    Arrow::Timestamp(..) => {
                        json!(format!("{}us", array.as_primitive::<TimestampMicrosecondType>().value(row)))
                    }
                    Arrow::Decimal128(..) => {
                        json!(format!("{}d", array.as_primitive::<Decimal128Type>().value_as_string(row)))
                    }
                    other => json!(other.to_string()),
                };
                object.insert(field.name().clone(), value);
            }
            all.push(Value::Object(object));
        }
    }
    all
}

fn things(body: &str) -> Vec<Value> {
    let mut normalizer = normalizer(load(Disposition::Append));
    normalizer.page(&page(body)).unwrap();
    rows(&normalizer.flush().unwrap(), "things")
}

#[test]
fn values_get_their_types() {
    let rows = things(
        r#"[{"n":1,"f":1.5,"b":true,"s":"x","t":"2024-01-01T00:00:00Z","d":"2024-01-01","nothing":null,"e":"a\nb"}]"#,
    );
    assert_eq!(
        rows,
        [json!({"n":1,"f":1.5,"b":true,"s":"x","t":"1704067200000000us","d":"2024-01-01","e":"a\nb"})]
    );
}

#[test]
fn objects_become_columns_and_absent_keys_nulls() {
    let rows = things(r#"[{"a":{"b":{"C":1}}},{"z":"x"},{"a":{"b":{"C":2},"d":null}}]"#);
    assert_eq!(rows, [json!({"a__b__c":1}), json!({"z":"x"}), json!({"a__b__c":2})]);
}

#[test]
fn lists_become_tables_that_point_to_their_parents() {
    let mut normalizer = normalizer(load(Disposition::Merge));
    normalizer
        .page(&page(r#"[{"id":1,"items":[{"k":"a","tags":["x","y"]},{"k":"b"}]},{"id":2,"items":[]}]"#))
        .unwrap();
    let flushed = normalizer.flush().unwrap();
    assert_eq!(rows(&flushed, "things__items"), [json!({"k":"a"}), json!({"k":"b"})]);
    assert_eq!(rows(&flushed, "things__items__tags"), [json!({"value":"x"}), json!({"value":"y"})]);
    let text = |table: &str, column: &str| -> Vec<String> {
        let rows = flushed.iter().find(|rows| rows.table.name == table).unwrap();
        let column = rows.batch.column_by_name(column).unwrap();
        column.as_string::<i32>().iter().map(|id| id.unwrap().to_owned()).collect()
    };
    let roots = text("things", "_dlt_id");
    assert_eq!(text("things__items", "_dlt_parent_id"), [roots[0].clone(), roots[0].clone()]);
    let items = text("things__items", "_dlt_id");
    assert_eq!(text("things__items__tags", "_dlt_parent_id"), [items[0].clone(), items[0].clone()]);
    assert_eq!(text("things__items__tags", "_dlt_root_id"), [roots[0].clone(), roots[0].clone()]);
}

#[test]
fn a_list_inside_a_list_is_a_table_named_list() {
    let mut normalizer = normalizer(load(Disposition::Append));
    normalizer.page(&page(r#"[{"m":[[1,2],[3]]}]"#)).unwrap();
    let flushed = normalizer.flush().unwrap();
    assert_eq!(
        rows(&flushed, "things__m__list"),
        [json!({"value":1}), json!({"value":2}), json!({"value":3})]
    );
}

#[test]
fn a_value_of_another_type_goes_to_a_variant_column() {
    let rows = things(r#"[{"a":1},{"a":"x"},{"a":true},{"a":"12"},{"a":2.0}]"#);
    assert_eq!(
        rows,
        [
            json!({"a":1}),
            json!({"a__v_text":"x"}),
            json!({"a__v_bool":true}),
            json!({"a":12}),
            json!({"a":2})
        ]
    );
}

#[test]
fn a_bigint_becomes_a_double_only_if_nothing_is_lost() {
    assert_eq!(things(r#"[{"a":1},{"a":1.5}]"#), [json!({"a":1.0}), json!({"a":1.5})]);
    assert_eq!(
        things(r#"[{"a":9007199254740993},{"a":1.5}]"#),
        [json!({"a":9_007_199_254_740_993_i64}), json!({"a__v_double":1.5})]
    );
}

#[test]
fn integers_beyond_64_bits_keep_their_digits() {
    assert_eq!(
        things(r#"[{"a":1,"b":18446744073709551616},{"a":18446744073709551616}]"#),
        [json!({"a":1,"b":"18446744073709551616d"}), json!({"a__v_decimal":"18446744073709551616d"})]
    );
    let long = "9".repeat(60);
    assert_eq!(things(&format!(r#"[{{"a":{long}}}]"#)), [json!({"a":long})]);
}

#[test]
fn a_key_may_hold_a_list_here_and_a_scalar_there() {
    let mut normalizer = normalizer(load(Disposition::Append));
    normalizer.page(&page(r#"[{"a":["x"]},{"a":"text"}]"#)).unwrap();
    let flushed = normalizer.flush().unwrap();
    assert_eq!(rows(&flushed, "things"), [json!({}), json!({"a":"text"})]);
    assert_eq!(rows(&flushed, "things__a"), [json!({"value":"x"})]);
    assert_eq!(normalizer.take_collisions(), [""; 0]);
}

#[test]
fn a_record_that_is_a_list_has_its_items_under_value() {
    let mut normalizer = normalizer(load(Disposition::Append));
    normalizer.page(&page(r#"[["x"],[["y"]]]"#)).unwrap();
    let flushed = normalizer.flush().unwrap();
    assert_eq!(rows(&flushed, "things__value"), [json!({"value":"x"}), json!({})]);
    assert_eq!(rows(&flushed, "things__value__list"), [json!({"value":"y"})]);
}

#[test]
fn zero_and_one_are_booleans_where_the_column_is_one() {
    assert_eq!(
        things(r#"[{"a":true},{"a":1},{"a":0},{"a":2}]"#),
        [json!({"a":true}), json!({"a":true}), json!({"a":false}), json!({"a__v_bigint":2})]
    );
}

#[test]
fn keys_with_one_name_keep_both_values() {
    let mut normalizer = normalizer(load(Disposition::Append));
    normalizer.page(&page(r#"[{"aB":1,"a_b":2},{"a_b":3,"aB":4}]"#)).unwrap();
    let flushed = normalizer.flush().unwrap();
    let found = rows(&flushed, "things");
    assert_eq!(found[0]["a_b"], 1);
    assert_eq!(found[1]["a_b"], 4);
    let other = found[0].as_object().unwrap().keys().find(|key| key.starts_with("a_b_x")).unwrap().clone();
    assert_eq!((&found[0][&other], &found[1][&other]), (&json!(2), &json!(3)));
    assert_eq!(normalizer.take_collisions(), ["things.a_b"]);
    // The next run, with the keys the other way round, finds the same columns.
    let mut again = Normalizer::new(
        &plan(load(Disposition::Append)),
        normalizer.take_schema().unwrap(),
        "2",
        fastrand::Rng::new(),
    );
    again.page(&page(r#"[{"a_b":5,"aB":6}]"#)).unwrap();
    let found = rows(&again.flush().unwrap(), "things");
    assert_eq!((&found[0]["a_b"], &found[0][&other]), (&json!(6), &json!(5)));
}

#[test]
fn a_key_that_spoofs_a_system_column_gets_a_name_of_its_own() {
    let mut normalizer = normalizer(load(Disposition::Append));
    normalizer.page(&page(r#"[{"_dlt_id":"mine"}]"#)).unwrap();
    let flushed = normalizer.flush().unwrap();
    let names: Vec<_> = flushed[0].table.columns.iter().map(|column| column.name.as_str()).collect();
    assert!(names[2].starts_with("_dlt_id_x"), "{names:?}");
    assert_eq!(flushed[0].batch.column_by_name("_dlt_id").unwrap().as_string::<i32>().value(0).len(), 14);
}

#[test]
fn of_a_doubled_key_the_last_counts() {
    assert_eq!(
        things(r#"[{"a":1,"a":2,"b":"x","b":"yy"},{"a":3,"b":"z"}]"#),
        [json!({"a":2,"b":"yy"}), json!({"a":3,"b":"z"})]
    );
}

#[test]
fn nesting_beyond_the_limit_stays_json() {
    let limited = |levels| LoadPlan { max_nesting: Some(levels), ..load(Disposition::Append) };
    let body = r#"[{"d":{"e":{"f":1}},"l":[{"m":[1]}]}]"#;
    let mut none = normalizer(limited(0));
    none.page(&page(body)).unwrap();
    assert_eq!(
        rows(&none.flush().unwrap(), "things"),
        [json!({"d":r#"{"e":{"f":1}}"#,"l":r#"[{"m":[1]}]"#})]
    );
    let mut one = normalizer(limited(1));
    one.page(&page(body)).unwrap();
    let flushed = one.flush().unwrap();
    assert_eq!(rows(&flushed, "things"), [json!({"d__e":r#"{"f":1}"#})]);
    assert_eq!(rows(&flushed, "things__l"), [json!({"m":"[1]"})]);
}

#[test]
fn parent_fields_fill_what_a_record_lacks() {
    let mut normalizer = normalizer(load(Disposition::Append));
    let overlay = Document::parse(br#"{"customer_id":"c1","own":"parent"}"#.to_vec()).unwrap();
    let records = Page { overlay: Some(Arc::new(overlay)), ..page(r#"[{"own":"mine"},{"own":null}]"#) };
    normalizer.page(&records).unwrap();
    let flushed = normalizer.flush().unwrap();
    assert_eq!(
        rows(&flushed, "things"),
        [json!({"own":"mine","customer_id":"c1"}), json!({"own":"parent","customer_id":"c1"})]
    );
}

#[test]
fn a_null_where_a_hint_forbids_it_is_an_error() {
    let hint = crate::schema::ColumnHint {
        name: "id".to_owned(),
        data_type: Some(DataType::Bigint),
        not_null: true,
        ..Default::default()
    };
    let mut normalizer = normalizer(LoadPlan { columns: vec![hint], ..load(Disposition::Append) });
    let error = normalizer.page(&page(r#"[{"id":null}]"#)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Schema);
    assert!(error.to_string().contains("column: id"), "{error}");
}

#[test]
fn bytes_come_from_base64_or_digits_and_other_text_is_kept_as_it_is() {
    let hint = crate::schema::ColumnHint {
        name: "a".to_owned(),
        data_type: Some(DataType::Binary),
        ..Default::default()
    };
    let mut normalizer = normalizer(LoadPlan { columns: vec![hint], ..load(Disposition::Append) });
    normalizer.page(&page(r#"[{"a":"aGVsbG8="},{"a":"0x6869"},{"a":"0x686"},{"a":"no, thanks"}]"#)).unwrap();
    let flushed = normalizer.flush().unwrap();
    let batch = &flushed[0].batch;
    let column = batch.column_by_name("a").unwrap();
    let bytes = column.as_binary::<i32>();
    assert_eq!((bytes.value(0), bytes.value(1)), (&b"hello"[..], &b"hi"[..]));
    assert_eq!((column.is_null(2), column.is_null(3)), (true, true));
    assert_eq!(batch.column_by_name("a__v_text").unwrap().as_string::<i32>().value(3), "no, thanks");
}

proptest::proptest! {
    /// Splitting the same records differently into pages and batches gives the same rows.
    #[test]
    fn pages_do_not_matter(split in 1_usize..20, flush in proptest::bool::ANY) {
        let records: Vec<String> = (0..20)
            .map(|i| match i % 4 {
                0 => format!(r#"{{"id":{i},"a":{{"b":{i}.5}}}}"#),
                1 => format!(r#"{{"a":{{"c":"x{i}"}},"id":{i}}}"#),
                2 => format!(r#"{{"id":{i},"t":"2024-01-01T00:00:{i:02}Z","l":[{i}]}}"#),
                _ => format!(r#"{{"id":{i},"a":{{"b":{i}}}}}"#),
            })
            .collect();
        let whole = things(&format!("[{}]", records.join(",")));
        let mut normalizer = normalizer(load(Disposition::Append));
        let mut flushed = Vec::new();
        for chunk in records.chunks(split) {
            normalizer.page(&page(&format!("[{}]", chunk.join(",")))).unwrap();
            if flush {
                flushed.extend(normalizer.flush().unwrap());
            }
        }
        flushed.extend(normalizer.flush().unwrap());
        proptest::prop_assert_eq!(rows(&flushed, "things"), whole);
    }
}

#[test]
fn rows_of_two_resources_in_one_table_stay_with_their_resource() {
    let merge = || load(Disposition::Merge);
    let plan = Plan::for_tests(vec![
        ResourcePlan::for_tests("list", merge()),
        ResourcePlan::for_tests("detail", merge()),
    ]);
    let mut normalizer = Normalizer::new(&plan, Schema::new("test"), "1.5", fastrand::Rng::with_seed(7));
    let detail = |body: &str| Page { resource: 1, ..page(body) };
    normalizer.page(&page(r#"[{"id":1,"l":[1]}]"#)).unwrap();
    normalizer.page(&detail(r#"[{"id":2,"x":1},{"id":3,"l":[2,3]}]"#)).unwrap();
    normalizer.page(&page(r#"[{"id":4,"x":1.5}]"#)).unwrap();
    let flushed = normalizer.flush().unwrap();
    let of = |resource: usize, table: &str| {
        let mine = flushed.iter().filter(|rows| rows.resource == resource && rows.table.name == table);
        mine.map(|rows| rows.batch.num_rows()).sum::<usize>()
    };
    assert_eq!([of(0, "things"), of(1, "things"), of(0, "things__l"), of(1, "things__l")], [2, 2, 1, 2]);
    // One table: the last description has all columns, at their widest.
    let table = &flushed.iter().rfind(|rows| rows.table.name == "things").unwrap().table;
    let x = table.columns.iter().find(|column| column.name == "x").unwrap();
    assert_eq!(x.data_type, DataType::Double);
}

#[test]
fn zeros_in_front_are_not_lost_in_a_column_of_numbers() {
    let mut normalizer = normalizer(load(Disposition::Append));
    let records =
        r#"[{"zip":10115,"x":0.5},{"zip":"01067","x":"007"},{"zip":"12","x":"-0.5"},{"zip":"0","x":"0"}]"#;
    normalizer.page(&page(records)).unwrap();
    let expected = [
        json!({"zip": 10115, "x": 0.5}),
        json!({"zip__v_text": "01067", "x__v_text": "007"}),
        json!({"zip": 12, "x": -0.5}),
        json!({"zip": 0, "x": 0.0}),
    ];
    assert_eq!(rows(&normalizer.flush().unwrap(), "things"), expected);
}

#[test]
fn a_list_of_the_parent_does_not_add_to_the_records_own() {
    let mut normalizer = normalizer(load(Disposition::Append));
    let overlay = Document::parse(br#"{"tags":["p"],"of":{"a":1,"b":2}}"#.to_vec()).unwrap();
    let body = r#"[{"id":1,"tags":["x","y"],"of":{"a":5}},{"id":2,"tags":null}]"#;
    normalizer.page(&Page { overlay: Some(Arc::new(overlay)), ..page(body) }).unwrap();
    let flushed = normalizer.flush().unwrap();
    assert_eq!(
        rows(&flushed, "things"),
        [json!({"id": 1, "of__a": 5}), json!({"id": 2, "of__a": 1, "of__b": 2})]
    );
    let tags: Vec<Value> = rows(&flushed, "things__tags");
    assert_eq!(tags, [json!({"value": "x"}), json!({"value": "y"}), json!({"value": "p"})]);
}

fn limited(columns: usize, tables: usize, schema: Schema) -> Normalizer {
    let mut plan = plan(load(Disposition::Append));
    (plan.client.limits.columns, plan.client.limits.tables) = (columns, tables);
    Normalizer::new(&plan, schema, "1.5", fastrand::Rng::with_seed(7))
}

/// The column of values that have none of their own, row by row.
fn extra(flushed: &[Rows]) -> Vec<Option<String>> {
    let rows = flushed.iter().find(|rows| rows.table.name == "things").unwrap();
    let Some(column) = rows.batch.column_by_name("_dray_extra") else { return Vec::new() };
    column.as_string::<i32>().iter().map(|value| value.map(str::to_owned)).collect()
}

#[test]
fn what_has_no_column_left_is_kept_as_json_and_said() {
    // Two columns are the layout's, two are left.
    let mut normalizer = limited(4, 100, Schema::new("test"));
    normalizer
        .page(&page(r#"[{"a":1,"b":2,"c":3.50,"d":{"e":"x"},"f":[1],"g":null},{"a":4},{"h":{"i":1}}]"#))
        .unwrap();
    let flushed = normalizer.flush().unwrap();
    assert_eq!(rows(&flushed, "things"), [json!({"a": 1, "b": 2}), json!({"a": 4}), json!({})]);
    let expected = [Some(r#"{"c":3.50,"d":{"e":"x"},"f":[1]}"#), None, Some(r#"{"h":{"i":1}}"#)];
    assert_eq!(extra(&flushed), expected.map(|text| text.map(str::to_owned)));
    assert_eq!(normalizer.remarks().len(), 1);
    assert!(normalizer.remarks()[0].contains("4 values"), "{:?}", normalizer.remarks());
    // The next run knows the columns of this one, whatever comes first.
    let mut next = limited(4, 100, normalizer.take_schema().unwrap());
    next.page(&page(r#"[{"z":1,"b":5}]"#)).unwrap();
    let flushed = next.flush().unwrap();
    assert_eq!(rows(&flushed, "things"), [json!({"b": 5})]);
    assert_eq!(extra(&flushed), [Some(r#"{"z":1}"#.to_owned())]);
}

#[test]
fn lists_beyond_the_tables_of_a_resource_are_kept_as_json() {
    let mut normalizer = limited(100, 2, Schema::new("test"));
    normalizer.page(&page(r#"[{"a":[1],"b":[2]},{"b":[{"x":[3]}],"a":[4]}]"#)).unwrap();
    let flushed = normalizer.flush().unwrap();
    assert_eq!(rows(&flushed, "things__a"), [json!({"value": 1}), json!({"value": 4})]);
    let expected = [r#"{"b":[2]}"#, r#"{"b":[{"x":[3]}]}"#];
    assert_eq!(extra(&flushed), expected.map(|text| Some(text.to_owned())));
}

#[test]
fn numbers_that_no_double_holds_keep_their_digits() {
    let mut normalizer = normalizer(load(Disposition::Append));
    normalizer
        .page(&page(
            r#"[{"a":0.5,"b":1e400,"c":7},{"a":12345678901234567.89,"c":1.5},{"a":1e400,"c":1e-400}]"#,
        ))
        .unwrap();
    let flushed = normalizer.flush().unwrap();
    let found = rows(&flushed, "things");
    assert_eq!(found[0]["b"], "1e400");
    assert_eq!(found[1]["a__v_decimal"], "12345678901234567.890000000d");
    assert_eq!((&found[2]["a__v_text"], &found[2]["c__v_text"]), (&json!("1e400"), &json!("1e-400")));
}

#[test]
fn a_doubled_key_is_said() {
    let mut normalizer = normalizer(load(Disposition::Append));
    normalizer.page(&page(r#"[{"a":1,"a":2},{"a":3}]"#)).unwrap();
    assert_eq!(rows(&normalizer.flush().unwrap(), "things"), [json!({"a": 2}), json!({"a": 3})]);
    assert!(normalizer.remarks()[0].contains("a key twice"), "{:?}", normalizer.remarks());
}
