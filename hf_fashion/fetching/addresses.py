"""Tell addresses of the public internet from those of this machine and its networks."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network


# Networks of IPv6 that carry addresses of IPv4: through the first, networks without IPv4 reach it.
TRANSLATED = ip_network("64:ff9b::/96")
SIX_TO_FOUR = ip_network("2002::/16")


def require_public(address: str) -> None:
    """Raise if an address is not one of the public internet: private, loopback, link-local, reserved or multicast.

    Args:
        address (`str`): of IPv4 or IPv6, as name resolution returns it.

    Raises:
        ValueError: without the address, which may be a secret of the network.
    """
    number = _reached(ip_address(address.partition("%")[0]))
    local = getattr(number, "is_site_local", False)  # of IPv6; deprecated, and still routed within an organisation
    if not number.is_global or number.is_multicast or number.is_reserved or local or number in SIX_TO_FOUR:
        raise ValueError("its address is in a private network or this machine, where photos are not fetched from")


def _reached(number: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The address of IPv4 that one of IPv6 stands for, or the address itself."""
    if isinstance(number, IPv6Address) and number in TRANSLATED:
        return IPv4Address(int(number) & 0xFFFFFFFF)
    return getattr(number, "ipv4_mapped", None) or number
