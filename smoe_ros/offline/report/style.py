# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""How the report looks: its style sheet, and a colour for each scale on light and dark."""

from __future__ import annotations

from collections.abc import Iterable

from smoe_ros.rendering.overview import scale_colours

_LIGHT, _DARK = (255, 255, 255), (27, 29, 34)
# Between a line and what it is drawn on, as accessibility rules want it of graphics.
_LEAST_CONTRAST = 3.0

_CSS = """
:root {
  color-scheme: light dark;
  --page: #f4f5f7; --card: #ffffff; --text: #1d2026; --faint: #5a616d; --line: #dcdfe5;
  --track: #e9ebef; --mark: #1d2026; --link: #0b57b0; --warn: #fff3d6; --warn-line: #d9a21b;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #121317; --card: #1b1d22; --text: #e6e8ec; --faint: #a3aab6; --line: #343842;
    --track: #2b2e36; --mark: #ffffff; --link: #8ab8ff; --warn: #3a2f12; --warn-line: #b98a16;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  overflow-wrap: anywhere;
}
main { max-width: 1160px; margin: 0 auto; padding: 20px 12px 48px; }
header, section.card {
  background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 16px 14px; margin: 0 0 16px;
}
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 10px; }
h2 { font-size: 22px; line-height: 1.3; margin: 28px 2px 10px; }
h3 { font-size: 18px; line-height: 1.35; margin: 0 0 6px; }
h4 { font-size: 16px; margin: 18px 0 8px; }
p { margin: 0 0 10px; max-width: 76ch; }
a { color: var(--link); }
.faint, figcaption { color: var(--faint); font-size: 15px; }
nav { margin: 12px 0 0; display: flex; flex-wrap: wrap; gap: 4px 18px; }
dl.facts { display: flex; flex-wrap: wrap; gap: 10px 40px; margin: 0; }
dl.facts dt { color: var(--faint); font-size: 14px; line-height: 1.3; }
dl.facts dd { margin: 0; font-variant-numeric: tabular-nums; }
.flaws {
  background: var(--warn); border: 1px solid var(--warn-line); border-radius: 8px;
  padding: 10px 14px; margin: 14px 0 0;
}
.flaws ul { margin: 4px 0 0; padding-left: 20px; }
figure { margin: 0; }
.legend {
  list-style: none; display: flex; flex-wrap: wrap; gap: 4px 16px;
  margin: 0 0 6px; padding: 0; font-size: 15px;
}
.legend li { display: flex; align-items: center; }
.swatch {
  display: inline-block; flex: none; width: 14px; height: 14px; border-radius: 3px;
  margin-right: 6px; vertical-align: -2px;
}
.plot svg { display: block; width: 100%; height: auto; }
.plot svg text { font-family: inherit !important; }
.plot .wide { display: none; }
@media (min-width: 700px) {
  main { padding: 28px 24px 64px; }
  header, section.card { padding: 22px 24px; }
  h1 { font-size: 28px; }
  .plot .narrow { display: none; }
  .plot .wide { display: block; }
}
.sheet {
  list-style: none; margin: 0; padding: 0; display: grid; gap: 14px;
  grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr));
}
.tile { border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
.tile .pictures { display: grid; gap: 2px; }
.tile .beside { grid-auto-flow: column; grid-auto-columns: 1fr; align-items: center; }
.tile .pictures img { display: block; width: 100%; height: auto; }
.tile .none {
  background: var(--track); color: var(--faint); padding: 22px 12px; text-align: center;
  font-size: 15px;
}
.tile .about { padding: 8px 12px 10px; font-size: 15px; line-height: 1.4; }
.tile .when { display: flex; justify-content: space-between; gap: 12px; }
.badge {
  display: inline-block; min-width: 22px; padding: 0 6px; margin-right: 8px; border-radius: 11px;
  text-align: center; background: var(--text); color: var(--card); font-size: 14px;
}
.bars { display: grid; grid-template-columns: 1fr auto auto; gap: 2px 8px; margin-top: 6px;
  align-items: center; font-size: 14px; line-height: 1.3; font-variant-numeric: tabular-nums; }
.bars .number { text-align: right; }
.bar { position: relative; height: 10px; border-radius: 2px; background: var(--track); }
.bar i, .bar b { position: absolute; top: 0; bottom: 0; }
.bar i { border-radius: 2px; }
.bar b { width: 2px; margin-left: -1px; top: -2px; bottom: -2px; background: var(--mark); }
.band { margin: 0 0 8px; }
.band .name { display: flex; justify-content: space-between; gap: 12px; font-size: 15px; }
.band svg, .lovi svg { display: block; width: 100%; }
.band svg { height: 14px; background: var(--track); border-radius: 2px; fill: var(--link); }
.axis { display: flex; justify-content: space-between; font-size: 14px; color: var(--faint); }
.scroll { overflow-x: auto; }
table {
  border-collapse: collapse; width: 100%; font-size: 15px; font-variant-numeric: tabular-nums;
}
th, td { text-align: left; vertical-align: top; padding: 6px 14px 6px 0;
  border-top: 1px solid var(--line); }
tr:first-child > * { border-top: 0; }
th { font-weight: 600; }
table.figures th { font-weight: 400; color: var(--faint); width: 30%; min-width: 128px; }
table.scales th, table.scales td.number { white-space: nowrap; }
table.scales td:first-child { min-width: 150px; }
td.number, th.number { text-align: right; }
.lovi { max-width: 460px; margin: 12px 0; }
.lovi svg { height: 18px; border-radius: 4px; }
@media print {
  @page { margin: 14mm; }
  body { background: #fff; font-size: 11pt; }
  main { max-width: none; padding: 0; }
  header, section.card { border: 0; padding: 0; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  .plot .narrow { display: none; }
  .plot .wide { display: block; }
  .tile, .band, figure, tr { break-inside: avoid; }
  h2, h3, h4 { break-after: avoid; }
  .scroll { overflow: visible; }
  nav { display: none; }
}
"""


def style_sheet(counts: Iterable[int]) -> str:
    """Return the style sheet.

    Args:
        counts: Numbers of scales that occur. Below an element of class ``scales5``, ``--s0`` to
            ``--s4`` are the colours of five scales, finest first.
    """
    rules = [_CSS]
    for count in sorted(set(counts)):
        light = _rule(count, _LIGHT, (0, 0, 0))
        dark = _rule(count, _DARK, (255, 255, 255))
        rules.append(f'{light}\n@media screen and (prefers-color-scheme: dark) {{ {dark} }}\n')
    return ''.join(rules)


def _rule(count: int, background: tuple[int, ...], ink: tuple[int, ...]) -> str:
    colours = (_readable(colour, background, ink) for colour in scale_colours(count))
    values = ' '.join(
        f'--s{index}: #{red:02x}{green:02x}{blue:02x};'
        for index, (red, green, blue) in enumerate(colours)
    )
    return f'.scales{count} {{ {values} }}'


def _readable(
    colour: tuple[int, ...], background: tuple[int, ...], ink: tuple[int, ...]
) -> tuple[int, ...]:
    """Mix ink into a colour of LOVI until it stands out from the background."""
    mixed = colour
    for percent in range(0, 100, 4):
        mixed = tuple(round(c + (i - c) * percent / 100) for c, i in zip(colour, ink, strict=True))
        if _contrast(mixed, background) >= _LEAST_CONTRAST:
            break
    return mixed


def _contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """Return the contrast of WCAG 2 between two sRGB colours, 1..21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: tuple[int, ...]) -> float:
    linear = [
        c / 12.92 if (c := channel / 255) <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for channel in colour
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
