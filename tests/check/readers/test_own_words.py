"""Messages name a property as the dialect of the file does, and a value by where it stands."""

import json

from otherside.check.engine import CheckConfig, check
from otherside.check.readers.read import ReadOptions, read_paths


def messages(place, rule, **files):
    """Return what one rule says of some files."""
    for name, text in files.items():
        (place / name.replace("__", ".")).write_text(text)
    read = read_paths([str(place)], ReadOptions(regions={"": "us-east-2"}), bytes)
    assert read.problems == []
    result = check(read.graph, CheckConfig(select=(rule,), single_region_ok=True))
    return [finding.message for finding in result.findings]


def template(**resources):
    """Return a template in JSON."""
    made = {
        name: {"Type": type_, "Properties": given} for name, (type_, given) in resources.items()
    }
    return json.dumps({"Resources": made})


DATABASE = """
variable "password" {
  default = "%s"
}
resource "aws_rds_cluster" "c" {
  master_password = var.password
}
"""


def test_a_value_in_a_file_of_variables_is_named_by_that_file(tmp_path):
    """It is no default; both are in the code."""
    given = messages(
        tmp_path, "DR001", main__tf=DATABASE % "", prod__auto__tfvars='password = "Hunter22222!"\n'
    )
    assert given == ["the master password is var.password in prod.auto.tfvars, and so in the code"]


def test_a_default_is_called_so(tmp_path):
    """In Terraform."""
    given = messages(tmp_path, "DR001", main__tf=DATABASE % "Hunter22222!")
    assert given == ["the master password is the default of var.password, and so in the code"]


def test_a_template_has_its_own_words(tmp_path):
    """For a record's identifier and for a dimension."""
    record = {"Name": "a.example.com", "Type": "A", "Failover": "PRIMARY", "HostedZoneId": "Z"}
    text = template(R=("AWS::Route53::RecordSet", record))
    assert messages(tmp_path, "DR005", t__json=text) == [
        "it has a failover routing policy and no SetIdentifier"
    ]
    alarm = {
        "Namespace": "AWS/ApplicationELB",
        "MetricName": "HostCount",
        "Dimensions": [{"Name": "LoadBalancer", "Value": {"Ref": "B"}}],
    }
    text = template(
        A=("AWS::CloudWatch::Alarm", alarm), B=("AWS::ElasticLoadBalancingV2::LoadBalancer", {})
    )
    assert messages(tmp_path, "DR009", t__json=text) == [
        "its dimension LoadBalancer is the ARN of B; metrics have its LoadBalancerFullName"
    ]


def test_a_stream_names_its_bucket_in_either_way(tmp_path):
    """`S3DestinationConfiguration` is the older one."""
    bucket = ("AWS::S3::Bucket", {"BucketName": "kept"})
    destination = {"BucketARN": {"Fn::GetAtt": ["B", "Arn"]}}
    for number, key in enumerate(("S3Destination", "ExtendedS3Destination")):
        stream = ("AWS::KinesisFirehose::DeliveryStream", {f"{key}Configuration": destination})
        (tmp_path / str(number)).mkdir()
        file = tmp_path / str(number) / "t.json"
        file.write_text(template(B=bucket, S=stream))
        graph = read_paths([str(file)], ReadOptions(), bytes).graph
        (found,) = graph.of("firehose.stream")
        assert graph.link(found, "extended_s3_configuration.bucket_arn", "s3.bucket") is not None
