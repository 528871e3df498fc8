"""Where a server may listen: beyond this machine only with TLS or behind a proxy that has it."""

import ipaddress

from sealog.errors import Misconfigured


def check_listening(host: str, *, tls: bool, behind_proxy: bool) -> None:
    """Raise `Misconfigured` where keys and events would cross a network in the clear.

    `host` is what is bound: an address, a name, or empty for all interfaces. A name other than
    `localhost` may mean any interface.
    """
    if tls or behind_proxy or _is_loopback(host):
        return
    msg = (
        f"{host or 'all interfaces'} can be reached from other machines, and keys would cross the"
        " network in the clear: give --tls-certificate and --tls-key, or --behind-proxy where a"
        " proxy in front has TLS, or listen on 127.0.0.1"
    )
    raise Misconfigured(msg)


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
