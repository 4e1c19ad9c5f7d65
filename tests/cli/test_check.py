"""`otherside check` as a person and a machine meet it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from jsonschema import Draft4Validator, Draft202012Validator

from otherside.check.catalogue import catalogue
from otherside.check.readers.read import ReadOptions, read_paths
from otherside.check.report.text import _declaration, as_text
from otherside.cli import main

SARIF = Path(__file__).parents[1] / "check" / "schema" / "sarif-2.1.0.json"
PRIMARY = """\
Resources:
  Data:
    Type: AWS::S3::Bucket
  Lb:
    Type: AWS::ElasticLoadBalancingV2::LoadBalancer
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      Namespace: AWS/ApplicationELB
      MetricName: UnHealthyHostCount
      Dimensions: [{Name: LoadBalancer, Value: !Ref Lb}]
"""
STANDBY = "Resources:\n  Data:\n    Type: AWS::S3::Bucket\n"


@pytest.fixture
def pair(tmp_path, monkeypatch):
    """Write a stack of two templates, with the ninth failure in it."""
    (tmp_path / "primary.yaml").write_text(PRIMARY)
    (tmp_path / "standby.yaml").write_text(STANDBY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


PLACED = ("--region", "primary.yaml=us-east-2", "--region", "standby.yaml=us-west-2")


def check(*arguments, code=0, stdin=None):
    """Run a check in this process."""
    done = CliRunner().invoke(main, ["check", *map(str, arguments)], input=stdin)
    assert done.exit_code == code, done.output
    assert "Traceback" not in done.output
    return done


def placed(*arguments, code=1):
    """Check the pair, each template in its Region."""
    return check("primary.yaml", "standby.yaml", *PLACED, *arguments, code=code)


def document(*arguments, code=1):
    """Check the pair; return what machines read."""
    return json.loads(placed("--format", "json", *arguments, code=code).stdout)


@pytest.mark.usefixtures("pair")
def test_a_finding_names_resource_place_reason_and_fix():
    """Everything that a person needs, and how bad it is in the exit code."""
    text = placed().stdout
    assert "primary.yaml#Alarm  us-east-2" in text
    assert "primary.yaml:6" in text
    assert "DR009 arn-in-metric-dimension  high" in text
    assert "its dimension LoadBalancer is the ARN of Lb" in text
    assert "why: " in text
    assert "fix: " in text
    assert "What a recovery could do" in text
    assert "\x1b" not in text


@pytest.mark.usefixtures("pair")
def test_json_is_as_its_schema_says():
    """The published one, and the findings in it are the text's."""
    schema = json.loads(CliRunner().invoke(main, ["schema", "check"]).stdout)
    Draft202012Validator.check_schema(schema)
    for more in ((), ("--compliance",)):
        found = document(*more)
        Draft202012Validator(schema).validate(found)
    codes = [finding["code"] for finding in found["findings"]]
    assert "DR009" in codes
    ranks = [
        ("critical", "high", "medium").index(finding["severity"]) for finding in found["findings"]
    ]
    assert ranks == sorted(ranks)
    assert found["summary"]["high"] == sum(
        finding["severity"] == "high" for finding in found["findings"]
    )
    assert found["summary"]["pair"] == {"primary": "us-east-2", "standby": "us-west-2"}


def test_sarif_is_valid_and_its_fingerprints_stay(pair):
    """By OASIS's own schema; a finding is the same on another line and from another place."""
    log = json.loads(placed("--format", "sarif").stdout)
    Draft4Validator(json.loads(SARIF.read_text("utf-8"))).validate(log)
    (run,) = log["runs"]
    assert len(run["tool"]["driver"]["rules"]) == len(catalogue())

    def prints(given):
        return {
            result["ruleId"]: result["partialFingerprints"]
            for result in given["runs"][0]["results"]
        }

    (pair / "primary.yaml").write_text(f"# a line more\n{PRIMARY}")
    files = [str(pair / "primary.yaml"), str(pair / "standby.yaml")]
    moved = json.loads(check(*files, *PLACED, "--format", "sarif", code=1).stdout)
    assert prints(moved) == prints(log)
    lines = [
        result["locations"][0]["physicalLocation"]["region"]["startLine"]
        for result in moved["runs"][0]["results"]
        if result["ruleId"] == "DR009"
    ]
    assert lines == [7]


