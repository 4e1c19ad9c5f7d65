"""Certificates of the twin: an authority that its guests trust, and nobody else.

At AWS a load balancer's certificate is ACM's, and everybody trusts who signed it. Here the names
are those of the certificate in ACM, and the authority is made anew for each twin.
"""

import datetime as dt
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAYS = 30
OWN = "otherside twin"
"""What a server without a name of its own calls itself; nobody can verify it."""


@dataclass(slots=True)
class CertificateAuthority:
    """Signs certificates for names, and keeps them."""

    directory: Path
    _key: ec.EllipticCurvePrivateKey = field(init=False)
    _own: x509.Certificate = field(init=False)
    _contexts: dict[tuple[str, ...], ssl.SSLContext] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the authority's own certificate."""
        self._key = _new_key()
        name = _name("otherside twin authority")
        public = self._key.public_key()
        builder = _builder(name, name, public).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        self._own = (
            builder.add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.trust.write_bytes(self._own.public_bytes(serialization.Encoding.PEM))

    @property
    def trust(self) -> Path:
        """The file that whoever is to trust this authority reads."""
        return self.directory / "authority.pem"

    def context(self, names: Sequence[str] = ()) -> ssl.SSLContext:
        """Return a context for a server with these names, made once for each."""
        wanted = tuple(names) or (OWN,)
        if wanted not in self._contexts:
            self._contexts[wanted] = self._issue(wanted)
        return self._contexts[wanted]

    def _issue(self, names: tuple[str, ...]) -> ssl.SSLContext:
        key = _new_key()
        builder = _builder(_name(names[0]), self._own.subject, key.public_key())
        if names != (OWN,):
            alternatives = [x509.DNSName(name) for name in names]
            builder = builder.add_extension(
                x509.SubjectAlternativeName(alternatives), critical=False
            )
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(identifier, critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        file = self.directory / f"tls-{len(self._contexts)}.pem"
        file.touch(mode=0o600)
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + made.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 - a certificate's own dates
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=DAYS))
    )
