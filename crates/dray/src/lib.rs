//! dray.
