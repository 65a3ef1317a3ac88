# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Is it right? Metrics of saliency maps, and the command that measures methods by them.

`metrics` has a file a family. What is compared: `map_methods`, `peers`; on what: `subjects`,
`boxes`, `evaluated_network`; the measurements, and how a run goes on: `tasks`, `followed_film`,
`study`; what becomes of them: `summary`, `tables`, `plots`, `results_folder`.
"""
