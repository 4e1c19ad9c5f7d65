"""Creates the ACM resources of a program, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import ResourceCreation


def _certificate(creation: ResourceCreation) -> str:
    made = creation.call("acm", "RequestCertificate")
    arn = str(made["CertificateArn"])
    found = creation.ask("acm", "DescribeCertificate", CertificateArn=arn)["Certificate"]
    options = [
        {
            "domainName": one["DomainName"],
            "resourceRecordName": one["ResourceRecord"]["Name"],
            "resourceRecordType": one["ResourceRecord"]["Type"],
            "resourceRecordValue": one["ResourceRecord"]["Value"],
        }
        for one in found["DomainValidationOptions"]
    ]
    creation.outputs |= {"arn": arn, "domainValidationOptions": options}
    return arn


def _validation(creation: ResourceCreation) -> str:
    return str(creation.inputs["certificateArn"])


RESOURCE_TYPES = {
    "acm/certificate:Certificate": _certificate,
    "acm/certificateValidation:CertificateValidation": _validation,
}
