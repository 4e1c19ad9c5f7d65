"""Runs a Pulumi program in this process and records what it declares: no CLI, AWS or credentials.

Pulumi's mock monitor replaces the engine. It receives every resource as registered, under the names
that a provider sees, and answers with mock identifiers, so that the whole graph resolves.
`preview`, the tests and the examples all read programs this way.
"""

import asyncio
import contextlib
import gc
import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from google.protobuf import struct_pb2
from pulumi import Archive, Asset, ResourceOptions, ResourceTransformArgs
from pulumi.runtime import config as pulumi_config
from pulumi.runtime import mocks, rpc, settings, stack
from pulumi.runtime import resource as pulumi_resource
from pulumi.runtime.proto import resource_pb2, source_pb2
from pulumi.runtime.sync_await import _ensure_event_loop, _sync_await

from otherside.check.readers.pulumi.stack import REFERENCE, SIGNATURE
from otherside.program import imagined, mock_outputs
from otherside.program.answers import GivenAnswers
from otherside.program.program_error import ProgramError
from otherside.regions import REGIONS

GLOBAL = "global"
"""The region of global resources: IAM and Route 53."""
SECRET = "[secret]"  # noqa: S105 - the placeholder for a secret

_GLOBAL_MODULES = ("aws:iam/", "aws:route53/")
_STACK = "pulumi:pulumi:Stack"
_OTHER_STACK = "pulumi:pulumi:StackReference"
_PROVIDER = "pulumi:providers:"
_RESOURCE_OF_URN = "pulumi:pulumi:getResource"


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredResource:
    """One resource as a program registered it."""

    urn: str
    type: str
    name: str
    parent: str
    provider: str
    """URN of the provider passed to it, or an empty string."""
    region: str
    """Its Region, `global`, or an empty string where the provider names none."""
    inputs: Mapping[str, Any]
    """Inputs by their registered (camelCase) names; secrets in clear, see `secrets`."""
    secrets: frozenset[str]
    """Dotted paths of inputs that are marked secret."""
    secret_outputs: frozenset[str] = frozenset()
    """Outputs that are secret, besides those that come from secret inputs."""
    dependencies: tuple[str, ...]
    """URNs that it depends on, by data or by `depends_on`."""
    custom: bool
    """Whether a provider creates it; a component only groups its parts."""
    protect: bool = False
    retain: bool = False
    ignore_changes: tuple[str, ...] = ()
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """URNs that each input was made of, where it was made of any."""
    id: str = ""
    outputs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def component(self) -> str:
        """The components around it, outermost first: `DisasterRecovery/RegionalNetwork`."""
        types = self.urn.split("::")[2].split("$")[:-1]
        return "/".join(item.rsplit(":", 1)[-1] for item in types)

    def redacted(self) -> Mapping[str, Any]:
        """Return the inputs for display: secrets hidden, archives named."""
        return {key: _show(value, key, self.secrets) for key, value in self.inputs.items()}


