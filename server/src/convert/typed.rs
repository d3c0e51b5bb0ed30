//! Texts as they were typed: the same name typed on two machines is the same, and
//! what is seen is all there is.
//!
//! A command's texts are brought into Unicode's composed form (NFC) before anything
//! is hashed or sealed, and characters that are not seen, or that change how others
//! are seen, are refused. What is stored already is read as it is: this is for the
//! edge.
//!
//! Refused are, beside controls: what directs or joins text, fillers, the marks of
//! annotations and tags, variation selectors, and what is no character at all. A
//! variation selector (U+E0100 and on are for the shapes of Chinese characters) only
//! changes a shape: with one and without, a name would be two names that look alike;
//! identity cards know no selectors (GB 18030). Characters of the private use area
//! stay, since the fonts of older tables keep rare characters there. Characters that
//! look like others (`А` and `A`) are not our business: both can be seen, and an
//! identity number decides who is meant.
//!
//! Source: UAX #15; UAX #44, `Default_Ignorable_Code_Point` and
//! `Noncharacter_Code_Point`; UTS #37; UTS #39.

use luzhang_ledger::{identity::DetailsError, text::TextError};
use luzhang_proto::{DESCRIPTORS, wire};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, Value};
use std::sync::LazyLock;
use tonic::Code;
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use crate::rejected::Rejected;

/// A command's texts, composed and visible; and the command as bytes, which is what
/// its content is.
pub(super) fn command(command: wire::Command) -> Result<(wire::Command, Vec<u8>), Rejected> {
    let bytes = command.encode_to_vec();
    // Almost always there is nothing to do.
    if is_plain(&bytes) {
        return Ok((command, bytes));
    }
    let descriptor = COMMAND.clone().ok_or_else(|| unreadable("descriptor"))?;
    let dynamic = DynamicMessage::decode(descriptor, bytes.as_slice());
    let mut dynamic = dynamic.map_err(|error| unreadable(&error.to_string()))?;
    let mut changed = false;
    message(&mut dynamic, &mut Vec::new(), &mut changed)?;
    if !changed {
        return Ok((command, bytes));
    }
    let bytes = dynamic.encode_to_vec();
    let composed = wire::Command::decode(bytes.as_slice());
    Ok((
        composed.map_err(|error| unreadable(&error.to_string()))?,
        bytes,
    ))
}

/// One text, for what is not a command.
pub(crate) fn text(text: &str) -> String {
    text.nfc().collect()
}

static COMMAND: LazyLock<Option<MessageDescriptor>> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(DESCRIPTORS).ok()?;
    pool.get_message_by_name("luzhang.v1.Command")
});

/// What we have encoded ourselves can be decoded.
fn unreadable(detail: &str) -> Rejected {
    Rejected::new(
        Code::Internal,
        "LEDGER_IO",
        format!("请求无法转换：{detail}"),
        format!("the command cannot be converted: {detail}"),
    )
}

/// Whether an encoded message holds no text that needs a look. Controls and other
/// ASCII are looked at where texts are parsed.
///
/// A character of a text stands in the message as its UTF-8 bytes; so each byte that
/// may begin one is taken for a character. A number that happens to look like one
/// costs a closer look and no more.
fn is_plain(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte >= 0xc2) {
        rest = rest.get(at..).unwrap_or_default();
        match rest {
            // U+3000 to U+302B, U+3100 to U+9FFF but for a few: punctuation and
            // Chinese characters. Composed, visible.
            [0xe4..=0xe9, 0x80..=0xbf, 0x80..=0xbf, more @ ..]
            | [0xe3, 0x80, 0x80..=0x9f, more @ ..]
            | [0xe3, 0x90..=0xbf, 0x80..=0xbf, more @ ..]
            // U+FF01 to U+FF5E: full width.
            | [0xef, 0xbc, 0x81..=0xbf, more @ ..]
            | [0xef, 0xbd, 0x80..=0x9e, more @ ..]
            // U+00B7, the dot within names; U+2014, U+2018 to U+201D, U+2026.
            | [0xc2, 0xb7, more @ ..]
            | [0xe2, 0x80, 0x94 | 0x98..=0x9d | 0xa6, more @ ..] => rest = more,
            // No character: what follows is not continued.
            [_, 0..=0x7f | 0xc0..=0xff, ..] | [_] => rest = rest.get(1..).unwrap_or_default(),
            _ => return false,
        }
    }
    true
}

fn message(
    of: &mut DynamicMessage,
    path: &mut Vec<String>,
    changed: &mut bool,
) -> Result<(), Rejected> {
    for (field, value) in of.fields_mut() {
        path.push(field.name().to_owned());
        self::value(value, path, changed)?;
        path.pop();
    }
    Ok(())
}

fn value(of: &mut Value, path: &mut Vec<String>, changed: &mut bool) -> Result<(), Rejected> {
    match of {
        Value::String(text) => {
            look(text, path)?;
            if !is_nfc(text) {
                *text = self::text(text);
                *changed = true;
            }
            Ok(())
        }
        Value::Message(inner) => message(inner, path, changed),
        Value::List(list) => list.iter_mut().try_for_each(|v| value(v, path, changed)),
        Value::Map(map) => map.values_mut().try_for_each(|v| value(v, path, changed)),
        Value::Bool(_)
        | Value::I32(_)
        | Value::I64(_)
        | Value::U32(_)
        | Value::U64(_)
        | Value::F32(_)
        | Value::F64(_)
        | Value::Bytes(_)
        | Value::EnumNumber(_) => Ok(()),
    }
}

