"""What could not be delivered cannot be kept either.

## Why
EventBridge keeps an event that it could not deliver in a queue of the rule's own Region: a FIFO
queue, a queue elsewhere, or one whose key does not let EventBridge in, is refused, and the event is
gone without a trace.

## Fix
Use a standard queue of the rule's Region, under a key that allows `events.amazonaws.com`.

```python
aws.cloudwatch.EventTarget("failover", dead_letter_config=aws.cloudwatch.EventTargetDeadLetterConfigArgs(
    arn=queue.arn))
```

```hcl
dead_letter_config { arn = aws_sqs_queue.dead_letters.arn }
```

```yaml
DeadLetterConfig: {Arn: !GetAtt DeadLetters.Arn}
```

## Impact
RTO: a failover that did not begin leaves no trace of why.
RPO: none by itself.

## See
- https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

from collections.abc import Iterator

from otherside.check.analysis.events import admits
from otherside.check.model.graph import Graph, Resource
from otherside.check.rule import RecoveryStep, Severity, rule

_SERVICE = "events.amazonaws.com"


@rule(
    "DR407",
    severity=Severity.MEDIUM,
    on=("events.target", "scheduler.schedule"),
    step=RecoveryStep.DECIDE,
    controls=("SOC 2 CC7.3", "NIST SI-4", "NIST AU-5"),
)
def dead_letter_queue_denies_service(graph: Graph, target: Resource) -> Iterator[str]:
    inside = "" if target.kind == "events.target" else "target."
    link = graph.link(target, f"{inside}dead_letter_config.arn", "sqs.queue")
    if link is None:
        return
    queue = link.resource
    if queue["fifo_queue"] is True:
        yield f"its dead letters go to {queue.label}, which is FIFO"
    if None not in {queue.region, target.region} and queue.region != target.region:
        yield f"its dead letters go to {queue.label}, which is in {queue.region}"
    key = graph.link(queue, "kms_master_key_id", "kms.key")
    if (
        key is not None
        and target.kind == "events.target"
        and not admits(graph, key.resource, _SERVICE)
    ):
        yield f"its dead letters go to {queue.label}, whose key does not admit {_SERVICE}"
