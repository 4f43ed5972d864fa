//! One case of the hot path, so many times: `instructions CASE TIMES`. `make instructions` runs it under valgrind, and takes
//! the instructions of one time from the difference between two numbers of times.
//!
//! Without arguments it prints the names of the cases.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod cases;

use std::hint::black_box;

use cases::{List, decode};

const CASES: [&str; 6] =
    ["decode-charges", "decode-rows", "normalize-charges", "normalize-rows", "paging-charges", "paging-rows"];

fn main() {
    // cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|text| !text.starts_with("--")).collect();
    let [case, times] = arguments.as_slice() else {
        println!("{}", CASES.join("\n"));
        return;
    };
    let times: usize = times.parse().unwrap();
    let (stage, list) = case.split_once('-').unwrap();
    let list = if list == "charges" { List::charges() } else { List::rows() };
    match stage {
        "decode" => {
            for _ in 0..times {
                black_box(decode(list.bodies()));
            }
        }
        "normalize" => {
            let pages = list.pages();
            for _ in 0..times {
                black_box(list.normalize(&pages));
            }
        }
        _ => {
            for _ in 0..times {
                black_box(list.walk());
            }
        }
    }
}
