"""The shell text that reads containers from their engine: POSIX `sh` and `awk`, also of BusyBox; it changes nothing.

Seven commands of the engine at most, whatever the number of containers, and one more for
their volumes if they have any. What they use is read from the kernel, since `stats` of the engine takes two seconds.
"""

from __future__ import annotations

import shlex

from golive.targets.services.bounded import BOUNDED
from golive.targets.services.engine import Engine, value

MARK = "-- golive"
EVENTS = ("die", "oom", "kill", "health_status")

_SECURITY = '[{{range $i, $o := .HostConfig.SecurityOpt}}{{if $i}},{{end}}{{json (printf "%.80s" $o)}}{{end}}]'
# The last result of the health check, and whether there is one at all: of its command not a word.
_HEALTH = {
    "docker": """\
"health":{{with index .State "Health"}}{{json (index . "Status")}}{{else}}null{{end}},\
"health_said":{{$said := ""}}{{with index .State "Health"}}{{range (index . "Log")}}\
{{$said = (index . "Output")}}{{end}}{{end}}{{json (printf "%.300s" $said)}},\
"health_test":{{with index .Config "Healthcheck"}}{{with index . "Test"}}{{json (index . 0)}}{{else}}null{{end}}\
{{else}}null{{end}}""",
    "podman": """\
"health":{{json .State.Health.Status}},\
"health_said":{{$said := ""}}{{range .State.Health.Log}}{{$said = .Output}}{{end}}{{json (printf "%.300s" $said)}},\
"health_test":{{if .Config.Healthcheck}}{{if .Config.Healthcheck.Test}}{{json (index .Config.Healthcheck.Test 0)}}\
{{else}}null{{end}}{{else}}null{{end}}""",
}
_FIELDS = {
    "id": ".Id",
    "name": ".Name",
    "state": ".State.Status",
    "pid": ".State.Pid",
    "exit_code": ".State.ExitCode",
    "oom_killed": ".State.OOMKilled",
    "created": ".Created",
    "started": ".State.StartedAt",
    "finished": ".State.FinishedAt",
    "restarts": ".RestartCount",
    "policy": ".HostConfig.RestartPolicy.Name",
    "image": ".Image",
    "user": ".Config.User",
    "memory": ".HostConfig.Memory",
    "nano_cpus": ".HostConfig.NanoCpus",
    "cpu_quota": ".HostConfig.CpuQuota",
    "cpu_period": ".HostConfig.CpuPeriod",
    "pids_limit": ".HostConfig.PidsLimit",
    "read_only": ".HostConfig.ReadonlyRootfs",
    "cap_add": ".HostConfig.CapAdd",
    "cap_drop": ".HostConfig.CapDrop",
    "privileged": ".HostConfig.Privileged",
    "pid_mode": ".HostConfig.PidMode",
    "network_mode": ".HostConfig.NetworkMode",
    "ipc_mode": ".HostConfig.IpcMode",
    "uts_mode": ".HostConfig.UTSMode",
    "user_mode": ".HostConfig.UsernsMode",
    "devices": ".HostConfig.Devices",
    "mounts": ".Mounts",
    "bindings": ".HostConfig.PortBindings",
    "ports": ".NetworkSettings.Ports",
}
"""What is asked of each container: JSON of these fields."""
# The name by which the container's image was asked for; Podman writes the full one elsewhere than Docker.
_REFERENCE = {"docker": ".Config.Image", "podman": ".ImageName"}

# The path of the host that a volume stands for, "" where it is one of the engine's own. Of its options not a word more.
_VOLUME = """\
{"name":{{json .Name}},"path":{{$bound := false}}{{$path := ""}}{{range $key, $value := .Options}}\
{{if eq $key "device"}}{{$path = $value}}{{end}}\
{{if eq $key "o"}}{{range split $value ","}}\
{{if or (eq . "bind") (eq . "rbind")}}{{$bound = true}}{{end}}\
{{end}}{{end}}{{end}}{{if $bound}}{{json $path}}{{else}}""{{end}}}"""

