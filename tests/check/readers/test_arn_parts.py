"""An ARN that is taken apart: the right pieces make a dimension, and any other does not."""

import json

import pytest

from otherside.check.engine import CheckConfig, check
from otherside.check.readers.read import ReadOptions, read_paths

SOURCE = """
provider "aws" {{ region = "us-east-2" }}
resource "aws_lb" "a" {{ name = "a" }}
resource "aws_lb_target_group" "a" {{ name = "a" }}
resource "aws_cloudwatch_metric_alarm" "x" {{
  namespace   = "AWS/ApplicationELB"
  metric_name = "UnHealthyHostCount"
  dimensions = {{
    LoadBalancer = {balancer}
    TargetGroup  = {group}
  }}
}}
"""
RIGHT = {"balancer": "aws_lb.a.arn_suffix", "group": "aws_lb_target_group.a.arn_suffix"}


def found(path):
    """Return what DR009 says of a file."""
    read = read_paths([str(path)], ReadOptions(), lambda: b"")
    assert read.problems == []
    result = check(read.graph, CheckConfig(select=("DR009",)))
    return [finding.message for finding in result.findings]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, None),
        ({"balancer": 'join("/", slice(split("/", aws_lb.a.arn), 1, 4))'}, None),
        ({"group": 'split(":", aws_lb_target_group.a.arn)[5]'}, None),
        ({"group": 'element(split(":", aws_lb_target_group.a.arn), 5)'}, None),
        ({"balancer": "aws_lb.a.name"}, "the name of aws_lb.a"),
        ({"balancer": "aws_lb.a.dns_name"}, "the DNS name of aws_lb.a"),
        ({"group": "aws_lb_target_group.a.name"}, "the name of aws_lb_target_group.a"),
        ({"balancer": "aws_lb.a.arn"}, "the ARN of aws_lb.a"),
        ({"balancer": 'split("/", aws_lb.a.arn)[2]'}, "a part of the ARN of aws_lb.a"),
        ({"balancer": 'split(":", aws_lb.a.arn)[5]'}, "a part of the ARN of aws_lb.a"),
        ({"balancer": 'join("/", slice(split("/", aws_lb.a.arn), 2, 4))'}, "a part of the ARN"),
        ({"balancer": 'reverse(split("/", aws_lb.a.arn))[0]'}, "a part of the ARN of aws_lb.a"),
        ({"group": 'split("/", aws_lb_target_group.a.arn)[1]'}, "a part of the ARN"),
        ({"balancer": 'trimprefix(split(":", aws_lb.a.arn)[5], "loadbalancer/")'}, None),
        ({"balancer": 'replace(aws_lb.a.arn, "/^.*:loadbalancer./", "")'}, None),
        ({"balancer": 'regex("loadbalancer/(.*)", aws_lb.a.arn)[0]'}, None),
        ({"balancer": 'replace(aws_lb.a.arn, "/^arn:aws:[a-z]+:[a-z0-9-]+:/", "")'}, None),
        ({"balancer": 'regex("^(a+)+$", aws_lb.a.arn)'}, None),
        ({"balancer": 'split("loadbalancer/", aws_lb.a.arn)[1]'}, None),
        ({"group": 'regex("targetgroup/.*", aws_lb_target_group.a.arn)'}, None),
        ({"balancer": 'regex("loadbalancer/.*", aws_lb.a.arn)'}, "without loadbalancer/"),
        ({"balancer": 'replace(aws_lb.a.arn, "/.*:/", "")'}, "without loadbalancer/"),
        ({"balancer": 'replace(aws_lb.a.arn, "/.*loadbalancer/", "")'}, "a part of the ARN"),
        ({"balancer": 'trimprefix(aws_lb.a.arn_suffix, "app/")'}, "a part of the ARN of aws_lb.a"),
        ({"balancer": 'split("loadbalancer/app/", aws_lb.a.arn)[1]'}, "a part of the ARN"),
        ({"group": 'regex("targetgroup/(.*)", aws_lb_target_group.a.arn)[0]'}, "a part of the"),
    ],
)
def test_in_terraform(tmp_path, given, words):
    """Whatever makes the whole suffix is right."""
    (tmp_path / "main.tf").write_text(SOURCE.format(**{**RIGHT, **given}))
    messages = found(tmp_path)
    assert len(messages) == (0 if words is None else 1), messages
    assert words is None or words in messages[0]


def part(between, number, logical):
    """Return one part of what a Ref gives, as a template writes it."""
    return {"Fn::Select": [number, {"Fn::Split": [between, {"Ref": logical}]}]}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("LoadBalancer", {"Fn::GetAtt": ["Lb", "LoadBalancerFullName"]}, None),
        ("LoadBalancer", {"Fn::Join": ["/", [part("/", n, "Lb") for n in (1, 2, 3)]]}, None),
        ("TargetGroup", part(":", 5, "Group"), None),
        ("LoadBalancer", part(":", 5, "Lb"), "a part of the ARN"),
        ("LoadBalancer", part("/", 2, "Lb"), "a part of the ARN"),
        ("LoadBalancer", {"Fn::GetAtt": ["Lb", "LoadBalancerName"]}, "the name of"),
        ("TargetGroup", part("/", 1, "Group"), "a part of the ARN"),
    ],
)
def test_in_a_template(tmp_path, name, value, words):
    """The same, by its own functions."""
    kinds = "AWS::ElasticLoadBalancingV2::"
    alarm = {
        "Namespace": "AWS/ApplicationELB",
        "MetricName": "UnHealthyHostCount",
        "Dimensions": [{"Name": name, "Value": value}],
    }
    resources = {
        "Lb": {"Type": f"{kinds}LoadBalancer", "Properties": {}},
        "Group": {"Type": f"{kinds}TargetGroup", "Properties": {}},
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
    }
    file = tmp_path / "t.json"
    file.write_text(json.dumps({"Resources": resources}))
    messages = found(file)
    assert len(messages) == (0 if words is None else 1), messages
    assert words is None or words in messages[0]
