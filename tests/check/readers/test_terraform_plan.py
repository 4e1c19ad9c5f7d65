"""What a plan says: Regions, references through modules, unknown values, deletions."""

import json

import pytest

from check.readers.plan import change, configured, constant, plan, references
from otherside.check.model.graph import Graph
from otherside.check.model.values import Password, PasswordOrigin, Ref, Unknown
from otherside.check.readers.terraform.plan_json import TerraformPlan

DR = {"dr_region": {"default": "us-west-2"}}


def load(document):
    """Return the graph of a plan."""
    return Graph(list(TerraformPlan(json.loads(json.dumps(document)), "p").load()))


def only(graph, kind):
    """Return the one resource of a kind."""
    (found,) = graph.of(kind)
    return found


def test_a_region_is_its_provider_s_by_a_literal_or_a_variable():
    """Aliases are resolved by the configuration, and defaults by the variables."""
    graph = load(
        plan(
            [change("aws_vpc.a", {}), change("aws_vpc.b", {})],
            [configured("aws_vpc.a"), configured("aws_vpc.b", "aws.dr")],
            variables=DR,
        )
    )
    assert {vpc.name: vpc.region for vpc in graph.of("ec2.vpc")} == {
        "aws_vpc.a": "us-east-2",
        "aws_vpc.b": "us-west-2",
    }


def test_a_given_variable_counts_more_than_its_default():
    """As in Terraform."""
    document = plan(
        [change("aws_vpc.b", {})],
        [configured("aws_vpc.b", "aws.dr")],
        variables=DR,
        given={"dr_region": {"value": "eu-west-1"}},
    )
    assert only(load(document), "ec2.vpc").region == "eu-west-1"


def test_a_region_of_the_resource_s_own_counts_most():
    """Version 6 of the provider takes a Region on every resource."""
    document = plan([change("aws_vpc.a", {"region": "eu-west-3"})], [configured("aws_vpc.a")])
    assert only(load(document), "ec2.vpc").region == "eu-west-3"


def test_unknown_and_configured_is_unknown_and_not_configured_is_absent():
    """The third state is what others get wrong: computed, and nobody set it."""
    document = plan(
        [
            change("aws_rds_cluster.a", {}, {"kms_key_id": True, "arn": True}),
            change("aws_rds_cluster.b", {}, {"kms_key_id": True}),
            change("aws_kms_key.k", {}, {"arn": True}),
        ],
        [
            configured("aws_rds_cluster.a", kms_key_id=references("aws_kms_key.k.arn")),
            configured("aws_rds_cluster.b"),
            configured("aws_kms_key.k"),
        ],
    )
    a, b = load(document).of("rds.cluster")
    assert a["kms_key_id"] == Unknown(refs=(Ref("p#aws_kms_key.k", "arn"),))
    assert b["kms_key_id"] is None


def test_what_will_be_gone_is_not_there():
    """A deletion is left out, and what stays as it is, is not."""
    document = plan(
        [
            change("aws_vpc.a", None, actions=("delete",)),
            change("aws_vpc.b", {}, actions=("no-op",)),
            change("aws_vpc.c", {}, actions=("delete", "create")),
        ],
    )
    assert [vpc.name for vpc in load(document).of("ec2.vpc")] == ["aws_vpc.b", "aws_vpc.c"]


def test_references_lead_through_modules_inputs_and_outputs():
    """Out of one module by its output, into another by its variable."""
    network = {
        "resources": [configured("aws_vpc.this")],
        "outputs": {"vpc_id": {"expression": references("aws_vpc.this.id")}},
    }
    tables = {"resources": [configured("aws_route_table.this", vpc_id=references("var.vpc"))]}
    document = plan(
        [
            change("module.net.aws_vpc.this", {}, {"id": True}, "module.net"),
            change("module.tables.aws_route_table.this", {}, {"vpc_id": True}, "module.tables"),
        ],
        modules={
            "net": {"module": network, "expressions": {}},
            "tables": {
                "module": tables,
                "expressions": {"vpc": references("module.net.vpc_id")},
            },
        },
    )
    table = only(load(document), "ec2.route_table")
    assert table["vpc_id"] == Unknown(refs=(Ref("p#module.net.aws_vpc.this", "id"),))


def test_an_instance_refers_to_the_one_of_its_own_key():
    """Keys may hold dots, brackets and quotes."""
    names = ['a["x.y"]', "b"]
    changes = [
        change(f'aws_{kind}.this["{key}"]', {}, {"vpc_id": True})
        for key in ("eu.1", "b")
        for kind in ("vpc", "subnet")
    ]
    document = plan(
        changes,
        [
            configured("aws_vpc.this"),
            configured("aws_subnet.this", vpc_id=references("aws_vpc.this")),
        ],
    )
    graph = load(document)
    for subnet in graph.of("ec2.subnet"):
        vpc = graph.follow(subnet, "vpc_id", "ec2.vpc")
        assert vpc.name.partition("[")[2] == subnet.name.partition("[")[2]
    assert names


