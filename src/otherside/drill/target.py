"""The target of a drill: project, Regions by side, public name and objectives."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from otherside.config import ConfigError, read_config, read_workload
from otherside.core.topology import Topology
from otherside.drill.recording import JOURNAL
from otherside.drill.workload import ConfiguredWorkload, Workload
from otherside.program.project import ProgramError, Project, read_project

DESIGN = "otherside.toml"
SOURCES = frozenset({".py", ".toml", ".yaml", ".yml", ".sh", ".json"})
"""File types that determine what a project deploys."""
NOT_SOURCES = frozenset({"__pycache__", "drills", "node_modules", "venv"})
"""Directories of a project that hold no source, besides every hidden one."""


class TargetError(Exception):
    """The target cannot be drilled; the message names the file and the cause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillTarget:
    """One stack to drill."""

    project: Project
    place: str
    """The project's directory, as given."""
    regions: Mapping[str, str]
    """`primary`, `standby` and `witness`."""
    host: str
    protocol: str
    """`http` or `https`."""
    rto_s: float
    rpo_s: float
    topology: Topology
    workload: Workload = field(default_factory=Workload)
    """What the clients ask, and how its answers prove what was kept."""

    @property
    def digest(self) -> str:
        """The SHA-256 of the project's source files, in hex, which identifies its version."""
        whole = hashlib.sha256()
        root = self.project.main.parent
        for file in _sources(root):
            whole.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes())
        return whole.hexdigest()

    @property
    def prefix(self) -> str:
        """The prefix of every name in the stack."""
        return self.topology.prefix

    def side_of(self, region: str) -> str | None:
        """Return the side of a Region, or `None` if it is on neither side."""
        return next(
            (side for side, other_region in self.regions.items() if other_region == region), None
        )


def _sources(root: Path) -> list[Path]:
    """Return a project's source files; what its tools and earlier drills left there is none."""
    found = []
    for place, directories, files in os.walk(root):
        directories[:] = [
            name for name in directories if not name.startswith(".") and name not in NOT_SOURCES
        ]
        if JOURNAL in files:
            directories.clear()
            continue
        found += [Path(place, name) for name in files if Path(name).suffix in SOURCES]
    return sorted(found)


def read_target(directory: Path, stack_name: str | None = None) -> DrillTarget:
    """Read the project in a directory and the configuration file beside its program.

    Raises:
        TargetError: If either is missing or cannot be read.
    """
    try:
        project = read_project(directory, stack_name)
        design = project.main.parent / DESIGN
        if not design.exists():
            msg = f"{design}: no such file; a drill reads the role of each Region from it"
            raise TargetError(msg)
        topology = read_config(design)
        workload = ConfiguredWorkload.of(read_workload(design))
    except (ProgramError, ConfigError) as error:
        raise TargetError(str(error)) from None
    regions = topology.regions
    return DrillTarget(
        project=project,
        place=str(directory),
        regions={
            "primary": regions.primary,
            "standby": regions.standby,
            "witness": regions.witness,
        },
        host=topology.traffic.domain,
        protocol=str(topology.traffic.protocol),
        rto_s=topology.objectives.rto_s,
        rpo_s=topology.objectives.rpo_s,
        topology=topology,
        workload=workload,
    )
