//! Who is followed: a server that does not write says who does, and whoever asked goes
//! there, if that is no worse a place than the one that they had chosen.

use std::net::{IpAddr, Ipv6Addr};

use tonic::codegen::http::Uri;

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    secure: bool,
    host: String,
    port: u16,
}

impl Place {
    /// Of an address with nothing but scheme, host and port.
    pub(super) fn of(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let authority = uri.authority()?;
        if authority.as_str().contains('@') || !matches!(uri.path(), "" | "/") {
            return None;
        }
        if uri.query().is_some() {
            return None;
        }
        let secure = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let host = authority.host();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let port = match authority.port() {
            Some(port) => port.as_str().parse().ok()?,
            None if secure => 443,
            None => 80,
        };
        (!bare.is_empty()).then(|| Self {
            secure,
            host: bare.to_ascii_lowercase(),
            port,
        })
    }

    fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Whether it is on the machine of whoever says so.
    fn is_here(&self) -> bool {
        let mapped = |v6: Ipv6Addr| v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4);
        match self.address() {
            Some(IpAddr::V6(v6)) => mapped(v6).is_loopback(),
            Some(address) => address.is_loopback(),
            None => self.host == "localhost" || self.host.ends_with(".localhost"),
        }
    }

    /// Whether anybody can be there.
    fn is_somewhere(&self) -> bool {
        self.port != 0
            && self
                .address()
                .is_none_or(|address| !address.is_unspecified())
    }

    fn url(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        let Self { host, port, .. } = self;
        if host.contains(':') {
            format!("{scheme}://[{host}]:{port}")
        } else {
            format!("{scheme}://{host}:{port}")
        }
    }
}

/// The address of the server that `by` calls the writer, if it may be followed.
///
/// It is what that one was told to advertise, `HOST:PORT`, and may be anything. With TLS
/// it does not matter who said it: the server has to show a certificate for that name,
/// by a CA that the caller believes. Without TLS nobody shows anything, and all that is
/// sent can be read on its way; so nobody is led there but to a server that the caller
/// has named, or from this machine to this machine.
pub(super) fn follow(writer: &str, by: &Place, named: &[Place]) -> Option<String> {
    let place = if writer.contains("://") {
        Place::of(writer)
    } else {
        let scheme = if by.secure { "https" } else { "http" };
        Place::of(&format!("{scheme}://{writer}"))
    };
    // A port that is not said is no address of a server.
    let (_, port) = writer.trim_end_matches('/').rsplit_once(':')?;
    let place = place.filter(|_| port.parse::<u16>().is_ok())?;
    if place == *by || place.secure != by.secure || !place.is_somewhere() {
        return None;
    }
    let may = if place.is_here() {
        // Its own machine, and so ours only if that is the same one.
        by.is_here()
    } else {
        by.secure
    };
    (may || named.contains(&place)).then(|| place.url())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn followed(writer: &str, by: &str, named: &[&str]) -> Option<String> {
        let place = |url: &str| Place::of(url).unwrap();
        let named: Vec<Place> = named.iter().map(|url| place(url)).collect();
        follow(writer, &place(by), &named)
    }

    #[test]
    fn a_writer_is_followed_where_it_can_prove_who_it_is() {
        let by = "https://one.example:7380";
        let two = Some("https://two.example:7380".to_owned());
        for writer in [
            "two.example:7380",
            "TWO.example:7380",
            "https://two.example:7380",
            "https://two.example:7380/",
        ] {
            assert_eq!(followed(writer, by, &[by]), two, "{writer}");
        }
        assert_eq!(
            followed("[2001:db8::1]:7380", by, &[by]).unwrap(),
            "https://[2001:db8::1]:7380"
        );
    }

    #[test]
    fn what_is_no_address_or_leads_nowhere_is_ignored() {
        let by = "https://one.example:7380";
        for writer in [
            "",
            " ",
            ":",
            ":7380",
            "two.example",
            "two.example:",
            "https://two.example",
            "[2001:db8::1]",
            "two.example:0",
            "two.example:70000",
            "two.example:7380/path",
            "two.example:7380?query",
            "somebody@two.example:7380",
            "https://somebody:else@two.example:7380",
            "two.example:7380,three.example:7380",
            "two example:7380",
            "0.0.0.0:7380",
            "[::]:7380",
            "file:///etc/passwd",
            // Itself.
            "one.example:7380",
            "ONE.example:7380",
        ] {
            assert_eq!(followed(writer, by, &[by]), None, "{writer:?}");
        }
    }

    #[test]
    fn nobody_is_led_from_tls_to_none_or_to_a_stranger_without() {
        let secure = "https://one.example:7380";
        for writer in ["http://two.example:7380", "http://127.0.0.1:7380"] {
            assert_eq!(followed(writer, secure, &[secure]), None, "{writer}");
        }
        // Named or not.
        let named = [secure, "http://two.example:7380"];
        assert_eq!(followed("http://two.example:7380", secure, &named), None);
        // Without TLS: from this machine to this machine, or to whom the caller named.
        let plain = "http://127.0.0.1:7380";
        let second = Some("http://127.0.0.1:7480".to_owned());
        assert_eq!(followed("127.0.0.1:7480", plain, &[plain]), second);
        assert!(followed("localhost:7480", plain, &[plain]).is_some());
        assert!(followed("[::1]:7480", plain, &[plain]).is_some());
        for writer in [
            "two.example:7380",
            "10.0.0.2:7380",
            "https://127.0.0.1:7480",
        ] {
            assert_eq!(followed(writer, plain, &[plain]), None, "{writer}");
        }
        let tunnels = ["http://a.example:1", "http://b.example:2"];
        let other = Some(tunnels[1].to_owned());
        assert_eq!(followed("b.example:2", tunnels[0], &tunnels), other);
        assert_eq!(followed("c.example:3", tunnels[0], &tunnels), None);
    }

    #[test]
    fn another_machines_own_address_is_not_this_one() {
        let by = "https://one.example:7380";
        for writer in [
            "127.0.0.1:7380",
            "[::ffff:127.0.0.1]:7380",
            "localhost:7380",
        ] {
            assert_eq!(followed(writer, by, &[by]), None, "{writer}");
        }
        let here = "https://localhost:7380";
        assert!(followed("127.0.0.1:7480", here, &[here]).is_some());
        // Unless the caller has named it.
        let named = [by, "https://localhost:7380"];
        assert!(followed("localhost:7380", by, &named).is_some());
    }
}
