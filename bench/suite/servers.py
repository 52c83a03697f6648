"""The servers that are measured: each has a name, prepare(), which may raise Unavailable, and command(port)."""

import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RIVALS = ROOT / "bench" / "rivals"
RIVALS_BUILD = ROOT / "build" / "bench-rivals"
RESULTS = ROOT / "build" / "bench"
NCHAN_MODULE = pathlib.Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
HOW_TO_INSTALL = "`scripts/install-packages bench` installs it"
WITHOUT_HISTORY = 'channels:\n  - match: "**"\n    history: {messages: 0}\n'


class Unavailable(Exception):
    """A server that cannot be run here, and how to change that."""


class Relayd:
    def __init__(self, binaries, variant="", workers=1, channels=""):
        self.program = binaries / "relayd"
        self.workers = workers
        self.channels = channels
        self.name = "relayd" + variant

    def prepare(self):
        if not self.program.exists():
            raise Unavailable(f"{self.program} is not built")

    def command(self, port):
        config = RESULTS / f"{self.name}.yaml"
        config.write_text(
            f"server:\n  port: {port}\n  workers: {self.workers}\nmetrics:\n  enabled: false\n{self.channels}"
        )
        return [self.program, "--config-file", config]


class Floor:
    name = "floor"

    def __init__(self, binaries):
        self.program = binaries / "floor"

    def prepare(self):
        if not self.program.exists():
            raise Unavailable(f"{self.program} is not built")

    def command(self, port):
        return [self.program, port]


class GoHub:
    name = "go"
    sources = pathlib.Path("/usr/share/gocode")

    def prepare(self):
        if not shutil.which("go") or not (self.sources / "src/github.com/gorilla/websocket").is_dir():
            raise Unavailable("no Go or no gorilla/websocket; " + HOW_TO_INSTALL)
        environment = dict(os.environ, GO111MODULE="off", GOPATH=str(self.sources))
        subprocess.run(
            ["go", "build", "-o", RIVALS_BUILD / "go-hub", "."],
            cwd=RIVALS / "go-hub",
            env=environment,
            check=True,
        )

    def command(self, port):
        return [RIVALS_BUILD / "go-hub", f"127.0.0.1:{port}"]


class NodeWs:
    name = "node"
    directory = RIVALS_BUILD / "node-ws"

    def prepare(self):
        if not shutil.which("node") or not shutil.which("npm"):
            raise Unavailable("no node or no npm; " + HOW_TO_INSTALL)
        self.directory.mkdir(parents=True, exist_ok=True)
        for file in ("package.json", "server.js"):
            shutil.copy(RIVALS / "node-ws" / file, self.directory)
        if not (self.directory / "node_modules" / "ws").is_dir():
            install = ["npm", "install", "--silent", "--no-audit", "--no-fund"]
            if subprocess.run(install, cwd=self.directory, check=False).returncode != 0:
                raise Unavailable(f"npm could not install `ws` into {self.directory}")

    def command(self, port):
        return ["node", self.directory / "server.js", port]


class Nchan:
    name = "nchan"
    directory = RIVALS_BUILD / "nchan"

    def prepare(self):
        if not shutil.which("nginx") or not NCHAN_MODULE.exists():
            raise Unavailable("no nginx or no nchan; " + HOW_TO_INSTALL)
        self.directory.mkdir(parents=True, exist_ok=True)

    def command(self, port):
        text = (RIVALS / "nchan" / "nginx.conf.in").read_text()
        values = {"@PORT@": port, "@DIRECTORY@": self.directory, "@MODULE@": NCHAN_MODULE}
        for key, value in values.items():
            text = text.replace(key, str(value))
        config = self.directory / "nginx.conf"
        config.write_text(text)
        log = self.directory / "error.log"
        return ["nginx", "-p", self.directory, "-c", config, "-e", log]


def all_servers(binaries):
    return [
        Relayd(binaries),
        Relayd(binaries, "-2w", workers=2),
        Relayd(binaries, "-nohistory", channels=WITHOUT_HISTORY),
        Floor(binaries),
        GoHub(),
        NodeWs(),
        Nchan(),
    ]
