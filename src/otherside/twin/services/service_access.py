"""What one AWS service may do to another's resources, by resource policy and by key policy."""

from otherside.twin.context import TwinContext
from otherside.twin.gateway.authorizer import Authorizer


class DeniedError(Exception):
    """A target that the service may not access; it is not retried."""


class MissingError(Exception):
    """A target that does not exist; it is not retried."""


class ServiceAccess:
    """Permission checks on behalf of a service, such as `events.amazonaws.com`."""

    def __init__(self, context: TwinContext, authorizer: Authorizer) -> None:
        self._context, self._authorizer = context, authorizer

    def check(self, service: str, action: str, arn: str, source: str) -> None:
        """Check that a service may act on a resource, for a source ARN.

        Raises:
            DeniedError: If the resource's policy does not allow it.
        """
        verdict = self._authorizer.service_may(service, action, arn, source_arn=source)
        if not verdict.allowed:
            msg = f"{service} may not {action} on {arn} for {source}"
            raise DeniedError(msg)

    def check_key(self, service: str, key: str, region: str, source: str) -> None:
        """Check that a service may use its target's key; without a key, it needs no permission.

        Raises:
            DeniedError: If the key's policy does not allow it, or the key is AWS's own.
        """
        if not key or key.startswith("alias/aws/"):
            if key:
                msg = f"{key} lets no other service use it"
                raise DeniedError(msg)
            return
        if not key.startswith("arn:"):
            key = f"arn:aws:kms:{region}:{self._context.account}:key/{key}"
        for action in ("kms:Decrypt", "kms:GenerateDataKey"):
            self.check(service, action, key, source)
