# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""smoe_explain: explain photos and videos on the command line, without ROS."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from smoe_ros.commands.ending import exit_code_of
from smoe_ros.commands.explain_options import ExplainOptions, parse_options
from smoe_ros.commands.inputs import find_inputs
from smoe_ros.commands.progress import complain
from smoe_ros.commands.results import prepare_output
from smoe_ros.machine import spin_briefly


def main(args: Sequence[str] | None = None) -> int:
    """Explain what the command line names, and return the exit code."""
    options = parse_options(args)
    spin_briefly()
    return exit_code_of(lambda: _explain(options), complain)


def _explain(options: ExplainOptions) -> int:
    prepare_output(options.output)
    refused: list[str] = []

    def refuse(reason: str) -> None:
        refused.append(reason)
        complain(reason)

    inputs = find_inputs(options.inputs, refuse)
    explained = 0
    if inputs:
        # Imports torch, which takes seconds: not for --help, a mistake, or nothing to do.
        from smoe_ros.commands.explaining import explain_inputs  # noqa: PLC0415

        explained = explain_inputs(inputs, options)
    count = len(inputs) + len(refused)
    complain(f'explained {explained} of {count}, results in {options.output}')
    return int(explained < count)


if __name__ == '__main__':
    sys.exit(main())
