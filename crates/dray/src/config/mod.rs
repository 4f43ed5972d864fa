//! **read**: file and environment to `Config`, as written.
