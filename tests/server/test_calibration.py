"""What scans are weighed by, over HTTP: told, and no answer given again that another calibration weighed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from calibration.calibrations import local
from touchstone.calibration.in_force import InForce


async def test_an_answer_by_another_calibration_is_not_given(serving: Any) -> None:
    own = local()
    in_force = [InForce()]
    async with serving(calibration=lambda: in_force[0]) as served:
        first = await served.ask()
        await served.done(first["id"])
        in_force[0] = InForce(own.id, own)
        second = await served.ask()
        assert second["id"] != first["id"]
        await served.done(second["id"])
        assert (await served.ask())["id"] == second["id"]
        in_force[0] = InForce()
        assert (await served.ask())["id"] == first["id"]


@pytest.mark.parametrize(
    ("in_force", "told"),
    [
        (None, {"in_force": "shipped", "chosen": "shipped", "refused": None, "changes": []}),
        (
            InForce(local().id, local(), page=Path("/x/report.html")),
            {
                "in_force": local().id,
                "changes": ["visible_marks: clip"],
                "sources": {"real": 60, "cgi": 1, "generated": 0, "marked": 12},
                "report": str(Path("/x/report.html")),
            },
        ),
        (
            InForce("2026-01-01-00000000", refused="it was edited"),
            {"in_force": "shipped", "chosen": "2026-01-01-00000000", "refused": "it was edited"},
        ),
    ],
)
async def test_what_scans_are_weighed_by_is_told(
    serving: Any, in_force: InForce | None, told: dict[str, Any]
) -> None:
    async with (
        serving(calibration=(lambda: in_force) if in_force else None) as served,
        served.client.get("/v1/calibration") as response,
    ):
        assert response.status == 200
        answer = await response.json()
        assert {key: answer[key] for key in told} == told
        if answer["marks"]:
            (mark,) = answer["marks"]
            assert (mark["outcome"], round(mark["false_at_most"], 2)) == ("refuted", 0.3)
