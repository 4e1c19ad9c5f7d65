"""boto3 clients of the twin's provisioner: one for each service and Region."""

import threading
from dataclasses import dataclass, field
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from otherside.twin.host.sdk_preload import model_loader

CONFIG = Config(
    retries={"total_max_attempts": 1},
    connect_timeout=10,
    read_timeout=60,
    inject_host_prefix=False,  # `123456789012.127.0.0.1` is not a host name
    s3={"addressing_style": "path"},
    max_pool_connections=32,
)


@dataclass(slots=True)
class ApiClients:
    """Creates each client once; thread-safe."""

    endpoint: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    _session: Any = field(default=None, repr=False)
    _made: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for client in self._made.values():
                client.close()
            self._made.clear()

    def get(self, service: str, region: str) -> Any:  # noqa: ANN401 - botocore makes the class
        """Return the client of a service in a Region."""
        with self._lock:
            if self._session is None:
                # A separate session, which reads none of this machine's AWS configuration.
                inner = botocore.session.Session()
                inner.register_component("data_loader", model_loader())
                inner.set_config_variable("config_file", "/dev/null")
                inner.set_config_variable("credentials_file", "/dev/null")
                self._session = boto3.Session(
                    aws_access_key_id=self.access_key_id,
                    aws_secret_access_key=self.secret_access_key,
                    botocore_session=inner,
                )
            key = (service, region)
            if key not in self._made:
                self._made[key] = self._session.client(
                    service, region_name=region, endpoint_url=self.endpoint, config=CONFIG
                )
            return self._made[key]
