"""What is known of AWS is read once, and only what somebody asks for."""

import pytest
from moto.ec2.models import instance_types
from moto.utilities.utils import load_resource

from otherside.twin.host.sdk_preload import OFFERINGS, Offerings, defer_offerings


def test_a_regions_offerings_are_read_when_they_are_asked_for():
    """As moto has them, and nothing of another Region."""
    read = []
    known = Offerings("region", lambda path: read.append(path) or load_resource(path))
    assert known.get("us-east-2") == known["us-east-2"]
    assert read == [f"{OFFERINGS}/region/us-east-2.json"]
    assert {item["LocationType"] for item in known["us-east-2"]} == {"region"}
    assert {item["Location"] for item in known["us-east-2"]} == {"us-east-2"}
    assert known.get("mars-north-1", []) == []
    with pytest.raises(KeyError, match="mars-north-1"):
        known["mars-north-1"]


def test_moto_answers_as_before(monkeypatch):
    """Every kind of place, of every Region that it knows."""
    backup_settings = dict(instance_types.INSTANCE_TYPE_OFFERINGS)
    monkeypatch.setattr(instance_types, "INSTANCE_TYPE_OFFERINGS", backup_settings)
    defer_offerings()
    assert set(backup_settings) == {"region", "availability-zone", "availability-zone-id"}
    for kind, found in backup_settings.items():
        path = f"{OFFERINGS}/{kind}/eu-west-1.json"
        assert found["eu-west-1"] == [
            {**item, "LocationType": kind} for item in load_resource(path)
        ]
