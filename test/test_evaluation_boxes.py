# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""Boxes around what pictures show: their file, the bundled ones, and their place in the input."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoe_ros.errors import ConfigurationError
from smoe_ros.evaluation.boxes import Box, boxes_in_input, bundled_boxes, read_boxes
from smoe_ros.evaluation.subjects import bundled_inputs, read_subjects

HEADER = 'name,label,x0,y0,x1,y1\n'


@pytest.fixture
def written(tmp_path):
    def write(content):
        path = tmp_path / 'boxes.csv'
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture(scope='module')
def bundled():
    return dict(read_subjects(bundled_inputs(), 6, pytest.fail)[0])


# The file


def test_boxes_are_read_by_picture_in_the_order_of_the_file(written):
    rows = 'cat,an ear,1,2,3,4\n\ndog,"tail, wagging",0,0,5,6\ncat,nose,7,8,9,10\n'
    boxes = read_boxes(written(HEADER + rows))
    assert boxes == {'cat': [Box(1, 2, 3, 4), Box(7, 8, 9, 10)], 'dog': [Box(0, 0, 5, 6)]}
    assert list(boxes) == ['cat', 'dog']


def test_columns_may_come_in_any_order_and_as_a_spreadsheet_writes_them(written):
    path = written('\ufeffy1,x1,y0,x0,label,name\r\n4,3,2,1,Nase,größer\r\n')
    assert read_boxes(path) == {'größer': [Box(1, 2, 3, 4)]}


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        ('', ['line 1', '(none)', 'name,label,x0,y0,x1,y1']),
        ('name,label,x,y,w,h\na,b,1,2,3,4\n', ['line 1', 'name,label,x,y,w,h', 'x0,y0,x1,y1']),
        (HEADER + 'a,b,1,2,3,4\na,b,1,2,3\n', ['line 3', '6 columns']),
        (HEADER + 'a,b,1,2,3,4,5\n', ['line 2', '6 columns']),
        (HEADER + ' ,b,1,2,3,4\n', ['line 2', 'name of the picture']),
        (HEADER + 'a,b,1,2,3.5,4\n', ['line 2', 'whole numbers', '1,2,3.5,4']),
        (HEADER + 'a,b,-1,2,3,4\n', ['line 2', '(-1, 2, 3, 4)', '0 <= x0 < x1']),
        (HEADER + 'a,b,1,-2,3,4\n', ['line 2', '(1, -2, 3, 4)', '0 <= y0 < y1']),
        (HEADER + 'a,b,3,2,3,4\n', ['line 2', '(3, 2, 3, 4)', 'no pixel']),
        (HEADER + 'a,b,1,4,3,2\n', ['line 2', '(1, 4, 3, 2)', 'no pixel']),
        (HEADER.encode() + b'\xff\xfe,b,1,2,3,4\n', ['UTF-8']),
        (HEADER + 'a,"b,1,2,3,4\n', ['no CSV file']),
    ],
)
def test_a_mistake_is_refused_with_file_line_and_what_would_be_right(written, content, words):
    path = written(content)
    with pytest.raises(ConfigurationError) as refusal:
        read_boxes(path)
    for word in (str(path), *words):
        assert word in str(refusal.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=r"missing\.csv': No such file"):
        read_boxes(tmp_path / 'missing.csv')
    with pytest.raises(ConfigurationError, match='Is a directory'):
        read_boxes(tmp_path)


# The bundled boxes


def test_each_photo_and_film_has_boxes_and_each_box_lies_in_its_picture(bundled):
    boxes = bundled_boxes()
    assert set(boxes) <= set(bundled)
    assert {name.rstrip(' 0123456789') for name in boxes} == {
        name.rstrip(' 0123456789') for name in bundled
    }
    for name, of_picture in boxes.items():
        height, width = bundled[name].shape[:2]
        for box in of_picture:
            assert 0 <= box.x0 < box.x1 <= width, name
            assert 0 <= box.y0 < box.y1 <= height, name


def test_the_boxes_of_the_flowers_are_where_the_picture_is_orange(bundled):
    red, _, blue = np.moveaxis(bundled['flower'].astype(int), 2, 0)
    orange = ((red > 120) & (red > 1.3 * blue)).astype(np.uint8)
    _, _, parts, _ = cv2.connectedComponentsWithStats(orange)
    largest = sorted(parts[1:], key=lambda part: part[4])[:-3:-1]
    bounds = [(x, y, x + width, y + height) for x, y, width, height, _ in largest]
    np.testing.assert_allclose(bundled_boxes()['flower'], bounds, atol=3)


# In the network's input


def test_boxes_are_scaled_by_the_sides_of_picture_and_input():
    # 0.5 along the rows, 0.75 along the columns.
    scaled = boxes_in_input([Box(10, 20, 30, 60), Box(0, 0, 200, 80)], (80, 200), (60, 100))
    assert scaled == [Box(5, 15, 15, 45), Box(0, 0, 100, 60)]


@given(st.data())
def test_scaled_boxes_have_pixels_in_the_input_and_move_by_less_than_one(data):
    width, input_width = data.draw(st.integers(1, 3000)), data.draw(st.integers(1, 640))
    x0 = data.draw(st.integers(0, width - 1))
    x1 = data.draw(st.integers(x0 + 1, width))
    (box,) = boxes_in_input([Box(x0, 0, x1, 1)], (1, width), (1, input_width))
    assert 0 <= box.x0 < box.x1 <= input_width
    assert abs(box.x0 - x0 * input_width / width) <= 1
    assert abs(box.x1 - x1 * input_width / width) <= 1.5
    assert (box.y0, box.y1) == (0, 1)


@pytest.mark.parametrize(
    'box',
    [Box(0, 0, 21, 10), Box(0, 0, 20, 11), Box(-1, 0, 5, 5), Box(0, -1, 5, 5), Box(5, 0, 5, 5)],
)
def test_a_box_that_is_not_in_the_picture_is_refused(box):
    with pytest.raises(ValueError, match=r'not in a picture of 20x10 pixels.*would be right'):
        boxes_in_input([box], (10, 20), (32, 64))