Transform = Callable[[RegisteredResource], RegisteredResource | None]
"""Change a resource before it is registered, or leave it out by returning `None`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """Everything that a program declared, in the order of registration."""

    resources: tuple[RegisteredResource, ...]
    exports: Mapping[str, Any]
    imagined: Mapping[str, bool] = field(default_factory=dict)
    """What the program asked for that nobody gave it, one sentence each."""
    other_stacks: tuple[str, ...] = ()
    """The stacks that it refers to, as it names them."""

    def of(self, *types: str) -> list[RegisteredResource]:
        """Return the resources of some types: `aws:ec2/vpc:Vpc`, or the part after `aws:`."""
        wanted = {item if item.count(":") > 1 else f"aws:{item}" for item in types}
        return [resource for resource in self.resources if resource.type in wanted]

    def only(self, kind: str, name: str = "", *, region: str = "") -> RegisteredResource:
        """Return the only resource of a type, narrowed by a part of its name or its Region.

        Raises:
            LookupError: If there is none, or more than one.
        """
        found = [
            resource
            for resource in self.of(kind)
            if name in resource.name and region in {"", resource.region}
        ]
        if len(found) != 1:
            names = ", ".join(resource.name for resource in found) or "none"
            msg = f"wanted one {kind} {name!r} {region}, found {names}"
            raise LookupError(msg)
        return found[0]


def declare(
    program: Callable[[], object],
    *,
    project: str = "declared",
    stack_name: str = "preview",
    config: Mapping[str, str] | None = None,
    transform: Transform = lambda resource: resource,
    account: str = mock_outputs.ACCOUNT,
    answers: GivenAnswers | None = None,
) -> Declaration:
    """Run a program and return what it declares.

    Given `answers`, even empty ones, the program gets those first, and an imagined value wherever
    neither they nor a mock answer: see `imagined`.

    Raises:
        ProgramError: If the program calls a data source without a mock answer, uses the default
            AWS provider although the stack disables it, or registers one resource twice.
        Exception: Any error that the program itself raises.
    """
    config = {**(config or {}), **(answers.settings if answers else {})}
    if answers is None:
        monitor = Monitor(transform, account, config=config)
    else:
        monitor = ImaginingMonitor(transform, account, config=config, answers=answers)
    exports = run_program(program, monitor, project=project, stack_name=stack_name, config=config)
    resources = tuple(monitor.declared.values())
    return Declaration(
        resources=resources,
        exports=exports,
        imagined=monitor.imagined,
        other_stacks=tuple(monitor.other_stacks),
    )


def run_program(
    program: Callable[[], object],
    monitor: "Monitor",
    *,
    project: str,
    stack_name: str,
    config: Mapping[str, str],
    workers: int = 1,
) -> Mapping[str, Any]:
    """Run a program against a monitor and return its exports, secrets hidden.

    Raises:
        Exception: Any error that the program or the monitor raises.
    """
    with _own_loop(workers) as loop, without_collection(), _without_traces():
        pulumi_config.set_all_config(dict(config), [])
        settings.set_root_resource(None)  # type: ignore[arg-type]  # resets what ran before
        mocks.set_mocks(
            None,  # type: ignore[arg-type]  # the monitor answers all calls itself
            project=project,
            stack=stack_name,
            preview=False,
            monitor=monitor,
        )
        settings.SETTINGS.rpc_manager.clear()  # left behind by a failed program
        settings.SETTINGS.outputs.clear()
        with monitor.gaps():
            _run_to_the_end(loop, program)
        return loop.run_until_complete(_exports())


class _Unused(mocks.Mocks):
    """Mocks that the stock monitor requires; our monitor answers all calls itself."""

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], None]:
        """Raise an error: this is never called."""
        raise ProgramError(args.token)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Raise an error: this is never called."""
        raise ProgramError(args.name)