def test_elements_of_a_list_take_their_references_in_order():
    """Terraform lists them flat; as many as elements are one each."""
    document = plan(
        [
            change("aws_subnet.a", {}),
            change("aws_subnet.b", {}),
            change("aws_lb.x", {"subnets": [None, None]}, {"subnets": [True, True]}),
        ],
        [
            configured("aws_subnet.a"),
            configured("aws_subnet.b"),
            configured("aws_lb.x", subnets=references("aws_subnet.a.id", "aws_subnet.b.id")),
        ],
    )
    first, second = only(load(document), "lb.load_balancer")["subnets"]
    assert first.refs == (Ref("p#aws_subnet.a", "id"),)
    assert second.refs == (Ref("p#aws_subnet.b", "id"),)


@pytest.mark.parametrize(
    ("expression", "variables", "kept"),
    [
        (constant("hunter2"), {}, PasswordOrigin.LITERAL),
        (
            {"references": ["var.password"]},
            {"password": {"default": "hunter2"}},
            PasswordOrigin.DEFAULT,
        ),
        ({"references": ["var.password"]}, {"password": {}}, PasswordOrigin.GIVEN),
    ],
)
def test_a_password_is_told_by_where_it_comes_from_and_is_not_kept(expression, variables, kept):
    """A sensitive variable is in a plan in clear: that alone is no literal."""
    document = plan(
        [change("aws_rds_cluster.a", {"master_password": "hunter2"})],
        [configured("aws_rds_cluster.a", master_password=expression)],
        variables=variables,
        given={"password": {"value": "hunter2"}},
    )
    graph = load(document)
    found = only(graph, "rds.cluster")["master_password"]
    assert isinstance(found, Password)
    assert found.kept is kept
    assert "hunter2" not in repr(graph.resources)


def test_a_provider_inside_a_module_says_so():
    """That is the thirteenth failure, in Terraform's own words."""
    providers = {
        "module.a:aws": {
            "name": "aws",
            "module_address": "module.a",
            "expressions": {"region": constant("us-east-2")},
        }
    }
    (provider,) = load(plan([], providers=providers)).of("provider")
    assert provider.attributes["module"] == "module.a"


def test_a_state_is_read_as_show_writes_it_and_as_it_lies_on_disk():
    """Neither names providers, so the Region is what an ARN says."""
    arn = "arn:aws:rds:eu-west-1:123456789012:cluster:orders"
    values = {"cluster_identifier": "orders", "arn": arn}
    shown = {
        "format_version": "1.0",
        "values": {
            "root_module": {
                "child_modules": [
                    {
                        "address": "module.db",
                        "resources": [
                            {
                                "address": "module.db.aws_rds_cluster.this",
                                "mode": "managed",
                                "type": "aws_rds_cluster",
                                "name": "this",
                                "values": values,
                            }
                        ],
                    }
                ]
            }
        },
    }
    raw = {
        "version": 4,
        "lineage": "x",
        "resources": [
            {
                "module": "module.db",
                "mode": "managed",
                "type": "aws_rds_cluster",
                "name": "this",
                "instances": [{"attributes": values}],
            }
        ],
    }
    for document in (shown, raw):
        cluster = only(load(document), "rds.cluster")
        assert (cluster.name, cluster.region) == ("module.db.aws_rds_cluster.this", "eu-west-1")


def test_a_generated_policy_is_read_where_its_statements_are_known():
    """`aws_iam_policy_document` shows its statements although its JSON is unknown."""
    statement = {"effect": "Allow", "actions": ["rds:*"], "resources": ["*"]}
    document = plan(
        [
            change("data.aws_iam_policy_document.d", {"statement": [statement]}, mode="data"),
            change("aws_iam_role_policy.p", {"role": "r"}, {"policy": True}),
        ],
        [
            configured("data.aws_iam_policy_document.d"),
            configured(
                "aws_iam_role_policy.p",
                policy={
                    "references": [
                        "data.aws_iam_policy_document.d.json",
                        "data.aws_iam_policy_document.d",
                    ]
                },
            ),
        ],
    )
    graph = load(document)
    policy = only(graph, "iam.role_policy")
    made = graph.link(policy, "policy", "data.iam_policy_document").resource
    assert made["document"][0]["actions"] == ["rds:*"]
