"""Where a request comes from, as far as limits and judgements go."""

import ipaddress

from starlette.requests import Request


def network_of(request: Request) -> str:
    """Where a request comes from: an IPv4 address, or the /64 that one IPv6 subscriber holds."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))
    return host
