"""Creates the EC2 and VPC resources of a program, as Pulumi's AWS provider would."""

from typing import Any

from otherside.twin.deploy.creation import Birth


def _launch_template(birth: Birth) -> str:
    inputs = dict(birth.inputs)
    name, tags = birth.name(), birth.ec2_tags("launch-template")
    birth.inputs = {
        "launchTemplateData": {
            key: value
            for key, value in inputs.items()
            if key not in {"name", "tags", "updateDefaultVersion", "region", "description"}
        }
    }
    data = "launchTemplateData."
    made = birth.call(
        "ec2",
        "CreateLaunchTemplate",
        rename={
            f"{data}vpcSecurityGroupIds": "SecurityGroupIds",
            f"{data}tagSpecifications.tags": "Tags",
        },
        LaunchTemplateName=name,
        TagSpecifications=tags,
    )["LaunchTemplate"]
    template = str(made["LaunchTemplateId"])
    birth.outputs |= {
        "arn": f"arn:aws:ec2:{birth.region}:{birth.account}:launch-template/{template}",
        "latestVersion": int(made["LatestVersionNumber"]),
        "defaultVersion": int(made["DefaultVersionNumber"]),
        "name": name,
    }
    return template


def _arn(birth: Birth, kind: str, identifier: str) -> str:
    return f"arn:aws:ec2:{birth.region}:{birth.account}:{kind}/{identifier}"


def _vpc(birth: Birth) -> str:
    made = birth.call(
        "ec2",
        "CreateVpc",
        drop=("enableDnsHostnames", "enableDnsSupport"),
        TagSpecifications=birth.ec2_tags("vpc"),
    )["Vpc"]
    vpc = str(made["VpcId"])
    for key, attribute in (
        ("enableDnsSupport", "EnableDnsSupport"),
        ("enableDnsHostnames", "EnableDnsHostnames"),
    ):
        if key in birth.inputs:
            value = {"Value": bool(birth.inputs[key])}
            birth.ask("ec2", "ModifyVpcAttribute", VpcId=vpc, **{attribute: value})
    default = _default_group(birth, vpc)
    birth.outputs |= {"arn": _arn(birth, "vpc", vpc), "defaultSecurityGroupId": default["GroupId"]}
    return vpc


def _default_group(birth: Birth, vpc: str) -> dict[str, Any]:
    filters = [
        {"Name": "vpc-id", "Values": [vpc]},
        {"Name": "group-name", "Values": ["default"]},
    ]
    found = birth.ask("ec2", "DescribeSecurityGroups", Filters=filters)["SecurityGroups"]
    return dict(found[0])


def _default_security_group(birth: Birth) -> str:
    """Adopt a network's own group, as the provider does: every rule in it is taken away."""
    group = _default_group(birth, birth.inputs["vpcId"])
    identifier = str(group["GroupId"])
    for direction, key in (("Ingress", "IpPermissions"), ("Egress", "IpPermissionsEgress")):
        if group.get(key):
            operation = f"RevokeSecurityGroup{direction}"
            birth.ask("ec2", operation, GroupId=identifier, IpPermissions=group[key])
    birth.outputs["arn"] = _arn(birth, "security-group", identifier)
    return identifier


def _subnet(birth: Birth) -> str:
    made = birth.call(
        "ec2",
        "CreateSubnet",
        drop=("mapPublicIpOnLaunch",),
        TagSpecifications=birth.ec2_tags("subnet"),
    )["Subnet"]
    subnet = str(made["SubnetId"])
    if birth.inputs.get("mapPublicIpOnLaunch"):
        birth.ask(
            "ec2", "ModifySubnetAttribute", SubnetId=subnet, MapPublicIpOnLaunch={"Value": True}
        )
    birth.outputs["arn"] = _arn(birth, "subnet", subnet)
    return subnet


def _internet_gateway(birth: Birth) -> str:
    tags = birth.ec2_tags("internet-gateway")
    made = birth.call("ec2", "CreateInternetGateway", drop=("vpcId",), TagSpecifications=tags)
    gateway = str(made["InternetGateway"]["InternetGatewayId"])
    if "vpcId" in birth.inputs:
        vpc = birth.inputs["vpcId"]
        birth.ask("ec2", "AttachInternetGateway", InternetGatewayId=gateway, VpcId=vpc)
    birth.outputs["arn"] = _arn(birth, "internet-gateway", gateway)
    return gateway


