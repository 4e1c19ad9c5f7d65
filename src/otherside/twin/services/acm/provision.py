"""Creates the ACM resources of a program, as Pulumi's AWS provider would."""

from otherside.twin.deploy.creation import Birth


def _certificate(birth: Birth) -> str:
    made = birth.call("acm", "RequestCertificate")
    arn = str(made["CertificateArn"])
    found = birth.ask("acm", "DescribeCertificate", CertificateArn=arn)["Certificate"]
    options = [
        {
            "domainName": one["DomainName"],
            "resourceRecordName": one["ResourceRecord"]["Name"],
            "resourceRecordType": one["ResourceRecord"]["Type"],
            "resourceRecordValue": one["ResourceRecord"]["Value"],
        }
        for one in found["DomainValidationOptions"]
    ]
    birth.outputs |= {"arn": arn, "domainValidationOptions": options}
    return arn


def _validation(birth: Birth) -> str:
    return str(birth.inputs["certificateArn"])


RESOURCE_TYPES = {
    "acm/certificate:Certificate": _certificate,
    "acm/certificateValidation:CertificateValidation": _validation,
}
