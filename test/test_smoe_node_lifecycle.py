# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""The node under a lifecycle manager, while frames flow."""

import os
from pathlib import Path

import pytest

pytest.importorskip('rclpy')

import torch
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from ros_peers import (
    COMPRESSED_OUTPUTS,
    OUTPUTS,
    Camera,
    Diagnostics,
    Listener,
    answer_of,
    small,
    stamp_of,
)
from ros_processes import wait_until
from scripted_network import NETWORK, VARIABLE, write

from smoe_ros.backbones import load_backbone

MANAGED = {'short_side': 64, 'autostart': False}
# What an unconfigured node publishes, and what a configured one does.
IDLE = ('/diagnostics', '/parameter_events', '/rosout', '/smoe/transition_event')
CONFIGURED = (*IDLE, *(f'/smoe/{output}' for output in (*OUTPUTS, *COMPRESSED_OUTPUTS)))


class Manager:
    """Asks for transitions by the services of a node that was started before."""

    def __init__(self, node):
        self.node = node
        self._change = node.create_client(ChangeState, '/smoe/change_state')
        self._get = node.create_client(GetState, '/smoe/get_state')
        wait_until(self._get.service_is_ready, 40, node=node)
        answer_of(lambda: self._get.call_async(GetState.Request()), node)

    def state(self):
        return self._call(self._get, GetState.Request()).current_state.id

    def __call__(self, *transitions):
        """Ask for transitions, one after the other; return whether all succeeded."""
        ids = [getattr(Transition, f'TRANSITION_{name.upper()}') for name in transitions]
        requests = [ChangeState.Request(transition=Transition(id=one)) for one in ids]
        return all(self._call(self._change, request).success for request in requests)

    def _call(self, client, request):
        wait_until(client.service_is_ready, 40, node=self.node)
        answer = client.call_async(request)
        wait_until(answer.done, 40, node=self.node)
        return answer.result()


@pytest.fixture
def ros(ros_node):
    return ros_node('manager')


def wait_until_topics_are(ros, published, subscribed):
    """Wait until the node publishes and subscribes to these topics and no others."""

    def are_there():
        # Its services may be discovered before the node itself is.
        if 'smoe' not in ros.get_node_names():
            return False
        publications = ros.get_publisher_names_and_types_by_node('smoe', '/')
        subscriptions = ros.get_subscriber_names_and_types_by_node('smoe', '/')
        return dict(publications).keys() == set(published) and (
            dict(subscriptions).keys() == set(subscribed)
        )

    wait_until(are_there, node=ros, message=f'the node has {published} and {subscribed}')


def test_without_autostart_frames_are_explained_while_it_is_active_and_cleaning_up_is_complete(
    start_node, ros
):
    start_node(parameters=MANAGED)
    manager, camera = Manager(ros), Camera(ros)
    listener, diagnostics = Listener(ros, outputs=['contributions']), Diagnostics(ros)
    timer = ros.create_timer(0.05, lambda: camera.send(small()))
    assert manager.state() == State.PRIMARY_STATE_UNCONFIGURED
    wait_until_topics_are(ros, IDLE, [])

    def nothing_comes():
        listener.forget()
        count = len(camera.sent)
        wait_until(lambda: len(camera.sent) > count + 10, node=ros)
        return not listener.complete()

    for _ in range(2):
        assert nothing_comes()
        assert manager('configure')
        assert manager.state() == State.PRIMARY_STATE_INACTIVE
        assert nothing_comes()
        assert manager('activate')
        assert manager.state() == State.PRIMARY_STATE_ACTIVE
        wait_until(lambda: len(listener.complete()) > 3, node=ros)
        wait_until_topics_are(ros, CONFIGURED, ['/image_raw'])
        publishers = [ros.count_publishers(f'/smoe/{output}') for output in OUTPUTS]
        assert publishers == [1] * len(OUTPUTS)
        assert ros.count_subscribers('/image_raw') == 1
        stamps = [diagnostics.next() and stamp_of(diagnostics.arrays[-1]) for _ in range(3)]
        assert stamps[-1] - stamps[0] > 1.5e9  # one timer
        assert manager('deactivate')
        assert nothing_comes()
        # The worker dropped what waited, and no more comes in.
        figures, later = diagnostics.next(), diagnostics.next()
        assert figures.adds_up()
        assert figures.count('waiting') == 0
        assert figures.count('in') == later.count('in')
        assert manager('activate', 'deactivate', 'cleanup')
        assert manager.state() == State.PRIMARY_STATE_UNCONFIGURED
        wait_until_topics_are(ros, IDLE, [])
    ros.destroy_timer(timer)


