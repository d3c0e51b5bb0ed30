//! Texts that are almost sound.

/// The lines of a text, each with its line feed.
fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|byte| *byte == b'\n').collect()
}

/// A sound text after some changes, four bytes each: of bytes, and of lines, some
/// of them from another sound text.
pub fn edited(sound: &[u8], other: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut text = sound.to_vec();
    for edit in edits.chunks_exact(4).take(16) {
        let &[what, high, low, value] = edit else {
            unreachable!("chunks of four")
        };
        let place = usize::from(u16::from_be_bytes([high, low]));
        let at = place % (text.len() + 1);
        match what % 8 {
            0 => {
                if let Some(byte) = text.get_mut(at) {
                    *byte ^= value;
                }
            }
            1 => text.insert(at, value),
            2 => drop(text.drain(at..(at + usize::from(value % 64)).min(text.len()))),
            3 => text.truncate(at),
            what => {
                let from = if what == 4 { other } else { &text }.to_vec();
                let from = lines(&from);
                let mut into = lines(&text);
                if from.is_empty() || into.is_empty() {
                    continue;
                }
                let line = from[usize::from(value) % from.len()];
                let place = place % into.len();
                match what {
                    4 | 5 => into.insert(place, line),
                    6 => into[place] = line,
                    _ => drop(into.remove(place)),
                }
                text = into.concat();
            }
        }
    }
    text
}