/// Refuses what is not seen. The text itself is not repeated.
fn look(text: &str, path: &[String]) -> Result<(), Rejected> {
    // What is parsed as a name: a bank is one where an account is bound.
    let name = match path {
        [.., last] if last.ends_with("name") => true,
        [kind, last] => kind == "account" && last == "bank",
        _ => false,
    };
    // The place in the text as the parser takes it.
    let taken = if name { text.trim() } else { text };
    let Some(index) = taken.chars().position(is_hidden) else {
        return Ok(());
    };
    // The first is which kind of command it is, which nobody calls a field.
    let field = match path {
        [_, field @ ..] if !field.is_empty() => field.join("."),
        path => path.join("."),
    };
    Err(if name {
        let error = DetailsError::NameCharacter { index };
        Rejected::field(field, error.code(), error.zh(), error.to_string())
    } else {
        let error = TextError::Character;
        let place = index.saturating_add(1);
        Rejected::field(
            field,
            error.code(),
            format!("第{place}个字符不可见，或会改变其他字符的显示；请重新录入"),
            format!("character {place} cannot be seen, or changes how others are seen: retype it"),
        )
    })
}

/// Whether a character is not seen, changes how others are seen, or is none.
/// Controls are left to the parsers, which know where a line may end.
fn is_hidden(character: char) -> bool {
    matches!(
        character,
        // Directions.
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}'
        // Zero width, joiners, invisible operators, soft hyphen, byte order mark.
        | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{00ad}' | '\u{034f}'
        | '\u{180e}' | '\u{feff}'
        // Fillers.
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}'
        // Ends of lines and paragraphs.
        | '\u{0085}' | '\u{2028}' | '\u{2029}'
        // Annotations; what stands for something that was lost.
        | '\u{fff0}'..='\u{fffd}'
        // Variation selectors, tags, and what is reserved for their like.
        | '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{e0000}'..='\u{e0fff}'
        // Formats of shorthand and music.
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        // No characters.
        | '\u{fdd0}'..='\u{fdef}'
    ) || matches!(u32::from(character) & 0xffff, 0xfffe | 0xffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(trade: &str) -> wire::Command {
        wire::Command {
            request_id: String::new(),
            office: "510502".to_owned(),
            body: Some(wire::command::Body::Course(wire::Course {
                course_no: "PX-1".to_owned(),
                provider: Some(wire::Organisation {
                    name: trade.to_owned(),
                    ..wire::Organisation::default()
                }),
                trade: trade.to_owned(),
                ..wire::Course::default()
            })),
        }
    }

    #[test]
    fn typed_in_two_ways_it_is_the_same() {
        for (typed, composed) in [
            ("Cafe\u{301}", "Café"),
            ("Café", "Café"),
            // A compatibility ideograph is the same as its own.
            ("\u{f9d0}某", "類某"),
            ("か\u{3099}", "が"),
            ("\u{1112}\u{1161}\u{11ab}", "한"),
            // Full width is another text; whoever means a number writes it in ASCII.
            ("Ａ１", "Ａ１"),
            ("某\u{e81a}\u{f0000}", "某\u{e81a}\u{f0000}"),
            ("𠮷𠀀·泸州（某）", "𠮷𠀀·泸州（某）"),
        ] {
            let (command, bytes) = command(course(typed)).unwrap();
            assert_eq!(command, course(composed), "{typed:?}");
            assert_eq!(bytes, course(composed).encode_to_vec(), "{typed:?}");
        }
    }

    #[test]
    fn what_is_not_seen_is_refused_and_its_place_named() {
        for hidden in [
            '\u{61c}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{2028}',
            '\u{2029}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{206f}',
            '\u{feff}',
            '\u{ad}',
            '\u{85}',
            '\u{34f}',
            '\u{115f}',
            '\u{3164}',
            '\u{180b}',
            '\u{180e}',
            '\u{fe00}',
            '\u{fe0f}',
            '\u{fff9}',
            '\u{fffd}',
            '\u{fffe}',
            '\u{ffff}',
            '\u{fdd0}',
            '\u{1fffe}',
            '\u{10ffff}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e0100}',
            '\u{e01ef}',
        ] {
            let refused = command(course(&format!(" 某{hidden}甲"))).unwrap_err();
            assert_eq!(refused.code, "NAME_CHARACTER", "{hidden:?}");
            assert_eq!(refused.field, "provider.name");
            for said in [&refused.zh, &refused.en] {
                assert!(said.contains('2') && !said.contains(hidden), "{said}");
            }
            let mut labelled = course("某");
            let Some(wire::command::Body::Course(course)) = &mut labelled.body else {
                unreachable!();
            };
            course.trade = format!("酿酒工{hidden}");
            let refused = command(labelled).unwrap_err();
            assert_eq!(
                (refused.code, &*refused.field),
                ("TEXT_CHARACTER", "trade"),
                "{hidden:?}"
            );
        }
    }

    #[test]
    fn the_quick_look_overlooks_nothing() {
        // Every character there is, alone in a text.
        for character in (0x80..=0x0010_ffff_u32).filter_map(char::from_u32) {
            let text = character.to_string();
            let quick = is_plain(text.as_bytes());
            let plain = !is_hidden(character)
                && is_nfc(&text)
                && unicode_normalization::char::canonical_combining_class(character) == 0
                && is_nfc(&format!("a{character}"));
            assert!(plain || !quick, "{character:?}");
        }
        assert!(is_plain(
            "泸州市江阳区某某酒业（集团）有限公司·张某，ABC-１２".as_bytes()
        ));
        // After a byte that only looks like the beginning of a character.
        for before in [
            &[0xc2][..],
            &[0xe4, 0x0a],
            &[0xf4, 0xe4, 0xb8],
            &[0xe4, 0xb8],
        ] {
            let bytes = [before, "\u{202e}".as_bytes()].concat();
            assert!(!is_plain(&bytes), "{before:?}");
        }
    }
}
