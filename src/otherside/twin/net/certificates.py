"""TLS certificates of a twin, signed by an authority of its own.

In AWS a load balancer's certificate comes from ACM and every client trusts its issuer. In a twin
the names come from the certificate in the twin's ACM, and only the twin's guests trust the issuer,
which is created for each twin.
"""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import trustme

OWN = "otherside twin"
"""Common name of a server without a name of its own; no client can verify it."""
COMMON_NAME_MAX = 64
"""RFC 5280's upper bound; clients look at the other names, which have none."""


@dataclass(slots=True)
class CertificateAuthority:
    """Issues and caches certificates, one per set of names."""

    directory: Path
    _authority: trustme.CA = field(default_factory=trustme.CA)
    _contexts: dict[tuple[str, ...], ssl.SSLContext] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Write the authority's own certificate to `trust`."""
        self._authority.cert_pem.write_to_path(self.trust)
        self.trust.chmod(0o644)  # every guest reads it

    @property
    def trust(self) -> Path:
        """The file with the authority's certificate."""
        return self.directory / "authority.pem"

    def context(self, names: Sequence[str] = ()) -> ssl.SSLContext:
        """Return the TLS context of a server with these names."""
        wanted = tuple(names)
        if wanted not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            common = next((name for name in wanted if len(name) <= COMMON_NAME_MAX), OWN)
            issued = self._authority.issue_cert(*wanted, common_name=common)
            issued.configure_cert(context)
            self._contexts[wanted] = context
        return self._contexts[wanted]
