"""Passwords in boot scripts: what is a literal there, and what only looks like one."""

import pytest

from otherside.check.model.values import PasswordOrigin, Ref, Unknown
from otherside.check.readers.script_passwords import passwords_in_script

LITERALS = {
    "export DB_PASSWORD=hunter2\n": "DB_PASSWORD",
    'DB_PASSWORD="hunter 2"': "DB_PASSWORD",
    "docker run -e MYSQL_ROOT_PASSWORD=s3cret1 mysql": "MYSQL_ROOT_PASSWORD",
    "docker run -e 'POSTGRES_PASSWORD=x1' postgres": "POSTGRES_PASSWORD",
    'echo "DB_PASSWORD=abc" >> /etc/environment': "DB_PASSWORD",
    "PGPASSWORD=abc psql --host db": "PGPASSWORD",
    "mysql -h db -u root -pSuper1 < schema.sql": "password of mysql",
    "mysql --password=abc": "password",
    "define( 'DB_PASSWORD', 'abc' );": "DB_PASSWORD",
    '{"user": "app", "password": "abc"}': "password",
    "  password: hunter2!A\n": "password",
    "      POSTGRES_PASSWORD: 'abc'": "POSTGRES_PASSWORD",
    "      - DB_PASS=abc": "DB_PASS",
    'Environment="DB_PASSWORD=abc"': "DB_PASSWORD",
    "CREATE USER app WITH PASSWORD 'abc'": "password in SQL",
    "ALTER USER 'root'@'localhost' IDENTIFIED BY 'abc';": "password in SQL",
    "DATABASE_URL=postgres://app:abc@db/orders": "password in an address",
    "password = 'abc'": "password",
    '$env:DB_PASSWORD = "abc"': "DB_PASSWORD",
    '[Environment]::SetEnvironmentVariable("DB_PASSWORD", "abc", "Machine")': "DB_PASSWORD",
    "$dbPassword = 'abc';": "dbPassword",
    "spring.datasource.password=abc": "spring.datasource.password",
}
NONE = [
    "export DB_PASSWORD=$(aws secretsmanager get-secret-value --secret-id db)",
    'DB_PASSWORD="$FETCHED"',
    "TOKEN=`curl -X PUT http://169.254.169.254/latest/api/token`",
    "connect(password=password)",
    "connect(host=host, password=password, port=5432)",
    'password = os.environ["DB_PASSWORD"]',
    "password = data.get(key)",
    "password: password_field",
    "if password == 'none':",
    "def connect(password=None):",
    "# DB_PASSWORD=abc",
    "  // password = 'abc'",
    "PasswordAuthentication no",
    "passwd: files sss",
    "PASSWORD_FILE=/run/secrets/db",
    "DB_PASSWORD=/run/secrets/db",
    "DB_PASSWORD=changeme",
    "DB_PASSWORD={{ password }}",
    "POSTGRES_PASSWORD: ${DB}",
    "aws ecr get-login-password | docker login --username AWS --password-stdin registry",
    "mysql -u root -p < schema.sql",
    'mysql -u root -p"$PASSWORD"',
    "DATABASE_URL=postgres://app:$PASSWORD@db/orders",
    "psql postgres://db:5432/orders",
    "DB_SECRET=prod/orders",
    "password=$1",
    "ALTER USER app PASSWORD '$PASSWORD'",
]


@pytest.mark.parametrize(
    ("script", "name"), LITERALS.items(), ids=[f"literal-{n}" for n in range(len(LITERALS))]
)
def test_a_literal_is_found_by_its_name(script, name):
    """In each form in which scripts have one, and never with its value."""
    found = passwords_in_script(f"#!/bin/bash\n{script}\necho done\n")
    assert [(each, held.kept) for each, held in found.items()] == [(name, PasswordOrigin.LITERAL)]


@pytest.mark.parametrize("script", NONE, ids=[f"none-{n}" for n in range(len(NONE))])
def test_what_is_fetched_or_a_placeholder_is_no_literal(script):
    """Nor is a variable of a program, a comment, or the name of a file."""
    assert passwords_in_script(f"#!/bin/bash\n{script}\necho done\n") == {}


def test_a_script_that_is_known_in_part_is_read_in_part():
    """What deployment puts in is no literal; what stands beside it is one."""
    secret = Ref("aws_secretsmanager_secret.db", "arn")
    fetched = Unknown((secret,), ("DB_PASSWORD=", secret, "\n"))
    assert passwords_in_script(fetched) == {}
    beside = Unknown((secret,), ("SECRET=", secret, "\nDB_PASSWORD=hunter2\n"))
    assert list(passwords_in_script(beside)) == ["DB_PASSWORD"]
    either = Unknown(either=("DB_PASSWORD=hunter2", "true"))
    assert list(passwords_in_script(either)) == ["DB_PASSWORD"]
    assert passwords_in_script(Unknown()) == passwords_in_script(None) == {}
