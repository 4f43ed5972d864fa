//! Loose spellings brought into dlt's own, each with a note.
