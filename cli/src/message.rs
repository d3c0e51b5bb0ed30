//! Messages as JSON, by their descriptors: the canonical protobuf mapping.

use anyhow::Context as _;
use luzhang_proto::DESCRIPTORS;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde_json::Value;

fn descriptor(name: &str) -> anyhow::Result<prost_reflect::MessageDescriptor> {
    let pool = DescriptorPool::decode(DESCRIPTORS)?;
    pool.get_message_by_name(name)
        .with_context(|| format!("no message {name}"))
}

/// A message as JSON, without the fields that have their default value.
pub(crate) fn to_json(name: &str, message: &impl Message) -> anyhow::Result<Value> {
    serialize(name, message, &options())
}

/// A message as JSON, with every field.
pub(crate) fn to_whole_json(name: &str, message: &impl Message) -> anyhow::Result<Value> {
    serialize(name, message, &options().skip_default_fields(false))
}

fn options() -> SerializeOptions {
    SerializeOptions::new()
        .use_proto_field_name(true)
        .stringify_64_bit_integers(false)
}

fn serialize(
    name: &str,
    message: &impl Message,
    options: &SerializeOptions,
) -> anyhow::Result<Value> {
    let mut dynamic = DynamicMessage::new(descriptor(name)?);
    dynamic.transcode_from(message)?;
    Ok(dynamic.serialize_with_options(serde_json::value::Serializer, options)?)
}

/// A message from JSON.
pub(crate) fn from_json<M: Message + Default>(name: &str, text: &str) -> anyhow::Result<M> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let dynamic = DynamicMessage::deserialize(descriptor(name)?, &mut deserializer)?;
    deserializer.end()?;
    Ok(dynamic.transcode_to()?)
}

/// What a reader of JSON says, without the value that it found: that may be a
/// name or an identity number. Names of fields stay.
pub(crate) fn without_values(error: &str) -> String {
    let is_quote = |c: char| matches!(c, '"' | '\'' | '`');
    let about_fields = [
        "unrecognized field name",
        "duplicate field",
        "multiple fields",
    ];
    if about_fields.iter().any(|begin| error.starts_with(begin)) {
        return error.to_owned();
    }
    match (error.find(is_quote), error.rfind(is_quote)) {
        (Some(from), Some(to)) if from < to => {
            let (before, after) = (error.get(..from), error.get(to + 1..));
            format!(
                "{}…{}",
                before.unwrap_or_default(),
                after.unwrap_or_default()
            )
        }
        (Some(from), _) => error.get(..from).unwrap_or_default().to_owned(),
        (None, _) => error.to_owned(),
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_does_not_repeat_the_value_that_it_found() {
        for (json, expected) in [
            (
                r#"{"poverty_status": {"person": "某甲"}}"#,
                "invalid type: string …, expected a map",
            ),
            (
                r#"{"poverty_status": {"person": "a\"b', expected `c"}}"#,
                "invalid type: string …, expected a map",
            ),
            (
                r#"{"poverty_status": {"person": {"national_id": 510590197607110016}}}"#,
                "invalid type: integer …, expected a string",
            ),
            (
                r#"{"skill_base": {"kind": "某甲"}}"#,
                "unrecognized enum value …",
            ),
            (
                r#"{"poverty_status": {"persom": {}}}"#,
                "unrecognized field name 'persom'",
            ),
            (r#"{"request_id": "1" x"#, "expected …"),
        ] {
            let error = from_json::<luzhang_proto::wire::Command>("luzhang.v1.Command", json);
            let said = without_values(&format!("{:#}", error.unwrap_err()));
            let (said, _place) = said.split_once(" at line 1 column ").unwrap();
            assert_eq!(said, expected);
        }
    }
}
