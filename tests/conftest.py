"""What every test run tells at its end."""

from __future__ import annotations

from typing import Any

from tests.servers import SERVERS


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line where tests were skipped because a server is not there."""
    reasons = {str(report.longrepr) for report in terminalreporter.stats.get("skipped", ())}
    known = {**{kind: variable for kind, (variable, _) in SERVERS.items()}, "redis": "REST_KIT_REDIS_URL"}
    missing = [kind for kind in known if any(f"no {kind} server" in reason for reason in reasons)]
    if missing:
        variables = ", ".join(known[kind] for kind in missing)
        terminalreporter.write_line(f"not tested for want of a server: {', '.join(missing)} (set {variables})")
