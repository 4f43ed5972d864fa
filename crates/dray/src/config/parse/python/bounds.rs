//! A bound on how deep Python code may nest, so that walking and dropping its tree cannot overflow the
//! stack. The parser itself grows its stack as it needs.

use ruff_python_ast::token::{TokenKind, Tokens};

/// Far more than anybody writes, and little enough for the stack of a worker thread.
const MAX_NESTING: usize = 400;

/// Brackets open at once in any text, those in strings and comments included: beyond so many it is not even parsed, for
/// the parser takes memory for each.
const MAX_BRACKETS: usize = 1000;

/// The byte at which so many brackets are open that the text is not to be parsed.
pub(super) fn too_many_brackets(text: &str) -> Option<usize> {
    let mut open: usize = 0;
    text.bytes().position(|byte| {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > MAX_BRACKETS
    })
}

/// The byte at which code nests too deep, if it does.
///
/// Counted are the tokens that can make one expression part of another, over all open brackets; a comma
/// or the end of a statement closes what was counted since the last one. That is more than the true
/// depth, never less.
pub(super) fn too_deep(tokens: &Tokens) -> Option<usize> {
    let mut open: Vec<usize> = Vec::new();
    // What was counted in the innermost bracket, and in all of them.
    let (mut inner, mut total, mut indents) = (0, 0, 0_usize);
    for token in tokens.iter() {
        let (kind, range) = token.as_tuple();
        match kind {
            TokenKind::Lpar
            | TokenKind::Lsqb
            | TokenKind::Lbrace
            | TokenKind::FStringStart
            | TokenKind::TStringStart => {
                total += 1;
                open.push(inner + 1);
                inner = 0;
            }
            TokenKind::Rpar
            | TokenKind::Rsqb
            | TokenKind::Rbrace
            | TokenKind::FStringEnd
            | TokenKind::TStringEnd => {
                total -= inner;
                inner = open.pop().unwrap_or(0);
            }
            TokenKind::Comma | TokenKind::Newline => {
                total -= inner;
                inner = 0;
            }
            TokenKind::Indent => indents += 1,
            TokenKind::Dedent => indents = indents.saturating_sub(1),
            TokenKind::Name
            | TokenKind::String
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Colon
            | TokenKind::Equal
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline
            | TokenKind::FStringMiddle
            | TokenKind::TStringMiddle => {}
            _ => {
                inner += 1;
                total += 1;
            }
        }
        if total + indents > MAX_NESTING {
            return Some(range.start().to_usize());
        }
    }
    None
}
