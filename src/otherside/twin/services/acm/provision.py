"""Create a Pulumi program's ACM resources, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import ResourceCreation


def _certificate(creation: ResourceCreation) -> str:
    made = creation.call("acm", "RequestCertificate")
    arn = str(made["CertificateArn"])
    found = creation.ask("acm", "DescribeCertificate", CertificateArn=arn)["Certificate"]
    options = [
        {
            "domainName": option["DomainName"],
            "resourceRecordName": option["ResourceRecord"]["Name"],
            "resourceRecordType": option["ResourceRecord"]["Type"],
            "resourceRecordValue": option["ResourceRecord"]["Value"],
        }
        for option in found["DomainValidationOptions"]
    ]
    creation.outputs |= {"arn": arn, "domainValidationOptions": options}
    return arn


def _validation(creation: ResourceCreation) -> str:
    return str(creation.inputs["certificateArn"])


RESOURCE_TYPES = {
    "acm/certificate:Certificate": _certificate,
    "acm/certificateValidation:CertificateValidation": _validation,
}
