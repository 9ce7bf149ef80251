"""Several replicas of one built server behind nginx, each of which may be killed and started again.

with replicas(built, 4, environ, folder) as cluster:
    client = OpenAI(base_url=f"{cluster.url}/v1", …)
    cluster.kill(2)          # SIGKILL
    cluster.start(2)         # serves again when this returns
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .servers import START_SECONDS, STOP_SECONDS, clean_environ, free_port, running

if TYPE_CHECKING:
    from .conftest import Built

# Nothing is tried twice that may have been done once: what a client did not get an answer to, it has to ask again.
NGINX = """
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_max_body_size 0;
    upstream replicas {{
{servers}
        keepalive 16;
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://replicas;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
            proxy_request_buffering off;
            proxy_connect_timeout 2s;
            proxy_read_timeout 60s;
            proxy_next_upstream error timeout;
        }}
    }}
}}
"""


@dataclass(slots=True)
class Replica:
    """One process of the server; its log goes on over restarts."""

    command: Sequence[str]
    environ: Mapping[str, str]
    url: str
    log: Path
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0

    def launch(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command, env=dict(self.environ), stdout=output, stderr=subprocess.STDOUT, cwd=self.log.parent
            )
        self.starts += 1

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text(errors="replace")[-4000:]
            try:
                with urllib.request.urlopen(f"{self.url}/v1/health", timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        raise AssertionError(f"the replica did not come up:\n{self.log.read_text(errors='replace')[-4000:]}")

    def end(self, sign: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(sign)
        if self.process is not None:
            self.process.wait(STOP_SECONDS)


@dataclass(slots=True)
class Cluster:
    """url: nginx's, without a path."""

    url: str
    members: list[Replica] = field(default_factory=list)

    def kill(self, number: int) -> None:
        self.members[number].end(signal.SIGKILL)

    def start(self, number: int) -> None:
        self.members[number].launch()
        self.members[number].wait()


@contextmanager
def replicas(built: Built, count: int, environ: Mapping[str, str], folder: Path) -> Iterator[Cluster]:
    """They start together, as after a deployment."""
    members = []
    for number in range(count):
        port = free_port()
        command = [built.python, "-P", "-m", built.module, "--host", "127.0.0.1", "--port", str(port)]
        log = folder / f"replica-{number}.log"
        members.append(
            Replica([str(word) for word in command], clean_environ(environ), f"http://127.0.0.1:{port}", log)
        )
    try:
        for each in members:
            each.launch()
        for each in members:
            each.wait()
        with nginx([each.url for each in members], folder) as url:
            yield Cluster(url, members)
    finally:
        for each in members:
            try:
                each.end(signal.SIGTERM)
            except subprocess.TimeoutExpired:
                each.end(signal.SIGKILL)


@contextmanager
def nginx(urls: Sequence[str], folder: Path) -> Iterator[str]:
    """A balancer in front of these servers, in turns; its URL."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert program is not None, "nginx is not installed (Debian: apt-get install nginx-light)"
    port = free_port()
    servers = "\n".join(f"        server {url.removeprefix('http://')} max_fails=1 fail_timeout=1s;" for url in urls)
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, servers=servers))
    command = [program, "-p", folder, "-c", config, "-g", "daemon off;"]
    with running(command, port=port, ready="/v1/health", environ=clean_environ({}), log=folder / "nginx.log") as it:
        yield it.url
