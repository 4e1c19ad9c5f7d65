"""What cfn-init does on a machine, written as commands of its boot script.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-init.html
"""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping

from otherside.check.model.values import Unknown, Value
from otherside.check.readers.boot_script import command_line, written_file

_CALL = re.compile(
    r"^(?P<before>[^#\n]*?)(?:/opt/aws/bin/)?\bcfn-init(?:\.exe)?\b(?P<options>[^\n;&|]*)",
    re.MULTILINE,
)
"""A call that is in no comment."""
_RESOURCE = re.compile(r"(?:-r|--resource)[\s=]+(?P<logical>\w+)")
_CONFIG_SETS = re.compile(r"(?:-c|--configsets)[\s=]+(?P<names>[\w,.-]+)")
_WORK_MAX = 1 << 18
"""Characters of commands: more than anybody writes."""
_STEPS_MAX = 200
_METADATA = "AWS::CloudFormation::Init"


def with_cfn_init(script: Value, metadata_of: Callable[[str], Value]) -> Value:
    """Return a boot script with each call of cfn-init replaced by what it does.

    `metadata_of` returns a resource's metadata by its logical name. A call stays as it is if what
    it does is not known.
    """
    if not isinstance(script, str) or "cfn-init" not in script:
        return script

    seen: set[str] = set()

    def done(call: re.Match[str]) -> str:
        named = _RESOURCE.search(call["options"])
        if named is None or call["options"] in seen:
            return call[0] if named is None else call["before"]
        seen.add(call["options"])
        metadata = metadata_of(named["logical"])
        init = metadata.get(_METADATA) if isinstance(metadata, Mapping) else None
        asked = _CONFIG_SETS.search(call["options"])
        names = asked["names"].split(",") if asked is not None else ["default"]
        commands = list(_commands(init, names)) if isinstance(init, Mapping) else [None]
        known = [command for command in commands if command is not None]
        if len(known) < len(commands) or sum(map(len, known)) > _WORK_MAX:
            return call[0]
        return "\n".join([call["before"], *known, ""])

    return _CALL.sub(done, script)


def _commands(init: Mapping[str, Value], asked: list[str]) -> Iterator[str | None]:
    """Yield what the configs of some sets do, in any order; `None` is something not known."""
    for name in _configs_of(init.get("configSets"), asked):
        config = None if name is None else init.get(name)
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


def _configs_of(sets: Value, asked: list[str]) -> list[str | None]:
    """Return the configs of some sets: a set names configs, or other sets as `ConfigSet`."""
    if not isinstance(sets, Mapping):
        return [None] if sets is not None else ["config"]
    found: dict[str | None, None] = {}
    todo: list[Value] = [{"ConfigSet": name} for name in asked]
    for _ in range(_STEPS_MAX):
        if not todo:
            return list(found)
        item = todo.pop(0)
        if isinstance(item, Mapping) and isinstance(item.get("ConfigSet"), str):
            inner = sets.get(item["ConfigSet"])
            todo += inner if isinstance(inner, list) else [inner]
        else:
            found[item if isinstance(item, str) else None] = None
    return [None]


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