# For each container that runs, what the kernel counts of it: cgroups of version 1 and 2, its processes, its network.
_USE = r"""
function first(file,   line) { if ((getline line < file) <= 0) line = ""; close(file); return line }
function field(file, key,   line, words, found) {
  while ((getline line < file) > 0) { split(line, words); if (words[1] == key) { found = words[2]; break } }
  close(file); return found
}
function tell(key, value) { if (value != "") printf " %s=%s", key, value }
function processes(file,   pid, count, told) {
  while (count++ < 100 && (getline pid < file) > 0)
    told = told (told == "" ? "" : ",") pid ":" field("/proc/" pid "/status", "Uid:")
  close(file); return told
}
function network(file,   line, words, received, sent, faces) {
  while ((getline line < file) > 0) {
    sub(/:/, " ", line); split(line, words)
    if (words[1] != "lo" && words[2] ~ /^[0-9]+$/) { received += words[2]; sent += words[10]; faces++ }
  }
  close(file); if (faces) printf " rx=%.0f tx=%.0f", received, sent
}
function unified(at) {
  tell("cpu_us", field(at "/cpu.stat", "usage_usec")); tell("memory", first(at "/memory.current"))
  tell("inactive", field(at "/memory.stat", "inactive_file")); tell("oom_kills", field(at "/memory.events", "oom_kill"))
  tell("uids", processes(at "/cgroup.procs"))
}
function memory(at) {
  tell("memory", first(at "/memory.usage_in_bytes")); tell("inactive", field(at "/memory.stat", "total_inactive_file"))
  tell("oom_kills", field(at "/memory.oom_control", "oom_kill")); tell("uids", processes(at "/cgroup.procs"))
}
$1 ~ /^[0-9]+$/ && $1 > 0 {
  printf "use %s", $2
  file = "/proc/" $1 "/cgroup"
  while ((getline line < file) > 0) {
    names = line; sub(/^[^:]*:/, "", names); path = names; sub(/^[^:]*:/, "", path); sub(/:.*/, "", names)
    if (path == "/" || path ~ /\.\./) continue
    if (names == "") unified("/sys/fs/cgroup" path)
    if ("," names "," ~ /,cpuacct,/) tell("cpu_ns", first("/sys/fs/cgroup/cpuacct" path "/cpuacct.usage"))
    if ("," names "," ~ /,memory,/) memory("/sys/fs/cgroup/memory" path)
  }
  close(file)
  up = first("/proc/uptime"); sub(/ .*/, "", up); tell("up", up)
  network("/proc/" $1 "/net/dev"); print ""
}
"""


# Who shares the namespaces of another container shares those of the host if that one does: the kernel knows. The
# control group shows that the process is that container's, and not one of the same number on another machine.
_SHARED = r"""
shared() { printf '%s\n' "$rows" | grep -E '_mode": ?"(container|ns):' | cut -d '|' -f 1 | while read -r pid id rest; do
  grep -qF "$id" "/proc/$pid/cgroup" 2>/dev/null || continue
  for name in pid net ipc uts; do [ ! "/proc/$pid/ns/$name" -ef "/proc/self/ns/$name" ] || echo "$id $name"; done
done; }
"""


def preamble(engine: Engine) -> str:
    """Shell text that both the reading and the identity begin with: how the engine is called, and what it refuses."""
    address = f"DOCKER_HOST={shlex.quote(engine.address)}; export DOCKER_HOST\n" if engine.address else ""
    return f"""\
{address}set -f
{BOUNDED}engine() {{ bounded {engine.program} "$@" </dev/null; }}
mark() {{ printf '%s %s\\n' '{MARK}' "$*"; }}
refuse() {{ mark refused "$1"; printf '%s\\n' "$2"; exit; }}
list() {{
  out=$(engine ps -a -q --no-trunc "$@" 2>&1); code=$?
  [ "$code" = 0 ] || refuse "$code" "$out"
  ids="$ids $(printf '%s\\n' "$out" | grep -xE '[0-9a-f]{{64}}')"
}}
"""


