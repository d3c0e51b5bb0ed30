//! Who may do what: roles, scopes, and what the log says about their use.

use std::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256};

use crate::{
    identity::SubjectId,
    malformed::{Malformed, Problem},
    office::Office,
    text::{BatchNo, DocumentNo, Label, Principal, ProgrammeId},
};

/// What somebody is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// 经办: records facts and claims.
    Clerk,
    /// 审核: reviews grants, publishes notices.
    Reviewer,
    /// 审批: approves grants, takes them back.
    Approver,
    /// 出纳: pays.
    Cashier,
    /// 审计: reads and checks everything.
    Auditor,
    /// 报表: makes reports.
    Reporter,
    /// 政策与指标: adopts policy, appropriates money.
    Steward,
    /// 系统管理: says who may do what.
    Administrator,
}

impl Role {
    /// All, in the order in which they are listed.
    pub const ALL: [Self; 8] = [
        Self::Clerk,
        Self::Reviewer,
        Self::Approver,
        Self::Cashier,
        Self::Auditor,
        Self::Reporter,
        Self::Steward,
        Self::Administrator,
    ];

    /// The name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clerk => "clerk",
            Self::Reviewer => "reviewer",
            Self::Approver => "approver",
            Self::Cashier => "cashier",
            Self::Auditor => "auditor",
            Self::Reporter => "reporter",
            Self::Steward => "steward",
            Self::Administrator => "administrator",
        }
    }

    /// The name in Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Clerk => "经办",
            Self::Reviewer => "审核",
            Self::Approver => "审批",
            Self::Cashier => "出纳",
            Self::Auditor => "审计",
            Self::Reporter => "报表",
            Self::Steward => "政策与指标",
            Self::Administrator => "系统管理",
        }
    }

    /// The role with this name, in either language.
    pub fn parse(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|role| role.as_str() == name || role.zh() == name)
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Clerk => 1,
            Self::Reviewer => 2,
            Self::Approver => 4,
            Self::Cashier => 8,
            Self::Auditor => 16,
            Self::Reporter => 32,
            Self::Steward => 64,
            Self::Administrator => 128,
        }
    }
}

/// Some roles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles(u8);

impl Roles {
    /// None.
    pub const NONE: Self = Self(0);
    /// Every one.
    pub const ALL: Self = Self(u8::MAX);

    /// These.
    pub const fn of(roles: &[Role]) -> Self {
        let mut bits = 0;
        let mut rest = roles;
        while let [role, more @ ..] = rest {
            bits |= role.bit();
            rest = more;
        }
        Self(bits)
    }

    /// Whether it is one of them.
    pub fn contains(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// Whether any is in both.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In the order of [`Role::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL
            .into_iter()
            .filter(move |role| self.contains(*role))
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().fold(0, |bits, role| bits | role.bit()))
    }
}

/// A public key: the SHA-256 of its `SubjectPublicKeyInfo`. Printed as 64 small
/// hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Credential([u8; 32]);

impl Credential {
    /// Of a key, by its DER-encoded `SubjectPublicKeyInfo`.
    pub fn of_key_info(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// Wraps a digest.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What the header of an event says of it: the first 16 bytes.
    pub fn short(&self) -> [u8; 16] {
        self.0.first_chunk().copied().unwrap_or_default()
    }
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Credential {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let digest = blake3::Hash::from_hex(text).map_err(|_| Problem::UnknownValue)?;
        Ok(Self(*digest.as_bytes()))
    }
}

/// What a principal may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mandate {
    /// Who.
    pub principal: Principal,
    /// As what; none if they may do nothing any more.
    pub roles: Roles,
    /// For which offices, ascending; the city's stands for all.
    pub offices: Box<[Office]>,
    /// For which programmes, by their ids, ascending; none stands for all.
    pub programmes: Box<[ProgrammeId]>,
    /// With which keys, ascending; none stands for every one that is certified.
    pub credentials: Box<[Credential]>,
}

impl Mandate {
    /// The most offices, programmes or credentials of one mandate.
    pub const MOST: usize = 64;

    /// Sorts the lists, drops what stands twice, and checks the rest.
    pub fn new(
        principal: Principal,
        roles: Roles,
        (offices, programmes): (Vec<Office>, Vec<ProgrammeId>),
        credentials: Vec<Credential>,
    ) -> Result<Self, Malformed> {
        let mandate = Self {
            principal,
            roles,
            offices: in_order(offices),
            programmes: in_order(programmes),
            credentials: in_order(credentials),
        };
        mandate.check().map(|()| mandate)
    }

    /// Everything, for every office.
    pub fn of_everything(principal: Principal, roles: Roles) -> Self {
        Self {
            principal,
            roles,
            offices: Box::new([Office::LUZHOU]),
            programmes: Box::default(),
            credentials: Box::default(),
        }
    }

