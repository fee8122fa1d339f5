"""Reading TXT records by DNS, from nameservers of the settings or those of this computer."""

from __future__ import annotations

import asyncio

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.rdatatype
import dns.resolver

from lms.organizations.settings import HostSettings, read_nameserver

_TRIES = 3
"""In the time that there is: a packet that is lost is asked for again, or another nameserver is."""


class NameMissingError(Exception):
    """DNS says that there is no such name."""


class RecordMissingError(Exception):
    """The name is there, and has no TXT record."""


class DnsSilentError(Exception):
    """No answer in time, or one that is none: refused, failed or not to be understood."""


class TxtRecords:
    """Asks DNS. Nothing is kept: who just made a record is not told of what was there before."""

    def __init__(self, settings: HostSettings) -> None:
        self._settings = settings

    async def read(self, name: str) -> tuple[str, ...]:
        """Return the values of a name's TXT records, the strings of each joined (RFC 1035 section 3.3.14).

        Raises NameMissingError, RecordMissingError or DnsSilentError.
        """
        try:
            resolver = await asyncio.to_thread(self._resolver)  # may read a file of the system
            answer = await resolver.resolve(f"{name}.", dns.rdatatype.TXT, search=False)
        except dns.resolver.NXDOMAIN:
            raise NameMissingError(name) from None
        except dns.resolver.NoAnswer:
            raise RecordMissingError(name) from None
        except (dns.exception.DNSException, OSError) as error:
            raise DnsSilentError(f"{name}: {type(error).__name__}") from error
        return tuple(b"".join(each.strings).decode("utf-8", "replace") for each in answer)

    def _resolver(self) -> dns.asyncresolver.Resolver:
        settings = self._settings
        resolver = dns.asyncresolver.Resolver(configure=not settings.nameservers)
        if settings.nameservers:
            places = [read_nameserver(text) for text in settings.nameservers]
            resolver.nameservers = [dns.nameserver.Do53Nameserver(each.address, each.port) for each in places]
        resolver.lifetime = settings.timeout_s
        resolver.timeout = settings.timeout_s / _TRIES
        return resolver
