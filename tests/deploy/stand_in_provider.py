"""A stand-in for Pulumi's provider `aws`, started by Pulumi's engine: it takes every input.

Its outputs are the mocks that `preview` uses. So the engine can be run where there is no AWS; what
AWS would refuse is the twin's business.
"""

import json
from concurrent import futures
from typing import Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from otherside.program.mock_outputs import Registration, imagine, invoke

ACCOUNT = "123456789012"
UNKNOWN = rpc.UNKNOWN
VERSION = "7.51.1"
"""Of the provider that stands aside; `requirements.lock` pins its SDK."""
ALL = -1


def plain(value: Any) -> Any:
    """Return a value without the wrappers of secrets, and whole numbers as integers."""
    if isinstance(value, dict):
        if rpc._special_sig_key in value:
            return plain(value.get("value"))
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def read(struct: struct_pb2.Struct) -> Any:
    """Return what the engine sent."""
    return plain(json_format.MessageToDict(struct))


def struct(value: dict[str, Any]) -> struct_pb2.Struct:
    """Return what the engine understands."""
    made = struct_pb2.Struct()
    made.update(value)
    return made


class StandIn(provider_pb2_grpc.ResourceProviderServicer):
    """One provider of one Region."""

    region = ""

    def Handshake(self, request, context):
        """Say what is understood."""
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, accept_resources=True, accept_outputs=True
        )

    def Attach(self, request, context):
        """Let a debugger attach: there is nothing to do."""
        return empty_pb2.Empty()

    def GetPluginInfo(self, request, context):
        """Give the version that the program asks for."""
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request, context):
        """Give an empty schema: nobody generates code."""
        return provider_pb2.GetSchemaResponse(schema="{}")

    def CheckConfig(self, request, context):
        """Take every setting."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request, context):
        """See no change of settings."""
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request, context):
        """Note the Region."""
        self.region = str(read(request.args).get("region", ""))
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True, supportsPreview=True, acceptResources=True, acceptOutputs=True
        )

    def Check(self, request, context):
        """Take every input."""
        return provider_pb2.CheckResponse(inputs=request.news)

    def Diff(self, request, context):
        """Name the inputs that differ."""
        old, new = read(request.old_inputs), read(request.news)
        ignored = set(request.ignoreChanges)
        changed = [name for name in {*old, *new} - ignored if old.get(name) != new.get(name)]
        kind = provider_pb2.DiffResponse
        return kind(changes=kind.DIFF_SOME if changed else kind.DIFF_NONE, diffs=changed)

    def Create(self, request, context):
        """Imagine the resource, unless a preview does not know its inputs yet."""
        inputs = read(request.properties)
        if request.preview and UNKNOWN in json.dumps(inputs):
            return provider_pb2.CreateResponse(id="", properties=request.properties)
        *_, kind, name = request.urn.split("::")
        born = Registration(
            urn=request.urn, name=name, region=self.region, account=ACCOUNT, inputs=inputs
        )
        made, outputs = imagine(kind.split("$")[-1], born)
        return provider_pb2.CreateResponse(
            id="" if request.preview else made, properties=struct(outputs)
        )

    def Update(self, request, context):
        """Take the new inputs, and keep what AWS had added."""
        outputs = {**read(request.olds), **read(request.news)}
        return provider_pb2.UpdateResponse(properties=struct(outputs))

    def Delete(self, request, context):
        """Let it go."""
        return empty_pb2.Empty()

    def Read(self, request, context):
        """Find it as it was left."""
        return provider_pb2.ReadResponse(
            id=request.id, properties=request.properties, inputs=request.inputs
        )

    def Invoke(self, request, context):
        """Answer a data source."""
        found = invoke(request.tok, read(request.args), region=self.region, account=ACCOUNT)
        return provider_pb2.InvokeResponse(**{"return": struct(found or {})})

    def Cancel(self, request, context):
        """Stop: there is nothing under way."""
        return empty_pb2.Empty()


def main() -> None:
    """Serve on a port of the loopback that is told on standard output, until killed."""
    options = [("grpc.max_receive_message_length", ALL), ("grpc.max_send_message_length", ALL)]
    server = grpc.server(futures.ThreadPoolExecutor(8), options=options)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(StandIn(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
