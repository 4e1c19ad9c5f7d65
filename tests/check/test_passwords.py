"""What is a password and what is not: two hundred of each, and each reason."""

import random
import string

import pytest

from otherside.check.model.schema import kinds
from otherside.check.model.values import Password, PasswordOrigin, Ref, Unknown
from otherside.check.readers.normalize import (
    Dialect,
    attributes_of,
    pulumi_path,
    terraform_path,
)
from otherside.check.readers.passwords import (
    Parameter,
    holds_secret,
    is_secret_name,
    looks_like_password,
    password,
    secret_text,
)

WRITTEN = [
    *(
        "Hunter22222!",
        "hunter2hunter2",
        "MySecurePassword123!",
        "P@ssw0rd",
        "password1",
        "Passw0rd1",
    ),
    *("letmein123", "qwerty12345", "S3cr3tKey!", "Tr0ub4dor&3", "correct4Horse", "admin1234"),
    *(
        "root1234",
        "Welcome2024!",
        "Summer2023#",
        "Zx9$kLm2",
        "a1b2c3d4e5",
        "ABCD1234efgh",
        "p4ssphrase",
    ),
    *("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AKIAIOSFODNN7EXAMPLE"),
    *("postgres://app:Sup3rS3cret@db.example.com:5432/orders", "amqp://guest:guest1@mq:5672"),
    *("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "xoxb-123456789012-abcdef"),
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    *("5f4dcc3b5aa765d61d8327deb882cf99", "dGhpcyBpcyBhIHNlY3JldCBrZXkgMTIz", "Kd83jsLq02mZ"),
]
NAMES = [
    *("orders-table", "orders", "primary", "app/config", "us-east-1", "eu-west-2a", "db_name"),
    *("my-bucket-name", "prod.orders.internal", "orders.example.com", "db.example.com:5432"),
    *("https://api.example.com/v1", "s3://bucket/key", "/var/log/app", "arn:aws:s3:::bucket"),
    *("10.0.0.1", "10.0.0.0/16", "5432", "v1.2.3", "17.9", "true", "enabled", "PostgreSQL"),
    *("vpc-0a1b2c3d4e5f", "sg-12345678", "ami-0abcdef1234567890", "i-0123456789abcdef0"),
    *("123e4567-e89b-12d3-a456-426614174000", "ops@example.com", "Europe/Berlin", "sha256"),
    *("changeme", "change-me", "CHANGE_ME", "ChangeMe123!", "REPLACE_ME", "replace-this", "TODO"),
    *(
        "placeholder",
        "PLACEHOLDER_1",
        "dummy-value-1",
        "<password>",
        "${password}",
        "{{ password }}",
    ),
    *("to-be-set", "set-me-later", "your-password-here", "xxxxxxxx", "********", "initial-value"),
    *("managed-by-rotation", "ignored", "null", "none", "N/A", "bootstrap1", "empty", "tbd"),
    *("camelCaseName", "orderService", "OrdersQueue", "two words here", "a sentence with 1 number"),
    *(
        "orders-prod-us-east-2",
        "team_payments",
        "feature.flag.on",
        "aurora-postgresql",
        "webserver1",
    ),
]
_WORDS = (
    "orders",
    "payments",
    "primary",
    "standby",
    "table",
    "queue",
    "prod",
    "cache",
    "user",
    "api",
)


def drawn_passwords(count):
    """Return passwords as generators make them: letters, digits, and often symbols."""
    random_ = random.Random(1)
    symbols = "!#$%&*+?@^"
    found = []
    for number in range(count):
        kinds = string.ascii_letters + string.digits + (symbols if number % 2 else "")
        text = "".join(random_.choices(kinds, k=random_.choice((12, 16, 24, 32, 40))))
        found.append(f"{text}a7Z")
    return found


def drawn_names(count):
    """Return names as people make them: words that are joined, a number at times."""
    random_ = random.Random(2)
    found = []
    for number in range(count):
        words = random_.choices(_WORDS, k=random_.choice((1, 2, 3)))
        joint = random_.choice("-_./")
        found.append(joint.join([*words, *((str(number),) if number % 3 == 0 else ())]))
    return found


PASSWORDS = [*WRITTEN, *drawn_passwords(200 - len(WRITTEN))]
OTHERS = [*NAMES, *drawn_names(200 - len(NAMES))]


def test_two_hundred_passwords_are_told():
    """Written by people, and drawn."""
    assert len(PASSWORDS) == 200
    assert [text for text in PASSWORDS if not looks_like_password(text)] == []


def test_two_hundred_others_are_not():
    """Names, places, identifiers, placeholders."""
    assert len(OTHERS) == 200
    assert [text for text in OTHERS if looks_like_password(text)] == []


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("orders-table", None),
        ("Hunter22222!", PasswordOrigin.LITERAL),
        ('{"password": "orders"}', PasswordOrigin.LITERAL),  # by its name, whatever its form
        ('{"table": "Hunter22222!"}', None),
        ('{"password": "{{resolve:secretsmanager:other}}"}', PasswordOrigin.GIVEN),
        ('{"password": "{{resolve:ssm:/plain}}"}', PasswordOrigin.PLAIN),
        (
            '{"username": "{{resolve:ssm:/u}}", "password": "{{resolve:secretsmanager:o}}"}',
            PasswordOrigin.GIVEN,
        ),
        (
            '{ "password": "Hunter22222!", "api_key": "{{resolve:secretsmanager:o}}" }',
            PasswordOrigin.LITERAL,
        ),
        ("{{resolve:secretsmanager:other}}", PasswordOrigin.GIVEN),
        ("{{resolve:ssm:/plain}}", PasswordOrigin.PLAIN),
        ("****", PasswordOrigin.HIDDEN),
    ],
)
def test_a_secret_s_text_is_judged_by_name_and_form(text, kept):
    """A secret may hold anything; a password property holds a password, whatever it says."""
    found = secret_text(text)
    assert (found and found.kept) == kept
    assert password("orders").kept is PasswordOrigin.LITERAL


