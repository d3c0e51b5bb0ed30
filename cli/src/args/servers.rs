//! `--server` and `--patience`: who serves a ledger, and how long they are waited for.

use std::{fmt, slice, str::FromStr, time::Duration};

use jiff::SignedDuration;

/// The servers of one ledger, in the order in which they are asked; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerList(Vec<String>);

impl ServerList {
    pub(crate) fn one(url: &str) -> Self {
        Self(vec![url.to_owned()])
    }

    pub(crate) fn iter(&self) -> slice::Iter<'_, String> {
        self.0.iter()
    }
}

impl fmt::Display for ServerList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

/// How a server is talked to, by its address.
fn scheme(url: &str) -> Option<&str> {
    let (scheme, _) = url.split_once("://")?;
    ["http", "https"].contains(&scheme).then_some(scheme)
}

impl FromStr for ServerList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let urls: Vec<String> = text.split(',').map(|url| url.trim().to_owned()).collect();
        if let [_] = &urls[..] {
            // What is wrong with it is said where it is used.
            return Ok(Self(urls));
        }
        if urls.iter().any(String::is_empty) {
            return Err("there is nothing beside a comma".to_owned());
        }
        let mut schemes = urls.iter().map(|url| scheme(url));
        let first = schemes.next().flatten();
        if first.is_none() || schemes.any(|scheme| scheme != first) {
            return Err(
                "of several servers, all have https:// addresses, or all http://".to_owned(),
            );
        }
        for (place, url) in urls.iter().enumerate() {
            if urls.iter().take(place).any(|before| before == url) {
                return Err(format!("{url} is there twice"));
            }
        }
        Ok(Self(urls))
    }
}

/// How long servers are waited for.
pub(super) fn patience(text: &str) -> Result<Duration, String> {
    let wrong = || "neither 0 nor a time such as 30s or 5m".to_owned();
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let time: SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(time).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<Vec<String>> {
        text.parse::<ServerList>().ok().map(|list| list.0)
    }

    #[test]
    fn several_servers_are_one_list_in_their_order() {
        let (one, two) = ("https://one.example:7380", "https://two.example:7380");
        assert_eq!(parsed(one).unwrap(), [one]);
        assert_eq!(parsed(&format!("{two},{one}")).unwrap(), [two, one]);
        assert_eq!(parsed(&format!(" {one} , {two} ")).unwrap(), [one, two]);
        assert_eq!(
            parsed("http://[::1]:1,http://localhost:2").unwrap().len(),
            2
        );
        // One alone is judged where it is used, as it always was.
        for odd in ["", "one.example:7380", "no url at all"] {
            assert_eq!(parsed(odd).unwrap(), [odd]);
        }
    }

    #[test]
    fn a_list_that_cannot_be_meant_is_refused() {
        for text in [
            ",",
            "https://one,",
            ",https://one",
            "https://one,,https://two",
            "https://one,https://one",
            // Nobody is to end up without TLS by the order of a list.
            "https://one,http://two",
            "http://one,https://two",
            "one:7380,two:7380",
            "https://one,two:7380",
            "ftp://one,ftp://two",
        ] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
    }

    #[test]
    fn patience_is_a_time_or_none() {
        for (text, seconds) in [("0", 0), ("0s", 0), ("30s", 30), ("5m", 300)] {
            assert_eq!(patience(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "-1s", "30", "soon", "1mo"] {
            assert!(patience(text).is_err(), "{text}");
        }
    }
}