@pytest.mark.usefixtures("pair")
def test_junit_fails_what_has_findings_and_skips_what_is_unknown():
    """A case a rule, and the counts are those of the cases."""
    suite = ET.fromstring(placed("--format", "junit").stdout)
    failed = {item.get("name")[:5] for item in suite if item.find("failure") is not None}
    assert failed == {finding["code"] for finding in document()["findings"]}
    assert int(suite.get("tests")) == len(catalogue())
    assert int(suite.get("failures")) == len(failed)


@pytest.mark.usefixtures("pair")
def test_github_annotates_the_line_and_cannot_be_told_other_commands():
    """A name with a line break stays in its annotation."""
    lines = placed("--format", "github").stdout.splitlines()
    assert any(line.startswith("::error file=primary.yaml,line=6,title=DR009 ") for line in lines)
    template = {"Resources": {"A\n::set-output name=x::y": {"Type": "AWS::RDS::DBCluster"}}}
    text = json.dumps(template)
    out = check("-", "--region", "us-east-2", "--format", "github", code=1, stdin=text).stdout
    assert not any(line.startswith("::set-output") for line in out.splitlines())


@pytest.mark.usefixtures("pair")
def test_markdown_and_html_hold_the_same_findings():
    """For a pull request and for an auditor; what a template calls itself is text there."""
    codes = {finding["code"] for finding in document()["findings"]}
    markdown, page = placed("--format", "markdown").stdout, placed("--format", "html").stdout
    for code in codes:
        assert code in markdown
        assert code in page
    assert "<script" not in page
    template = {"Resources": {"<script>alert(1)</script>": {"Type": "AWS::RDS::DBCluster"}}}
    bad = check(
        "-", "--region", "us-east-2", "--format", "html", code=1, stdin=json.dumps(template)
    )
    assert "<script" not in bad.stdout


@pytest.mark.usefixtures("pair")
def test_a_finding_can_be_one_line():
    """As editors and grep read it; it is a form of text and of nothing else."""
    lines = placed("--compact", "--select", "DR009").stdout.splitlines()
    assert len(lines) == 2
    assert re.match(r"primary\.yaml:\d+: DR009 \w+ primary\.yaml#Alarm: its dimension", lines[0])
    assert "--compact is a form of text" in placed("--compact", "--format", "json", code=2).stderr


@pytest.mark.usefixtures("pair")
@pytest.mark.parametrize("width", [60, 80, 120])
def test_findings_are_wrapped_on_a_terminal_only(width):
    """To its width, without breaking a word; pipes and files get whole lines."""
    found = document()
    text = as_text(found, lambda text, _: text, width=width)
    block = text[: text.index("What a recovery could do")].splitlines()
    wrapped = [line for line in block if line.startswith("    ") and "see: http" not in line]
    assert max(map(len, wrapped)) <= width
    words = " ".join(re.sub(r"^    see: .*\n", "", text, flags=re.MULTILINE).split())
    assert words == " ".join(as_text(found, lambda text, _: text).split())
    assert placed().stdout.splitlines()[-1].startswith("otherside explain DR")


def test_what_is_excluded_is_not_read(pair):
    """By name or by path below the directory, on the command line or in the settings."""
    (pair / "examples" / "a").mkdir(parents=True)
    (pair / "examples" / "a" / "bad.yaml").write_text(PRIMARY)
    files = {
        (): ["examples/a/bad.yaml", "primary.yaml", "standby.yaml"],
        ("examples",): ["primary.yaml", "standby.yaml"],
        ("examples/*", "standby.yaml"): ["primary.yaml"],
        ("*/bad.yaml", "prim*"): ["standby.yaml"],
    }
    for patterns, kept in files.items():
        options = [word for pattern in patterns for word in ("--exclude", pattern)]
        done = check(".", "--format", "json", "--fail-on", "never", *options)
        assert json.loads(done.stdout)["summary"]["files"] == len(kept)
        read = read_paths(["."], ReadOptions(exclude=patterns), lambda: b"")
        assert sorted(read.files) == kept
    (pair / "otherside.toml").write_text('[check]\nexclude = ["examples", "nowhere"]\n')
    done = check(".", "--format", "json", "--fail-on", "never", "-v")
    told = json.loads(done.stdout)
    assert told["summary"]["files"] == 2
    assert "--exclude nowhere" in json.dumps(told["skipped"])


