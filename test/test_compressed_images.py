# Copyright 2026 smoe_ros contributors
# SPDX-License-Identifier: Apache-2.0
"""sensor_msgs/CompressedImage to RGB and back, and what is refused."""

import struct
import zlib

import cv2
import numpy as np
import pytest

pytest.importorskip('rclpy')

from camera_images import DEPTH, GREY, HEIGHT, SCENE, WIDTH, grey, image_message, written
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from smoe_ros.errors import FrameError
from smoe_ros.messages.decoding import MAX_PIXELS, decompress, to_rgb
from smoe_ros.messages.encoding import to_compressed


def decompressed(image_format, data):
    rgb = decompress(CompressedImage(format=image_format, data=data))
    assert (rgb.dtype, rgb.shape[2]) == (np.uint8, 3)
    return rgb


def refusal(image_format, data):
    with pytest.raises(FrameError) as refused:
        decompressed(image_format, data)
    text = str(refused.value)
    assert text.isprintable()
    assert f'{len(data)} bytes of format ' in text
    return text


def compress(pixels, encoding, jpeg_quality):
    image = to_compressed(pixels, encoding, Header(), jpeg_quality)
    return image.format, image.data.tobytes()


BGR = SCENE[..., ::-1].copy()
PNG = written('.png', BGR)
JPEG = written('.jpg', BGR)
TIFF = written('.tiff', BGR)
WEBP = written('.webp', BGR, cv2.IMWRITE_WEBP_QUALITY, 101)  # beyond 100: without loss


# --- channels -----------------------------------------------------------------------------------


@pytest.mark.parametrize('file', [PNG, TIFF, WEBP], ids=['png', 'tiff', 'webp'])
@pytest.mark.parametrize('image_format', ['png', 'jpeg', '', 'a;b'])
def test_files_without_loss_decode_exactly_whatever_codec_the_format_names(file, image_format):
    np.testing.assert_array_equal(decompressed(image_format, file), SCENE)


@pytest.mark.parametrize('image_format', ['jpeg', '', 'rgb8; jpeg compressed bgr8'])
def test_jpeg_files_decode_to_their_scene(image_format):
    error = np.abs(decompressed(image_format, JPEG).astype(int) - SCENE)
    assert error.mean() < 3


@pytest.mark.parametrize(
    ('image_format', 'as_given', 'extension'),
    [
        ('rgb8; png compressed bgr8', BGR, '.png'),
        ('bgr8; png compressed bgr8', BGR, '.png'),
        ('rgb8; png compressed rgb8', SCENE, '.png'),
        ('bgr8; png compressed rgb8', SCENE, '.png'),
        ('rgb8; png compressed ', BGR, '.png'),
        # TIFF is written of whatever the camera sent.
        ('rgb8; tiff compressed ', SCENE, '.tiff'),
        ('bgr8; tiff compressed ', BGR, '.tiff'),
        ('rgba8; tiff compressed ', np.dstack([SCENE, GREY]), '.tiff'),
        ('bgra8; tiff compressed ', np.dstack([BGR, GREY]), '.tiff'),
    ],
)
def test_the_format_says_in_which_order_the_channels_were_stored(
    image_format, as_given, extension
):
    data = written(extension, as_given)
    np.testing.assert_array_equal(decompressed(image_format, data), SCENE)


@pytest.mark.parametrize('extension', ['.png', '.tiff'])
def test_alpha_is_dropped_grey_made_rgb_and_sixteen_bit_colour_fills_its_range(extension):
    alpha, wide = np.dstack([BGR, GREY]), BGR.astype(np.uint16) * 256 + 99
    for image_format, pixels, expected in (
        ('png', alpha, SCENE),
        ('mono8; png compressed ', GREY, grey(GREY)),
        ('bgr16; png compressed bgr16', wide, SCENE),
    ):
        data = written(extension, pixels)
        np.testing.assert_array_equal(decompressed(image_format, data), expected)


def test_the_image_is_not_turned_as_exif_says():
    # One entry: orientation (0x0112), a turn by 90 degrees.
    directory = b'MM\0*\0\0\0\x08' + struct.pack('>HHHIHHI', 1, 0x0112, 3, 1, 6, 0, 0)
    exif = b'\xff\xe1' + struct.pack('>H', 8 + len(directory)) + b'Exif\0\0' + directory
    data = JPEG[:2] + exif + JPEG[2:]
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape[:2] == (
        WIDTH,
        HEIGHT,
    )
    np.testing.assert_array_equal(decompressed('jpeg', data), decompressed('jpeg', JPEG))


# --- images that are no colour ------------------------------------------------------------------


@pytest.mark.parametrize(
    ('encoding', 'extension', 'pixels'),
    [
        ('16UC1', '.png', DEPTH),
        ('mono16', '.png', DEPTH),
        ('mono16', '.tiff', DEPTH),
        ('32FC1', '.tiff', np.where(GREY > 40, DEPTH / 1000, np.nan).astype('<f4')),
    ],
)
def test_depth_images_are_stretched_as_raw_ones_are(encoding, extension, pixels):
    data = written(extension, pixels)
    raw = to_rgb(image_message(encoding, HEIGHT, WIDTH, pixels.tobytes(), pixels.strides[0]))
    for image_format in (f'{encoding}; {extension[1:]} compressed ', ''):
        np.testing.assert_array_equal(decompressed(image_format, data), raw)


