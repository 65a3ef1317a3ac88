# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""No work for nobody: without subscribers no forward pass, and next to no load."""

import time
from pathlib import Path

import pytest

pytest.importorskip('rclpy')

from ros_peers import Camera, Diagnostics, Listener, small
from ros_processes import wait_until
from std_srvs.srv import SetBool

pytestmark = pytest.mark.alone

TICKS_PER_SECOND = 100  # USER_HZ, of Linux's /proc


def cpu_seconds(process):
    fields = Path(f'/proc/{process.pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def test_without_subscribers_a_30_hz_camera_costs_under_3_percent_of_a_core(
    start_node, ros_process, ros_node
):
    ros = ros_node('observer')
    diagnostics = Diagnostics(ros)
    node = start_node()
    # Once in use, then not any more: what was started for the subscriber must end with it.
    listener = Listener(ros, outputs=['contributions'])
    ros_process('camera_publisher', parameters={'source': 'bikes', 'rate': 30.0, 'height': 480})
    wait_until(listener.complete, 60, node=ros)
    listener.close()
    figures = diagnostics.until(lambda figures: 'not subscribed' in figures.message)
    assert figures.level == b'\x00'
    assert ros.count_subscribers('/image_raw') == 0
    before, cpu, started = diagnostics.next(), cpu_seconds(node), time.monotonic()
    wait_until(lambda: time.monotonic() > started + 6, 10, node=ros)
    share = (cpu_seconds(node) - cpu) / (time.monotonic() - started)
    after = diagnostics.next()
    assert after.count('explained') == before.count('explained')
    assert after.count('waiting') == 0
    assert share < 0.03


def test_disabled_it_leaves_the_camera_alone_until_it_is_enabled(start_node, ros_node):
    ros = ros_node('camera_and_listener')
    camera, listener = Camera(ros), Listener(ros, outputs=['contributions'])
    start_node(parameters={'short_side': 64})
    camera.send_until(listener.complete, small(), 40)
    client = ros.create_client(SetBool, '/smoe/enable')
    for enabled in (False, True, False, True):
        answer = client.call_async(SetBool.Request(data=enabled))
        wait_until(answer.done, node=ros)
        assert answer.result().success
        wait_until(lambda e=enabled: camera.publisher.get_subscription_count() == e, node=ros)
        listener.forget()
        if enabled:
            camera.send_until(listener.complete, small())
        else:
            sent = len(camera.sent)
            camera.send_until(lambda n=sent: len(camera.sent) > n + 5, small())
            assert not listener.complete()