def test_output_goes_into_a_file_whole_or_not_at_all(pair):
    """And a file that cannot be written is one clear error."""
    done = placed("--format", "json", "--output", "found.json")
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("wrote found.json: ")
    assert json.loads((pair / "found.json").read_text())["schema_version"] == 1
    done = placed("--output", "nowhere/found.txt", code=2)
    assert "nowhere/found.txt" in done.stderr
    assert sorted(path.name for path in pair.iterdir()) == [
        "found.json",
        "primary.yaml",
        "standby.yaml",
    ]


def test_severity_decides_over_the_exit_code(pair):
    """`--fail-on`, and what could not be told with `--strict`."""
    placed("--select", "DR009", "--fail-on", "high")
    placed("--select", "DR009", "--fail-on", "critical", code=0)
    placed("--select", "DR009", "--fail-on", "never", code=0)
    text = PRIMARY.replace("!Ref Lb", "!ImportValue name")
    (pair / "primary.yaml").write_text(text)
    assert document("--select", "DR009", code=0)["unknown"] != []
    placed("--select", "DR009", "--strict")


@pytest.mark.usefixtures("pair")
def test_rules_are_selected_by_code_by_hundred_by_name_and_by_step():
    """And a rule that there is not is bad usage, for nothing would be asked."""
    for name in ("DR009", "DR0", "arn-in-metric-dimension", "detect"):
        assert "DR009" in {each["code"] for each in document("--select", name)["findings"]}
    left = document("--ignore", "DR009")["findings"]
    assert left
    assert "DR009" not in {finding["code"] for finding in left}
    assert "unknown rule DR999" in placed("--select", "DR999", code=2).stderr


def test_a_baseline_leaves_out_what_was_there(pair):
    """What is new is found, wherever the old has moved to."""
    placed("--write-baseline", "known.json", code=0)
    assert placed("--baseline", "known.json", code=0).stdout.count("baselined") == 1
    more = PRIMARY + "  Db:\n    Type: AWS::RDS::DBCluster\n"
    (pair / "primary.yaml").write_text(f"# moved\n{more}")
    found = document("--baseline", "known.json")
    assert {finding["resource"].partition("#")[2] for finding in found["findings"]} == {"Db"}
    assert found["baselined"] != []
    (pair / "known.json").write_text("{}")
    assert "no baseline" in placed("--baseline", "known.json", code=2).stderr


def test_a_suppression_that_suppresses_nothing_is_told(pair):
    """In the configuration and in place; not of a rule that did not run or of other inputs."""
    (pair / "otherside.toml").write_text(
        "".join(
            f"[[check.suppress]]\nrule = '{rule}'\nresource = '{resource}'\nreason = 'agreed'\n"
            for rule, resource in (("DR009", "*#Alarm"), ("DR601", "*#Alarm"), ("DR601", "*#Gone"))
        )
    )
    (pair / "primary.yaml").write_text(
        PRIMARY.replace(
            "  Alarm:\n", "  Alarm:\n    Metadata: {otherside: {ignore: {DR606: agreed}}}\n", 1
        )
    )
    done = placed("--format", "json", "--fail-on", "never", code=0)
    told = [line for line in done.stderr.splitlines() if line.startswith("note: ")]
    assert sorted(told) == [
        "note: *#Alarm: the suppression of DR601 suppresses nothing any more",
        "note: primary.yaml#Alarm: the suppression of DR606 suppresses nothing any more",
    ]
    assert "DR601 suppresses nothing" in json.dumps(json.loads(done.stdout)["skipped"])
    done = placed("--select", "DR009", "--fail-on", "never", code=0)
    assert "note:" not in done.stderr


