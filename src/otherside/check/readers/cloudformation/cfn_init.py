"""What cfn-init does on a machine, written as commands of its boot script.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-init.html
"""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping

from otherside.check.model.values import Unknown, Value
from otherside.check.readers.boot_script import command_line, written_file

_CALL = re.compile(r"(?:/opt/aws/bin/)?\bcfn-init(?:\.exe)?\b(?P<options>[^\n;&|]*)")
_RESOURCE = re.compile(r"(?:-r|--resource)[\s=]+(?P<logical>\w+)")
_METADATA = "AWS::CloudFormation::Init"


def with_cfn_init(script: Value, metadata_of: Callable[[str], Value]) -> Value:
    """Return a boot script with each call of cfn-init replaced by what it does.

    `metadata_of` returns a resource's metadata by its logical name. A call stays as it is if what
    it does is not known.
    """
    if not isinstance(script, str) or "cfn-init" not in script:
        return script

    def done(call: re.Match[str]) -> str:
        named = _RESOURCE.search(call["options"])
        metadata = metadata_of(named["logical"]) if named is not None else None
        init = metadata.get(_METADATA) if isinstance(metadata, Mapping) else None
        commands = list(_commands(init)) if isinstance(init, Mapping) else [None]
        known = [command for command in commands if command is not None]
        return "\n" + "\n".join(known) + "\n" if len(known) == len(commands) else call[0]

    return _CALL.sub(done, script)


def _commands(init: Mapping[str, Value]) -> Iterator[str | None]:
    """Yield what every config does, in any order; `None` is something that is not known."""
    for name, config in init.items():
        if name == "configSets":
            continue
        if not isinstance(config, Mapping):
            yield None
            continue
        for key, work in (
            ("packages", _packages),
            ("sources", _sources),
            ("files", _files),
            ("commands", _own_commands),
            ("services", _services),
        ):
            part = config.get(key) or {}
            yield from work(part) if isinstance(part, Mapping) else [None]


def _packages(managers: Mapping[str, Value]) -> Iterator[str | None]:
    for packages in managers.values():
        for name in packages if isinstance(packages, Mapping) else [None]:
            yield None if name is None else f"install {shlex.quote(name)}"


def _sources(archives: Mapping[str, Value]) -> Iterator[str]:
    for directory in archives:
        yield f"tar -x -C {shlex.quote(directory)}"


def _files(files: Mapping[str, Value]) -> Iterator[str]:
    for path, file in files.items():
        content = file.get("content") if isinstance(file, Mapping) else None
        yield written_file(path, content if isinstance(content, str) else None)


def _own_commands(commands: Mapping[str, Value]) -> Iterator[str | None]:
    for item in commands.values():
        command = item.get("command") if isinstance(item, Mapping) else None
        where = item.get("cwd") if isinstance(item, Mapping) else None
        words = command if isinstance(command, list) else [command]
        if command is None or any(isinstance(word, Unknown) for word in [*words, where]):
            yield None
            continue
        if isinstance(where, str):
            yield f"cd {shlex.quote(where)}"
        yield command_line(command)


def _services(managers: Mapping[str, Value]) -> Iterator[str | None]:
    for services in managers.values():
        for name in services if isinstance(services, Mapping) else [None]:
            yield None if name is None else f"systemctl start {shlex.quote(name)}"
