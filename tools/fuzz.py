"""Fuzz the checker's loaders, guided by coverage: `make fuzz`, or `tools/fuzz.py terraform`.

Each input becomes a file of one kind. Any outcome but an answer or one clear error stops it; the
input that did it is written to `.fuzz/`, and stays there. Inputs that reach new code are kept in
`tests/check/fuzz-corpus`, which the fast tests read; nothing else of a run is.

atheris is not one of our dependencies: the first run installs it into `.venv/.fuzz`. It is built
for CPython 3.11 to 3.13 on Linux.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "tests" / "check" / "fuzz-corpus"
FOUND = ROOT / ".fuzz"
LOADERS = {
    "json": "a.json",
    "large-json": "a.json",
    "yaml": "a.yaml",
    "terraform": "a.tf",
    "state": "terraform.tfstate",
}
"""Each loader, and the name of a file that it reads."""
INPUT_MAX = 8192
SHOWN_EVERY = 16
"""Of how many inputs one is also written in every format, which takes longer than the check."""
KEPT_MAX = 40
"""How many inputs of a loader are kept: the smallest of those that reach what others do not."""
HOME = ROOT / ".venv" / ".fuzz"
INTERRUPTED = 72
"""libFuzzer's exit code for it."""


def fuzz(loader: str, arguments: list[str]) -> None:
    """Feed one loader, in this process, which atheris ends."""
    import atheris  # noqa: PLC0415 - only the process that fuzzes has it

    with atheris.instrument_imports():
        from otherside.check.engine import CheckConfig, check  # noqa: PLC0415 - instrumented
        from otherside.check.readers import large_json, read  # noqa: PLC0415 - instrumented
        from otherside.check.report.findings_document import (  # noqa: PLC0415 - instrumented
            as_document,
        )
        from otherside.check.report.formats import FORMATS  # noqa: PLC0415 - instrumented
    if loader == "large-json":
        large_json.CHECKED_MAX = -1
    file = Path(tempfile.mkdtemp(dir=os.environ["FUZZ_HOME"])) / LOADERS[loader]

    def one_input(raw: bytes) -> None:
        """Read, check and format one input."""
        file.write_bytes(raw)
        found = read.read_paths([str(file)], read.ReadOptions(), bytes)
        results = [check(system.graph, CheckConfig(), system.name) for system in found.systems]
        if len(raw) % SHOWN_EVERY == 0:
            for result in results:
                document = as_document(found, result, [None] * len(found.systems), [])
                for shown in FORMATS.values():
                    shown(document).encode()

    atheris.Setup([sys.argv[0], *arguments], one_input)
    atheris.Fuzz()


def seed(loader: str, directory: Path) -> None:
    """Write small documents that are right: what is nearly right begins with them."""
    sys.path.append(str(ROOT / "tests"))
    from check import dialect_writer as writing  # noqa: PLC0415 - needs the tests' directory
    from check.corpus_cases import stacks  # noqa: PLC0415 - as above
    from check.rule_cases import cases  # noqa: PLC0415 - as above

    texts = []
    if loader == "terraform":
        texts = [text for stack in stacks() for name, text in stack.files.items() if ".tf" in name]
    everywhere = [] if loader == "terraform" else [case for case in cases() if not case.not_in]
    for case in everywhere:
        specs = writing.from_toml(case.table)
        if loader == "yaml":
            texts += map(yaml.safe_dump, writing.CloudFormation(specs).documents().values())
        elif loader == "state":
            document = writing.Terraform(specs).document()
            texts.append(json.dumps(state_of(document)))
        else:
            documents = [writing.Terraform(specs).document(), writing.Pulumi(specs).document()]
            documents += writing.CloudFormation(specs).documents().values()
            texts += map(json.dumps, documents)
    for number, text in enumerate(text for text in texts if len(text) <= INPUT_MAX):
        (directory / f"{number}").write_text(text, encoding="utf-8")