def snippet(engine: Engine) -> str:
    """Parts behind marks: ids, containers, use (again after `window` seconds, if set), images, events, declared.

    Namespaces of the host that are shared by way of another container come behind what is used, and volumes behind
    the images where a container has any.
    """
    row = shlex.quote(template(engine))
    read = f"""\
for try in 1 2; do
  ids=
{engine.listing}
  ids=$(printf '%s\\n' $ids | sort -u); rows=
  [ -n "$ids" ] || break
  rows=$(engine inspect --type container --format {row} $ids 2>&1); code=$?
  [ "$code" != 124 ] && [ "$code" != 137 ] || refuse "$code" "$rows"
  case $rows in *[Nn]'o such '*) ;; *) break ;; esac
done
mark ids; printf '%s\\n' "$ids"
mark containers; printf '%s\\n' "$rows"
heads=$(printf '%s\\n' "$rows" | cut -s -d '|' -f 1)
use() {{ printf '%s\\n' "$heads" | awk {shlex.quote(_USE)} 2>/dev/null; }}
mark use; use
{_SHARED}mark shared; shared
pause=; if [ -n "$window" ]; then {{ sleep "$window" || sleep 2; }} 2>/dev/null & pause=$!; fi
images=$(printf '%s\\n' "$heads" | cut -s -d ' ' -f 3- | tr ' ' '\\n' | sort -u)
mark images; [ -z "$images" ] || engine image inspect --format {shlex.quote(_image(engine))} $images 2>/dev/null
volumes=$(printf '%s\\n' "$rows" | grep -oE '"Name": ?"[A-Za-z0-9][A-Za-z0-9_.-]*"' | cut -d '"' -f 4 | sort -u)
[ -z "$volumes" ] || {{ mark volumes; engine volume inspect --format {shlex.quote(_VOLUME)} $volumes 2>/dev/null; }}
{_events(engine)}
if [ -n "$pause" ]; then wait "$pause"; mark again; use; fi
"""
    if not engine.declared:
        return preamble(engine) + read
    # The file is read meanwhile; what it declares waits in the pipe.
    return f"{preamble(engine)}{{\n{engine.declared}\n}} </dev/null 2>&1 | {{\n{read}mark declared; cat\n}}"


def template(engine: Engine) -> str:
    """One line a container: its pid, id, image and reference, `|`, and an object of everything else."""
    reference = _REFERENCE[engine.program]
    fields = {key: value(engine.program, path) for key, path in (*_FIELDS.items(), ("reference", reference))}
    fields |= {"service": engine.service, "oneoff": engine.oneoff, "group": engine.group, "security": _SECURITY}
    line = ",".join(f'"{key}":{text}' for key, text in fields.items())
    head = f"{{{{.State.Pid}}}} {{{{.Id}}}} {{{{.Image}}}} {{{{{reference}}}}}"
    return f"{head}|{{{line},{_HEALTH[engine.program]}}}"


def _image(engine: Engine) -> str:
    asked = {"id": ".Id", "tags": ".RepoTags", "digests": ".RepoDigests"}
    return "{" + ",".join(f'"{key}":{value(engine.program, path)}' for key, path in asked.items()) + "}"


def _events(engine: Engine) -> str:
    """Shell text that asks for crashes, and for the time of the oldest event that is remembered."""
    if not engine.events_back:
        return ""
    told = {
        "at": ".Time",
        "what": ".Action",
        "id": ".Actor.ID",
        "service": engine.event_service,
        "group": engine.event_group,
        "code": '(index .Actor.Attributes "exitCode")',
        "signal": '(index .Actor.Attributes "signal")',
        "oneoff": '(index .Actor.Attributes "com.docker.compose.oneoff")',
    }
    line = ",".join(f'"{key}":{{{{json {expression}}}}}' for key, expression in told.items())
    filters = [f"event={name}" for name in EVENTS] + list(engine.event_filters)
    chosen = " ".join(f"--filter {shlex.quote(one)}" for one in ("type=container", *filters))
    return f"""\
remembered() {{ engine events --since {engine.events_back} --until "$(date +%s)" "$@"; }}
mark oldest; remembered --format '{{{{.Time}}}}' 2>/dev/null | head -n 1
mark events; remembered {chosen} --format {shlex.quote(f"{{{line}}}")} 2>&1; mark asked $?"""
