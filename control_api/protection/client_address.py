"""Which address a request comes from: as in every service here, see `webapi.client_address`."""

from webapi.client_address import Address, Network, bucket_of, client_address, is_trusted, parse_networks

__all__ = ["Address", "Network", "bucket_of", "client_address", "is_trusted", "parse_networks"]
