//! What the text forms of C2SP have in common: strict base64 and decimals, so
//! that every value has one spelling.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::tree::Node;

/// Standard base64 with padding.
pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

/// Its only reading: padding is required, and unused bits are zero.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// A node, in base64.
pub(super) fn node(text: &str) -> Option<Node> {
    let bytes: [u8; 32] = decode(text)?.try_into().ok()?;
    Some(Node::from_bytes(bytes))
}

/// A decimal without sign and leading zeros.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (canonical && digits).then(|| text.parse().ok()).flatten()
}
