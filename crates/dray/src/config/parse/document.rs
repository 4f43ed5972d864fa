//! Documents: Markdown whose Python blocks hold a configuration.

use crate::config::diagnostics::Diagnostics;
use crate::config::node::{Node, Place};

use super::{python, slips};

/// Parses the first Python block that holds a configuration.
pub(super) fn parse(text: &str, partly: bool, diagnostics: &mut Diagnostics) -> Option<Node> {
    let blocks = python_blocks(text);
    // What the first block lacks is only worth saying if no other block has it.
    let mut first_failure = None;
    for block in &blocks {
        let mut found = Diagnostics::new();
        match read(block, partly, &mut found) {
            python::Reading::Configuration(node) => {
                diagnostics.append(found);
                return node;
            }
            python::Reading::NotPython | python::Reading::NoConfiguration => {
                first_failure.get_or_insert(found);
            }
        }
    }
    match first_failure {
        Some(found) => diagnostics.append(found),
        None => {
            let message = "no ```python block in this document, expected one that holds a configuration";
            diagnostics.push("", Place::new(1, 1), message);
        }
    }
    None
}

/// Reads a block; where it is not right as it stands, without its slips.
fn read(block: &str, partly: bool, diagnostics: &mut Diagnostics) -> python::Reading {
    let mut found = Diagnostics::new();
    let reading = python::read(block, partly, &mut found);
    let right = match reading {
        python::Reading::Configuration(_) => found.is_empty(),
        python::Reading::NoConfiguration => true,
        python::Reading::NotPython => false,
    };
    if let Some(slips::Mended { code, notes }) = (!right).then(|| slips::mended(block)).flatten() {
        let mut again = Diagnostics::new();
        if let python::Reading::Configuration(node) = python::read(&code, partly, &mut again) {
            for (line, note) in notes {
                again.note("", Place::new(line, 1), note);
            }
            diagnostics.append(again);
            return python::Reading::Configuration(node);
        }
    }
    diagnostics.append(found);
    reading
}

/// The Python blocks, each as a whole file whose other lines are empty, so that line numbers stay true.
fn python_blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut open: Option<Fence> = None;
    for (number, line) in text.lines().enumerate() {
        let bare = line.trim_start();
        let indent = line.len() - bare.len();
        if let Some(fence) = &mut open {
            let closing = bare.trim_end();
            if closing.len() >= fence.ticks && closing.bytes().all(|byte| byte == fence.letter) {
                blocks.extend(open.take().map(|fence| fence.code));
            } else {
                // A block inside a list is indented as a whole.
                let code = line.get(fence.indent..).filter(|_| line.len() - bare.len() >= fence.indent);
                fence.code.push_str(code.unwrap_or(bare));
                fence.code.push('\n');
            }
            continue;
        }
        let Some(letter) = bare.bytes().next().filter(|byte| matches!(byte, b'`' | b'~')) else { continue };
        let ticks = bare.bytes().take_while(|byte| *byte == letter).count();
        let language = bare.get(ticks..).unwrap_or_default().trim().to_ascii_lowercase();
        // A document as a whole may stand in a block of its own (```markdown): its blocks count.
        if ticks >= 3 && (language.starts_with("py")) {
            open = Some(Fence { letter, ticks, indent, code: "\n".repeat(number + 1) });
        }
    }
    blocks.extend(open.map(|fence| fence.code));
    blocks
}

struct Fence {
    letter: u8,
    ticks: usize,
    indent: usize,
    code: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_numbers() {
        let text =
            "# Title\n\n```bash\nls\n```\n```python\nx = 1\n```\n- item\n  ```py\n  if x:\n      y\n  ```\n";
        assert_eq!(
            python_blocks(text),
            [format!("{}x = 1\n", "\n".repeat(6)), format!("{}if x:\n    y\n", "\n".repeat(10)),]
        );
    }

    #[test]
    fn the_first_block_with_a_configuration_counts() {
        let text = "```python\npip = 1\n```\n```python\nconfig = {\"client\": {\"base_url\": \"x\"}}\n```\n";
        let mut diagnostics = Diagnostics::new();
        let node = parse(text, false, &mut diagnostics).unwrap();
        assert_eq!(node.place, Place::new(5, 10));
        assert!(diagnostics.is_empty());
    }

    #[test]
    fn a_document_without_a_configuration_says_so() {
        let mut diagnostics = Diagnostics::new();
        assert_eq!(parse("# Nothing\n", false, &mut diagnostics), None);
        insta::assert_snapshot!(diagnostics, @"line 1: no ```python block in this document, expected one that holds a configuration");
    }
}
