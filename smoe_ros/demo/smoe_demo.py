# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The demonstration: camera, node and recorder as processes of their own, over DDS.

Leaves in the output folder ``bag/``, ``overview.mp4``, ``overview.png``, ``report.html`` and
``summary.json``, and prints a table.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ament_index_python.packages import get_package_share_directory

from smoe_ros.demo.demo_options import Options, parse_options
from smoe_ros.demo.figures import summary_of, table_of
from smoe_ros.demo.overviews import write_overviews
from smoe_ros.demo.processes import Process, ProcessError, node_command
from smoe_ros.errors import ConfigurationError
from smoe_ros.offline.report.report import write_report

_IMAGE_TOPIC = '/image_raw'
_OUTPUTS = '/smoe'
_BAG = 'bag'
_FILES = ('overview.mp4', 'overview.png', 'report.html', 'summary.json')
# Loading torch and a network on a small machine takes some seconds, its first time longer.
_START_SECONDS = 120.0
_IDLE_SECONDS = 20.0
_POLL_SECONDS = 0.1


def main(args: Sequence[str] | None = None) -> int:
    """Run the demonstration and return the exit code."""
    options = parse_options(args)
    try:
        folder = _prepare(options.output)
        published = _record(options, folder)
        _evaluate(folder, published)
    except (ConfigurationError, ProcessError) as error:
        print(f'smoe_demo: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('\nsmoe_demo: stopped', file=sys.stderr)
        return 130
    return 0


def _prepare(folder: Path) -> Path:
    """Make room in the output folder, without touching what no demo wrote."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        strangers = sorted({entry.name for entry in folder.iterdir()} - {_BAG, *_FILES})
        if strangers:
            raise ConfigurationError(
                f"output folder '{folder}' holds something else ({strangers[0]}); "
                'name another one with --output'
            )
        shutil.rmtree(folder / _BAG, ignore_errors=True)
        for name in _FILES:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"output folder '{folder}' cannot be used: {error.strerror}"
        ) from None
    return folder.resolve()


def _record(options: Options, folder: Path) -> int:
    """Run the three processes until the time is up, and return how many frames were published."""
    profile = Path(get_package_share_directory('smoe_ros'), 'config', 'fastdds.xml')
    environment = {
        'FASTRTPS_DEFAULT_PROFILES_FILE': str(profile),
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        **os.environ,
    }
    with contextlib.ExitStack() as running:
        check = running.enter_context(_signals_deferred())
        logs = Path(running.enter_context(tempfile.TemporaryDirectory(prefix='smoe_demo_')))

        def start(executable: str, parameters: dict[str, object]) -> Process:
            command = node_command(executable, parameters)
            process = Process(executable, command, environment, logs)
            return running.enter_context(process)

        domain = os.environ.get('ROS_DOMAIN_ID', '0')
        print(f'starting camera, node and recorder in ROS domain {domain}')
        recorder = start('smoe_recorder', {'bag': folder / _BAG})
        node = start('smoe_node', options.node_parameters())
        # Not before both others listen: every frame published is accounted for.
        camera = start('camera_publisher', {'source': options.source, 'start_subscribers': 2})
        check_all = functools.partial(check, [camera, node, recorder])
        if not _wait(lambda: recorder.latest_report().get('explained'), _START_SECONDS, check_all):
            raise ProcessError(f'no frame was explained within {_START_SECONDS:.0f} s')
        _show_progress(recorder, check_all, options.seconds)
        camera.stop()
        enough = recorder.latest_report()['diagnostics'] + 2

        def idle() -> bool:
            """Whether diagnostics are from after the last frame, so that the counts add up."""
            report = recorder.latest_report()
            return bool(report['diagnostics'] >= enough and report['waiting'] == 0)

        _wait(idle, _IDLE_SECONDS, functools.partial(check, [node, recorder]))
        node.stop()
        recorder.stop()
        return camera.logged_number(r'published (\d+) images')


def _wait(done: Callable[[], object], seconds: float, check: Callable[[], None]) -> bool:
    """Wait at most so many seconds until something is done, and return whether it is."""
    deadline = time.monotonic() + seconds
    while not done():
        check()
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _show_progress(recorder: Process, check: Callable[[], None], seconds: float) -> None:
    """Show a live line until the time is up; one line every few seconds if nobody watches."""
    live = sys.stdout.isatty()
    begun = shown = time.monotonic()
    before = recorder.latest_report()['explained']
    while (elapsed := time.monotonic() - begun) < seconds:
        check()
        time.sleep(_POLL_SECONDS)
        if not live and time.monotonic() - shown < 5:
            continue
        shown = time.monotonic()
        report = recorder.latest_report()
        rate = (report['explained'] - before) / max(elapsed, 1.0)
        line = (
            f'{elapsed:5.1f} / {seconds:.0f} s   camera {report["camera"]} frames   explained '
            f'{report["explained"]} ({rate:.1f} a second)   age {report["age_ms"]:.0f} ms'
        )
        print(f'\r{line}   ' if live else line, end='' if live else '\n', flush=True)
    if live:
        print()


@contextlib.contextmanager
def _signals_deferred() -> Iterator[Callable[[Sequence[Process]], None]]:
    """Keep SIGINT and SIGTERM from striking between the start of a process and its keeping.

    Yields:
        A check for loops: raises KeyboardInterrupt after a signal, ProcessError if a process of
        those given ended by itself.
    """
    signals: list[int] = []

    def check(processes: Sequence[Process]) -> None:
        if signals:
            raise KeyboardInterrupt
        for process in processes:
            process.check()

    kinds = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(kind, lambda number, _frame: signals.append(number)) for kind in kinds]
    try:
        yield check
    finally:
        for kind, handler in zip(kinds, before, strict=True):
            signal.signal(kind, handler)


def _evaluate(folder: Path, published: int) -> None:
    """Write everything that is read from the bag, and print the table."""
    print('drawing the pictures')
    bag = folder / _BAG
    summary = summary_of(bag, published)
    rate = summary['frames_per_second'] or 1.0
    write_overviews(bag, _IMAGE_TOPIC, _OUTPUTS, summary['explained'], rate, folder)
    write_report(bag, folder / 'report.html', print)
    (folder / 'summary.json').write_text(json.dumps(summary, indent=2) + '\n', encoding='utf-8')
    print(f'\n{table_of(summary)}\n\nin {folder}: {_BAG}/, {", ".join(_FILES)}')