def test_a_suppression_needs_a_reason(pair):
    """In a template's metadata, and in the settings; a reason is shown, and none is a problem."""

    def suppressed(reason):
        meta = f"    Metadata: {{otherside: {{ignore: {{DR009: '{reason}'}}}}}}\n"
        (pair / "primary.yaml").write_text(
            PRIMARY.replace("CloudWatch::Alarm\n", f"CloudWatch::Alarm\n{meta}")
        )
        return document("--select", "DR009", code=1 if not reason else 0)

    found = suppressed("a drill ends with it")
    assert found["findings"] == []
    assert found["suppressed"][0]["reason"] == "a drill ends with it"
    found = suppressed("")
    assert found["findings"] != []
    assert "without a reason" in found["problems"][0]
    (pair / "primary.yaml").write_text(PRIMARY)
    (pair / "otherside.toml").write_text(
        "[[check.suppress]]\nrule = 'DR009'\nresource = '*#Alarm'\nreason = 'agreed'\n"
    )
    assert document("--select", "DR009", code=0)["suppressed"][0]["reason"] == "agreed"


def test_settings_lie_beside_what_is_checked(pair):
    """In otherside.toml, or under tool.otherside of pyproject.toml; a misspelt key is refused."""
    (pair / "pyproject.toml").write_text(
        "[tool.otherside.check]\nselect = ['DR009']\nseverity = {DR009 = 'medium'}\n"
        "fail-on = 'high'\n[tool.otherside.check.regions]\n"
        "'primary.yaml' = 'us-east-2'\n'standby.yaml' = 'us-west-2'\n"
    )
    found = json.loads(check("primary.yaml", "standby.yaml", "--format", "json").stdout)
    assert [(finding["code"], finding["severity"]) for finding in found["findings"]] == [
        ("DR009", "medium")
    ]
    (pair / "pyproject.toml").write_text("[tool.otherside.check]\nselct = []\n")
    assert "check has no setting selct" in placed(code=2).stderr


def test_a_single_region_is_told_once_and_asked_what_does_not_need_two(tmp_path):
    """One finding of the other side and not forty; what is wrong in one Region is found in one."""
    template = tmp_path / "only.yaml"
    template.write_text(PRIMARY)
    only = (template, "--region", "us-east-2", "--format", "json")
    found = json.loads(check(*only, code=1).stdout)
    assert [finding["code"] for finding in found["findings"]] == ["DR400", "DR009"]
    found = json.loads(check(*only, "--single-region-ok", code=1).stdout)
    assert [finding["code"] for finding in found["findings"]] == ["DR009"]
    found = json.loads(check(*only, "--single-region-ok", "--select", "DR009", code=1).stdout)
    assert found["summary"]["rules"] == 1


@pytest.mark.usefixtures("pair")
def test_standard_input_is_read():
    """As a plan is piped in."""
    found = json.loads(check("-", "--format", "json", code=1, stdin=PRIMARY).stdout)
    assert found["summary"]["resources"] == 3
    assert check("-", code=2, stdin="").stdout.startswith("error: <stdin>: ")


def test_what_cannot_be_read_is_one_error_each_and_the_rest_is_checked(pair):
    """Exit 2, and the findings of the others with it."""
    (pair / "broken.json").write_text('{"Resources": {')
    done = placed("broken.json", "gone.yaml", code=2)
    errors = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
    assert len(errors) == 2
    assert errors[0].startswith("error: broken.json:1: ")
    assert "gone.yaml" in errors[1]
    assert "DR009" in done.stdout


def test_parameters_and_regions_are_checked_as_they_are_given(pair):
    """From the line and from a file, as the AWS CLI writes one."""
    (pair / "primary.yaml").write_text(
        "Parameters: {Password: {Type: String}}\n"
        f"{PRIMARY}  Db:\n    Type: AWS::RDS::DBCluster\n"
        "    Properties: {ManageMasterUserPassword: !Ref Password}\n"
    )
    listed = [{"ParameterKey": "Password", "ParameterValue": "true"}]
    (pair / "p.json").write_text(json.dumps(listed))
    assert document("--parameters", "p.json") == document("--parameters", "Password=true")
    assert "is not a Region" in placed("--region", "nowhere", code=2).stderr
    assert "neither KEY=VALUE" in placed("--parameters", "gone.json", code=2).stderr


@pytest.mark.usefixtures("pair")
def test_compliance_says_which_controls_are_touched_and_claims_none():
    """By framework; nothing found is not met."""
    text = placed("--compliance").stdout
    for framework in ("SOC 2", "PCI DSS", "HIPAA", "NIST"):
        assert framework in text
    assert "findings of" in text
    assert "A control is not met because nothing was found" in text


