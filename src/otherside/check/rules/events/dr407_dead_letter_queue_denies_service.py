"""The dead-letter queue cannot receive undelivered events.

## Why
EventBridge stores undelivered events only in a standard queue in the rule's own Region, whose policy
lets it write, under a key that it may use. With a FIFO queue, a queue in another Region, or a policy
or key that does not admit EventBridge, the event is lost without a trace. The console writes the
queue's policy; code must do it itself.

## Fix
Use a standard queue in the rule's Region, with a policy and a key that allow `events.amazonaws.com`.

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
RTO: a failover that did not start leaves no trace of the cause.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

from collections.abc import Iterator

from otherside.check.analysis.events import admits
from otherside.check.analysis.kms_keys import aws_key, key_of
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
    if target.kind != "events.target":
        return
    if not admits(graph, queue, _SERVICE):
        yield f"its dead letters go to {queue.label}, whose policy does not admit {_SERVICE}"
    if aws_key(graph, queue, "kms_master_key_id") == "aws":
        yield f"its dead letters go to {queue.label}, under AWS's own key, which admits no service"
        return
    key = key_of(graph, queue, "kms_master_key_id")
    if key is not None and not admits(graph, key, _SERVICE):
        yield f"its dead letters go to {queue.label}, whose key does not admit {_SERVICE}"
