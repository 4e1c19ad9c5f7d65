"""Lambda on a twin: what a function sees, and what is seen of it."""

import base64
import io
import itertools
import json
import time
import zipfile

import pytest
from botocore.exceptions import ClientError

from twin.conftest import EAST, Bare, TwinSettings, until

pytestmark = pytest.mark.slow

ECHO = """
import os, time
COUNT = 0
def handler(event, context):
    global COUNT
    COUNT += 1
    print("said", event)
    if event.get("raise"):
        raise KeyError("gone")
    if event.get("exit"):
        os._exit(3)
    if event.get("kill"):
        os.kill(os.getpid(), 9)
    if event.get("sleep"):
        time.sleep(event["sleep"])
    if event.get("file"):
        return os.path.exists(event["file"])
    return {
        "count": COUNT,
        "environment": dict(os.environ),
        "left_ms": context.get_remaining_time_in_millis(),
        "arn": context.invoked_function_arn,
        "directory": os.getcwd(),
    }
"""


@pytest.fixture(scope="module")
def echo(bare):
    """Return a function that answers with what it sees."""
    return bare.function(
        "echo", ECHO, Timeout=3, MemorySize=256, Environment={"Variables": {"OWN": "yes"}}
    )


def invoke(bare, name="echo", event=None, **more):
    """Invoke a function; return (its answer, the error or none, the whole)."""
    got = bare.aws("lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}), **more)
    text = got["Payload"].read()
    return (json.loads(text) if text else None), got.get("FunctionError"), got


@pytest.mark.usefixtures("echo")
def test_LAM_01_02_how_a_function_is_invoked(bare):
    """200 with the log's tail; 202 for an event; 204 for a dry run."""
    answer, error, got = invoke(bare, LogType="Tail")
    assert (error, got["StatusCode"], got["ExecutedVersion"]) == (None, 200, "$LATEST")
    log = base64.b64decode(got["LogResult"]).decode()
    assert "said {}" in log
    assert log.startswith("START RequestId: ")
    assert invoke(bare, InvocationType="Event")[2]["StatusCode"] == 202
    assert invoke(bare, InvocationType="DryRun")[2]["StatusCode"] == 204
    assert answer["arn"].endswith(":function:echo")


@pytest.mark.usefixtures("echo")
def test_LAM_18_what_a_function_is_told_and_nothing_besides(bare):
    """Its settings, its role's credentials, and nothing of the machine that it runs on."""
    answer = invoke(bare)[0]
    told = answer["environment"]
    wanted = {
        "_HANDLER": "f.handler",
        "AWS_REGION": EAST,
        "AWS_DEFAULT_REGION": EAST,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_NAME": "echo",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/echo",
        "OWN": "yes",
        "TZ": ":UTC",
    }
    assert wanted.items() <= told.items()
    assert told["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert bare.known["access_key_id"] not in told.values()
    assert not {"USER", "SSH_AUTH_SOCK", "VIRTUAL_ENV"} & set(told)
    assert 0 < answer["left_ms"] <= 3000


@pytest.mark.usefixtures("echo")
def test_LAM_12_15_an_environment_is_kept_until_it_breaks(bare):
    """A raised error keeps it; a crash does not."""
    first = invoke(bare)[0]["count"]
    answer, error, _ = invoke(bare, event={"raise": True})
    assert error == "Unhandled"
    assert (answer["errorType"], answer["errorMessage"]) == ("KeyError", "'gone'")
    assert answer["stackTrace"][0].startswith("  File ")
    assert invoke(bare)[0]["count"] == first + 2
    invoke(bare, event={"kill": True})
    assert invoke(bare)[0]["count"] == 1


@pytest.mark.usefixtures("echo")
def test_LAM_10_11_time_out_and_death(bare):
    """Each with Lambda's own words."""
    answer, error, _ = invoke(bare, event={"sleep": 30})
    assert (error, answer["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert "Task timed out after 3.00 seconds" in answer["errorMessage"]
    answer = invoke(bare, event={"kill": True})[0]
    assert answer["errorType"] == "Runtime.ExitError"
    assert answer["errorMessage"].endswith("Runtime exited with error: signal: killed")
    assert "exit status 3" in invoke(bare, event={"exit": True})[0]["errorMessage"]


@pytest.mark.parametrize(
    ("name", "handler", "code", "kind"),
    [
        ("no-module", "missing.handler", "", "Runtime.ImportModuleError"),
        ("no-handler", "f.missing", "", "Runtime.HandlerNotFound"),
        ("bad-name", "nodots", "", "Runtime.MalformedHandlerName"),
        ("bad-syntax", "f.handler", "def handler(:\n", "Runtime.UserCodeSyntaxError"),
        (
            "no-json",
            "f.handler",
            "def handler(e, c):\n    return object()\n",
            "Runtime.MarshalError",
        ),
    ],
)
def test_LAM_13_16_17_what_the_runtime_says_of_code_that_it_cannot_run(
    bare, name, handler, code, kind
):
    """AWS's own runtime client says it, against the twin's Runtime API."""
    bare.function(name, code, handler=handler)
    answer, error, _ = invoke(bare, name)
    assert (error, answer["errorType"]) == ("Unhandled", kind)


def test_LAM_04_08_09_an_event_that_fails_is_repeated_and_then_recorded(bare):
    """As often as configured, a minute and two apart, and then to the destination."""
    url, arn = bare.queue("failures")
    send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn}
    bare.function("failing", "def handler(e, c):\n    raise ValueError('no')\n", statements=[send])
    bare.aws("lambda").put_function_event_invoke_config(
        FunctionName="failing",
        MaximumRetryAttempts=2,
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )
    invoke(bare, "failing", {"n": 1}, InvocationType="Event")
    body, _ = until(lambda: bare.received(url), seconds=25)[0]
    assert body["requestContext"]["condition"] == "RetriesExhausted"
    assert body["requestContext"]["approximateInvokeCount"] == 3
    assert body["requestPayload"] == {"n": 1}
    assert body["responseContext"]["functionError"] == "Unhandled"
    assert body["responsePayload"]["errorType"] == "ValueError"
    runs = [run["at_s"] for run in bare.do("runs")["runs"] if run["function"] == "failing"]
    assert 58 < runs[1] - runs[0] < 90
    assert 118 < runs[2] - runs[1] < 150


@pytest.mark.parametrize("service", ["sqs", "sns"])
def test_a_destination_that_is_missing_in_its_region_is_told(bare, service):
    """A queue or a topic of that name in the function's Region is another one."""
    bare.queue("lost-records")
    bare.aws("sns").create_topic(Name="lost-records")
    arn = f"arn:aws:{service}:us-west-2:123456789012:lost-records"
    send = {"Effect": "Allow", "Action": ["sqs:SendMessage", "sns:Publish"], "Resource": arn}
    name = f"lost-{service}"
    bare.function(name, "def handler(e, c):\n    raise ValueError\n", statements=[send])
    bare.aws("lambda").put_function_event_invoke_config(
        FunctionName=name,
        MaximumRetryAttempts=0,
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )
    invoke(bare, name, {}, InvocationType="Event")
    told = f"no record of a failed run: {arn} is missing"
    until(lambda: [event for event in bare.do("events")["events"] if event["text"] == told])


def test_LAM_19_a_function_of_no_concurrency_is_throttled(bare):
    """429, and the reason."""
    bare.function("none", "def handler(e, c):\n    return 1\n")
    bare.aws("lambda").put_function_concurrency(FunctionName="none", ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError) as caught:
        invoke(bare, "none")
    response = caught.value.response
    assert response["Error"]["Code"] == "TooManyRequestsException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429


def test_LAM_05_a_throttled_event_waits_and_counts_no_try(bare):
    """It is run once there is room, and nothing of it is given up."""
    bare.function("narrow", "def handler(e, c):\n    return 1\n")
    reserve = bare.aws("lambda").put_function_concurrency
    reserve(FunctionName="narrow", ReservedConcurrentExecutions=1)
    bare.function("busy", ECHO, Timeout=60)
    reserve(FunctionName="busy", ReservedConcurrentExecutions=1)
    for _ in range(3):
        invoke(bare, "busy", {"sleep": 4}, InvocationType="Event")

    def runs():
        return [run for run in bare.do("runs")["runs"] if run["function"] == "busy"]

    until(lambda: len(runs()) == 3, seconds=25)
    assert [run["error"] for run in runs()] == [None, None, None]
    times = [run["at_s"] for run in runs()]
    assert all(b - a > 3.5 for a, b in itertools.pairwise(times)), "one at a time"


def test_LAM_20_an_account_keeps_a_hundred_for_the_others(bare):
    """What would leave it less is refused."""
    bare.function("greedy", "def handler(e, c):\n    return 1\n")
    reserve = bare.aws("lambda").put_function_concurrency
    with pytest.raises(ClientError, match=r"below its minimum value of \[100\]"):
        reserve(FunctionName="greedy", ReservedConcurrentExecutions=901)
    reserve(FunctionName="greedy", ReservedConcurrentExecutions=500)
    bare.aws("lambda").delete_function_concurrency(FunctionName="greedy")


def test_an_updated_function_runs_no_environment_of_before(bare):
    """Neither of its code nor of its settings."""
    bare.function("changing", "def handler(e, c):\n    return 'old'\n")
    assert invoke(bare, "changing")[0] == "old"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(
            "f.py", "import os\ndef handler(e, c):\n    return os.environ.get('V', 'new')\n"
        )
    client = bare.aws("lambda")
    client.update_function_code(FunctionName="changing", ZipFile=packed.getvalue())
    assert invoke(bare, "changing")[0] == "new"
    client.update_function_configuration(
        FunctionName="changing", Environment={"Variables": {"V": "newer"}}
    )
    assert invoke(bare, "changing")[0] == "newer"


def test_LAM_22_IAM_13_a_role_that_does_not_trust_lambda_is_refused(bare):
    """At once, when the function is made."""
    role = bare.role("untrusting", trusting="ec2.amazonaws.com")
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        bare.aws("lambda").create_function(
            FunctionName="never",
            Runtime="python3.13",
            Handler="f.handler",
            Role=role,
            Code={"ZipFile": b"PK\x05\x06" + b"\0" * 18},
        )
    bare.function("trusted", "def handler(e, c):\n    return 1\n")
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        bare.aws("lambda").update_function_configuration(FunctionName="trusted", Role=role)


def test_an_environment_is_retired_before_its_credentials_end():
    """A function that is called all day never signs with a key that has ended."""
    asks = "import os\ndef handler(event, context):\n    return os.environ['AWS_ACCESS_KEY_ID']\n"
    with Bare(TwinSettings(speed=300, latency=False)) as fast:
        fast.function("daily", asks, Timeout=900)
        first, began_s = invoke(fast, "daily")[0], fast.clock.now_s()
        assert invoke(fast, "daily")[0] == first
        until(lambda: fast.clock.now_s() > began_s + 2700, seconds=60)
        assert invoke(fast, "daily")[0] != first


def test_a_role_writes_its_log_only_if_it_may(bare):
    """Two functions alike but for two actions."""
    logs = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    code = "def handler(e, c):\n    print('heard')\n"
    for name, statements in (("writes", [logs]), ("silent", [])):
        bare.aws("logs").create_log_group(logGroupName=f"/aws/lambda/{name}")
        bare.function(name, code, statements=statements)
        invoke(bare, name)
        found = bare.aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        assert any("heard" in event["message"] for event in found) is (name == "writes")


def test_metrics_in_a_log_are_published(bare):
    """The embedded metric format, as CloudWatch reads it."""
    line = {
        "_aws": {
            "Timestamp": 1,
            "CloudWatchMetrics": [
                {"Namespace": "Mine", "Dimensions": [["App"]], "Metrics": [{"Name": "Looks"}]}
            ],
        },
        "App": "orders",
        "Looks": 3,
    }
    logs = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
    bare.aws("logs").create_log_group(logGroupName="/aws/lambda/counts")
    code = f"import json\ndef handler(e, c):\n    print(json.dumps({line!r}))\n"
    bare.function("counts", code, statements=[logs])
    invoke(bare, "counts")
    found = bare.aws("cloudwatch").list_metrics(Namespace="Mine")["Metrics"]
    assert [metric["MetricName"] for metric in found] == ["Looks"]
    assert found[0]["Dimensions"] == [{"Name": "App", "Value": "orders"}]


def test_a_functions_clock_is_the_twins(bare):
    """A wait of a function is shorter on this machine, and its store's clock agrees."""
    code = "import time\ndef handler(e, c):\n    a = time.time()\n    time.sleep(20)\n"
    code += "    return [a, time.time()]\n"
    bare.function("sleeper", code, Timeout=60)
    began_s = time.monotonic()
    before, after = invoke(bare, "sleeper")[0]
    assert 19.9 < after - before < 40
    assert time.monotonic() - began_s < after - before
    assert abs(bare.clock.now_s() - after) < 20


def test_a_topic_reaches_a_function(bare):
    """As its subscription, with the envelope that Lambda gives it."""
    code = "def handler(e, c):\n    print(e['Records'][0]['Sns']['Message'])\n"
    arn = bare.function("told", code)
    topic = bare.aws("sns").create_topic(Name="tells")["TopicArn"]
    bare.aws("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    bare.aws("sns").publish(TopicArn=topic, Message="nobody is let in yet")
    bare.aws("lambda").add_permission(
        FunctionName="told",
        StatementId="topic",
        Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
        SourceArn=topic,
    )
    bare.aws("sns").publish(TopicArn=topic, Message="hello there")
    runs = until(lambda: [run for run in bare.do("runs")["runs"] if run["function"] == "told"])
    assert ["hello there" in run["log"] for run in runs] == [True]


def test_a_topic_reaches_a_queue_that_lets_it(bare):
    """By the queue's policy; one without is told nothing."""
    topic = bare.aws("sns").create_topic(Name="queued")["TopicArn"]
    shut = bare.queue("topic-shut")
    open_ = bare.queue("topic-open", principal="sns.amazonaws.com")
    for _, arn in (shut, open_):
        bare.aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    bare.aws("sns").publish(TopicArn=topic, Message="hello")
    assert until(lambda: bare.received(open_[0]))[0][0]["Message"] == "hello"
    assert bare.received(shut[0]) == []
