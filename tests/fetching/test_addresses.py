"""Addresses of the public internet, and all others."""

import pytest

from hf_fashion.fetching.addresses import require_public


PRIVATE = "127.0.0.1 127.9.9.9 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 240.0.0.1 224.0.0.1"
PRIVATE_6 = "::1 :: fe80::1 fe80::1%eth0 fc00::1 fd00::1 ff02::1 2001:db8::1 4000::1 5f00::1 100::1 fec0::1"
CARRIED = (
    "::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 2002:7f00:1::1 "
    "2001:0:7f00:1::1 ::7f00:1 ::ffff:0:7f00:1"
)
PUBLIC = ("8.8.8.8", "93.184.216.34", "2606:4700::6810:85e5", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8")


@pytest.mark.parametrize("address", [*PRIVATE.split(), *PRIVATE_6.split(), *CARRIED.split()])
def test_addresses_of_this_machine_and_its_networks_are_refused(address):
    with pytest.raises(ValueError, match="its address is in a private network or this machine"):
        require_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_taken(address):
    require_public(address)
