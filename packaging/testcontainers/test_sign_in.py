# Untried: it needs Docker and the image of packaging/Containerfile as `vmfa`.
"""The stand-in for AWS IAM and STS in a container, by Testcontainers."""

import json
import urllib.request
from collections.abc import Iterator

import pytest
from testcontainers.core.container import DockerContainer
from testcontainers.core.waiting_utils import wait_for_logs


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """Start the stand-in; the port on the host is any free one."""
    with DockerContainer("vmfa").with_exposed_ports(4566).with_command("--time virtual") as container:
        wait_for_logs(container, "AWS_ENDPOINT_URL")
        yield f"http://{container.get_container_host_ip()}:{container.get_exposed_port(4566)}"


def test_time_moves_when_told(endpoint: str) -> None:
    """Virtual time is moved through the same port."""
    body = json.dumps({"advance": "30s"}).encode()
    with urllib.request.urlopen(f"{endpoint}/_vmfa/time", body) as answer:
        assert answer.status == 200
