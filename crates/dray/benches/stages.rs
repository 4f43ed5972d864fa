//! Time of the hot path's stages: `cargo bench -p dray --bench stages`, with a filter such as `-- normalize`.
#![allow(missing_docs, clippy::unwrap_used)]

mod cases;

use cases::{List, decode};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};

fn bytes(list: &List) -> u64 {
    list.bodies().iter().map(|body| u64::try_from(body.len()).unwrap()).sum()
}

fn stages(criterion: &mut Criterion) {
    let lists = [List::charges(), List::rows()];
    let mut group = criterion.benchmark_group("decode");
    for list in &lists {
        group.throughput(Throughput::Bytes(bytes(list)));
        group.bench_function(list.name, |bench| {
            bench.iter_batched(|| list.bodies(), decode, BatchSize::LargeInput);
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group("normalize");
    for list in &lists {
        let pages = list.pages();
        group.throughput(Throughput::Bytes(bytes(list)));
        group.bench_function(list.name, |bench| bench.iter(|| list.normalize(&pages)));
    }
    group.finish();
    let mut group = criterion.benchmark_group("paging");
    for list in &lists {
        group.throughput(Throughput::Bytes(bytes(list)));
        group.bench_function(list.name, |bench| bench.iter(|| list.walk()));
    }
    group.finish();
}

criterion_group!(benches, stages);
criterion_main!(benches);
