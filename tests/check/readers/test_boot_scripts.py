"""User data is one shell script, in whatever form cloud-init or cfn-init is given it."""

import pytest

from otherside.check.analysis.health_pages import _made_for_iis
from otherside.check.readers.boot_script import as_shell
from otherside.check.readers.cloudformation.cfn_init import with_cfn_init

LAUGH = "a: &a [x, x]\nb: &b [*a, *a]\nruncmd: [*b, *b]\n"


def config(body):
    """Return a cloud-config."""
    return as_shell(f"#cloud-config\n{body}")


def test_a_configuration_does_what_it_writes_installs_and_runs():
    """In shell, quoted where it has to be."""
    script = config(
        "packages: [httpd, [nginx, 1.2], {snap: [yq]}]\n"
        "write_files:\n  - {path: /a b, content: hello}\n"
        "  - {path: /c, encoding: b64, content: aGVsbG8=}\n"
        "  - {path: /d, encoding: gz+b64, content: x}\n"
        "runcmd:\n  - echo one > two\n  - [echo, a b]\n"
    )
    assert script.splitlines() == [
        *("install httpd", "install nginx", "install yq"),
        *("cat > '/a b' <<'OTHERSIDE_END'", "hello", "OTHERSIDE_END"),
        *("cat > /c <<'OTHERSIDE_END'", "hello", "OTHERSIDE_END", "touch /d"),
        *("echo one > two", "echo 'a b'"),
    ]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("aliases-that-stand-for-millions", LAUGH),
        ("no-yaml", "a: [\n"),
        ("no-number", '!!int ""'),
        ("no-truth", "!!bool x"),
        ("no-time", "a: !!timestamp x"),
        ("a-list", "- a"),
        ("large", "a: " + "x" * (1 << 17)),
    ],
)
def test_what_cannot_be_read_is_not_known(name, body):
    """Nothing is raised, and nothing guessed."""
    assert config(body) is None, name


@pytest.mark.parametrize("key", ["write_files", "runcmd", "packages", "bootcmd"])
@pytest.mark.parametrize("value", ["1", "a", "{a: b}", "null", "[1, null, {a: b}]"])
def test_odd_values_end_nothing(key, value):
    """YAML lets anything stand anywhere."""
    assert isinstance(config(f"{key}: {value}\n"), str)


def test_a_module_that_is_not_followed_is_named():
    """What it brings is for nobody here to say."""
    assert config("hostname: a\nansible: {pull: {}}\n") == "cloud-init ansible"


def test_parts_are_one_script_and_an_address_is_fetched():
    """By its first line or by its type."""
    message = (
        'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="B"\n\n'
        "--B\nContent-Type: text/x-include-url\n\nhttps://a.example/b.sh\n"
        "--B\nContent-Type: text/cloud-config\n\nruncmd: [echo one]\n"
        "--B\nContent-Type: text/x-shellscript\n\n#!/bin/bash\necho two\n--B--\n"
    )
    assert as_shell(message).split("\n") == [
        *("curl https://a.example/b.sh", "echo one", "#!/bin/bash", "echo two")
    ]
    assert as_shell("MIME-Version: 1.0\n\n" * 2000) is None


INIT = {
    "configSets": {
        "default": ["install"],
        "full": [{"ConfigSet": "default"}, "serve"],
        "round": [{"ConfigSet": "round"}],
    },
    "install": {"packages": {"yum": {"httpd": []}}},
    "serve": {
        "files": {"/var/www/html/up": {"content": "OK"}},
        "commands": {"01": {"command": ["echo", "a b"], "cwd": "/tmp"}},
    },
}


def booted(options, init=INIT):
    """Return what a call of cfn-init is replaced by."""
    metadata = {"AWS::CloudFormation::Init": init}
    return with_cfn_init(f"cfn-init -v --resource T {options}", lambda _: metadata)


def test_a_call_does_what_its_sets_say():
    """Without any, the default; a set may hold others."""
    assert booted("").split() == ["install", "httpd"]
    assert "/var/www/html/up" in booted("-c full")
    assert "cd /tmp\necho 'a b'" in booted("--configsets default,full")


@pytest.mark.parametrize(
    ("name", "options", "init"),
    [
        ("a-set-that-is-not-there", "-c nothing", INIT),
        ("a-set-of-itself", "-c round", INIT),
        ("no-config", "", {"serve": INIT["serve"]}),
        ("no-table", "", {"config": [1]}),
        ("sets-that-are-none", "", {"configSets": "a"}),
        ("too-much", "", {"config": {"files": {"/a": {"content": "x" * (1 << 19)}}}}),
    ],
)
def test_a_call_whose_work_is_not_known_stays(name, options, init):
    """So that nothing counts as missing that it may bring."""
    assert booted(options, init).startswith("cfn-init"), name


def test_a_call_in_a_comment_is_none_and_a_second_one_does_nothing_more():
    """The shell does not run it, and the machine has it already."""
    script = "# cfn-init -r T\ncfn-init -r T\ncfn-init -r T\n"
    metadata = {"AWS::CloudFormation::Init": {"config": INIT["install"]}}
    done = with_cfn_init(script, lambda _: metadata)
    assert done.startswith("# cfn-init -r T\n")
    assert done.count("install httpd") == 1


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("", False),
        ("Set-Content C:\\inetpub\\wwwroot\\index.html hello", False),
        ("Set-Content C:\\inetpub\\wwwroot\\up.html hello", True),
        ("# up.html", False),
        ("<# up.html #>", False),
        ("& C:\\deploy.ps1", None),
        ("New-Item -ItemType SymbolicLink -Path C:\\a -Target C:\\b", None),
        ("curl.exe -o a.zip https://a.example/a.zip", True),
        ("C:\\tools\\cfn-init.exe -s A -r B", True),
        ("<#" * 20_000, False),
        ("Install-WindowsFeature " * 20_000, False),
    ],
    ids=[
        *("nothing", "another-page", "the-page", "a-comment", "a-block", "a-script", "a-link"),
        *("fetched", "cfn-init", "unclosed-blocks", "a-long-line"),
    ],
)
def test_windows_makes_what_it_names_or_brings(line, made):
    """A command that is not known may have brought it."""
    script = f"<powershell>\nInstall-WindowsFeature -Name Web-Server\n{line}\n</powershell>"
    assert _made_for_iis(script, "/up.html") is made
    assert _made_for_iis(script, "/iisstart.htm") is True
