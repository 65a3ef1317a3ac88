#!/usr/bin/env python3
# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Runs smoe_node under steady cameras and shows whether its memory or its ages grow.

usage: scripts/soak [--help]

The exit code is 1 if a process ended by itself or nothing was explained.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from measuring import host, write_record
from record_tables import soak
from ros_trial import running
from soak_options import parse_options
from soak_report import evaluate, plot

from smoe_ros.demo.processes import ProcessError


def main(args: Sequence[str] | None = None) -> int:
    """Run the soak test and return the exit code."""
    options = parse_options(args)
    seconds = 60 * options.minutes
    size = (options.width, options.height)
    try:
        if options.output:
            options.output.mkdir(parents=True, exist_ok=True)
        with running(options.cameras, size, options.domain, options.parameters) as bench:
            trial = bench.run(
                options.rate,
                ('overlay',),
                settle=0.0,
                seconds=seconds,
                sample_seconds=min(max(seconds / 300, 0.2), 5.0),
                lengthy=True,
            )
        problem = trial.problem
        if trial.samples and trial.ages_ms:
            record = {'host': host(), **evaluate(options, trial)}
            print(soak(record)['soak'])
            if options.output:
                write_record(record, options.output / 'soak.json')
                plot(trial, record, options.output / 'soak.png')
        elif not problem:
            problem = 'no frame was explained'
    except (OSError, ProcessError) as error:
        problem = str(error)
    except KeyboardInterrupt:
        return 130
    if problem:
        print(f'scripts/soak: {problem}', file=sys.stderr)
    return 1 if problem else 0


if __name__ == '__main__':
    sys.exit(main())
