"""A Lambda function's runtime cannot load its handler.

## Why
The bundle deploys, but the first invocation fails: the TypeScript is not compiled, the handler
names a missing file, the code and the runtime are of different languages, or the code imports a
module that nobody packed (Node.js 18 and later carry no `aws-sdk`, only `@aws-sdk/*`). A failover
function is first invoked in the disaster.

## Fix
Package code that the runtime can run, and name the handler as `file.function`.

```python
aws.lambda_.Function("failover", runtime="python3.13", handler="failover.handler",
    code=pulumi.AssetArchive({"failover.py": pulumi.FileAsset("failover.py")}))
```

```hcl
data "archive_file" "failover" {
  type        = "zip"
  source_file = "failover.py"
  output_path = "failover.zip"
}
resource "aws_lambda_function" "failover" {
  runtime  = "python3.13"
  handler  = "failover.handler"
  filename = data.archive_file.failover.output_path
}
```

```yaml
Runtime: nodejs22.x
Handler: index.handler
Code:
  ZipFile: |
    exports.handler = async (event) => { /* JavaScript, not TypeScript */ };
```

## Impact
RTO: the failover does not start.
RPO: no direct effect.

## See
- https://docs.aws.amazon.com/lambda/latest/dg/lambda-typescript.html
- https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html
"""

import re
from collections.abc import Iterator

from otherside.check.analysis.code_text import without_comments
from otherside.check.analysis.functions import bundle
from otherside.check.analysis.handler_files import (
    problem_of_python,
    problem_of_script,
    problems_of_neighbours,
)
from otherside.check.analysis.runtime_modules import missing_imports
from otherside.check.model.graph import Graph, Resource
from otherside.check.model.values import Code
from otherside.check.rule import RecoveryStep, Severity, rule

_SUFFIXES = {"nodejs": (".js", ".mjs", ".cjs"), "python": (".py",), "ruby": (".rb",)}
_TYPESCRIPT = re.compile(
    r"^\s*(interface|type)\s+\w+\s*(=|\{|<)|^\s*import type\b|\)\s*:\s*(Promise<|(void|string|any|number|boolean)\s*(\{|=>))"
    r"|\b(const|let)\s+\w+\s*:\s*[\w<>\[\]]+\s*=|[(,]\s*\w+\??\s*:\s*(string|number|boolean|any|unknown)\b",
    re.MULTILINE,
)
_PYTHON = re.compile(r"^\s*(def |import \w|from \w+ import )", re.MULTILINE)
_SCRIPT = re.compile(r"^\s*(exports\.|const |let |module\.exports|export )", re.MULTILINE)


@rule(
    "DR012",
    severity=Severity.MEDIUM,
    on="lambda.function",
    step=RecoveryStep.DECIDE,
    controls=("SOC 2 CC8.1", "NIST CP-10", "NIST SI-2"),
)
def unloadable_function_handler(graph: Graph, function: Resource) -> Iterator[str]:
    if function["package_type"] == "Image" or function["image_uri"] is not None:
        return
    if function["layers"] or "AWS_LAMBDA_EXEC_WRAPPER" in (function["environment"] or {}):
        return  # a layer may provide the handler
    code = bundle(graph, function)
    runtime, handler = function.text("runtime") or "", function.text("handler") or ""
    language = next((suffix for suffix in _SUFFIXES if runtime.startswith(suffix)), "")
    if not language or not handler:
        return
    if "::" in handler and language != "ruby":
        yield f"its handler is {handler}, which is a method of another language than {runtime}"
        return
    if code is None:
        return
    module, _, entry = handler.partition("::")[0].rpartition(".")
    if not module:
        yield f"its handler is {handler}, which names no function: {handler}.handler, for instance"
        return
    yield from _found(language, code, runtime, handler, (module, entry))


def _found(
    language: str, code: Code, runtime: str, handler: str, named: tuple[str, str]
) -> Iterator[str]:
    """Find why a bundle has no such handler: its file is elsewhere, or cannot be loaded."""
    module, entry = named
    first = code.files[0] if code.files else ("", None)
    if first[0] in {"index", "asset"}:
        yield from _loading(language, code, first, runtime, entry)
        if first[0] == "index" and module != "index":
            yield f"its handler is {handler}, and a template's inline code is called index"
        return
    names = [name for name, _ in code.files]
    path = module.replace(".", "/") if language == "python" else module
    files = [item for item in code.files if item[0] in _paths(path, language)]
    if files:
        yield from _loading(language, code, files[0], runtime, entry)
        return
    if f"{path}.ts" in names or f"{path}.mts" in names:
        yield f"{path}.ts is TypeScript, which {runtime} does not run"
    elif code.whole:
        yield f"its handler is {handler}, and its bundle has no {path}{_SUFFIXES[language][0]}"


def _paths(path: str, language: str) -> set[str]:
    """Return the files that a handler's module may be."""
    package = {f"{path}/__init__.py"} if language == "python" else set()
    return {f"{path}{suffix}" for suffix in _SUFFIXES[language]} | package


def _loading(
    language: str, code: Code, file: tuple[str, str | None], runtime: str, entry: str
) -> Iterator[str]:
    """Find what fails when the runtime loads the handler: its language, its imports, its name."""
    name, text = file
    if not text:
        return
    shown = name if "." in name else f"{name}{_SUFFIXES[language][0]}"
    found = list(_inline(language, [text])) or [
        f"it imports {module}, which neither {runtime} nor its bundle has"
        for module in dict.fromkeys(missing_imports(code, name, text, runtime))
    ]
    if not found and language == "python":
        found = [problem_of_python(text, shown, entry, runtime) or ""]
        found += problems_of_neighbours(code, name, text, runtime)
    if not found and language == "nodejs":
        found = [_module_kind(code, shown, text) or problem_of_script(text, shown, entry) or ""]
    yield from filter(None, found)


def _module_kind(code: Code, file: str, text: str) -> str | None:
    """Return why a file that imports as a module is not loaded as one.

    https://nodejs.org/api/packages.html#type
    """
    settings = next((content for name, content in code.files if name == "package.json"), None)
    told = re.search(r'"type"\s*:\s*"commonjs"', settings or "")
    if told and file.endswith(".js") and re.search(r"^\s*import\s+[\w*{'\"]", text, re.MULTILINE):
        return f"{file} has import, and package.json says that it is CommonJS"
    return None


def _inline(language: str, texts: list[str]) -> Iterator[str]:
    for text in texts:
        if language == "nodejs" and _TYPESCRIPT.search(without_comments(text)):
            yield "its code is TypeScript, which Node.js under Lambda does not run"
        elif language == "nodejs" and _PYTHON.search(text) and not _SCRIPT.search(text):
            yield "its code is Python, and its runtime is Node.js"
        elif language == "python" and _SCRIPT.search(text) and not _PYTHON.search(text):
            yield "its code is JavaScript, and its runtime is Python"