def test_a_jpeg_of_a_sixteen_bit_image_is_stretched_too():
    data = written('.jpg', GREY // 2 + 30)
    rgb = decompressed('mono16; jpeg compressed mono8', data)
    assert (rgb.min(), rgb.max()) == (0, 255)
    assert decompressed('mono8; jpeg compressed mono8', data).max() < 170


def test_a_stored_mosaic_gets_its_colours():
    raw = to_rgb(image_message('bayer_rggb8', HEIGHT, WIDTH, GREY.tobytes()))
    data = written('.png', GREY)
    np.testing.assert_array_equal(decompressed('bayer_rggb8; png compressed ', data), raw)
    np.testing.assert_array_equal(
        decompressed('bayer_rggb8; jpeg compressed mono8', data), grey(GREY)
    )


# --- refusals -----------------------------------------------------------------------------------


def test_an_empty_message_is_refused():
    assert refusal('jpeg', b'') == "the compressed image is empty: 0 bytes of format 'jpeg'"


def test_compressed_depth_is_refused_with_what_to_use():
    text = refusal('16UC1; compressedDepth png', b'\0' * 12 + PNG)
    assert 'subscribe to the raw depth topic' in text
    assert 'image_transport republish' in text


@pytest.mark.parametrize(
    'data', [b'\0', b'no image at all', b'BM' + bytes(60), b'\0\0\0\1\x67H264']
)
def test_what_is_no_image_is_refused_with_what_would_be(data):
    assert refusal('h264', data) == (
        f"{len(data)} bytes of format 'h264' are no image that is read; "
        'publish JPEG, PNG, TIFF or WebP'
    )


@pytest.mark.parametrize('file', [PNG, JPEG, TIFF, WEBP], ids=['png', 'jpeg', 'tiff', 'webp'])
@pytest.mark.parametrize('share', [0.01, 0.5, 0.9])
def test_a_file_that_is_cut_off_is_refused(file, share):
    refusal('rgb8; jpeg compressed bgr8', file[: max(13, int(len(file) * share))])


def test_a_jpeg_that_lacks_its_end_is_refused_and_names_it():
    for data in (JPEG[:-1], JPEG[:-2], JPEG[: len(JPEG) // 2]):
        assert 'the end-of-image marker is missing' in refusal('jpeg', data)


def test_the_end_of_a_thumbnail_is_not_the_end_of_its_jpeg():
    thumbnail = written('.jpg', cv2.resize(BGR, (16, 12)))
    whole = JPEG[:2] + b'\xff\xe1' + struct.pack('>H', 2 + len(thumbnail)) + thumbnail + JPEG[2:]
    assert decompressed('jpeg', whole).shape == SCENE.shape
    assert 'the end-of-image marker is missing' in refusal('jpeg', whole[:-2])


@pytest.mark.parametrize('padding', [b'\0', bytes(5000), b'\xff' * 64])
def test_padding_after_the_end_of_a_jpeg_is_not_looked_at(padding):
    np.testing.assert_array_equal(decompressed('jpeg', JPEG + padding), decompressed('jpeg', JPEG))


def jpeg_of_size(height, width):
    at = JPEG.index(b'\xff\xc0') + 5
    return JPEG[:at] + struct.pack('>HH', height, width) + JPEG[at + 4 :]


def png_of_size(height, width):
    header = b'IHDR' + struct.pack('>II', width, height) + PNG[24:29]
    return PNG[:12] + header + struct.pack('>I', zlib.crc32(header)) + PNG[33:]


def tiff_of_size(height, width, order='<', tags=(256, 257)):
    entries = zip(tags, (width, height), strict=True)
    directory = b''.join(struct.pack(f'{order}HHII', tag, 4, 1, value) for tag, value in entries)
    start = b'II*\0' if order == '<' else b'MM\0*'
    return start + struct.pack(f'{order}IH', 8, 2) + directory + bytes(100)


def webp_of_size(height, width):
    def chunk(name, content):
        return b'RIFF' + struct.pack('<I', 4 + 8 + len(content)) + b'WEBP' + name + content

    high, wide = struct.pack('<I', height - 1)[:3], struct.pack('<I', width - 1)[:3]
    return chunk(b'VP8X', struct.pack('<II', 10, 0) + wide + high + bytes(60))


@pytest.mark.parametrize(('height', 'width'), [(65535, 65535), (8193, 8192)])
@pytest.mark.parametrize('make', [jpeg_of_size, png_of_size, tiff_of_size, webp_of_size])
def test_a_claim_of_too_many_pixels_is_refused_before_they_are_made(make, height, width):
    text = refusal('jpeg', make(height, width))
    assert f' claim {width}x{height} pixels; at most {MAX_PIXELS} ' in text


@pytest.mark.parametrize(('height', 'width'), [(1, 2**21), (2**21, 1), (0, 8), (8, 0)])
def test_sides_at_which_opencv_raises_an_error_of_its_own_are_refused(height, width):
    (directory,) = struct.unpack_from('<I', TIFF, 4)
    data = bytearray(TIFF)
    struct.pack_into('<HHII', data, directory + 2, 256, 4, 1, width)
    struct.pack_into('<HHII', data, directory + 14, 257, 4, 1, height)
    assert 'do not decode' in refusal('tiff', bytes(data))


def test_every_layout_of_a_header_tells_its_size():
    size = 40000, 30000
    for data in (
        tiff_of_size(*size, order='>'),
        tiff_of_size(*size, tags=(322, 323)),  # tiles
        jpeg_of_size(*size)[:2] + b'\xff\xff\xff\xd0' + jpeg_of_size(*size)[2:],
    ):
        assert ' claim 30000x40000 pixels' in refusal('tiff', data)


@pytest.mark.parametrize('quality', [80, 101], ids=['VP8', 'VP8L'])
def test_the_size_of_either_webp_is_read(monkeypatch, quality):
    data = written('.webp', BGR, cv2.IMWRITE_WEBP_QUALITY, quality)
    monkeypatch.setattr('smoe_ros.messages.decoding.MAX_PIXELS', HEIGHT * WIDTH - 1)
    assert f' claim {WIDTH}x{HEIGHT} pixels' in refusal('webp', data)


@pytest.mark.parametrize(
    ('image_format', 'pixels', 'reason'),
    [
        ('', BGR.astype(np.float32), '3 channels of float32'),
        ('', GREY.astype(np.float64), '64-bit floats; publish 32FC1'),
        ('bayer_rggb16; tiff compressed ', DEPTH, 'a mosaic of uint16'),
    ],
)
def test_pixels_without_a_meaning_are_refused(image_format, pixels, reason):
    assert reason in refusal(image_format, written('.tiff', pixels))


def test_the_message_is_not_modified():
    image = CompressedImage(format='rgb8; png compressed rgb8', data=PNG)
    decompress(image)[:] = 0
    assert image.data.tobytes() == PNG


# --- writing ------------------------------------------------------------------------------------

SALIENCY = np.linspace(0, 1, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)


@pytest.mark.parametrize(
    ('encoding', 'pixels', 'image_format', 'start'),
    [
        ('rgb8', SCENE, 'rgb8; jpeg compressed bgr8', b'\xff\xd8'),
        ('mono8', GREY, 'mono8; png compressed ', b'\x89PNG'),
        ('32FC1', SALIENCY, '32FC1; tiff compressed ', b'II*\0'),
    ],
)
def test_formats_are_those_of_image_transport(encoding, pixels, image_format, start):
    header = Header(frame_id='camera')
    header.stamp.sec = 7
    image = to_compressed(pixels, encoding, header, 90)
    assert (image.header, image.format) == (header, image_format)
    assert image.data.tobytes().startswith(start)


def test_maps_come_back_without_loss():
    image_format, data = compress(GREY, 'mono8', 1)
    np.testing.assert_array_equal(decompressed(image_format, data), grey(GREY))
    values = SALIENCY.copy()
    values[0, :3] = np.nan, np.inf, -0.0
    _, data = compress(values, '32FC1', 1)
    back = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert back.tobytes() == values.tobytes()


def test_colour_comes_back_in_its_order():
    fields = np.zeros((48, 48, 3), np.uint8)
    fields[:, :16], fields[:, 16:32], fields[:, 32:] = (220, 30, 20), (40, 190, 60), (10, 60, 230)
    back = decompressed(*compress(fields, 'rgb8', 95))
    for x in (8, 24, 40):
        np.testing.assert_allclose(back[24, x], fields[24, x], atol=6)


def test_a_view_of_an_array_is_compressed_as_its_copy():
    for pixels, encoding in ((SCENE[::2, ::-3], 'rgb8'), (GREY[::2, ::-3], 'mono8')):
        assert compress(pixels, encoding, 90) == compress(pixels.copy(), encoding, 90)


@pytest.mark.parametrize('encoding', ['bgr8', '16UC1', ''])
def test_another_encoding_is_not_compressed(encoding):
    with pytest.raises(FrameError, match='use one of rgb8, mono8, 32FC1'):
        compress(BGR, encoding, 90)


@pytest.mark.parametrize(
    ('encoding', 'shape'),
    [('rgb8', (0, 8, 3)), ('mono8', (8, 0)), ('32FC1', (0, 0)), ('rgb8', (1, 70000, 3))],
)
def test_what_no_file_can_hold_is_refused_with_its_shape(encoding, shape):
    with pytest.raises(FrameError) as refused:
        compress(np.zeros(shape, np.float32 if encoding == '32FC1' else np.uint8), encoding, 90)
    assert str(refused.value).startswith(f'an array of shape {shape} cannot be written as ')
