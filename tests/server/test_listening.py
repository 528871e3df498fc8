import pytest

from sealog.errors import Misconfigured
from sealog.server.listening import check_listening


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST"]
)
def test_this_machine_alone_needs_no_tls(host):
    check_listening(host, tls=False, behind_proxy=False)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "", "192.168.0.7", "sealog.example", "127.0.0.1.example", "localhost.x"],
)
def test_keys_never_cross_a_network_in_the_clear(host):
    with pytest.raises(Misconfigured):
        check_listening(host, tls=False, behind_proxy=False)

    check_listening(host, tls=True, behind_proxy=False)
    check_listening(host, tls=False, behind_proxy=True)
