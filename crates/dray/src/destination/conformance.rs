//! What every destination must do, as tests over `dyn Subject`. A new one calls [`all`].

mod fixture;
mod loads;
mod merges;
mod records;

pub(crate) use fixture::{Opener, Subject};

type Promise = fn(&Opener);

/// Every promise, each on a database of its own. `fresh` gives a function that opens one and the same new database.
pub(crate) fn all(fresh: &dyn Fn() -> Box<Opener>) {
    let promises: &[(&str, Promise)] = &[
        ("append adds", loads::append_adds),
        ("a refused commit leaves nothing", loads::a_refused_commit_leaves_nothing),
        ("rows given before a commit wait for it", loads::rows_given_before_a_commit_wait_for_it),
        ("replace keeps old rows until finished", loads::replace_keeps_old_rows_until_finished),
        ("a finished replace without rows empties the table", loads::a_replace_without_rows_empties),
        ("an incomplete append is taken back", loads::an_incomplete_append_is_taken_back),
        ("a pass may span several loads", loads::a_pass_may_span_several_loads),
        ("an abandoned resource leaves nothing", loads::an_abandoned_resource_leaves_nothing),
        ("new columns are added", loads::new_columns_are_added),
        ("every type and null comes back", loads::every_type_and_null_comes_back),
        ("odd names work", loads::odd_names_work),
        ("two resources may fill one table", loads::two_resources_may_fill_one_table),
        (
            "who shares a table gives up its own rows only",
            loads::who_shares_a_table_gives_up_its_own_rows_only,
        ),
        (
            "a replace in a shared table replaces its own rows",
            loads::a_replace_in_a_shared_table_replaces_its_own_rows,
        ),
        ("merge is idempotent", merges::merge_is_idempotent),
        ("a key of an earlier checkpoint is replaced", merges::a_key_of_an_earlier_checkpoint_is_replaced),
        ("a key is replaced in its own transaction", merges::a_key_is_replaced_in_its_own_transaction),
        ("a key of another type is the same key", merges::a_key_of_another_type_is_the_same_key),
        ("the last row of a key wins", merges::the_last_row_of_a_key_wins),
        ("many duplicates in one checkpoint", merges::many_duplicates_in_one_checkpoint),
        ("dedup_sort picks over the whole load", merges::dedup_sort_picks_over_the_whole_load),
        ("hard_delete deletes", merges::hard_delete_deletes),
        ("nested rows follow their root", merges::nested_rows_follow_their_root),
        ("null key parts replace earlier loads only", merges::null_key_parts_replace_earlier_loads_only),
        ("a merge key replaces earlier loads", merges::a_merge_key_replaces_earlier_loads),
        ("a declared key must be there", merges::a_declared_key_must_be_there),
        ("an inherited key that is there streams", merges::an_inherited_key_that_is_there_streams),
        ("the fallback key stands in", merges::the_fallback_key_stands_in),
        ("without a key partitions replace", merges::without_a_key_partitions_replace),
        ("a second claim fences the first", records::a_second_claim_fences_the_first),
        ("state and schema come back equal", records::state_and_schema_come_back_equal),
        ("a state of dlt counts with its load only", records::a_state_of_dlt_counts_with_its_load_only),
        (
            "a clock that goes back brings no old state back",
            records::a_clock_that_goes_back_brings_no_old_state_back,
        ),
        ("the load's row is written at its end", records::the_loads_row_is_written_at_its_end),
    ];
    let mut failed = Vec::new();
    for (name, promise) in promises {
        let open = fresh();
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| promise(&*open))).is_err() {
            failed.push(*name);
        }
    }
    assert!(failed.is_empty(), "broken promises: {failed:#?}");
}
