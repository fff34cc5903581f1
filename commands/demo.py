"""`golive demo`: the embedded target, to try everything on."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from commands.main import CommandError

if TYPE_CHECKING:
    from demo.faults import Fault


def add(subparsers: Any) -> None:
    """Register the command and its actions."""
    parser = subparsers.add_parser("demo", help="start, stop, look at, break and heal the embedded target")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    actions.add_parser("up", help="start it; it stays until 'down'").set_defaults(run=_up)
    actions.add_parser("down", help="stop it and remove what it left").set_defaults(run=_down)
    actions.add_parser("status", help="its services; exit code 1 when it is not up").set_defaults(run=_status)
    actions.add_parser("faults", help="the faults it can be broken with").set_defaults(run=_faults)
    breaking = actions.add_parser("break", help="break it in one way")
    breaking.add_argument("fault", help="a name out of 'golive demo faults'")
    breaking.set_defaults(run=_break)
    healing = actions.add_parser("heal", help="undo one fault, or all")
    healing.add_argument("fault", nargs="?", help="one fault (default: all)")
    healing.set_defaults(run=_heal)


def _up(_options: argparse.Namespace) -> int:
    from demo import control

    try:
        state = control.up(owner="command", progress=lambda text: print(text, flush=True))
    except control.DemoError as error:
        raise CommandError(str(error)) from None
    print(f"the demo is up: front end {state.values['web_url']}, API {state.values['api_url']}")
    print("verify it with: pytest --env=demo -m checkpoint")
    print(f"sign it off with: golive sign --env=demo --role 'QA Lead' --key {state.values['signers']}/qa-lead")
    return 0


def _down(_options: argparse.Namespace) -> int:
    from demo import control

    try:
        print("the demo is down" if control.down() else "the demo was not up; nothing is left of it")
    except control.DemoError as error:
        raise CommandError(str(error)) from None
    return 0


def _status(_options: argparse.Namespace) -> int:
    from demo import control

    if control.state() is None:
        print("the demo is not up; start it with: golive demo up")
        return 1
    services = control.status()
    for service in services:
        uptime = "" if service.uptime_s is None else f"up {service.uptime_s:.0f} s"
        print(f"{service.name:10} {service.state:10} port {service.port or '-':<6} {uptime}")
    return 0


def _faults(_options: argparse.Namespace) -> int:
    from demo.faults import FAULTS

    width = max(map(len, FAULTS))
    for name, fault in sorted(FAULTS.items()):
        print(f"{name:{width}}  {fault.says}")
        print(f"{'':{width}}  {_effect(fault)}")
    return 0


def _break(options: argparse.Namespace) -> int:
    from demo import control
    from demo.faults import FAULTS

    try:
        control.break_(options.fault)
    except control.DemoError as error:
        raise CommandError(str(error)) from None
    print(f"broken: {FAULTS[options.fault].says}")
    print(_effect(FAULTS[options.fault]))
    print(f"undo it with: golive demo heal {options.fault}")
    return 0


def _effect(fault: Fault) -> str:
    """Where the fault is noticed."""
    if fault.shows_in == "watch":
        return "turns nothing red in a run, and voids a watch: what is deployed is not what it began with"
    if fault.shows_in == "trend":
        return "turns nothing red in a run, and shows as a trend over several checkpoints"
    when = " under load" if fault.shows_in == "load" else ""
    return f"turns red{when}: {', '.join(sorted(fault.turns_red))}"


def _heal(options: argparse.Namespace) -> int:
    from demo import control

    try:
        control.heal(options.fault)
    except control.DemoError as error:
        raise CommandError(str(error)) from None
    print("the demo is healthy")
    return 0
