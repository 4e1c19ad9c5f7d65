"""Settings that AWS stores and returns, and that nothing on one machine can act upon.

These operations only store what they receive, after botocore's own model has checked its shape;
`docs/guide/twin.md` lists them as refused or modelled, each with its reason.
"""

from otherside.twin.context import TwinContext
from otherside.twin.gateway.protocol import ApiCall, Params
from otherside.twin.json_types import JsonObject
from otherside.twin.services.base import ServiceProvider, api_error, operation


class BackupSettingsProvider(ServiceProvider):
    """AWS Backup's Region settings and its restore testing plans."""

    def __init__(self, context: TwinContext) -> None:
        self._context = context
        self._settings: dict[str, JsonObject] = {}
        self._plans: dict[tuple[str, str], JsonObject] = {}

    @operation("backup", "UpdateRegionSettings")
    def update_region_settings(self, call: ApiCall, params: Params) -> None:
        """Store which services AWS Backup may back up in a Region."""
        self._settings.setdefault(call.region, {}).update(params)

    @operation("backup", "DescribeRegionSettings")
    def describe_region_settings(self, call: ApiCall, _params: Params) -> JsonObject:
        """Return which services AWS Backup may back up in a Region."""
        return self._settings.get(call.region, {})

    def opted_in(self, region: str, service: str) -> bool:
        """Return whether AWS Backup may back up a service in a Region."""
        settings = self._settings.get(region, {})
        return bool(settings.get("ResourceTypeOptInPreference", {}).get(service, True))

    @operation("backup", "CreateRestoreTestingPlan")
    def create_restore_testing_plan(self, call: ApiCall, params: Params) -> JsonObject:
        """Store a restore testing plan."""
        plan = dict(params["RestoreTestingPlan"])
        name = plan["RestoreTestingPlanName"]
        if (call.region, name) in self._plans:
            raise api_error("AlreadyExistsException", f"Plan {name} already exists")
        where = f"{call.region}:{self._context.account}"
        made = {
            "RestoreTestingPlanArn": f"arn:aws:backup:{where}:restore-testing-plan:{name}",
            "RestoreTestingPlanName": name,
            "CreationTime": self._context.now_s,
        }
        self._plans[call.region, name] = {**plan, **made, "Selections": {}}
        return made

    @operation("backup", "GetRestoreTestingPlan")
    def get_restore_testing_plan(self, call: ApiCall, params: Params) -> JsonObject:
        """Return a restore testing plan."""
        return {"RestoreTestingPlan": self._plan(call, params)}

    @operation("backup", "CreateRestoreTestingSelection")
    def create_selection(self, call: ApiCall, params: Params) -> JsonObject:
        """Store what a restore testing plan restores."""
        plan = self._plan(call, params)
        given = dict(params["RestoreTestingSelection"])
        name = given["RestoreTestingSelectionName"]
        plan["Selections"][name] = given
        return {
            "CreationTime": self._context.now_s,
            "RestoreTestingPlanArn": plan["RestoreTestingPlanArn"],
            "RestoreTestingPlanName": plan["RestoreTestingPlanName"],
            "RestoreTestingSelectionName": name,
        }

    def _plan(self, call: ApiCall, params: Params) -> JsonObject:
        name = params["RestoreTestingPlanName"]
        found = self._plans.get((call.region, name))
        if found is None:
            raise api_error("ResourceNotFoundException", f"Plan {name} does not exist")
        return found
