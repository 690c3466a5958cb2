"""Running checks: each on what it looks at, with the severity that the policy gives; it knows no check by its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from numbers import Real
from typing import TYPE_CHECKING, Any, get_args

from meshguard.checks.plugins import Failure
from meshguard.checks.subjects import SUBJECTS
from meshguard.errors import BudgetExceeded
from meshguard.outcome import NOT_FIXABLE, REMEDIES
from meshguard.report import Element, Finding, Outcome, Safety, Severity, Status

if TYPE_CHECKING:
    from meshguard.checks.registry import Check
    from meshguard.policy import Policy


def ignore_reason(check: Check, policy: Policy) -> str:
    """The reason of the longest matching ignore; "" where there is none."""
    keys = [key for key in policy.ignore if check.id.startswith(key)]
    return policy.ignore[max(keys, key=len)] if keys else ""


def is_left_out(check: Check, policy: Policy) -> bool:
    """Whether the policy leaves a check out: what it requires is checked even where it selects other checks."""
    is_ignored = any(check.id.startswith(key) for key in policy.ignore)
    is_required = check.required_by is not None and check.required_by(policy) and not is_ignored
    return not (is_required or policy.selects(check.id))


def outcome(check: Check, found: list[Finding] | str) -> Outcome:
    """What became of a check that found this, or did not run for this reason."""
    if isinstance(found, str):
        return Outcome(status=Status.SKIPPED, reason=found, title=check.title)
    if not found:
        return Outcome(status=Status.PASSED, title=check.title)
    return Outcome(
        status=Status.FAILED,
        findings=len(found),
        severity=max(finding.severity for finding in found),
        title=check.title,
        explanation=" ".join(check.explanation.split()),
        remedies=dict(sorted(_remedy(check, finding) for finding in found)),
    )


def _remedy(check: Check, finding: Finding) -> tuple[str, str]:
    """What a finding's repair would do, and what would fix it: where repair does nothing, what its check says."""
    key = NOT_FIXABLE if finding.fixable is None else finding.fixable.value
    return key, check.remedy if key == NOT_FIXABLE and check.remedy is not None else REMEDIES[key]


def skip_reason(check: Check, subject: Any, policy: Policy) -> str | None:
    """Why a check does not run, in a sentence; None where it does."""
    if is_left_out(check, policy):
        why = ignore_reason(check, policy)
        return f"The policy leaves this check out{f': {why}' if why else ''}."
    conditions = SUBJECTS[check.looks_at].conditions
    for need in check.needs:
        reason = conditions[need](subject)
        if reason is not None:
            return reason
    return check.skips(policy) if check.skips is not None else None


def findings(check: Check, subjects: Mapping[str, Any], policy: Policy) -> list[Finding] | str:
    """What a check finds, with the severity that the policy gives it, if it does; or why it does not run."""
    subject = subjects[check.looks_at]
    reason = skip_reason(check, subject, policy)
    if reason is not None:
        return reason
    severity = None if check.weighs_classes else policy.severity_of(check.id)
    found = check.run(subject)
    return list(found) if severity is None else [replace(finding, severity=severity) for finding in found]


def plugin_findings(
    check: Check, plugin: str, subjects: Mapping[str, Any], policy: Policy
) -> list[Finding] | str | Failure:
    """What a check of another package finds, or why it does not run, or how it failed."""
    try:
        found = findings(check, subjects, policy)
    except BudgetExceeded:
        raise  # it ends the call, whoever noticed it
    except (Exception, SystemExit) as error:  # noqa: BLE001 (whatever another package raises)
        return Failure(plugin=plugin, what=f"failed in check {check.id} ({type(error).__name__})")
    if isinstance(found, str) or all(_is_a_finding(item, check.id) for item in found):
        return found
    return Failure(plugin=plugin, what=f"returned something other than its own findings from check {check.id}")


def _is_a_finding(found: object, check: str) -> bool:
    """Whether something is a finding of this check with all parts of the kinds that a report can hold."""
    return (
        isinstance(found, Finding)
        and found.check == check
        and isinstance(found.severity, Severity)
        and isinstance(found.message, str)
        and found.element in get_args(Element)
        and isinstance(found.measures, Mapping)
        and all(isinstance(name, str) and isinstance(value, Real) for name, value in found.measures.items())
        and isinstance(found.limit, str | None)
        and isinstance(found.tooth, int | None)
        and isinstance(found.fixable, Safety | None)
        and isinstance(found.fingerprint, str)
        and re.fullmatch("[0-9a-f]{16}", found.fingerprint) is not None
    )
