# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""smoe_bag: explain a bag, report on one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from smoe_ros.commands.ending import exit_code_of
from smoe_ros.commands.progress import complain
from smoe_ros.machine.threads import spin_briefly
from smoe_ros.offline.bag_options import BagExplainOptions, add_explain_options
from smoe_ros.options.command_line import options_from

_COMMAND = 'smoe_bag'


def main(args: Sequence[str] | None = None) -> int:
    """Do what the command line says, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog=_COMMAND, description='Explain what is in a bag, and report on explanations.'
    )
    commands = parser.add_subparsers(dest='command', required=True, metavar='explain|report')
    explain = commands.add_parser('explain', help='explain every image of a bag')
    add_explain_options(explain)
    report = commands.add_parser(
        'report',
        help='write a page about the explanations in a bag',
        description='Write one page, without any other file, about the explanations in a bag.',
        epilog='exit code: 0 written; 1 nothing to report, which a line explains; 2 wrong usage; '
        '3 the bag is damaged, and the page is about what could be read; 130 interrupted.',
    )
    report.add_argument('bag', type=Path, metavar='BAG', help='bag with explanations')
    report.add_argument(
        '-o',
        '--output',
        type=Path,
        default=Path('report.html'),
        metavar='FILE',
        help='page to write; replaced if it exists (default: %(default)s)',
    )
    options = parser.parse_args(args)
    spin_briefly()
    if options.command == 'report':
        return exit_code_of(lambda: _report(options), _say)
    chosen = options_from(explain, BagExplainOptions, options)
    return exit_code_of(lambda: _explain(chosen), _say, 'stopped; --resume goes on')


def _report(options: argparse.Namespace) -> int:
    from smoe_ros.offline.report.report import write_report  # noqa: PLC0415

    return write_report(options.bag, options.output, _say)


def _explain(options: BagExplainOptions) -> int:
    # Imports torch, which takes seconds: not for --help or a mistake.
    from smoe_ros.offline.explain_bag import explain_bag  # noqa: PLC0415

    return explain_bag(options, _say)


def _say(line: str) -> None:
    complain(line, _COMMAND)


if __name__ == '__main__':
    sys.exit(main())
