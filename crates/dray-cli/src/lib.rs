//! dray cli