class Monitor(mocks.MockMonitor):
    """Replaces Pulumi's engine: records registered resources and answers with mock outputs.

    Subclasses that answer differently override `make`, `find` and `look_up`.
    """

    def __init__(self, transform: Transform, account: str, *, config: Mapping[str, str]) -> None:
        super().__init__(mocks=_Unused())  # every call is answered here
        self.declared: dict[str, RegisteredResource] = {}
        self.account = account
        self.imagined: dict[str, bool] = {}
        """What was asked for that nobody gave, one sentence each."""
        self.other_stacks: dict[str, None] = {}
        self._transform = transform
        self._defaults_allowed = _defaults_allowed(config)
        self._default_region = config.get("aws:region", "")
        self._regions: dict[str, str] = {}
        self._taken: set[str] = set()
        self._around: dict[str, list[Callable[[ResourceTransformArgs], Any]]] = {}
        self._lock = threading.Lock()

    def gaps(self) -> contextlib.AbstractContextManager[None]:
        """Return a block for the program to run in; here it changes nothing."""
        return contextlib.nullcontext()

    def make(self, declared: RegisteredResource) -> RegisteredResource:
        """Return a resource with its identifier and outputs."""
        if not declared.custom:
            return replace(declared, outputs=dict(declared.inputs))
        birth = mock_outputs.Registration(
            urn=declared.urn,
            name=declared.name,
            region=declared.region,
            account=self.account,
            inputs=declared.redacted(),  # no identifier is derived from a secret
        )
        identifier, state = mock_outputs.imagine(declared.type, birth)
        return replace(declared, id=identifier, outputs={**state, **declared.inputs})

    def leave_out(self, declared: RegisteredResource) -> RegisteredResource:
        """Return a mock of a resource that a transform left out."""
        return Monitor.make(self, declared)

    def find(self, declared: RegisteredResource) -> Mapping[str, Any]:
        """Return the state of an existing resource.

        Raises:
            ProgramError: If it is another stack.
        """
        if declared.type == _OTHER_STACK:
            msg = f"{declared.urn}: the outputs of another stack are not available here"
            raise ProgramError(msg)
        birth = mock_outputs.Registration(
            urn=declared.urn,
            name=declared.name,
            region=declared.region,
            account=self.account,
            inputs=declared.inputs,
        )
        return mock_outputs.imagine(declared.type, birth)[1]

    def look_up(self, token: str, arguments: Mapping[str, Any], region: str) -> dict[str, Any]:
        """Return the answer of a data source.

        Raises:
            ProgramError: If there is none.
        """
        answer = mock_outputs.invoke(token, arguments, region=region, account=self.account)
        if answer is None:
            msg = f"{token}: this data source has no mock answer, so it cannot be declared"
            raise ProgramError(msg)
        return answer

    def look_up_urn(self, urn: str) -> dict[str, Any]:
        """Return the resource that a reference in some output names.

        Raises:
            ProgramError: If nobody registered it.
        """
        found = self.resources.get(urn)
        if found is None:
            msg = f"{urn}: an output refers to this resource, which nobody registered"
            raise ProgramError(msg)
        return {"urn": urn, "id": found.id, "state": found.state}

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """Return the URN that the engine would assign: all enclosing components, no stack."""
        around = parent.split("::")[2] if parent else _STACK
        qualified = type_ if around == _STACK else f"{around}${type_}"
        return f"urn:pulumi:{settings.get_stack()}::{settings.get_project()}::{qualified}::{name}"

    def RegisterResource(self, request: Any) -> Any:  # noqa: ANN401, N802 - protobuf's own
        """Register one resource of the program, and answer with its identifier and outputs."""
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == _STACK:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        _ensure_event_loop()  # type: ignore[no-untyped-call]  # Pulumi's own, untyped
        secrets: set[str] = set()
        inputs = _plain(self._transformed(request, urn), "", secrets)
        wanted = self._read(request, urn, inputs, secrets)
        declared = self._transform(wanted)
        if declared is not None:
            self._refuse_default_provider(declared.type, declared.provider, urn)
        self._take(urn)
        born = self.leave_out(wanted) if declared is None else self.make(declared)
        self.resources[urn] = self.ResourceRegistration(urn, born.id, dict(born.outputs))
        if declared is not None:
            self.declared[urn] = born
        if born.type.startswith(_PROVIDER):
            self._regions[urn] = str(born.inputs.get("region", ""))
        return resource_pb2.RegisterResourceResponse(
            urn=urn, id=born.id, object=_serialize(born.outputs, born.secrets | born.secret_outputs)
        )

    def ReadResource(self, request: Any) -> Any:  # noqa: ANN401, N802 - protobuf's own
        """Answer with the state of an existing resource."""
        urn = self.make_urn(request.parent, request.type, request.name)
        _ensure_event_loop()  # type: ignore[no-untyped-call]  # Pulumi's own, untyped
        secrets: set[str] = set()
        inputs = _plain(_deserialize(request.properties), "", secrets)
        self._refuse_default_provider(request.type, request.provider, urn)
        wanted = RegisteredResource(
            urn=urn,
            type=request.type,
            name=request.name,
            parent=request.parent,
            provider=request.provider.rpartition("::")[0],
            region=self._region(request.type, inputs, request.provider),
            inputs=inputs,
            secrets=frozenset(secrets),
            dependencies=(),
            custom=True,
            id=request.id,
        )
        state = self.find(wanted)
        hidden = frozenset({*secrets, *request.additionalSecretOutputs})
        return resource_pb2.ReadResourceResponse(urn=urn, properties=_serialize(state, hidden))

    def Invoke(self, request: Any) -> Any:  # noqa: ANN401, N802 - protobuf's own
        """Answer a call of a data source."""
        _ensure_event_loop()  # type: ignore[no-untyped-call]  # Pulumi's own, untyped
        arguments = _plain(_deserialize(request.args), "", set())
        self._refuse_default_provider(request.tok, request.provider, request.tok)
        region = self._region(request.tok, arguments, request.provider)
        if request.tok == _RESOURCE_OF_URN:
            answer = self.look_up_urn(str(arguments["urn"]))
        else:
            answer = self.look_up(request.tok, arguments, region)
        response = resource_pb2.ResourceInvokeResponse()
        getattr(response, "return").CopyFrom(_serialize(answer, frozenset()))
        return response

    def _read(
        self,
        request: Any,  # noqa: ANN401 - protobuf's own
        urn: str,
        inputs: dict[str, Any],
        secrets: set[str],
    ) -> RegisteredResource:
        return RegisteredResource(
            urn=urn,
            type=request.type,
            name=request.name,
            parent=request.parent,
            provider=request.provider.rpartition("::")[0],
            region=self._region(request.type, inputs, request.provider),
            inputs=inputs,
            secrets=frozenset(secrets),
            secret_outputs=frozenset(request.additionalSecretOutputs),
            dependencies=tuple(sorted(request.dependencies)),
            custom=request.custom,
            protect=request.protect,
            retain=request.retainOnDelete,
            ignore_changes=tuple(request.ignoreChanges),
            sources={
                key: tuple(sorted(found.urns))
                for key, found in request.propertyDependencies.items()
                if found.urns
            },
        )

    def _region(self, token: str, inputs: Mapping[str, Any], provider: str) -> str:
        if token.startswith(_GLOBAL_MODULES):
            return GLOBAL
        if not token.startswith("aws:"):
            return ""
        named = inputs.get("region")
        if isinstance(named, str) and named in REGIONS:
            return named
        return self._regions.get(provider.rpartition("::")[0], "") or self._default_region

    def _refuse_default_provider(self, token: str, provider: str, subject: str) -> None:
        if token.startswith("aws:") and not (provider or self._defaults_allowed):
            msg = (
                f"{subject}: no provider was passed to it, and the stack disables the default "
                "one; pass opts=ResourceOptions(provider=…), or InvokeOptions to a data source"
            )
            raise ProgramError(msg)

    def _transformed(self, request: Any, urn: str) -> dict[str, Any]:  # noqa: ANN401 - protobuf's
        """Return a resource's properties after the program's own transforms.

        They run in the engine's order: the resource's, then those of each enclosing component,
        then the stack's. Only changes of properties are supported here.

        Raises:
            ProgramError: If a transform changes a resource's options.
        """
        properties = _deserialize(request.object)
        own = mocks._resolve_callbacks(request.transforms)  # noqa: SLF001 - it has no other name
        self._around[urn] = [*own, *self._around.get(request.parent, ())]
        for transform in [*self._around[urn], *self._stack_transforms]:
            options = ResourceOptions()
            before = dict(vars(options))
            given = ResourceTransformArgs(
                custom=request.custom,
                type_=request.type,
                name=request.name,
                props=properties,
                opts=options,
            )
            made = transform(given)
            result = _sync_await(made) if inspect.isawaitable(made) else made
            if result is None:
                continue
            if result.opts is not None and vars(result.opts) != before:
                msg = f"{urn}: a transform changes its options, which is not supported here"
                raise ProgramError(msg)
            properties = _deserialize(_sync_await(rpc.serialize_properties(result.props, {})))
        return properties

    def _take(self, urn: str) -> None:
        """Reject a second resource with the same URN, before it is created."""
        with self._lock:
            if urn in self._taken:
                msg = f"{urn}: two resources have this URN; rename one of them"
                raise ProgramError(msg)
            self._taken.add(urn)


