//! Who is at the other end of a connection.

use luzhang_ledger::{access::Credential, text::Principal};

/// Who is at the other end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// This process itself: whoever may open the data directory.
    Embedded,
    /// Somebody on this machine, who is believed.
    Local,
    /// Somebody with a certificate.
    Certified(Certified),
}

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certified {
    /// The name in it.
    pub principal: Principal,
    /// Its public key.
    pub credential: Credential,
}
