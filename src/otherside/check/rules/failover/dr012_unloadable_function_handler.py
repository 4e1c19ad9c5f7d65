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
from otherside.check.analysis.runtime_modules import missing_modules
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
    if code is None or not language or not handler:
        return
    module = handler.split("::")[0].rpartition(".")[0] if "." in handler else handler
    texts = [text for _, text in code.files if text]
    if code.files and code.files[0][0] in {"index", "asset"}:
        yield from _loading(language, code, texts, runtime)
        if code.files[0][0] == "index" and module != "index":
            yield f"its handler is {handler}, and a template's inline code is called index"
        return
    names = [name for name, _ in code.files]
    path = module.replace(".", "/") if language == "python" else module
    if any(name in {f"{path}{suffix}" for suffix in _SUFFIXES[language]} for name in names):
        wanted = [text for name, text in code.files if text and name.startswith(path)]
        yield from _loading(language, code, wanted[:1], runtime)
        return
    if f"{path}.ts" in names or f"{path}.mts" in names:
        yield f"{path}.ts is TypeScript, which {runtime} does not run"
    elif code.whole and language == "python" and f"{path}/__init__.py" in names:
        return
    elif code.whole:
        yield f"its handler is {handler}, and its bundle has no {path}{_SUFFIXES[language][0]}"


def _loading(language: str, code: Code, texts: list[str], runtime: str) -> Iterator[str]:
    """Find what fails when the runtime loads the handler: its language, then its imports."""
    foreign = list(_inline(language, texts))
    yield from foreign
    for text in () if foreign else texts:
        for module in missing_modules(code, text, runtime):
            yield f"it imports {module}, which neither {runtime} nor its bundle has"


def _inline(language: str, texts: list[str]) -> Iterator[str]:
    for text in texts:
        if language == "nodejs" and _TYPESCRIPT.search(without_comments(text)):
            yield "its code is TypeScript, which Node.js under Lambda does not run"
        elif language == "nodejs" and _PYTHON.search(text) and not _SCRIPT.search(text):
            yield "its code is Python, and its runtime is Node.js"
        elif language == "python" and _SCRIPT.search(text) and not _PYTHON.search(text):
            yield "its code is JavaScript, and its runtime is Python"
