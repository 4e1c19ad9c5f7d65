"""A health check is made once for each caller reference, however often a client repeats itself."""

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.slow


def test_a_repeated_request_finds_the_check_and_another_one_is_refused(bare):
    """A client that got no answer asks again; the reference stays used when the check is gone.

    https://docs.aws.amazon.com/Route53/latest/APIReference/API_CreateHealthCheck.html
    """
    route53 = bare.aws("route53")
    config = {
        "Type": "HTTP",
        "FullyQualifiedDomainName": "www.example.com",
        "Port": 80,
        "ResourcePath": "/",
    }
    first = route53.create_health_check(CallerReference="first", HealthCheckConfig=config)
    again = route53.create_health_check(CallerReference="first", HealthCheckConfig=config)
    assert again["HealthCheck"]["Id"] == first["HealthCheck"]["Id"]
    with pytest.raises(ClientError, match="HealthCheckAlreadyExists"):
        route53.create_health_check(
            CallerReference="first", HealthCheckConfig={**config, "ResourcePath": "/other"}
        )
    route53.delete_health_check(HealthCheckId=first["HealthCheck"]["Id"])
    with pytest.raises(ClientError, match="HealthCheckAlreadyExists"):
        route53.create_health_check(CallerReference="first", HealthCheckConfig=config)