DEFAULT = Parameter("Hunter22222!", "var.pw", defaulted=True)
GIVEN = Unknown((Ref("data.x", "password"),))


@pytest.mark.parametrize(
    ("either", "kept"),
    [
        ((GIVEN, "Hunter22222!"), PasswordOrigin.LITERAL),
        ((GIVEN, DEFAULT), PasswordOrigin.DEFAULT),
        ((GIVEN, GIVEN), PasswordOrigin.GIVEN),
        ((GIVEN, ""), PasswordOrigin.GIVEN),
        ((GIVEN, Password(PasswordOrigin.PLAIN, "x")), PasswordOrigin.PLAIN),
        ((GIVEN, Unknown(either=("Hunter22222!",))), PasswordOrigin.LITERAL),
    ],
)
def test_the_worst_of_what_a_value_may_be_counts(either, kept):
    """A condition's other branch, a default, one inside the other."""
    assert password(Unknown(GIVEN.refs, either=either)).kept is kept


def test_a_document_that_is_partly_known_is_read_for_a_literal():
    """A reference in the place of the password is none."""
    start = '{"host":"'
    given = Unknown(
        GIVEN.refs, (start, GIVEN.refs[0], '","password":"{{resolve:secretsmanager:o}}"}')
    )
    assert password(given).kept is PasswordOrigin.GIVEN
    literal = Unknown(GIVEN.refs, (start, GIVEN.refs[0], '","password":"orders"}'))
    assert password(literal).kept is PasswordOrigin.LITERAL


@pytest.mark.parametrize(
    ("name", "value", "holds"),
    [
        ("DB_PASSWORD", "x", True),
        ("DB_PWD", "x", True),
        ("API_KEY", "x", True),
        ("GITHUB_TOKEN", "x", True),
        ("PASSWORD_LENGTH", 40, False),
        ("SECRET_ARN", "arn:aws:x", False),
        ("APP_SECRET", "prod/orders/db", False),
        ("TABLE", "Hunter22222!", False),
    ],
)
def test_a_variable_holds_a_secret_by_its_name(name, value, holds):
    """Unless it says where the secret is, or how long."""
    assert holds_secret(name, value) is holds


@pytest.mark.parametrize(
    ("dialect", "raw"),
    [
        (terraform_path, {"master_password_wo": "hunter2hunter2"}),
        (pulumi_path, {"masterPasswordWo": "hunter2hunter2"}),
    ],
)
def test_a_literal_in_a_write_only_argument_is_as_readable_in_the_code(dialect, raw):
    """No state holds it; the source does, and the argument itself wins where both are given."""
    kind = kinds()["rds.cluster"]
    shaped = attributes_of(raw, kind.attributes, Dialect("d", dialect, lambda _: None))
    assert shaped["master_password"] == Password(PasswordOrigin.LITERAL)


@pytest.mark.parametrize(
    "name",
    ["DB_PASSWORD_PARAM", "DB_SECRET_REF", "SECRET_URI", "DB_SECRET_ALIAS"],
)
def test_a_name_that_says_where_the_secret_is_holds_none(name):
    """The place of a password is no password, whatever it looks like."""
    assert not is_secret_name(name)


@pytest.mark.parametrize("name", ["API_KEY", "SECRET_ACCESS_KEY", "DB_PASSWORD", "AUTH_TOKEN"])
def test_a_name_that_says_the_secret_itself_holds_one(name):
    """A key of an interface is one."""
    assert is_secret_name(name)


@pytest.mark.parametrize(
    ("name", "default", "kept"),
    [
        ("var.db_host", "db.example.com", None),
        ("var.table", "orders", None),
        ("var.later_password", "CHANGE_ME", None),
        ("var.pwd", "correcthorse", PasswordOrigin.DEFAULT),
        ("Anything", "MySecurePassword123!", PasswordOrigin.DEFAULT),
        ("Document", '{"username": "app", "password": "battery"}', PasswordOrigin.DEFAULT),
        ("Document", '{"host": "db.example.com"}', None),
    ],
)
def test_a_default_in_a_secret_is_judged_by_name_and_form(name, default, kept):
    """A secret may hold an endpoint, and that may have a default."""
    found = secret_text(Parameter(default, name, defaulted=True))
    assert (found and found.kept) is kept