def state_of(plan: dict[str, Any]) -> dict[str, Any]:
    """Return the state that a plan leads to, as Terraform keeps it."""
    resources = [
        {
            **{key: change[key] for key in ("mode", "type", "name")},
            "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
            "instances": [{"attributes": change["change"]["after"]}],
        }
        for change in plan["resource_changes"]
    ]
    return {"version": 4, "lineage": "a", "serial": 1, "outputs": {}, "resources": resources}


def atheris_python() -> str:
    """Return a Python that has atheris beside all of ours, installing it if necessary."""
    python = HOME / "bin" / "python"
    if not python.exists():
        print("installing atheris into .venv/.fuzz", file=sys.stderr)
        venv.create(HOME, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "atheris"], check=True)
        ours = next((ROOT / ".venv" / "lib").glob("python*/site-packages"))
        theirs = next((HOME / "lib").glob("python*/site-packages"))
        (theirs / "ours.pth").write_text(f"{ours}\n{ROOT / 'src'}\n", encoding="utf-8")
    return str(python)


def run(python: str, loader: str, runs: int, seconds: int) -> int:
    """Fuzz one loader in a process of its own, and keep what reached new code."""
    kept = CORPUS / loader
    kept.mkdir(parents=True, exist_ok=True)
    FOUND.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="otherside-fuzz-") as home:
        grown, seeds = Path(home, "grown"), Path(home, "seeds")
        grown.mkdir()
        seeds.mkdir()
        seed(loader, seeds)
        base = [python, __file__, "--one", loader, "--"]
        environment = {**os.environ, "FUZZ_HOME": home}
        limits = [f"-runs={runs}", f"-max_len={INPUT_MAX}", "-timeout=20", "-rss_limit_mb=4096"]
        limits += [f"-max_total_time={seconds}", "-verbosity=0", "-print_final_stats=1"]
        limits += [f"-artifact_prefix={FOUND}/{loader}-"]
        done = subprocess.run(
            [*base, *limits, str(grown), str(kept), str(seeds)], env=environment, check=False
        )
        if done.returncode:
            return done.returncode
        smallest = sorted(
            [*kept.iterdir(), *grown.iterdir()], key=lambda item: (item.stat().st_size, item.name)
        )
        texts = {file.name: file.read_bytes() for file in smallest[:KEPT_MAX]}
        shutil.rmtree(kept)
        kept.mkdir()
        for name, text in texts.items():
            (kept / name).write_bytes(text)
    return 0


def main() -> None:
    """Fuzz the loaders that are named, or all of them, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "loaders", nargs="*", metavar="LOADER", help=f"default: {' '.join(LOADERS)}"
    )
    parser.add_argument("--runs", type=int, default=1_000_000, help="inputs for each loader")
    parser.add_argument("--seconds", type=int, default=0, help="the most for each; default: no end")
    parser.add_argument("--one", choices=LOADERS, help=argparse.SUPPRESS)
    own = sys.argv[1:]
    rest: list[str] = []
    if "--" in own:
        rest, own = own[own.index("--") + 1 :], own[: own.index("--")]
    asked = parser.parse_args(own)
    if asked.one:
        fuzz(asked.one, rest)
        return
    unknown = set(asked.loaders) - LOADERS.keys()
    if unknown:
        parser.error(f"no loader {', '.join(sorted(unknown))}: there are {', '.join(LOADERS)}")
    python = atheris_python()
    for loader in asked.loaders or LOADERS:
        print(f"{loader}: {asked.runs:,} inputs", flush=True)
        code = run(python, loader, asked.runs, asked.seconds)
        if code == INTERRUPTED:
            sys.exit(f"{loader}: interrupted; no input broke it so far, and none is kept")
        if code:
            sys.exit(f"{loader}: an input broke it, and is in {FOUND.relative_to(ROOT)}/")


if __name__ == "__main__":
    main()
