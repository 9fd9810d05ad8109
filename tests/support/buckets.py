"""A server of S3 on this machine, with a bucket, and what the environment of a command has to say to reach it."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from moto.server import ThreadedMotoServer

BUCKET = "logs"


class Bucket:
    """A bucket of the server: `store` reaches it, `environment` is how others do."""

    def __init__(self, port: int) -> None:
        from obstore.store import S3Store  # noqa: PLC0415 - after the server has started

        address = f"http://127.0.0.1:{port}"
        self.environment = {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT": address,
            "AWS_ALLOW_HTTP": "true",
            "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
        }
        with patch.dict(os.environ, self.environment):
            self.store: Any = S3Store(BUCKET)

    def upload(self, folder: Path, prefix: str) -> None:
        """Put all files of a folder under a prefix."""
        import obstore  # noqa: PLC0415

        for path in sorted(folder.rglob("*")):
            if path.is_file():
                obstore.put(self.store, f"{prefix}/{path.relative_to(folder)}", path)


@contextmanager
def bucket() -> Iterator[Bucket]:
    """Serve an empty bucket."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        _, port = server.get_host_and_port()
        import boto3  # noqa: PLC0415 - slow to import

        keys = dict.fromkeys(("aws_access_key_id", "aws_secret_access_key"), "testing")
        address = f"http://127.0.0.1:{port}"
        boto3.client("s3", endpoint_url=address, region_name="us-east-1", **keys).create_bucket(Bucket=BUCKET)
        yield Bucket(port)
    finally:
        server.stop()
