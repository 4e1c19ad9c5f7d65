"""Create a Pulumi program's Firehose resources, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import ResourceCreation


def _firehose(creation: ResourceCreation) -> str:
    inputs, name = creation.inputs, creation.name()
    s3 = "extendedS3Configuration"
    sse = inputs.get("serverSideEncryption") or {}
    encryption = None
    if sse.get("enabled"):
        encryption = {"KeyType": sse.get("keyType", "AWS_OWNED_CMK")}
        if sse.get("keyArn"):
            encryption["KeyARN"] = sse["keyArn"]
    configuration = dict(inputs.get(s3) or {})
    key = configuration.pop("kmsKeyArn", None)
    creation.inputs = {**inputs, s3: configuration}
    if key:
        configuration["encryptionConfiguration"] = {"kMSEncryptionConfig": {"aWSKMSKeyARN": key}}
    made = creation.call(
        "firehose",
        "CreateDeliveryStream",
        rename={
            s3: "ExtendedS3DestinationConfiguration",
            f"{s3}.cloudwatchLoggingOptions": "CloudWatchLoggingOptions",
            f"{s3}.bufferingInterval": "BufferingHints",
        },
        drop=(
            *("name", "destination", "serverSideEncryption"),
            *(f"{s3}.bufferingInterval", f"{s3}.bufferingSize"),
        ),
        DeliveryStreamName=name,
        DeliveryStreamEncryptionConfigurationInput=encryption,
    )
    _hints(creation, name, configuration)
    creation.outputs |= {"arn": made["DeliveryStreamARN"], "name": name}
    return str(made["DeliveryStreamARN"])


def _hints(creation: ResourceCreation, name: str, configuration: dict[str, object]) -> None:
    """Set the buffering hints, which the provider keeps beside the other inputs."""
    hints = {
        api: int(str(configuration[key]))
        for key, api in (("bufferingInterval", "IntervalInSeconds"), ("bufferingSize", "SizeInMBs"))
        if configuration.get(key) is not None
    }
    if not hints:
        return
    found = creation.ask("firehose", "DescribeDeliveryStream", DeliveryStreamName=name)
    description = found["DeliveryStreamDescription"]
    creation.ask(
        "firehose",
        "UpdateDestination",
        DeliveryStreamName=name,
        CurrentDeliveryStreamVersionId=description["VersionId"],
        DestinationId=description["Destinations"][0]["DestinationId"],
        ExtendedS3DestinationUpdate={"BufferingHints": hints},
    )


RESOURCE_TYPES = {
    "kinesis/firehoseDeliveryStream:FirehoseDeliveryStream": _firehose,
}
