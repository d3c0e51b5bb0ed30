//! What of a subject's details may be shown.

use luzhang_ledger::event::PartyKind;

/// What may be shown of a subject whose details could be opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// A person's name masked, others whole.
    pub name: String,
    /// Identity number, masked; credit codes and brand numbers whole.
    pub identity: String,
    /// Account number, masked.
    pub account: String,
}

impl Shown {
    /// What may be shown of a subject: of a person the first character of the
    /// name, the first four and the last four characters of the identity number;
    /// of others all, for they are public. Of an account the last four.
    pub fn of(kind: PartyKind, name: &str, number: &str, account: Option<&str>) -> Self {
        let person = kind == PartyKind::Person;
        Self {
            name: if person {
                masked(name, 1, 0)
            } else {
                name.to_owned()
            },
            identity: if person {
                masked(number, 4, 4)
            } else {
                number.to_owned()
            },
            account: account.map_or(String::new(), |account| masked(account, 0, 4)),
        }
    }
}

/// A star for each character but the first and last few.
pub fn masked(text: &str, first: usize, last: usize) -> String {
    let length = text.chars().count();
    let end = length.saturating_sub(last);
    let masked = |(place, c)| {
        if place < first || place >= end.max(first) {
            c
        } else {
            '*'
        }
    };
    text.chars().enumerate().map(masked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_person_hides_name_birthday_and_account() {
        let number = "510590197607110016";
        let shown = |kind| Shown::of(kind, "某某甲", number, Some("6217003650001234567"));
        let person = shown(PartyKind::Person);
        assert_eq!(person.name, "某**");
        assert_eq!(person.identity, "5105**********0016");
        assert_eq!(person.account, "***************4567");
        let firm = shown(PartyKind::Organisation);
        assert_eq!((&*firm.name, &*firm.identity), ("某某甲", number));
        // Nothing is so short that it shows itself by its ends.
        for (text, first, last, expected) in [
            ("阿依某某·买买提", 1, 0, "阿*******"),
            ("某", 1, 0, "某"),
            ("", 1, 0, ""),
            ("1234", 0, 4, "1234"),
            ("12345", 0, 4, "*2345"),
        ] {
            assert_eq!(masked(text, first, last), expected);
        }
    }
}
