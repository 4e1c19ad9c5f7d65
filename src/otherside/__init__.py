"""Multi-region disaster recovery for AWS that never forgets the other side.

This module is the public API: whatever it exports is stable within a minor version, and everything
else may move. Each name is loaded when it is first used, so that `import otherside` needs no extra;
a name whose extra is not installed raises an `ImportError` that names the extra.
"""

from typing import TYPE_CHECKING

from otherside.version import __version__ as __version__

if TYPE_CHECKING:
    from otherside.check.api import CheckConfig as CheckConfig
    from otherside.check.api import CheckResult as CheckResult
    from otherside.check.api import Finding as Finding
    from otherside.check.api import InputError as InputError
    from otherside.check.api import check_paths as check_paths
    from otherside.check.policy_pack import policy_pack as policy_pack
    from otherside.components.alert_topic import AlertTopic as AlertTopic
    from otherside.components.alert_topic import AlertTopicArgs as AlertTopicArgs
    from otherside.components.app_tier import AppTier as AppTier
    from otherside.components.app_tier import AppTierArgs as AppTierArgs
    from otherside.components.backups import Backups as Backups
    from otherside.components.backups import BackupsArgs as BackupsArgs
    from otherside.components.backups import BackupSideArgs as BackupSideArgs
    from otherside.components.bucket import PrivateBucket as PrivateBucket
    from otherside.components.bucket import PrivateBucketArgs as PrivateBucketArgs
    from otherside.components.dead_letters import DeadLetters as DeadLetters
    from otherside.components.dead_letters import DeadLettersArgs as DeadLettersArgs
    from otherside.components.disaster_recovery import DisasterRecovery as DisasterRecovery
    from otherside.components.disaster_recovery import DisasterRecoveryArgs as DisasterRecoveryArgs
    from otherside.components.domain import Domain as Domain
    from otherside.components.domain import DomainArgs as DomainArgs
    from otherside.components.failover_orchestrator import (
        FailoverOrchestrator as FailoverOrchestrator,
    )
    from otherside.components.failover_orchestrator import (
        FailoverOrchestratorArgs as FailoverOrchestratorArgs,
    )
    from otherside.components.failover_orchestrator import OrchestratedArgs as OrchestratedArgs
    from otherside.components.failover_traffic import FailoverTraffic as FailoverTraffic
    from otherside.components.failover_traffic import FailoverTrafficArgs as FailoverTrafficArgs
    from otherside.components.function import Function as Function
    from otherside.components.function import FunctionArgs as FunctionArgs
    from otherside.components.keys import Keys as Keys
    from otherside.components.keys import KeysArgs as KeysArgs
    from otherside.components.keys import Purpose as Purpose
    from otherside.components.network import RegionalNetwork as RegionalNetwork
    from otherside.components.network import RegionalNetworkArgs as RegionalNetworkArgs
    from otherside.components.network import Vpc as Vpc
    from otherside.components.observability import Observability as Observability
    from otherside.components.observability import ObservabilityArgs as ObservabilityArgs
    from otherside.components.peering import Peering as Peering
    from otherside.components.peering import PeeringArgs as PeeringArgs
    from otherside.components.replicated_bucket import ReplicatedBucket as ReplicatedBucket
    from otherside.components.replicated_bucket import ReplicatedBucketArgs as ReplicatedBucketArgs
    from otherside.components.replicated_database import Member as Member
    from otherside.components.replicated_database import MemberArgs as MemberArgs
    from otherside.components.replicated_database import ReplicatedDatabase as ReplicatedDatabase
    from otherside.components.replicated_database import (
        ReplicatedDatabaseArgs as ReplicatedDatabaseArgs,
    )
    from otherside.components.secrets import Published as Published
    from otherside.components.secrets import Secrets as Secrets
    from otherside.components.secrets import SecretsArgs as SecretsArgs
    from otherside.components.sites import Site as Site
    from otherside.components.sites import Sites as Sites
    from otherside.components.tables import SessionTable as SessionTable
    from otherside.components.tables import StateTable as StateTable
    from otherside.components.tables import StateTableArgs as StateTableArgs
    from otherside.components.tables import TableArgs as TableArgs
    from otherside.components.witness_canary import WitnessCanary as WitnessCanary
    from otherside.components.witness_canary import WitnessCanaryArgs as WitnessCanaryArgs
    from otherside.config import ConfigError as ConfigError
    from otherside.config import Problem as Problem
    from otherside.config import read_config as read_config
    from otherside.core.topology import Backup as Backup
    from otherside.core.topology import Capacity as Capacity
    from otherside.core.topology import Compute as Compute
    from otherside.core.topology import Database as Database
    from otherside.core.topology import Failover as Failover
    from otherside.core.topology import FailoverMode as FailoverMode
    from otherside.core.topology import Network as Network
    from otherside.core.topology import Objectives as Objectives
    from otherside.core.topology import Pair as Pair
    from otherside.core.topology import Protocol as Protocol
    from otherside.core.topology import Regions as Regions
    from otherside.core.topology import Retention as Retention
    from otherside.core.topology import Serverless as Serverless
    from otherside.core.topology import Side as Side
    from otherside.core.topology import Topology as Topology
    from otherside.core.topology import Traffic as Traffic
    from otherside.drill import actions as actions
    from otherside.drill import assertions as assertions
    from otherside.drill import conditions as conditions
    from otherside.drill.catalogue import CATALOGUE as CATALOGUE
    from otherside.drill.scenario import Scenario as Scenario
    from otherside.drill.scenario import Step as Step
    from otherside.drill.suite import SuiteOptions as SuiteOptions
    from otherside.drill.suite import SuiteResult as SuiteResult
    from otherside.drill.suite import run_suite as run_suite
    from otherside.drill.suite import simulated as simulated
    from otherside.drill.target import DrillTarget as DrillTarget
    from otherside.drill.target import TargetError as TargetError
    from otherside.drill.target import read_target as read_target
    from otherside.program.program_error import ProgramError as ProgramError
    from otherside.program.project import Project as Project
    from otherside.program.project import read_project as read_project
    from otherside.twin.twin import Twin as Twin
    from otherside.twin.twin import TwinError as TwinError
    from otherside.twin.twin import TwinSettings as TwinSettings

