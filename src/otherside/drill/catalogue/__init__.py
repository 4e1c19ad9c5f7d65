"""The scenario catalogue: one file per scenario, in the order in which they are listed."""

from otherside.drill.catalogue.agents_denied import SCENARIO as AGENTS_DENIED
from otherside.drill.catalogue.alarm_path_cut import SCENARIO as ALARM_PATH_CUT
from otherside.drill.catalogue.answer_lost import SCENARIO as ANSWER_LOST
from otherside.drill.catalogue.app_bug_both import SCENARIO as APP_BUG_BOTH
from otherside.drill.catalogue.app_fault_primary import SCENARIO as APP_FAULT_PRIMARY
from otherside.drill.catalogue.backed_up_meanwhile import SCENARIO as BACKED_UP_MEANWHILE
from otherside.drill.catalogue.backup_restore import SCENARIO as BACKUP_RESTORE
from otherside.drill.catalogue.blip import SCENARIO as BLIP
from otherside.drill.catalogue.break_glass import SCENARIO as BREAK_GLASS
from otherside.drill.catalogue.broken_probe import SCENARIO as BROKEN_PROBE
from otherside.drill.catalogue.control_plane_down import SCENARIO as CONTROL_PLANE_DOWN
from otherside.drill.catalogue.database_only import SCENARIO as DATABASE_ONLY
from otherside.drill.catalogue.detached_standby import SCENARIO as DETACHED_STANDBY
from otherside.drill.catalogue.duplicate_events import SCENARIO as DUPLICATE_EVENTS
from otherside.drill.catalogue.failback import SCENARIO as FAILBACK
from otherside.drill.catalogue.frozen import SCENARIO as FROZEN
from otherside.drill.catalogue.functions_killed import SCENARIO as FUNCTIONS_KILLED
from otherside.drill.catalogue.headless_standby import SCENARIO as HEADLESS_STANDBY
from otherside.drill.catalogue.held_and_ill import SCENARIO as HELD_AND_ILL
from otherside.drill.catalogue.instance_refresh import SCENARIO as INSTANCE_REFRESH
from otherside.drill.catalogue.lagging_then_lost import SCENARIO as LAGGING_THEN_LOST
from otherside.drill.catalogue.lost_region import SCENARIO as LOST_REGION
from otherside.drill.catalogue.moved_by_hand import SCENARIO as MOVED_BY_HAND
from otherside.drill.catalogue.replication_cut import SCENARIO as REPLICATION_CUT
from otherside.drill.catalogue.returns_mid_promotion import SCENARIO as RETURNS_MID_PROMOTION
from otherside.drill.catalogue.rotation_meanwhile import SCENARIO as ROTATION_MEANWHILE
from otherside.drill.catalogue.standby_isolated import SCENARIO as STANDBY_ISOLATED
from otherside.drill.catalogue.standby_lost import SCENARIO as STANDBY_LOST
from otherside.drill.catalogue.standby_too_small import SCENARIO as STANDBY_TOO_SMALL
from otherside.drill.catalogue.store_unreachable import SCENARIO as STORE_UNREACHABLE
from otherside.drill.catalogue.switchover import SCENARIO as SWITCHOVER
from otherside.drill.catalogue.table_lost import SCENARIO as TABLE_LOST
from otherside.drill.catalogue.version_skew import SCENARIO as VERSION_SKEW
from otherside.drill.catalogue.witness_lost import SCENARIO as WITNESS_LOST
from otherside.drill.scenario import Scenario

CATALOGUE: tuple[Scenario, ...] = (
    LOST_REGION,
    RETURNS_MID_PROMOTION,
    DATABASE_ONLY,
    FUNCTIONS_KILLED,
    ANSWER_LOST,
    DUPLICATE_EVENTS,
    ALARM_PATH_CUT,
    CONTROL_PLANE_DOWN,
    ROTATION_MEANWHILE,
    STANDBY_TOO_SMALL,
    LAGGING_THEN_LOST,
    MOVED_BY_HAND,
    FROZEN,
    HEADLESS_STANDBY,
    VERSION_SKEW,
    APP_FAULT_PRIMARY,
    APP_BUG_BOTH,
    BLIP,
    REPLICATION_CUT,
    BROKEN_PROBE,
    WITNESS_LOST,
    STANDBY_ISOLATED,
    STANDBY_LOST,
    STORE_UNREACHABLE,
    SWITCHOVER,
    FAILBACK,
    BACKUP_RESTORE,
    INSTANCE_REFRESH,
    BACKED_UP_MEANWHILE,
    AGENTS_DENIED,
    TABLE_LOST,
    DETACHED_STANDBY,
    HELD_AND_ILL,
    BREAK_GLASS,
)