class ImaginingMonitor(Monitor):
    """A monitor that answers by what the SDK's classes declare, where nobody else answers."""

    def __init__(
        self,
        transform: Transform,
        account: str,
        *,
        config: Mapping[str, str],
        answers: GivenAnswers,
    ) -> None:
        super().__init__(transform, account, config=config)
        self._answers = answers

    def make(self, declared: RegisteredResource) -> RegisteredResource:
        """Return a resource with its identifier, and every output that its class declares."""
        born = super().make(declared)
        place = self._place(declared.type, declared.region, declared.urn)
        return replace(born, outputs=imagined.outputs_of(declared.type, born.outputs, place))

    def find(self, declared: RegisteredResource) -> Mapping[str, Any]:
        """Return the state of an existing resource; another stack's is imagined when asked."""
        if declared.type == _OTHER_STACK:
            named = str(declared.inputs.get("name") or declared.name)
            self.other_stacks[named] = None
            known = self._answers.stacks.get(named, {})
            return {"name": declared.name, "outputs": dict(known), "secretOutputNames": []}
        # Not by the mocks: what they answer would pass for the name of something that nobody makes.
        place = self._place(declared.type, declared.region, declared.urn)
        return imagined.outputs_of(declared.type, declared.inputs, place)

    def look_up(self, token: str, arguments: Mapping[str, Any], region: str) -> dict[str, Any]:
        """Return the answer of a data source, by its class if no mock knows it."""
        mock = mock_outputs.invoke(token, arguments, region=region, account=self.account)
        known = {**(mock or {}), **self._answers.data.get(token, {})}
        seed = f"{region}{token}{sorted(arguments.items(), key=str)}"
        place = self._place(token, region, seed)
        found = imagined.answer_of(token, {**arguments, **known}, place)
        return found or known or super().look_up(token, arguments, region)

    def look_up_urn(self, urn: str) -> dict[str, Any]:
        """Return the resource of a reference; what a remote component made is imagined."""
        if urn in self.resources:
            return super().look_up_urn(urn)
        kind, name = urn.split("::")[2:4]
        return {
            "urn": urn,
            "id": name,
            "state": imagined.outputs_of(kind, {}, self._place(kind, "", urn)),
        }

    def gaps(self) -> contextlib.AbstractContextManager[None]:
        """Return a block in which the program's missing settings are imagined, and told."""
        return imagined.gaps(self._place("", self._default_region, ""), self._tell)

    def _tell(self, sentence: str, *, decides: bool) -> None:
        self.imagined[sentence] = self.imagined.get(sentence, False) or decides

    def _place(self, token: str, region: str, seed: str) -> imagined.Surroundings:
        module = token.partition(":")[2].partition("/")[0].partition(":")[0]
        where = "" if region == GLOBAL else region
        return imagined.Surroundings(module=module, region=where, account=self.account, seed=seed)