def _eip(birth: Birth) -> str:
    made = birth.call("ec2", "AllocateAddress", TagSpecifications=birth.ec2_tags("elastic-ip"))
    birth.outputs |= {"allocationId": made["AllocationId"], "publicIp": made["PublicIp"]}
    return str(made["AllocationId"])


def _nat_gateway(birth: Birth) -> str:
    tags = birth.ec2_tags("natgateway")
    made = birth.call("ec2", "CreateNatGateway", TagSpecifications=tags)
    return str(made["NatGateway"]["NatGatewayId"])


def _route_table(birth: Birth) -> str:
    tags = birth.ec2_tags("route-table")
    made = birth.call("ec2", "CreateRouteTable", TagSpecifications=tags)
    table = str(made["RouteTable"]["RouteTableId"])
    birth.outputs["arn"] = _arn(birth, "route-table", table)
    return table


def _route(birth: Birth) -> str:
    birth.call("ec2", "CreateRoute")
    inputs = birth.inputs
    return f"r-{inputs['routeTableId']}{inputs.get('destinationCidrBlock', '')}"


def _route_table_association(birth: Birth) -> str:
    return str(birth.call("ec2", "AssociateRouteTable")["AssociationId"])


def _security_group(birth: Birth) -> str:
    made = birth.call(
        "ec2",
        "CreateSecurityGroup",
        rename={"name": "GroupName"},
        drop=("revokeRulesOnDelete", "name", "ingress", "egress"),
        GroupName=birth.name(),
        TagSpecifications=birth.ec2_tags("security-group"),
    )
    group = str(made["GroupId"])
    # AWS lets everything out of a new group; the provider takes that away at once.
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    birth.ask("ec2", "RevokeSecurityGroupEgress", GroupId=group, IpPermissions=[everything])
    for direction in ("ingress", "egress"):
        for rule in birth.inputs.get(direction) or []:
            _authorize(birth, group, direction, _inline_permission(rule))
    birth.outputs |= {"arn": _arn(birth, "security-group", group), "name": birth.name()}
    return group


def _inline_permission(rule: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "IpProtocol": str(rule.get("protocol", "-1")),
        "FromPort": int(rule.get("fromPort", 0)),
        "ToPort": int(rule.get("toPort", 0)),
    }
    if rule.get("cidrBlocks"):
        made["IpRanges"] = [{"CidrIp": one} for one in rule["cidrBlocks"]]
    if rule.get("securityGroups"):
        made["UserIdGroupPairs"] = [{"GroupId": one} for one in rule["securityGroups"]]
    return made


def _authorize(birth: Birth, group: str, direction: str, permission: dict[str, Any]) -> str:
    operation = f"AuthorizeSecurityGroup{direction.capitalize()}"
    made = birth.ask("ec2", operation, GroupId=group, IpPermissions=[permission])
    rules = made.get("SecurityGroupRules") or [{}]
    return str(rules[0].get("SecurityGroupRuleId", f"sgr-{group}"))


def _rule(direction: str) -> Any:  # noqa: ANN401 - a handler
    def handler(birth: Birth) -> str:
        inputs = birth.inputs
        permission: dict[str, Any] = {"IpProtocol": str(inputs["ipProtocol"])}
        for key, name in (("fromPort", "FromPort"), ("toPort", "ToPort")):
            if key in inputs:
                permission[name] = int(inputs[key])
        described = {"Description": inputs["description"]} if inputs.get("description") else {}
        if "cidrIpv4" in inputs:
            permission["IpRanges"] = [{"CidrIp": inputs["cidrIpv4"], **described}]
        elif "referencedSecurityGroupId" in inputs:
            group = inputs["referencedSecurityGroupId"]
            permission["UserIdGroupPairs"] = [{"GroupId": group, **described}]
        elif "cidrIpv6" in inputs:
            permission["Ipv6Ranges"] = [{"CidrIpv6": inputs["cidrIpv6"], **described}]
        elif "prefixListId" in inputs:
            permission["PrefixListIds"] = [{"PrefixListId": inputs["prefixListId"], **described}]
        return _authorize(birth, inputs["securityGroupId"], direction, permission)

    return handler


