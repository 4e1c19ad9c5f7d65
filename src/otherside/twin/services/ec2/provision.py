"""Create a Pulumi program's EC2 and VPC resources, as Pulumi's AWS provider would."""

from typing import Any

from otherside.twin.deploy.creation import ResourceCreation
from otherside.twin.json_types import JsonObject


def _launch_template(creation: ResourceCreation) -> str:
    inputs = dict(creation.inputs)
    name, tags = creation.name(), creation.ec2_tags("launch-template")
    creation.inputs = {
        "launchTemplateData": {
            key: value
            for key, value in inputs.items()
            if key not in {"name", "tags", "updateDefaultVersion", "region", "description"}
        }
    }
    data = "launchTemplateData."
    made = creation.call(
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
    creation.outputs |= {
        "arn": f"arn:aws:ec2:{creation.region}:{creation.account}:launch-template/{template}",
        "latestVersion": int(made["LatestVersionNumber"]),
        "defaultVersion": int(made["DefaultVersionNumber"]),
        "name": name,
    }
    return template


def _arn(creation: ResourceCreation, kind: str, identifier: str) -> str:
    return f"arn:aws:ec2:{creation.region}:{creation.account}:{kind}/{identifier}"


def _vpc(creation: ResourceCreation) -> str:
    made = creation.call(
        "ec2",
        "CreateVpc",
        drop=("enableDnsHostnames", "enableDnsSupport"),
        TagSpecifications=creation.ec2_tags("vpc"),
    )["Vpc"]
    vpc = str(made["VpcId"])
    for key, attribute in (
        ("enableDnsSupport", "EnableDnsSupport"),
        ("enableDnsHostnames", "EnableDnsHostnames"),
    ):
        if key in creation.inputs:
            value = {"Value": bool(creation.inputs[key])}
            creation.ask("ec2", "ModifyVpcAttribute", VpcId=vpc, **{attribute: value})
    default = _default_group(creation, vpc)
    creation.outputs |= {
        "arn": _arn(creation, "vpc", vpc),
        "defaultSecurityGroupId": default["GroupId"],
    }
    return vpc


def _default_group(creation: ResourceCreation, vpc: str) -> JsonObject:
    filters = [
        {"Name": "vpc-id", "Values": [vpc]},
        {"Name": "group-name", "Values": ["default"]},
    ]
    found = creation.ask("ec2", "DescribeSecurityGroups", Filters=filters)["SecurityGroups"]
    return dict(found[0])


def _default_security_group(creation: ResourceCreation) -> str:
    """Adopt a VPC's default security group and remove all of its rules, as the provider does."""
    group = _default_group(creation, creation.inputs["vpcId"])
    identifier = str(group["GroupId"])
    for direction, key in (("Ingress", "IpPermissions"), ("Egress", "IpPermissionsEgress")):
        if group.get(key):
            operation = f"RevokeSecurityGroup{direction}"
            creation.ask("ec2", operation, GroupId=identifier, IpPermissions=group[key])
    creation.outputs["arn"] = _arn(creation, "security-group", identifier)
    return identifier


def _subnet(creation: ResourceCreation) -> str:
    made = creation.call(
        "ec2",
        "CreateSubnet",
        drop=("mapPublicIpOnLaunch",),
        TagSpecifications=creation.ec2_tags("subnet"),
    )["Subnet"]
    subnet = str(made["SubnetId"])
    if creation.inputs.get("mapPublicIpOnLaunch"):
        creation.ask(
            "ec2", "ModifySubnetAttribute", SubnetId=subnet, MapPublicIpOnLaunch={"Value": True}
        )
    creation.outputs["arn"] = _arn(creation, "subnet", subnet)
    return subnet


def _internet_gateway(creation: ResourceCreation) -> str:
    tags = creation.ec2_tags("internet-gateway")
    made = creation.call("ec2", "CreateInternetGateway", drop=("vpcId",), TagSpecifications=tags)
    gateway = str(made["InternetGateway"]["InternetGatewayId"])
    if "vpcId" in creation.inputs:
        vpc = creation.inputs["vpcId"]
        creation.ask("ec2", "AttachInternetGateway", InternetGatewayId=gateway, VpcId=vpc)
    creation.outputs["arn"] = _arn(creation, "internet-gateway", gateway)
    return gateway


def _eip(creation: ResourceCreation) -> str:
    made = creation.call(
        "ec2", "AllocateAddress", TagSpecifications=creation.ec2_tags("elastic-ip")
    )
    creation.outputs |= {"allocationId": made["AllocationId"], "publicIp": made["PublicIp"]}
    return str(made["AllocationId"])


def _nat_gateway(creation: ResourceCreation) -> str:
    tags = creation.ec2_tags("natgateway")
    made = creation.call("ec2", "CreateNatGateway", TagSpecifications=tags)
    return str(made["NatGateway"]["NatGatewayId"])


def _route_table(creation: ResourceCreation) -> str:
    tags = creation.ec2_tags("route-table")
    made = creation.call("ec2", "CreateRouteTable", TagSpecifications=tags)
    table = str(made["RouteTable"]["RouteTableId"])
    creation.outputs["arn"] = _arn(creation, "route-table", table)
    return table


def _route(creation: ResourceCreation) -> str:
    creation.call("ec2", "CreateRoute")
    inputs = creation.inputs
    return f"r-{inputs['routeTableId']}{inputs.get('destinationCidrBlock', '')}"


def _route_table_association(creation: ResourceCreation) -> str:
    return str(creation.call("ec2", "AssociateRouteTable")["AssociationId"])


def _security_group(creation: ResourceCreation) -> str:
    made = creation.call(
        "ec2",
        "CreateSecurityGroup",
        rename={"name": "GroupName"},
        drop=("revokeRulesOnDelete", "name", "ingress", "egress"),
        GroupName=creation.name(),
        TagSpecifications=creation.ec2_tags("security-group"),
    )
    group = str(made["GroupId"])
    # AWS allows all egress from a new group; the provider removes that rule at once.
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    creation.ask("ec2", "RevokeSecurityGroupEgress", GroupId=group, IpPermissions=[everything])
    for direction in ("ingress", "egress"):
        for rule in creation.inputs.get(direction) or []:
            _authorize(creation, group, direction, _inline_permission(rule))
    creation.outputs |= {"arn": _arn(creation, "security-group", group), "name": creation.name()}
    return group


def _inline_permission(rule: JsonObject) -> JsonObject:
    made: JsonObject = {
        "IpProtocol": str(rule.get("protocol", "-1")),
        "FromPort": int(rule.get("fromPort", 0)),
        "ToPort": int(rule.get("toPort", 0)),
    }
    if rule.get("cidrBlocks"):
        made["IpRanges"] = [{"CidrIp": cidr_block} for cidr_block in rule["cidrBlocks"]]
    if rule.get("securityGroups"):
        made["UserIdGroupPairs"] = [
            {"GroupId": security_group} for security_group in rule["securityGroups"]
        ]
    return made


def _authorize(
    creation: ResourceCreation, group: str, direction: str, permission: JsonObject
) -> str:
    operation = f"AuthorizeSecurityGroup{direction.capitalize()}"
    made = creation.ask("ec2", operation, GroupId=group, IpPermissions=[permission])
    rules = made.get("SecurityGroupRules") or [{}]
    return str(rules[0].get("SecurityGroupRuleId", f"sgr-{group}"))


def _rule(direction: str) -> Any:  # noqa: ANN401 - a handler
    def handler(creation: ResourceCreation) -> str:
        inputs = creation.inputs
        permission: JsonObject = {"IpProtocol": str(inputs["ipProtocol"])}
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
        return _authorize(creation, inputs["securityGroupId"], direction, permission)

    return handler


def _vpc_endpoint(creation: ResourceCreation) -> str:
    tags = creation.ec2_tags("vpc-endpoint")
    made = creation.call(
        "ec2",
        "CreateVpcEndpoint",
        rename={"policy": "PolicyDocument"},
        TagSpecifications=tags,
    )
    endpoint = str(made["VpcEndpoint"]["VpcEndpointId"])
    creation.outputs["arn"] = _arn(creation, "vpc-endpoint", endpoint)
    return endpoint


def _flow_log(creation: ResourceCreation) -> str:
    made = creation.call(
        "ec2",
        "CreateFlowLogs",
        rename={"iamRoleArn": "DeliverLogsPermissionArn"},
        drop=("vpcId",),
        ResourceIds=[creation.inputs["vpcId"]],
        ResourceType="VPC",
    )
    if made.get("Unsuccessful"):
        raise ValueError(made["Unsuccessful"][0]["Error"]["Message"])
    log = str(made["FlowLogIds"][0])
    creation.outputs["arn"] = _arn(creation, "vpc-flow-log", log)
    return log


def _peering(creation: ResourceCreation) -> str:
    made = creation.call(
        "ec2",
        "CreateVpcPeeringConnection",
        drop=("autoAccept",),
        TagSpecifications=creation.ec2_tags("vpc-peering-connection"),
    )["VpcPeeringConnection"]
    peering = str(made["VpcPeeringConnectionId"])
    if creation.inputs.get("autoAccept"):
        creation.ask("ec2", "AcceptVpcPeeringConnection", VpcPeeringConnectionId=peering)
    creation.outputs["acceptStatus"] = made["Status"]["Code"]
    return peering


def _accepter(creation: ResourceCreation) -> str:
    peering = str(creation.inputs["vpcPeeringConnectionId"])
    if creation.inputs.get("autoAccept"):
        made = creation.ask("ec2", "AcceptVpcPeeringConnection", VpcPeeringConnectionId=peering)
        creation.outputs["acceptStatus"] = made["VpcPeeringConnection"]["Status"]["Code"]
    return peering


def _peering_options(creation: ResourceCreation) -> str:
    creation.call(
        "ec2",
        "ModifyVpcPeeringConnectionOptions",
        rename={
            "requester": "RequesterPeeringConnectionOptions",
            "accepter": "AccepterPeeringConnectionOptions",
            "requester.allowRemoteVpcDnsResolution": "AllowDnsResolutionFromRemoteVpc",
            "accepter.allowRemoteVpcDnsResolution": "AllowDnsResolutionFromRemoteVpc",
        },
    )
    return str(creation.inputs["vpcPeeringConnectionId"])


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