def test_every_rule_can_be_explained():
    """Whole page, by code and by name; a misspelt one is told what it may mean."""
    for rule in catalogue():
        done = CliRunner().invoke(main, ["explain", rule.code])
        assert done.exit_code == 0
        assert rule.name in done.stdout
        for section in ("## Why", "## Fix", "## Impact", "## See"):
            assert section in done.stdout, rule.code
    near = CliRunner().invoke(main, ["explain", "headles-secondary"])
    assert near.exit_code == 2
    assert "Did you mean headless-secondary-cluster?" in near.stderr
    listed = json.loads(CliRunner().invoke(main, ["rules", "--json"]).stdout)
    assert [load["code"] for load in listed] == [rule.code for rule in catalogue()]


@pytest.mark.usefixtures("pair")
def test_a_reader_that_leaves_early_is_no_error():
    """`| head` closes the pipe."""
    command = f"{sys.executable} -m otherside.cli check primary.yaml --verbose | head -1"
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.startswith("primary.yaml#")
    assert done.stderr == ""


def test_the_base_install_checks():
    """Neither pulumi, nor boto3, nor moto, nor a database driver is loaded."""
    code = (
        "import sys\nfrom otherside.cli import main\n"
        "for name in ('pulumi', 'pulumi_aws', 'boto3', 'botocore', 'moto', 'psycopg', 'jinja2'):\n"
        "    sys.modules[name] = None\n"
        "main(['check', '-', '--region', 'us-east-2'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=PRIMARY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": ""},
    )
    assert done.returncode == 1, done.stderr
    assert "DR400" in done.stdout


@pytest.mark.parametrize("width", [60, 80, 120])
def test_on_a_terminal_a_finding_shows_its_declaration_and_fits(width, tmp_path, monkeypatch):
    """The line that declares the resource, never its body; a link; and no line is too wide."""
    password = "correct" + "-horse-battery"
    text = f'resource "aws_rds_cluster" "a" {{ master_password = "{password}" }}\n'
    (tmp_path / "main.tf").write_text(f'provider "aws" {{\n  region = "us-east-2"\n}}\n{text}')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("otherside.cli.check._styled", lambda _: lambda text, _: text)
    monkeypatch.setenv("COLUMNS", str(width))
    told = CliRunner().invoke(main, ["check", "main.tf", "--single-region-ok"]).stdout
    lines = told.splitlines()
    assert '  4 | resource "aws_rds_cluster" "a" {' in lines
    assert password not in told
    assert any(line.startswith("    see: https://") for line in lines)
    wrapped = [line for line in lines if line.startswith("    ") and "https://" not in line]
    assert max(len(line) for line in wrapped) <= width
    assert "otherside explain DR001 --dialect terraform says more" in told


def test_without_a_terminal_no_source_is_shown(tmp_path):
    """A log is read by machines, too."""
    (tmp_path / "main.tf").write_text('resource "aws_rds_cluster" "a" {\n}\n')
    told = CliRunner().invoke(main, ["check", str(tmp_path), "--single-region-ok"]).stdout
    assert "1 |" not in told
    assert "see: " not in told


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('  resource "a" "b" {  ', 'resource "a" "b" {'),
        ("  Database:", "Database:"),
        ('"A": {"Password": "x"}', '"A":'),
        ('{"Resources": {"A": 1}}', ""),
        ('  "MasterUserPassword": "hunter2",', '"MasterUserPassword":'),
        ('"MasterUserPassword": "x"}}, "B": {', '"MasterUserPassword":'),
        ("}", ""),
        ("", ""),
    ],
)
def test_a_declaration_is_what_stands_before_its_body(line, shown):
    """A line of one brace says nothing, and a minified file is not shown."""
    assert _declaration(line) == shown


