"""Policy documents that are made of others, as Terraform's data source makes them."""

from otherside.check.analysis.iam import statements
from otherside.check.model.values import Unknown
from otherside.check.readers.read import ReadOptions, read_paths

HEAD = 'provider "aws" { region = "us-east-2" }\n'
POLICY = """
resource "aws_iam_policy" "p" { policy = data.aws_iam_policy_document.last.json }
"""


def document(name, *taken, action="", sid="", over=()):
    """Return a data source's text."""
    own = f'statement {{\n sid = "{sid}"\n actions = ["{action}"]\n resources = ["*"]\n }}'
    return (
        f'data "aws_iam_policy_document" "{name}" {{\n'
        f" source_policy_documents = [{', '.join(taken)}]\n"
        f" override_policy_documents = [{', '.join(over)}]\n"
        f" {own if action else ''}\n}}\n"
    )


def of(name):
    """Return how a document refers to another."""
    return f"data.aws_iam_policy_document.{name}.json"


def made(directory, text):
    """Return the statements of the policy: the action of each, or that it is not known."""
    (directory / "main.tf").write_text(HEAD + POLICY + text)
    read = read_paths([str(directory)], ReadOptions(), lambda: b"")
    assert read.problems == []
    (policy,) = read.graph.of("iam.policy")
    found = statements(read.graph, policy, policy["policy"])
    return [None if isinstance(item, Unknown) else item["actions"] for item in found]


def test_sources_come_first_and_overrides_last_and_a_sid_counts_once(tmp_path):
    """The last of one `sid` replaces the others; those without stay."""
    text = document("a", action="s3:GetObject", sid="One") + document("b", action="sns:Publish")
    text += document("c", action="s3:PutObject", sid="One")
    text += document("last", of("a"), of("b"), action="ec2:*", sid="Two", over=[of("c")])
    assert made(tmp_path, text) == [["sns:Publish"], ["ec2:*"], ["s3:PutObject"]]


def test_a_text_is_taken_and_what_is_none_is_not_known(tmp_path):
    """Nothing of the rest is lost by it."""
    given = (
        r'"{\"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"sqs:*\", \"Resource\": \"*\"}]}"'
    )
    text = document("last", given, '""', '"no JSON"', action="ec2:*")
    assert made(tmp_path, text) == [["sqs:*"], None, ["ec2:*"]]


def test_what_is_taken_twice_counts_once_and_what_takes_itself_is_not_known(tmp_path):
    """Twenty doublings would be a million statements."""
    text = document("d0", action="s3:GetObject")
    for number in range(1, 20):
        before = of(f"d{number - 1}")
        text += document(f"d{number}", before, before)
    text += document("x", of("last")) + document("last", of("d19"), of("x"), action="ec2:*")
    assert made(tmp_path, text) == [["s3:GetObject"], None, ["ec2:*"]]