_EXPORTS = {
    # module: (names, the extra that it needs)
    "otherside.components.alert_topic": (("AlertTopicArgs", "AlertTopic"), "infra"),
    "otherside.components.app_tier": (("AppTierArgs", "AppTier"), "infra"),
    "otherside.components.backups": (("BackupSideArgs", "BackupsArgs", "Backups"), "infra"),
    "otherside.components.bucket": (("PrivateBucketArgs", "PrivateBucket"), "infra"),
    "otherside.components.dead_letters": (("DeadLettersArgs", "DeadLetters"), "infra"),
    "otherside.components.disaster_recovery": (
        ("DisasterRecoveryArgs", "DisasterRecovery"),
        "infra",
    ),
    "otherside.components.domain": (("DomainArgs", "Domain"), "infra"),
    "otherside.components.failover_orchestrator": (
        ("OrchestratedArgs", "FailoverOrchestratorArgs", "FailoverOrchestrator"),
        "infra",
    ),
    "otherside.components.failover_traffic": (("FailoverTrafficArgs", "FailoverTraffic"), "infra"),
    "otherside.components.function": (("FunctionArgs", "Function"), "infra"),
    "otherside.components.keys": (("Purpose", "KeysArgs", "Keys"), "infra"),
    "otherside.components.network": (("Vpc", "RegionalNetworkArgs", "RegionalNetwork"), "infra"),
    "otherside.components.observability": (("ObservabilityArgs", "Observability"), "infra"),
    "otherside.components.peering": (("PeeringArgs", "Peering"), "infra"),
    "otherside.components.replicated_bucket": (
        ("ReplicatedBucketArgs", "ReplicatedBucket"),
        "infra",
    ),
    "otherside.components.replicated_database": (
        ("MemberArgs", "ReplicatedDatabaseArgs", "ReplicatedDatabase", "Member"),
        "infra",
    ),
    "otherside.components.secrets": (("SecretsArgs", "Published", "Secrets"), "infra"),
    "otherside.components.sites": (("Site", "Sites"), "infra"),
    "otherside.components.tables": (
        ("TableArgs", "StateTableArgs", "SessionTable", "StateTable"),
        "infra",
    ),
    "otherside.components.witness_canary": (("WitnessCanaryArgs", "WitnessCanary"), "infra"),
    "otherside.core.topology": (
        (
            "Topology",
            "Regions",
            "Network",
            "Database",
            "Serverless",
            "Capacity",
            "Compute",
            "Traffic",
            "Objectives",
            "Failover",
            "FailoverMode",
            "Backup",
            "Retention",
            "Protocol",
            "Side",
            "Pair",
        ),
        "",
    ),
    "otherside.config": (("ConfigError", "Problem", "read_config"), ""),
    "otherside.check.api": (
        ("CheckConfig", "CheckResult", "Finding", "InputError", "check_paths"),
        "",
    ),
    "otherside.check.policy_pack": (("policy_pack",), "policy"),
    "otherside.program.project": (("Project", "read_project"), "infra"),
    "otherside.program.program_error": (("ProgramError",), "infra"),
    "otherside.twin.twin": (("Twin", "TwinError", "TwinSettings"), "twin"),
    "otherside.drill.scenario": (("Scenario", "Step"), "drill"),
    "otherside.drill.catalogue": (("CATALOGUE",), "drill"),
    # a module of these is the name itself
    "otherside.drill.actions": (("actions",), "drill"),
    "otherside.drill.assertions": (("assertions",), "drill"),
    "otherside.drill.conditions": (("conditions",), "drill"),
    "otherside.drill.suite": (("SuiteOptions", "SuiteResult", "run_suite", "simulated"), "drill"),
    "otherside.drill.target": (("DrillTarget", "TargetError", "read_target"), "drill"),
}
_MODULE_OF = {
    name: (module, extra) for module, (names, extra) in _EXPORTS.items() for name in names
}

__all__ = ["__version__", *_MODULE_OF]  # noqa: PLE0604 - the names are in the table above


def __getattr__(name: str) -> object:
    """Load a public name.

    Raises:
        AttributeError: If there is no such name.
        ImportError: If the extra that it needs is not installed.
    """
    import importlib  # noqa: PLC0415 - this module is in the Lambda bundle too, and stays small

    try:
        module, extra = _MODULE_OF[name]
    except KeyError:
        msg = f"module 'otherside' has no attribute {name!r}"
        raise AttributeError(msg) from None
    try:
        found = importlib.import_module(module)
        whole = module.endswith(f".{name}") and not hasattr(found, name)  # a module is exported
        return found if whole else getattr(found, name)
    except ModuleNotFoundError as missing:
        if not extra or str(missing.name).startswith("otherside"):
            raise
        from otherside.extras import needs  # noqa: PLC0415 - as above

        raise ImportError(needs(f"otherside.{name}", missing.name, extra)) from missing


def __dir__() -> list[str]:
    return sorted(__all__)
