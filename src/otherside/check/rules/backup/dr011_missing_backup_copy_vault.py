"""Backups are copied to a vault that does not exist.

## Why
The destination vault was never created in the other Region, so every copy job fails. The backup
itself succeeds, but the other Region has nothing to restore from.

## Fix
Create a vault in the standby Region with a key of that Region, and use it as the destination.

```python
vault = aws.backup.Vault("standby", kms_key_arn=standby_key.arn,
    opts=pulumi.ResourceOptions(provider=standby))
copy = aws.backup.PlanRuleCopyActionArgs(destination_vault_arn=vault.arn)
```

```hcl
resource "aws_backup_vault" "standby" {
  provider    = aws.standby
  name        = "standby"
  kms_key_arn = aws_kms_key.standby.arn
}
```

```yaml
CopyActions:
  - DestinationBackupVaultArn: !Sub "arn:aws:backup:us-west-2:${AWS::AccountId}:backup-vault:standby"
```

## Impact
RTO: the standby Region has nothing to restore from.
RPO: the age of the last manual copy, if there is one.

## See
- https://docs.aws.amazon.com/aws-backup/latest/devguide/cross-region-backup.html
"""

from collections.abc import Iterator, Sequence

from otherside.check.analysis.backup_plans import destinations
from otherside.check.model.arn import Arn, is_region, read_arn, spelt
from otherside.check.model.graph import Graph, Link, Resource
from otherside.check.model.values import Ref, Unknown, Unresolved, Value
from otherside.check.rule import RecoveryStep, Severity, rule


@rule(
    "DR011",
    severity=Severity.HIGH,
    on="backup.plan",
    step=RecoveryStep.RESTORE,
    controls=(
        "SOC 2 A1.2",
        "PCI DSS 9.4.1",
        "HIPAA 164.308(a)(7)(ii)(A)",
        "NIST CP-6",
        "NIST CP-9",
    ),
    pair=True,
    lacking=True,
)
def missing_backup_copy_vault(graph: Graph, plan: Resource) -> Iterator[str]:
    for target in destinations(plan):
        text = spelt(target)
        arn = read_arn(text)
        links = graph.links(plan, target, "backup.vault")
        if links and (wrong := _not_its_arn(target, links[0])) is not None:
            yield wrong
            continue
        if links and arn is not None and _only_of_its_name(graph, links[0], arn):
            label, home = links[0].resource.label, links[0].resource.region
            yield f"it copies into {arn.region}, where no vault has the name of {label} in {home}"
            continue
        if links or graph.find_arn(text) is not None:
            continue
        if arn is None or "*" in arn.resource:
            plan.known("rule")
        elif graph.ours(arn) and _may_be_there(graph, arn):
            msg = f"a vault of that name is made where the Region is not known, which may be {arn.region}"
            raise Unresolved(msg)
        elif graph.ours(arn) and arn.region in graph.regions:
            name = arn.resource.rpartition(":")[2]
            for vault in graph.of("backup.vault", region=arn.region):
                vault.known("name")
            yield f"it copies into the vault {name} in {arn.region}, which nobody makes"
        elif graph.ours(arn):
            yield f"it copies into {arn.region}, where nothing is made, and no vault either"


def _only_of_its_name(graph: Graph, link: Link, arn: Arn) -> bool:
    """Return whether an ARN has the name of a vault of another Region, and its own has none such.

    Raises:
        Unresolved: If a vault there has a name that is not known.
    """
    vault = link.resource
    if link.attribute not in _NAMES or not is_region(arn.region) or not is_region(vault.region):
        return False
    unread = vault.dialect == "cloudformation" and arn.region not in graph.regions
    if arn.region == vault.region or unread or _may_be_there(graph, arn):
        return False  # a template may be deployed there, too
    there = graph.of("backup.vault", region=arn.region)
    return not any(vault["name"] in {None, each.known("name")} for each in there)


def _not_its_arn(target: Value, link: Link) -> str | None:
    """Return why what is made of a vault's attribute is not its ARN, or `None` if it may be."""
    vault = link.resource
    if not isinstance(target, Unknown):
        return None
    if target.text and str(target.text[0]).endswith("()"):
        return None  # what a function makes of it is not told
    pieces = [piece for piece in target.text if piece != ""] or list(target.refs)
    at = next(
        (
            n
            for n, piece in enumerate(pieces)
            if isinstance(piece, Ref) and piece.target == vault.id
        ),
        None,
    )
    if at is None:
        return None
    before, after = pieces[:at], pieces[at + 1 :]
    if link.attribute in _NAMES and not _before(before).endswith(_KIND):
        return f"it copies into the name of {vault.label}, and AWS Backup wants its ARN"
    if after or (before and link.attribute not in _NAMES):
        return f"it copies into an ARN that is made of that of {vault.label} and is another"
    return None


def _before(pieces: Sequence[object]) -> str:
    return "".join(piece if isinstance(piece, str) else "*" for piece in pieces)


_NAMES = frozenset({"name", "id"})
_KIND = (":backup-vault:", "*")
"""What stands before a vault's name in its ARN, or before what is not known."""


def _may_be_there(graph: Graph, arn: Arn) -> bool:
    """Return whether a vault of that name is made in a Region that the source does not say."""
    name = arn.resource.rpartition(":")[2]
    return any(
        vault.region is None and vault.attributes.get("name") == name
        for vault in graph.of("backup.vault")
    )
