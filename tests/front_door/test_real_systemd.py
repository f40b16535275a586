"""The unit under a real systemd, that of Debian 12 and that of Debian 13."""

import pytest

from support import machine
from support.gateway import BINARY, REPOSITORY

CONFIGURATION = """
gateway: {http: 127.0.0.1:8080, timeouts: {drainSeconds: 20}}
functions:
  - {functionName: slow, url: "http://127.0.0.1:9000"}
customDomains:
  - domainName: api.example.com
    routeConfig: {routes: [{path: /*, functionName: slow}]}
    authConfig: {authType: anonymous}
"""
#: Answers after as many seconds as the path says.
FUNCTION = """
import http.server, time
class Slow(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(float(self.path.strip("/")))
        self.send_response(200)
        self.send_header("content-length", "4")
        self.end_headers()
        self.wfile.write(b"done")
http.server.ThreadingHTTPServer(("127.0.0.1", 9000), Slow).serve_forever()
"""
SCRIPT = """
set -e
python3 /root/function.py 2>/dev/null &
get() { curl -s -m 30 -w ' %{http_code}\\n' -H 'Host: api.example.com' "http://127.0.0.1:8080/$1"; }
main() { systemctl show -p MainPID --value claimgate; }
upgrade() {
    before=$(main)
    systemctl kill --kill-who=main --signal=USR2 claimgate
    for _ in $(seq 100); do
        [ "$(main)" != "$before" ] && [ ! -e "/proc/$before" ] && break
        sleep 0.1
    done
    echo "another: $([ "$(main)" != "$before" ] && echo yes) parent: $(ps -o ppid= -p "$(main)" | tr -d ' ')"
}
systemctl daemon-reload
systemctl start claimgate
echo "started: $(get 0)"
upgrade
upgrade
echo "upgraded: $(get 0)"
get 4 >/root/in-flight &
client=$!
sleep 1
systemctl stop claimgate
wait $client
echo "in flight: $(cat /root/in-flight)"
systemctl start claimgate
upgrade
get 3 >/root/in-flight &
client=$!
sleep 1
systemctl restart claimgate
wait $client
echo "in flight: $(cat /root/in-flight)"
echo "restarted: $(get 0)"
kill -KILL "$(main)"
for _ in $(seq 100); do [ "$(systemctl is-active claimgate)" = active ] && [ "$(get 0)" = 'done 200' ] && break; sleep 0.1; done
echo "after a crash: $(get 0)"
systemctl stop claimgate
echo "result: $(systemctl show -p Result --value claimgate)"
journalctl -u claimgate --no-pager | grep -c 'not our child' || true
journalctl -u claimgate --no-pager | grep -c 'SIGKILL' || true
"""


@pytest.mark.long
@pytest.mark.parametrize("release", ["bookworm", "trixie"])
def test_upgrades_and_ends_under_the_unit(release):
    files = {
        "/usr/local/bin/claimgate": BINARY,
        "/etc/systemd/system/claimgate.service": REPOSITORY / "deploy/claimgate.service",
        "/etc/claimgate/claimgate.yaml": CONFIGURATION,
        "/root/function.py": FUNCTION,
    }
    said = machine.run(release, SCRIPT, files).splitlines()
    assert said == [
        "started: done 200",
        "another: yes parent: 1",
        "another: yes parent: 1",
        "upgraded: done 200",
        "in flight: done 200",
        "another: yes parent: 1",
        "in flight: done 200",
        "restarted: done 200",
        "after a crash: done 200",
        "result: success",
        "0",
        "0",
    ], "\n".join(said)