@contextlib.contextmanager
def _own_loop(workers: int) -> Iterator[asyncio.AbstractEventLoop]:
    """Provide an event loop, and worker threads with a loop each, and close all of them.

    Pulumi calls the monitor in worker threads, and the mocks give each thread a loop that is never
    closed. One thread is enough for a declaration, which waits for nothing external.
    """
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # ignore unread futures of failed siblings
    inner: list[asyncio.AbstractEventLoop] = []

    def lend() -> None:
        inner.append(asyncio.new_event_loop())
        asyncio.set_event_loop(inner[-1])

    worker = ThreadPoolExecutor(workers, initializer=lend)
    loop.set_default_executor(worker)
    asyncio.set_event_loop(loop)
    try:
        yield loop
    finally:
        left = asyncio.all_tasks(loop)  # left by a failed program
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_default_executor())
        asyncio.set_event_loop(None)
        for other_loop in inner:
            other_loop.close()
        loop.close()


@contextlib.contextmanager
def without_collection() -> Iterator[None]:
    """Pause garbage collection: declarations keep their objects, and collecting costs a third."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@contextlib.contextmanager
def _without_traces() -> Iterator[None]:
    """Spare each resource the walk up the stack that tells an engine who made it.

    No monitor of ours asks, and the walks are a seventh of the time of a large program.
    """
    kept = pulumi_resource._get_stack_trace  # noqa: SLF001 - nothing public turns it off
    pulumi_resource._get_stack_trace = source_pb2.StackTrace  # noqa: SLF001 - as above
    try:
        yield
    finally:
        pulumi_resource._get_stack_trace = kept  # noqa: SLF001 - as above


def _deserialize(properties: struct_pb2.Struct) -> dict[str, Any]:
    found: dict[str, Any] = rpc.deserialize_properties(_dereferenced(properties))
    return found


def _dereferenced(properties: struct_pb2.Struct) -> struct_pb2.Struct:
    """Return properties in which a whole resource, passed as a value, is its identifier.

    This is what the engine gives to a provider that takes no references, as AWS's takes none.
    """
    for value in properties.fields.values():
        for found in [value, *value.list_value.values]:
            inner = found.struct_value.fields
            if SIGNATURE in inner and inner[SIGNATURE].string_value == REFERENCE:
                found.string_value = inner["id"].string_value or inner["urn"].string_value
            elif inner:
                _dereferenced(found.struct_value)
    return properties


def _serialize(state: Mapping[str, Any], secrets: frozenset[str]) -> struct_pb2.Struct:
    """Return the state in wire format, with each property that holds a secret marked secret."""
    marked = {path.split(".", 1)[0] for path in secrets}
    wrapped = {k: rpc.wrap_rpc_secret(v) if k in marked else v for k, v in state.items()}
    return _sync_await(rpc.serialize_properties(wrapped, {}))


def _plain(value: Any, path: str, secrets: set[str]) -> Any:  # noqa: ANN401 - any property value
    """Return a property value without secret markers, and with whole numbers as integers."""
    if rpc.is_rpc_secret(value):
        secrets.add(path)
        return _plain(rpc.unwrap_rpc_secret(value), path, secrets)
    if isinstance(value, dict):
        return {k: _plain(v, f"{path}.{k}" if path else k, secrets) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v, f"{path}.{n}", secrets) for n, v in enumerate(value)]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _show(value: Any, path: str, secrets: frozenset[str]) -> Any:  # noqa: ANN401 - any value
    if path in secrets:
        return SECRET
    if isinstance(value, dict):
        return {key: _show(v, f"{path}.{key}", secrets) for key, v in value.items()}
    if isinstance(value, list):
        return [_show(v, f"{path}.{n}", secrets) for n, v in enumerate(value)]
    if isinstance(value, Asset | Archive):
        return _show_asset(value)
    return value


def _show_asset(value: Asset | Archive) -> str:
    where = getattr(value, "path", None)
    inside = getattr(value, "assets", None)
    return f"{type(value).__name__}({where or ', '.join(sorted(inside or ['…']))})"


def _run_to_the_end(loop: asyncio.AbstractEventLoop, program: Callable[[], object]) -> None:
    """Run a program and wait for its resources, unless somebody interrupts it.

    Pulumi waits for all of them even then, and some wait for what the program did not come to.
    """
    interrupted: list[BaseException] = []

    def run() -> None:  # without the program's result, which Pulumi would await
        try:
            program()
        except (KeyboardInterrupt, SystemExit) as error:
            interrupted.append(error)
            loop.stop()
            raise

    try:
        loop.run_until_complete(stack.run_pulumi_func(run))
    except RuntimeError:
        if interrupted:
            raise interrupted[0] from None
        raise


async def _exports() -> dict[str, Any]:
    root = settings.get_root_resource()
    outputs = getattr(root, "outputs", {})
    secrets: set[str] = set()
    properties = await rpc.serialize_properties(outputs, {})
    found = _plain(_deserialize(properties), "", secrets)
    return {key: _show(value, key, frozenset(secrets)) for key, value in found.items()}


def _defaults_allowed(config: Mapping[str, str]) -> bool:
    disabled = config.get("pulumi:disable-default-providers", "")
    return not ('"aws"' in disabled or '"*"' in disabled)
