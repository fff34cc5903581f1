"""A real session that judges the last checkpoint leaves the go-live report, and each run names its checkpoint."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from golive.model import utc_text
from tests.reports.golive.test_page import Page
from tests.sessions import Shop, file_there

SECRET = "hunter2-planted-secret"
CONTACT = {"role": "QA Lead", "name": "Ratna Wijaya", "phone": "+62215550101", "email": "qa@shop.example"}


def test_the_final_run_writes_the_report_over_the_whole_watch(tmp_path: Path) -> None:
    shop = Shop(tmp_path, {"SHOP_PASSWORD": SECRET})
    deployed_at = datetime.now(UTC) - timedelta(minutes=61)
    there = tmp_path / "there"
    there.write_text("x", encoding="utf-8")
    shop.write(
        [
            file_there("shop.files.there", there, when=["checkpoint", "golive"]),
            file_there("shop.files.gone", tmp_path / SECRET, when=["golive"], severity="critical"),
        ],
        says="The corner shop, production",
        contacts=[CONTACT],
        deployment={"version": "1.0", "deployed_at": utc_text(deployed_at)},
        databases={"main": {"url": "postgresql://shop@127.0.0.1:1/shop", "password": "${env:SHOP_PASSWORD}"}},
        watch={"schedule": ["60 min golive"], "tolerance": "15 min"},
    )
    ran = shop.run("-m", "golive")
    assert ran.code == 1, ran.out
    text = (shop.folder / "output" / "shop" / "golive.html").read_text(encoding="utf-8")
    page = Page(text)
    assert "The corner shop on shop · go-live report NO-GO" in page.text
    assert "QA Lead Ratna Wijaya +62215550101 qa@shop.example" in page.text
    assert "files at 60 min: 1 fail, 1 pass" in page.text
    assert SECRET not in text
    run_report = (ran.directory / "report.html").read_text(encoding="utf-8")
    assert "Checkpoint 60min of watch shop-" in run_report
