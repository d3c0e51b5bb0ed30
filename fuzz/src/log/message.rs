//! Protobuf messages that are almost sound: changes of fields, not of bytes, so
//! that most of them still decode.

/// A field as it stands on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    number: u32,
    value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Varint(u64),
    Fixed64([u8; 8]),
    /// Text, bytes, packed numbers, or a message.
    Bytes(Vec<u8>),
    Fixed32([u8; 4]),
}

/// The deepest message that is looked into.
const DEPTH: usize = 8;

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in 0..10 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f).checked_shl(7 * shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn put_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// The fields of a message; `None` if the bytes are none.
fn fields(mut bytes: &[u8]) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes)?;
        let number = u32::try_from(key >> 3).ok().filter(|number| *number > 0)?;
        let value = match key & 7 {
            0 => Value::Varint(varint(&mut bytes)?),
            1 => {
                let (value, rest) = bytes.split_first_chunk()?;
                bytes = rest;
                Value::Fixed64(*value)
            }
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let (value, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                Value::Bytes(value.to_vec())
            }
            5 => {
                let (value, rest) = bytes.split_first_chunk()?;
                bytes = rest;
                Value::Fixed32(*value)
            }
            _ => return None,
        };
        fields.push(Field { number, value });
    }
    Some(fields)
}

fn encoded(fields: &[Field]) -> Vec<u8> {
    let mut out = Vec::new();
    for Field { number, value } in fields {
        let kind = match value {
            Value::Varint(_) => 0,
            Value::Fixed64(_) => 1,
            Value::Bytes(_) => 2,
            Value::Fixed32(_) => 5,
        };
        put_varint(u64::from(*number) << 3 | kind, &mut out);
        match value {
            Value::Varint(number) => put_varint(*number, &mut out),
            Value::Fixed64(bytes) => out.extend(bytes),
            Value::Bytes(bytes) => {
                put_varint(bytes.len() as u64, &mut out);
                out.extend(bytes);
            }
            Value::Fixed32(bytes) => out.extend(bytes),
        }
    }
    out
}

/// What is done to one field.
#[derive(Clone, Copy)]
struct Edit<'a> {
    what: u8,
    value: u8,
    /// The field's place among all, and then among those of its message.
    place: usize,
    other: &'a [u8],
}

/// A sound message after some changes, four bytes each; some take a field from
/// another sound message.
pub fn edited(sound: &[u8], other: &[u8], edits: &[u8]) -> Vec<u8> {
    let mut message = sound.to_vec();
    for edit in edits.chunks_exact(4).take(12) {
        let &[what, place, value, deep] = edit else {
            unreachable!("chunks of four")
        };
        let edit = Edit {
            what,
            value,
            place: usize::from(place),
            other,
        };
        if let Some(changed) = change(&message, edit, usize::from(deep) % DEPTH) {
            message = changed;
        }
    }
    message
}

/// Numbers at the edges of what anything takes.
const EDGES: [u64; 16] = [
    0,
    1,
    2,
    7,
    0x7f,
    0xff,
    1_000,
    20_240_229,
    0x7fff_ffff,
    0xffff_ffff,
    99_999_999_999_999,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
    u64::MAX - 1,
    510_502,
];

fn change(message: &[u8], edit: Edit<'_>, deep: usize) -> Option<Vec<u8>> {
    let mut all = fields(message).filter(|all| !all.is_empty())?;
    let place = edit.place % all.len();
    if deep > 0 {
        // Into the messages of this one, the chosen field first.
        let order = (0..all.len()).map(|step| (place + step) % all.len());
        for at in order {
            let Value::Bytes(inner) = &all[at].value else {
                continue;
            };
            if let Some(changed) = change(inner, edit, deep - 1) {
                all[at].value = Value::Bytes(changed);
                return Some(encoded(&all));
            }
        }
    }
    let from = || fields(edit.other).filter(|from| !from.is_empty());
    match edit.what % 8 {
        0 => drop(all.remove(place)),
        1 => all.insert(place, all[place].clone()),
        2 => {
            let from = from()?;
            all.push(from[usize::from(edit.value) % from.len()].clone());
        }
        3 => {
            // One's own body with the other's header, or the other way round.
            let from = from()?;
            let field = &from[usize::from(edit.value) % from.len()];
            let own = all.iter_mut().find(|own| own.number == field.number)?;
            own.value = field.value.clone();
        }
        4 => {
            let last = all.len() - 1;
            all.swap(place, usize::from(edit.value).min(last));
        }
        _ => change_value(&mut all[place].value, edit),
    }
    Some(encoded(&all))
}

fn change_value(value: &mut Value, edit: Edit<'_>) {
    match value {
        Value::Varint(number) if edit.what % 8 == 5 => {
            *number = EDGES[usize::from(edit.value) % EDGES.len()];
        }
        Value::Varint(number) => {
            *number = number.wrapping_add(u64::from(edit.value)).wrapping_sub(128);
        }
        Value::Fixed64(bytes) => bytes[usize::from(edit.value) % 8] ^= edit.value,
        Value::Fixed32(bytes) => bytes[usize::from(edit.value) % 4] ^= edit.value,
        Value::Bytes(bytes) => match edit.what % 8 {
            5 => {
                let at = usize::from(edit.value) % (bytes.len() + 1);
                bytes.truncate(at);
            }
            6 => {
                let at = edit.place % (bytes.len() + 1);
                bytes.insert(at, edit.value);
            }
            _ => {
                let length = bytes.len();
                if length > 0 {
                    bytes[edit.place % length] = edit.value;
                }
            }
        },
    }
}
