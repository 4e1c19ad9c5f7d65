"""Plans as Terraform writes them, put together by hand: modules, indices, unknown values."""


def change(address, after, unknown=None, module="", mode="managed", actions=("create",)):
    """Return one element of `resource_changes`."""
    local = address.removeprefix(f"{module}.") if module else address
    words = local.removeprefix("data.").split("[")[0].split(".")
    return {
        "address": address,
        **({"module_address": module} if module else {}),
        "mode": mode,
        "type": words[0],
        "name": words[1],
        "change": {
            "actions": list(actions),
            "after": after,
            "after_unknown": unknown or {},
        },
    }


def configured(address, provider="aws", **expressions):
    """Return one resource of the configuration."""
    words = address.removeprefix("data.").split(".")
    return {
        "address": address,
        "mode": "data" if address.startswith("data.") else "managed",
        "type": words[0],
        "name": words[1],
        "provider_config_key": provider,
        "expressions": expressions,
    }


def references(*texts):
    """Return an expression that is made of others, the longest first, as Terraform lists them."""
    found = []
    for text in texts:
        found += [text, ".".join(text.split(".")[:2])] if text.count(".") > 1 else [text]
    return {"references": found}


def constant(value):
    """Return an expression that is a literal."""
    return {"constant_value": value}


def plan(changes, resources=(), *, modules=None, providers=None, variables=None, given=None):
    """Return a whole plan."""
    root = {"resources": list(resources)}
    if modules:
        root["module_calls"] = modules
    if variables:
        root["variables"] = variables
    return {
        "format_version": "1.2",
        "terraform_version": "1.12.0",
        "variables": given or {},
        "resource_changes": list(changes),
        "configuration": {
            "provider_config": providers
            or {
                "aws": {"name": "aws", "expressions": {"region": constant("us-east-2")}},
                "aws.dr": {
                    "name": "aws",
                    "alias": "dr",
                    "expressions": {"region": {"references": ["var.dr_region"]}},
                },
            },
            "root_module": root,
        },
    }