    /// Checks what a single field cannot show.
    pub fn check(&self) -> Result<(), Malformed> {
        let fault = |field, problem| Err(Malformed { field, problem });
        if self.principal == Principal::ledger() {
            return fault("principal", Problem::UnknownValue);
        }
        if self.offices.is_empty() && !self.roles.is_empty() {
            return fault("offices", Problem::Missing);
        }
        for (field, length) in [
            ("offices", self.offices.len()),
            ("programmes", self.programmes.len()),
            ("credentials", self.credentials.len()),
        ] {
            if length > Self::MOST {
                return fault(field, Problem::TooMany { max: Self::MOST });
            }
        }
        Ok(())
    }

    /// Whether it extends to an office.
    pub fn covers_office(&self, office: Office) -> bool {
        self.is_citywide() || self.offices.contains(&office)
    }

    /// Whether it extends to all offices.
    pub fn is_citywide(&self) -> bool {
        self.offices.contains(&Office::LUZHOU)
    }

    /// Whether it extends to a programme.
    pub fn covers_programme(&self, programme: &str) -> bool {
        self.programmes.is_empty() || self.programmes.iter().any(|id| id.as_str() == programme)
    }

    /// Whether it extends to everything.
    pub fn is_whole(&self) -> bool {
        self.is_citywide() && self.programmes.is_empty()
    }
}

fn in_order<T: Ord>(mut list: Vec<T>) -> Box<[T]> {
    list.sort_unstable();
    list.dedup();
    list.into()
}

/// Something was asked for that was not permitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Who asked, as far as it is known.
    pub principal: Option<Principal>,
    /// Stable reason code.
    pub code: Label,
    /// What was asked: a method, a kind of command, or `connection`.
    pub action: Label,
    /// How often since the last event that says so; at least once.
    pub count: u64,
}

/// Whose details were shown in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revealed {
    /// One subject's.
    Subject(SubjectId),
    /// Those of all payees of a batch.
    Batch(BatchNo),
}

/// Somebody was shown personal details in clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reveal {
    /// Whose.
    pub of: Revealed,
    /// Why; no personal data.
    pub purpose: Label,
}

/// The details of a subject can no longer be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Whose; it is the event's stream.
    pub subject: SubjectId,
    /// The document that orders it.
    pub document: DocumentNo,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_a_set() {
        let some = Roles::of(&[Role::Cashier, Role::Clerk, Role::Cashier]);
        assert_eq!(
            some.iter().collect::<Vec<_>>(),
            [Role::Clerk, Role::Cashier]
        );
        assert_eq!(some, [Role::Clerk, Role::Cashier].into_iter().collect());
        assert!(some.meets(Roles::of(&[Role::Cashier, Role::Auditor])));
        assert!(!some.meets(Roles::of(&[Role::Auditor])) && !some.meets(Roles::NONE));
        assert_eq!(Roles::ALL.iter().collect::<Vec<_>>(), Role::ALL);
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
            assert_eq!(Role::parse(role.zh()), Some(role));
        }
        assert_eq!(Role::parse("Clerk"), None);
    }

    #[test]
    fn a_mandate_extends_to_its_offices_and_programmes() {
        let office = |code| Office::new(code).unwrap();
        let name = |name: &str| Principal::new(name).unwrap();
        let programme = |id: &str| ProgrammeId::new(id).unwrap();
        let roles = Roles::of(&[Role::Clerk]);
        let county = Mandate::new(
            name("li"),
            roles,
            (
                vec![office(510_521), office(510_502), office(510_521)],
                vec![programme("skill-base")],
            ),
            Vec::new(),
        );
        let county = county.unwrap();
        assert_eq!(*county.offices, [office(510_502), office(510_521)]);
        assert!(county.covers_office(office(510_502)) && !county.covers_office(Office::LUZHOU));
        assert!(county.covers_programme("skill-base") && !county.covers_programme("loan"));
        let all = Mandate::of_everything(name("wang"), roles);
        assert!(all.covers_office(office(510_525)) && all.covers_programme("loan"));
        assert!(all.is_whole() && !county.is_whole());

        let lists = || (Vec::new(), Vec::new());
        let nowhere = Mandate::new(name("li"), roles, lists(), Vec::new());
        assert_eq!(nowhere.unwrap_err().field, "offices");
        let revoked = Mandate::new(name("li"), Roles::NONE, lists(), Vec::new());
        assert!(revoked.unwrap().roles.is_empty());
        let ledger = Mandate::new(Principal::ledger(), Roles::NONE, lists(), Vec::new());
        assert_eq!(ledger.unwrap_err().field, "principal");
    }

    #[test]
    fn a_credential_is_read_as_it_is_printed() {
        let credential = Credential::from_bytes([0xA5; 32]);
        assert_eq!(credential.to_string().parse(), Ok(credential));
        assert_eq!(credential.short(), [0xA5; 16]);
        for text in ["", "a5", &"g5".repeat(32), &"a5".repeat(33)] {
            assert!(text.parse::<Credential>().is_err(), "{text}");
        }
    }
}