def _vpc_endpoint(birth: Birth) -> str:
    tags = birth.ec2_tags("vpc-endpoint")
    made = birth.call(
        "ec2",
        "CreateVpcEndpoint",
        rename={"policy": "PolicyDocument"},
        TagSpecifications=tags,
    )
    endpoint = str(made["VpcEndpoint"]["VpcEndpointId"])
    birth.outputs["arn"] = _arn(birth, "vpc-endpoint", endpoint)
    return endpoint


def _flow_log(birth: Birth) -> str:
    made = birth.call(
        "ec2",
        "CreateFlowLogs",
        rename={"iamRoleArn": "DeliverLogsPermissionArn"},
        drop=("vpcId",),
        ResourceIds=[birth.inputs["vpcId"]],
        ResourceType="VPC",
    )
    if made.get("Unsuccessful"):
        raise ValueError(made["Unsuccessful"][0]["Error"]["Message"])
    log = str(made["FlowLogIds"][0])
    birth.outputs["arn"] = _arn(birth, "vpc-flow-log", log)
    return log


def _peering(birth: Birth) -> str:
    made = birth.call(
        "ec2",
        "CreateVpcPeeringConnection",
        drop=("autoAccept",),
        TagSpecifications=birth.ec2_tags("vpc-peering-connection"),
    )["VpcPeeringConnection"]
    peering = str(made["VpcPeeringConnectionId"])
    if birth.inputs.get("autoAccept"):
        birth.ask("ec2", "AcceptVpcPeeringConnection", VpcPeeringConnectionId=peering)
    birth.outputs["acceptStatus"] = made["Status"]["Code"]
    return peering


def _accepter(birth: Birth) -> str:
    peering = str(birth.inputs["vpcPeeringConnectionId"])
    if birth.inputs.get("autoAccept"):
        made = birth.ask("ec2", "AcceptVpcPeeringConnection", VpcPeeringConnectionId=peering)
        birth.outputs["acceptStatus"] = made["VpcPeeringConnection"]["Status"]["Code"]
    return peering


def _peering_options(birth: Birth) -> str:
    birth.call(
        "ec2",
        "ModifyVpcPeeringConnectionOptions",
        rename={
            "requester": "RequesterPeeringConnectionOptions",
            "accepter": "AccepterPeeringConnectionOptions",
            "requester.allowRemoteVpcDnsResolution": "AllowDnsResolutionFromRemoteVpc",
            "accepter.allowRemoteVpcDnsResolution": "AllowDnsResolutionFromRemoteVpc",
        },
    )
    return str(birth.inputs["vpcPeeringConnectionId"])


RESOURCE_TYPES = {
    "ec2/launchTemplate:LaunchTemplate": _launch_template,
    "ec2/defaultSecurityGroup:DefaultSecurityGroup": _default_security_group,
    "ec2/eip:Eip": _eip,
    "ec2/flowLog:FlowLog": _flow_log,
    "ec2/internetGateway:InternetGateway": _internet_gateway,
    "ec2/natGateway:NatGateway": _nat_gateway,
    "ec2/peeringConnectionOptions:PeeringConnectionOptions": _peering_options,
    "ec2/route:Route": _route,
    "ec2/routeTable:RouteTable": _route_table,
    "ec2/routeTableAssociation:RouteTableAssociation": _route_table_association,
    "ec2/securityGroup:SecurityGroup": _security_group,
    "ec2/subnet:Subnet": _subnet,
    "ec2/vpc:Vpc": _vpc,
    "ec2/vpcEndpoint:VpcEndpoint": _vpc_endpoint,
    "ec2/vpcPeeringConnection:VpcPeeringConnection": _peering,
    "ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter": _accepter,
    "vpc/securityGroupEgressRule:SecurityGroupEgressRule": _rule("egress"),
    "vpc/securityGroupIngressRule:SecurityGroupIngressRule": _rule("ingress"),
}
