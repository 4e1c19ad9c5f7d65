"""What AWS accepts, from the data that its own libraries carry: no account, no network.

`request` holds a resource's registered inputs against the API call that creates it (botocore's
service models), `policies` reads policy documents against the Service Authorization Reference
(cfn-lint's copy), `catalogue` knows versions, classes, and which Region has what (cfn-lint's).
"""
