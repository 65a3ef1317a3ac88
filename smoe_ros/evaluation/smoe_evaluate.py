# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""smoe_evaluate: how well saliency maps explain a network, measured on the command line."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from smoe_ros.commands.ending import exit_code_of
from smoe_ros.commands.progress import complain
from smoe_ros.evaluation.evaluate_options import EvaluateOptions, parse_options
from smoe_ros.machine.threads import spin_briefly

_COMMAND = 'smoe_evaluate'


def main(args: Sequence[str] | None = None) -> int:
    """Measure what the command line names, and return the exit code."""
    options = parse_options(args)
    spin_briefly()
    return exit_code_of(lambda: _evaluate(options), _say, 'stopped; --resume goes on')


def _evaluate(options: EvaluateOptions) -> int:
    # Imports torch, which takes seconds: not for --help or a mistake.
    from smoe_ros.evaluation.evaluate import evaluate  # noqa: PLC0415

    return evaluate(options, _say)


def _say(line: str) -> None:
    complain(line, _COMMAND)


if __name__ == '__main__':
    sys.exit(main())
