# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Figures of saliency maps, one file a family: each is a function of arrays or of a network."""
