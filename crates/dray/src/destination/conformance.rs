//! What every destination must do, as tests.
