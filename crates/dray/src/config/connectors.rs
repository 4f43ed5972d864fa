//! The connectors that come with the program.