def resources_of(node):
    """Return the node's resident memory in MB, and its numbers of threads and of open files."""
    pages = int(Path(f'/proc/{node.pid}/statm').read_text().split()[1])
    counts = (len(list(Path(f'/proc/{node.pid}/{kind}').iterdir())) for kind in ('task', 'fd'))
    return pages * os.sysconf('SC_PAGE_SIZE') / 2**20, *counts


def test_fifty_rounds_leave_no_memory_thread_or_open_file_behind(start_node, ros):
    node = start_node(parameters={**MANAGED, 'backbone': NETWORK})
    manager = Manager(ros)

    def rounds(count):
        for _ in range(count):
            assert manager('configure', 'activate', 'deactivate', 'cleanup')
        return resources_of(node)

    # The first rounds start what torch and the middleware keep.
    (memory, *counts), (later_memory, *later_counts) = rounds(10), rounds(40)
    assert later_memory - memory < 10
    assert later_counts <= counts
    assert 'Traceback' not in node.stderr


def test_deactivating_lets_the_frame_in_the_network_finish(start_node, ros, tmp_path):
    script = tmp_path / 'script.json'
    write(script)
    start_node(parameters={**MANAGED, 'backbone': NETWORK}, env={VARIABLE: str(script)})
    manager, camera = Manager(ros), Camera(ros)
    assert manager('configure', 'activate')
    listener = Listener(ros, outputs=['contributions'])
    camera.send_until(listener.complete, small())
    write(script, delay=1.0, fault='none')
    stamp = camera.send(small())
    # The network takes the fault out of the script when it begins with the frame.
    wait_until(lambda: 'fault' not in script.read_text(), node=ros)
    assert stamp not in listener.complete()
    assert manager('deactivate')
    wait_until(lambda: stamp in listener.complete(), 1, node=ros)


def test_after_an_error_that_nobody_expected_it_can_be_configured_again(start_node, ros, tmp_path):
    script = tmp_path / 'script.json'
    write(script, immovable=True)
    node = start_node(parameters={**MANAGED, 'backbone': NETWORK}, env={VARIABLE: str(script)})
    manager, camera, listener = Manager(ros), Camera(ros), Listener(ros)
    assert not manager('configure')
    assert manager.state() == State.PRIMARY_STATE_UNCONFIGURED
    assert 'not configured: this network cannot be moved' in node.stderr
    write(script)
    assert manager('configure', 'activate')
    camera.send_until(listener.complete, small())


def test_a_refused_configuration_is_logged_and_can_be_tried_again(start_node, ros, tmp_path):
    """Also after an autostart, whose own refusal would end the process."""
    path = tmp_path / 'weights.pth'
    torch.save(load_backbone().model.state_dict(), path)
    node = start_node(parameters={'short_side': 64, 'weights': str(path)})
    manager, camera, listener = Manager(ros), Camera(ros), Listener(ros)
    wait_until(lambda: manager.state() == State.PRIMARY_STATE_ACTIVE)
    assert manager('deactivate', 'cleanup')
    path.rename(tmp_path / 'elsewhere.pth')
    for _ in range(2):
        assert not manager('configure')
        assert manager.state() == State.PRIMARY_STATE_UNCONFIGURED
    assert node.stderr.count(f"not configured: weights '{path}' is no file") == 2
    assert 'Traceback' not in node.stderr
    Path(tmp_path / 'elsewhere.pth').rename(path)
    assert manager('configure', 'activate')
    camera.send_until(listener.complete, small())


def test_shutdown_frees_everything_and_a_signal_still_ends_it_with_0(start_node, ros):
    node = start_node(parameters=MANAGED)
    manager = Manager(ros)
    assert manager('configure', 'activate')
    assert manager('active_shutdown')
    assert manager.state() == State.PRIMARY_STATE_FINALIZED
    wait_until_topics_are(ros, IDLE, [])
    assert node.stop() == 0, node.report()
    assert 'Traceback' not in node.stderr
