# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Build the ROS package smoe_ros."""

from glob import glob

from setuptools import find_packages, setup

PACKAGE = 'smoe_ros'

setup(
    name=PACKAGE,
    version='0.1.0',
    packages=find_packages(include=[PACKAGE, f'{PACKAGE}.*']),
    package_data={
        f'{PACKAGE}.evaluation': ['*.csv'],
        f'{PACKAGE}.offline.report': ['*.j2'],
    },
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{PACKAGE}']),
        (f'share/{PACKAGE}', ['package.xml']),
        (f'share/{PACKAGE}/launch', glob('launch/*.launch.py')),
        (f'share/{PACKAGE}/config', glob('config/*')),
        (f'share/{PACKAGE}/hook', glob('hook/*')),
    ],
    install_requires=['setuptools'],
    # A robot's node needs none of these; versions that go together: requirements/extras.txt.
    extras_require={
        'fast': ['numba', 'onnx', 'onnxruntime', 'onnxscript'],
        'bags': ['rosbags', 'mcap', 'Jinja2'],
        'films': ['av'],
        'evaluate': ['scipy', 'scikit-image', 'matplotlib'],
    },
    zip_safe=True,
    maintainer='smoe_ros maintainers',
    maintainer_email='maintainers@smoe-ros.invalid',
    description='Tells a robot, at frame rate, what its vision network is looking at.',
    license='Apache-2.0',
    entry_points={
        'console_scripts': [
            'smoe_node = smoe_ros.node.executables:smoe_node',
            'camera_publisher = smoe_ros.node.camera_publisher:main',
            'smoe_recorder = smoe_ros.demo.recorder:main',
            'smoe_demo = smoe_ros.demo.smoe_demo:main',
            'smoe_explain = smoe_ros.commands.smoe_explain:main',
            'smoe_bag = smoe_ros.offline.smoe_bag:main',
            'smoe_evaluate = smoe_ros.evaluation.smoe_evaluate:main',
            'smoe_scales = smoe_ros.commands.smoe_scales:main',
        ],
    },
)
