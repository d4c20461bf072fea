"""The page on S3, against a server that imitates AWS."""

from __future__ import annotations

import pytest

from tests.integration.pages import ROOT, furnish, run_page

pytestmark = pytest.mark.integration


def test_every_block_of_the_s3_page_ends_as_the_page_says(tmp_path, moto_server):
    furnish(tmp_path)
    for bucket in ("my-training-data-bucket", "my-training-results-bucket"):
        moto_server.client().create_bucket(Bucket=bucket)
    environment = moto_server.environment | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    run_page(ROOT / "docs/how-to/s3.md", tmp_path, env=environment)
