"""Gathers what a bundle proves: from the state, the last verdicts, git and the region's own records."""

import json
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import yaml

import catalog
from cli import records
from cli.errors import CliError
from cli.project import Project
from cli.pulumi_engine import Engine
from cli.session import Session
from policies.edges import GRAPH
from sandbox.engine import StateFile
from verifier.broker.service import token_keys
from verifier.evidence import BundleInputs, collect

STACK_TYPE = "pulumi:pulumi:Stack"


def gather(session: Session) -> BundleInputs:
    """The inputs of a bundle. Raises `CliError` where the stack has not been deployed."""
    project, stack, spec = session.project, session.stack, session.spec
    verdicts = records.load_verdicts(project, stack)
    resources = _resources(session, verdicts["engine"])
    outputs: dict[str, Any] = next(resource["outputs"] for resource in resources if resource["type"] == STACK_TYPE)
    custody = session.region.custody
    return BundleInputs(
        stack=stack,
        engine=verdicts["engine"],
        created_at=datetime.now(UTC),
        commit=_commit(project),
        config=yaml.safe_load(project.stack_file(stack).read_text(encoding="utf-8"))["config"],
        resources=[_resource(resource) for resource in resources],
        verdicts=verdicts["verdicts"],
        jurisdiction=spec.jurisdiction,
        inside=_inside(spec.jurisdiction),
        dependencies=outputs[GRAPH],
        configurations=session.region.verifier_configurations(),
        token_keys=token_keys(custody.keystore),
        keystore={"is_hsm": custody.keystore.is_hsm, "description": custody.keystore.describe()},
        sandbox_root=session.region.hardware_root(),
        **collect(custody.log),
    )


def _resources(session: Session, engine: str) -> list[dict[str, Any]]:
    """The deployed resources as the engine's checkpoint has them."""
    if engine == Engine.PULUMI:
        with session.pulumi_engine() as pulumi:
            document = json.loads(pulumi.export())
    else:
        state = StateFile(session.project.state_file(session.stack), session.project.passphrase())
        document = state.export()
    resources: list[dict[str, Any]] = document["deployment"].get("resources") or []
    if not resources:
        raise CliError(f"{session.stack} has no resources: run `bailiwick up {session.stack}` first")
    return resources


def _resource(resource: Mapping[str, Any]) -> dict[str, Any]:
    urn = resource["urn"]
    return {
        "urn": urn,
        "type": resource["type"],
        "name": urn.rsplit("::", 1)[-1],
        "parent": resource.get("parent", ""),
        "inputs": resource.get("inputs", {}),
    }


def _inside(jurisdiction: str) -> list[str]:
    facts = catalog.load()
    return [name for name in facts.jurisdictions if facts.within(name, jurisdiction)]


def _commit(project: Project) -> dict[str, Any] | None:
    """The commit of the program, and whether files differ from it; None outside of git."""
    try:
        sha = _git(project, "rev-parse", "HEAD").strip()
        return {"sha": sha, "dirty": bool(_git(project, "status", "--porcelain", "--untracked-files=no").strip())}
    except (OSError, subprocess.CalledProcessError):
        return None


def _git(project: Project, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=project.root, capture_output=True, text=True, check=True)  # noqa: S607
    return done.stdout