def test_explain_shows_the_examples_of_one_dialect(tmp_path, monkeypatch):
    """Of the one that was asked for, or of the project in this directory, or all."""
    monkeypatch.chdir(tmp_path)
    everything = run_explain()
    assert {"```python", "```hcl", "```yaml"} <= set(everything.splitlines())
    named = run_explain("--dialect", "cloudformation")
    assert "```yaml" in named
    assert "```hcl" not in named
    assert "## Impact" in named
    (tmp_path / "main.tf").write_text("")
    assert run_explain() == run_explain("--dialect", "terraform")
    (tmp_path / "Pulumi.yaml").write_text("")
    assert run_explain() == everything, "two dialects in one directory: both may be meant"
    assert (
        CliRunner().invoke(main, ["explain", "DR009", "--json", "--dialect", "all"]).exit_code == 2
    )


def run_explain(*more):
    """Explain a rule."""
    done = CliRunner().invoke(main, ["explain", "DR009", *more])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--region", "us-mars-1"), "us-mars-1 is not a Region; "),
        (("--region", "us-east-3"), "did you mean us-east-2?"),
        (("--select", "high-dns-tll"), "unknown rule high-dns-tll; did you mean high-dns-ttl?"),
        (("--config", "rules.toml"), "rules.toml: unknown rule DR999; "),
        (("--config", "two.toml"), "two.toml: check has no setting ignroe (did you mean ignore?)"),
        (("--config", "two.toml"), "no setting colour"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_may_be_meant(
    arguments, words, tmp_path, monkeypatch
):
    """One of the command line, or of a file; all of one kind at once."""
    (tmp_path / "main.tf").write_text("")
    (tmp_path / "rules.toml").write_text('[check]\nignore = ["DR999"]\n')
    (tmp_path / "two.toml").write_text('[check]\nignroe = ["DR001"]\ncolour = "red"\n')
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["check", "main.tf", *arguments])
    assert (done.exit_code, words in done.output) == (2, True), done.output


def test_where_nothing_could_be_read_nothing_is_summed_up(tmp_path):
    """An error, and no sentence that sounds like a result."""
    (tmp_path / "x.json").write_text("{")
    done = CliRunner().invoke(main, ["check", str(tmp_path / "x.json")])
    assert done.exit_code == 2
    assert done.stdout.startswith("error: ")
    assert "no finding" not in done.stdout
    assert "asked" not in done.stdout


def test_a_report_that_cannot_be_written_is_said_to(tmp_path):
    """With its name and what the system says."""
    (tmp_path / "main.tf").write_text("")
    done = CliRunner().invoke(
        main, ["check", str(tmp_path / "main.tf"), "-o", str(tmp_path / "no" / "x.txt")]
    )
    assert done.exit_code == 2
    assert "x.txt: cannot be written: No such file or directory" in done.stderr


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1", "primary=us-east-2"])
def test_a_region_of_another_partition_or_for_a_template_by_its_stem_is_taken(region, tmp_path):
    """Files are known by name, base name or stem; other partitions have Regions of their own."""
    (tmp_path / "primary.yaml").write_text(STANDBY)
    done = CliRunner().invoke(main, ["check", str(tmp_path), "--region", region])
    assert "is not a Region" not in done.output
    assert done.exit_code in {0, 1}, done.output


VARIABLES = """
variable "region" {
  type = string
}
variable "copies" {
  type = number
}
provider "aws" {
  region = var.region
}
resource "aws_s3_bucket" "b" {
  count  = var.copies
  bucket = "b-${count.index}"
}
"""


def test_variables_of_terraform_have_values_given(tmp_path):
    """As `-var` and `-var-file` give them; a file that is not there is told."""
    (tmp_path / "main.tf").write_text(VARIABLES)
    values = tmp_path / "prod.tfvars"
    values.write_text('region = "eu-west-1"\ncopies = 3\n')

    def seen(*given):
        done = CliRunner().invoke(
            main, ["check", str(tmp_path / "main.tf"), "--format", "json", *given]
        )
        return done, json.loads(done.stdout)["summary"] if done.exit_code < 2 else None

    for given in (
        ("--parameters", str(values)),
        ("--parameters", "region=eu-west-1", "--parameters", "copies=3"),
        ("--parameters", str(values), "--parameters", "unused=1"),
    ):
        _, summary = seen(*given)
        assert (summary["regions"], summary["resources"]) == (["eu-west-1"], 4)
    done, _ = seen("--parameters", "no-such.tfvars")
    assert done.exit_code == 2
    assert "no-such.tfvars: there is no such file" in done.output
