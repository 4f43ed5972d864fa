"""Starts the servers of the benchmark and stops them again, whatever happens in between."""

import contextlib
import ctypes
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).parent

# A page's file is named by the argument of the query that asks for it; see server.ARGUMENTS.
NGINX = """
{user}worker_processes 1; daemon off; pid nginx.pid; error_log stderr error;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 10000000; keepalive_timeout 300;
  client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
  default_type application/json; open_file_cache max=20000;
  server {{
    listen 127.0.0.1:{port}; root "{root}";
    location ~ ^/(full|tenth)/charges$  {{ try_files /$1/charges/p_$arg_starting_after.json =404; }}
    location ~ ^/(full|tenth)/rows$     {{ try_files /$1/rows/p_$arg_offset.json =404; }}
    location ~ ^/(full|tenth)/growth$   {{ try_files /$1/growth/p_$arg_offset.json =404; }}
    location ~ ^/(full|tenth)/invoices$ {{ try_files /$1/invoices/p_$arg_cursor.json =404; }}
    location ~ ^/(full|tenth)/one$      {{ try_files /$1/one/p_.json =404; }}
    location = /stats {{ stub_status; }}
  }}
}}
"""


class Server:
    """Where a running server is, and what it says of itself."""

    def __init__(self, name, port):
        self.name = name
        self.url = f"http://127.0.0.1:{port}"

    def stats(self):
        """Requests since it began, this one included; most at once since the last question, where it knows."""
        with urllib.request.urlopen(f"{self.url}/stats", timeout=10) as answer:
            text = answer.read().decode()
        if text.startswith("{"):
            stats = json.loads(text)
            return stats["requests"], stats["most"]
        # nginx: "server accepts handled requests", and the three numbers on the next line.
        return int(text.splitlines()[2].split()[2]), None


def die_with_parent():
    """A server must not outlive a benchmark that was killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def stop(process):
    if process.stdin:
        process.stdin.close()
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def python_server(name, *arguments):
    command = [sys.executable, str(HERE / "server.py"), *arguments]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent
    )
    try:
        port = process.stdout.readline().strip()
        if not port:
            sys.exit(f"bench: {' '.join(command)} did not start")
        yield Server(name, int(port))
    finally:
        stop(process)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def nginx(program, pages, folder):
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    # Started by root, nginx would give its worker to a user who may not see the cache folder.
    user = f"user {pwd.getpwuid(0).pw_name};\n" if os.geteuid() == 0 else ""
    settings = folder / "nginx.conf"
    settings.write_text(NGINX.format(user=user, port=port, root=pages))
    process = subprocess.Popen([program, "-p", str(folder), "-c", str(settings)], preexec_fn=die_with_parent)
    try:
        server = Server("nginx", port)
        for _ in range(200):
            with contextlib.suppress(OSError):
                server.stats()
                break
            if process.poll() is not None:
                sys.exit(f"bench: nginx did not start (exit code {process.returncode})")
            time.sleep(0.02)
        yield server
    finally:
        stop(process)


def pages_server(pages, folder):
    """nginx where it is installed, else the server beside this file."""
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if program:
        return nginx(program, pages, folder)
    print("bench: nginx is not installed; its place is taken by a slower server in Python", file=sys.stderr)
    return python_server("the project's own server", "files", str(pages))


def slow_server(milliseconds):
    return python_server("slow API", "slow", str(milliseconds))
