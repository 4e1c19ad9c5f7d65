"""Where a stack set deploys its template, and with which parameters.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-stackset.html
"""

from collections.abc import Iterator, Mapping

from otherside.check.model.values import Value

STACK_SET = "AWS::CloudFormation::StackSet"


def deployments(
    properties: Mapping[str, Value],
) -> Iterator[tuple[str | None, dict[str, Value]]]:
    """Yield each Region once, with the parameters there; `None` is a Region that is not told."""
    common = _parameters(properties.get("Parameters"))
    seen: set[str | None] = set()
    for group in _listed(properties.get("StackInstancesGroup")) or [{}]:
        own = common | _parameters(group.get("ParameterOverrides"))
        named = group.get("Regions")
        told = named if isinstance(named, list) else []
        regions: list[str | None] = [each for each in told if isinstance(each, str)]
        for region in regions or [None]:
            if region not in seen:
                seen.add(region)
                yield region, own


def _listed(value: Value) -> list[Mapping[str, Value]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _parameters(value: Value) -> dict[str, Value]:
    return {
        str(item.get("ParameterKey")): item.get("ParameterValue")
        for item in _listed(value)
        if "ParameterKey" in item
    }
