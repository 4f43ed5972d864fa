//! Addresses that no API may lead to: those that a machine's own network answers, often with credentials.
//!
//! Cloud machines ask such an address for their identity and get a key for it, so a link to one is an attack or a
//! mistake. Loopback and private addresses need no rule of their own: they are other origins, and refused as such.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Metadata services that are not link-local: AWS by IPv6, Alibaba Cloud.
const METADATA_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
const METADATA_V4: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);

/// Whether an address is link-local or a metadata service, in whatever form of IPv6 it is wrapped.
pub(crate) fn is_metadata(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local() || address == METADATA_V4,
        IpAddr::V6(address) => {
            // `::ffff:a.b.c.d`, `::a.b.c.d` and `64:ff9b::a.b.c.d` lead to the IPv4 address.
            let [high @ .., upper, lower] = address.segments();
            let wraps = matches!(high, [0, 0, 0, 0, 0, 0 | 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0]);
            let [[a, b], [c, d]] = [upper.to_be_bytes(), lower.to_be_bytes()];
            address.is_unicast_link_local()
                || address == METADATA_V6
                || (wraps && is_metadata(Ipv4Addr::new(a, b, c, d).into()))
        }
    }
}

/// Whether a URL's host is such an address, written as one.
pub(crate) fn is_metadata_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => is_metadata(address.into()),
        Some(Host::Ipv6(address)) => is_metadata(address.into()),
        Some(Host::Domain(_)) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_machines_own_network() {
        for host in [
            "169.254.169.254",
            "169.254.1.1",
            "100.100.100.200",
            // The same in other spellings.
            "2852039166",
            "0xa9fea9fe",
            "0251.0376.0251.0376",
            "[fe80::1]",
            "[febf::1]",
            "[fd00:ec2::254]",
            "[::ffff:169.254.169.254]",
            "[::169.254.169.254]",
            "[64:ff9b::a9fe:a9fe]",
        ] {
            assert!(is_metadata_host(&Url::parse(&format!("http://{host}/")).unwrap()), "{host}");
        }
        for host in
            ["127.0.0.1", "10.0.0.1", "192.168.1.1", "100.100.100.201", "[::1]", "[fd00::1]", "a.example"]
        {
            assert!(!is_metadata_host(&Url::parse(&format!("http://{host}/")).unwrap()), "{host}");
        }
    }
}
